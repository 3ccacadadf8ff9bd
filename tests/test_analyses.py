"""Every script of analyses/ runs, and docs/published-claims.md says what they print."""

import runpy

import pytest
from matplotlib.figure import Figure

from tests.conftest import ROOT

CLAIMS = runpy.run_path(str(ROOT / "analyses" / "published_claims.py"))
SLOW = {"immunotherapy_era", "tactics_pps", "terashima_2016_coupling"}
PAGE = (ROOT / "docs" / "published-claims.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in CLAIMS["ORDER"]]
)
def test_the_page_quotes_what_the_script_prints(name):
    doc, printed, figure = CLAIMS["run"](name)
    assert CLAIMS["page"]({name: (doc, printed)}).partition("## ")[2] in PAGE
    assert "->" in printed
    assert isinstance(figure, Figure)


def test_every_script_is_on_the_page():
    scripts = {path.stem for path in (ROOT / "analyses").glob("*.py")} - {"published_claims", "gallery"}
    assert scripts == set(CLAIMS["ORDER"])
    for name in (*scripts, "published_claims"):
        path = ROOT / "analyses" / f"{name}.py"
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80
