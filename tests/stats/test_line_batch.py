"""Lines of many data sets at once, against single lines; percentile intervals of thresholds."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects, WeightedRegression
from surrogacy.models.likelihood.batch import maximise_many
from surrogacy.models.likelihood.batch_lines import lines_of
from surrogacy.stats.line_batch import LineBatch, weighted_lines
from surrogacy.stats.lines import Line
from surrogacy.stats.thresholds import interval_of_thresholds
from tests.support.effects import simulated

Z = 1.959963984540054
STATUSES = {"none", "exists", "outside-data", "two-sided", "benefit-without-surrogate-effect"}


def test_thresholds_are_those_of_single_lines():
    """Random lines of every status, with and without uncertainty and scatter."""
    generator, b = np.random.default_rng(0), 2000
    intercept, slope = generator.normal(0, 0.2, b), generator.normal(0.4, 0.4, b)
    sd = generator.uniform(0.001, 0.3, b) * generator.integers(0, 2, b), generator.uniform(0.01, 0.5, b)
    cross = generator.uniform(-1, 1, b) * sd[0] * sd[1]
    variance = generator.uniform(0, 0.1, b) * generator.integers(0, 2, b)
    lines = LineBatch(intercept, slope, np.stack([sd[0] ** 2, cross, sd[1] ** 2], axis=1), variance)
    seen = set()
    for i, value in enumerate(lines.thresholds(Z, variance)):
        covariance = np.array([[sd[0][i] ** 2, cross[i]], [cross[i], sd[1][i] ** 2]])
        sigma = float(np.sqrt(variance[i]))
        line = Line(intercept[i], slope[i], covariance, sigma, 1.0, 1.0, None, None, (-1.0, 0.0))
        single = line.threshold()
        seen.add(single.status)
        if single.hr is None:
            assert value == (-np.inf if single.crossing is None else np.inf)
        else:
            assert value == pytest.approx(np.log(single.hr), abs=1e-9)
    assert seen == STATUSES


def test_lines_of_maxima_are_those_of_single_fits():
    effects = simulated(12)
    line = BivariateRandomEffects(interval="delta", prediction="plug-in").fit(effects).line
    lines = lines_of(maximise_many(effects, effects.log_hr[None]))
    assert (lines.intercept[0], lines.slope[0]) == pytest.approx((line.intercept, line.slope), abs=1e-6)
    assert lines.variance[0] == pytest.approx(line.sigma**2, abs=1e-7)
    np.testing.assert_allclose(lines.covariance[0], line.covariance[[0, 0, 1], [0, 1, 1]], rtol=1e-3)


def test_a_maximum_without_surrogate_variance_has_no_line():
    effects = simulated(9)
    maxima = replace(maximise_many(effects, effects.log_hr[None]), psi=np.array([[0.0, 0.0, 0.02]]))
    lines = lines_of(maxima)
    assert np.isnan(lines.slope[0])
    assert lines.thresholds(Z, lines.variance)[0] == -np.inf


def test_weighted_lines_are_those_of_statsmodels():
    effects = simulated(12)
    least_squares = WeightedRegression().statsmodels_result(effects)
    lines = weighted_lines(np.stack([effects.log_hr, 2 * effects.log_hr]), effects.n)
    assert lines.slope[1] == pytest.approx(lines.slope[0])
    assert (lines.intercept[0], lines.slope[0]) == pytest.approx(tuple(least_squares.params))
    assert lines.variance[0] == pytest.approx(least_squares.scale)
    np.testing.assert_allclose(lines.covariance[0], least_squares.cov_params()[[0, 0, 1], [0, 1, 1]])


@pytest.mark.parametrize(("absent", "reported"), [(0, True), (11, True), (12, False), (19, False), (400, False)])
@pytest.mark.parametrize("value", [-np.inf, np.inf])
def test_limits_need_a_threshold_in_all_but_a_fortieth_of_the_resamples(absent, reported, value):
    """A fortieth is 20.0 of 799 resamples, with a Monte Carlo error of (799 x 0.025 x 0.975)^(1/2) = 4.4."""
    sample = np.log(np.linspace(0.4, 0.6, 799))
    sample[:absent] = value
    interval = interval_of_thresholds(sample, 0.95, "bootstrap")
    assert interval.exists == pytest.approx(1 - absent / 799)
    assert interval.without_surrogate_effect == (absent / 799 if value > 0 else 0.0)
    if not reported:
        assert (interval.low, interval.high) == (None, None)
        return
    # the limits are the values of rank 20 from either end, with absent thresholds beyond all others
    ranked = np.exp(np.sort(sample))
    assert (interval.low, interval.high) == pytest.approx((ranked[19], ranked[-20]))
