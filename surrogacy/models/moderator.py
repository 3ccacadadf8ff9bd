"""Moderators of the surrogacy line: one covariate with a value per comparison."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, FitError, UsageError
from surrogacy.results.labels import MODERATORS

NAMED = 6  # comparisons named in a sentence; the others are counted


@dataclass(frozen=True, eq=False)
class Moderator:
    """Moderator with one value per comparison.

    Parameters
    ----------
    name : str
    words : str
        Definition of the values.
    values : (k,) array
        NaN where not known.
    levels : tuple of str
        Names of the levels 0 and 1 of a moderator with two levels; empty for a numeric one.
    logarithmic : bool
        Whether the values are logarithms and are shown as ratios.
    sensitivity : (k, 2) array
        Derivatives of the value by the logs of the median PFS and OS of the control arm; 0 if it does not depend on
        them.
    caveats : tuple of Caveat
    definition : str
        Definition of a part of the value, in the words that a figure shows beside its name; empty without one.

    Examples
    --------
    >>> plain_moderator(np.array([1.0, np.nan, 2.0]), "dose").label(2.0)
    '2'
    """

    name: str
    words: str
    values: FloatArray
    levels: tuple[str, ...]
    logarithmic: bool
    sensitivity: FloatArray
    caveats: tuple[Caveat, ...] = ()
    definition: str = ""

    def known(self, effects: Effects) -> BoolArray:
        """(k,) True where the value is known and both endpoints are reported with standard errors.

        Raises
        ------
        UsageError
            If the numbers of values and comparisons differ.
        """
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
    """Moderator from an array of numbers; NaN where not known.

    Raises
    ------
    UsageError
        If a value is infinite or the array has more than one dimension.

    Examples
    --------
    >>> plain_moderator(np.array([1.0, np.nan, 2.0]), "dose").values
    array([ 1., nan,  2.])
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or np.isinf(values).any():
        raise UsageError(
            f"a moderator needs one finite number (or NaN) per comparison; got an array of shape {values.shape}"
        )
    return Moderator(name, words or name, values, (), False, np.zeros((len(values), 2)))


def factor_moderator(effects: Effects, factor: str) -> Moderator:
    """Moderator from a covariate of the effects.

    Numbers are taken as they are. Otherwise the two most frequent levels become 0 and 1 in alphabetical order.

    Raises
    ------
    UsageError
        If the effects do not have this covariate.
    FitError
        If it does not vary.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> factor_moderator(effects, "line").levels
    ('first', 'second')
    """
    texts = [text.strip() for text in covariate_values(effects, factor)]
    counted = Counter(text for text in texts if text)
    if len(counted) < 2:
        raise FitError(f"{factor} is {next(iter(counted), 'not stated')!r} in every comparison; a moderator must vary")
    zeros = np.zeros((len(effects), 2))
    try:
        numbers = np.array([float(text) if text else np.nan for text in texts])
    except ValueError:
        levels = tuple(sorted(level for level, _ in counted.most_common(2)))
        values = np.array([float(levels.index(text)) if text in levels else np.nan for text in texts])
        return Moderator(factor, f"{factor}: {levels[1]} against {levels[0]}", values, levels, False, zeros)
    return Moderator(factor, factor, numbers, (), False, zeros)


def covariate_values(effects: Effects, name: str) -> tuple[str, ...]:
    """Values of a covariate of the effects, one per comparison; empty where not stated.

    Raises
    ------
    UsageError
        If the effects do not have it.
    """
    if name not in effects.covariates:
        raise UsageError(f"the effects have no column {name!r}; they have {', '.join(effects.covariates) or 'none'}")
    return effects.covariates[name]


def left_out(effects: Effects, known: BoolArray, moderator: Moderator) -> tuple[Caveat, ...]:
    """Caveat on the comparisons without a value or an endpoint; empty if there are none."""
    names = [label for label, keep in zip(effects.labels, known, strict=True) if not keep]
    if not names:
        return ()
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    needs = "an endpoint" if effects.has_standard_errors.all() else "an endpoint or a standard error"
    value = MODERATORS.get(moderator.name, moderator.name)
    text = f"{len(names)} of {len(effects)} comparisons are left out because {value} or {needs} is not known ({listed})"
    return (Caveat(CaveatCode.LEFT_OUT, text),)
