"""Contact sheets of all figures of a default fit and a default run on post-progression survival, one for each journal
and number of columns, in docs/gallery/. All figures have the same scale.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.analysis.stages import advance, in_order
from surrogacy.cli import fit, pps
from surrogacy.cli.options import fit_settings, pps_settings
from surrogacy.figures import _style as style
from surrogacy.output.page_style import PRESETS, PageStyle, page_style
from surrogacy.report.folder import FIT, PPS
from surrogacy.report.section import Drawing

FOLDER = Path(__file__).parents[1] / "docs" / "gallery"
DPI, COLOURS, EXACT = 80, 96, 16
ACROSS, GAP, LABEL = {1: 6, 2: 3}, 14, 18  # figures side by side by number of columns; pixels
FONT = ImageFont.truetype(style.FONTS / "SurrogacySans-Regular.ttf", 11)


def default_figures() -> list[Drawing]:
    """Return the figures of both commands without options."""
    fit_run = FitRun(fit_settings(fit.parser().parse_args([]))[0])
    pps_run = PpsRun(pps_settings(pps.parser().parse_args([])))
    figures = []
    for command, run in ((FIT, fit_run), (PPS, pps_run)):
        print(f"{command.name} ...", file=sys.stderr)
        *_, complete = advance(run, [*command.table_stages, *command.stages], in_order)
        figures += sorted(command.drawings(complete), key=lambda figure: figure.name)
    return figures


def picture(figure: Drawing, page: PageStyle) -> Image.Image:
    """Return a figure as it is laid out for a page."""
    module, _, function = figure.plot.partition(":")
    file = io.BytesIO()
    with style.style(page):
        axes = getattr(import_module(module), function)(*figure.arguments, page=page, **figure.keywords)
        first = axes[0] if isinstance(axes, list | tuple) else axes
        first.get_figure(root=True).savefig(file, format="png", dpi=DPI, facecolor="white")
    return Image.open(file).convert("RGB")


def write_sheet(figures: Sequence[Drawing], page: PageStyle, folder: Path = FOLDER) -> Path:
    """Write the contact sheet of a page, each figure into the shortest column below its name; return the file."""
    pictures = [picture(figure, page) for figure in figures]
    wide = max(drawn.width for drawn in pictures) + GAP
    tops, places = [GAP] * min(ACROSS[int(page.columns)], len(figures)), []
    for drawn in pictures:
        column = tops.index(min(tops))
        places.append((GAP + column * wide, tops[column]))
        tops[column] += LABEL + drawn.height + GAP
    sheet = Image.new("RGB", (GAP + len(tops) * wide, max(tops)), "#DDDDDD")
    for figure, drawn, (left, top) in zip(figures, pictures, places, strict=True):
        name = f"{figure.name}, {page.journal}, {page.width:g} mm"
        ImageDraw.Draw(sheet).text((left, top), name, fill="black", font=FONT)
        sheet.paste(drawn, (left, top + LABEL))
    file = folder / f"{page.journal}-{page.columns:g}.png"
    reduced(sheet).save(file, optimize=True)
    return file


def reduced(sheet: Image.Image) -> Image.Image:
    """Return a sheet of few colours, of which the most frequent, the greys of the bands, are exact."""
    frequent = sorted(sheet.getcolors(sheet.width * sheet.height), reverse=True)[:EXACT]
    colours = sheet.quantize(COLOURS - EXACT, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(channel for _, colour in frequent for channel in colour), *colours])
    return sheet.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("journals", nargs="*", default=list(PRESETS), metavar="PRESET", help="default: all")
    pages = [page_style(journal, columns) for journal in options.parse_args().journals for columns in ACROSS]
    drawings = default_figures()
    with ProcessPoolExecutor(2) as workers:
        for waiting in [workers.submit(write_sheet, drawings, page) for page in pages]:
            print(waiting.result(), file=sys.stderr)
