"""The level of an interval: 95 is 0.95 in every model and formula, and what is no level is refused in words."""

from importlib import import_module

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.errors import UsageError
from surrogacy.evaluation import differences, interval_methods
from surrogacy.models import (
    REGISTRY,
    BivariateBayes,
    BivariateRandomEffects,
    WeightedPearson,
    WeightedRegression,
    create,
)
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.dilution_regression import OffsetModel
from surrogacy.pps.moderation_evidence import log_score
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.trial_summary import HazardRatio, Median
from surrogacy.results.levels import confidence_level
from surrogacy.stats import correlation
from surrogacy.stats.bootstrap import percentiles
from surrogacy.stats.predictive import PredictiveDistribution
from surrogacy.trials.standard_errors import standard_error_from_interval
from tests.support.effects import SAMPLED

NO_LEVELS = (0, 1, 30, 100, 950, -95, float("nan"), float("inf"), "95 %", None)
NORMAL = PredictiveDistribution(np.ones(1), np.zeros(1), np.ones(1), None, {})


@pytest.fixture(scope="module")
def effects(trials):
    return trials.analysis_set("llovet-2019-pfs")


@pytest.fixture(scope="module")
def line(effects):
    return WeightedRegression().fit(effects).line


@pytest.fixture(scope="module")
def mixture(effects):
    return BivariateBayes().fit(effects).line


FORMULAS = {
    "fisher_interval": lambda level: correlation.fisher_interval(0.7, 12, level),
    "wald_r2": lambda level: correlation.wald_r2(0.5, 12, level),
    "atanh_t": lambda level: correlation.atanh_t(0.7, 0.1, 12, level),
    "needed_r": lambda level: correlation.needed_r(12, level=level),
    "percentiles": lambda level: percentiles(np.arange(1000.0), level),
    "standard_error": lambda level: standard_error_from_interval(0.5, 0.9, level),
    "fisher_difference": lambda level: differences.fisher_difference(0.5, 10, 0.8, 12, level),
    "mover_difference": lambda level: differences.mover_difference(0.5, 10, 0.8, 12, level),
    "detectable": lambda level: differences.detectable(10, 0.8, level=level),
    "trials_needed": lambda level: differences.trials_needed(0.5, 0.8, level=level),
    "log_score": lambda level: log_score(np.arange(5.0), np.ones(5), level).difference,
    "prediction": NORMAL.interval,
    "median": lambda level: Median(10.0, level=level).level,
    "hazard ratio": lambda level: HazardRatio(0.7, 0.5, 0.9, level).se,
}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_a_percentage_is_the_same_as_its_share(formula):
    assert formula(95) == formula(0.95)
    assert formula(80) == formula(0.8)
    assert formula(80) != formula(0.95)


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
@pytest.mark.parametrize("level", NO_LEVELS)
def test_what_is_no_level_is_refused_in_words(formula, level):
    with pytest.raises(UsageError, match=r"level of an interval lies between 0 and 1, such as 0\.95"):
        formula(level)


def test_the_level_is_the_one_of_the_normal_quantile():
    assert NORMAL.interval(97.5)[1] == pytest.approx(norm.ppf(0.9875), abs=1e-12)
    assert confidence_level(98.7) == pytest.approx(0.987, abs=1e-15)
    assert confidence_level(0.05) == 0.05  # a narrow interval is one too


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.nuts] if name in SAMPLED else []) for name in REGISTRY]
)
def test_every_model_takes_95_for_0_95_and_refuses_other_numbers(name):
    fixed = {"covariate": "stage"} if name == "moderated" else {}
    assert create(name, level=95, **fixed) == create(name, level=0.95, **fixed)
    assert create(name, level=95, **fixed).level == 0.95
    for level in NO_LEVELS:
        with pytest.raises(UsageError, match="level of an interval"):
            create(name, level=level, **fixed)


@pytest.mark.parametrize("model", [ModeratedLine, OffsetModel])
def test_models_outside_the_registry(model):
    assert model(level=95).level == 0.95
    with pytest.raises(UsageError, match="level of an interval"):
        model(level=0)


@pytest.mark.parametrize("model", [WeightedPearson, WeightedRegression, BivariateRandomEffects, BivariateBayes])
def test_estimates_and_record_are_those_of_the_share(model, effects):
    percent, share = (model(level=level).fit(effects) for level in (95, 0.95))
    assert percent.settings == share.settings
    assert percent.estimates == share.estimates
    limits = [estimate.low for estimate in percent.estimates.values() if getattr(estimate, "low", None) is not None]
    assert limits
    assert np.isfinite(limits).all()


def test_lines_and_thresholds(line, mixture):
    for each in (line, mixture):
        assert np.array_equal(each.predict(-0.4, level=90), each.predict(-0.4, level=0.9))
        with pytest.raises(UsageError, match="level of an interval"):
            each.predict(-0.4, level=0)
    assert line.threshold(level=80) == line.threshold(level=0.8)
    assert mixture.thresholds(95) == mixture.thresholds(0.95)


def test_intervals_by_every_method(effects):
    assert interval_methods.all_intervals(effects, level=95, resamples=200) == interval_methods.all_intervals(
        effects, resamples=200
    )


def test_a_posterior_predicts_at_the_same_level(effects):
    posterior = BivariateBayes().posterior(effects)
    assert posterior.predict(-0.4, 0.1, level=80) == posterior.predict(-0.4, 0.1, level=0.8)


def test_a_decomposition_refuses_an_impossible_level_and_too_few_resamples(trials):
    tactics = read_inputs(trials, "tactics")
    with pytest.raises(UsageError, match="level of an interval"):
        decompose(tactics, level=0)
    with pytest.raises(UsageError, match="at least 100 resamples"):
        decompose(tactics, resamples=10)


@pytest.mark.nuts
def test_sampled_estimates():
    sampling = import_module("surrogacy.models.sampled.nuts")
    draws = {"tau": np.random.default_rng(0).normal(size=(2, 500))}
    assert sampling.estimates_of(draws, 95) == sampling.estimates_of(draws, 0.95)
