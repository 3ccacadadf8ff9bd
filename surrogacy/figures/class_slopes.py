"""Slopes of the surrogacy line by drug class, from a model with exchangeable slopes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.figures import _style as style
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.format import value_and_interval
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result

ROW = 6.0  # mm


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
    if ax is None:
        height = ROW * len(rows) + 22
        ax = style.new_figure(page.width, height).add_axes((0.36, 11 / height, 0.36, 1 - 20 / height))
    ends = float(max(rows["low"].min() - 0.1, -2.0)), float(min(rows["high"].max() + 0.1, 3.0))
    place = ax.get_yaxis_transform()
    for i, row in enumerate(rows.to_dict("records")):
        colour = style.LINE_COLOUR if row["mean"] else style.INK
        ax.hlines(i, *np.clip([row["low"], row["high"]], *ends), color=colour, lw=1.0)
        fill = style.LINE_COLOUR if row["mean"] else style.CLASS_COLOURS.get(row["class"], "#DDDDDD")
        ax.scatter(
            row["slope"], i, s=34, marker="D" if row["mean"] else "o", color=fill, edgecolor=colour, lw=0.6, zorder=3
        )
        name = "Mean of the classes" if row["mean"] else CLASSES.get(row["class"], row["class"])
        weight = "bold" if row["mean"] else "normal"
        ax.text(
            -0.98,
            i,
            f"{name} (k = {row['comparisons']})",
            transform=place,
            va="center",
            fontsize="small",
            fontweight=weight,
        )
        value = value_and_interval(row["slope"], row["low"], row["high"])
        ax.text(1.04, i, value, transform=place, va="center", fontsize="small", fontweight=weight)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    ax.axvline(float(rows["slope"].iloc[-1]), color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    ax.set(xlim=ends, ylim=(len(rows) - 0.4, -0.6), yticks=[], xlabel="Slope (95% interval)")
    ax.set_title(
        f"{result.effects.name}: slope by class", fontsize="medium", fontweight="bold", loc="left", x=-0.98, pad=6
    )
    style.clear_spines(ax)
    ax.spines["left"].set_visible(False)
    return ax
