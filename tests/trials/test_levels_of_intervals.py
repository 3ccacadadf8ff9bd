"""Confidence levels in a cell, a heading or a column."""

import pytest

from surrogacy.trials import read_pairs
from tests.support.effects import effects_of
from tests.support.user_tables import CASES, WIDE, error_at, errors


def test_level_in_the_cell():
    effects = effects_of(CASES / "level_in_cell.csv")
    assert effects.se[:, 0] == pytest.approx([0.127465, 0.151884, 0.111460, 0.096989], abs=5e-7)
    assert effects.se[:, 1] == pytest.approx([0.128853] * 4, abs=5e-7)


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ("0.69 (98.7% CI 0.54-0.89)", 0.987),
        ("0.69 [80% CI: 0.54 to 0.89]", 0.80),
        ('"0.69 {97.5 %, 0.54; 0.89}"', 0.975),
        ('"0.69 (0.54-0.89, 99% CI)"', 0.99),
        ("0.69 (CI90 0.54-0.89)", 0.90),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_level_in_any_brackets_and_on_either_side(cell, level, side, table):
    cells = ["0.90 (0.70-1.16)", "0.90 (0.70-1.16)"]
    cells[side] = cell
    effects = effects_of(table(f"trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,{cells[0]},{cells[1]}\n"))
    assert effects.se[0, side] == pytest.approx(error_at(level))
    assert effects.se[0, 1 - side] == pytest.approx(error_at(0.95, 0.70, 1.16))


@pytest.mark.parametrize(
    ("heading", "level"),
    [
        ("PFS HR (97.5% CI)", 0.975),
        ("HR PFS [90% CI]", 0.9),
        ("HR (PFS) with 99% confidence interval", 0.99),
        ("hr_pfs_80ci", 0.8),
    ],
)
def test_a_level_in_the_heading(heading, level, table):
    effects = effects_of(table(f"trial,n_exp,n_ctl,{heading},hr_os\nA,400,400,0.69 (0.54-0.89),0.90 (0.70-1.16)\n"))
    assert effects.se[0] == pytest.approx([error_at(level), error_at(0.95, 0.70, 1.16)])


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("hr_pfs,hr_os,ci_level_pfs", "0.69 (90% CI 0.54-0.89),0.90 (0.70-1.16),0.95"),
        ("hr_pfs,hr_os,ci_level", "0.69 (0.54-0.89),0.90 (99% CI 0.70-1.16),95%"),
        ("PFS HR (95% CI),hr_os", "0.69 (90% CI 0.54-0.89),0.90 (0.70-1.16)"),
        ("hr_pfs,90% lower limit PFS,95% upper limit PFS,hr_os", "0.69,0.54,0.89,0.90 (0.70-1.16)"),
    ],
)
def test_levels_that_contradict_each_other(columns, cells, table):
    (fault,) = errors(table(f"trial,n_exp,n_ctl,{columns}\nA,400,400,{cells}\n"))
    assert (fault.code, fault.line) == ("E110", 2)
    assert "contradict each other" in fault.rule


@pytest.mark.parametrize("level", ["97.5%", "97.5", "0.975", "97.5 %"])
def test_a_level_may_be_a_percentage(level, table):
    effects = effects_of(table(f"{WIDE},ci_level\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{level}\n"))
    assert effects.se[0] == pytest.approx([error_at(0.975), error_at(0.975, 0.70, 1.16)])


@pytest.mark.parametrize("level", ["5%", "45", "1", "100%", "most"])
def test_a_level_that_is_none(level, table):
    assert {
        fault.code for fault in errors(table(f"{WIDE},ci_level\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{level}\n"))
    } <= {
        "E104",
        "E008",
    }


def test_a_p_value_after_the_limits_is_read(table):
    for cell, p in (("0.69 (0.54-0.89); p=0.0041", "0.0041"), ("0.69 [0.54; 0.89] (P < .01)", "<.01")):
        effects = read_pairs(table(f"trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,{cell},0.9 (0.7-1.2)\n")).effects
        assert effects["p"].tolist() == [p, ""]
        assert effects["ci_high"].tolist() == [0.89, 1.2]


def test_a_p_value_in_the_cell_that_contradicts_its_column_is_refused(table):
    (fault,) = errors(
        table("trial,n_exp,n_ctl,hr_pfs,p_pfs,hr_os\nA,400,400,0.69 (0.54-0.89); p=0.004,0.04,0.9 (0.7-1.2)\n")
    )
    assert (fault.code, fault.line, fault.column) == ("E110", 2, "p_pfs")


def test_a_cell_with_two_levels_or_further_text_is_refused(table):
    for cell in ('"0.69 (90% CI 0.54-0.89, 95% CI 0.50-0.93)"', "0.69 (IQR 0.54-0.89)", '"0.69 (0.54-0.89), n=400"'):
        assert {
            fault.code for fault in errors(table(f"trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,{cell},0.9 (0.7-1.2)\n"))
        } == {"E008"}


@pytest.mark.parametrize(("column", "value", "level"), [("Confidence level (%)", "90", 0.9), ("% CI", "80", 0.8)])
def test_columns_of_levels(column, value, level, table):
    effects = effects_of(table(f"{WIDE},{column}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{value}\n"))
    assert effects.se[0, 0] == pytest.approx(error_at(level))
