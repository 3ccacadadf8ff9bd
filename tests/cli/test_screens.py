"""Screens: the answer first and short, everything else with --details, and no code names for readers.

The runs use a pinned copy of the tables (2026.11), so that corrections of the data do not change these tests.
"""

import contextlib
import io
import json
import re
from collections import Counter

import pytest

import surrogacy
from surrogacy.cli import fit, pps, run
from surrogacy.cli.terminal import show
from surrogacy.errors import CaveatCode
from surrogacy.evaluation.answers import Conclusion
from surrogacy.models import REGISTRY
from surrogacy.report.glossary import glossary
from surrogacy.results.labels import ESTIMATES
from tests.conftest import ROOT
from tests.support.pinned_tables import PINNED_TABLES, preferred_arms

pytestmark = pytest.mark.slow

DATA = ROOT / "tests" / "data"
COMMANDS = {"fit": (fit, []), "tactics-2022": (fit, ["tactics-2022"]), "pps": (pps, [])}
MOST_LINES = {"fit": 40, "tactics-2022": 20, "pps": 30}
PLAIN_WORDS = {"meta-regression"}  # a name on the command line that is also the term of the field
CODE_NAMES = sorted(
    {name for name in (*REGISTRY, *ESTIMATES) if re.search("[-_]", name)} - PLAIN_WORDS, key=len, reverse=True
)
CODE_NAME = re.compile(r"(?<![\w/.-])(" + "|".join(map(re.escape, CODE_NAMES)) + r")(?![\w-]|\.csv|\.md)")
NUMBER = re.compile(r"−?\d+(?:\.\d+)?%?")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Short screen, screen with details, and folder of each command."""
    folder, monkeypatch = tmp_path_factory.mktemp("runs"), pytest.MonkeyPatch()
    finished = {}
    for name, (command, sets) in COMMANDS.items():
        shown = []
        monkeypatch.setattr(run, "show", lambda sections, *_, details, shown=shown: shown.append(sections))
        out = folder / name
        tables = preferred_arms(folder / PINNED_TABLES.name) if command is pps else PINNED_TABLES
        arguments = ["--trials", str(tables), "--out", str(out), "--format", "svg"]
        assert command.main([*sets, *arguments]) == 0
        finished[name] = (*(screen(shown[0], details=details) for details in (False, True)), out)
    monkeypatch.undo()
    return finished


def screen(sections, *, details):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        show(sections, "out/", details=details)
    return printed.getvalue()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_screen_is_the_one_on_file(name, runs):
    """After an intended change: write the new screen to the file, and read it as a hepatologist would."""
    short = runs[name][0]
    assert len(short.splitlines()) <= MOST_LINES[name]
    assert max(map(len, short.splitlines())) <= 100
    short = short.replace(f"version {surrogacy.__version__}", "version VERSION")
    assert short == (DATA / "screens" / f"{name}.txt").read_text(encoding="utf-8")


def signed_numbers(text):
    """Return the numbers of a screen; a hyphen before a number is a minus sign."""
    return NUMBER.findall(re.sub(r"(?<=[ (])-(?=\d)", "−", text))


# Numbers that differ from those of 0.3.0, for the reasons in CHANGELOG.md.
NARROW_BAND = Counter({"83%": 3, "84%": 3, "91%": 3})  # coverage of the plug-in band, which is not the default any more
WIDER_BAND = Counter({"1170": 1})  # SUN1170 lies inside the band of REML in llovet-2019-pfs
EFFECTIVE_NUMBER = Counter(  # limits and detectable differences by the effective number of trials
    ["−0.47", "−0.47", "−1.09", "−0.35", "−0.91", "0.17", "−1.06", "−0.21", "−1.22", "−1.36", "−1.33", "0.15", "−1.34"]
)
SLOPE = Counter({"0.53": 1})  # slope of intermediate: 0.534997 on the grid of 0.3.0, 0.535034 on finer grids
CHANGED = {"fit": NARROW_BAND + WIDER_BAND + EFFECTIVE_NUMBER + SLOPE, "pps": Counter()}


@pytest.mark.parametrize("name", ["fit", "pps"])
def test_details_hold_every_number_of_the_earlier_screen(name, runs):
    earlier = (DATA / "screens-0.3.0" / f"{name}.txt").read_text(encoding="utf-8")
    missing = Counter(signed_numbers(earlier)) - Counter(signed_numbers(runs[name][1]))
    assert missing == CHANGED[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_code_name_is_printed_for_readers(name, runs):
    short, details, out = runs[name]
    texts = {"short": short, "details": details}
    texts |= {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in out.rglob("*.md")}
    texts["tables.html"] = (out / "tables" / "tables.html").read_text(encoding="utf-8")
    assert {where: found for where, text in texts.items() if (found := set(CODE_NAME.findall(text)))} == {}


def test_the_document_has_the_answer_of_the_screen(runs):
    short, _, out = runs["fit"]
    answers = json.loads((out / "results.json").read_text(encoding="utf-8"))["answer"]
    words = " ".join(short.split())
    assert [answer["set"] for answer in answers] == ["intermediate", "advanced", "tactics-2022", "llovet-2019-pfs"]
    for answer in answers:
        assert answer["sentence"] in words
        assert answer["model"] == "bivariate-bayes"
        assert f"{answer['estimates']['r2_trial']['value']:.2f}" in answer["sentence"]
        assert set(answer["caveats"]) <= set(CaveatCode)
        assert answer["conclusion"] in set(Conclusion)
    disagreeing = {
        answer["set"]: [check["model"] for check in answer["checks"] if not check["agrees"]] for answer in answers
    }
    assert disagreeing == {
        "intermediate": ["weighted-regression", "meta-regression"],
        "advanced": [],
        "tactics-2022": [],
        "llovet-2019-pfs": [],
    }


def test_the_glossary_is_that_of_the_labels():
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary()
