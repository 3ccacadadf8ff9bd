"""Settings of matplotlib, colours and hazard ratio axes of all figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import cast

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, font_scalings, fontManager
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from surrogacy.output.page_style import DEFAULT_PAGE, SHIPPED_FONT, PageStyle

MM = 1 / 25.4
POINT = 25.4 / 72  # mm

# in order of preference, as labels that would overlap are omitted
HR_TICKS = (1.0, 0.5, 2.0, 0.7, 1.5, 0.8, 0.6, 1.25, 0.4, 0.3, 0.2, 0.1, 4.0, 3.0, 2.5, 0.15)
TICKS_APART = {"x": 2.2, "y": 1.5}  # sizes of type between two ticks

STAGE_MARKERS = {"intermediate": "o", "advanced": "s", "mixed": "D", "": "o"}
INK = "#222222"
LINE_COLOUR = "#B2182B"
POSTERIOR = "#4C78A8"

FONTS = Path(__file__).parent / "fonts"


@contextmanager
def style(page: PageStyle) -> Iterator[None]:
    """Apply the matplotlib settings of a page: embedded editable text, no timestamps, thin lines."""
    if not any(entry.name == SHIPPED_FONT for entry in fontManager.ttflist):
        for path in sorted(FONTS.glob("*.ttf")):
            fontManager.addfont(path)
    generic = "serif" if "Serif" in page.families[-1] else "sans-serif"
    settings = {
        "font.family": generic,
        f"font.{generic}": list(page.families),
        "font.size": page.small_size / font_scalings["small"],  # "small" is the small size of the page
        "text.parse_math": False,  # a $ in the name of a trial is a dollar sign
        "axes.labelsize": page.type_size,
        "axes.titlesize": page.type_size,
        "axes.linewidth": 0.6,
        "xtick.labelsize": page.small_size,
        "ytick.labelsize": page.small_size,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "legend.fontsize": page.small_size,
        "legend.frameon": False,
        "lines.linewidth": 1.0,
        "text.hinting": "no_hinting",  # twice as fast, without a visible difference in print
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "surrogacy",
        "figure.dpi": 100,
        "savefig.dpi": page.dpi,
    }
    with mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc of the user must not change the figures
        mpl.rcParams.update(settings)
        yield


def laid_out[**P, R](plot: Callable[P, R]) -> Callable[P, R]:
    """Draw a figure in the style of its page, which is a keyword of the function."""

    @wraps(plot)
    def in_style(*arguments: P.args, **keywords: P.kwargs) -> R:
        page = keywords.get("page", DEFAULT_PAGE)
        with style(cast(PageStyle, page)):
            return plot(*arguments, **keywords)

    return in_style


def new_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in millimetres."""
    figure = Figure(figsize=(width * MM, height * MM))
    FigureCanvasAgg(figure)  # keeps one renderer: without it, each measurement of a text makes a new one
    return figure


def pixels_per_point(axes: Axes) -> float:
    """Return the number of pixels of a point in the figure of some axes."""
    figure = axes.get_figure(root=True)
    return figure.dpi / 72 if figure is not None else 1.0


def corner_key(
    axes: Axes,
    handles: Sequence[Artist],
    columns: int,
    *,
    columnspacing: float | None = None,
    handlelength: float | None = None,
    handletextpad: float | None = None,
    labelspacing: float | None = None,
) -> None:
    """Draw the key in the lower left corner of the figure, below its panels.

    Parameters
    ----------
    axes : Axes
        One of the panels.
    handles : sequence of Artist
        Entries with their labels.
    columns : int
    columnspacing, handlelength, handletextpad, labelspacing : float, optional
        Distances of a legend of matplotlib, in units of the type size.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=columns,
        fontsize="small",
        borderaxespad=0.3,
        columnspacing=columnspacing,
        handlelength=handlelength,
        handletextpad=handletextpad,
        labelspacing=labelspacing,
    )


def clear_spines(axes: Axes) -> None:
    """Remove the upper and the right line of a frame."""
    axes.spines[["top", "right"]].set_visible(False)


def hazard_ratio_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Label an axis in log hazard ratios with hazard ratios.

    Parameters
    ----------
    axes : Axes
    which : {"x", "y"}
    low, high : float
        Limits, log hazard ratio.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    length = axes.get_window_extent().size["xy".index(which)] / pixels_per_point(axes)
    size = font_size_of(mpl.rcParams[f"{which}tick.labelsize"])
    apart = TICKS_APART[which] * size * (high - low) / length
    shown: list[float] = []
    for tick in HR_TICKS:
        at = float(np.log(tick))
        if low - 1e-9 <= at <= high + 1e-9 and all(abs(at - np.log(other)) >= apart for other in shown):
            shown.append(tick)
    shown.sort()
    axis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in shown]))
    axis.set_major_formatter(FixedFormatter([f"{tick:g}" if tick != 1 else "1" for tick in shown]))
    axis.set_minor_locator(NullLocator())
    # ticks are made when the figure is drawn, when other settings may be in force
    axis.set_tick_params(labelsize=size)


def font_size_of(size: float | str) -> float:
    """Return a size of matplotlib, such as ``small``, in points."""
    return float(FontProperties(size=size).get_size_in_points())
