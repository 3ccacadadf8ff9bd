"""Words of the bubble plot: endpoints of its axis, correlation, equation and threshold."""

from __future__ import annotations

import numpy as np

from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import interval, number, percent
from surrogacy.results.result import Result

SYMBOLS = {"r": "r", "rho_between": "r of the true effects", "r2_trial": "Trial-level R²", "sigma_cond": "Residual SD"}
COMMONEST_FIRST = ("PFS", "TTP")


def surrogate_words(effects: Effects) -> str:
    """Return the surrogate endpoints of the axis: ``PFS or TTP``; a variant of PFS is not listed beside PFS."""
    names = list(surrogate_names(effects))
    shown = [name for name in names if not ("PFS" in names and name.endswith("-PFS"))]
    shown.sort(key=lambda name: COMMONEST_FIRST.index(name) if name in COMMONEST_FIRST else len(COMMONEST_FIRST))
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def effect_words(effects: Effects, comparison: str) -> str:
    """Return both hazard ratios of a comparison with their endpoints: ``PFS 0.26, OS 0.28``."""
    row = effects.comparison.index(comparison)
    values = zip(("surrogate", "final"), np.exp(effects.log_hr[row]), strict=True)
    return ", ".join(f"{endpoint_of(effects, row, side)} {number(value)}" for side, value in values)


def summary(result: Result, correlation: Estimate | None = None) -> list[str]:
    """Return the correlation with its interval, and the numbers of comparisons, trials and patients."""
    effects = result.effects
    shown = {"r": correlation} if correlation is not None else {name: result.estimate(name) for name in SYMBOLS}
    lines = []
    for name, estimate in shown.items():
        if estimate.value is None:
            continue
        known = estimate.low is not None and estimate.high is not None
        limits = f" ({percent(estimate.level)} CI {interval(estimate.low, estimate.high)})" if known else ""
        boundary = ", boundary solution" if result.on_boundary and correlation is None else ""
        lines.append(f"{SYMBOLS[name]} = {number(estimate.value)}{limits}{boundary}")
        break
    patients = f", {effects.n_patients:,.0f} patients" if np.isfinite(effects.n_patients) else ""
    lines.append(f"{result.size} comparisons, {len(effects.trials)} trials{patients}")
    return lines


def equation(result: Result) -> list[str]:
    """Return the equation of the line, in log hazard ratios; nothing without a line."""
    if result.line is None:
        return []
    sign = "+" if result.line.slope >= 0 else "−"
    names = surrogate_names(result.effects)
    surrogate = names[0] if len(names) == 1 else "surrogate"
    term = f"{sign} {number(abs(result.line.slope))} log HR({surrogate})"
    return [f"log HR({final_name(result.effects)}) = {number(result.line.intercept)} {term}"]


def threshold_label(threshold: ThresholdEffect) -> str:
    """Return the surrogate threshold effect with its interval, or why there is none."""
    if threshold.hr is None:
        return threshold.value_words
    if threshold.status == "two-sided":
        return f"STE {threshold.value_words}"
    limits = threshold.uncertainty
    interval_words = "" if limits is None or limits.low is None else f" ({interval(limits.low, limits.high)})"
    outside = ", outside the data" if threshold.status == "outside-data" else ""
    return f"STE {number(threshold.hr)}{interval_words}{outside}"
