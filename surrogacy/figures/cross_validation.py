"""Cross-validation: prediction interval and observed effect of every comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from surrogacy.evaluation.cross_validation import NORMAL, Predictions
from surrogacy.figures import _style as style
from surrogacy.figures.labels import widest
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.labels import model_label

ROW = 4.2  # mm
MARGIN = 3.0  # mm
GAP = 2.0  # mm between the names and the axes
LONGEST_NAME = 40  # characters
POINTS = 72 * style.MM  # per mm
OUTSIDE = style.LINE_COLOUR
FRAME = float(np.log(0.3)), float(np.log(3.0))  # wider intervals end in an arrow


def cross_validation_data(predictions: Predictions) -> pd.DataFrame:
    """Return the rows of the figure in order of the predicted effect; comparisons without a prediction are left out."""
    columns = ["label", "k", "observed", "se_final", "predicted", "low", "high", "low_80", "high_80", "covered"]
    return (
        pd.DataFrame([record for record in predictions.records if "problem" not in record])[columns]
        .sort_values("predicted")
        .reset_index(drop=True)
    )


def plot_cross_validation(
    predictions: Predictions,
    name: str = "",
    ax: Axes | None = None,
    *,
    final: str = "final endpoint",
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw prediction intervals and observed effects.

    Parameters
    ----------
    predictions : Predictions
        With at least one prediction.
    name : str
        Name of the set.
    ax : Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    final : str
        Name of the final endpoint.
    page : PageStyle
        Page for which the figure is laid out.
    """
    rows = cross_validation_data(predictions)
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in rows["label"]]
    space = widest(names) + GAP  # mm between the start of the names and the axes
    if ax is None:
        height, left = ROW * len(rows) + 30, space + MARGIN
        figure = style.new_figure(page.width, height)
        ax = figure.add_axes((left / page.width, 18 / height, 1 - (left + MARGIN) / page.width, 1 - 28 / height))
    half = NORMAL * rows["se_final"].fillna(0.0)  # an observed effect without a standard error has no interval
    low = max(FRAME[0], min(rows["low"].min(), (rows["observed"] - half).min()) - 0.05)
    high = min(FRAME[1], max(rows["high"].max(), (rows["observed"] + half).max()) + 0.05)
    for y, row in enumerate(rows.to_dict("records")):
        colour = style.POSTERIOR if row["covered"] else OUTSIDE
        for ends, width, shade in (
            ((row["low"], row["high"]), 2.0, 0.35),
            ((row["low_80"], row["high_80"]), 4.5, 0.35),
        ):
            ax.plot(
                np.clip(ends, low, high),
                [y, y],
                color=style.POSTERIOR,
                lw=width,
                alpha=shade,
                solid_capstyle="butt",
                zorder=2,
            )
        ax.plot(row["predicted"], y, "|", color=style.INK, ms=6, mew=1.0, zorder=3)
        limits = row["observed"] + np.array([-1, 1]) * half[y]
        ax.plot(np.clip(limits, low, high), [y + 0.28] * 2, color=colour, lw=0.7, zorder=3)
        ax.plot(
            np.clip(row["observed"], low, high),
            y + 0.28,
            "o" if row["covered"] else "D",
            color=colour,
            ms=3.4,
            zorder=4,
        )
        for beyond, x, marker in ((row["low"] < low, low, "<"), (row["high"] > high, high, ">")):
            if beyond:
                ax.plot(x, y, marker, color=style.POSTERIOR, ms=3, clip_on=False)
        ax.annotate(
            names[y],
            (0, y),
            xytext=(-GAP * POINTS, 0),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize="small",
        )
    style.hazard_ratio_axis(ax, "x", low, high)
    ax.set(ylim=(len(rows) - 0.3, -0.7), yticks=[])
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    ax.set_xlabel(f"Hazard ratio, {final}   (← favours experimental)")
    style.clear_spines(ax)
    ax.spines["left"].set_visible(False)
    covered, of = predictions.coverage
    result = f"{model_label(predictions.model)}: {covered} of {of} within the 95% interval"
    for words, y, weight, size in (
        (f"{name}: leave-one-out predictions", 16, "bold", "medium"),
        (result, 5, "normal", "small"),
    ):
        ax.annotate(
            words,
            (0, 1),
            xycoords="axes fraction",
            xytext=(-space * POINTS, y),
            textcoords="offset points",
            fontweight=weight,
            fontsize=size,
        )
    handles = [
        Line2D([], [], color=style.POSTERIOR, lw=3, alpha=0.5, label="predicted, 95% and 80% (dark)"),
        Line2D([], [], color=style.POSTERIOR, marker="o", ms=3.4, lw=0.7, label="observed, 95% CI"),
    ]
    if covered < of:
        handles.append(Line2D([], [], color=OUTSIDE, marker="D", ms=3.4, lw=0.7, label="observed, outside 95%"))
    below = ScaledTranslation(0, -11 * style.MM, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=3,
        fontsize="small",
        handlelength=1.6,
        borderaxespad=0.0,
        columnspacing=1.4,
    )
    return ax
