"""Identifiers of symbols in the SVG, by which a page shows the name and the numbers of a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

PREFIX = "comparison-"
MOST_IDENTIFIED = 300  # symbols of a figure; more cannot be told apart, and would take seconds
SMALL_DISC = 9.0  # points; diameter for symbols that are smaller than a finger or pointer needs


class MarkedSymbol(NamedTuple):
    """Symbol of a comparison: identifier, place in data coordinates, and diameter in points."""

    comparison: str
    x: float
    y: float
    diameter: float


def identify_symbols(ax: Axes, symbols: Iterable[MarkedSymbol]) -> None:
    """Add an invisible disc over each symbol, with ``comparison-<name>`` as its identifier in the SVG.

    The discs of small symbols lie on those of large ones. They change neither the limits of the axes nor the print.

    Parameters
    ----------
    ax : Axes
    symbols : iterable of MarkedSymbol
    """
    ordered = sorted(symbols, key=lambda symbol: -symbol.diameter)
    for symbol in ordered if len(ordered) <= MOST_IDENTIFIED else ():
        disc = Line2D(
            [symbol.x], [symbol.y], ls="", marker="o", ms=symbol.diameter, mew=0, alpha=0, zorder=9, label="_symbol"
        )
        disc.set_gid(f"{PREFIX}{symbol.comparison}")
        ax.add_artist(disc)
