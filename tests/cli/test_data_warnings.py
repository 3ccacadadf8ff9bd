"""Warnings about a user's own table: the same from both commands, on stderr before any number and in the JSON."""

import json

import pytest

from surrogacy.analysis import fit_stages, pps_stages
from surrogacy.cli.pps import main as pps
from surrogacy.fit import main as fit
from tests.conftest import ROOT

CASES = ROOT / "tests" / "data" / "public_cases"
HEADINGS = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage"
MEDIANS = "median_pfs_ctl,median_pfs_exp,median_os_ctl,median_os_exp"
# one row each, with the warning that it must give: other members of the class "said by one command only"
ROWS = {
    "W107": (f"{HEADINGS},{MEDIANS}", "mine,300,300,0.69,0.57,0.83,0.74,0.60,0.91,advanced,11.6,8,27,20"),
    "W103": (f"{HEADINGS},{MEDIANS}", "mine,300,300,0.69,0.57,0.90,0.74,0.60,0.91,advanced,8,11.6,20,27"),
    "W104": (f"{HEADINGS},p_os,{MEDIANS}", "mine,300,300,0.69,0.57,0.83,0.74,0.60,0.91,advanced,0.4,8,11.6,20,27"),
    "W131": (f"{HEADINGS},{MEDIANS}", "mine,30,30,0.69,0.57,0.83,0.74,0.60,0.91,advanced,8,11.6,20,27"),
}


@pytest.fixture
def no_analysis(monkeypatch):
    """Stop a run where its analysis would begin: what is printed by then comes before any number."""

    def stop(*arguments, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(pps_stages, "summarise", stop)
    monkeypatch.setattr(fit_stages, "fit_model", stop)


def lines_of(command, path, capsys):
    """Lines on stderr about the user's own table."""
    focus = ["--focus", "mine"] if command is pps else ["advanced"]
    assert command(["--add", str(path), "--json", *focus]) == 130
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith(str(path))]


@pytest.mark.slow
@pytest.mark.usefixtures("no_analysis")
@pytest.mark.parametrize("code", ROWS)
def test_both_commands_say_the_same_before_any_number(code, tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text("\n".join(ROWS[code]) + "\n", encoding="utf-8")
    of_fit, of_pps = (lines_of(command, path, capsys) for command in (fit, pps))
    assert of_fit == of_pps
    assert any(code in line for line in of_pps)


@pytest.mark.usefixtures("no_analysis")
def test_quiet_prints_none(capsys):
    assert pps(["--add", str(CASES / "swapped_medians.csv"), "--focus", "swapped", "--json", "--quiet"]) == 130
    assert "W107" not in capsys.readouterr().err


@pytest.mark.slow
def test_public_case(small, capsys):
    """Medians that contradict both hazard ratios: W107 twice, on stderr and in the document."""
    path = CASES / "swapped_medians.csv"
    assert pps([*small, "--add", str(path), "--focus", "swapped", "--json", "--resamples", "100"]) == 0
    printed = capsys.readouterr()
    lines = [line for line in printed.err.splitlines() if line.startswith(str(path))]
    assert [line.split()[1] for line in lines] == ["W107", "W107"]
    assert "swapped PFS" in lines[0]
    assert "swapped OS" in lines[1]
    warnings = json.loads(printed.out)["data_warnings"]
    assert [(warning["code"], warning["column"], warning["line"]) for warning in warnings] == [
        ("W107", "hr_pfs", 2),
        ("W107", "hr_os", 2),
    ]
    assert "months) favour the other arm" in warnings[0]["rule"]


def test_the_document_of_the_fit_has_them_too(capsys):
    path = CASES / "swapped_medians.csv"
    arguments = ["advanced-immunotherapy", "--model", "weighted-regression", "--json", "--quiet"]
    assert fit([*arguments, "--add", str(path)]) == 0
    assert [warning["code"] for warning in json.loads(capsys.readouterr().out)["data_warnings"]] == ["W107", "W107"]


def test_warnings_about_the_shipped_tables_are_printed_by_the_check_alone(capsys):
    assert fit(["tactics-2022", "--model", "weighted-regression", "--json"]) == 0
    printed = capsys.readouterr()
    assert "warning" not in printed.err
    assert json.loads(printed.out)["data_warnings"] == []
    assert fit(["--check"]) == 0
    assert "data/trials/effects.csv" in capsys.readouterr().out
