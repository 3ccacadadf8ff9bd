"""Files of a figure. One traversal of its artists writes PDF, SVG and PNG, which therefore have the same layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_pdf import PdfFile, RendererPdf
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, Transform, TransformedPath

TOGETHER = ("pdf", "svg", "png")
PNG_DPI = 200
POINTS_PER_INCH = 72
WITHOUT_DATES: dict[str, Any] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
COMPRESSION: dict[str, Any] = {"tiff": {"compression": "tiff_lzw"}, "png": {"compress_level": 1}}


def save(figure: Figure, stem: FilePath, formats: Sequence[str]) -> list[str]:
    """Save a figure in several formats without timestamps; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
    stem : pathlib.Path
        Folder and name without ending.
    formats : sequence of {"pdf", "svg", "png", "tiff"}

    Returns
    -------
    list of str
        File names.
    """
    resolution = {"pdf": "figure", "svg": "figure", "png": PNG_DPI, "tiff": mpl.rcParams["savefig.dpi"]}
    paths = {ending: stem.with_name(f"{stem.name}.{ending}") for ending in formats}
    together = set(TOGETHER) <= set(formats) and not any(axes.images for axes in figure.axes)
    if together:
        _save_together(figure, *(paths[ending] for ending in TOGETHER))
    for ending, path in paths.items():
        if not (together and ending in TOGETHER):
            options: dict[str, Any] = {"pil_kwargs": COMPRESSION[ending]} if ending in COMPRESSION else {}
            figure.savefig(path, format=ending, dpi=resolution[ending], metadata=WITHOUT_DATES.get(ending), **options)
    return [path.name for path in paths.values()]


def _save_together(figure: Figure, pdf_path: FilePath, svg_path: FilePath, png_path: FilePath) -> None:
    """Write three formats as `Figure.savefig` does, from one traversal of the artists."""
    width, height = figure.get_size_inches()
    before = figure.dpi
    pdf_file = PdfFile(pdf_path, metadata=WITHOUT_DATES["pdf"])
    try:
        figure.dpi = POINTS_PER_INCH
        pdf_file.newPage(width, height)
        with svg_path.open("w", encoding="utf-8") as svg_file:
            size = width * POINTS_PER_INCH, height * POINTS_PER_INCH
            svg = RendererSVG(*size, svg_file, image_dpi=PNG_DPI, metadata=WITHOUT_DATES["svg"])
            pdf = RendererPdf(pdf_file, PNG_DPI, height, width)
            pixels = RendererAgg(width * PNG_DPI, height * PNG_DPI, PNG_DPI)
            renderer = MixedModeRenderer(figure, width, height, PNG_DPI, _Together(pdf, svg, pixels))
            figure.draw(cast(RendererBase, renderer))
            pdf.finalize()
            svg.finalize()
        pdf_file.finalize()
    finally:
        pdf_file.close()
        figure.dpi = before
    colours = np.asarray(pixels.buffer_rgba())
    imsave(png_path, colours, format="png", dpi=PNG_DPI, metadata=WITHOUT_DATES["png"], pil_kwargs=COMPRESSION["png"])


class _Together:
    """Renderer that hands each command to a PDF, an SVG and an image; text is measured as in the PDF.

    Lengths are points, and heights are counted from the lower edge, as in the PDF. In the SVG and in the image the
    heights of texts are counted from the upper edge.
    """

    def __init__(self, pdf: RendererPdf, svg: RendererSVG, pixels: RendererAgg) -> None:
        self._pdf, self._pixels = pdf, pixels
        self._svg: Any = svg
        self._vectors: tuple[Any, ...] = (pdf, svg)
        self._scale = pixels.dpi / POINTS_PER_INCH
        self.open_group, self.close_group = svg.open_group, svg.close_group

    def __getattr__(self, name: str) -> Any:
        """Return what draws nothing, such as the size of a text, from the PDF."""
        return getattr(self._pdf, name)

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Transform, face: Any = None) -> None:
        """Draw a path."""
        for vector in self._vectors:
            vector.draw_path(gc, path, transform, face)
        self._pixels.draw_path(self._in_pixels(gc), path, self._scaled(transform), face)

    def draw_markers(
        self, gc: GraphicsContextBase, marker: Any, shape: Transform, path: Path, transform: Transform, face: Any = None
    ) -> None:
        """Draw markers at the vertices of a path; invisible ones identify symbols, in the SVG alone."""
        if gc.get_alpha() == 0:
            self._svg.draw_markers(gc, marker, shape, path, transform, face)
            return
        for vector in self._vectors:
            vector.draw_markers(gc, marker, shape, path, transform, face)
        scaled = self._scaled(shape), path, self._scaled(transform)
        self._pixels.draw_markers(self._in_pixels(gc), marker, *scaled, face)

    def draw_path_collection(
        self,
        gc: GraphicsContextBase,
        transform: Transform,
        paths: Any,
        shapes: Any,
        offsets: Any,
        offset_transform: Transform,
        *look: Any,
        **options: Any,
    ) -> None:
        """Draw several paths."""
        for vector in self._vectors:
            vector.draw_path_collection(gc, transform, paths, shapes, offsets, offset_transform, *look, **options)
        scaled = self._scaled(transform), paths, shapes, offsets, self._scaled(offset_transform)
        self._pixels.draw_path_collection(self._in_pixels(gc), *scaled, *look, **options)

    def draw_image(self, gc: GraphicsContextBase, x: float, y: float, image: Any) -> None:
        """Draw a rasterized artist."""
        for vector in self._vectors:
            vector.draw_image(gc, x, y, image)
        self._pixels.draw_image(self._in_pixels(gc), round(x * self._scale), round(y * self._scale), image)

    def draw_text(self, gc: GraphicsContextBase, x: float, y: float, *text: Any, **options: Any) -> None:
        """Draw a line of text."""
        self._pdf.draw_text(gc, x, y, *text, **options)
        self._svg.draw_text(gc, x, self._svg.height - y, *text, **options)
        place = x * self._scale, self._pixels.height - y * self._scale
        self._pixels.draw_text(self._in_pixels(gc), *place, *text, **options)

    def _scaled(self, transform: Transform) -> Affine2D:
        """Return an affine transformation with a result in pixels."""
        return Affine2D(transform.get_matrix()).scale(self._scale)

    def _in_pixels(self, gc: GraphicsContextBase) -> GraphicsContextBase:
        """Return a context with its clips in pixels; widths of lines are points in every renderer."""
        context = GraphicsContextBase()
        context.copy_properties(gc)
        if (rectangle := gc.get_clip_rectangle()) is not None:
            context.set_clip_rectangle(Bbox(rectangle.get_points() * self._scale))
        path, transform = cast(tuple[Path, Transform] | tuple[None, None], gc.get_clip_path())
        if path is not None and transform is not None:
            context.set_clip_path(TransformedPath(path, self._scaled(transform)))
        return context
