"""Moderators of the surrogacy line: a covariate per comparison."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, FitError, UsageError

NAMED = 6  # comparisons named in a sentence before it only counts them


@dataclass(frozen=True, eq=False)
class Moderator:
    """One value for every comparison of some effects.

    Parameters
    ----------
    name : str
    words : str
        What the values are, with the definition of a PPS.
    values : (k,) array
        NaN where not known.
    levels : tuple of str
        Of a moderator with two levels: the words for 0 and for 1; empty for numbers.
    logarithmic : bool
        Whether values are logs, shown as ratios.
    sensitivity : (k, 2) array
        Derivatives of the value by the logs of the control arm's median PFS and OS; 0 where it does not rest on them.
    caveats : tuple of Caveat
    """

    name: str
    words: str
    values: FloatArray
    levels: tuple[str, ...]
    logarithmic: bool
    sensitivity: FloatArray
    caveats: tuple[Caveat, ...] = ()

    def known(self, effects: Effects) -> BoolArray:
        """(k,) True where the value is known and both endpoints were reported with standard errors."""
        if len(self.values) != len(effects):
            raise UsageError(
                f"the moderator {self.name} has {len(self.values)} values, the effects {len(effects)} comparisons"
            )
        return np.isfinite(self.values) & effects.complete & effects.has_standard_errors

    def label(self, value: float) -> str:
        """A value in words."""
        if self.levels:
            return self.levels[round(value)]
        return f"{np.exp(value):.2g}" if self.logarithmic else f"{value:.3g}"


def plain_moderator(values: FloatArray, name: str = "moderator", words: str = "") -> Moderator:
    """Numbers from elsewhere as a moderator, NaN where not known.

    Examples
    --------
    >>> plain_moderator(np.array([1.0, np.nan, 2.0]), "dose").label(2.0)
    '2'
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or np.isinf(values).any():
        raise UsageError(
            f"a moderator is one finite number (or NaN) a comparison; got an array of shape {values.shape}"
        )
    return Moderator(name, words or name, values, (), False, np.zeros((len(values), 2)))


def factor_moderator(effects: Effects, factor: str) -> Moderator:
    """A factor of the effects: numbers as they are, else its two commonest levels as 0 and 1 in alphabetical order.

    Raises
    ------
    UsageError
        If the effects have no such factor.
    FitError
        If it does not vary.
    """
    if factor not in effects.covariates:
        raise UsageError(f"the effects have no factor {factor!r}; they have {', '.join(effects.covariates) or 'none'}")
    found = [value.strip() for value in effects.covariates[factor]]
    counted = Counter(value for value in found if value)
    if len(counted) < 2:
        raise FitError(f"{factor} is {next(iter(counted), 'not stated')!r} in every comparison; a moderator must vary")
    zeros = np.zeros((len(effects), 2))
    try:
        numbers = np.array([float(value) if value else np.nan for value in found])
    except ValueError:
        levels = tuple(sorted(level for level, _ in counted.most_common(2)))
        values = np.array([float(levels.index(value)) if value in levels else np.nan for value in found])
        return Moderator(factor, f"{factor}: {levels[1]} against {levels[0]}", values, levels, False, zeros)
    return Moderator(factor, factor, numbers, (), False, zeros)


def left_out(effects: Effects, known: BoolArray, moderator: Moderator) -> tuple[Caveat, ...]:
    """Caveat on the comparisons without a value or an endpoint; none if there are none."""
    names = [label for label, keep in zip(effects.labels, known, strict=True) if not keep]
    if not names:
        return ()
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    needs = "an endpoint" if effects.has_standard_errors.all() else "an endpoint or a standard error"
    text = (
        f"left out, as {moderator.name} or {needs} is not known: {len(names)} of {len(effects)} comparisons ({listed})"
    )
    return (Caveat(CaveatCode.LEFT_OUT, text),)
