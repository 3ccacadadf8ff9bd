"""Simulated effects that several tests fit, and the estimates that each model must give."""

from __future__ import annotations

import numpy as np

from surrogacy.effects import Effects
from surrogacy.models import REGISTRY
from surrogacy.trials import read_pairs

SAMPLED = frozenset(name for name, entry in REGISTRY.items() if entry[0].startswith("surrogacy.models.sampled."))
BIVARIATE = {
    "mu_surrogate",
    "mu_final",
    "tau_surrogate",
    "tau_final",
    "rho_between",
    "r2_trial",
    "intercept",
    "slope",
    "sigma_cond",
    "ste_prediction",
    "ste_confidence",
    "loglik",
}
NEEDED = {  # a model that is not listed must keep the contract, whatever it estimates
    "weighted-pearson": {"r", "r2_trial", "spearman"},
    "weighted-regression": {"intercept", "slope", "r2_trial", "sigma_resid", "ste_prediction", "ste_confidence"},
    "bivariate-ml": BIVARIATE,
    "bivariate-reml": BIVARIATE,
    "bivariate-bayes": (BIVARIATE - {"loglik"})
    | {"ste_prediction_80", "prior_overlap", "log_marginal_likelihood", "grid_error"},
    "daniels-hughes": {"intercept", "slope", "sigma_cond", "ste_prediction", "ste_confidence", "ste_prediction_80"},
}


def simulated(k, seed=0, rho_between=0.8, tau=(0.3, 0.2), se=(0.15, 0.18), rho_within=0.5):
    generator = np.random.default_rng(seed)
    psi = np.outer(tau, tau) * np.array([[1, rho_between], [rho_between, 1]])
    s = np.outer(se, se) * np.array([[1, rho_within], [rho_within, 1]])
    y = generator.multivariate_normal([-0.3, -0.1], psi + s, size=k)
    return Effects.from_arrays(y, np.tile(se, (k, 1)), rho_within, n=generator.integers(100, 900, k), name="simulated")


def full_covariance(effects, between=0.0):
    """Covariance of all estimates, endpoints side by side, ``between`` that of the true effects of a comparison."""
    k = len(effects)
    return np.block(
        [[effects.covariance_between(i, j) + (between if i == j else 0.0) for j in range(k)] for i in range(k)]
    )


def made_up(k, seed, name, rho=0.9):
    generator = np.random.default_rng(seed)
    true = generator.multivariate_normal([-0.3, -0.1], np.array([[0.09, rho * 0.06], [rho * 0.06, 0.04]]), size=k)
    names = [f"{name}{i}" for i in range(k)]
    se = np.full((k, 2), 0.03)
    return Effects.from_arrays(
        true + 0.03 * generator.standard_normal((k, 2)), se, 0.0, np.full(k, 500), names, name=name
    )


def example():
    """24 comparisons; sums and products of fixed sequences, no generator."""
    i = np.arange(24)
    z = np.round(np.sin(2.3 * i) + 0.4 * np.cos(5.1 * i), 3)
    true = -0.35 + 0.3 * np.sin(1.7 * i + 0.4)
    se = np.column_stack([0.1 + 0.06 * np.abs(np.sin(i)), 0.12 + 0.05 * np.abs(np.cos(3 * i))])
    surrogate = true + se[:, 0] * np.sin(7.7 * i)
    final = 0.02 + 0.03 * z + (0.55 - 0.2 * z) * true + 0.08 * np.cos(4.3 * i) + se[:, 1] * np.sin(7.7 * i + 1.0)
    return Effects.from_arrays(np.round(np.column_stack([surrogate, final]), 4), np.round(se, 4)), z


def effects_of(path):
    """Effects of the table of a user, with its surrogates in the order of the table."""
    trials = read_pairs(path)
    return trials.pair(trials.surrogates)
