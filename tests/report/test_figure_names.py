"""Names of figures: those of every section are known before a run, and an unknown one stops it."""

import re
from pathlib import Path

import pytest

import surrogacy.figures
from surrogacy.errors import UsageError
from surrogacy.fit import main
from surrogacy.report import sections
from surrogacy.report.figures import KINDS, check_figure_names

KIND = re.compile(r'drawing\(\s*"(\w+)"')
NAME = re.compile(r'(?:\b(?:name|title)\b[^=\n]*= f"|drawing\(\s*"\w+",\s*f?")([a-z-]+)')


def test_kinds_are_the_figures_of_the_package():
    plots = {name.removeprefix("plot_") for name in surrogacy.figures.__all__ if name.startswith("plot_")}
    assert {kind.replace("-", "_") for kind in KINDS} == plots


def test_every_figure_of_the_sections_has_a_name_that_is_accepted():
    sources = [path.read_text(encoding="utf-8") for path in Path(sections.__file__).parent.glob("*.py")]
    kinds, names = ([match for source in sources for match in pattern.findall(source)] for pattern in (KIND, NAME))
    assert len(kinds) >= 14
    assert len(names) >= 14
    check_figure_names(kind.replace("_", "-") for kind in kinds)
    check_figure_names(name.rstrip("-") for name in names)


def test_an_unknown_name_stops_the_run_before_the_computation(tmp_path, capsys):
    with pytest.raises(UsageError, match="--figures buble: there is no such figure; choose from bubble, forest"):
        check_figure_names(["bubble", "buble"])
    assert main(["--figures", "buble", "--out", str(tmp_path / "run")]) == 2
    assert "--figures buble" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
