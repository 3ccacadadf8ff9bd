"""Types of arrays, and checks of arrays that a caller hands over: numbers, of the right length, within their range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surrogacy.errors import UsageError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]


def numbers(name: str, values: npt.ArrayLike) -> FloatArray:
    """Array of numbers; refuses what cannot be read as one."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must hold numbers only: {error}") from error


def broadcast(name: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Numbers repeated to a shape; refuses those of another length."""
    array = numbers(name, values)
    try:
        return np.broadcast_to(array, shape)
    except ValueError as error:
        raise UsageError(
            f"{name} has shape {array.shape}; {shape[0]} comparisons need a single number, or shape {shape}"
        ) from error


def counts(name: str, values: npt.ArrayLike | None, k: int, rule: str, *, least: float) -> FloatArray:
    """(k,) counts, NaN where not known; refuses those below the least and infinite ones."""
    if values is None:
        return np.full(k, np.nan)
    array = numbers(name, values)
    if array.shape != (k,):
        raise UsageError(f"{name} has shape {array.shape}; {k} comparisons need shape ({k},)")
    impossible = ~np.isnan(array) & ~(np.isfinite(array) & (array >= least))
    if impossible.any():
        raise UsageError(
            f"{name} of comparison {int(np.flatnonzero(impossible)[0]) + 1} is {array[impossible][0]:g}: {rule}"
        )
    return array


def names(name: str, values: Sequence[str] | None, k: int, default: tuple[str, ...]) -> tuple[str, ...]:
    """``k`` names as text; refuses another number of them, and a single text (whose letters would be names)."""
    if values is None:
        return default
    if isinstance(values, str) or len(values) != k:
        size = f"the text {values!r}" if isinstance(values, str) else f"{len(values)} names"
        raise UsageError(f"{name} must be a sequence of {k} names, one per comparison; got {size}")
    return tuple(map(str, values))
