"""Medians of a user's arms: layouts, what they become, what is wrong with them, and the decomposition that they
allow.
"""

import json

import numpy as np
import pytest

import surrogacy
from surrogacy.cli.pps import main as pps
from surrogacy.errors import DataError, UsageError
from surrogacy.fit import main as fit
from surrogacy.pps.arms import arm_pps
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.trial_summary import Median
from surrogacy.trials import read_pairs
from tests.support.pinned_tables import PINNED_TABLES

EFFECTS = "trial,stage,n_ctl,n_exp,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"
VALUES = "my-trial,intermediate,150,155,0.70,0.55,0.89,0.87,0.67,1.13"
MEDIANS = "median_pfs_ctl,median_pfs_exp,median_os_ctl,median_os_ctl_low,median_os_ctl_high,median_os_exp,median_os_exp_low,median_os_exp_high"
MONTHS = "8.2,11.7,20.5,17.9,24.0,23.9,20.1,NR"
LONG = "trial,stage,n_ctl,n_exp,endpoint,hr,ci_low,ci_high"
LONG_PFS, LONG_OS = (
    "my-trial,intermediate,150,155,PFS,0.70,0.55,0.89",
    "my-trial,intermediate,150,155,OS,0.87,0.67,1.13",
)

LAYOUTS = {
    "wide": f"{EFFECTS},{MEDIANS}\n{VALUES},{MONTHS}\n",
    "short names": f"{EFFECTS},mpfs_ctl,mpfs_exp,mos_ctl,mos_ctl_low,mos_ctl_high,mos_exp,mos_exp_low,mos_exp_high\n{VALUES},{MONTHS}\n",
    "roles": f"{EFFECTS},{MEDIANS.replace('pfs', 'surrogate').replace('os', 'final')}\n{VALUES},{MONTHS}\n",
    (
        "limits in the cell"
    ): f"{EFFECTS},Median PFS (control),Median PFS (experimental),Median OS control,Median OS experimental\n"
    f"{VALUES},8.2,11.7,20.5 (17.9-24.0),23.9 [95% CI 20.1 \u2013 not reached]\n",
    "limits first": f"{EFFECTS},pfs_median_c,pfs_median_e,os_median_c,os_median_lower_c,os_median_upper_c,os_median_e,os_median_lower_e,"
    f"os_median_upper_e\n{VALUES},{MONTHS.replace('NR', 'n.r.')}\n",
    "decimal commas": f"{EFFECTS},{MEDIANS}\n{VALUES},{MONTHS}\n".replace(",", ";").replace(".", ","),
    "long": f"{LONG},median_ctl,median_ctl_low,median_ctl_high,median_exp,median_exp_low,median_exp_high\n"
    f"{LONG_PFS},8.2,,,11.7,,\n{LONG_OS},20.5,17.9,24.0,23.9,20.1,NE\n",
    "long, named, once": f"{LONG},{MEDIANS}\n{LONG_PFS},{MONTHS}\n{LONG_OS},,,,,,,,\n",
    "long, named, in every row": f"{LONG},{MEDIANS}\n{LONG_PFS},{MONTHS}\n{LONG_OS},{MONTHS}\n",
}


def arms_of(trials, comparison="my-trial"):
    return {
        row["arm"]: row
        for row in trials.arms[trials.arms["comparison"] == comparison].to_dict("records")
        if row["preferred"]
    }


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("read", [read_pairs, lambda path: surrogacy.read_trials(add=path)])
def test_every_layout_gives_the_same_arms(layout, read, table):
    trials = read(table(LAYOUTS[layout]))
    arms = arms_of(trials)
    assert (trials.arms["comparison"] == "my-trial").sum() == 2
    names = ["median_pfs", "median_os", "median_os_low", "median_os_high", "n"]
    assert [arms["ctl"][name] for name in names] == [8.2, 20.5, 17.9, 24.0, 150]
    assert [arms["exp"][name] for name in names[:3]] == [11.7, 23.9, 20.1]
    assert np.isnan(arms["exp"]["median_os_high"])
    assert {arm["pfs_endpoint"] for arm in arms.values()} == {"PFS"}
    assert not [found for found in trials.faults if found.file.endswith("own.csv")]


