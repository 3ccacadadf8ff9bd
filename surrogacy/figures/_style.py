"""Journal presets, colours and hazard ratio axes of all figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from surrogacy.errors import UsageError

MM = 1 / 25.4
PNG_DPI = 200

HR_TICKS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)

# palette of Okabe and Ito, for all common types of colour vision
CLASS_COLOURS = {
    "tace-combination": "#0072B2",
    "antiangiogenic-tki": "#E69F00",
    "antiangiogenic-mab": "#F0E442",
    "ici": "#009E73",
    "ici+antiangiogenic": "#56B4E9",
    "ici+ici": "#004D40",
    "chemo": "#D55E00",
    "haic": "#CC79A7",
    "sirt": "#999999",
    "locoregional": "#000000",
    "other": "#FFFFFF",
    "": "#DDDDDD",
}
STAGE_MARKERS = {"intermediate": "o", "advanced": "s", "mixed": "D", "": "o"}
INK = "#222222"
LINE_COLOUR = "#B2182B"
POSTERIOR = "#4C78A8"


@dataclass(frozen=True)
class Preset:
    """Requirements of a publisher for figures.

    Parameters
    ----------
    widths : tuple of float
        Widths of one, one and a half and two columns, mm.
    font_size : float
        Points, at the printed size.
    families : tuple of str
        Fonts in order of preference.
    dpi : int
        Resolution of a TIFF; a PNG, for the screen, has 200.
    """

    widths: tuple[float, float, float]
    font_size: float
    families: tuple[str, ...]
    dpi: int


# A subset of Arimo, which has the metrics of Arial, ships with the package under another name: a figure is the same
# on every machine, and the small file is embedded many times faster.
FONTS = Path(__file__).parent / "fonts"
SHIPPED = "Surrogacy Sans"
SANS = (SHIPPED, "Arial", "Arimo", "Helvetica", "DejaVu Sans")
PRESETS = {
    "elsevier": Preset((90, 140, 190), 7.5, SANS, 500),
    "lancet": Preset((75, 107, 154), 8.0, ("Times New Roman", "Liberation Serif", "DejaVu Serif"), 300),
    "nejm": Preset((90, 140, 180), 7.5, SANS, 600),
    "jama": Preset((84, 127, 178), 7.5, SANS, 350),
    "karger": Preset((85, 130, 175), 7.5, SANS, 600),
    "nature": Preset((89, 120, 183), 7.0, SANS, 300),
}


def preset(name: str) -> Preset:
    """Return a preset by name.

    Raises
    ------
    UsageError
        If the preset is not known.
    """
    if name not in PRESETS:
        raise UsageError(f"unknown preset {name!r}; choose from {', '.join(PRESETS)}")
    return PRESETS[name]


@contextmanager
def style(chosen: Preset) -> Iterator[None]:
    """Apply the matplotlib settings of a preset: embedded editable text, no timestamps, thin lines."""
    if not any(entry.name == SHIPPED for entry in fontManager.ttflist):
        for path in sorted(FONTS.glob("*.ttf")):
            fontManager.addfont(path)
    generic = "serif" if "Serif" in chosen.families[-1] else "sans-serif"
    size = chosen.font_size
    settings = {
        "font.family": generic,
        f"font.{generic}": list(chosen.families),
        "font.size": size,
        "text.parse_math": False,  # a $ in the name of a trial is a dollar sign
        "axes.labelsize": size,
        "axes.linewidth": 0.6,
        "xtick.labelsize": size - 0.5,
        "ytick.labelsize": size - 0.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "legend.fontsize": size - 0.5,
        "legend.frameon": False,
        "lines.linewidth": 1.0,
        "text.hinting": "no_hinting",  # twice as fast, without a visible difference in print
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "surrogacy",
        "figure.dpi": 100,
        "savefig.dpi": chosen.dpi,
    }
    with mpl.rc_context():
        mpl.rcdefaults()  # a matplotlibrc of the user must not change the figures
        mpl.rcParams.update(settings)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in millimetres."""
    return Figure(figsize=(width * MM, height * MM))


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
    inside = [tick for tick in HR_TICKS if low - 1e-9 <= np.log(tick) <= high + 1e-9]
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    axis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in inside]))
    axis.set_major_formatter(FixedFormatter([f"{tick:g}" if tick != 1 else "1.0" for tick in inside]))
    axis.set_minor_locator(NullLocator())


def save(figure: Figure, stem: Path, formats: Sequence[str]) -> list[str]:
    """Save a figure in several formats without timestamps; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
    stem : Path
        Folder and name without ending.
    formats : sequence of {"pdf", "svg", "png", "tiff"}

    Returns
    -------
    list of str
        File names.
    """
    without_dates = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    compression = {"tiff": {"compression": "tiff_lzw"}, "png": {"compress_level": 1}}
    resolution = {"pdf": "figure", "svg": "figure", "png": PNG_DPI, "tiff": mpl.rcParams["savefig.dpi"]}
    names = []
    for ending in formats:
        path = stem.with_name(f"{stem.name}.{ending}")
        options: dict[str, Any] = {"pil_kwargs": compression[ending]} if ending in compression else {}
        figure.savefig(path, format=ending, dpi=resolution[ending], metadata=without_dates.get(ending), **options)
        names.append(path.name)
    return names
