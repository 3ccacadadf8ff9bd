"""Dilution map: the share of a PFS effect that OS retains in theory, and the observed trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.labels import Label, Symbol, place_labels, symbol_radius
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.pps.dilution_map import TRIAL_LIKE, DilutionMap, DilutionPoint

BANDS = np.linspace(0.0, 1.0, 6)
LABELLED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# one hue, light where OS retains the effect and dark where it is lost: in grey as well
COLOURS = LinearSegmentedColormap.from_list("retained", ["#08306B", "#4A86BE", "#A6CBE6", "#E8F1FA"])
CONTOUR = "#707070"
AREA, OUTLINE = 15.0, 0.6  # points squared, points
# mm: panels, beside them, and the key below
STACKED, SIDE_BY_SIDE, LABELS, TITLE, LEFT, BETWEEN, BAR, KEY_LINE = 44.0, 54.0, 14.5, 4.5, 11.5, 4.0, 14.5, 3.6
# places of contour labels, as fractions of the height: away from most trials
LOW_ROWS, HIGH_ROWS = (0.10, 0.19), (0.93, 0.84)
OTHER_ROWS = (0.5, 0.8)  # of contours that do not cross these
TTP_DOT = 1.7  # pt, diameter of the dot in the symbol of a comparison that reports only TTP
EDGE = 0.05  # margin in which a label would be cut, as a fraction of the width
RATIO_TICKS = (0.2, 0.5, 1, 2, 5, 10, 20)
FOLLOW_UP_TICKS = (2, 3, 5, 10, 20, 50)


def dilution_map_data(chart: DilutionMap, points: Sequence[DilutionPoint]) -> pd.DataFrame:
    """Return the trials whose coordinates lie within the map.

    Parameters
    ----------
    chart : DilutionMap
    points : sequence of DilutionPoint

    Returns
    -------
    DataFrame
        Columns comparison, label, stage, endpoint, pps_over_pfs, hr_pfs, hr_os, follow_up (NaN = not known or outside
        the map), observed (log HR_OS / log HR_PFS).
    """
    rows = []
    for point in points:
        if not chart.shows(point):
            continue
        known = point.follow_up is not None and chart.follow_ups[0] <= point.follow_up <= chart.follow_ups[-1]
        rows.append(
            {
                "comparison": point.comparison,
                "label": point.label,
                "stage": point.stage,
                "endpoint": point.endpoint,
                "pps_over_pfs": point.pps_over_pfs,
                "hr_pfs": point.hr_pfs,
                "hr_os": point.hr_os,
                "follow_up": point.follow_up if known else np.nan,
                "observed": np.log(point.hr_os) / np.log(point.hr_pfs),
            }
        )
    columns = ["comparison", "label", "stage", "endpoint", "pps_over_pfs", "hr_pfs", "hr_os", "follow_up", "observed"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[4:], np.float64))


def plot_dilution_map(
    chart: DilutionMap,
    points: Sequence[DilutionPoint] = (),
    focus: str = "",
    ax: tuple[Axes, Axes, Axes] | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> tuple[Axes, Axes, Axes]:
    """Draw the share of the PFS effect that OS retains, as contours, and that of each trial as its fill.

    Parameters
    ----------
    chart : DilutionMap
    points : sequence of DilutionPoint
    focus : str
        Comparison to name.
    ax : three Axes, optional
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    three Axes
        By PFS hazard ratio, complete follow-up; the same, follow-up as in trials; by follow-up.
    """
    data = dilution_map_data(chart, points)
    complete, trial_like, by_follow_up = _new_panels(page) if ax is None else ax
    norm = BoundaryNorm(BANDS, COLOURS.N)
    log_hr = np.log(chart.hazard_ratios)
    low, high = TRIAL_LIKE
    panels = (
        (complete, log_hr, chart.complete, "hr_pfs", "a  Everyone followed to death", LOW_ROWS),
        (trial_like, log_hr, chart.trial_like, "hr_pfs", f"b  Follow-up {low:g} to {high:g} median PFS", LOW_ROWS),
        (
            by_follow_up,
            np.log(chart.follow_ups),
            chart.by_follow_up,
            "follow_up",
            f"c  By follow-up, PFS HR {chart.hr_pfs:.3g}",
            HIGH_ROWS,
        ),
    )
    x = np.log(chart.ratios)
    for axes, y, share, coordinate, title, rows in panels:
        axes.set_title(title, fontsize="small", fontweight="bold", loc="left")
        _ticks(axes, "x", RATIO_TICKS, (x[0], x[-1]))
        axes.set_xlabel("Median PPS / PFS" if page.columns == 1.5 else "Median PPS / PFS, control arm")
        if axes is by_follow_up:
            _ticks(axes, "y", FOLLOW_UP_TICKS, (float(y[0]), float(y[-1])))
            axes.set_ylabel("Mean follow-up / median PFS")
        else:
            style.hazard_ratio_axis(axes, "y", float(y[0]), float(y[-1]))
            if axes is complete or page.is_narrow:
                axes.set_ylabel("PFS hazard ratio")
            else:
                axes.tick_params(labelleft=False)
        lines = axes.contour(x, y, share, levels=LABELLED, colors=CONTOUR, linewidths=0.5)
        texts = axes.clabel(
            lines, fmt="%g", fontsize="small", inline=True, inline_spacing=2, manual=_places(x, y, share, rows)
        )
        for text in texts:
            text.set_rotation(0)
        _points(axes, data, coordinate, norm, focus)
    _key(by_follow_up, data, norm, page)
    return complete, trial_like, by_follow_up


def _new_panels(page: PageStyle) -> tuple[Axes, Axes, Axes]:
    """Panels side by side, with a colour bar on the right; with one column one below the other."""
    if page.is_narrow:
        key = 2 * KEY_LINE
        height = 3 * (STACKED + LABELS) + key
        figure, width = style.new_figure(page.width, height), page.width - LEFT - BAR
        places = [(LEFT, key + (2 - i) * (STACKED + LABELS) + LABELS - TITLE, width, STACKED) for i in range(3)]
    else:
        height = SIDE_BY_SIDE + LABELS + KEY_LINE
        figure, width = style.new_figure(page.width, height), (page.width - 2 * LEFT - BETWEEN - BAR) / 3
        starts = LEFT, LEFT + width + BETWEEN, 2 * LEFT + 2 * width + BETWEEN
        places = [(left, KEY_LINE + LABELS - TITLE, width, SIDE_BY_SIDE) for left in starts]
    first, second, third = (
        figure.add_axes((left / page.width, bottom / height, wide / page.width, tall / height))
        for left, bottom, wide, tall in places
    )
    return first, second, third


def _points(axes: Axes, data: pd.DataFrame, coordinate: str, norm: BoundaryNorm, focus: str) -> None:
    """Draw the comparisons with the observed share as fill, and name the comparison in focus."""
    heights = np.log(data[coordinate])
    shown = data[np.isfinite(heights)]
    for stage, marker in style.STAGE_MARKERS.items():
        chosen = shown[shown["stage"] == stage]
        if stage and len(chosen):
            axes.scatter(
                np.log(chosen["pps_over_pfs"]),
                heights[chosen.index],
                c=chosen["observed"].clip(0.001, 0.999),
                cmap=COLOURS,
                norm=norm,
                marker=marker,
                s=AREA,
                edgecolor=style.INK,
                lw=OUTLINE,
                zorder=4,
                clip_on=False,
            )
    drawn = zip(shown["comparison"], np.log(shown["pps_over_pfs"]), heights[shown.index], strict=True)
    identify_symbols(axes, (MarkedSymbol(name, x, y, SMALL_DISC) for name, x, y in drawn))
    ttp = shown[shown["endpoint"] == "TTP"]
    dot: dict[str, Any] = {"s": TTP_DOT**2, "color": style.INK, "lw": 0, "zorder": 4.5, "clip_on": False}
    halo = [withStroke(linewidth=1.0, foreground="white")]
    axes.scatter(np.log(ttp["pps_over_pfs"]), heights[ttp.index], **dot, path_effects=halo)
    symbols = {
        row["comparison"]: Symbol(
            float(np.log(row["pps_over_pfs"])),
            float(heights[i]),
            symbol_radius(AREA, style.STAGE_MARKERS[row["stage"]], OUTLINE),
        )
        for i, row in shown.iterrows()
    }
    names = shown.loc[shown["comparison"] == focus, "label"]
    place_labels(axes, [Label(name, symbols[focus], bold=True, apart=True) for name in names], list(symbols.values()))


def _places(x: FloatArray, y: FloatArray, share: FloatArray, rows: tuple[float, float]) -> list[tuple[float, float]]:
    """Places of labels where contours cross one of two rows in turn (fractions of the height), without overlap."""
    places = []
    edge = EDGE * (x[-1] - x[0])
    for i, level in enumerate(LABELLED):
        for height in (rows[i % 2], *OTHER_ROWS):
            row = round(height * (len(y) - 1))
            place = float(np.interp(-level, -share[row], x))  # the share falls along x
            if share[row].min() < level < share[row].max() and x[0] + edge < place < x[-1] - edge:
                places.append((place, float(y[row])))
                break
    return places


def _ticks(axes: Axes, which: str, ticks: Sequence[float], limits: tuple[float, float]) -> None:
    """Label a logarithmic axis with plain numbers."""
    inside = [tick for tick in ticks if limits[0] - 1e-9 <= np.log(tick) <= limits[1] + 1e-9]
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(*limits)
    axis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in inside]))
    axis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in inside]))
    axis.set_minor_locator(NullLocator())


def _key(last: Axes, data: pd.DataFrame, norm: BoundaryNorm, page: PageStyle) -> None:
    """Draw the colour bar beside the last panel, and the symbols below it."""
    place = last.get_position()
    figure = last.get_figure(root=True)
    assert figure is not None
    bar = figure.add_axes((place.x1 + 2.0 / page.width, place.y0, 2.5 / page.width, place.height))
    middles = (BANDS[1:] + BANDS[:-1]) / 2
    bar.imshow(middles[:, None], aspect="auto", origin="lower", cmap=COLOURS, norm=norm, extent=(0, 1, 0, 1))
    bar.set(xticks=[])
    bar.set_yticks([0, 0.5, 1], ["≤ 0", "0.5", "≥ 1"])  # shares beyond the bands have their colours
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("Observed share of the PFS effect", labelpad=1, fontsize="small")
    looks: dict[str, Any] = {"ls": "", "mfc": "white", "mec": style.INK, "mew": OUTLINE, "ms": 4}
    handles = [
        Line2D([], [], marker=marker, label=f"{stage} stage", **looks)
        for stage, marker in style.STAGE_MARKERS.items()
        if stage and (data["stage"] == stage).any()
    ]
    if (data["endpoint"] == "TTP").any():
        handles.append(Line2D([], [], ls="", marker="o", mfc=style.INK, mec="none", ms=TTP_DOT, label="TTP only"))
    if handles:
        columns = 2 if page.is_narrow else len(handles)
        style.corner_key(last, handles, columns, handletextpad=0.2, columnspacing=1.0)
