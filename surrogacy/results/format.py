"""Numbers, percentages, intervals and settings as text, the same in tables, captions, figures and on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import weights_in_words
from surrogacy.results.result import Result

ABSENT = "–"
SHARE_DISPLAY_LIMIT = 2.0  # limits of a share beyond it differ by the draw, and mean the same


def number(value: float | None, digits: int = 2) -> str:
    """Return a number for print, with a true minus sign and no minus zero."""
    if value is None or not np.isfinite(value):
        return ABSENT
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference for print: ``+0.10`` or ``−0.10``."""
    return ABSENT if value is None else f"{value:+.{digits}f}".replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return ABSENT if value is None else f"{number(100 * value, digits)}%"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Return ``−0.47 to 0.94``."""
    return f"{number(low, digits)} to {number(high, digits)}"


def value_and_interval(value: float | None, low: float | None, high: float | None, digits: int = 2) -> str:
    """Return ``0.55 (−0.47 to 0.94)``."""
    return f"{number(value, digits)} ({interval(low, high, digits)})"


def with_interval(estimate: Estimate, digits: int = 2) -> str:
    """Return ``0.55 (−0.47 to 0.94)``; an interval that is the whole line is called unbounded."""
    if estimate.low is None or estimate.high is None:
        value = number(estimate.value, digits)
        return f"{value} (unbounded)" if estimate.unbounded else value
    return value_and_interval(estimate.value, estimate.low, estimate.high, digits)


def share_with_interval(share: Estimate) -> str:
    """Return ``31% (4% to 189%)``, or ``31% (unbounded)``; a limit beyond 200% either way is only called beyond."""
    if share.value is None:
        return ABSENT
    value = _share(share.value)
    if share.low is None or share.high is None:
        return f"{value} ({'unbounded' if share.unbounded else 'no interval'})"
    return f"{value} ({_share(share.low)} to {_share(share.high)})"


def _share(value: float) -> str:
    if abs(value) > SHARE_DISPLAY_LIMIT:
        return f"{'beyond −' if value < 0 else 'beyond '}{percent(SHARE_DISPLAY_LIMIT)}"
    return percent(value)


def months(value: float | None) -> str:
    """Return months without decimals, or that no length will do."""
    return "none will do" if value is None else number(value, 0)


def yes_or_blank(value: bool | None) -> str:
    """Return ``yes`` for True, else nothing."""
    return "yes" if value is True else ""


def cell(value: Any, digits: int = 2, labels: Mapping[str, str] | None = None) -> str:
    """Return the value of a table: a number with so many digits, a word by its label, a dash if there is none."""
    if value is None or isinstance(value, float):
        return number(value, digits)
    return (labels or {}).get(str(value), str(value))


def settings_in_words(result: Result) -> str:
    """Return weights or within-trial correlation of a fit, as a footnote needs them."""
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
    """Return the priors of a Bayesian fit, those that are the same for several parameters once."""
    names: dict[str, list[str]] = {}
    for key, prior in settings.items():
        if key.startswith("prior_"):
            names.setdefault(prior, []).append(key.removeprefix("prior_"))
    words = [
        f"{', '.join(parameters).replace('tau_surrogate, tau_final', 'tau')} {prior}"
        for prior, parameters in names.items()
    ]
    return [f"priors: {', '.join(words)}"] if words else []
