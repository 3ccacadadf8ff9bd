"""Tables of public questions and bug reports with their correct values, and further members of each class."""

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.models import BivariateRandomEffects
from surrogacy.trials import read_pairs
from tests.conftest import ROOT
from tests.support.effects import effects_of

CASES = ROOT / "tests" / "data" / "public_cases"
WIDE = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"


def codes(path):
    return [(fault.code, fault.line) for fault in read_pairs(path).faults if fault.severity != "info"]


def errors(path):
    with pytest.raises(DataError) as raised:
        read_pairs(path)
    return raised.value.faults


def error_at(level, low=0.54, high=0.89):
    from scipy.stats import norm

    return np.log(high / low) / (2 * norm.ppf(0.5 + level / 2))


# --- confidence levels printed in a cell or heading ---------------------------------------------------------------


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


def test_a_cell_with_two_levels_or_further_text_is_refused(table):
    for cell in ('"0.69 (90% CI 0.54-0.89, 95% CI 0.50-0.93)"', "0.69 (IQR 0.54-0.89)", '"0.69 (0.54-0.89), p=0.004"'):
        assert {
            fault.code for fault in errors(table(f"trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,{cell},0.9 (0.7-1.2)\n"))
        } == {"E008"}


# --- control arms -------------------------------------------------------------------------------------------------


def test_a_control_treatment_is_not_a_shared_arm():
    effects = effects_of(CASES / "control_treatment_as_group.csv")
    assert np.all(effects.covariance_between(0, 1) == 0)
    assert effects.n_patients == 1108
    result = BivariateRandomEffects(method="reml").fit(effects)
    assert [result["mu_surrogate"].value, result["mu_final"].value] == pytest.approx([-0.31744, -0.20137], abs=5e-6)
    assert [result["mu_surrogate"].se, result["mu_final"].se] == pytest.approx([0.06216, 0.07075], abs=5e-6)


def test_two_three_arm_trials_with_the_same_control_treatment(table):
    rows = "".join(
        f"{trial},{trial}-{arm},chemo,300,300,0.70,0.59,0.83,0.90,0.75,1.08\n"
        for trial in ("A", "B")
        for arm in ("low", "high")
    )
    path = table(f"trial,comparison,control_group,{WIDE.removeprefix('trial,')}\n{rows}")
    effects = effects_of(path)
    assert [sorted(effects.comparison[i] for i in group) for group in effects.dependent_groups()] == [
        ["A-high", "A-low"],
        ["B-high", "B-low"],
    ]
    assert effects.n_patients == 1800
    trials = read_pairs(path)
    assert len(trials.pair(trials.surrogates, shared_control="first")) == 2


def test_two_rows_of_one_trial():
    (fault,) = errors(CASES / "three_arm_trial.csv")
    assert (fault.code, fault.line, fault.value) == ("E108", 4, "three-arm-y")
    assert "column comparison" in fault.fix
    assert "same control_group" in fault.fix


# --- headings -----------------------------------------------------------------------------------------------------


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
    assert any(fault.code == "I134" and "1:1 allocation is assumed" in fault.rule for fault in trials.faults)
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


# --- facts on several rows ----------------------------------------------------------------------------------------


def test_patients_on_the_second_row():
    assert effects_of(CASES / "patients_on_second_row.csv").n.tolist() == [200, 300, 240, 400]


LONG = "trial,endpoint,hr,ci_low,ci_high,n_exp,n_ctl,stage,rho_within"


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        ("400,400,,", "410,400,,", "n_exp"),
        ("400,400,advanced,", ",,intermediate,", "stage"),
        (",,,0.4", ",,,0.6", "rho_within"),
    ],
)
def test_rows_of_a_comparison_that_contradict_each_other(first, second, column, table):
    path = table(f"{LONG}\nA,PFS,0.69,0.54,0.89,{first}\nA,OS,0.90,0.70,1.16,{second}\n")
    (fault,) = [fault for fault in read_pairs(path).faults if fault.code == "W129"]
    assert (fault.line, fault.column) == (3, column)
    assert ":2" in fault.rule


def test_rows_that_agree_in_other_digits(table):
    assert codes(table(f"{LONG}\nA,PFS,0.69,0.54,0.89,400,400,,0.5\nA,OS,0.90,0.70,1.16,400.0,400,,0.50\n")) == []


