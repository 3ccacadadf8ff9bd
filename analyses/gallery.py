"""Contact sheets of all figures of a default fit and a default run on post-progression survival, one for each journal
and number of columns, in docs/gallery/. All figures of a sheet have the same scale.
"""

import argparse
import io
import sys
from collections.abc import Iterable, Sequence
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

HERE = Path(__file__).parent
PIXELS_PER_MM = 80 / 25.4
ACROSS, GAP, LABEL = {1: 6, 2: 3}, 14, 18  # figures side by side; pixels
COLOURS = 32
FONT = ImageFont.truetype(style.FONTS / "SurrogacySans-Regular.ttf", 13)


def default_figures() -> list[Drawing]:
    """Return the figures of both commands without options."""
    runs = (
        (FIT, FitRun(fit_settings(fit.parser().parse_args([]))[0])),
        (PPS, PpsRun(pps_settings(pps.parser().parse_args([])))),
    )
    figures = []
    for command, run in runs:
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
        first.get_figure(root=True).savefig(file, format="png", dpi=PIXELS_PER_MM * 25.4, facecolor="white")
    return Image.open(file).convert("RGB")


def contact_sheet(figures: Sequence[Drawing], page: PageStyle) -> Image.Image:
    """Return the figures with their names, in columns of about the same height."""
    pictures = [(f"{figure.name}, {page.journal}, {page.width:g} mm", picture(figure, page)) for figure in figures]
    width, tops, places = max(drawn.width for _, drawn in pictures) + GAP, [GAP] * ACROSS[int(page.columns)], []
    for label, drawn in pictures:
        column = tops.index(min(tops))
        places.append((label, drawn, (GAP + column * width, tops[column])))
        tops[column] += LABEL + drawn.height + GAP
    sheet = Image.new("RGB", (GAP + len([top for top in tops if top > GAP]) * width, max(tops)), "#DDDDDD")
    pen = ImageDraw.Draw(sheet)
    for label, drawn, (left, top) in places:
        pen.text((left, top), label, fill="black", font=FONT)
        sheet.paste(drawn, (left, top + LABEL))
    return sheet.quantize(COLOURS, dither=Image.Dither.NONE)


def write_sheet(figures: Sequence[Drawing], page: PageStyle, folder: Path) -> str:
    """Write a contact sheet, and return its name."""
    name = f"{page.journal}-{page.columns:g}.png"
    contact_sheet(figures, page).save(folder / name, optimize=True)
    return name


def main(journals: Iterable[str], folder: Path) -> None:
    """Write the sheets of some journals."""
    figures = default_figures()
    pages = [page_style(journal, columns) for journal in journals for columns in ACROSS]
    with ProcessPoolExecutor(2) as workers:
        for done in [workers.submit(write_sheet, figures, page, folder) for page in pages]:
            print(done.result(), file=sys.stderr)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("journals", nargs="*", default=list(PRESETS), metavar="PRESET", help="default: all")
    main(options.parse_args().journals, HERE.parent / "docs" / "gallery")
