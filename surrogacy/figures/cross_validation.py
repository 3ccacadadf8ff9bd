"""Cross-validation: prediction interval and observed effect of every comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from surrogacy.evaluation.cross_validation import NORMAL, Predictions
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    column,
    draw_intervals,
    favours,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
)
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle

HEIGHT = 1.2  # rows of text per comparison
AXIS, KEY = 14.0, 4.0  # mm for ticks, words and label below the panel, and for a line of the key
LABEL = 10.0  # points between ticks and label, for the words
LONGEST_NAME = 40  # characters
PREDICTED = "#9DB4CE"
OBSERVED = 0.3  # rows from the predicted to the observed effect
FRAME = float(np.log(0.3)), float(np.log(3.0))  # wider intervals end in an arrow


def cross_validation_data(predictions: Predictions) -> pd.DataFrame:
    """Return the rows of the figure in order of the predicted effect; comparisons without a prediction are left out."""
    columns = [
        "comparison",
        "label",
        "k",
        "observed",
        "se_final",
        "predicted",
        "low",
        "high",
        "low_80",
        "high_80",
        "covered",
    ]
    return (
        pd.DataFrame([record for record in predictions.records if "problem" not in record])[columns]
        .sort_values("predicted")
        .reset_index(drop=True)
    )


def plot_cross_validation(
    predictions: Predictions,
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
    ax : Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    final : str
        Name of the final endpoint.
    page : PageStyle
        Page for which the figure is laid out.
    """
    rows = cross_validation_data(predictions)
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in rows["label"]]
    before, outside = [column("", names)], len(rows) > predictions.coverage[0]
    if ax is None:
        margins = 1.0, AXIS + KEY * (2 + outside if page.is_narrow else 1)
        (ax,) = row_panels(page, rows_height(page, HEIGHT * len(rows)), margins, before, [[]])
    half = NORMAL * rows["se_final"].fillna(0.0)  # an observed effect without a standard error has no interval
    low = max(FRAME[0], min(rows["low"].min(), (rows["observed"] - half).min()) - 0.05)
    high = min(FRAME[1], max(rows["high"].max(), (rows["observed"] + half).max()) + 0.05)
    style.hazard_ratio_axis(ax, "x", low, high)
    row_axis(ax, len(rows), first=-0.7)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    places = np.arange(len(rows))
    draw_intervals(ax, places, rows["low"], rows["high"], colours=PREDICTED, width=1.6)
    draw_intervals(ax, places, rows["low_80"], rows["high_80"], colours=PREDICTED, width=4.0)
    ax.plot(np.clip(rows["predicted"], low, high), places, "|", color=style.INK, ms=6, mew=1.0, zorder=3)
    observed, covered = rows["observed"].clip(low, high), rows["covered"].to_numpy(bool)
    colours = np.where(covered, style.INK, style.LINE_COLOUR)
    ends = rows["observed"] - half, rows["observed"] + half
    draw_intervals(ax, places + OBSERVED, *ends, colours=colours, width=0.7)
    for chosen, marker, colour in ((covered, "o", style.INK), (~covered, "D", style.LINE_COLOUR)):
        ax.plot(observed[chosen], places[chosen] + OBSERVED, marker, color=colour, ms=3.2, zorder=4)
    marked = zip(rows["comparison"], observed, places + OBSERVED, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, x, y, SMALL_DISC) for name, x, y in marked))
    favours([ax], shared=page.is_narrow)
    ax.set_xlabel(f"Hazard ratio for {final}", labelpad=LABEL)
    _key(ax, outside, page)
    write_columns([ax], before, [[]])
    return ax


def _key(ax: Axes, outside: bool, page: PageStyle) -> None:
    handles = [
        Line2D([], [], color=PREDICTED, lw=4, label="predicted, 80% (thick) and 95%"),
        Line2D([], [], color=style.INK, marker="o", ms=3.2, lw=0.7, label="observed, 95% CI"),
    ]
    if outside:
        handles.append(
            Line2D([], [], color=style.LINE_COLOUR, marker="D", ms=3.2, lw=0.7, label="outside the 95% interval")
        )
    below = ScaledTranslation(0, -AXIS * style.MM, ax.figure.dpi_scale_trans)
    figure_left = -ax.get_position().x0 / ax.get_position().width
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(figure_left, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=1 if page.is_narrow else 3,
        handlelength=1.6,
        borderaxespad=0.0,
        columnspacing=1.4,
    )
