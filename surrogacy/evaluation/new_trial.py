"""A new trial whose final effect is to be predicted, with checks of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surrogacy.errors import Fault, UsageError
from surrogacy.results.levels import LEVEL, settle_level
from surrogacy.trials.rows import Row
from surrogacy.trials.rules.effect_rules import RATIO_COLUMNS, check_order, check_symmetry
from surrogacy.trials.standard_errors import standard_error_from_interval

ARGUMENTS = dict(zip(RATIO_COLUMNS, ("HR", "LOW", "HIGH"), strict=True))


@dataclass(frozen=True)
class NewTrial:
    """Surrogate effect of a new trial, and its size.

    Parameters
    ----------
    hr, low, high : float
        Surrogate hazard ratio and its confidence limits, ``0 < low < hr < high``.
    rho_within : float
        Within-trial correlation, in [-1, 1].
    n : float or None
        Patients; None = not stated.
    level : float
        Level of the limits.

    Raises
    ------
    UsageError
        If a value lies outside its range.
    """

    hr: float
    low: float
    high: float
    rho_within: float = 0.5
    n: float | None = None
    level: float = LEVEL

    def __post_init__(self) -> None:
        settle_level(self)
        if not 0 < self.low < self.hr < self.high or not np.isfinite(self.high):
            shown = " ".join(f"{value:g}" for value in (self.hr, self.low, self.high))
            raise UsageError(_refusal(shown, "the limits do not enclose the hazard ratio"))
        check_rho_within(self.rho_within)
        check_size(self.n)

    @property
    def log_hr(self) -> float:
        """Surrogate log hazard ratio."""
        return float(np.log(self.hr))

    @property
    def se(self) -> float:
        """Standard error of the surrogate log hazard ratio, from the limits."""
        return standard_error_from_interval(self.low, self.high, self.level)


@dataclass(frozen=True)
class PredictedTrial:
    """New trial with the prediction intervals of its final effect.

    Parameters
    ----------
    label : str
    log_hr, low, high : float
        Surrogate log hazard ratio and its 95 % limits.
    predicted : float
        Predicted final log hazard ratio.
    low_80, high_80, low_95, high_95 : float
        Prediction intervals, log hazard ratios.
    identifier : str
        Name of the symbol, by which a page shows its numbers.
    """

    label: str
    log_hr: float
    low: float
    high: float
    predicted: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float
    identifier: ClassVar[str] = ":new trial"  # no comparison has a name with a colon at its beginning


def parse_new_trial(
    texts: Sequence[str], rho_within: float = 0.5, n: float | None = None
) -> tuple[NewTrial, tuple[str, ...]]:
    """Read a new trial from the command line, by the rules for a row of a table of effects.

    The number of decimals gives the rounding error. Limits that are less symmetric about the hazard ratio on the log
    scale than rounding explains are most likely a typing error.

    Parameters
    ----------
    texts : sequence of str
        Hazard ratio, lower and upper 95 % limit.
    rho_within : float
    n : float, optional

    Returns
    -------
    new_trial : NewTrial
    warnings : tuple of str
        Warnings about limits that are slightly asymmetric.

    Raises
    ------
    UsageError
        If a text is not a number, the limits do not enclose the hazard ratio, or they are clearly asymmetric about it.

    Examples
    --------
    >>> new_trial, warnings = parse_new_trial(["0.60", "0.45", "0.80"])
    >>> f"{new_trial.se:.3f}", warnings
    ('0.147', ())
    """
    shown = " ".join(texts)
    try:
        hr, low, high = (float(text) for text in texts)
    except ValueError as error:
        raise UsageError(_refusal(shown, "three numbers are needed")) from error
    row = Row("--predict", cells=dict(zip(RATIO_COLUMNS, texts, strict=True)))
    faults = [fault for rule in (check_order, check_symmetry) for fault in rule(row)]
    for fault in faults:
        if fault.severity == "error":
            raise UsageError(_refusal(shown, _sentence(fault)))
    new_trial = NewTrial(hr, low, high, rho_within, n)
    return new_trial, tuple(f"--predict {shown}: {_sentence(fault)}" for fault in faults if fault.severity == "warning")


def check_rho_within(rho_within: float) -> None:
    """Refuse a within-trial correlation outside [-1, 1].

    Raises
    ------
    UsageError
    """
    if not abs(rho_within) <= 1:
        raise UsageError(f"the within-trial correlation must lie in [-1, 1]; got {rho_within:g}")


def check_size(n: float | None) -> None:
    """Refuse a size of a new trial that is not above 0; an infinite size stands for the true effect.

    Raises
    ------
    UsageError
    """
    if n is not None and not n > 0:
        raise UsageError(f"the size of the new trial must be above 0; got {n:g}")


def _refusal(shown: str, reason: str) -> str:
    return f"--predict {shown}: {reason}; give the hazard ratio and its lower and upper 95 % limit, 0 < LOW < HR < HIGH"


def _sentence(fault: Fault) -> str:
    """Rule and remedy of a fault, with the names of the arguments instead of columns."""
    text = f"{fault.rule}: {fault.fix}".replace(", or name the column log_hr", "")
    for column, argument in ARGUMENTS.items():
        text = text.replace(f"{column} ", f"{argument} ")
    return text
