"""Dilution map: the share of a PFS effect that OS retains in theory, and the observed trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.pps.dilution_map import TRIAL_LIKE, DilutionMap, DilutionPoint
from surrogacy.results.format import percent

BANDS = np.linspace(0.0, 1.0, 11)
LABELLED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# light where OS retains the effect, dark where it is lost
COLOURS = LinearSegmentedColormap.from_list("retained", ["#2B5C8A", "#6FA3CC", "#BFD9EA", "#F7F4EA", "#F3C98B"])
# places of contour labels, as fractions of the height: away from most trials
LOW_ROWS, HIGH_ROWS = (0.10, 0.19), (0.93, 0.84)
OTHER_ROWS = (0.5, 0.8)  # of contours that do not cross these
TTP_DOT = 1.7  # pt, diameter of the dot in the symbol of a comparison that reports only TTP
DARK = 0.3  # retained share below which the fill is so dark that the dot is white
HEIGHT, NOTE_LINE = 86.0, 3.2  # mm
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
) -> tuple[Axes, Axes, Axes]:
    """Draw the share of the PFS effect that OS retains, as contours, and the observed share of each trial as a colour.

    Parameters
    ----------
    chart : DilutionMap
    points : sequence of DilutionPoint
    focus : str
        Comparison to name.
    ax : three Axes, optional
        Default: a new figure of 173 mm.

    Returns
    -------
    three Axes
        By PFS hazard ratio, complete follow-up; the same, follow-up as in trials; by follow-up.
    """
    data = dilution_map_data(chart, points)
    if ax is None:
        height = HEIGHT + (0.0 if chart.structure.is_default else NOTE_LINE)
        panel = (height - 0.715 * HEIGHT) / height, 0.238, 0.635 * HEIGHT / height
        figure = style.new_figure(173, height)
        ax = tuple(figure.add_axes((left, *panel)) for left in (0.062, 0.335, 0.652))  # type: ignore[assignment]
    assert ax is not None
    complete, trial_like, by_follow_up = ax
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
        heights = np.log(data[coordinate])
        axes.contourf(x, y, np.clip(share, 0.0, 1.0), levels=BANDS, cmap=COLOURS, norm=norm, antialiased=True)
        lines = axes.contour(x, y, share, levels=LABELLED, colors=style.INK, linewidths=0.5)
        texts = axes.clabel(
            lines, fmt="%g", fontsize=6.5, inline=True, inline_spacing=2, manual=_places(x, y, share, rows)
        )
        for text in texts:
            text.set_rotation(0)
        for stage, marker in style.STAGE_MARKERS.items():
            chosen = (data["stage"] == stage) & np.isfinite(heights)
            if stage and chosen.any():
                axes.scatter(
                    np.log(data["pps_over_pfs"][chosen]),
                    heights[chosen],
                    c=data["observed"][chosen].clip(0.001, 0.999),
                    cmap=COLOURS,
                    norm=norm,
                    marker=marker,
                    s=15,
                    edgecolor=style.INK,
                    lw=0.6,
                    zorder=4,
                )
        drawn = zip(data["comparison"], np.log(data["pps_over_pfs"]), heights, strict=True)
        identify_symbols(axes, (MarkedSymbol(name, x, y, SMALL_DISC) for name, x, y in drawn if np.isfinite(y)))
        ttp = (data["endpoint"] == "TTP") & np.isfinite(heights)
        colour = np.where(data["observed"][ttp] < DARK, "white", style.INK)
        axes.scatter(np.log(data["pps_over_pfs"][ttp]), heights[ttp], s=TTP_DOT**2, color=colour, lw=0, zorder=4.5)
        for _, row in data[data["comparison"] == focus].iterrows():
            height = heights[row.name]
            if np.isfinite(height):
                axes.annotate(
                    row["label"],
                    (np.log(row["pps_over_pfs"]), height),
                    xytext=(-4, 4),
                    textcoords="offset points",
                    ha="right",
                    fontweight="bold",
                    fontsize=6.5,
                    zorder=5,
                    path_effects=[withStroke(linewidth=1.8, foreground="white")],
                )
        axes.set_title(title, fontsize="medium", fontweight="bold", loc="left")
        _ticks(axes, "x", RATIO_TICKS, (x[0], x[-1]))
        axes.set_xlabel("Median PPS / PFS, control arm")
    for axes in (complete, trial_like):
        style.hazard_ratio_axis(axes, "y", float(log_hr[0]), float(log_hr[-1]))
    complete.set_ylabel("PFS hazard ratio")
    trial_like.set_yticklabels([])
    _ticks(
        by_follow_up, "y", FOLLOW_UP_TICKS, (float(np.log(chart.follow_ups[0])), float(np.log(chart.follow_ups[-1])))
    )
    by_follow_up.set_ylabel("Mean follow-up / median PFS, control arm")
    _key(by_follow_up, data, norm)
    complete.text(
        0.0, -0.21, _note(chart, points, data), transform=complete.transAxes, va="top", fontsize=6.5, linespacing=1.35
    )
    return complete, trial_like, by_follow_up


def _note(chart: DilutionMap, points: Sequence[DilutionPoint], data: pd.DataFrame) -> str:
    """Text on the contours, the points and the trials that are not shown."""
    lines = [
        "Contours: expected log HR of OS / log HR of PFS with the same PPS in both arms, if "
        f"{percent(chart.direct_death)} of PFS events are deaths"
        f"{' and hazards are constant' if chart.structure.is_default else ''}."
    ]
    if points:
        unknown = int(data["follow_up"].isna().sum())
        lines += [
            "Points: PPS of the model that gives the control arm's medians; fill: observed log HR of OS / log "
            "HR of PFS (below 0 as 0, above 1 as 1).",
            "The fill is a ratio of two estimates; it is imprecise if the PFS HR is near 1.",
            f"Not shown: {len(points) - len(data)} comparisons beyond the axes; in c, {unknown} with unknown follow-up "
            f"or follow-up beyond the axis.",
        ]
    if not chart.structure.is_default:
        lines.append(f"Hazards: {chart.structure.label}; shares below 0 as 0.")
    return "\n".join(lines)


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


def _key(last: Axes, data: pd.DataFrame, norm: BoundaryNorm) -> None:
    """Draw the colour bar beside the last panel, and the stages of the trials."""
    place = last.get_position()
    figure = last.get_figure(root=True)
    assert figure is not None
    bar = figure.add_axes((place.x1 + 0.015, place.y0, 0.014, place.height))
    middles = (BANDS[1:] + BANDS[:-1]) / 2
    bar.imshow(middles[:, None], aspect="auto", origin="lower", cmap=COLOURS, norm=norm, extent=(0, 1, 0, 1))
    bar.set(xticks=[], yticks=[0, 0.5, 1])
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("Retained share of the log HR", labelpad=2)
    stages = [stage for stage in style.STAGE_MARKERS if stage and (data["stage"] == stage).any()]
    if stages:
        handles = [
            Line2D(
                [], [], ls="", marker=style.STAGE_MARKERS[stage], mfc="white", mec=style.INK, mew=0.6, ms=4, label=stage
            )
            for stage in stages
        ]
        if (data["endpoint"] == "TTP").any():
            handles.append(Line2D([], [], ls="", marker="o", mfc=style.INK, mec="none", ms=TTP_DOT, label="TTP only"))
        last.legend(
            handles=handles,
            loc="upper right",
            bbox_to_anchor=(1.24, -0.30),
            ncols=2,
            fontsize=6.5,
            handletextpad=0.0,
            columnspacing=0.6,
            borderpad=0.2,
        )
