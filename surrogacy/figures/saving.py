"""Files of a figure. One traversal of its artists writes both PDF and SVG, whose units and layout are the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_pdf import PdfFile, RendererPdf
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

VECTOR = ("pdf", "svg")
PNG_DPI = 200
POINTS_PER_INCH = 72
WITHOUT_DATES = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
COMPRESSION = {"tiff": {"compression": "tiff_lzw"}, "png": {"compress_level": 1}}


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
    resolution = {"pdf": "figure", "svg": "figure", "png": PNG_DPI, "tiff": mpl.rcParams["savefig.dpi"]}
    paths = {ending: stem.with_name(f"{stem.name}.{ending}") for ending in formats}
    together = set(VECTOR) <= set(formats) and not any(axes.images for axes in figure.axes)
    if together:
        _save_vector(figure, *(paths[ending] for ending in VECTOR))
    for ending, path in paths.items():
        if not (together and ending in VECTOR):
            options: dict[str, Any] = {"pil_kwargs": COMPRESSION[ending]} if ending in COMPRESSION else {}
            figure.savefig(path, format=ending, dpi=resolution[ending], metadata=WITHOUT_DATES.get(ending), **options)
    return [path.name for path in paths.values()]


def _save_vector(figure: Figure, pdf_path: Path, svg_path: Path) -> None:
    """Write PDF and SVG as `Figure.savefig` does, from one traversal of the artists."""
    width, height = figure.get_size_inches()
    resolution = figure.dpi  # of rasterized artists
    pdf_file = PdfFile(pdf_path, metadata=WITHOUT_DATES["pdf"])
    try:
        figure.dpi = POINTS_PER_INCH
        pdf_file.newPage(width, height)
        with svg_path.open("w", encoding="utf-8") as svg_file:
            size = width * POINTS_PER_INCH, height * POINTS_PER_INCH
            svg = RendererSVG(*size, svg_file, image_dpi=resolution, metadata=WITHOUT_DATES["svg"])
            pdf = RendererPdf(pdf_file, resolution, height, width)
            renderer = MixedModeRenderer(figure, width, height, resolution, _PdfAndSvg(pdf, svg))
            figure.draw(cast(RendererBase, renderer))
            pdf.finalize()
            svg.finalize()
        pdf_file.finalize()
    finally:
        pdf_file.close()
        figure.dpi = resolution


class _PdfAndSvg:
    """Renderer that hands each command to a PDF and an SVG; text is measured as in the PDF.

    Heights are counted from the lower edge, as in the PDF; only the SVG counts those of texts from the upper edge.
    """

    def __init__(self, pdf: RendererPdf, svg: RendererSVG) -> None:
        self._pdf, self._svg = pdf, svg
        self.open_group, self.close_group = svg.open_group, svg.close_group

    def __getattr__(self, name: str) -> Any:
        """Return what draws nothing, such as the size of a text, from the PDF."""
        return getattr(self._pdf, name)

    def draw_path(self, *command: Any) -> None:
        """Draw a path."""
        self._pdf.draw_path(*command)
        self._svg.draw_path(*command)

    def draw_markers(self, *command: Any) -> None:
        """Draw markers at the vertices of a path."""
        self._pdf.draw_markers(*command)
        self._svg.draw_markers(*command)

    def draw_path_collection(self, *command: Any, **options: Any) -> None:
        """Draw several paths."""
        self._pdf.draw_path_collection(*command, **options)
        self._svg.draw_path_collection(*command, **options)

    def draw_image(self, *command: Any) -> None:
        """Draw a rasterized artist."""
        self._pdf.draw_image(*command)
        self._svg.draw_image(*command)

    def draw_text(self, gc: GraphicsContextBase, x: float, y: float, *text: Any, **options: Any) -> None:
        """Draw a line of text."""
        self._pdf.draw_text(gc, x, y, *text, **options)
        self._svg.draw_text(gc, x, self._svg.height - y, *text, **options)
