"""Identifiers of symbols in the SVG, by which a page shows the name and the numbers of a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

PREFIX = "comparison-"
MOST_IDENTIFIED = 300  # symbols of a figure; more cannot be told apart, and would take seconds
BLACK = (0.0, 0.0, 0.0)
SMALL_DISC = 9.0  # points; diameter for symbols that are smaller than a finger or pointer needs


class MarkedSymbol(NamedTuple):
    """Symbol of a comparison: identifier, place in data coordinates, and diameter in points."""

    comparison: str
    x: float
    y: float
    diameter: float


class IdentifiedSymbols(Artist):
    """Invisible discs with identifiers.

    Parameters
    ----------
    symbols : tuple of MarkedSymbol
        In the order in which they are drawn.
    """

    zorder = 9

    def __init__(self, symbols: tuple[MarkedSymbol, ...]) -> None:
        super().__init__()
        self.symbols = symbols

    def draw(self, renderer: RendererBase) -> None:
        """Draw each disc in a group of its own."""
        places = self.get_transform().transform([(symbol.x, symbol.y) for symbol in self.symbols])
        context = renderer.new_gc()
        context.set_alpha(0.0)
        point = float(np.asarray(renderer.points_to_pixels(1.0)))
        for symbol, place in zip(self.symbols, places, strict=True):
            size = Affine2D().scale(point * symbol.diameter / 2)
            renderer.open_group("symbol", f"{PREFIX}{symbol.comparison}")
            renderer.draw_markers(context, Path.unit_circle(), size, Path([place]), IdentityTransform(), BLACK)
            renderer.close_group("symbol")
        context.restore()


def identify_symbols(ax: Axes, symbols: Iterable[MarkedSymbol]) -> None:
    """Add an invisible disc over each symbol, with ``comparison-<name>`` as its identifier in the SVG.

    The discs of small symbols lie on those of large ones. They change neither the limits of the axes nor the print.

    Parameters
    ----------
    ax : Axes
    symbols : iterable of MarkedSymbol
    """
    ordered = sorted(symbols, key=lambda symbol: -symbol.diameter)
    if 0 < len(ordered) <= MOST_IDENTIFIED:
        ax.add_artist(IdentifiedSymbols(tuple(ordered)))
