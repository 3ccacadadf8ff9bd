"""Summaries of many exact posteriors at once against those of each posterior, and against dense searches."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.batch_lines import resolved
from surrogacy.models.exact.bivariate_posterior import QUANTITIES
from surrogacy.stats.mixture_bands import probability_of_benefit
from surrogacy.stats.mixture_line import many_thresholds
from tests.support.effects import simulated

MODEL = BivariateBayes(check_grid=False)
P = MODEL.probabilities
SIZES = (3, 4, 6, 9, 12, 21, 21, 40)
WIDE = np.concatenate([np.linspace(np.log(0.05), 1.2, 211), np.geomspace(1.25, 30.0, 30)])


def limits(result, name):
    estimate = result[name]
    return np.array([estimate.value, estimate.low, estimate.high])


def largest_difference(result, quantiles):
    """Largest difference in posterior SDs, of all quantities."""
    return max(
        np.abs(limits(result, name) - quantiles[name]).max() / ((quantiles[name][2] - quantiles[name][1]) / 3.92)
        for name in QUANTITIES
    )


@pytest.fixture(scope="module")
def fits():
    return MODEL.fit_many([simulated(k, seed) for seed, k in enumerate(SIZES)])


def test_quantiles_are_those_of_each_posterior(fits):
    """The lines of a batch are fewer and have fewer points than those of a single posterior."""
    for fit in fits:
        assert largest_difference(fit, fit.posterior.quantiles(P, fine=False)) < 0.002


def test_leave_one_out_is_accurate(trials):
    """Slope and residual SD against a grid of more than twice the nodes per axis, within 0.5% of an SD."""
    effects = trials.analysis_set("llovet-2019-pfs")
    data = [effects.without_trial(name) for name in effects.trials[:5]]
    finer = replace(MODEL, nodes=(36, 36, 40))
    for fit, each in zip(MODEL.fit_many(data), data, strict=True):
        quantiles = finer.posterior(each).quantiles(P)
        for name in ("slope", "sigma_cond"):
            sd = (quantiles[name][2] - quantiles[name][1]) / 3.92
            assert limits(fit, name) == pytest.approx(quantiles[name], abs=0.005 * sd), name


def test_the_other_data_sets_of_a_batch_do_not_matter():
    """To rounding, because the matrix products of a batch have other sizes; all sets are tabulated together."""
    data = [simulated(8, seed) for seed in range(16)]
    for together, effects in zip(MODEL.fit_many(data), data, strict=True):
        (alone,) = MODEL.fit_many([effects])
        assert (together.posterior.table.low == alone.posterior.table.low).all()
        for name in QUANTITIES:
            assert limits(together, name) == pytest.approx(limits(alone, name), rel=1e-9, abs=1e-12), name


def test_posteriors_whose_lines_lie_apart_are_inverted_one_by_one():
    """Precise surrogate effects, imprecise final ones: lines with different tau_final lie apart."""
    effects = simulated(60, se=(0.05, 0.5))
    (fit,) = MODEL.fit_many([effects])
    assert not resolved(fit.posterior.table)[0]
    quantiles = fit.posterior.quantiles(P, fine=False)
    assert all((limits(fit, name) == quantiles[name]).all() for name in ("slope", "sigma_cond"))


def test_thresholds_are_those_of_a_dense_search(fits):
    """The region of benefit on 241 surrogate effects; its ends by Brent's method within 5e-5 of a log hazard ratio."""
    lines = [fit.line for fit in fits]
    statuses = set()
    for line, thresholds in zip(lines, many_thresholds(lines), strict=True):
        for name, threshold in thresholds.items():
            wanted = 0.5 + threshold.level / 2

            def excess(x, line=line, band=threshold.band, wanted=wanted):
                return float(probability_of_benefit(line, np.array([x]), None, band)[0]) - wanted

            inside = probability_of_benefit(line, WIDE, None, threshold.band) >= wanted
            changes = np.flatnonzero(inside[:-1] != inside[1:])[-2:][::-1]
            ends = [] if inside[-1] else [brentq(excess, WIDE[i], WIDE[i + 1], xtol=1e-9) for i in changes]
            values = [value for value in (threshold.hr, threshold.crossing, threshold.hr_other) if value is not None]
            statuses.add(threshold.status)
            if threshold.status == "none":
                assert not ends or ends[-1] > 0, name
            else:
                assert np.log(values) == pytest.approx(ends[: len(values)], abs=5e-5), name
    assert statuses > {"none", "exists"}