def test_a_total_beside_its_arms(table):
    assert codes(table(f"{WIDE},n\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,800\n")) == []
    assert codes(table(f"{WIDE},n\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,790\n")) == [("W129", 2)]
    one_arm = table("trial,n,n_exp,hr_pfs,se_pfs,hr_os,se_os\nA,800,500,0.69,0.12,0.9,0.13\n")
    assert effects_of(one_arm).control_share[0, 0] == pytest.approx(500 / 800)


# --- numbers stated twice -----------------------------------------------------------------------------------------


def test_standard_errors_of_the_ratio():
    faults = [fault for fault in read_pairs(CASES / "error_of_the_ratio.csv").faults if fault.code in ("W124", "W125")]
    assert [(fault.code, fault.line) for fault in faults] == [
        (code, line) for line in range(2, 6) for code in ("W125", "W124")
    ]
    assert all("divide it by the hazard ratio" in fault.fix for fault in faults)


def test_the_corrected_standard_errors_pass(table):
    path = table(
        "trial,n_exp,n_ctl,hr_pfs,se_pfs,p_pfs,hr_os,ci_low_os,ci_high_os,se_os\n"
        "A,400,400,0.59,0.169,0.0018,0.80,0.60,1.07,0.148\nB,400,400,0.70,0.123,0.0037,0.90,0.70,1.16,0.129\n"
    )
    assert codes(path) == []


@pytest.mark.parametrize(
    ("columns", "cells", "code", "remedy"),
    [
        ("se_os", "0.0166", "W124", "variance"),
        ("variance_os", "0.129", "W124", "name the column se"),
        ("log_hr_os", "-0.0458", "W126", "base 10"),
        ("log_hr_os", "0.105", "W126", "inverted"),
        ("log_hr_os", "-0.36", "W126", "re-read"),
    ],
)
def test_slips_in_redundant_columns(columns, cells, code, remedy, table):
    path = table(f"{WIDE},{columns}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{cells}\n")
    (fault,) = [fault for fault in read_pairs(path).faults if fault.severity == "warning"]
    assert fault.code == code
    assert remedy in fault.fix


@pytest.mark.parametrize(
    ("columns", "cells"),
    [("se_os", "0.129"), ("variance_os", "0.0166"), ("log_hr_os", "-0.105"), ("log_hr_os", "-0.11")],
)
def test_redundant_columns_that_agree(columns, cells, table):
    assert codes(table(f"{WIDE},{columns}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{cells}\n")) == []


def test_limits_in_the_cell_and_in_columns(table):
    header = "trial,n_exp,n_ctl,hr_pfs,hr_os,ci_low_os,ci_high_os"
    assert codes(table(f"{header}\nA,400,400,0.69 (0.54-0.89),0.90 (0.70-1.16),0.70,1.2\n")) == []
    path = table(f"{header}\nA,400,400,0.69 (0.54-0.89),0.90 (0.70-1.16),0.70,1.61\n")
    assert codes(path) == [("W127", 2)]
    assert effects_of(path).se[0, 1] == pytest.approx(error_at(0.95, 0.70, 1.16))


def test_p_against_events(table):
    header = "trial,n_exp,n_ctl,hr_pfs,p_pfs,events_exp_pfs,events_ctl_pfs,hr_os,ci_low_os,ci_high_os"
    # p = 0.4 makes the error 0.44, 80 + 80 events make it 0.158; p = 0.024 makes it 0.165
    assert codes(table(f"{header}\nA,100,100,0.69,0.4,80,80,0.90,0.66,1.22\n")) == [("W128", 2)]
    assert codes(table(f"{header}\nA,100,100,0.69,0.024,80,80,0.90,0.66,1.22\n")) == []


def test_limits_of_a_log_effect_may_be_logarithms(table):
    text = "trial,outcome,n1i,n2i,yi,ci.lb,ci.ub\nA,PFS,400,400,-0.371,-0.616,-0.117\nA,OS,400,400,0.105,-0.149,0.357\n"
    effects = effects_of(table(text))
    assert effects.se[0] == pytest.approx([(0.616 - 0.117) / 3.919928, (0.357 + 0.149) / 3.919928], rel=1e-6)
    ratios = text.replace("-0.616,-0.117", "0.54,0.89").replace("-0.149,0.357", "0.86,1.43")
    assert effects_of(table(ratios)).se[0, 0] == pytest.approx(error_at(0.95))
    assert "E112" in {fault.code for fault in errors(table(text.replace("-0.616,-0.117", "1.5,1.9")))}


