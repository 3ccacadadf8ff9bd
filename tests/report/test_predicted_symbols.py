"""Symbols of report.html at predicted effects: a trial with the surrogate effect alone, and a new trial."""

import re
from html import unescape

import pytest

from surrogacy.fit import main
from tests.support.pinned_tables import PINNED

TABLE = """trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage,doi
Early,150,148,0.60,0.46,0.78,,,,intermediate,10.1000/early
"""


@pytest.mark.slow
def test_a_predicted_effect_has_its_numbers_under_the_pointer_and_its_source(tmp_path):
    (tmp_path / "mine.csv").write_text(TABLE, encoding="utf-8")
    arguments = ["intermediate", "--model", "weighted-regression", "bivariate-bayes", "--format", "svg", "--quiet"]
    arguments += ["--add", str(tmp_path / "mine.csv"), "--predict", "0.6", "0.45", "0.8", "--figures", "bubble"]
    assert main([*arguments, *PINNED, "--out", str(tmp_path / "out")]) == 0
    page = unescape((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    symbols = re.findall(r'<g class="symbol"(?: data-source="([\w-]+)")? [^>]*><title>([^<]*)</title>', page)
    early = {(source, words) for source, words in symbols if words.startswith("Early\n")}
    ((source, words),) = early
    assert re.fullmatch(
        r"Early\nPFS HR 0\.60 \(0\.46 to 0\.78\)\n"
        r"OS HR predicted: 0\.\d\d \(95% prediction interval 0\.\d\d to [01]\.\d\d\)\n298 patients",
        words,
    )
    assert "doi:10.1000/early" in re.search(rf'id="{source}"(.*?)</div>', page, re.DOTALL)[1]
    ((source, words),) = {(source, words) for source, words in symbols if words.startswith("New trial\n")}
    assert source == ""
    assert re.search(r"HR 0\.60 \(0\.45 to 0\.80\)\nOS HR predicted: 0\.\d\d", words)
