"""Sensitivity analysis: trial-level R2 and slope of a set for each choice of the analysis."""

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
    INDENT,
    QUANTITY_AXIS,
    TICKS,
    Cell,
    Column,
    draw_intervals,
    quantity_limits,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
)
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.labels import CHOICE_VALUES, CHOICES, choice_heading

SLOPES = (-2.0, 3.0)


def choices_data(records: Sequence[Record]) -> pd.DataFrame:
    """Return the rows of the figure, from the records of `surrogacy.evaluation.sensitivity.vary_one_choice`.

    Choices that do not change the data are left out, except weights and within-trial correlations.
    """
    kept = [
        record
        for record in records
        if "problem" in record or record["varied"] in ("base", "rho_within", "weights") or not record["same_data"]
    ]
    frame = pd.DataFrame(kept)
    for name in ("r2_trial", "slope"):
        for column in (name, f"{name}_low", f"{name}_high"):
            if column not in frame:
                frame[column] = np.nan
    used = frame["fitted"] if "fitted" in frame else frame["k"]  # comparisons with the quantities that the model needs
    return frame.assign(used=used, fitted=frame["r2_trial"].notna())


def plot_choices(
    records: Sequence[Record], ax: tuple[Axes, Axes] | None = None, *, page: PageStyle = DEFAULT_PAGE
) -> tuple[Axes, Axes]:
    """Draw the estimates and their intervals for each choice.

    Parameters
    ----------
    records : sequence of mapping
        Records of `surrogacy.evaluation.sensitivity.vary_one_choice` for a model.
    ax : two Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    two Axes
        Trial-level R2 and slope.
    """
    rows = choices_data(records)
    places, headings = _places(rows)
    last = max(places, default=0.0)
    before = [_choices(rows, places, headings), _comparisons(rows, places)]
    if ax is None:
        left, right = row_panels(page, rows_height(page, last + 1.6), (2.6, QUANTITY_AXIS), before, [[], []])
    else:
        left, right = ax
    for axes, quantity, label in (
        (left, "r2_trial", "R²" if page.is_narrow else "Trial-level R²"),
        (right, "slope", "Slope"),
    ):
        values = rows[[quantity, f"{quantity}_low", f"{quantity}_high"]].to_numpy(dtype=np.float64)
        axes.set(xlim=(0, 1) if quantity == "r2_trial" else quantity_limits(values, *SLOPES), xlabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(TICKS[page.columns], steps=[1, 2, 5, 10]))
        row_axis(axes, last + 1, first=-1.2)
        for at, row, (value, low, high) in zip(places, rows.to_dict("records"), values, strict=True):
            colour = style.LINE_COLOUR if row["varied"] == "base" else style.INK
            if not row["fitted"]:
                if axes is left:
                    axes.text(0.02, at, "not fitted", fontsize="small", color="0.35", va="center")
                continue
            draw_intervals(axes, at, low, high, colours=colour)
            face = "white" if row.get("boundary") is True else colour
            marker = "D" if row["varied"] == "base" else "o"
            axes.plot(
                np.clip(value, *axes.get_xlim()), at, marker, color=colour, mfc=face, ms=3.5, clip_on=False, zorder=3
            )
        base = rows.loc[rows["varied"] == "base", quantity].dropna()
        if len(base):
            axes.axvline(float(base.iloc[0]), color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    write_columns((left, right), before, [[], []])
    return left, right


def _places(rows: pd.DataFrame) -> tuple[FloatArray, list[tuple[float, str]]]:
    """Return the row of each value, and the choices with the rows of their headings."""
    places, headings, y = np.zeros(len(rows)), [], 0.0
    for key in (key for key in CHOICES if (rows["varied"] == key).any()):
        headings.append((y, key))
        members = np.flatnonzero(rows["varied"] == key)
        start = y if key == "base" else y + 1
        places[members] = start + np.arange(len(members))
        y = start + len(members) + BETWEEN_GROUPS
    return places, headings


def _choices(rows: pd.DataFrame, places: FloatArray, headings: Sequence[tuple[float, str]]) -> Column:
    cells = [Cell(y, choice_heading(choice), bold=True, spans=choice != "base") for y, choice in headings]
    for at, row in zip(places, rows.to_dict("records"), strict=True):
        if row["varied"] != "base":
            words = CHOICE_VALUES.get(str(row["value"]), str(row["value"]))
            cells += [Cell(at, words, indent=INDENT)]
    return Column(tuple(cells))


def _comparisons(rows: pd.DataFrame, places: FloatArray) -> Column:
    """Numbers of comparisons, and before them those with the quantities that the model needs, if fewer."""
    cells = [Cell(-1.0, "k", bold=True)]
    for at, row in zip(places, rows.to_dict("records"), strict=True):
        used = f"{row['used']:.0f}/" if row["used"] < row["k"] else ""
        cells.append(Cell(at, f"{used}{row['k']:.0f}"))
    return Column(tuple(cells), "right")
