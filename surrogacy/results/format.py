"""Numbers, percentages, intervals and settings as text, the same in tables, captions, figures and on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surrogacy.effects import Effects
from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import PARAMETERS, SURROGATE_ERRORS, VARIANCE_ESTIMATORS, weights_in_words
from surrogacy.results.result import Result

ABSENT = "–"
SHARE_DISPLAY_LIMIT = 2.0  # the exact value of a limit beyond it is Monte Carlo noise


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with a typographic minus sign and without a negative zero."""
    if value is None or not np.isfinite(value):
        return ABSENT
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference with its sign: ``+0.10`` or ``−0.10``."""
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
    """Return ``0.55 (−0.47 to 0.94)``, or ``0.55 (unbounded)``."""
    if estimate.low is None or estimate.high is None:
        value = number(estimate.value, digits)
        return f"{value} (unbounded)" if estimate.unbounded else value
    return value_and_interval(estimate.value, estimate.low, estimate.high, digits)


def share_with_interval(share: Estimate) -> str:
    """Return ``31% (4% to 189%)`` or ``31% (unbounded)``; a limit outside ±200% is given as beyond 200% or −200%."""
    if share.value is None:
        return ABSENT
    value = _share(share.value)
    if share.low is None or share.high is None:
        return f"{value} ({'unbounded' if share.unbounded else 'no interval'})"
    return f"{value} ({shares_interval(share.low, share.high)})"


def shares_interval(low: float, high: float) -> str:
    """Return ``15% to 65%``; a limit outside ±200% is given as beyond 200% or −200%."""
    return f"{_share(low)} to {_share(high)}"


def _share(value: float) -> str:
    if abs(value) > SHARE_DISPLAY_LIMIT:
        return f"{'beyond −' if value < 0 else 'beyond '}{percent(SHARE_DISPLAY_LIMIT)}"
    return percent(value)


def as_given(value: float) -> str:
    """Return a number that a user gave, with at least two decimals.

    Examples
    --------
    >>> as_given(0.7), as_given(0.625)
    ('0.70', '0.625')
    """
    return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


def listed(names: Sequence[str]) -> str:
    """Return names as an enumeration.

    Examples
    --------
    >>> listed(["A"]), listed(["A", "B", "C"])
    ('A', 'A, B and C')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def months(value: float | None) -> str:
    """Return months without decimals, or ``none will do`` without a value."""
    return "none will do" if value is None else number(value, 0)


def yes_or_blank(value: bool | None) -> str:
    """Return ``yes`` for True, otherwise an empty text."""
    return "yes" if value is True else ""


def cell(value: object, digits: int = 2, labels: Mapping[str, str] | None = None) -> str:
    """Return the text of a table cell: a number with so many digits, the label of a word, a dash for no value."""
    if value is None or isinstance(value, float):
        return number(value, digits)
    return (labels or {}).get(str(value), str(value))


def settings_in_words(result: Result) -> str:
    """Return the weights or the between-trial variance, the within-trial correlation and the priors, for a footnote."""
    if result.weights is not None:
        return f"weights: {weights_in_words(result.weights.name, result.effects)}"
    effects = result.effects
    words = meta_regression_in_words(result.settings)
    if words and "rho_within" not in result.settings:  # the model does not use the within-trial correlation
        return ", ".join(words)
    assumed = assumed_correlation(effects)
    if assumed and "prior_rho_within" not in result.settings:
        words.append(f"within-trial correlation {assumed}")
    if effects.rho_known.any():
        words.append(f"within-trial correlation as reported in {effects.rho_known.sum()} comparisons")
    return ", ".join(words + priors_in_words(result.settings))


def assumed_correlation(effects: Effects) -> str:
    """Return the within-trial correlation where none is reported: one number, or the range by trial; else empty."""
    assumed = effects.rho_within[~effects.rho_known]
    if not len(assumed):
        return ""
    if len(np.unique(assumed)) == 1:
        return f"{assumed[0]:g} (assumed)"
    return f"by trial, median {number(np.median(assumed))} ({number(assumed.min())} to {number(assumed.max())})"


def meta_regression_in_words(settings: Mapping[str, object]) -> list[str]:
    """Return the estimator of the between-trial variance and the treatment of surrogate errors, if there are any."""
    if "tau2" not in settings:
        return []
    estimator = VARIANCE_ESTIMATORS[str(settings["tau2"])]
    errors = SURROGATE_ERRORS[str(settings["surrogate_errors"])]
    return [f"between-trial variance by {estimator}", f"sampling errors of the surrogate effects {errors}"]


def priors_in_words(settings: Mapping[str, object]) -> list[str]:
    """Return the priors of a Bayesian fit; parameters with the same prior are named together."""
    parameters: dict[str, list[str]] = {}
    for key, prior in settings.items():
        if key.startswith("prior_"):
            parameters.setdefault(str(prior), []).append(key.removeprefix("prior_"))
    words = [f"{_parameters_in_words(names)} {prior}" for prior, names in parameters.items()]
    return [f"priors: {', '.join(words)}"] if words else []


def _parameters_in_words(names: Sequence[str]) -> str:
    both = {"tau_surrogate", "tau_final"} <= set(names)
    known = dict.fromkeys("tau" if both and name in ("tau_surrogate", "tau_final") else name for name in names)
    return " and ".join(PARAMETERS.get(name, name.replace("_", " ")) for name in known)


def capitalised(text: str) -> str:
    """Return a text with a capital letter; a word such as ``mRECIST`` stays as it is.

    Examples
    --------
    >>> capitalised("open-label"), capitalised("cTACE alone"), capitalised("")
    ('Open-label', 'cTACE alone', '')
    """
    return text if text[1:2].isupper() else f"{text[:1].upper()}{text[1:]}"
