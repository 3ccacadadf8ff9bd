"""Sensitivity to the prior: trial-level R2, slope and threshold by prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    MARGIN,
    column,
    draw_interval,
    lines_height,
    note_lines,
    quantity_limits,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
    write_notes,
)
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.format import number, percent
from surrogacy.results.labels import PRIOR_SETS

AXIS = 9.5  # mm for ticks and label below the panels
SLOPES = (-2.0, 3.0)
NO_THRESHOLD = ("none", "benefit-without-surrogate-effect")
MARKS = {
    "two-sided": ("‡", "two-sided"),
    "outside-data": ("*", "outside the data"),
    "benefit-without-surrogate-effect": (" §", "benefit predicted without a surrogate effect"),
}


def prior_sensitivity_data(records: Sequence[Record]) -> pd.DataFrame:
    """Return the rows of the figure; priors without a fit are left out."""
    frame = pd.DataFrame([record for record in records if "problem" not in record])
    columns = ["prior", "r2_trial", "r2_trial_low", "r2_trial_high", "slope", "slope_low", "slope_high"]
    return frame[[*columns, "ste_prediction", "ste_prediction_status", "prior_overlap"]]


def plot_prior_sensitivity(
    records: Sequence[Record],
    ax: tuple[Axes, Axes] | None = None,
    *,
    unverified: bool = False,
    page: PageStyle = DEFAULT_PAGE,
) -> tuple[Axes, Axes]:
    """Draw posterior medians and intervals by prior.

    Parameters
    ----------
    records : sequence of mapping
        Records of `surrogacy.evaluation.refits.prior_sensitivity`.
    ax : two Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    unverified : bool
        True if the data include hazard ratios that were not verified.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    two Axes
        R2 and slope.
    """
    rows = prior_sensitivity_data(records)
    before = [column("Prior", [PRIOR_SETS.get(prior, prior) for prior in rows["prior"]])]
    thresholds = column("STE", list(map(_threshold, rows["ste_prediction"], rows["ste_prediction_status"])))
    overlaps = column("Overlap", [percent(share) for share in rows["prior_overlap"]])
    after = [[], [thresholds] if page.is_narrow else [thresholds, overlaps]]
    notes = note_lines(page, _notes(rows, unverified=unverified))
    if ax is None:
        below = AXIS + lines_height(page, notes) + MARGIN
        left, right = row_panels(page, rows_height(page, len(rows) + 0.6), (4.0, below), before, after)
    else:
        left, right = ax
    for axes, quantity, label in (
        (left, "r2_trial", "R²" if page.is_narrow else "Trial-level R²"),
        (right, "slope", "Slope"),
    ):
        values = rows[[quantity, f"{quantity}_low", f"{quantity}_high"]].to_numpy()
        axes.set(xlim=(0, 1) if quantity == "r2_trial" else quantity_limits(values, *SLOPES), xlabel=label)
        row_axis(axes, len(rows))
        for y, (value, low, high) in enumerate(values):
            colour = style.LINE_COLOUR if y == 0 else style.INK
            draw_interval(axes, y, low, high, colour=colour)
            axes.plot(np.clip(value, *axes.get_xlim()), y, "D" if y == 0 else "o", color=colour, ms=3.5, zorder=3)
        axes.axvline(values[0, 0], color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    write_notes(left, notes, write_columns((left, right), before, after), AXIS)
    return left, right


def _threshold(value: float, status: str) -> str:
    """Return a threshold with the mark of its status."""
    return ("–" if status in NO_THRESHOLD else number(value)) + MARKS.get(status, ("", ""))[0]


def _notes(rows: pd.DataFrame, *, unverified: bool) -> list[str]:
    statuses = set(rows["ste_prediction_status"])
    notes = [f"{mark.strip()} {words}" for status, (mark, words) in MARKS.items() if status in statuses]
    notes += ["† includes unverified hazard ratios"] if unverified else []
    return ["; ".join(notes)] if notes else []
