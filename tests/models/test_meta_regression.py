"""Meta-regression: settings, intervals, propagated surrogate errors, boundary, and the sensitivity table."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.meta_regressions import meta_regression_variants
from surrogacy.models import Capability, MetaRegression, create
from surrogacy.models.meta_regression import correlated_groups
from surrogacy.results.estimate import CaveatCode
from surrogacy.stats.surrogate_errors import (
    CorrelatedEffects,
    _calibrated,
    errors_ignored,
    errors_propagated,
    independent_effects,
    true_surrogate_effects,
)
from tests.support.effects import simulated


@pytest.mark.parametrize("setting", [{"tau2": "ml"}, {"interval": "t"}, {"surrogate_errors": "yes"}, {"new_n": 0}])
def test_unknown_settings_are_refused(setting):
    with pytest.raises(UsageError, match="must be"):
        MetaRegression(**setting)


@pytest.mark.parametrize("seed", range(5))
def test_the_ad_hoc_correction_is_never_narrower_than_z(seed):
    effects = simulated(9, seed)
    by_z, by_ad_hoc = (MetaRegression(interval=name).fit(effects) for name in ("z", "ad-hoc"))
    assert by_ad_hoc["slope"].value == by_z["slope"].value
    for name in ("intercept", "slope"):
        assert by_ad_hoc[name].low <= by_z[name].low
        assert by_ad_hoc[name].high >= by_z[name].high


def test_precise_surrogate_effects_need_no_propagation():
    """With surrogate errors of 0 both versions are the same regression."""
    effects = simulated(12)
    exact = replace(effects, se=np.column_stack([np.full(12, 1e-7), effects.se[:, 1]]))
    ignored, propagated = (MetaRegression(surrogate_errors=name).fit(exact) for name in ("ignored", "propagated"))
    for name in ("intercept", "slope", "sigma_cond"):
        assert propagated[name].value == pytest.approx(ignored[name].value, rel=1e-5)
    assert propagated["slope"].se == pytest.approx(ignored["slope"].se, rel=1e-5)


@pytest.mark.parametrize("name", ["llovet-2019-pfs", "intermediate"])  # without and with a shared control arm
def test_the_calibrated_data_have_the_conditional_density_of_the_bivariate_model(trials, name):
    """Density of all effects over that of the surrogate effects, by multivariate normal densities."""
    effects = trials.analysis_set(name)
    k, (m, t, a, b, tau2) = len(effects), (-0.3, 0.05, 0.02, 0.6, 0.01)
    data = _calibrated(correlated_groups(effects, effects.log_hr), np.array(m), np.array(t), np.array(b))
    calibrated = norm(data.design @ [a, b], np.sqrt(data.variance + tau2)).logpdf(data.y).sum()
    cov = effects.sampling_covariance(range(k))
    for i in range(k):
        cov[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] += np.array([[t, b * t], [b * t, b**2 * t + tau2]])
    joint = multivariate_normal(np.tile([m, a + b * m], k), cov).logpdf(effects.log_hr.ravel())
    surrogate = multivariate_normal(np.full(k, m), cov[::2, ::2]).logpdf(effects.log_hr[:, 0])
    assert calibrated == pytest.approx(joint - surrogate, rel=1e-10)


@pytest.mark.parametrize("name", ["llovet-2019-pfs", "llovet-2019-ttp", "advanced"])
def test_propagation_agrees_with_the_bivariate_model(trials, name):
    """Two stages instead of one likelihood: the line differs by a small part of its standard error."""
    effects = trials.analysis_set(name)
    result = create("bivariate-reml").fit(effects)
    propagated = MetaRegression(surrogate_errors="propagated").fit(effects)
    for quantity in ("slope", "intercept"):
        assert abs(propagated[quantity].value - result[quantity].value) < 0.1 * result[quantity].se
    assert propagated["sigma_cond"].value == pytest.approx(result["sigma_cond"].value, rel=0.1)


def test_propagation_recovers_the_slope_of_the_true_effects():
    """Many trials: the slope of the observed effects is attenuated by the reliability, the propagated one is not."""
    generator = np.random.default_rng(1)
    k, s1 = 20_000, 0.2
    x = generator.normal(-0.3, 0.25, k)
    y = 0.1 + 0.6 * x + generator.normal(0, 0.1, k)
    observed = x + s1 * generator.standard_normal(k), y + 0.15 * generator.standard_normal(k)
    se = np.column_stack([np.full(k, s1), np.full(k, 0.15)])
    groups = [independent_effects(*observed, se, np.zeros(k))]
    regression = errors_propagated(groups, true_surrogate_effects(groups, "reml"), "reml")
    assert regression.fit.coefficients == pytest.approx([0.1, 0.6], abs=0.02)
    assert np.sqrt(regression.tau2) == pytest.approx(0.1, abs=0.01)
    reliability = 0.25**2 / (0.25**2 + s1**2)
    assert errors_ignored(groups, "reml").fit.coefficients[1] == pytest.approx(0.6 * reliability, abs=0.02)


def test_a_group_of_independent_comparisons_is_as_two_alone():
    """The matrix formulas of a shared control arm without covariance are those of comparisons alone."""
    effects = simulated(8)
    alone = independent_effects(*effects.log_hr.T, effects.se, effects.rho_within)
    parts = [getattr(alone, name)[:, 0, 0] for name in ("s11", "s12", "s22")]
    pairs = CorrelatedEffects(
        *(effects.log_hr[:, i].reshape(4, 2) for i in (0, 1)),
        *(np.stack([np.diag(pair) for pair in part.reshape(4, 2)]) for part in parts),
    )
    for method in ("reml", "dl", "pm"):
        one, two = (
            errors_propagated([data], true_surrogate_effects([data], method), method) for data in (alone, pairs)
        )
        assert two.fit.coefficients == pytest.approx(one.fit.coefficients, rel=1e-9)
        assert two.tau2 == pytest.approx(one.tau2, rel=1e-8, abs=1e-14)
        assert two.first_stage == pytest.approx(one.first_stage, rel=1e-5)


def test_several_data_sets_at_once_are_those_one_by_one():
    sets = [simulated(10, seed) for seed in range(4)]
    data = independent_effects(
        *(np.stack([effects.log_hr[:, i] for effects in sets]) for i in (0, 1)),
        np.stack([effects.se for effects in sets]),
        np.stack([effects.rho_within for effects in sets]),
    )
    together = errors_propagated([data], true_surrogate_effects([data], "reml"), "reml")
    for i, effects in enumerate(sets):
        result = MetaRegression(surrogate_errors="propagated").fit(effects)
        assert together.fit.coefficients[i, 1] == pytest.approx(result["slope"].value, rel=1e-8)
        assert np.sqrt(together.tau2[i]) == pytest.approx(result["sigma_cond"].value, rel=1e-6, abs=1e-9)


def test_no_between_trial_variance_is_a_boundary_solution(trials):
    result = MetaRegression().fit(trials.analysis_set("tactics-2022"))
    assert result["sigma_cond"].value == 0
    assert result.has_caveat(CaveatCode.BOUNDARY)
    x = np.array([-0.6, -0.2])
    for band, alone in zip(result.line.predict(x), result.line.predict(x, band="confidence"), strict=True):
        assert band == pytest.approx(alone)


def test_trials_on_a_line_have_an_empty_q_profile_interval():
    """Q(0) is below the 2.5% quantile of chi-square: no variance is compatible with the data (metafor: null set)."""
    x = np.linspace(-0.8, 0.1, 7)
    effects = Effects.from_arrays(np.column_stack([x, 0.6 * x]), np.full((7, 2), 0.13), n=np.full(7, 400))
    result = MetaRegression().fit(effects)
    residual_sd = result.estimate("sigma_cond")
    assert (residual_sd.value, residual_sd.low, residual_sd.high) == (0.0, None, None)
    assert "interval is empty" in residual_sd.method
    boundary = next(caveat for caveat in result.caveats if caveat.code is CaveatCode.BOUNDARY)
    assert "interval is empty" in boundary.text
    assert "compatible" not in boundary.text


def test_true_surrogate_effects_that_do_not_differ_have_no_slope():
    effects = Effects.from_arrays([[-0.31, -0.1], [-0.3, -0.2], [-0.29, 0.1], [-0.3, 0.0]], [[0.2, 0.1]] * 4)
    result = MetaRegression(surrogate_errors="propagated").fit(effects)
    assert result.line is None
    assert result["slope"].value is None
    assert result.has_caveat(CaveatCode.BOUNDARY)
    same = replace(effects, log_hr=np.column_stack([np.full(4, -0.3), effects.log_hr[:, 1]]))
    with pytest.raises(FitError, match="all surrogate effects are the same"):
        MetaRegression().fit(same)


def test_the_within_trial_correlation_matters_only_if_the_errors_are_propagated():
    assert Capability.WITHIN_TRIAL_CORRELATIONS not in MetaRegression().capabilities
    assert Capability.WITHIN_TRIAL_CORRELATIONS in MetaRegression(surrogate_errors="propagated").capabilities
    effects = simulated(10)
    for errors, same in (("ignored", True), ("propagated", False)):
        slopes = [
            MetaRegression(surrogate_errors=errors).fit(effects.with_rho_within(rho))["slope"].value for rho in (0, 0.9)
        ]
        assert (slopes[0] == slopes[1]) is same


def test_variants_of_a_set(trials):
    effects = trials.analysis_set("llovet-2019-pfs")
    variants = meta_regression_variants(MetaRegression(), effects)
    records = [variant.record for variant in variants]
    assert len(records) == 9 + 3
    assert [record["surrogate_errors"] for record in records] == ["ignored"] * 9 + ["propagated"] * 3
    base = MetaRegression().fit(effects)
    assert records[0]["slope"] == base["slope"].value
    assert records[0]["ste_95_true_effect"] == base["ste_prediction"].hr
    assert records[0]["ste_80_true_effect"] == base["ste_prediction_80"].hr
    # the size of the trial matters, and both targets are stated
    assert records[0]["ste_95_mean_size"] == MetaRegression(new_n=effects.n.mean()).fit(effects)["ste_prediction"].hr
    assert records[0]["ste_95_mean_size"] < records[0]["ste_95_true_effect"]
