"""Numbers stated twice, on several rows of a trial or in redundant columns, and rows that are impossible."""

import pytest

from surrogacy.fit import main
from surrogacy.trials import read_pairs
from tests.support.effects import effects_of
from tests.support.user_tables import CASES, LONG, WIDE, codes, error_at, errors


def test_patients_on_the_second_row():
    assert effects_of(CASES / "patients_on_second_row.csv").n.tolist() == [200, 300, 240, 400]


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


def test_more_events_than_patients():
    faults = [
        fault for fault in read_pairs(CASES / "more_events_than_patients.csv").faults if fault.severity == "warning"
    ]
    assert {(fault.code, fault.trial.split()[0]) for fault in faults} == {("W131", "trial-1"), ("W131", "trial-3")}


def test_no_shipped_comparison_needs_more_events_than_patients(live_trials):
    assert not [fault for fault in live_trials.faults if fault.code in ("W124", "W125", "W128", "W129", "W131", "W132")]


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


@pytest.mark.parametrize("interval", ["0.5,0.5,0.6", "0.6,0.5,0.6", "0.9,0.7,1.2", "0.5,0.4,0.5", "0.85,0.80,0.91"])
def test_coarsely_rounded_intervals_are_not_refused(interval, table):
    assert codes(table(f"{WIDE}\nA,2000,2000,{interval},0.90,0.80,1.01\n")) == []


def test_limits_that_rounding_makes_equal(table):
    trials = read_pairs(table(f"{WIDE},se_pfs\nA,2000,2000,0.3,0.3,0.3,0.90,0.80,1.01,0.04\n"))
    assert [fault.code for fault in trials.faults] == ["I133"]
    assert trials.pair(trials.surrogates).se[0, 0] == pytest.approx(0.04)


def test_a_hazard_ratio_beside_an_effect_on_the_log_scale(table):
    text = "trial,endpoint,n_exp,n_ctl,HR,TE,lower,upper\nA,PFS,400,400,0.69,-0.371,-0.616,-0.117\nA,OS,400,400,0.9,-0.105,-0.357,0.148\n"
    assert effects_of(table(text)).se[0, 0] == pytest.approx(error_at(0.95), rel=2e-3)


def test_totals_and_arms_on_different_rows(table):
    path = table("trial,endpoint,n,n_exp,n_ctl,hr,se\nA,PFS,800,,,0.69,0.1\nA,OS,,420,380,0.9,0.1\n")
    assert codes(path) == []
    assert effects_of(path).n.tolist() == [800]
