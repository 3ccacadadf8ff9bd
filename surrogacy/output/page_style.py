"""Pages of journals: the width, type and formats for which a figure is laid out."""

from __future__ import annotations

from dataclasses import dataclass

from surrogacy.errors import UsageError

COLUMNS = (1, 1.5, 2)
SMALLEST = 6.0  # points: smallest text of a figure
NARROWEST, WIDEST = 60.0, 300.0  # mm

# Subsets of Arimo and Tinos, which have the metrics of Arial and Times New Roman, ship with the package under other
# names: a figure is the same on every machine, and the small files are embedded many times faster.
SHIPPED_FONT, SHIPPED_SERIF = "Surrogacy Sans", "Surrogacy Serif"
SANS = (SHIPPED_FONT, "Arial", "Arimo", "Helvetica", "DejaVu Sans")
SERIF = (SHIPPED_SERIF, "Times New Roman", "Liberation Serif", "DejaVu Serif")
VECTOR_AND_SCREEN = ("pdf", "svg", "png")


@dataclass(frozen=True)
class Preset:
    """Requirements of a publisher for figures.

    Parameters
    ----------
    widths : tuple of float
        Widths of one, one and a half and two columns, mm.
    type_size : float
        Points, of the labels of axes at the printed size.
    small_size : float
        Points, of all other text; at least 6.
    families : tuple of str
        Fonts in order of preference.
    dpi : int
        Resolution of a TIFF; a PNG, for the screen, has 200.
    formats : tuple of {"pdf", "svg", "png", "tiff"}
        Formats that the journal takes, and a PNG for the screen.
    source : str
        Page of the publisher that states the widths; empty if none was found, so that common widths are used.
    """

    widths: tuple[float, float, float]
    type_size: float
    small_size: float
    families: tuple[str, ...]
    dpi: int
    formats: tuple[str, ...] = VECTOR_AND_SCREEN
    source: str = ""

    @property
    def widths_published(self) -> bool:
        """True if a page of the publisher states the widths."""
        return bool(self.source)


# Elsevier: also in the R package lehuynh (ggsave_elsevier). Nature: 89 and 183 mm, 120 to 136 mm for one and a half
# columns. Lancet: 75 and 154 mm by guides of others that cite its page, which was not read; 107 mm is common.
PRESETS = {
    "elsevier": Preset(
        (90, 140, 190),
        7.0,
        6.3,
        SANS,
        500,
        source="https://www.elsevier.com/about/policies-and-standards/author/artwork-and-media-instructions/artwork-sizing",
    ),
    "lancet": Preset((75, 107, 154), 7.2, 6.2, SERIF, 300, source="https://www.thelancet.com/submission-guidelines"),
    "nejm": Preset((90, 140, 180), 7.0, 6.3, SANS, 600),
    "jama": Preset((84, 127, 178), 7.0, 6.3, SANS, 350),
    "karger": Preset((85, 130, 175), 7.0, 6.3, SANS, 600),
    "nature": Preset(
        (89, 120, 183),
        7.0,
        6.0,
        SANS,
        300,
        source="https://research-figure-guide.nature.com/figures/building-and-exporting-figure-panels",
    ),
}


@dataclass(frozen=True)
class PageStyle:
    """Page for which a figure is laid out; a figure is never scaled to its width.

    Parameters
    ----------
    journal : str
        Name of the preset.
    width : float
        Width of the figure, mm.
    columns : {1, 1.5, 2}
        Number of columns of the journal that is nearest to the width. With one column, a figure has fewer names and no
        key beside the axes.
    type_size, small_size : float
        Points: labels of axes, and all other text.
    families : tuple of str
        Fonts in order of preference.
    dpi : int
        Resolution of a TIFF.
    """

    journal: str
    width: float
    columns: float
    type_size: float
    small_size: float
    families: tuple[str, ...]
    dpi: int

    @property
    def is_narrow(self) -> bool:
        """True for one column."""
        return self.columns == 1


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


def page_style(journal: str = "elsevier", width: float = 2) -> PageStyle:
    """Return the page of a journal.

    Parameters
    ----------
    journal : str
        Name of a preset.
    width : float
        Columns (1, 1.5 or 2), or millimetres.

    Raises
    ------
    UsageError
        If the preset is not known, or the width is neither a number of columns nor 60 to 300 mm.

    Examples
    --------
    >>> page_style("karger", 1).width, page_style("karger", 1.5).columns, page_style("karger", 100).columns
    (85, 1.5, 1)
    """
    chosen = preset(journal)
    widths = dict(zip(COLUMNS, chosen.widths, strict=True))
    columns = next((number for number in COLUMNS if number == width), None)
    if columns is None:
        if not NARROWEST <= width <= WIDEST:
            raise UsageError(f"--width {width:g}: choose 1, 1.5 or 2 columns, or {NARROWEST:g} to {WIDEST:g} mm")
        columns = min(COLUMNS, key=lambda number: abs(widths[number] - width))
    else:
        width = widths[columns]
    return PageStyle(journal, width, columns, chosen.type_size, chosen.small_size, chosen.families, chosen.dpi)


DEFAULT_PAGE = page_style()
