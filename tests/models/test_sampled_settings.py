"""Exchangeable settings by NUTS: agreement with the exact posterior, and more than two settings."""

import numpy as np
import pytest

from surrogacy.errors import FitError
from surrogacy.models.exact.setting_pair import LEVEL, LOG_SIGMA, SLOPE, SettingPair
from surrogacy.models.exact.setting_table import SettingPriors, common_centre, tabulate
from surrogacy.models.sampled.agreement import TOLERANCE
from surrogacy.models.sampled.diagnostics import quantile_errors
from surrogacy.models.sampled.exchangeable_settings import build, sample_settings
from tests.support.effects import simulated

PROBABILITIES = (0.025, 0.5, 0.975)
ROUNDING = 0.003  # of R2, whose density is infinite at 0


def differences(draws, quantiles, rounding=0.0):
    """Differences of quantiles in Monte Carlo errors."""
    by_draws, errors = np.quantile(draws, PROBABILITIES), np.array(quantile_errors(draws))
    return np.maximum(np.abs(by_draws - quantiles) - rounding, 0.0) / errors


@pytest.mark.slow
@pytest.mark.parametrize("sets", [("tactics-2022", "llovet-2019-pfs"), ("intermediate", "advanced")])
def test_exact_posterior_agrees_with_nuts(trials, sets):
    effects, priors = [trials.analysis_set(name) for name in sets], SettingPriors()
    centre = common_centre(*effects)
    draws = sample_settings(effects, priors, centre, draws=2500, seed=2)
    pair = SettingPair(tuple(tabulate(each, priors, centre) for each in effects), priors)
    found = {}
    for axis, name in ((LEVEL, "level"), (SLOPE, "slope"), (LOG_SIGMA, "log_sigma")):
        values = draws[name]
        for setting in (0, 1):
            quantiles = pair.coefficient(setting, axis).quantiles(PROBABILITIES)
            found[name, setting] = differences(values[..., setting], quantiles)
        difference = pair.difference(axis)
        found[name, "difference"] = differences(values[..., 0] - values[..., 1], difference.quantiles(PROBABILITIES))
        found[name, "spread"] = differences(draws[f"spread_{name}"], pair.spread(axis).quantiles(PROBABILITIES))
        smaller = float((values[..., 0] < values[..., 1]).mean())
        assert float(difference.cdf(0.0)) == pytest.approx(smaller, abs=0.03)
    r2 = draws["r2_trial"]
    for setting in (0, 1):
        quantiles = pair.r2_quantiles(setting, PROBABILITIES)
        found["r2", setting] = differences(r2[..., setting], quantiles, ROUNDING)
    quantiles = pair.r2_difference().quantiles(PROBABILITIES)
    found["r2", "difference"] = differences(r2[..., 0] - r2[..., 1], quantiles, ROUNDING)
    beyond = {name: values for name, values in found.items() if values.max() > TOLERANCE}
    assert not beyond


@pytest.mark.slow
def test_three_settings():
    sets = [simulated(6, seed=seed) for seed in range(3)]
    draws = sample_settings(sets, SettingPriors(), -0.2, draws=200, tune=500, chains=2)
    assert draws["slope"].shape == (2, 200, 3)
    assert np.all((draws["r2_trial"] >= 0) & (draws["r2_trial"] <= 1))


def test_one_setting_is_refused():
    with pytest.raises(FitError, match="at least 2 sets; got 1"):
        build([simulated(6)], SettingPriors(), -0.2)
