"""Paragraph on a trial in focus: its predictions by line and data cut, and the position of the observed effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surrogacy.evaluation.placement import Focus, Placement, shown_placements
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import endpoint_of, with_article
from surrogacy.results.labels import POSITIONS, model_label


def in_words(focus: Focus, placements: Sequence[Placement]) -> str:
    """Return a paragraph on a comparison: predictions by line and cut, and the position of the observed effect."""
    rho_within = float(focus.effects.rho_within[0])
    chosen = [placement for placement in shown_placements(placements) if placement.comparison == focus.comparison]
    if not chosen:
        return ""
    model = chosen[0].model
    endpoint, final = endpoint_of(focus.effects, 0, "surrogate"), with_article(endpoint_of(focus.effects, 0, "final"))
    low, high = (float(np.exp(limit[0, 1])) for limit in focus.effects.limits)
    interval = f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else ""
    parts = [f"{focus.label} observed a hazard ratio of {chosen[0].hr_final:.2f}{interval} for {final}."]
    for placement in chosen:
        source = (
            f"the other {placement.k} comparisons of the set {set_label(placement.set)}"
            if placement.fitted == "without it"
            else f"the {placement.k} comparisons of the set {set_label(placement.set)}"
        )
        parts.append(
            f"From {source}, its {endpoint} hazard ratio of {placement.hr_surrogate:.2f} ({placement.cut}) predicts "
            f"{placement.predicted:.2f} (95% prediction interval {placement.low_95:.2f} to {placement.high_95:.2f}, "
            f"80% {placement.low_80:.2f} to {placement.high_80:.2f}); the probability of {placement.hr_final:.2f} or "
            f"more is {placement.p_at_or_above:.2f}."
        )
    parts.append(f"The observed effect lies {_positions_in_words(chosen)}.")
    errors = f"the intervals include the errors of both effects and their within-trial correlation of {rho_within:.2g}"
    if not focus.effects.has_standard_errors[0]:
        errors = f"the standard errors of {focus.label} are not known"
    # a regression does not separate the sampling errors from its residual variance
    if all("residual" in placement.components for placement in chosen):
        unknown = "" if focus.effects.has_standard_errors[0] else f"{errors}, and "
        errors = (
            f"{unknown}the intervals include the residual variance and the error of the line, but not the sampling "
            "errors of the trial"
        )
    parts.append(f"Model: {model_label(model)}; {errors}.")
    return " ".join(parts)


def _positions_in_words(placements: Sequence[Placement]) -> str:
    """Position of the observed effect, and the lines and data cuts that give it."""
    several_cuts = len({placement.cut for placement in placements}) > 1
    lines: dict[str, list[str]] = {}
    for placement in placements:
        line = f"{set_label(placement.set)} ({placement.cut})" if several_cuts else set_label(placement.set)
        lines.setdefault(placement.position, []).append(line)
    if len(lines) == 1 and len(placements) > 1:
        return f"{POSITIONS[next(iter(lines))]} of every line{', at every data cut' if several_cuts else ''}"
    return "; ".join(f"{words} of {', '.join(lines[name])}" for name, words in POSITIONS.items() if name in lines)
