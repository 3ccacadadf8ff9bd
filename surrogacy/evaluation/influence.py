"""What a result owes to single trials: estimates without each, and the regression diagnostics of each comparison.

Weighted regression, ``X`` the design (1, x), ``w`` the weights, ``e`` the residuals, ``k`` comparisons, ``p = 2`` coefficients,
``s^2 = sum w e^2 / (k - p)``:

    hat            h_i = w_i x_i' (X'WX)^-1 x_i                              sums to p
    internal       r_i = e_i sqrt(w_i) / (s sqrt(1 - h_i))
    external       t_i = r_i sqrt( (k - p - 1) / (k - p - r_i^2) )           residual in units of s without i; t, k - p - 1 df
    Cook           D_i = r_i^2 h_i / (p (1 - h_i))
    DFFITS         t_i sqrt( h_i / (1 - h_i) )
    DFBETAS_j      (b_j - b_j(i)) / ( s(i) sqrt( (X'WX)^-1_jj ) ),   b - b(i) = (X'WX)^-1 x_i w_i e_i / (1 - h_i)

They drop one comparison, not one trial; what drops a trial is `delete_one`.

References
----------
Belsley, Kuh, Welsch (1980), doi:10.1002/0471725153.
Cook (1977), doi:10.1080/00401706.1977.10489493.
IQWiG (2011), report A10-05: a surrogate is valid if the lower 95 % limit of the correlation is 0.85 at least, and lacks validity
if the upper one is 0.70 at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.grades import HIGH, LOW
from surrogacy.models.regression import WeightedRegression, weighted_least_squares
from surrogacy.models.weights import usable_comparisons, weights_of
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.result import LEVEL, Result
from surrogacy.stats.correlation import fisher_interval

QUESTIONS = {
    "slope_sign": "slope",
    "ste_prediction_status": "STE (prediction band)",
    "ste_confidence_status": "STE (confidence band)",
    "correlation_shown": "correlation, by its interval",
    "correlation_estimate": "correlation, point estimate",
}


def conclusions(result: Result) -> dict[str, str]:
    """What a reader would take from a result, in words; a question that the model does not ask is left out.

    Returns
    -------
    dict of str
        slope_sign (whether its interval holds 0), ste_*_status, correlation_shown (IQWiG's category, by the 95 % limits) and
        correlation_estimate (where the point estimate lies by the same limits).
    """
    found: dict[str, str] = {}
    slope = result.estimates.get("slope")
    if slope is not None and not isinstance(slope, ThresholdEffect):
        found["slope_sign"] = "not told from 0" if slope.unbounded else slope_words(slope.low, slope.high)
    for name, estimate in result.estimates.items():
        if isinstance(estimate, ThresholdEffect) and f"{name}_status" in QUESTIONS:
            found[f"{name}_status"] = estimate.status
    correlation = _correlation(result)
    if correlation is not None:
        value, low, high = correlation
        found["correlation_shown"] = correlation_category(low, high)
        found["correlation_estimate"] = correlation_category(value, value, point=True)
    return found


def slope_words(low: float | None, high: float | None) -> str:
    """Whether an interval of the slope excludes 0."""
    if low is None or high is None:
        return "no interval"
    return "above 0" if low > 0 else "below 0" if high < 0 else "not told from 0"


def correlation_category(low: float | None, high: float | None, *, point: bool = False) -> str:
    """Category of a correlation by its limits.

    Parameters
    ----------
    low, high : float or None
        95 % limits; twice the estimate if ``point``.
    point : bool
        Whether it is the estimate that is sorted: what lies between the limits is then ``medium``, not ``unclear``.
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return "not defined" if point else "no interval"
    if low >= HIGH:
        return "high"
    if high <= LOW:
        return "low"
    return "medium" if point else "unclear"


def pivotal_trials(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Single trials without which a conclusion would be another one, in plain words.

    Parameters
    ----------
    records : sequence of dict
        As `delete_one` returns them.

    Returns
    -------
    list of str
        One entry a trial and conclusion; empty if none hangs on one trial.
    """
    whole = next(record for record in records if not record["left_out"])
    sentences = []
    for record in records:
        if not record["left_out"]:
            continue
        trial = record["left_out"]
        if "problem" in record:
            sentences.append(f"without {trial}: no fit ({record['problem']})")
            continue
        sentences += [
            f"without {trial}: {words} {record.get(name, 'not defined')}, with it {whole[name]}"
            for name, words in QUESTIONS.items()
            if name in whole and record.get(name) != whole[name]
        ]
    return sentences


def regression_diagnostics(effects: Effects, model: WeightedRegression | None = None) -> list[dict[str, Any]]:
    """Leverage, residuals and influence of every comparison on a weighted regression; formulas above.

    Parameters
    ----------
    effects : Effects
    model : WeightedRegression, optional
        Its weights are used; default: number of patients.

    Returns
    -------
    list of dict
        One record a comparison that is in the fit: comparison, trial, label, weight (share), fitted, residual, hat, internal,
        external, cooks_distance, dffits, dfbetas_intercept, dfbetas_slope. ``external``, ``dffits`` and ``dfbetas_*`` are None
        with three comparisons or where the others lie on one line; all but ``hat`` are None at a leverage of 1.

    Raises
    ------
    FitError
        With fewer than three usable comparisons, or where the surrogate effect does not vary.
    """
    chosen = model or WeightedRegression()
    data, _ = usable_comparisons(effects, chosen.weights)
    weights, _ = weights_of(data, chosen.weights)
    x, y = data.log_hr.T
    if np.ptp(x) == 0:
        raise FitError(f"{effects.name or 'these effects'}: every surrogate effect is the same, no line can be fitted")
    coefficients, _, scale = weighted_least_squares(x, y, weights)
    k, p = len(y), 2
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ (weights[:, None] * design))
    residual = y - design @ coefficients
    hat = weights * np.einsum("ij,jk,ik->i", design, bread, design)
    left = 1.0 - hat  # 0 where the line must pass through the comparison
    with np.errstate(divide="ignore", invalid="ignore"):
        internal = residual * np.sqrt(weights) / np.sqrt(scale * left)
        others = (k - p - internal**2) / (k - p - 1) if k > p + 1 else np.full(k, np.nan)  # s(i)^2 / s^2
        others = np.where(others > 1e-12, others, np.nan)
        external = internal / np.sqrt(others)
        step = (design @ bread) * (weights * residual / left)[:, None]
        dfbetas = step / np.sqrt(scale * others)[:, None] / np.sqrt(np.diag(bread))
        cook = internal**2 * hat / (p * left)
        dffits = external * np.sqrt(hat / left)
    columns = {
        "internal": internal,
        "external": external,
        "cooks_distance": cook,
        "dffits": dffits,
        "dfbetas_intercept": dfbetas[:, 0],
        "dfbetas_slope": dfbetas[:, 1],
    }
    records = []
    for i in range(k):
        record: dict[str, Any] = {"comparison": data.comparison[i], "trial": data.trial[i], "label": data.labels[i]}
        record |= {"weight": float(weights[i] / weights.sum()), "fitted": float(design[i] @ coefficients)}
        record |= {"residual": float(residual[i]), "hat": float(hat[i])}
        defined = left[i] > 1e-9
        for name, values in columns.items():
            record[name] = float(values[i]) if defined and np.isfinite(values[i]) else None
        records.append(record)
    return records


def _correlation(result: Result) -> tuple[float, float | None, float | None] | None:
    """Correlation with its limits: as reported, or that of a regression, the root of its R2 with the sign of its slope."""
    for name in ("r", "rho_between"):
        found = result.estimates.get(name)
        if found is not None and not isinstance(found, ThresholdEffect):
            return (float("nan") if found.value is None else found.value), found.low, found.high
    slope, square = result.estimates.get("slope"), result.estimates.get("r2_trial")
    if slope is None or square is None or isinstance(slope, ThresholdEffect) or isinstance(square, ThresholdEffect):
        return None
    r = float(np.sign(slope.value or 0.0) * np.sqrt(square.value or 0.0))
    low, high = fisher_interval(r, len(result.effects.trials), square.level or LEVEL)
    return r, low, high
