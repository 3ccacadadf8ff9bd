"""Thresholds of the meta-regression for both targets, and their intervals by refits of simulated sets."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.evaluation.threshold_targets import (
    MEAN_SIZE,
    TRUE,
    meta_regression_lines,
    simulated_sets,
    with_threshold_targets,
)
from surrogacy.models import BivariateRandomEffects, MetaRegression


@pytest.mark.parametrize("name", ["llovet-2019-pfs", "advanced"])  # without and with a shared control arm
def test_lines_of_the_simulated_sets_are_those_of_the_model(trials, name):
    effects, model = trials.analysis_set(name), MetaRegression()
    lines = meta_regression_lines(model, model.fit(effects), 5, 3)
    reml = BivariateRandomEffects(interval="delta", prediction="plug-in").fit(effects)
    for i, log_hr in enumerate(simulated_sets(reml, 5, 3)):
        line = model.fit(replace(effects, log_hr=log_hr)).line
        assert (lines.intercept[i], lines.slope[i]) == pytest.approx((line.intercept, line.slope), rel=1e-8)
        assert lines.variance[i] == pytest.approx(line.sigma**2, rel=1e-6, abs=1e-12)
        assert lines.covariance[i] == pytest.approx(line.covariance[[0, 0, 1], [0, 1, 1]], rel=1e-7)


def test_both_targets_have_an_interval(trials):
    model = MetaRegression()
    result = with_threshold_targets(model, model.fit(trials.analysis_set("llovet-2019-pfs")), resamples=799)
    true, mean_size = result[TRUE], result[MEAN_SIZE]
    assert true.hr == pytest.approx(0.6469, abs=1e-4)
    assert mean_size.hr < true.hr
    for threshold in (true, mean_size):
        assert threshold.uncertainty.low < threshold.hr < threshold.uncertainty.high


def test_propagated_errors_have_thresholds_without_interval(trials):
    model = MetaRegression(surrogate_errors="propagated")
    result = with_threshold_targets(model, model.fit(trials.analysis_set("llovet-2019-pfs")))
    assert np.isfinite(result[TRUE].hr)
    assert result[TRUE].uncertainty is None
