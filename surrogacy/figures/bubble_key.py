"""Keys of the bubble plot: groups of treatment classes, and the names behind the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.figures import _style as style
from surrogacy.figures.bubble_layout import NameTable
from surrogacy.figures.class_groups import GROUPS, NOT_STATED, group_of, marker_size
from surrogacy.figures.labels import CAPITAL, text_widths, widest
from surrogacy.output.page_style import PageStyle

KEY_SIZE = 24.0  # points squared
SPACE = 1.2  # mm between a number and its name
BETWEEN = 2.5  # mm between two columns of names


@dataclass(frozen=True)
class NumberedName:
    """Entry of the table: the number of a comparison, its name, and whether it is in focus."""

    number: str
    name: str
    in_focus: bool


def numbered_names(data: pd.DataFrame) -> tuple[NumberedName, ...]:
    """Return the names in the order of their numbers."""
    rows = data.sort_values("number").to_dict("records")
    return tuple(NumberedName(str(row["number"]), row["label"], row["focus"]) for row in rows)


def key_of_groups(data: pd.DataFrame, page: PageStyle) -> list[Line2D]:
    """Return an entry for each group of classes in the data."""
    present = {group_of(name) for name in data["class"]}
    return [
        Line2D(
            [],
            [],
            lw=0,
            marker=group.marker,
            mfc=group.colour,
            mec=style.INK,
            mew=0.6,
            ms=float(np.sqrt(marker_size(KEY_SIZE, group.marker))),
            label=group.short if page.is_narrow else group.label,
        )
        for group in (*GROUPS, NOT_STATED)
        if group in present
    ]


def cell_widths(names: Sequence[NumberedName]) -> list[float]:
    """Return the width of each number with its name and the space to the next column, mm."""
    around = _number_width(names) + SPACE + BETWEEN
    widths = text_widths([entry.name for entry in names], ["bold" if entry.in_focus else "normal" for entry in names])
    return [around + width for width in widths]


def draw_numbered_names(ax: Axes, names: Sequence[NumberedName], table: NameTable, page: PageStyle) -> None:
    """Write the numbers and names into the figure, column by column."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    width, height = figure.get_size_inches() / style.MM
    number_width = _number_width(names)
    for place, entry in enumerate(names):
        column, row = divmod(place, table.rows)
        left = table.columns[column] + number_width
        y = (table.top - (row + 0.5) * table.row - 0.5 * CAPITAL * page.small_size * style.POINT) / height
        look: dict[str, Any] = {"va": "baseline", "fontsize": page.small_size, "color": style.INK}
        if entry.in_focus:
            look |= {"color": style.LINE_COLOUR, "fontweight": "bold"}
        figure.text(left / width, y, entry.number, ha="right", **look)
        figure.text((left + SPACE) / width, y, entry.name, ha="left", **look)


def _number_width(names: Sequence[NumberedName]) -> float:
    return widest([entry.number for entry in names])
