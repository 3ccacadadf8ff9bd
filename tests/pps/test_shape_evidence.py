"""Evidence on the Weibull shape from ratios of medians and hazard ratios."""

import numpy as np
import pytest

from surrogacy.errors import FitError
from surrogacy.pps.shape_evidence import MedianRatio, median_ratios, shape_evidence
from surrogacy.survival.estimators import cox_log_hazard_ratio


def test_shape_of_the_pinned_trials(trials):
    """Another implementation: 1.01 (0.90 to 1.15).

    That is the shape, the reciprocal of the slope. The choice of trials and the resampling are not stated; over the
    plausible choices (with or without unverified rows, trials without OS) the upper limit is 1.13 to 1.18.
    """
    evidence = shape_evidence(median_ratios(trials))
    assert round(evidence.shape.value, 2) == 1.01
    assert evidence.shape.low == pytest.approx(0.90, abs=0.01)
    assert evidence.shape.high == pytest.approx(1.15, abs=0.02)
    assert evidence.slope.value == pytest.approx(1 / evidence.shape.value)
    assert (evidence.comparisons, evidence.trials, evidence.ttp) == (57, 53, 11)


def test_slope_is_weighted_least_squares_through_the_origin(trials):
    rows = median_ratios(trials)
    x, y, w = np.array([(-row.log_hr, row.log_ratio, row.se**-2) for row in rows]).T
    slope = np.linalg.lstsq(np.sqrt(w)[:, None] * x[:, None], np.sqrt(w) * y, rcond=None)[0][0]
    evidence = shape_evidence(rows)
    assert evidence.slope.value == pytest.approx(slope)
    # the interval of the bootstrap is near that of the sandwich estimate by trial
    residual, names = w * x * (y - slope * x), np.array([row.trial for row in rows])
    sandwich = np.sqrt(sum(residual[names == name].sum() ** 2 for name in set(names))) / (w * x * x).sum()
    assert evidence.slope.se == pytest.approx(sandwich, rel=0.15)


@pytest.mark.parametrize("shape", [0.8, 1.0, 1.3])
def test_the_shape_of_simulated_trials_is_recovered(shape):
    """400 trials of 400 patients without censoring: sampling errors of the hazard ratios do not attenuate the slope.

    Four standard errors.
    """
    generator, size, trials = np.random.default_rng(8), 200, 400
    hazard_ratio = generator.uniform(0.4, 1.1, trials)
    arm = np.repeat([0.0, 1.0], size)
    hazards = np.where(arm == 1, hazard_ratio[:, None], 1.0)
    time = (generator.exponential(size=(trials, 2 * size)) / hazards) ** (1 / shape)
    log_hr = cox_log_hazard_ratio(time, np.ones_like(time, dtype=bool), arm)
    medians = np.median(time[:, size:], axis=1), np.median(time[:, :size], axis=1)
    rows = [
        MedianRatio(str(i), str(i), "PFS", float(np.log(medians[0][i] / medians[1][i])), float(log_hr[i]), 0.1)
        for i in range(trials)
    ]
    slope = shape_evidence(rows).slope
    assert slope.value == pytest.approx(1 / shape, abs=4 * slope.se)
    assert slope.se < 0.02


def test_trials_without_a_slope_are_refused():
    row = MedianRatio("a", "a", "PFS", 0.2, -0.3, 0.1)
    with pytest.raises(FitError, match="1 trials with median ratios"):
        shape_evidence([row] * 5)
    with pytest.raises(FitError, match="every hazard ratio"):
        shape_evidence([MedianRatio(name, name, "PFS", 0.2, 0.0, 0.1) for name in "abcd"])
