"""surrogacy add: questions on a terminal, options, and a table."""

import re
import shlex
import sys

import pytest

import surrogacy
from surrogacy.__main__ import COMMANDS, main
from surrogacy.cli import add, export
from tests.support.terminals import pty, run_on_terminal

COMPARISON = ["--comparison", "label=Trial X", "stage=intermediate", "n_exp=120", "n_ctl=118"]
SOURCE = ["--source", "key=lee-2026", "title=Trial X", "doi=https://doi.org/10.1000/x"]
PFS = ["--effect", "endpoint=PFS", "hr=0.59 (0.41-0.87)", "evidence=primary", "where=abstract", "quote=HR 0.59"]
OS = [
    "--effect",
    "endpoint=OS",
    "hr=0.86",
    "ci_low=0.61",
    "ci_high=1.22",
    "evidence=primary",
    "where=p. 2",
    "quote=0.86",
]
ANSWERS_ABOUT_THE_COMPARISON = [
    *("Trial X", "", "", "NCT09999999", "3", "20x6", "2026", "early", "Intermediate", "", "", "TACE + drug", "TACE"),
    *("120", "118", "", ""),
]
ANSWERS_ABOUT_THE_SOURCE = ["lee 2026", "lee-2026", "Lee, Anna", "Trial X", "J Hepatol", "2026", "", ""]
ANSWERS_ABOUT_PFS = [
    *("pfs", "", "", "0.59 (0.41-0.97)", "", "", "", "", "abstract", "HR 0.59", "n"),  # asymmetric, and refused
    *("", "", "", "0.59 (0.41-0.87)", "", "", "", "", "HR 0.59", "y"),
]
ANSWERS_ABOUT_OS = [
    *("", "", "", "0.86", "0.61", "1.22", "", "", "", "page 2", "HR 0.68"),  # the quotation is another number
    *("", "", "", "", "", "", "", "", "", "", "HR 0.86", "n"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options(folder, capsys):
    assert add.main([*COMPARISON, *SOURCE, *PFS, *OS]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "my-trials/: 1 comparison and 2 hazard ratios added (trial-x)",
        "Sets   all, intermediate",
        "Next   surrogacy fit intermediate --focus trial-x --trials my-trials",
    ]
    assert shown.err == ""
    effects = surrogacy.read_trials(folder / "my-trials").effects
    rows = effects[effects["comparison"] == "trial-x"]
    assert rows["doi"].tolist() == ["10.1000/x"] * 2
    assert rows["read_in"].tolist() == ["lee-2026"] * 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            [*COMPARISON, *SOURCE, *PFS[:-1], "quote=HR 0.95"],
            3,
            "--effect PFS: W155 error: trial-x PFS: quote = 'HR 0.95'",
        ),
        ([*COMPARISON, *SOURCE, *PFS, "hazard=1"], 3, "--effect PFS: E004 error: trial-x PFS: hazard = '1'"),
        ([*COMPARISON, *SOURCE, *PFS, "ci_lo=1"], 3, "did you mean 'ci_low'"),
        ([*COMPARISON, *PFS, "source=unknown-1"], 3, "source = 'unknown-1': sources.bib has no entry with this key"),
        ([*COMPARISON[:2], *SOURCE, *PFS], 3, "--comparison: E007 error: trial-x: stage: stage is required"),
        ([*COMPARISON, *SOURCE, *PFS, *PFS], 3, "E108 error"),
        ([*COMPARISON, *SOURCE], 2, "--effect is missing"),
        ([*PFS], 2, "--comparison is missing"),
        ([*COMPARISON, *SOURCE, "--effect", "PFS"], 2, "--effect PFS: write COLUMN=VALUE"),
        ([*COMPARISON, "label=Y", *PFS], 2, "label is given twice ('Trial X' before)"),
        ([*COMPARISON, *PFS, "--import", "x.csv"], 2, "--import x.csv: all trials come from this table"),
        (["--import", "x.csv"], 3, "x.csv: E001 error"),
        (["--trials", "nowhere", *COMPARISON, *PFS], 2, "--trials nowhere: the folder does not exist"),
        ([], 2, "there is no terminal for questions"),
        (["--out", ""], 2, "--out: the name is empty"),
    ],
)
def test_errors_and_nothing_is_written(arguments, code, words, folder, capsys):
    assert add.main(arguments) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert list(folder.iterdir()) == []


