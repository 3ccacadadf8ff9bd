"""Numbers and settings in words, the same in tables, captions and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import weights_in_words
from surrogacy.results.result import Result


def number(value: float | None, digits: int = 2) -> str:
    """A number for print, with a true minus sign and no minus zero."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def with_interval(estimate: Estimate, digits: int = 2) -> str:
    """``0.55 (−0.47 to 0.94)``; an interval that is the whole line is said to be unbounded."""
    value = number(estimate.value, digits)
    if estimate.low is None or estimate.high is None:
        return f"{value} (unbounded)" if estimate.unbounded else value
    return f"{value} ({number(estimate.low, digits)} to {number(estimate.high, digits)})"


def settings_in_words(result: Result) -> str:
    """Weights or within-trial correlation of a fit, as a footnote needs them."""
    if result.weights is not None:
        return f"weights: {weights_in_words(result.weights.name, result.effects)}"
    effects = result.effects
    assumed = np.unique(effects.rho_within[~effects.rho_known])
    words = (
        [f"rho_within {assumed[0]:g} (assumed)"] if len(assumed) and "prior_rho_within" not in result.settings else []
    )
    if effects.rho_known.any():
        words.append(f"rho_within as reported in {effects.rho_known.sum()}")
    return ", ".join(words + priors_in_words(result.settings))


def priors_in_words(settings: Mapping[str, Any]) -> list[str]:
    """Priors of a Bayesian fit, those that are the same for several parameters once."""
    names: dict[str, list[str]] = {}
    for key, prior in settings.items():
        if key.startswith("prior_"):
            names.setdefault(prior, []).append(key.removeprefix("prior_"))
    words = [
        f"{', '.join(parameters).replace('tau_surrogate, tau_final', 'tau')} {prior}"
        for prior, parameters in names.items()
    ]
    return [f"priors: {', '.join(words)}"] if words else []
