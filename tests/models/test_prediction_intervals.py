"""Prediction intervals of the likelihood models: closed forms, dense matrices, limits and special cases."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.optimize import brentq
from scipy.stats import chi2, t
from statsmodels.regression.linear_model import OLS

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models import BivariateRandomEffects
from surrogacy.models.likelihood.batch_data import same_comparisons
from surrogacy.models.likelihood.expected_information import expected_covariance
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.residual_distribution import Residuals, quadrature, residual_quantiles, residuals
from surrogacy.stats.lines import Line
from surrogacy.stats.mixtures import mixture_cdf
from surrogacy.stats.predictive import ObservedEffects
from surrogacy.stats.residual_mixture_line import ResidualMixtureLine
from tests.support.effects import simulated
from tests.support.pinned_tables import pinned_trials

PSI = np.array([0.05, 0.02, 0.015])


def default(effects, **settings):
    return BivariateRandomEffects(interval="delta", **settings).fit(effects)


def with_missing_endpoints(name):
    effects = pinned_trials().analysis_set(name)
    log_hr, se = effects.log_hr.copy(), effects.se.copy()
    log_hr[1, 0] = log_hr[4, 1] = se[1, 0] = se[4, 1] = np.nan
    return replace(effects, log_hr=log_hr, se=se)


@pytest.mark.parametrize(("k", "tolerance"), [(3, 2e-3), (4, 1e-4), (6, 1e-4), (16, 1e-4), (45, 1e-4)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_without_sampling_errors_it_is_the_prediction_interval_of_a_regression(k, tolerance, level):
    """Ordinary least squares of statsmodels, t with k - 2 degrees of freedom; tolerance that of the quadrature."""
    y = np.random.default_rng(k).multivariate_normal([-0.3, -0.1], [[0.09, 0.048], [0.048, 0.04]], k)
    result = default(Effects.from_arrays(y, np.full((k, 2), 1e-5)))
    x = np.array([-0.7, -0.3, 0.1])
    fit = OLS(y[:, 1], np.column_stack([np.ones(k), y[:, 0]])).fit()
    expected = fit.get_prediction(np.column_stack([np.ones(3), x])).conf_int(obs=True, alpha=1 - level)
    mean, low, high = result.line.predict(x, level=level)
    assert high - mean == pytest.approx(expected[:, 1] - fit.predict(np.column_stack([np.ones(3), x])), rel=tolerance)
    assert mean - low == pytest.approx(high - mean, rel=1e-4)  # the search for a quantile stops at 1e-5 SDs


@pytest.mark.parametrize("df", [1, 2, 4, 14, 43, 198])
def test_quadrature_of_a_t_distribution(df):
    """Residuals without sampling errors: the mixture is a t; tail probabilities to 0.03% of their value."""
    value = np.random.default_rng(df).standard_normal(df + 2)
    probability, weight = quadrature()
    variance = residual_quantiles(Residuals(value, np.ones(df + 2), np.zeros(df + 2)), probability)
    scale = np.sqrt(np.sum((value - value.mean()) ** 2) / df)
    for p in (0.9, 0.975):
        below = mixture_cdf(np.array(scale * t.ppf(p, df)), weight, np.zeros(16), np.sqrt(variance))
        assert 1 - float(below) == pytest.approx(1 - p, rel=3e-4)


def test_confidence_distribution_of_the_residual_variance():
    """Q at a quantile u is the quantile u F(Q(0)) of chi-squared, by a root search on dense matrices."""
    effects = pinned_trials().analysis_set("advanced")
    slope = 0.5
    residual = residuals(effects, slope)
    rows, covariances = [], []
    for members in effects.dependent_groups():
        contrast = np.kron(np.eye(len(members)), [-slope, 1.0])
        rows.append(effects.log_hr[members] @ [-slope, 1.0])
        covariances.append(contrast @ effects.sampling_covariance(members) @ contrast.T)
    y, sampling = np.concatenate(rows), block_diag(*covariances)
    assert max(len(rows[i]) for i in range(len(rows))) > 1  # comparisons with a shared control arm

    def q(variance):
        inverse = np.linalg.inv(sampling + variance * np.eye(len(y)))
        mean = inverse.sum(axis=0) @ y / inverse.sum()
        return (y - mean) @ inverse @ (y - mean)

    law = chi2(len(y) - 2)
    probabilities = np.array([0.05, 0.5, 0.95])
    expected = [brentq(lambda v, u=u: q(v) - law.ppf(u * law.cdf(q(0.0))), 0, 10) for u in probabilities]
    assert residual_quantiles(residual, probabilities) == pytest.approx(np.array(expected), rel=1e-6)


def test_residuals_close_to_a_line_have_the_limit_of_exact_ones():
    v = np.full(6, 0.02)
    near = residual_quantiles(Residuals(1e-5 * np.arange(6.0) ** 2, np.ones(6), v), quadrature()[0])
    exact = residual_quantiles(Residuals(np.zeros(6), np.ones(6), v), quadrature()[0])
    assert exact == pytest.approx(near, rel=1e-4)
    assert (exact > 0).all()


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", ["llovet-2019-pfs", "advanced"])
def test_expected_information_by_dense_matrices(name, method):
    effects = with_missing_endpoints(name)
    likelihood = Likelihood(make_blocks(effects), method)
    cells = [(block, i) for block in likelihood.blocks for i in range(len(block.y))]
    v = block_diag(*[block.sampling[i] + np.tensordot(PSI, block.pattern[:, i], 1) for block, i in cells])
    x = np.concatenate([block.design[i] for block, i in cells])
    derivatives = [block_diag(*[block.pattern[a, i] for block, i in cells]) for a in range(3)]
    w = np.linalg.inv(v)
    mean = np.linalg.inv(x.T @ w @ x)
    p = w - w @ x @ mean @ x.T @ w if method == "reml" else w
    information = np.array([[np.trace(p @ a @ p @ b) / 2 for a in derivatives] for b in derivatives])
    _, covariance = expected_covariance(
        same_comparisons(effects, effects.log_hr[None], method).likelihood, np.array([2 * PSI, PSI])
    )
    assert covariance[:2, :2] == pytest.approx(mean, rel=1e-9)
    assert covariance[2:, 2:] == pytest.approx(np.linalg.inv(information), rel=1e-8)
    assert np.all(covariance[:2, 2:] == 0)


def test_parameter_variance_by_the_full_delta_method():
    """Surrogate hazard ratio 0.4, standard errors 0.35, within-trial correlation 0.9; independent value 0.00268."""
    result = default(pinned_trials().analysis_set("llovet-2019-pfs"), prediction="plug-in")
    trial = ObservedEffects(np.log(0.4), 0.35, np.nan, 0.35, 0.9, np.nan)
    variance = result.line.predict_observed(trial).components["parameters"]
    assert variance == pytest.approx(0.00268, abs=5e-6)
    estimate = np.array([result[name].value for name in ("mu_surrogate", "mu_final")])
    t11 = result["tau_surrogate"].value ** 2
    estimate = np.array([*estimate, t11, result["slope"].value * t11, 0.0])

    def mean(parameters):
        mu1, mu2, t11, t12, _ = parameters
        return mu2 + (t12 + 0.9 * 0.35**2) / (t11 + 0.35**2) * (np.log(0.4) - mu1)

    gradient = np.array([(mean(estimate + step) - mean(estimate - step)) / 2e-6 for step in 1e-6 * np.eye(5)])
    assert variance == pytest.approx(gradient @ result.line.true_effects.covariance[0] @ gradient, rel=1e-6)


def test_a_prediction_without_errors_is_the_band():
    line = default(simulated(12)).line
    trial = ObservedEffects(-0.5, 0.0, np.nan, 0.0, 0.5, np.nan)
    assert line.predict_observed(trial).interval(0.95) == pytest.approx([float(v) for v in line.predict(-0.5)[1:]])


def test_the_threshold_is_where_the_band_reaches_no_effect():
    result = default(pinned_trials().analysis_set("llovet-2019-pfs"), new_n=558.0)
    for level in (0.8, 0.95):
        threshold = result.line.threshold(level)
        assert float(result.line.predict(np.log(threshold.hr), level=level)[2]) == pytest.approx(0, abs=1e-5)
        assert str(threshold.new_trial) == "n = 558"


def test_confidence_band_and_estimates_are_those_of_the_plug_in():
    effects = pinned_trials().analysis_set("llovet-2019-pfs")
    plug_in, averaged = default(effects, prediction="plug-in"), default(effects)
    assert isinstance(plug_in.line, Line)
    assert isinstance(averaged.line, ResidualMixtureLine)
    unchanged = set(plug_in.estimates) - {"ste_prediction"}
    assert all(plug_in[name] == averaged[name] for name in unchanged)
    x = np.array([-0.6, 0.0])
    for ours, theirs in zip(
        averaged.line.predict(x, band="confidence"), plug_in.line.predict(x, band="confidence"), strict=True
    ):
        assert np.array_equal(ours, theirs)
    with pytest.raises(UsageError, match="prediction must be 'confidence-distribution' or 'plug-in'"):
        BivariateRandomEffects(prediction="bootstrap")


def test_the_boundary_is_no_special_case():
    """A residual SD of 0 gives no narrower band than a slightly larger one would."""
    effects = pinned_trials().analysis_set("tactics-2022")
    result = default(effects)
    assert result["sigma_cond"].value == 0
    assert result.on_boundary
    assert result.line.true_effects.residual_variance.min() > 0
    plug_in = default(effects, prediction="plug-in").line
    widths = [float(np.diff(line.predict(-0.3)[1:], axis=0).item()) for line in (result.line, plug_in)]
    assert widths[0] > 1.5 * widths[1]


def test_special_sets():
    three = default(simulated(3, seed=2))
    if three.line is not None:
        assert np.isfinite(three.line.predict(-0.3)[1])
    equal = Effects.from_arrays(np.tile([-0.3, -0.1], (6, 1)), np.full((6, 2), 0.1))
    assert default(equal).line is None  # no spread of the surrogate effects
    partial = default(with_missing_endpoints("llovet-2019-pfs"))
    assert isinstance(partial.line, ResidualMixtureLine)
    assert np.isfinite(partial.line.predict(-0.3)[1])


def test_with_two_complete_comparisons_the_plug_in_is_left():
    log_hr = np.array([[-0.6, -0.4], [-0.1, 0.0], [-0.4, np.nan], [-0.2, np.nan], [np.nan, -0.1], [np.nan, -0.3]])
    effects = Effects.from_arrays(log_hr, np.where(np.isnan(log_hr), np.nan, 0.05))
    result = default(effects)
    assert isinstance(result.line, Line)
    assert any("too narrow" in problem for problem in result.problems)
