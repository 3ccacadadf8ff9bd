"""Arguments are checked before any model is fitted: exit 2 with the cure, and no fit in between."""

import time

import pytest

from surrogacy.analysis import fit_stages
from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial import NewTrial, parse_new_trial
from surrogacy.fit import main


@pytest.fixture
def no_fit(monkeypatch):
    def fit_model(*arguments, **keywords):
        raise AssertionError("a model was fitted before the arguments were checked")

    monkeypatch.setattr(fit_stages, "fit_model", fit_model)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--predict", "0.62", "0.06", "0.80"], ["--predict 0.62 0.06 0.80", "far from symmetric", "decimal slip?"]),
        (["--predict", "0.62", "0.489", "7.83"], ["decimal slip? HIGH 0.783"]),
        (["--predict", "0.06", "0.45", "0.80"], ["lower limit is above the hazard ratio 0.06", "HR 0.6 would fit"]),
        (["--predict", "0.6", "0.8", "0.45"], ["lower limit 0.8 is not below the upper limit 0.45", "swap"]),
        (["--predict", "0.6", "0.7", "0.8"], ["0 < LOW < HR < HIGH"]),
        (["--predict", "0.6", "0.6", "0.6"], ["0 < LOW < HR < HIGH"]),
        (["--predict", "-0.5", "-0.8", "-0.2"], ["must be above 0"]),
        (["--predict", "0.6", "0", "0.8"], ["must be above 0"]),
        (["--predict", "0.6", "0.45", "inf"], ["0 < LOW < HR < HIGH"]),
        (["--predict", "0.6", "half", "0.8"], ["three numbers are needed"]),
        (["--predict", "nan", "0.45", "0.8"], ["0 < LOW < HR < HIGH"]),
        (["--focus", "tactic"], ["--focus tactic: the tables have no trial of this name", "did you mean 'tactics'?"]),
        (
            ["--focus", "imbrave150", "tactics-2022"],
            ["the tables include it (stage: advanced), but no set of this run (tactics-2022) has both"],
        ),
        (["--rho-within", "1.2"], ["rho_within must lie in [-1, 1]; got 1.2"]),
        (["--rho-within", "nan"], ["rho_within must lie in [-1, 1]"]),
        (["--new-n", "0"], ["size of the new trial must be above 0; got 0"]),
        (["--new-n", "nan"], ["size of the new trial must be above 0"]),
        (["--model", "weighted-pearson", "--new-n", "-5"], ["size of the new trial must be above 0; got -5"]),
        (["--seed", "-1"], ["--seed -1"]),
        (["--width", "0"], ["--width 0: choose 1, 1.5 or 2 columns, or 60 to 300 mm"]),
        (["--width", "20"], ["--width 20: choose 1, 1.5 or 2 columns"]),
        (["--width", "nan"], ["--width nan: choose 1, 1.5 or 2 columns"]),
        (["--width", "90mm"], ["--width: '90mm' is not a number; choose 1, 1.5 or 2 columns"]),
        (["--preset", "bmj"], ["--preset", "'bmj'", "elsevier", "nature"]),
        (["--show", "band"], ["--show", "'band'", "confidence", "equation"]),
        (["--answers", "report.yml", "--quick"], ["--answers report.yml: --quick writes no checklists; leave out"]),
        (["--figures", "advanced"], ["--figures advanced: there is no such figure", "stands before the options"]),
    ],
)
@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize("output", [["--json"], []])
def test_exit_2_before_a_fit(arguments, words, output, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    began = time.perf_counter()
    assert main([*arguments, *output]) == 2
    assert time.perf_counter() - began < 5  # about a second on its own, of which most is reading the tables
    error = capsys.readouterr().err
    for part in words:
        assert part in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["report.yml: E190 error", "surrogacy template report.yml writes a form"]),
        ("rationale: a: b\n", ["report.yml:1: E190 error: not valid YAML", "on an indented line"]),
        ("rational: x\n", ["report.yml:1: E190 error: rational: there is no item with this key", "rationale"]),
    ],
)
def test_answers_are_read_before_a_fit(text, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "report.yml").write_text(text, encoding="utf-8")
    assert main(["--answers", "report.yml"]) == 3
    error = capsys.readouterr().err
    assert all(part in error for part in words), error
    assert {path.name for path in tmp_path.iterdir()} <= {"report.yml"}


def test_arguments_that_are_right_are_not_in_the_way(capsys):
    arguments = ["tactics-2022", "--model", "weighted-regression", "--json", "--focus", "oriental", "--new-n", "300"]
    assert main([*arguments, "--predict", "0.6", "0.5", "0.72"]) == 0
    assert "--predict" not in capsys.readouterr().err


def test_limits_that_are_somewhat_asymmetric_are_a_warning(capsys):
    trial, warnings = parse_new_trial(["0.60", "0.45", "0.90"])
    assert trial == NewTrial(0.60, 0.45, 0.90)
    assert "--predict 0.60 0.45 0.90: the limits are not symmetric" in warnings[0]
    arguments = ["tactics-2022", "--model", "weighted-regression", "--json", "--predict", "0.60", "0.45", "0.90"]
    assert main(arguments) == 0
    assert warnings[0] in capsys.readouterr().err
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_decimals_tell_how_far_a_number_was_rounded():
    """0.5 (0.4 to 0.6) may stand for 0.49 (0.41 to 0.59); 0.50 (0.40 to 0.60) may not."""
    assert parse_new_trial(["0.5", "0.4", "0.6"])[1] == ()
    assert parse_new_trial(["0.500", "0.400", "0.600"])[1] != ()


def test_a_new_trial_checks_itself():
    assert NewTrial(0.6, 0.45, 0.8, level=95).level == 0.95
    for arguments in ((0.6, 0.7, 0.8), (0.6, 0.45, float("inf")), (0.6, 0.45, 0.8, 1.5), (0.6, 0.45, 0.8, 0.5, 0)):
        with pytest.raises(UsageError):
            NewTrial(*arguments)
