"""Types of arrays, and checks of the arrays of a caller: type, shape and range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from surrogacy.errors import UsageError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]


def numbers(name: str, values: npt.ArrayLike) -> FloatArray:
    """Return an array of numbers.

    Raises
    ------
    UsageError
        If a value is not a number.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must contain only numbers: {error}") from error


def read_only(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return a copy that cannot be changed in place.

    Examples
    --------
    >>> read_only([1.0, 2.0]).flags.writeable
    False
    """
    array = np.array(values)
    array.setflags(write=False)
    return array


def broadcast(name: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Return numbers broadcast to a shape.

    Raises
    ------
    UsageError
        If the shapes do not match.
    """
    array = numbers(name, values)
    try:
        return np.broadcast_to(array, shape)
    except ValueError as error:
        raise UsageError(
            f"{name} has shape {array.shape}; {shape[0]} comparisons need a single number, or shape {shape}"
        ) from error


def counts(name: str, values: npt.ArrayLike | None, k: int, rule: str, *, least: float) -> FloatArray:
    """Return (k,) counts, NaN where not known.

    Raises
    ------
    UsageError
        If the shape is wrong, or a count is infinite or below the least; the message quotes the ``rule``.
    """
    if values is None:
        return np.full(k, np.nan)
    array = numbers(name, values)
    if array.shape != (k,):
        raise UsageError(f"{name} has shape {array.shape}; {k} comparisons need shape ({k},)")
    invalid = ~np.isnan(array) & ~(np.isfinite(array) & (array >= least))
    if invalid.any():
        raise UsageError(f"{name} of comparison {int(np.flatnonzero(invalid)[0]) + 1} is {array[invalid][0]:g}: {rule}")
    return array


def names(name: str, values: Sequence[str] | None, k: int, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``k`` names as text.

    Raises
    ------
    UsageError
        If there is another number of names, or a single text, whose letters would be the names.
    """
    if values is None:
        return default
    if isinstance(values, str) or len(values) != k:
        size = f"the text {values!r}" if isinstance(values, str) else f"{len(values)} names"
        raise UsageError(f"{name} must be a sequence of {k} names, one per comparison; got {size}")
    return tuple(map(str, values))