# --- impossible rows ----------------------------------------------------------------------------------------------


def test_more_events_than_patients():
    faults = [
        fault for fault in read_pairs(CASES / "more_events_than_patients.csv").faults if fault.severity == "warning"
    ]
    assert {(fault.code, fault.trial.split()[0]) for fault in faults} == {("W131", "trial-1"), ("W131", "trial-3")}


def test_no_shipped_comparison_needs_more_events_than_patients(trials):
    assert not [fault for fault in trials.faults if fault.code in ("W124", "W125", "W128", "W129", "W131", "W132")]


@pytest.mark.parametrize(
    ("columns", "cells", "code"),
    [
        ("events_exp_pfs,events_ctl_pfs", "150,90", "E118"),
        ("median_os_ctl,median_os_exp", "420,610", "W132"),
        ("median_os_ctl,median_os_exp", "1.2,1.4", "W132"),
    ],
)
def test_impossible_counts_and_months(columns, cells, code, table, capsys):
    path = table(f"{WIDE},{columns}\nA,100,100,0.69,0.50,0.95,0.90,0.62,1.31,{cells}\n")
    assert main(["--check", "--pairs", str(path)]) == (3 if code.startswith("E") else 0)
    shown = capsys.readouterr()
    assert f": {code} " in shown.out + shown.err


def test_an_arm_without_patients(table):
    (fault,) = errors(table(f"{WIDE}\nA,0,100,0.69,0.50,0.95,0.90,0.62,1.31\n"))
    assert (fault.code, fault.column, fault.value) == ("E130", "n_exp", "0")


# --- no false alarms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["0.5,0.5,0.6", "0.6,0.5,0.6", "0.9,0.7,1.2", "0.5,0.4,0.5", "0.85,0.80,0.91"])
def test_coarsely_rounded_intervals_are_not_refused(interval, table):
    assert codes(table(f"{WIDE}\nA,2000,2000,{interval},0.90,0.80,1.01\n")) == []


def test_limits_that_rounding_makes_equal(table):
    trials = read_pairs(table(f"{WIDE},se_pfs\nA,2000,2000,0.3,0.3,0.3,0.90,0.80,1.01,0.04\n"))
    assert [fault.code for fault in trials.faults] == ["I133"]
    assert trials.pair(trials.surrogates).se[0, 0] == pytest.approx(0.04)


# --- found by tables that people write ----------------------------------------------------------------------------


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


def test_comparisons_of_two_trials_may_have_one_name(table):
    header = "trial,comparison,endpoint,hr,se"
    path = table(f"{header}\nA,TKI v placebo,PFS,0.7,0.1\nB,TKI v placebo,OS,0.9,0.1\nB,TKI v placebo,PFS,0.8,0.1\n")
    effects = effects_of(path)
    assert effects.trial == ("B",)
    assert np.exp(effects.log_hr[0]) == pytest.approx([0.8, 0.9])


@pytest.mark.parametrize(
    "heading", ["SE of HR PFS", "SE(HR) PFS", "se_hr_pfs", "standard error of the hazard ratio PFS", "alpha"]
)
def test_headings_that_leave_the_scale_open(heading, table):
    (fault,) = errors(table(f"{WIDE},{heading}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,0.1\n"))
    assert fault.code == "E017"


@pytest.mark.parametrize(("column", "value", "level"), [("Confidence level (%)", "90", 0.9), ("% CI", "80", 0.8)])
def test_columns_of_levels(column, value, level, table):
    effects = effects_of(table(f"{WIDE},{column}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{value}\n"))
    assert effects.se[0, 0] == pytest.approx(error_at(level))


@pytest.mark.parametrize("name", ["Pooled", "Total", "Random effects model", "RE Model", "Overall effect"])
def test_a_pooled_row_is_refused(name, table):
    (fault,) = errors(
        table(f"{WIDE}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16\n{name},,,0.69,0.54,0.89,0.90,0.70,1.16\n")
    )
    assert (fault.code, fault.line) == ("E018", 3)


