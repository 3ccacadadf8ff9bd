"""Slopes of the surrogacy line by drug class, from a model with exchangeable slopes."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    QUANTITY_AXIS,
    column,
    draw_intervals,
    quantity_limits,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
)
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.format import value_and_interval
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result

SLOPES = (-2.0, 3.0)  # widest axis


def class_slopes_data(result: Result) -> pd.DataFrame:
    """Return the slope of each class, then their mean.

    Parameters
    ----------
    result : Result
        Result of a model with estimates ``slope[class]``.

    Returns
    -------
    DataFrame
        Columns class, comparisons, slope, low, high.
    """
    classes = result.effects.covariates["class"]
    rows = []
    for name in result.estimates:
        quantity, _, level = name.removesuffix("]").partition("[")
        if quantity != "slope":
            continue
        slope, drug_class = result.estimate(name), level if "[" in name else None
        count = len(result.effects) if drug_class is None else classes.count(drug_class)
        rows.append((drug_class, count, slope.value, slope.low, slope.high))
    frame = pd.DataFrame(rows, columns=["class", "comparisons", "slope", "low", "high"])
    return frame.assign(mean=frame["class"].isna()).sort_values(
        ["mean", "comparisons"], ascending=[True, False], ignore_index=True
    )


def plot_class_slopes(result: Result, ax: Axes | None = None, *, page: PageStyle = DEFAULT_PAGE) -> Axes:
    """Draw the slopes by class with their mean.

    Parameters
    ----------
    result : Result
        Result of a model with estimates ``slope[class]``.
    ax : Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    page : PageStyle
        Page for which the figure is laid out.
    """
    rows = class_slopes_data(result)
    records = rows.to_dict("records")
    names = ["Mean of the classes" if row["mean"] else CLASSES.get(row["class"], row["class"]) for row in records]
    values = [value_and_interval(row["slope"], row["low"], row["high"]) for row in records]
    before = [column("Class", names), column("k", [str(row["comparisons"]) for row in records], "right")]
    after = [[column("Slope (95% interval)", values)]]
    if ax is None:
        (ax,) = row_panels(page, rows_height(page, len(rows) + 0.6), (4.0, QUANTITY_AXIS), before, after)
    ax.set(xlim=quantity_limits(rows[["slope", "low", "high"]].to_numpy(), *SLOPES), xlabel="Slope")
    row_axis(ax, len(rows))
    for i, row in enumerate(records):
        colour = style.LINE_COLOUR if row["mean"] else style.INK
        draw_intervals(ax, i, row["low"], row["high"], colours=colour)
        ax.plot(row["slope"], i, "D" if row["mean"] else "o", color=colour, ms=3.5, zorder=3)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    ax.axvline(float(rows["slope"].iloc[-1]), color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    write_columns((ax,), before, after)
    return ax
