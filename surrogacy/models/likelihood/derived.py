"""Quantities that follow from the means and the covariance of the true effects, with their gradients."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray


def derived(psi: FloatArray, mu: FloatArray) -> tuple[dict[str, float | None], dict[str, FloatArray]]:
    """Quantities of the model and their gradients with respect to (mu1, mu2, T11, T12, T22).

    Parameters
    ----------
    psi : (3,) array
        T11, T12, T22.
    mu : (2,) array

    Returns
    -------
    values : dict of str to float or None
        None for a quantity that is not defined (the slope at T11 = 0).
    gradients : dict of str to (5,) array
        0 for a quantity without a gradient.
    """
    t11, t12, t22 = map(float, psi)
    tau1, tau2 = np.sqrt(t11), np.sqrt(t22)
    unit, zero = np.eye(5), np.zeros(5)
    slope = t12 / t11 if t11 > 0 else None
    d_slope = np.array([0, 0, -t12 / t11**2, 1 / t11, 0]) if t11 > 0 else zero
    rho = float(np.clip(t12 / (tau1 * tau2), -1, 1)) if t11 > 0 and t22 > 0 else None
    residual = max(t22 - t12**2 / t11, 0.0) if t11 > 0 else t22
    sigma = np.sqrt(residual if residual > 1e-12 * t22 else 0.0)
    values = {
        "mu_surrogate": float(mu[0]),
        "mu_final": float(mu[1]),
        "tau_surrogate": float(tau1),
        "tau_final": float(tau2),
        "slope": slope,
        "intercept": None if slope is None else float(mu[1] - slope * mu[0]),
        "rho_between": rho,
        "sigma_cond": None if slope is None else float(sigma),
    }
    gradients = {
        "mu_surrogate": unit[0],
        "mu_final": unit[1],
        "tau_surrogate": unit[2] / (2 * tau1) if tau1 > 0 else zero,
        "tau_final": unit[4] / (2 * tau2) if tau2 > 0 else zero,
        "slope": d_slope,
        "intercept": unit[1] - (slope or 0.0) * unit[0] - mu[0] * d_slope if slope is not None else zero,
        "rho_between": zero if rho is None else np.array([0, 0, -rho / (2 * t11), 1 / (tau1 * tau2), -rho / (2 * t22)]),
        "sigma_cond": zero if slope is None or sigma == 0 else np.array([0, 0, slope**2, -2 * slope, 1]) / (2 * sigma),
    }
    return values, gradients