@pytest.mark.slow
def test_an_added_trial_is_decomposed(small, table, capsys):
    counts = "progressions,deaths_without_progression,follow_up_low,follow_up_high"
    path = table(f"{EFFECTS},{MEDIANS},{counts}\n{VALUES},{MONTHS},240,20,12,40\n")
    options = ["--focus", "my-trial", "--json", "--quiet", "--resamples", "100"]
    assert pps([*small, "--add", str(path), *options]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["focus"] == "my-trial"
    main = shown["decompositions"][0]
    assert (main["comparison"], main["hr_pfs"], main["hr_observed"]) == ("my-trial", 0.70, 0.87)
    assert main["direct_death"] == pytest.approx(20 / 260)
    assert not main["direct_death_assumed"]
    assert not main["follow_up_assumed"]
    assert (main["follow_up_low"], main["follow_up_high"]) == (12, 40)
    assert main["hr_equal"] < main["hr_model"] < 1  # experimental PPS is the shorter one
    assert "my-trial" not in shown["not_decomposed"]
    assert {row["comparison"] for row in shown["every_trial"]} >= {"my-trial", "tactics"}


def test_counts_and_follow_up_of_an_added_row_reach_the_inputs(table):
    path = table(
        f"{EFFECTS},{MEDIANS},progressions,deaths_without_progression,follow_up_low,follow_up_high\n{VALUES},{MONTHS},240,20,12,40\n"
    )
    inputs = read_inputs(surrogacy.read_trials(add=path), "my-trial")
    assert inputs.direct_death.value == pytest.approx(20 / 260)
    assert inputs.follow_up.value == (12, 40)
    assert inputs.assumptions == ()
    assert (inputs.median_os[1].low, inputs.median_os[1].high) == (20.1, None)
    without = read_inputs(surrogacy.read_trials(add=table(LAYOUTS["wide"])), "my-trial")
    assert len(without.assumptions) == 2


@pytest.mark.parametrize(("columns", "endpoint"), [("ttp", "TTP"), ("tace_pfs", "TACE-PFS"), ("surrogate", "TTP")])
@pytest.mark.parametrize("medians", ["surrogate", "own"])
def test_medians_are_of_the_endpoint_of_the_hazard_ratio(columns, endpoint, medians, table):
    named = columns if medians == "own" else "surrogate"
    text = LAYOUTS["wide"].replace("_pfs,", f"_{columns},").replace("median_pfs", f"median_{named}")
    text = text.replace("trial,", "trial,surrogate,", 1).replace("my-trial", f"my-trial,{endpoint}")
    trials = surrogacy.read_trials(add=table(text))
    assert {arm["pfs_endpoint"] for arm in arms_of(trials).values()} == {endpoint}
    inputs = read_inputs(trials, "my-trial")
    assert inputs.endpoint == endpoint
    assert inputs.cuts[0].medians[1].value == 11.7


def test_a_median_pfs_beside_a_hazard_ratio_of_ttp_is_said_to_be_read_as_ttp(table):
    path = table(LAYOUTS["wide"].replace("_pfs,", "_ttp,"))
    found = [fault for fault in read_pairs(path).faults if fault.code == "I123"]
    assert [(fault.line, fault.column) for fault in found] == [(2, "median_pfs_ctl"), (2, "median_pfs_exp")]
    assert "median_ttp_ctl" in found[0].fix
    quiet = read_pairs(table(LAYOUTS["wide"].replace("_pfs,", "_tace_pfs,")))
    assert not [fault for fault in quiet.faults if fault.code == "I123"]


def test_two_endpoints_of_progression_give_one_preferred_row_an_arm(table):
    ttp = LONG_PFS.replace("PFS,0.70", "TTP,0.72")
    trials = surrogacy.read_trials(
        add=table(f"{LONG},median_ctl,median_exp\n{ttp},9.0,13.0\n{LONG_PFS},8.2,11.7\n{LONG_OS},20.5,23.9\n")
    )
    rows = trials.arms[trials.arms["comparison"] == "my-trial"]
    assert rows.groupby("preferred")["pfs_endpoint"].unique().map(list).to_dict() == {True: ["PFS"], False: ["TTP"]}
    assert read_inputs(trials, "my-trial").median_os[0].value == 20.5


def test_reported_post_progression_survival(table):
    text = f"{EFFECTS},{MEDIANS},median_pps_ctl,median_pps_exp\n{VALUES},{MONTHS},12.5,NR\n"
    trials = surrogacy.read_trials(add=table(text))
    assert read_inputs(trials, "my-trial").pps is None  # not reached in one arm
    inputs = read_inputs(surrogacy.read_trials(add=table(text.replace("12.5,NR", "12.5,10.9"))), "my-trial")
    assert (inputs.pps, inputs.pps_definition) == ((12.5, 10.9), "reported")
    text = text.replace("12.5,NR", "12.3,12.2,median-difference").replace(
        "median_pps_exp", "median_pps_exp,pps_definition"
    )
    assert read_inputs(surrogacy.read_trials(add=table(text)), "my-trial").pps_definition == "median-difference"


def test_a_median_not_reached_is_no_median(table):
    text = f"{EFFECTS},median_pfs_ctl,median_pfs_exp,median_os_ctl,median_os_exp\n{VALUES},8.2,11.7,20.5,not reached\n"
    with pytest.raises(UsageError, match="no median OS of the experimental arm"):
        read_inputs(surrogacy.read_trials(add=table(text)), "my-trial")


@pytest.mark.parametrize(
    ("given", "kept", "counted"), [("memory", "unverified", False), ("read-primary", "primary", True), ("", "", True)]
)
def test_evidence_is_that_of_the_row(given, kept, counted, table):
    text = LAYOUTS["wide"].replace("trial,", "trial,evidence,", 1).replace("my-trial", f"my-trial,{given}")
    trials = surrogacy.read_trials(add=table(text))
    assert {arm["evidence"] for arm in arms_of(trials).values()} == {kept}
    assert bool(read_inputs(trials, "my-trial").notes) is not counted
    assert ("my-trial" in {arm.comparison for arm in arm_pps(trials, draws=2)}) is counted


# --- a comparison that the tables have ---------------------------------------------------------------------------


def test_curated_medians_are_kept_and_the_user_is_told(table, trials):
    columns = "trial,endpoint,hr,ci_low,ci_high,median_os_ctl,median_os_exp,median_os_exp_low,median_ttp_exp"
    changed = surrogacy.read_trials(PINNED_TABLES, add=table(f"{columns}\ntactics,OS,0.80,0.57,1.12,30.80,40,31,25\n"))
    names = [
        "arm",
        "median_os",
        "median_os_low",
        "median_os_high",
        "median_pfs",
        "pfs_endpoint",
        "evidence",
        "preferred",
    ]
    own, curated = (tables.arms[tables.arms["comparison"] == "tactics"] for tables in (changed, trials))
    assert own.loc[own["preferred"], names].to_dict("list") == curated.loc[curated["preferred"], names].to_dict("list")
    told = {
        (fault.column, fault.value): fault.rule
        for fault in changed.faults
        if fault.code == "W109" and fault.file.endswith("own.csv")
    }
    assert set(told) == {
        ("median_os_exp", "40"),
        ("median_os_exp_low", "31"),
        ("median_ttp_exp", "25"),
    }  # 30.80 is 30.8
    assert "36.2" in told["median_os_exp", "40"]
    assert "(of TACE-PFS)" in told["median_ttp_exp", "25"]


def test_medians_that_the_tables_lack_are_filled_in(table, trials):
    with pytest.raises(UsageError, match="no median OS"):
        read_inputs(trials, "emerald-1-durva")
    path = table(
        "trial,endpoint,hr,ci_low,ci_high,evidence,mos_ctl,mos_exp,mos_exp_low\nemerald-1-durva,OS,0.82,0.6,1.12,secondary,24,29,25\n"
    )
    changed = surrogacy.read_trials(PINNED_TABLES, add=path)
    inputs = read_inputs(changed, "emerald-1-durva")
    assert (inputs.median_os[1].value, inputs.median_os[1].low) == (29, 25)
    assert inputs.cuts[0].medians == read_cut(trials)
    assert {arm["evidence"] for arm in arms_of(changed, "emerald-1-durva").values()} == {"secondary"}
    assert not [fault for fault in changed.faults if fault.code == "W109" and fault.file.endswith("own.csv")]


def read_cut(trials):
    arms = arms_of(trials, "emerald-1-durva")
    return tuple(Median(arms[arm]["median_pfs"]) for arm in ("ctl", "exp"))


def test_a_filled_median_that_cannot_be_is_found_in_the_users_file(table):
    with pytest.raises(DataError) as error:
        surrogacy.read_trials(
            add=table("trial,endpoint,hr,ci_low,ci_high,mos_exp\nemerald-1-durva,OS,0.82,0.6,1.12,5\n")
        )
    (fault,) = error.value.faults
    assert (fault.code, fault.line, fault.column, fault.value) == ("E121", 2, "mos_exp", "5")
    assert "PFS 10 " in fault.rule


# --- what is wrong -----------------------------------------------------------------------------------------------


def test_every_fault_names_the_cell_as_the_user_named_it(table):
    text = (
        f"{LONG},mctl,median_ctl,median_exp,median_os_exp\n".replace("mctl,", "")
        + f"{LONG_PFS},21,-3,\n{LONG_OS},20.5,twenty,23.9\n"
    )
    with pytest.raises(DataError) as error:
        surrogacy.read_trials(add=table(text))
    found = {(fault.code, fault.line, fault.column, fault.value) for fault in error.value.faults}
    assert found == {
        ("E121", 3, "median_ctl", "20.5"),
        ("E120", 2, "median_exp", "-3"),
        ("E008", 3, "median_exp", "twenty"),
        ("E108", 3, "median_os_exp", "23.9"),
    }
    assert all(fault.fix for fault in error.value.faults)


def test_a_ttp_may_be_longer_than_os_and_is_only_warned_of(table):
    text = LAYOUTS["wide"].replace("pfs", "ttp").replace("8.2,11.7", "21.0,11.7")
    (fault,) = [fault for fault in read_pairs(table(text)).faults if fault.code == "W122"]
    assert (fault.severity, fault.column, fault.value) == ("warning", "median_os_ctl", "20.5")
    with pytest.raises(DataError, match="E121"):
        read_pairs(table(LAYOUTS["wide"].replace("8.2,11.7", "21.0,11.7")))


# --- the fit -----------------------------------------------------------------------------------------------------


def test_the_fit_of_pairs_ignores_medians(table, capsys):
    more = "B,advanced,120,118,0.90,0.70,1.16,0.95,0.72,1.25\nC,advanced,220,230,0.55,0.43,0.70,0.72,0.58,0.90\nD,advanced,80,90,1.05,0.75,1.47,1.10,0.78,1.55\n"
    shown = []
    for text in (
        f"{EFFECTS}\n{VALUES}\n{more}",
        f"{EFFECTS},{MEDIANS}\n{VALUES},{MONTHS}\n" + more.replace("\n", ",,,,,,,,\n"),
    ):
        path = table(text)
        assert fit(["--pairs", str(path), "--json", "--model", "weighted-pearson"]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    before, after = (json.dumps(one.get("sets", one), default=str) for one in shown)
    assert "weighted-pearson" in before
    assert before == after
