import csv
import json

import numpy as np
import pandas as pd
import pytest

import surrogacy
from surrogacy.errors import UsageError
from surrogacy.trials import DATA_VERSION
from surrogacy.trials.codebook import documents
from surrogacy.trials.columns import TABLES as COLUMNS
from surrogacy.trials.curated_tables import check_columns, read_curated_rows
from surrogacy.trials.schema import check_schema
from tests.conftest import TABLES


def test_generated_documents_follow_the_columns_and_the_tables():
    for name, text in documents(TABLES).items():
        assert (TABLES / name).read_text(encoding="utf-8") == text, f"run python -m surrogacy.trials.codebook ({name})"


def test_columns_of_the_files_are_those_of_the_schema():
    for name, columns in COLUMNS.items():
        with (TABLES / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert next(csv.reader(file)) == [column.name for column in columns]


def test_the_shipped_tables_pass_every_check():
    rows = {name: read_curated_rows(TABLES, name, columns) for name, columns in COLUMNS.items()}
    assert check_columns(rows) == []
    for name, columns in COLUMNS.items():
        assert check_schema(name, columns, rows[name]) == []


def test_all_comparisons_came_in(trials):
    assert (len(trials.trials), len(trials.effects), len(trials.arms)) == (83, 270, 176)


def test_identifiers_and_version(live_trials):
    assert live_trials.trials["comparison"].is_unique
    assert live_trials.effects["effect_id"].is_unique
    assert live_trials.data_version == DATA_VERSION


def test_without_added_rows_the_tables_are_the_shipped_ones(live_trials, tmp_path):
    header = "comparison,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,median_os_ctl,stage\n"
    path = tmp_path / "new.csv"
    path.write_text(header + "tace-2,0.9,0.7,1.2,0.8,0.6,1.1,20.1,\nnew,0.7,0.5,0.9,0.8,0.6,1.1,20.1,advanced\n")
    changed = surrogacy.read_trials(add=path)
    assert changed.added == ("tace-2", "new")
    assert len(changed.trials) == len(live_trials.trials) + 1
    before = changed.without_added()
    for name in COLUMNS:
        pd.testing.assert_frame_equal(getattr(before, name), getattr(live_trials, name))
    assert (before.added, before.files, before.data_version) == ((), live_trials.files, live_trials.data_version)
    assert before.without_added() is before
    assert live_trials.without_added() is live_trials


def test_data_package_names_every_field():
    package = json.loads((TABLES / "datapackage.json").read_text())
    assert package["$schema"].endswith("/2.0/datapackage.json")
    for resource in package["resources"]:
        assert [field["name"] for field in resource["schema"]["fields"]] == [
            column.name for column in COLUMNS[resource["name"]]
        ]


def test_one_preferred_row_with_a_reason_for_every_comparison_and_endpoint(live_trials):
    preferred = live_trials.effects[live_trials.effects["preferred"]]
    assert not preferred.duplicated(["comparison", "endpoint"]).any()
    assert (preferred["preferred_reason"] != "").all()
    with_value = live_trials.effects[live_trials.effects["hr"].notna() & (live_trials.effects["population"] == "all")]
    keys = set(zip(with_value["comparison"], with_value["endpoint"], strict=True))
    assert keys == set(zip(preferred["comparison"], preferred["endpoint"], strict=True))


def test_every_hazard_ratio_has_a_source_and_what_was_read_a_place(live_trials):
    bibliography = (TABLES / "sources.bib").read_text(encoding="utf-8")
    keys = {line.partition("{")[2].rstrip(",\n") for line in bibliography.splitlines() if line.startswith("@")}
    effects = live_trials.effects
    assert set(effects["source"]) <= keys
    read = effects[effects["evidence"] != "unverified"]
    assert (read["read_in"] != "").all()
    assert set(read["read_in"]) <= keys
    assert (read["where"] != "").all()
    unverified = effects[effects["evidence"] == "unverified"]
    assert (unverified["read_in"] == "").all()
    assert len(unverified) > 0


def test_follow_up_and_numbers_at_risk_of_tactics(live_trials):
    row = live_trials.trials.set_index("comparison").loc["tactics"]
    assert (row["progressions"], row["deaths_without_progression"]) == (121, 13)
    assert (row["follow_up_low"], row["follow_up_high"]) == (52, 113)  # March 2016 and February 2011 to 31 July 2020
    curve = live_trials.at_risk[
        (live_trials.at_risk["comparison"] == "tactics") & (live_trials.at_risk["endpoint"] == "OS")
    ]
    assert curve["months"].tolist() == list(range(0, 109, 12))
    assert curve["at_risk_exp"].tolist() == [80, 73, 57, 38, 26, 17, 13, 6, 1, 0]
    assert curve["at_risk_ctl"].tolist() == [76, 62, 46, 34, 24, 17, 11, 5, 4, 1]


def test_counts_and_numbers_at_risk_say_where_they_were_read(live_trials):
    bibliography = (TABLES / "sources.bib").read_text(encoding="utf-8")
    numbers = ["progressions", "deaths_without_progression", "follow_up_low", "follow_up_high"]
    given = live_trials.trials[
        live_trials.trials[numbers].notna().any(axis=1) | (live_trials.trials["follow_up_source"] != "")
    ]
    assert given["follow_up_evidence"].isin({"primary", "secondary"}).all()
    for key in [text.partition(",")[0] for text in given["follow_up_source"]] + live_trials.at_risk["source"].tolist():
        assert f"{{{key},\n" in bibliography, key
    assert (live_trials.at_risk["where"] != "").all()
    quoted = live_trials.at_risk[live_trials.at_risk["quote"] != ""]
    assert set(zip(quoted["comparison"], quoted["endpoint"], strict=True)) == set(
        zip(live_trials.at_risk["comparison"], live_trials.at_risk["endpoint"], strict=True)
    )


def test_no_web_addresses_are_shipped():
    for path in TABLES.rglob("*"):
        if path.suffix in (".csv", ".bib"):
            assert "http" not in path.read_text(encoding="utf-8")


def test_conflicts_stay_visible(live_trials):
    brisk = live_trials.effects[
        (live_trials.effects["comparison"] == "brisk-fl") & (live_trials.effects["endpoint"] == "OS")
    ]
    assert {1.06, 1.07} <= set(brisk["hr"])
    assert set(live_trials.effects.loc[live_trials.effects["comparison"] == "sirvenib", "hr"]) >= {1.1, 1.12}


@pytest.mark.parametrize(
    ("name", "k"),
    [("tactics-2022", 6), ("llovet-2019-pfs", 16), ("llovet-2019-ttp", 16)],
)
def test_historical_sets(live_trials, name, k):
    assert len(live_trials.analysis_set(name)) == k


def test_every_set_can_be_read(live_trials):
    assert set(live_trials.sets) >= {
        "tactics-2022",
        "llovet-2019-pfs",
        "llovet-2019-ttp",
        "intermediate",
        "advanced",
        "advanced-first-line",
        "advanced-second-line",
        "advanced-immunotherapy",
        "all",
    }
    for name in live_trials.sets:
        assert len(live_trials.analysis_set(name)) >= 6


def test_tactics_set_uses_the_primary_cut_and_the_living_set_the_updated_one(live_trials):
    historical, living = live_trials.analysis_set("tactics-2022"), live_trials.analysis_set("intermediate")
    assert np.exp(historical.log_hr[historical.trial.index("tactics"), 0]) == pytest.approx(0.59)
    assert np.exp(living.log_hr[living.trial.index("tactics"), 0]) == pytest.approx(0.661)


def test_living_sets_keep_to_the_evidence_asked_for(live_trials):
    for evidence, allowed in (("primary", {"primary"}), ("secondary", {"primary", "secondary"})):
        effects = live_trials.analysis_set("advanced", min_evidence=evidence)
        assert set(effects.factors["surrogate_evidence"] + effects.factors["final_evidence"]) <= allowed


def test_unverified_comparisons_enter_living_sets_when_asked_for(trials):
    assert "post-tace" in trials.analysis_set("intermediate", min_evidence="unverified").comparison
    assert "post-tace" not in trials.analysis_set("intermediate").comparison


def test_historical_sets_say_what_is_unverified(trials):
    (problem,) = (caveat.text for caveat in trials.analysis_set("tactics-2022").caveats if caveat.code == "unverified")
    assert "5 of 12" in problem
    assert "Post-TACE OS" in problem


def test_three_numbers_of_the_tactics_correlation_are_still_unverified(live_trials):
    """Post-TACE was read in its own abstract; limits of SPACE OS and of both TACE-2 hazard ratios were not found."""
    (problem,) = (
        caveat.text for caveat in live_trials.analysis_set("tactics-2022").caveats if caveat.code == "unverified"
    )
    assert "3 of 12" in problem
    assert "Post-TACE" not in problem
    assert "post-tace" in live_trials.analysis_set("intermediate", min_evidence="primary").comparison


def test_phocus_has_no_hazard_ratio(live_trials):
    """Its 1.19 (0.78-1.80) belonged to another trial of the same virus."""
    assert "phocus" not in set(live_trials.effects["comparison"])
    (entry,) = (entry for entry in live_trials.analysis_set_with_flow("advanced").flow if entry.comparison == "phocus")
    assert not entry.included
    assert entry.reason.startswith("no OS ")


def test_intervals_are_read_at_their_own_level(trials):
    effects = trials.analysis_set("advanced")
    stah = effects.comparison.index("stah")  # 0.91, 90 % limits 0.69 to 1.21
    assert effects.se[stah, 1] == pytest.approx((np.log(1.21) - np.log(0.69)) / (2 * 1.6448536))


def test_shared_control_arms(trials):
    effects = trials.analysis_set("advanced")
    groups = [group for group in effects.dependent_groups() if len(group) > 1]
    assert [sorted(effects.comparison[i] for i in group) for group in groups] == [["himalaya-durva", "himalaya-stride"]]
    first = trials.analysis_set("advanced", shared_control="first")
    pooled = trials.analysis_set("advanced", shared_control="combine")
    assert len(first) == len(pooled) == len(effects) - 1


def test_endpoints_in_order_of_preference(live_trials):
    by_pfs = live_trials.analysis_set("advanced")
    by_ttp = live_trials.analysis_set("advanced", surrogate=("TTP", "PFS"))
    assert by_pfs.covariates["surrogate"].count("TTP") < by_ttp.covariates["surrogate"].count("TTP")
    assert set(live_trials.pair("TTP", select={"stage": ["advanced"]}).covariates["surrogate"]) == {"TTP"}


def test_flow_gives_a_reason_for_every_comparison_left_out(live_trials):
    flow = live_trials.analysis_set_with_flow("all").flow
    assert len(flow) == len(live_trials.trials)
    left_out = [entry for entry in flow if not entry.included]
    assert left_out
    assert all(entry.reason for entry in left_out)


def test_a_new_file_is_a_new_set(own_tables):
    (own_tables.folder / "sets" / "japan.csv").write_text("column,value\nregion,asia\nstage,intermediate\n")
    trials = surrogacy.read_trials(own_tables.folder)
    assert "japan" in trials.sets
    assert {"oriental", "tactics"} <= set(trials.analysis_set("japan").comparison)


def test_unknown_names(live_trials):
    with pytest.raises(UsageError, match="tactics-2022"):
        live_trials.analysis_set("tactics")
    with pytest.raises(UsageError, match="PFS"):
        live_trials.pair("progression")
    with pytest.raises(UsageError, match="no column"):
        live_trials.pair(select={"colour": ["red"]})
    with pytest.raises(UsageError, match="secondary"):
        live_trials.pair(min_evidence="hearsay")
    with pytest.raises(UsageError, match="rho_within"):
        live_trials.pair(rho_within=2)


ADDED = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"


def test_an_added_trial_joins_the_sets_and_is_named(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(f"{ADDED},stage\nNEW,200,190,0.70,0.55,0.89,0.85,0.66,1.09,intermediate\n")
    trials = surrogacy.read_trials(add=path)
    for name in ("intermediate", "tactics-2022"):
        effects = trials.analysis_set(name)
        assert "NEW" in effects.comparison
        assert any("added for this run" in problem and "NEW" in problem for problem in effects.problems)
    assert "NEW" not in trials.analysis_set("advanced").comparison


def test_an_added_row_takes_the_place_of_the_curated_one_for_the_run(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("trial,endpoint,hr,ci_low,ci_high\ntactics,OS,0.80,0.57,1.12\n")
    effects = surrogacy.read_trials(add=path).analysis_set("intermediate")
    row = effects.comparison.index("tactics")
    assert np.exp(effects.log_hr[row]) == pytest.approx([0.661, 0.80])
    assert surrogacy.read_trials().analysis_set("intermediate").log_hr[row, 1] == pytest.approx(np.log(0.861))
