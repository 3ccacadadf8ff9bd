"""Meta-regressions of metafor on five sets of the tables 2026.11: all estimators and interval methods.

Made by validation/metafor_meta_regression.R (R 4.2.2, metafor 3.8-1). Both programs solve the same equations; the
tolerances are those of the printed digits (12) and of metafor's root searches.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from surrogacy.models.meta_regression import MetaRegression
from surrogacy.stats.meta_regression import (
    MetaRegressionData,
    between_trial_variance,
    coefficient_covariance,
    explained_heterogeneity,
    heterogeneity,
    interval_quantile,
    variance_limits,
    weighted_fit,
)
from tests.reference.datasets import rows
from tests.support.pinned_tables import pinned_trials

EXPECTED = json.loads(Path(__file__).with_suffix(".json").read_text())
SETS = tuple(EXPECTED)
METHODS = tuple(product(("reml", "dl", "pm"), ("z", "knapp-hartung", "ad-hoc")))
X_NEW = np.log([0.4, 0.6, 0.8])
# tau^2 of llovet-2019-pfs where the REML iteration of metafor stops by default (change below 1e-5)
STOPPED = 0.0029231084


def data_of(name):
    table = [row for row in rows("meta_regression.csv") if row["set"] == name]
    x, y, se = (np.array([float(row[key]) for row in table]) for key in ("y1", "y2", "se2"))
    return MetaRegressionData(y, se**2, np.column_stack([np.ones_like(x), x]))


@pytest.mark.parametrize("name", SETS)
def test_the_input_of_metafor_is_the_set_of_the_tables(name):
    effects = pinned_trials().analysis_set(name)
    table = [row for row in rows("meta_regression.csv") if row["set"] == name]
    assert [row["comparison"] for row in table] == list(effects.comparison)
    for i, key in enumerate(("y1", "y2")):
        assert [float(row[key]) for row in table] == pytest.approx(effects.log_hr[:, i], rel=1e-14)
        assert [float(row[f"se{key[1]}"]) for row in table] == pytest.approx(effects.se[:, i], rel=1e-14)


@pytest.mark.parametrize(("method", "interval"), METHODS)
@pytest.mark.parametrize("name", SETS)
def test_independent_comparisons(name, method, interval):
    expected, data = EXPECTED[name]["independent"][f"{method} {interval}"], data_of(name)
    tau2 = float(between_trial_variance(data, method))
    assert tau2 == pytest.approx(expected["tau2"], rel=1e-8, abs=1e-12)
    fit, df = weighted_fit(data, tau2), data.degrees_of_freedom
    assert fit.coefficients == pytest.approx(expected["coefficients"], rel=1e-8)
    covariance, quantile = coefficient_covariance(fit, df, interval), interval_quantile(interval, df)
    assert covariance == pytest.approx(np.array(expected["covariance"]), rel=1e-8)
    se = np.sqrt(np.diag(covariance))
    assert se == pytest.approx(expected["se"], rel=1e-8)
    assert fit.coefficients - quantile * se == pytest.approx(expected["low"], rel=1e-8)
    assert fit.coefficients + quantile * se == pytest.approx(expected["high"], rel=1e-8)
    limits = [float(limit) for limit in variance_limits(data)]
    assert limits == pytest.approx([expected["tau2_low"], expected["tau2_high"]], rel=1e-8, abs=1e-12)
    residual = heterogeneity(data, tau2)
    assert (residual.q, residual.p_value) == pytest.approx((expected["q"], expected["q_p"]), rel=1e-9)
    assert residual.i2 == pytest.approx(expected["i2"], rel=1e-8)
    explained = explained_heterogeneity(data, tau2, method)
    assert (explained or 0.0) == pytest.approx(expected["r2"], rel=1e-8)  # metafor prints 0 if there is none to explain


@pytest.mark.parametrize(("method", "interval"), METHODS)
@pytest.mark.parametrize("name", ["tactics-2022", "llovet-2019-pfs", "llovet-2019-ttp"])  # no shared control arm
def test_bands_and_thresholds_of_the_model(name, method, interval):
    expected = EXPECTED[name]["independent"][f"{method} {interval}"]
    result = MetaRegression(method, interval).fit(pinned_trials().analysis_set(name))
    predicted = result.line.predict(X_NEW)
    for values, key in zip(predicted, ("predicted", "prediction_low", "prediction_high"), strict=True):
        assert values == pytest.approx(expected[key], rel=1e-8)
    for level in (0.95, 0.8):
        threshold = expected[f"threshold_{level:.0%}".rstrip("%")]
        assert result.line.threshold(level).hr == (
            threshold if threshold is None else pytest.approx(threshold, rel=1e-8)
        )


@pytest.mark.parametrize("name", SETS)
def test_shared_control_arms_by_generalised_least_squares(name):
    expected = EXPECTED[name]["shared_control"]  # rma.mv, whose optimiser determines tau^2 to about 1e-8
    result = MetaRegression(interval="z").fit(pinned_trials().analysis_set(name))
    values = [result[key].value for key in ("intercept", "slope")]
    assert values == pytest.approx(expected["coefficients"], abs=1e-6)
    assert [result[key].se for key in ("intercept", "slope")] == pytest.approx(expected["se"], abs=1e-6)
    assert result["sigma_cond"].value ** 2 == pytest.approx(expected["tau2"], abs=1e-7)


@pytest.mark.parametrize(
    ("interval", "at_95", "at_80"),
    [("z", 0.6651, 0.7315), ("knapp-hartung", 0.6527, 0.7283), ("ad-hoc", 0.6468, 0.7253)],
)
def test_thresholds_at_the_default_convergence_of_metafor(interval, at_95, at_80):
    data = data_of("llovet-2019-pfs")
    assert between_trial_variance(data, "reml") == pytest.approx(STOPPED, abs=2e-6)
    fit = weighted_fit(data, STOPPED)
    assert fit.coefficients == pytest.approx([0.06921, 0.47529], abs=5e-6)
    covariance = coefficient_covariance(fit, 14, interval)

    def upper(log_hr, level):
        x = np.array([1.0, log_hr])
        return x @ fit.coefficients + interval_quantile(interval, 14, level) * np.sqrt(x @ covariance @ x + STOPPED)

    for level, threshold in ((0.95, at_95), (0.8, at_80)):
        # a unit of the last printed digit, because 0.6527 stands for 0.65276
        assert upper(np.log(threshold - 1e-4), level) < 0 < upper(np.log(threshold + 1e-4), level)