@pytest.mark.parametrize(
    ("header", "rows", "code"),
    [
        (WIDE, ["Alpha,400,400,0.69,0.54,0.89,0.90,0.70,1.16", "alpha,400,400,0.69,0.54,0.89,0.90,0.70,1.16"], "W140"),
        (f"{WIDE},control", ["A,400,400,0.69,0.54,0.89,0.90,0.70,1.16,118"], "W142"),
        (WIDE, ["A,400,400,69,54,89,0.90,0.70,1.16"], "W139"),
        ("trial,n_exp,n_ctl,hr_pfs,variance_pfs,hr_os,se_os", ["A,400,400,0.69,48.7,0.9,0.13"], "W138"),
        (
            "trial,n_exp,n_ctl,hr_pfs,se_pfs,events_exp_pfs,events_ctl_pfs,hr_os,se_os",
            ["A,400,400,0.69,0.29,96,99,0.9,0.13"],
            "W105",
        ),
        (
            WIDE.replace("trial,", "trial,comparison,control_group,"),
            ["A,x,pbo,400,81,0.69,0.50,0.95,0.90,0.70,1.16", "A,y,pbo,400,60,0.69,0.50,0.95,0.90,0.68,1.19"],
            "W141",
        ),
        (f"{WIDE},phase", ["A,400,400,0.69,0.54,0.89,0.90,0.70,1.16,III"], "W143"),
    ],
)
def test_further_warnings(header, rows, code, table):
    assert code in {fault for fault, _ in codes(table("\n".join([header, *rows, ""])))}


@pytest.mark.parametrize("missing", ["NA", "N/A", "-", ".", "NaN", "NR", "#N/A", "\u2014"])
def test_signs_for_a_missing_value(missing, table):
    path = table(
        f"{WIDE},p_pfs,registry,rho_within,se_os\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{missing},{missing},{missing},{missing}\n"
    )
    assert codes(path) == []


def test_spelling_of_allowed_values(table):
    path = table(f"{WIDE},stage,preferred\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,Advanced,TRUE\n")
    assert read_pairs(path).trials["stage"].tolist() == ["advanced"]


@pytest.mark.parametrize("p", ["=0.0041", "= 0.0041", "3e-12"])
def test_printed_p_values(p, table):
    hr = "0.40,0.31,0.52" if p == "3e-12" else "0.69,0.54,0.89"
    assert codes(table(f"{WIDE},p_pfs\nA,400,400,{hr},0.90,0.70,1.16,{p}\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\ntrial;n_exp;n_ctl;hr_pfs;hr_os\nA;400;400;0,69 (0,54-0,89);0,90 (0,70-1,16)\n",
        "trial\tn_exp\tn_ctl\thr_pfs\thr_os\nA\t400\t400\t0,69 (0,54-0,89)\t0,90 (0,70-1,16)\n",
        "trial;n_exp;n_ctl;PFS, HR (95% CI);OS, HR, (95% CI)\nA;400;400;0,69 (0,54-0,89);0,90 (0,70-1,16)\n",
        'trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,"0.69\n(0.54-0.89)",0.69 [95%-CI 0.54; 0.89]*\n',
        "Study,nE,nC,HRs (95% CI) for PFS,HR overall survival (OS)\nA,400,400,0.69 (0.54-0.89),0.90 (95% CrI "
        "0.70-1.16)\n",
        "trial,Study ID,n_exp,n_ctl,hr_pfs,l95_pfs,u95_pfs,hr_os,os lower 95,os upper "
        "95\nA,7,400,400,0.69,0.54,0.89,0.9,0.70,1.16\n",
    ],
)
def test_tables_of_spreadsheets(text, table):
    effects = effects_of(table(text))
    assert effects.se[0, 0] == pytest.approx(error_at(0.95))
    assert effects.n.tolist() == [800]


def test_a_hazard_ratio_beside_an_effect_on_the_log_scale(table):
    text = "trial,endpoint,n_exp,n_ctl,HR,TE,lower,upper\nA,PFS,400,400,0.69,-0.371,-0.616,-0.117\nA,OS,400,400,0.9,-0.105,-0.357,0.148\n"
    assert effects_of(table(text)).se[0, 0] == pytest.approx(error_at(0.95), rel=2e-3)


def test_totals_and_arms_on_different_rows(table):
    path = table("trial,endpoint,n,n_exp,n_ctl,hr,se\nA,PFS,800,,,0.69,0.1\nA,OS,,420,380,0.9,0.1\n")
    assert codes(path) == []
    assert effects_of(path).n.tolist() == [800]
