"""A trial in focus: the final effect that each line predicts from each data cut, and the observed effect."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from surrogacy.evaluation.placement import Focus
from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    HEADING,
    INDENT,
    MARGIN,
    NARROWEST_PANEL,
    Cell,
    Column,
    draw_intervals,
    favours,
    panel_width,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
)
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import endpoint_of
from surrogacy.results.format import number, value_and_interval
from surrogacy.results.result import Result

PREDICTED = "#5B7FA6"
AXIS, KEY = 11.8, 3.4  # mm for ticks, words and label below the panel, and for the key
LABEL = 10.0  # points between ticks and label, for the words
WIDEST = float(np.log(0.2)), float(np.log(4.0))


def placement_data(results: Sequence[Result], records: Sequence[Record], comparison: str | None = None) -> pd.DataFrame:
    """Return the predictions of the lines shown, from fits without the trial, at its within-trial correlation.

    Parameters
    ----------
    results : sequence of Result
        Lines shown, of the same model.
    records : sequence of mapping
        Records of `surrogacy.evaluation.placement.place`.
    comparison : str, optional
        Default: the comparison of the first record.
    """
    sets = [result.effects.name for result in results]
    frame = pd.DataFrame(list(records))
    frame = frame[frame["comparison"] == (frame["comparison"].iloc[0] if comparison is None else comparison)]
    reported = frame["rho_within"] == frame["rho_within"].iloc[0]
    chosen = frame[
        reported & (frame["fitted"] != "with it") & (frame["model"] == results[0].model) & frame["set"].isin(sets)
    ]
    return pd.DataFrame(chosen).assign(line=[sets.index(name) for name in chosen["set"]]).reset_index(drop=True)


def plot_placement(
    focus: Focus,
    results: Sequence[Result],
    records: Sequence[Record],
    ax: Axes | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw the observed effect, and below it the predictions of each line from each data cut, as rows on one axis.

    Parameters
    ----------
    focus : Focus
    results : sequence of Result
        Lines of a model.
    records : sequence of mapping
        Records of `surrogacy.evaluation.placement.place`.
    ax : Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    page : PageStyle
        Page for which the figure is laid out.
    """
    data = placement_data(results, records, focus.comparison)
    surrogate, final = (endpoint_of(focus.effects, 0, side) for side in ("surrogate", "final"))
    low, high = (float(limit[0, 1]) for limit in focus.effects.limits)
    observed = float(focus.effects.log_hr[0, 1])
    several = len(set(data["cut"])) > 1
    names = [Cell(0, f"Observed {final}", bold=True)]
    rows: list[tuple[int, dict[Hashable, Any]]] = []
    y = 1
    for cut, predictions in data.groupby("cut", sort=False):
        hazard_ratio = number(predictions["hr_surrogate"].iloc[0])
        words = f"Predicted from {surrogate} HR {hazard_ratio}{f' ({cut})' if several else ''}"
        names.append(Cell(y, words, bold=True, spans=True))
        for row in predictions.to_dict("records"):
            y += 1
            names.append(Cell(y, f"{set_label(row['set'])}, k = {row['k']}", indent=INDENT))
            rows.append((y, row))
        y += 1
    before = [Column(tuple(names))]
    shown = [(0, (observed, low, high))]
    shown += [(at, tuple(np.log([row["predicted"], row["low_95"], row["high_95"]]))) for at, row in rows]
    after = [[_values(shown, with_limits=True)]]
    if panel_width(page, before, after) < NARROWEST_PANEL:
        after = [[_values(shown, with_limits=False)]]
    if ax is None:
        (ax,) = row_panels(
            page, rows_height(page, y + 0.6), (4.0, AXIS + KEY * (3 if page.is_narrow else 1) + MARGIN), before, after
        )
    ends = np.log(data[["low_95", "high_95"]].to_numpy())
    widest = min(ends.min(), _or(low, observed), 0.0) - 0.05, max(ends.max(), _or(high, observed), 0.0) + 0.05
    style.hazard_ratio_axis(ax, "x", *np.clip(widest, *WIDEST))
    row_axis(ax, y)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    ax.axvline(observed, color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
    draw_intervals(ax, 0, low, high, colours=style.LINE_COLOUR)
    ax.plot(observed, 0, "o", color=style.LINE_COLOUR, ms=4, zorder=3)
    identify_symbols(ax, [MarkedSymbol(focus.comparison, observed, 0, SMALL_DISC)])
    places, predicted = [at for at, _ in rows], np.log([row["predicted"] for _, row in rows])
    for level, width in (("95", 1.0), ("80", 3.0)):
        limits = (np.log([row[f"{end}_{level}"] for _, row in rows]) for end in ("low", "high"))
        draw_intervals(ax, places, *limits, colours=PREDICTED, width=width)
    ax.plot(predicted, places, "s", color=PREDICTED, mfc="white", mew=1.0, ms=3.5, zorder=3)
    favours([ax], shared=page.is_narrow)
    ax.set_xlabel(f"Hazard ratio for {final}", labelpad=LABEL)
    _key(ax, focus.label, page)
    write_columns([ax], before, after)
    return ax


def _values(shown: Sequence[tuple[int, tuple[float, ...]]], *, with_limits: bool) -> Column:
    """Hazard ratios by row, from logarithms, with their limits if these are known; the observed one is bold."""
    cells = [Cell(HEADING, "HR (95% interval)" if with_limits else "HR", bold=True)]
    for row, effect in shown:
        value, low, high = np.exp(effect)
        known = with_limits and np.isfinite(low)
        cells.append(Cell(row, value_and_interval(value, low, high) if known else number(value), bold=row == 0))
    return Column(tuple(cells))


def _or(limit: float, value: float) -> float:
    return limit if np.isfinite(limit) else value


def _key(ax: Axes, label: str, page: PageStyle) -> None:
    handles = [
        Line2D([], [], color=style.LINE_COLOUR, marker="o", ms=4, lw=0.9, label=f"{label}, 95% CI"),
        Line2D([], [], color=PREDICTED, marker="s", mfc="white", ms=3.5, lw=3.0, label="predicted, 80% interval"),
        Line2D([], [], color=PREDICTED, lw=1.0, label="predicted, 95% interval"),
    ]
    place = ax.get_position()
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(-(place.x0 - MARGIN / page.width) / place.width, 0.0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, -AXIS * style.MM, ax.figure.dpi_scale_trans),
        ncols=1 if page.is_narrow else 3,
        handlelength=1.6,
        borderaxespad=0.0,
        borderpad=0.0,
        columnspacing=1.2,
    )
