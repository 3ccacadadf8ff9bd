"""Surrogacy lines of two or more settings with exchangeable coefficients, sampled by NUTS.

    y_si ~ N2(theta_si, S_si),   theta_1si ~ N(mu_s, tau_s^2)
    theta_2si | theta_1si ~ N(level_s + slope_s (theta_1si - c), sigma_s^2)
    level_s ~ N(m_l, omega_l^2),   slope_s ~ N(m_b, omega_b^2),   log sigma_s ~ N(m_sigma, omega_sigma^2)

The model and priors are those of `surrogacy.models.exact.setting_pair`, which this model checks for two settings. The
parametrisation is non-centred. The true effects are integrated out.

References
----------
Papanikos, Thompson, Abrams, Städler, Ciani, Taylor, Bujkiewicz (2020), doi:10.1002/sim.8465.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.exact.setting_table import SettingPriors
from surrogacy.models.sampled.blocks import layouts, observe, regression_line
from surrogacy.models.sampled.nuts import random_variable, sample

COEFFICIENTS = ("level", "slope", "log_sigma")
BY_SETTING = ("level", "slope", "log_sigma", "r2_trial")


def build(sets: Sequence[Effects], priors: SettingPriors, centre: float) -> pm.Model:
    """PyMC model of two or more sets.

    Parameters
    ----------
    sets : sequence of Effects
    priors : SettingPriors
    centre : float
        Surrogate log hazard ratio at which the level of a line is defined.

    Raises
    ------
    FitError
        With fewer than two sets.
    """
    if len(sets) < 2:
        raise FitError(f"exchangeable settings need at least 2 sets; got {len(sets)}")
    with pm.Model() as model:
        values: dict[str, Any] = {}
        for name in COEFFICIENTS:
            mean = random_variable(f"mean_{name}", getattr(priors, name))
            spread = random_variable(f"spread_{name}", getattr(priors, f"spread_{name}"))
            standard = pm.Normal(f"z_{name}", shape=len(sets))
            values[name] = pm.Deterministic(name, mean + spread * standard)
        mu = random_variable("mu_surrogate", priors.mu, shape=len(sets))
        tau = random_variable("tau_surrogate", priors.tau_surrogate, shape=len(sets))
        sigma = pt.exp(values["log_sigma"])
        explained = (values["slope"] * tau) ** 2
        pm.Deterministic("r2_trial", explained / (explained + sigma**2))
        for i, effects in enumerate(sets):
            mean_final = values["level"][i] + values["slope"][i] * (mu[i] - centre)
            between = regression_line(values["slope"][i], sigma[i], tau[i])
            with pm.Model(name=f"setting_{i}"):
                observe(layouts(effects), (mu[i], mean_final), between)
    return model


def sample_settings(
    sets: Sequence[Effects],
    priors: SettingPriors,
    centre: float,
    *,
    draws: int = 5000,
    tune: int = 2000,
    chains: int = 4,
    seed: int = 0,
) -> dict[str, FloatArray]:
    """Sample the lines of two or more settings.

    Returns
    -------
    dict of arrays
        (chain, draw) arrays of the spreads; (chain, draw, setting) arrays of level, slope, log sigma and R2.
    """
    model = build(sets, priors, centre)
    tree = sample(model, draws=draws, tune=tune, chains=chains, seed=seed, target_accept=0.99, progress=False)
    names = (*BY_SETTING, *(f"spread_{name}" for name in COEFFICIENTS))
    return {name: np.asarray(tree["posterior"][name]) for name in names}
