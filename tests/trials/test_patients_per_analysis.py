"""Patients of one analysis, if they differ from those of the comparison."""

import csv

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.models import WeightedRegression
from surrogacy.trials import read_pairs, read_trials

PFS, OS = {"effect_id": "apollo:pfs:primary-2"}, {"effect_id": "apollo:os:primary"}


@pytest.fixture
def with_patients(own_tables):
    """Give columns of patients to effects.csv, and the numbers of one row after another."""
    path = own_tables.folder / "effects.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], "n_exp", "n_ctl"], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    def patients(where, **cells):
        own_tables("effects", where, **cells)
        return read_trials(own_tables.folder)

    patients.folder = own_tables.folder
    return patients


def n_of(trials, comparison, name="advanced"):
    effects = trials.analysis_set(name)
    place = effects.comparison.index(comparison)
    return effects.n[place], effects.control_share[place, 0]


def test_the_pair_has_the_patients_analysed_for_both_endpoints(with_patients, trials):
    assert n_of(trials, "apollo") == (649, pytest.approx(433 / 649))
    assert n_of(with_patients(PFS, n_exp="424", n_ctl="212"), "apollo") == (636, pytest.approx(424 / 636))
    # per arm, the smaller of the two numbers
    assert n_of(with_patients(OS, n_exp="430", n_ctl="210"), "apollo")[0] == 424 + 210


def test_one_arm_may_have_a_number_of_its_own(with_patients):
    assert n_of(with_patients(PFS, n_ctl="200"), "apollo")[0] == 433 + 200


def test_rows_that_are_not_paired_do_not_count(with_patients):
    assert n_of(with_patients({"effect_id": "apollo:pfs:primary"}, n_exp="10", n_ctl="10"), "apollo")[0] == 649


def test_the_weights_follow(with_patients, trials):
    before = WeightedRegression().fit(trials.analysis_set("advanced"))["slope"].value
    after = WeightedRegression().fit(with_patients(PFS, n_exp="42", n_ctl="21").analysis_set("advanced"))["slope"].value
    assert after != pytest.approx(before, abs=1e-6)


def test_a_set_that_lists_patients_keeps_them(with_patients):
    changed = with_patients({"effect_id": "search:pfs:llovet-2019"}, n_exp="100", n_ctl="100")
    assert n_of(changed, "search", "llovet-2019-pfs")[0] == 362 + 258


def test_more_patients_than_the_comparison_has(with_patients):
    changed = with_patients(PFS, n_exp="434", n_ctl="212")
    (fault,) = [fault for fault in changed.faults if fault.code == "W109" and fault.file.endswith("effects.csv")]
    assert (fault.column, fault.value) == ("n_exp", "434")
    assert "433 in n_exp of the trial table" in fault.rule


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"n_exp": "0"}, "E130", "n_exp"),
        ({"n_ctl": "half"}, "E008", "n_ctl"),
        ({"n_exp": "20", "events_exp": "30"}, "E118", "events_exp"),
    ],
)
def test_impossible_numbers(cells, code, column, with_patients):
    with pytest.raises(DataError) as raised:
        with_patients(PFS, **cells)
    assert (code, column) in {(fault.code, fault.column) for fault in raised.value.faults}


def test_precision_is_compared_with_the_patients_of_the_analysis(with_patients):
    codes = {fault.code for fault in with_patients(PFS, n_exp="30", n_ctl="30").faults if "apollo" in fault.trial}
    assert "W131" in codes


def test_apollo_in_the_shipped_table(live_trials):
    assert n_of(live_trials, "apollo")[0] == 636


def test_a_users_table_states_the_patients_of_the_comparison(table):
    text = "trial,endpoint,hr,ci_low,ci_high,n_exp,n_ctl\nA,PFS,0.7,0.55,0.89,210,200\nA,OS,0.8,0.6,1.07,200,190\n"
    trials = read_pairs(table(text))
    assert [fault.code for fault in trials.faults].count("W129") == 2
    assert trials.pair(trials.surrogates).n.tolist() == [410]
    assert np.isnan(trials.effects["n_exp"]).all()
