"""Rows with a surrogate effect and no final effect: kept, listed in the set, and part of no fit."""

import numpy as np
import openpyxl
import pytest

from surrogacy.errors import DataError, UsageError
from surrogacy.trials import Pairing, read_pairs, read_trials
from surrogacy.trials.standard_errors import standard_error_from_interval
from tests.support.pinned_tables import PINNED_TABLES, pinned_trials

WIDE = "trial,stage,n_exp,n_ctl,hr_pfs,pfs_low,pfs_high,hr_os,os_low,os_high"
SHORT = "trial,stage,hr_pfs,pfs_low,pfs_high"
MINE = "My trial,intermediate,120,118,0.62,0.48,0.80"
LONG = "trial,stage,endpoint,hr,ci_low,ci_high"
PFS = "My trial,intermediate,PFS,0.62,0.48,0.80"
PREDICTED = "no OS effect: predicted, not fitted"
# a table, and the surrogate endpoint of the trial that is predicted
TABLES = {
    "empty": (f"{WIDE}\n{MINE},,,\n", "PFS"),
    "NR": (f"{WIDE}\n{MINE},NR,NR,NR\n", "PFS"),
    "immature": (f"{WIDE}\n{MINE},immature,,\n", "PFS"),
    "not reported": (f"{WIDE}\n{MINE},not reported,-,-\n", "PFS"),
    "NE": (f"{WIDE}\n{MINE},NE,NE,NE\n", "PFS"),
    "other rows have OS": (f"{WIDE}\n{MINE},pending,,\nB,intermediate,90,90,0.8,0.6,1.07,0.9,0.66,1.23\n", "PFS"),
    "no column of OS": (f"{SHORT}\nMy trial,intermediate,0.62,0.48,0.80\n", "PFS"),
    "medians of OS": (
        f"{SHORT},median_pfs_exp,median_pfs_ctl,median_os_exp,median_os_ctl\n"
        "My trial,intermediate,0.62,0.48,0.80,9.0,6.0,NR,20\n",
        "PFS",
    ),
    "a column that is not used": (f"{SHORT},ORR\nMy trial,intermediate,0.62,0.48,0.80,30\n", "PFS"),
    "decimal commas and intervals": (
        "Study;Stage;N;HR PFS (95% CI);HR OS (95% CI)\nMy trial;intermediate;238;0,62 (0,48-0,80);data immature\n",
        "PFS",
    ),
    "roles": (
        "trial,stage,surrogate,hr_surrogate,se_surrogate,hr_final,se_final\n"
        "My trial,intermediate,TTP,0.62,0.1303,NA,NA\n",
        "TTP",
    ),
    "logarithms": ("trial,stage,log_hr_pfs,se_pfs\nMy trial,intermediate,-0.478,0.1303\n", "PFS"),
    "long, no row of OS": (f"{LONG}\n{PFS}\n", "PFS"),
    "long, empty row of OS": (f"{LONG}\n{PFS}\nMy trial,intermediate,OS,NE,NE,NE\n", "PFS"),
    "long, several surrogates": (f"{LONG}\nMy trial,intermediate,TTP,0.6,0.46,0.78\n{PFS}\n", "PFS"),
    "long, roles": (
        "trial,stage,endpoint,final,hr,ci_low,ci_high\n"
        "My trial,intermediate,PFS,OS,0.62,0.48,0.80\nMy trial,intermediate,OS,OS,not yet reported,,\n",
        "PFS",
    ),
}
# a part of a final effect, or no usable surrogate effect: refused as any incomplete row is
INCOMPLETE = {
    "limits without hazard ratio": (f"{WIDE}\n{MINE},NR,0.60,1.20\n", "E007"),
    "p without hazard ratio": (f"{WIDE},p_os\n{MINE},NR,,,0.20\n", "E007"),
    "standard error without hazard ratio": (f"{LONG},se\n{PFS},\nMy trial,intermediate,OS,,,,0.2\n", "E007"),
    "no surrogate effect": (f"{WIDE}\nMy trial,intermediate,120,118,NR,,,0.85,0.60,1.20\n", "E007"),
    "no effect": (f"{WIDE}\nMy trial,intermediate,120,118,NR,,,NE,,\n", "E007"),
    "columns with limits of OS alone": (f"{SHORT},os_low,os_high\nMy trial,advanced,0.62,0.48,0.80,0.6,1.2\n", "E005"),
    "a column that may be OS": (f"{SHORT},overall surv ratio\nMy trial,advanced,0.62,0.48,0.80,0.85\n", "E005"),
    "two surrogates in a wide table": (
        f"{SHORT},hr_ttp,ttp_low,ttp_high\nMy trial,advanced,0.62,0.48,0.80,0.6,0.46,0.78\n",
        "E005",
    ),
}


