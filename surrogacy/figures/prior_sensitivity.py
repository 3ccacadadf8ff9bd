"""Sensitivity to the prior: trial-level R2, slope and threshold by prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from surrogacy.arrays import FloatArray
from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    BETWEEN_GROUPS,
    HEADING,
    INDENT,
    MARGIN,
    QUANTITY_AXIS,
    TICKS,
    Cell,
    Column,
    draw_intervals,
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
from surrogacy.results.format import ABSENT, number, percent
from surrogacy.results.labels import PRIOR_GROUPS

SLOPES = (-3.0, 4.0)  # widest axis
DEFAULT = "default"
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
    places, priors = _places(rows)
    thresholds = list(map(_threshold, rows["ste_prediction"], rows["ste_prediction_status"]))
    default = (rows["prior"] == DEFAULT).to_numpy()
    before = [priors]
    after: list[list[Column]] = [[], []]
    if set(thresholds) != {ABSENT}:
        after[1].append(_column("STE", places, thresholds))
    if not page.is_narrow:
        after[1].append(_column("Overlap", places, [percent(share) for share in rows["prior_overlap"]]))
    notes = note_lines(page, _notes(rows, unverified=unverified, with_overlap=not page.is_narrow))
    if ax is None:
        below = QUANTITY_AXIS + lines_height(page, notes) + MARGIN
        left, right = row_panels(page, rows_height(page, places[-1] + 1.6), (4.0, below), before, after)
    else:
        left, right = ax
    for axes, quantity, label in (
        (left, "r2_trial", "R²" if page.is_narrow else "Trial-level R²"),
        (right, "slope", "Slope"),
    ):
        values = rows[[quantity, f"{quantity}_low", f"{quantity}_high"]].to_numpy()
        axes.set(xlim=(0, 1) if quantity == "r2_trial" else quantity_limits(values, *SLOPES), xlabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(TICKS[page.columns], steps=[1, 2, 5, 10]))
        row_axis(axes, places[-1] + 1)
        colours = np.where(default, style.LINE_COLOUR, style.INK)
        draw_intervals(axes, places, *values.T[1:], colours=colours)
        shown = np.clip(values[:, 0], *axes.get_xlim())
        for chosen, marker, colour in ((default, "D", style.LINE_COLOUR), (~default, "o", style.INK)):
            axes.plot(shown[chosen], places[chosen], marker, color=colour, ms=3.5, clip_on=False, zorder=3)
        axes.axvline(values[0, 0], color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    write_notes(left, notes, write_columns((left, right), before, after), QUANTITY_AXIS)
    return left, right


def _places(rows: pd.DataFrame) -> tuple[FloatArray, Column]:
    """Return the row of each prior, and the priors below the parameters that have them."""
    cells, places, y = [Cell(HEADING, "Prior", bold=True)], np.zeros(len(rows)), 0.0
    grouped = {prior for group in PRIOR_GROUPS.values() for prior in group}
    for at in np.flatnonzero(~rows["prior"].isin(grouped)):
        places[at] = y
        cells.append(Cell(y, rows["prior"].iloc[at].capitalize(), bold=True))
        y += 1 + BETWEEN_GROUPS
    for parameter, priors in PRIOR_GROUPS.items():
        members = np.flatnonzero(rows["prior"].isin(priors))
        if len(members):
            cells.append(Cell(y, parameter, bold=True, spans=True))
            places[members] = y + 1 + np.arange(len(members))
            names = rows["prior"].iloc[members]
            cells += [Cell(at, priors[name], indent=INDENT) for at, name in zip(places[members], names, strict=True)]
            y += len(members) + 1 + BETWEEN_GROUPS
    return places, Column(tuple(cells))


def _column(heading: str, places: FloatArray, texts: Sequence[str]) -> Column:
    return Column(
        (Cell(HEADING, heading, bold=True), *(Cell(at, text) for at, text in zip(places, texts, strict=True)))
    )


def _threshold(value: float, status: str) -> str:
    """Return a threshold with the mark of its status."""
    return (ABSENT if status in NO_THRESHOLD else number(value)) + MARKS.get(status, ("", ""))[0]


def _notes(rows: pd.DataFrame, *, unverified: bool, with_overlap: bool) -> list[str]:
    statuses = set(rows["ste_prediction_status"])
    if statuses == {NO_THRESHOLD[0]}:
        notes = ["No surrogate threshold effect exists with any of these priors"]
    else:
        notes = ["STE, surrogate threshold effect (HR)"]
        notes += [f"{ABSENT} no threshold"] if statuses.intersection(NO_THRESHOLD) else []
        notes += [f"{mark.strip()} {words}" for status, (mark, words) in MARKS.items() if status in statuses]
    overlap = ["Overlap, area that the prior and posterior densities of R² share."] if with_overlap else []
    evidence = ["Includes unverified hazard ratios."] if unverified else []
    return [" ".join([f"{'; '.join(notes)}.", *overlap, *evidence])]
