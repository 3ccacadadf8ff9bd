"""Comparisons with one control arm whose numbers contradict each other are refused, by the check and by the fit."""

import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from tests.support.effects import effects_of

HEADINGS = "trial,comparison,control_group,n_exp,n_ctl,hr_pfs,se_pfs,hr_os,se_os,rho_within\n"
OTHERS = "".join(f"T{i},T{i},,200,200,0.{60 + 3 * i},0.12,0.{80 + 2 * i},0.13,\n" for i in range(5))


def shared(*rows):
    return HEADINGS + "".join(f"A,A{i},placebo,{row}\n" for i, row in enumerate(rows)) + OTHERS


IMPOSSIBLE = {
    "opposite correlations": shared("200,200,0.70,0.12,0.85,0.13,0.99", "200,200,0.75,0.12,0.90,0.13,-0.99"),
    "opposite correlations of one pair in three": shared(
        "200,200,0.70,0.12,0.85,0.13,0.5", "200,200,0.75,0.12,0.90,0.13,1", "200,200,0.75,0.12,0.90,0.13,-1"
    ),
    "one error a hundred times the other": shared(
        "200,200,0.70,14.1,0.85,0.13,0.95", "200,200,0.75,0.12,0.90,0.13,0.95"
    ),
}


@pytest.mark.parametrize("text", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_contradicting_errors_of_a_shared_arm_are_refused(text, tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        effects_of(path)
    (fault,) = error.value.faults
    assert (fault.code, fault.line) == ("E131", 2)
    assert main(["--check", "--pairs", str(path)]) == 3
    assert main(["--pairs", str(path), "--out", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().err.count("E131") == 2


def test_the_first_comparison_alone_is_fitted_on_request(tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text(IMPOSSIBLE["opposite correlations"])
    assert main(["--check", "--pairs", str(path), "--shared-control", "first"]) == 0


def test_a_refit_that_is_impossible_does_not_end_the_run(tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text(shared("200,200,0.70,14.1,0.85,0.13,", "200,200,0.75,0.12,0.90,0.13,"))
    arguments = ["--pairs", str(path), "--model", "bivariate-reml", "--out", str(tmp_path / "out"), "--format", "svg"]
    assert main([*arguments, "--quiet"]) == 0
    assert (tmp_path / "out" / "run.json").exists()