@pytest.fixture
def added(tmp_path):
    """Function that adds a table to the pinned ones."""

    def add(text):
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return read_trials(PINNED_TABLES, path)

    return add


def surrogate_only(trials, name):
    return {entry.label: entry for entry in trials.analysis_set_with_flow(name).surrogate_only}


def reason(trials, name, comparison):
    return {entry.comparison: entry.reason for entry in trials.analysis_set_with_flow(name).flow}[comparison]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_without_a_final_effect_is_kept(table, added):
    text, endpoint = TABLES[table]
    trials = added(text)
    mine = surrogate_only(trials, "intermediate")["My trial"]
    assert (mine.endpoint, mine.added, mine.provenance.evidence) == (endpoint, True, "as given")
    assert mine.log_hr == pytest.approx(np.log(0.62), abs=1e-3)
    assert mine.se == pytest.approx(standard_error_from_interval(0.48, 0.80, 0.95), abs=1e-4)
    assert reason(trials, "intermediate", "My trial") == PREDICTED
    assert "My trial" not in trials.analysis_set("intermediate").comparison
    (remark,) = (str(fault) for fault in trials.faults if fault.code == "W111" and "My trial" in str(fault))
    assert f"{endpoint} without OS: the comparison is not fitted; its OS effect is predicted" in remark


@pytest.mark.slow
@pytest.mark.parametrize("table", INCOMPLETE)
def test_a_part_of_an_effect_is_refused(table, added):
    text, code = INCOMPLETE[table]
    with pytest.raises(DataError) as raised:
        added(text)
    assert code in {fault.code for fault in raised.value.faults}


def test_a_hazard_ratio_of_os_without_limits_is_a_pair_without_a_standard_error(added):
    trials = added(f"{WIDE}\n{MINE},0.85,NR,NR\n")
    effects = trials.analysis_set("intermediate")
    place = effects.comparison.index("My trial")
    assert np.isnan(effects.se[place, 1])
    assert "My trial" not in surrogate_only(trials, "intermediate")


def test_a_workbook_with_rows_of_both_kinds(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["Trial", "Stage", "N exp", "N ctl", "HR PFS", "PFS lower", "PFS upper", "HR OS", "OS lower", "OS upper"],
        ["My trial", "advanced", 120, 118, 0.62, 0.48, 0.80, "not mature", None, None],
        ["Other", "advanced", 150, 150, 0.80, 0.62, 1.03, 0.9, 0.68, 1.19],
    ):
        book.active.append(row)
    book.save(tmp_path / "mine.xlsx")
    trials = read_trials(PINNED_TABLES, tmp_path / "mine.xlsx")
    assert surrogate_only(trials, "advanced")["My trial"].n == 238
    assert "Other" in trials.analysis_set("advanced").comparison


def test_events_of_an_immature_endpoint_are_named_as_unused(added):
    trials = added(f"{WIDE},events_os_exp,events_os_ctl\n{MINE},NR,,,20,25\n")
    remarks = [(fault.code, fault.column, fault.value) for fault in trials.faults if fault.code == "I144"]
    assert remarks == [("I144", "events_os_exp", "20"), ("I144", "events_os_ctl", "25")]


def test_a_trial_with_one_final_effect_for_two_comparisons(added):
    trials = added(
        "trial,comparison,control_group,stage,n_exp,n_ctl,hr_pfs,pfs_low,pfs_high,hr_os,os_low,os_high\n"
        "T,T high,placebo,advanced,100,100,0.62,0.46,0.83,0.80,0.60,1.07\n"
        "T,T low,placebo,advanced,100,100,0.75,0.56,1.00,pending,,\n"
    )
    effects = trials.analysis_set("advanced")
    assert "T high" in effects.comparison
    assert "T low" not in effects.comparison
    assert effects.control_group[effects.comparison.index("T high")] == ""
    assert surrogate_only(trials, "advanced")["T low"].trial == "T"
    assert len(effects) == len(pinned_trials().analysis_set("advanced")) + 1


