"""Headings of published tables: which are read, ignored with a warning, or refused."""

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.models import BivariateRandomEffects
from surrogacy.trials import read_pairs
from tests.support.effects import effects_of
from tests.support.user_tables import CASES, WIDE, codes, error_at, errors


def test_subgroup_columns_are_ignored_with_a_warning():
    path = CASES / "subgroup_columns.csv"
    assert effects_of(path).se[:, 1] == pytest.approx([0.147575, 0.128853, 0.140729], abs=5e-7)
    ignored = [fault for fault in read_pairs(path).faults if fault.code == "W004"]
    assert [fault.column for fault in ignored] == ["HR OS AFP low", "HR OS AFP high"]
    assert all(fault.severity == "warning" for fault in ignored)


@pytest.mark.parametrize(
    "heading", ["HR PFS PD-L1 high", "HR OS long-term follow-up", "hr os per protocol lower", "p for trend"]
)
def test_other_columns_that_look_like_limits(heading, table):
    plain = effects_of(table(f"{WIDE}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16\n"))
    more = effects_of(table(f"{WIDE},{heading}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,0.77\n"))
    assert np.array_equal(more.se, plain.se)
    assert np.array_equal(more.log_hr, plain.log_hr)


def test_one_error_column_for_two_endpoints_is_refused():
    (fault,) = errors(CASES / "one_column_for_two_endpoints.csv")
    assert (fault.code, fault.column) == ("E010", "se")
    assert "se_pfs or se_os" in fault.fix


@pytest.mark.parametrize("column", ["variance", "p", "ci_low", "ci_high", "events_exp", "events_ctl", "CI", "yi"])
def test_other_columns_without_an_endpoint(column, table):
    (fault,) = errors(table(f"{WIDE},{column}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,0.02\n"))
    assert (fault.code, fault.column) == ("E010", column)


@pytest.mark.parametrize(
    ("column", "value"), [("rho_within", "0.4"), ("ci_level", "0.9"), ("p_sides", "1"), ("stage", "advanced")]
)
def test_columns_that_both_endpoints_share(column, value, table):
    assert codes(table(f"{WIDE},{column}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{value}\n")) == []


def test_in_a_long_table_the_row_names_the_endpoint(table):
    effects = effects_of(
        table("trial,outcome,n_exp,n_ctl,hr,se\nA,PFS,400,400,0.69,0.12\nA,overall survival,400,400,0.9,0.14\n")
    )
    assert effects.se[0] == pytest.approx([0.12, 0.14])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hr_os", "OS HR"),
        ("ci_low_os", "os_ci_lower"),
        ("n_exp", "n_intervention"),
        ("trial", "study"),
        ("mos_ctl", "median_os_ctl"),
    ],
)
def test_two_columns_with_one_meaning(first, second, table):
    header = WIDE if first in WIDE else f"{WIDE},{first}"
    cells = "A,400,400,0.69,0.54,0.89,0.90,0.70,1.16" + ("" if first in WIDE else ",20")
    (fault,) = errors(table(f"{header},{second}\n{cells},1\n"))
    assert (fault.code, fault.column) == ("E002", second)
    assert repr(first) in fault.rule


def test_published_headings():
    path = CASES / "published_heading.csv"
    assert effects_of(path).se[0, 0] == pytest.approx(0.130315, abs=5e-7)
    assert np.exp(effects_of(path).log_hr[:, 0]) == pytest.approx([0.66, 0.70, 0.80, 0.65])


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("PFS HR with CI,OS HR with CI", "0.69 (0.54-0.89),0.90 (0.70-1.16)"),
        ("HR PFS,CI PFS,HR OS,95% CI OS", '0.69,0.54-0.89,0.90,"[0.70, 1.16]"'),
        (
            "Hazard Ratio (PFS),95% CI Lower Bound(PFS),95% CI Upper Bound(PFS),Hazard Ratio (OS),95% CI Lower "
            "Bound(OS),95% CI Upper Bound(OS)",
            "0.69,0.54,0.89,0.90,0.70,1.16",
        ),
        ("hr_pfs,pfs_hr_lci,pfs_hr_uci,hr_os,os_ci_lower,os_ci_upper", "0.69,0.54,0.89,0.90,0.70,1.16"),
    ],
)
def test_other_published_headings(columns, cells, table):
    effects = effects_of(table(f"studylabel,n_intervention,n_comparator,{columns}\nA,400,400,{cells}\n"))
    assert effects.se[0] == pytest.approx([error_at(0.95), error_at(0.95, 0.70, 1.16)])
    assert effects.n.tolist() == [800]


def test_headings_of_a_model():
    path = CASES / "headings_of_a_model.csv"
    trials = read_pairs(path)
    assert [fault.column for fault in trials.faults if fault.code == "W004"] == ["cancer_type"]
    effects = trials.pair(trials.surrogates)
    assert effects.n.tolist() == [150, 200, 120, 180, 95, 160, 140, 110, 130, 170]
    assert effects.rho_within[:3] == pytest.approx([0.65, 0.70, 0.68])
    assert any(fault.code == "W134" and "1:1 allocation is assumed" in fault.rule for fault in trials.faults)
    result = BivariateRandomEffects(method="reml").fit(effects)
    assert [result["mu_surrogate"].value, result["mu_final"].value] == pytest.approx([-0.44294, -0.29148], abs=5e-6)
    assert [result["tau_surrogate"].value, result["tau_final"].value] == pytest.approx([0, 0], abs=1e-9)


def test_an_unknown_column_stops_the_run_only_if_something_is_missing(table):
    (fault,) = errors(table("trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_so\nA,400,400,0.69,0.54,0.89,0.9\n"))
    assert fault.code == "E005"
    assert "did you mean 'hr_os'" in fault.fix


def test_check_prints_each_column(capsys):
    assert main(["--check", "--pairs", str(CASES / "subgroup_columns.csv")]) == 0
    shown = capsys.readouterr().out
    assert "ci_low_os       lower confidence limit of OS" in shown
    assert "HR OS AFP low   ignored: not understood" in shown


def test_check_prints_the_columns_of_a_refused_table(table, capsys):
    path = table("trial,PFS HR (90% CI),hr_os,se\nA,0.69 (0.54-0.89),0.9,0.1\n")
    assert main(["--check", "--pairs", str(path)]) == 3
    shown = capsys.readouterr()
    assert "PFS HR (90% CI)  hazard ratio of PFS with limits at 90%" in shown.out
    assert "E010" in shown.err


@pytest.mark.parametrize(
    "heading",
    [
        "-log(HR) PFS",
        "\u2212ln(HR) PFS",
        "HR\u207b\u00b9 PFS",
        "log\u2081\u2080 HR PFS",
        "\u221aVar PFS",
        "HR PFS \u5973\u6027",
        "HR PFS 75%",
        "HR+ PFS",
    ],
)
def test_a_sign_in_a_heading_is_not_dropped(heading, table):
    with pytest.raises(DataError):
        read_pairs(table(f"trial,n_exp,n_ctl,{heading},se_pfs,hr_os,se_os\nA,400,400,0.371,0.12,0.9,0.13\n"))


@pytest.mark.parametrize(
    "heading", ["SE of HR PFS", "SE(HR) PFS", "se_hr_pfs", "standard error of the hazard ratio PFS", "alpha"]
)
def test_headings_that_leave_the_scale_open(heading, table):
    (fault,) = errors(table(f"{WIDE},{heading}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,0.1\n"))
    assert fault.code == "E017"
