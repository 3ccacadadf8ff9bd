"""Figures with one row per result: columns of text of their natural width beside panels that share the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.labels import text_widths, widest
from surrogacy.output.page_style import PageStyle

POINTS = 72 * style.MM  # per mm
GAP = 1.8  # mm between columns
BESIDE_PANEL = 2.4  # mm between a column and a panel, with room for an arrowhead
BETWEEN_PANELS = 5.5  # mm, if no column separates them
NARROWEST_PANEL = 26.0  # mm, of a panel beside which limits are written
MARGIN = 1.2  # mm at the edges of the figure
ARROW = 3.4  # points
INDENT = 1.5  # mm, of a row below its heading
BETWEEN_GROUPS = 0.3  # rows
QUANTITY_AXIS = 9.5  # mm for ticks and label below panels of a quantity
FAVOURS = 20.0  # points from an axis to the words below it
ROW = 1.7  # height of a row, in the size of its text
LINE_SPACING = 1.25
SHORTEST_LINE = 20  # characters
HEADING = -1.0  # row of the headings
TICKS = {1: 4, 1.5: 5, 2: 6}  # most intervals between the ticks of a panel, by the number of columns


@dataclass(frozen=True)
class Cell:
    """Text in a row.

    Parameters
    ----------
    row : float
        0 for the first row; headings are above it.
    text : str
    bold : bool
    indent : float
        mm.
    spans : bool
        True if the text may extend over the following column and panel, as a heading in a row of its own.
    """

    row: float
    text: str
    bold: bool = False
    indent: float = 0.0
    spans: bool = False


@dataclass(frozen=True)
class Column:
    """Column of text beside a panel.

    Parameters
    ----------
    cells : tuple of Cell
    align : {"left", "right"}
    """

    cells: tuple[Cell, ...]
    align: Literal["left", "right"] = "left"

    @property
    def width(self) -> float:
        """Width of the widest cell in the small size of the style in force, mm."""
        cells = [cell for cell in self.cells if not cell.spans]
        widths = text_widths([cell.text for cell in cells], ["bold" if cell.bold else "normal" for cell in cells])
        return max((width + cell.indent for width, cell in zip(widths, cells, strict=True)), default=0.0)


def column(heading: str, texts: Sequence[str], align: Literal["left", "right"] = "left") -> Column:
    """Return a column with a heading in bold and one text per row."""
    cells = (Cell(row, text) for row, text in enumerate(texts))
    return Column((Cell(HEADING, heading, bold=True), *cells), align)


def row_panels(
    page: PageStyle,
    height: float,
    margins: tuple[float, float],
    before: Sequence[Column],
    after: Sequence[Sequence[Column]],
) -> tuple[Axes, ...]:
    """Return the panels of a new figure, as wide as the columns of text allow.

    Parameters
    ----------
    page : PageStyle
    height : float
        Height of the panels, mm.
    margins : pair of float
        Room above and below the panels, mm.
    before : sequence of Column
        Columns left of the first panel.
    after : sequence of sequence of Column
        Columns right of each panel.
    """
    above, below = margins
    total = above + height + below
    left, rooms = MARGIN + _room(before), _rooms(after)
    width = panel_width(page, before, after)
    figure = style.new_figure(page.width, total)
    panels = []
    for room in rooms:
        panels.append(figure.add_axes((left / page.width, below / total, width / page.width, height / total)))
        left += width + room
    return tuple(panels)


def panel_width(page: PageStyle, before: Sequence[Column], after: Sequence[Sequence[Column]]) -> float:
    """Return the width that the columns of text leave for each panel, mm."""
    return (page.width - MARGIN - _room(before) - sum(_rooms(after))) / len(after)


def _rooms(after: Sequence[Sequence[Column]]) -> list[float]:
    """Widths between a panel and the next one or the edge of the figure, mm."""
    between = [_room(columns) + BESIDE_PANEL if columns else BETWEEN_PANELS for columns in after[:-1]]
    return [*between, _room(after[-1]) + MARGIN if after[-1] else 2.5 * MARGIN]


def _room(columns: Sequence[Column]) -> float:
    """Width of adjacent columns with the distance to their panel, mm."""
    return sum(each.width + GAP for each in columns) + (BESIDE_PANEL - GAP if columns else 0.0)


def write_columns(panels: Sequence[Axes], before: Sequence[Column], after: Sequence[Sequence[Column]]) -> float:
    """Write the columns beside the panels; return the width of the columns before the first panel, mm."""
    start = offset = -_room(before)
    for each in before:
        _write(panels[0], 0, offset, each)
        offset += each.width + GAP
    for panel, columns in zip(panels, after, strict=True):
        offset = BESIDE_PANEL
        for each in columns:
            _write(panel, 1, offset, each)
            offset += each.width + GAP
    return -start


def _write(panel: Axes, edge: int, offset: float, written: Column) -> None:
    """Write a column at an offset in mm from the left (0) or right (1) edge of a panel."""
    width, inches = written.width, panel.figure.dpi_scale_trans
    for cell in written.cells:
        place = offset + (width if written.align == "right" else cell.indent)
        panel.text(
            edge,
            cell.row,
            cell.text,
            transform=panel.get_yaxis_transform() + ScaledTranslation(place * style.MM, 0, inches),
            ha=written.align,
            va="center",
            fontsize="small",
            fontweight="bold" if cell.bold else "normal",
            bbox={"facecolor": "white", "lw": 0, "pad": 0.3} if cell.spans else None,
        )


def row_axis(panel: Axes, rows: float, first: float = -0.6) -> None:
    """Give a panel its rows, the first at the top, and no frame except the axis below."""
    panel.set(ylim=(rows - 0.4, first), yticks=[])
    style.clear_spines(panel)
    panel.spines["left"].set_visible(False)


def quantity_limits(values: FloatArray, least: float, most: float) -> tuple[float, float]:
    """Return limits of an axis that holds all finite values and 0 with a margin, within the widest limits."""
    finite = np.append(values[np.isfinite(values)], 0.0)
    low, high = (float(np.clip(end, least, most)) for end in (finite.min(), finite.max()))
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def draw_intervals(
    panel: Axes, rows: ArrayLike, low: ArrayLike, high: ArrayLike, *, colours: ArrayLike, width: float = 0.9
) -> None:
    """Draw intervals, which end in arrowheads where the axis cuts them; nothing where limits are not known.

    Parameters
    ----------
    panel : Axes
        With its limits set.
    rows, low, high : (k,) array-like
    colours : str or (k,) array-like of str
        Of all intervals, or of each.
    width : float
        Points.
    """
    ends = panel.get_xlim()
    y, start, end = np.broadcast_arrays(*(np.atleast_1d(np.asarray(values, float)) for values in (rows, low, high)))
    shown = np.isfinite(start) & np.isfinite(end) & (end >= ends[0]) & (start <= ends[1])
    look = np.broadcast_to(colours, y.shape)[shown]
    segments = np.stack([np.clip([start, end], *ends), [y, y]], axis=-1)[:, shown].swapaxes(0, 1)
    lines = LineCollection(list(segments), colors=list(look), linewidths=width, capstyle="butt", zorder=2)
    panel.add_collection(lines, autolim=False)
    for cut, at, marker in ((start < ends[0], ends[0], "<"), (end > ends[1], ends[1], ">")):
        for row, colour in zip(y[shown & cut], look[cut[shown]], strict=True):
            panel.plot(at, row, marker, color=colour, ms=ARROW, mew=0, clip_on=False, zorder=2.5)


def favours(panels: Sequence[Axes], *, shared: bool = False) -> None:
    """Write below axes of hazard ratios which side favours which arm.

    Parameters
    ----------
    panels : sequence of Axes
        After their limits are set.
    shared : bool
        True to write one line in the middle of a narrow figure, whose panels have the same scale.
    """
    left, right = "← favours experimental", "favours control →"
    if shared:
        place = (0.5, panels[0].get_position().y0)
        _below(panels[0], f"{left}   {right}", place, 0, "center", "figure fraction")
        return
    for panel in panels:
        for text, side, shift in ((left, "right", -2), (right, "left", 2)):
            _below(panel, text, (0, 0), shift, side, panel.get_xaxis_transform())


def _below(panel: Axes, text: str, place: tuple[float, float], shift: float, align: Any, coordinates: Any) -> None:
    panel.annotate(
        text,
        place,
        (shift, -FAVOURS),
        xycoords=coordinates,
        textcoords="offset points",
        ha=align,
        va="baseline",
        fontsize="small",
        annotation_clip=False,
    )


def rows_height(page: PageStyle, rows: float) -> float:
    """Return the height of rows, mm: a row is higher than a line of text."""
    return rows * ROW * page.small_size / POINTS


def note_lines(page: PageStyle, notes: Sequence[str]) -> list[str]:
    """Break notes into the lines of a page."""
    room = page.width - 2 * MARGIN
    return [line for note in notes for line in wrapped(note, room)]


def wrapped(note: str, room: float) -> list[str]:
    """Return the lines of a note, no wider than some millimetres."""
    characters = int(len(note) * min(1.0, room / widest([note])))
    while characters > SHORTEST_LINE and widest(textwrap.wrap(note, characters)) > room:
        characters -= 1
    return textwrap.wrap(note, characters)


def lines_height(page: PageStyle, lines: Sequence[str]) -> float:
    """Return the height of lines in the small size of a page, mm."""
    figure = style.new_figure(100, 100)
    text = figure.text(0, 0, "\n".join(lines), fontsize=page.small_size, linespacing=LINE_SPACING)
    return float(text.get_window_extent().height / figure.dpi / style.MM) if lines else 0.0


def write_notes(panel: Axes, lines: Sequence[str], left: float, below: float) -> None:
    """Write lines under a figure, from a distance in mm left of and below a panel."""
    panel.annotate(
        "\n".join(lines),
        (0, 0),
        (-left * POINTS, -below * POINTS),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize="small",
        linespacing=LINE_SPACING,
        annotation_clip=False,
    )