def test_no_prediction_without_a_standard_error(added):
    trials = added("trial,stage,hr_pfs,hr_os\nMy trial,intermediate,0.62,NR\n")
    assert "My trial" not in surrogate_only(trials, "intermediate")
    words = "no OS effect, and no standard error of PFS: neither fitted nor predicted"
    assert reason(trials, "intermediate", "My trial") == words


def test_weak_evidence_of_an_added_row_is_refused(added):
    with pytest.raises(DataError, match="W113"):
        added(f"{WIDE},evidence\n{MINE},NR,,,unverified\n").analysis_set("intermediate")


def test_a_new_surrogate_effect_of_a_curated_comparison_keeps_its_final_effect(added):
    trials = added(f"{WIDE}\ntactics,intermediate,80,76,0.60,0.42,0.86,,,\n")
    effects, curated = trials.analysis_set("intermediate"), pinned_trials().analysis_set("intermediate")
    place = effects.comparison.index("tactics")
    assert effects.log_hr[place, 0] == pytest.approx(np.log(0.60))
    assert effects.log_hr[place, 1] == curated.log_hr[curated.comparison.index("tactics"), 1]


def test_sets_to_which_a_comparison_belongs(added):
    staged = added(f"{WIDE}\n{MINE},NR,,\n")
    anywhere = added(f"{WIDE}\n{MINE.replace('intermediate', '')},NR,,\n")
    # a listed set takes added comparisons of its stages, and no further shipped ones
    assert set(surrogate_only(staged, "tactics-2022")) == {"My trial"}
    assert "My trial" not in surrogate_only(staged, "advanced")
    for name in ("intermediate", "advanced", "llovet-2019-pfs", "all"):
        assert "My trial" in surrogate_only(anywhere, name)


def test_the_shipped_comparisons_without_os(trials):
    intermediate = trials.analysis_set_with_flow("intermediate")
    labels = {entry.label for entry in intermediate.surrogate_only}
    assert labels == {"Inaba 2013", "EMERALD-1 D+B", "EMERALD-1 D", "TALENTACE"}
    assert not any(entry.added for entry in intermediate.surrogate_only)
    # one whose only surrogate effect is unverified, and one with another endpoint, are not predicted
    assert reason(trials, "intermediate", "sansonno") == "no OS effect, and the TTP hazard ratio is unverified"
    assert reason(trials, "intermediate", "abc-hcc").startswith("no OS effect, and no hazard ratio of PFS")
    assert {entry.comparison for entry in intermediate.flow if entry.included} == set(intermediate.effects.comparison)
    assert trials.analysis_set_with_flow("llovet-2019-pfs").surrogate_only == ()


def test_min_evidence_applies_to_the_surrogate_effect(trials):
    strict = trials.analysis_set_with_flow("intermediate", Pairing(min_evidence="primary"))
    assert {entry.label for entry in strict.surrogate_only} == {"Inaba 2013"}


def test_a_table_with_some_rows_without_a_final_effect_is_fitted_alone(tmp_path):
    path = tmp_path / "pairs.csv"
    rows = "".join(f"T{i},,100,100,0.{60 + i},0.{45 + i},0.{80 + i},0.8,0.6,1.07\n" for i in range(4))
    path.write_text(f"{WIDE}\n{rows}{MINE},NR,,\n")
    paired = read_pairs(path).analysis_set_with_flow({}, Pairing(surrogates=("PFS",)), "pairs")
    assert len(paired.effects) == 4
    assert [entry.label for entry in paired.surrogate_only] == ["My trial"]


@pytest.mark.parametrize("text", [f"{WIDE}\n{MINE},NR,,\n", f"{SHORT}\nA,,0.6,0.45,0.8\nB,,0.7,0.5,0.98\n"])
def test_a_table_without_any_final_effect_cannot_be_fitted_alone(text, tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"without OS.*nothing to fit.*--add instead of --pairs"):
        read_pairs(path).pair("PFS")


def test_two_surrogates_without_a_final_effect_cannot_be_fitted_alone(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(f"{LONG}\n{PFS}\nMy trial,intermediate,TTP,0.6,0.46,0.78\n")
    with pytest.raises(DataError, match="--add"):
        read_pairs(path)