def test_table_of_many_trials(folder, capsys):
    (folder / "own.csv").write_text(
        "trial,stage,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,median_os_exp,median_os_ctl,"
        "source,where,quote\n"
        "Mine A,intermediate,101,99,0.617,0.441,0.863,0.913,0.677,1.231,30,28,lee-2026,p. 1,PFS 0.617; OS 0.913\n"
        "Mine B,advanced,150,150,0.48,0.37,0.62,0.71,0.52,0.97,,,,,\n"
    )
    assert add.main(["--import", "own.csv"]) == 0
    shown = capsys.readouterr()
    assert "2 comparisons and 4 hazard ratios added (mine-a, mine-b)" in shown.out
    assert "Sets   all, intermediate\n" in shown.out
    warnings = re.findall(
        r"own\.csv:3: W152 warning: Mine B (\w+): evidence: source, where, quote are not given", shown.err
    )
    assert warnings == ["PFS", "OS"]
    trials = surrogacy.read_trials(folder / "my-trials")
    evidence = {effect.effect_id: effect.evidence for effect in trials.reported if effect.comparison.startswith("mine")}
    assert evidence == {
        "mine-a:pfs:primary": "secondary",
        "mine-a:os:primary": "secondary",
        "mine-b:pfs:primary": "unverified",
        "mine-b:os:primary": "unverified",
    }
    assert "mine-b" in trials.analysis_set("advanced", min_evidence="unverified").comparison
    assert trials.arms[trials.arms["comparison"] == "mine-a"]["median_os"].tolist() == [28, 30]
    assert "@misc{lee-2026,\n  title = {[Title not read]}," in (folder / "my-trials" / "sources.bib").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("Mine A,early,PFS,0.6,0.4,0.9,lee-2026,abstract,0.6", "own.csv:2: E009 error: mine-a: stage = 'early'"),
        ("Mine A,,PFS,0.6,0.4,0.9,lee-2026,abstract,0.6", "own.csv:2: E007 error: mine-a: stage"),
        ("Mine A,advanced,PFS,0.6,0.4,0.9,lee-2026,abstract,0.7", "own.csv:2: W155 error: mine-a PFS: quote = '0.7'"),
        ("Mine A,advanced,PFS,0.6,0.9,0.4,lee-2026,abstract,0.6", "own.csv:2: E101 error: mine-a PFS: ci_low = '0.9'"),
        ("LEAP 012,advanced,PFS,0.6,0.4,0.9,lee-2026,abstract,0.6", "own.csv:2: E108 error: leap-012 PFS: preferred"),
    ],
)
def test_errors_of_a_table_name_its_line(cells, words, folder, capsys):
    (folder / "own.csv").write_text(f"trial,stage,endpoint,hr,ci_low,ci_high,source,where,quote\n{cells}\n")
    assert add.main(["--import", "own.csv"]) == 3
    assert words in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["own.csv"]


@pytest.mark.slow
@pytest.mark.skipif(pty is None, reason="no pseudo-terminals on this system")
def test_questions_on_a_terminal(folder):
    answers = [
        *ANSWERS_ABOUT_THE_COMPARISON,
        *ANSWERS_ABOUT_THE_SOURCE,
        *ANSWERS_ABOUT_PFS,
        *ANSWERS_ABOUT_OS,
        *("n", "y"),
    ]
    code, shown = run_on_terminal(["add"], answers, folder)
    shown = " ".join(shown.split())
    assert code == 0, shown
    for reason in (
        "year = '20x6': this is not an integer",
        "stage = 'early': this is not an allowed value",
        "key = 'lee 2026': this is not a BibTeX key",
        "W103 warning: hr = '0.59': the limits are not symmetric",
        "W155 error: quote = 'HR 0.68': the quotation does not contain the hazard ratio 0.86",
        "Next surrogacy fit intermediate --focus trial-x --trials my-trials",
    ):
        assert reason in shown
    reported = {effect.effect_id: effect for effect in surrogacy.read_trials(folder / "my-trials").reported}
    pfs, os = reported["trial-x:pfs:primary"], reported["trial-x:os:primary"]
    assert (pfs.hr, pfs.ci_low, pfs.ci_high) == (0.59, 0.41, 0.87)
    assert (os.hr, os.ci_low, os.ci_high, os.evidence) == (0.86, 0.61, 1.22, "primary")


@pytest.mark.slow
@pytest.mark.skipif(pty is None, reason="no pseudo-terminals on this system")
def test_end_of_the_input_writes_nothing(folder):
    code, shown = run_on_terminal(["add"], ["Trial X", "leap012", "", "LEAP-012", ""], folder)
    assert code == 2
    assert "this looks like leap-012, which is already in the table" in " ".join(shown.split())
    assert "nothing was written" in shown
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", [add, export])
def test_help(command, capsys):
    assert command.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    examples = re.findall(r"^  (surrogacy (?:.*\\\n)*.*)$", shown.partition("Examples:")[2], re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        _, name, *arguments = shlex.split(example)
        assert name == command.__name__.rpartition(".")[2]
        command.parser().parse_args(arguments)


def test_list_of_commands(monkeypatch, capsys):
    for arguments in ([], ["--help"], ["-h"]):
        monkeypatch.setattr(sys, "argv", ["surrogacy", *arguments])
        assert main() == 0
        shown = capsys.readouterr().out
        for name, purpose in COMMANDS.items():
            assert re.search(rf"^  {name} +{purpose}$", shown, re.MULTILINE)
    monkeypatch.setattr(sys, "argv", ["surrogacy", "exprot"])
    assert main() == 2
    assert "no command 'exprot'; did you mean 'export'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_its_name(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["surrogacy", command, "--help"])
    assert main() == 0
    assert capsys.readouterr().out.startswith(f"usage: surrogacy {command} ")
