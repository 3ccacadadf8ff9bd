"""Marks of comparisons whose final effect is predicted: trials with a surrogate effect only, and a new trial.

All effects are log hazard ratios. Each function draws a mark and returns its label, which `labels.place_labels` writes
together with the other labels of the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.evaluation.new_trial import PredictedTrial
from surrogacy.evaluation.surrogate_only import SurrogateOnlyMark
from surrogacy.figures import _style as style
from surrogacy.figures.labels import Label, Symbol
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols

HOLLOW: dict[str, Any] = {"marker": "o", "mfc": "white", "mec": style.INK, "mew": 0.9, "ms": 6.0}
NEW: dict[str, Any] = {"marker": "D", "mfc": style.LINE_COLOUR, "mec": "white", "mew": 0.7, "ms": 6.0}
THIN, THICK = 1.0, 2.6  # points: widths of the 95 % and the 80 % interval
BETWEEN: dict[str, Any] = {
    "color": "0.45",
    "lw": 0.6,
    "ls": (0, (1, 1.5)),
}  # from the symbol on the axis to its interval


def draw_surrogate_only(axes: Axes, comparison: SurrogateOnlyMark) -> Label:
    """Draw a hollow circle on the horizontal axis, with the surrogate interval, and the predicted interval above it.

    A circle on the axis has no final effect; its height carries no information. A dotted line joins it to the vertical
    bar of the prediction interval, with a short line at the predicted effect. A bar that leaves the axes ends in an
    arrow.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    comparison : SurrogateOnlyMark

    Returns
    -------
    Label
        Of the circle.
    """
    bottom = axes.get_ylim()[0]
    colour = style.LINE_COLOUR if comparison.in_focus else "0.25"
    x = comparison.log_hr
    axes.plot([x, x], [bottom, comparison.predicted], zorder=2.4, scalex=False, scaley=False, **BETWEEN)
    draw_interval(axes, "x", bottom, comparison.low, comparison.high, colour, THIN)
    draw_interval(axes, "y", x, comparison.predicted_low, comparison.predicted_high, colour, THIN)
    axes.plot(x, comparison.predicted, "_", color=colour, ms=7, mew=1.4, zorder=4.5, scalex=False, scaley=False)
    look = HOLLOW | {"mec": colour}
    axes.plot(x, bottom, lw=0, clip_on=False, zorder=6, scalex=False, scaley=False, **look)
    if comparison.identifier:
        places = (bottom, comparison.predicted)
        identify_symbols(axes, [MarkedSymbol(comparison.identifier, x, y, SMALL_DISC) for y in places])
    return Label(comparison.label, Symbol(x, bottom, 3.6), bold=comparison.in_focus, colour=colour)


def draw_new_trial(axes: Axes, trial: PredictedTrial) -> Label:
    """Draw a diamond at the predicted effect with its 80 % (thick) and 95 % interval and the surrogate interval.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    trial : PredictedTrial

    Returns
    -------
    Label
        Of the diamond.
    """
    colour, x, y = style.LINE_COLOUR, trial.log_hr, trial.predicted
    draw_interval(axes, "x", y, trial.low, trial.high, colour, THIN)
    draw_interval(axes, "y", x, trial.low_95, trial.high_95, colour, THIN)
    draw_interval(axes, "y", x, trial.low_80, trial.high_80, colour, THICK)
    axes.plot(x, y, lw=0, zorder=6, scalex=False, scaley=False, **NEW)
    identify_symbols(axes, [MarkedSymbol(trial.identifier, x, y, SMALL_DISC)])
    return Label(trial.label, Symbol(x, y, 4.8), bold=True, colour=colour)


def draw_interval(
    axes: Axes, which: str, at: float, low: float, high: float, colour: str, width: float, zorder: float = 4
) -> None:
    """Draw an interval along an axis, up to the limits of the axes; an arrow shows that it extends further.

    Parameters
    ----------
    axes : Axes
    which : {"x", "y"}
    at : float
        Position on the other axis.
    low, high : float
    colour : str
    width : float
        Points.
    zorder : float
    """
    least, most = axes.get_xlim() if which == "x" else axes.get_ylim()
    ends = [max(low, least), min(high, most)]
    if ends[0] > ends[1]:
        return

    def plot(along: Sequence[float], **look: Any) -> None:
        across = [at] * len(along)
        x, y = (along, across) if which == "x" else (across, along)
        axes.plot(x, y, color=colour, zorder=zorder, clip_on=False, scalex=False, scaley=False, **look)

    plot(ends, lw=width, solid_capstyle="butt")
    for beyond, end, marker in (
        (low < least, least, "<" if which == "x" else "v"),
        (high > most, most, ">" if which == "x" else "^"),
    ):
        if beyond:
            plot([end], lw=0, marker=marker, ms=3.5, mew=0)


def key_of_marks(surrogate_only: Sequence[SurrogateOnlyMark], new_trial: PredictedTrial | None) -> list[Line2D]:
    """Return the entries of a key for the marks that are drawn."""
    entries = []
    if surrogate_only:
        entries.append(Line2D([], [], lw=0, label="on the axis: no final effect;\nbar: predicted, 95%", **HOLLOW))
    if new_trial is not None:
        entries.append(
            Line2D([], [], color=style.LINE_COLOUR, lw=THIN, label="new trial: predicted,\n95%, thick 80%", **NEW)
        )
    return entries
