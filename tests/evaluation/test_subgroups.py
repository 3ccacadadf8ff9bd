"""Levels of a factor, other sets, other choices: against direct fits and statsmodels."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.cross_validation import comparison_record, predict_comparison
from surrogacy.evaluation.external_validation import external
from surrogacy.evaluation.refits import choice_record, subgroup_record
from surrogacy.evaluation.sensitivity import ENDPOINT_ORDERS, Alternatives, same_effects, vary_one_choice
from surrogacy.evaluation.subgroups import before, by_factor, from_year, levels_of
from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression, create
from surrogacy.trials.data_cuts import with_data_cut


@pytest.fixture(scope="module")
def everything(trials):
    return trials.analysis_set("all")


@pytest.mark.parametrize("factor", ["line", "class", "masking", "stage", "region", "era"])
def test_levels_share_out_the_comparisons(everything, factor):
    parts = levels_of(everything, factor, 2018)
    assert sorted(name for part in parts.values() for name in part.comparison) == sorted(everything.comparison)
    if factor != "era":
        assert all(
            set(part.covariates[factor]) == {"" if name == "not stated" else name} for name, part in parts.items()
        )


@pytest.mark.parametrize("name", ["weighted-pearson", "weighted-regression", "bivariate-bayes"])
def test_a_level_is_fitted_like_a_set_of_its_own(everything, name):
    records = [subgroup_record(refit) for refit in by_factor(create(name), everything, "class")]
    assert sum(record["k"] for record in records) == len(everything)
    largest = max(records, key=lambda record: record["k"])
    part = everything.take([value == largest["level"] for value in everything.covariates["class"]])
    alone = create(name).fit(part)
    headline = "r" if name == "weighted-pearson" else "slope"
    assert largest[headline] == pytest.approx(alone[headline].value, rel=2e-3)
    assert largest[f"{headline}_low"] == pytest.approx(alone[headline].low, rel=5e-3)
    assert (largest["trials"], largest["fitted"]) == (len(part.trials), len(alone.effects))
    for record in records:
        if record["k"] < 2:
            assert "problem" in record
        assert ("problem" in record) == (headline not in record)


def test_too_few_is_a_record(everything):
    small = [
        record
        for record in map(subgroup_record, by_factor(WeightedRegression(), everything, "class"))
        if record["k"] < 3
    ]
    assert small
    assert all("3 are needed" in record["problem"] for record in small)


def test_eras(everything):
    early, late = before(everything, 2018), from_year(everything, 2018)
    assert len(early) + len(late) == len(everything)
    assert (early.name, late.name) == ("all before 2018", "all from 2018")
    assert max(map(int, early.covariates["year"])) < 2018 <= min(map(int, late.covariates["year"]))
    undated = replace(
        everything, covariates={**everything.covariates, "year": ("", *everything.covariates["year"][1:])}
    )
    assert len(before(undated, 2018)) + len(from_year(undated, 2018)) == len(everything) - 1
    levels = [subgroup_record(refit) for refit in by_factor(WeightedPearson(), undated, "era", 2018)]
    assert [record["level"] for record in levels] == ["before 2018", "from 2018", "not stated"]
    assert "problem" in levels[2]


def test_factors_that_are_not_there(everything):
    with pytest.raises(UsageError, match="first year of the later era"):
        by_factor(WeightedPearson(), everything, "era")
    with pytest.raises(UsageError, match="no factor 'colour'"):
        by_factor(WeightedPearson(), everything, "colour")
    plain = Effects.from_arrays([[0.0, 0.0]], [[0.1, 0.1]])
    with pytest.raises(UsageError, match="year"):
        before(plain, 2000)


@pytest.mark.parametrize("name", ["weighted-regression", "bivariate-reml", "bivariate-bayes", "daniels-hughes"])
def test_external_prediction_of_the_later_trials(everything, name):
    early, late = before(everything, 2018), from_year(everything, 2018)
    found = external(create(name), replace(early, name="early"), replace(late, name="late"))
    assert len(found.records) == len(late)
    assert found.overlap == ()
    assert (found.training, found.test) == ("early", "late")
    alone = comparison_record(predict_comparison(create(name).fit(early), late, 4))
    assert found.records[4]["low"] == pytest.approx(alone["low"], abs=2e-3)
    covered, k = found.coverage
    assert k == len(late)
    assert covered >= 0.75 * k  # the later trials spread more about the line than the earlier ones let expect
    x, y, sd = np.array([(r["predicted"], r["observed"], r["sd"]) for r in found.records if "problem" not in r]).T
    assert found.rmse == pytest.approx(np.sqrt(np.mean((y - x) ** 2)))
    assert found.calibration == pytest.approx(
        WLS(y, np.column_stack([np.ones_like(x), x]), weights=sd**-2).fit().params
    )
    summary = found.summary()
    assert (summary["training"], summary["k"], summary["overlap"]) == ("early", k, "")


def test_external_prediction_is_of_trials_that_the_fit_does_not_know(trials, everything):
    llovet = trials.analysis_set("llovet-2019-pfs")
    found = external(WeightedRegression(), llovet, everything)
    assert set(found.overlap) == set(llovet.trial) & set(everything.trial)
    assert not {record["trial"] for record in found.records} & set(llovet.trial)
    with pytest.raises(UsageError, match="every trial"):
        external(WeightedRegression(), everything, everything)
    with pytest.raises(UsageError, match="no line"):
        external(WeightedPearson(), llovet, everything)
    with pytest.raises(FitError):
        external(WeightedRegression(), llovet.take(np.arange(2)), everything)


def test_external_prediction_of_what_the_line_itself_drew():
    """Training and test from one line without error: calibration 0 and 1."""
    x = np.linspace(-1, 0.4, 12)
    y = 0.05 + 0.5 * x + 1e-4 * np.cos(9 * x)
    effects = Effects.from_arrays(np.column_stack([x, y]), np.full((12, 2), 0.01), n=[300] * 12)
    found = external(WeightedRegression(), effects.take(np.arange(0, 12, 2)), effects.take(np.arange(1, 12, 2)))
    assert found.calibration == pytest.approx((0, 1), abs=2e-3)
    assert found.sign_agreement == (6, 6)


def records_of(records, varied):
    return {record["value"]: record for record in records if record["varied"] == varied}


def test_grid_of_a_rule_set(trials, everything):
    records = [choice_record(refit) for refit in vary_one_choice(WeightedRegression(), trials, "all")]
    assert records[0]["varied"] == "base"
    assert records[0]["k"] == len(everything)
    assert not records_of(records, "rho_within")  # the model does not use it
    for weights, record in records_of(records, "weights").items():
        assert record["slope"] == pytest.approx(WeightedRegression(weights=weights).fit(everything)["slope"].value)
        assert record["same_data"]
    orders = records_of(records, "endpoints")
    assert set(orders) == set(ENDPOINT_ORDERS)
    assert orders["PFS, TACE-PFS, TTP"]["same_data"]
    assert orders["PFS only"]["k"] < orders["PFS or TACE-PFS"]["k"] < len(everything)
    assert orders["TTP only"]["k"] == len(trials.analysis_set("all", "TTP"))
    evidence = records_of(records, "min_evidence")
    assert evidence["primary"]["k"] < evidence["secondary"]["k"] == len(everything) <= evidence["unverified"]["k"]
    shared = records_of(records, "shared_control")
    assert shared["first"]["k"] == shared["combine"]["k"] < shared["cov"]["k"]
    for value in ("first", "combine"):
        expected = WeightedRegression().fit(trials.analysis_set("all", shared_control=value))["slope"].value
        assert shared[value]["slope"] == pytest.approx(expected)


def test_grid_of_a_bivariate_model(trials):
    model = BivariateRandomEffects(interval="delta")
    asked = Alternatives(
        rho_within=(0.2, 0.5, 0.8),
        endpoints={"PFS": ("PFS",)},
        data_cut=("latest",),
        ci_level=(),
        min_evidence=(),
        shared_control=(),
    )
    records = [choice_record(refit) for refit in vary_one_choice(model, trials, "advanced-first-line", asked)]
    assert [record["varied"] for record in records] == ["base", *["rho_within"] * 3, "endpoints", "data_cut"]
    found = records_of(records, "rho_within")
    assert found[0.5]["slope"] == pytest.approx(records[0]["slope"])
    for rho, record in found.items():
        expected = model.fit(trials.analysis_set("advanced-first-line", rho_within=rho))
        assert record["slope"] == pytest.approx(expected["slope"].value)
        assert record["slope_low"] == pytest.approx(expected["slope"].low)
        assert record["k"] == len(expected.effects)


def test_grid_of_a_set_that_lists_its_hazard_ratios(trials):
    records = [choice_record(refit) for refit in vary_one_choice(WeightedPearson(), trials, "tactics-2022")]
    assert all(record["same_data"] for record in records)
    assert records_of(records, "weights")["n"]["r"] == pytest.approx(0.552, abs=5e-4)
    assert len({record["r"] for record in records}) == len(records_of(records, "weights"))


def test_grid_of_a_selection_and_what_cannot_be_paired(trials):
    asked = Alternatives(
        weights=(),
        endpoints={"TTUP": ("TTUP",)},
        data_cut=(),
        ci_level=(),
        min_evidence=("primary",),
        shared_control=(),
    )
    records = [
        choice_record(refit)
        for refit in vary_one_choice(WeightedRegression(), trials, {"stage": ["intermediate"]}, asked)
    ]
    assert records[0]["k"] == len(trials.analysis_set("intermediate"))
    assert "problem" in records_of(records, "endpoints")["TTUP"]
    assert records_of(records, "endpoints")["TTUP"]["k"] < 3


def test_grid_errors(trials):
    with pytest.raises(UsageError, match="no analysis set"):
        vary_one_choice(WeightedPearson(), trials, "nothing")
    with pytest.raises(UsageError, match="data cut"):
        vary_one_choice(WeightedPearson(), trials, "all", Alternatives(data_cut=("median",)))
    with pytest.raises(UsageError, match="data cut"):
        with_data_cut(trials, "median")


def hazard_ratio(table, comparison, endpoint):
    rows = table.effects
    chosen = rows[(rows["comparison"] == comparison) & (rows["endpoint"] == endpoint) & rows["preferred"]]
    assert len(chosen) == 1
    return chosen["hr"].item()


def test_levels_of_printed_intervals(trials):
    only = Alternatives(rho_within=(), endpoints={}, data_cut=(), min_evidence=(), shared_control=())
    model = BivariateRandomEffects(method="reml", interval="delta")
    as_printed, as_95 = map(choice_record, vary_one_choice(model, trials, "advanced", only)[1:])
    assert (as_printed["same_data"], as_95["same_data"]) == (True, False)  # 99.3% limits of COSMIC-312 among them
    assert as_95["slope"] != as_printed["slope"]
    with pytest.raises(UsageError, match="unknown level"):
        vary_one_choice(WeightedPearson(), trials, "all", Alternatives(ci_level=("90%",)))


def test_data_cuts(trials):
    early, late = with_data_cut(trials, "earliest"), with_data_cut(trials, "latest")
    assert hazard_ratio(early, "imbrave150", "OS") == 0.58  # cut of 2019
    assert hazard_ratio(late, "imbrave150", "OS") == 0.66  # cut of 2020
    assert hazard_ratio(late, "himalaya-stride", "OS") == 0.76  # five years; the preferred row has no date
    assert hazard_ratio(late, "resorce", "OS") == 0.62  # by its description: updated
    assert hazard_ratio(early, "leap-002", "PFS") == 0.867
    assert hazard_ratio(late, "leap-002", "PFS") == 0.81
    # another review, a subgroup, an adjusted or an unverified analysis is not another cut
    assert hazard_ratio(late, "reflect", "PFS") == 0.66
    assert hazard_ratio(late, "tactics", "OS") == 0.861
    assert hazard_ratio(late, "cosmic-312-combo", "OS") == 0.90
    assert hazard_ratio(with_data_cut(trials, "latest", "unverified"), "cosmic-312-combo", "OS") == 0.98
    assert with_data_cut(trials, "preferred") is trials
    for table in (early, late):
        rows = table.effects[table.effects["preferred"]]
        assert not rows.duplicated(["comparison", "endpoint"]).any()
        assert len(rows) == trials.effects["preferred"].sum()
    base = trials.analysis_set("all")
    assert late.analysis_set("all").comparison == base.comparison
    assert not same_effects(late.analysis_set("all"), base)
    assert same_effects(trials.analysis_set("all"), base)
