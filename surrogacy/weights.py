"""Weights of a comparison in a correlation or a regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from surrogacy.effects import Effects, FloatArray
from surrogacy.errors import FitError, UsageError

Weights = Literal["n", "events", "inverse-variance", "sqrt-n", "none"]

SHARED_CONTROL = (
    "comparisons that share a control arm are taken as independent by this model, and the patients of that arm count in each"
)
IN_WORDS: dict[str, str] = {
    "n": "number of patients",
    "events": "OS events",
    "inverse-variance": "1 / variance of log HR(OS)",
    "sqrt-n": "square root of the number of patients",
    "none": "unweighted",
}


def usable_comparisons(effects: Effects, weights: Weights, fewest: int = 3) -> tuple[Effects, tuple[str, ...]]:
    """Keep the comparisons that have both endpoints and what the weights need; say what was dropped.

    Raises
    ------
    UsageError
        If the weights need patients and no comparison states them.
    FitError
        If fewer than ``fewest`` comparisons remain.
    """
    problems: list[str] = []
    kept = effects.take(effects.complete)
    if len(kept) < len(effects):
        problems.append(f"{len(effects) - len(kept)} comparison(s) without both endpoints left out")
    if weights in ("n", "sqrt-n"):
        unknown = np.isnan(kept.n)
        if unknown.all() and len(kept):
            raise UsageError(
                f"weights {weights!r} need the number of patients, which no comparison has; give it, or use weights inverse-variance or none"
            )
        if unknown.any():
            names = ", ".join(label for label, missing in zip(kept.labels, unknown, strict=True) if missing)
            problems.append(f"left out for want of the number of patients: {names}")
            kept = kept.take(~unknown)
    if len(kept) < fewest:
        raise FitError(f"{effects.name or 'these effects'}: {len(kept)} usable comparisons; {fewest} are needed")
    return kept, tuple(problems)


def weighting(settings: Mapping[str, Any], effects: Effects) -> Weights:
    """Weights that a figure shows as areas: those of the model, else the patients (equal where they are not known)."""
    weights: Weights = settings.get("weights", "n" if np.isfinite(effects.n).all() else "none")
    return weights


def weights_of(effects: Effects, weights: Weights) -> tuple[FloatArray, tuple[str, ...]]:
    """Weights by name, and what has to be said about them.

    Parameters
    ----------
    effects : Effects
        As `usable_comparisons` leaves them.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}

    Returns
    -------
    weights : (k,) array
    problems : tuple of str

    Raises
    ------
    UsageError
        If there is no such weight.
    """
    if weights not in get_args(Weights):
        raise UsageError(f"weights must be one of {', '.join(get_args(Weights))}; got {weights!r}")
    if weights == "none":
        return np.ones(len(effects)), ()
    if weights == "inverse-variance":
        return effects.se[:, 1] ** -2.0, ()
    if weights == "events":
        # information 1/se^2 = d p (1-p) for d events shared p : 1-p by the arms
        share = effects.control_share[:, 1]
        implied = effects.se[:, 1] ** -2.0 / (share * (1.0 - share))
        unknown = np.isnan(effects.events)
        note = f"OS events not reported for {unknown.sum()} of {len(effects)} comparisons: implied by the standard error"
        return np.where(unknown, implied, effects.events), (note,) if unknown.any() else ()
    return (effects.n if weights == "n" else np.sqrt(effects.n)), ()
