"""Level of an interval: its default and its check."""

from __future__ import annotations

from typing import Any

from surrogacy.errors import UsageError

LEVEL = 0.95
LOWEST_PERCENTAGE = 50.0  # a number above 1 and below this is more likely a mistake than a percentage


def confidence_level(level: float) -> float:
    """Return a two-sided level as a number between 0 and 1.

    Parameters
    ----------
    level : float
        Between 0 and 1, or a percentage of at least 50 and below 100: 95 is read as 0.95.

    Returns
    -------
    float

    Raises
    ------
    UsageError
        For any other number.
    """
    try:
        value = float(level)
    except (TypeError, ValueError):
        value = float("nan")
    if LOWEST_PERCENTAGE <= value < 100:
        return value / 100
    if not 0 < value < 1:
        shown = f"{value:g}" if value == value else repr(level)
        raise UsageError(
            f"the level of an interval lies between 0 and 1, such as 0.95 (or 95, in percent); got {shown}"
        )
    return value


def settle_level(settings: Any) -> None:
    """Check the ``level`` of a frozen dataclass of settings and keep it as a number between 0 and 1.

    Raises
    ------
    UsageError
        As `confidence_level`.
    """
    object.__setattr__(settings, "level", confidence_level(settings.level))
