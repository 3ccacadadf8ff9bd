"""Figures of the page: SVG inside the document, with a name on every symbol."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from surrogacy.report.page.sources import symbol_texts
from surrogacy.report.section import Drawing

SYMBOL = re.compile(r'<g id="comparison-([^"]*)">')
PROLOG = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<style type=.*?</style>", re.DOTALL)
SIZE = re.compile(r'(<svg [^>]*?)width="([\d.]+)pt" height="[\d.]+pt"')


@dataclass(frozen=True)
class PageFigure:
    """Figure of the page.

    Parameters
    ----------
    key : str
        Identifier in the page.
    name : str
        File name without ending.
    picture : str
        ``svg`` or ``img`` element; empty if the run drew neither SVG nor PNG.
    caption : str
    """

    key: str
    name: str
    picture: str
    caption: str


def page_figure(drawing: Drawing, file: str, folder: Path, sources: Mapping[str, str]) -> PageFigure | None:
    """Return a drawn figure; None if it could not be drawn.

    Parameters
    ----------
    drawing : Drawing
    file : str
        File name without ending.
    folder : Path
        Folder of the figures.
    sources : mapping of str to str
        Identifier of the sources in the page, by comparison.
    """
    caption = folder / f"{file}.caption.md"
    if not caption.exists():
        return None
    key, svg, png = f"figure-{file}", folder / f"{file}.svg", folder / f"{file}.png"
    picture = ""
    if svg.exists():
        texts = {} if drawing.effects is None else symbol_texts(drawing.effects)
        picture = inline_svg(svg.read_text(encoding="utf-8"), key, texts, sources)
    elif png.exists():
        data = base64.b64encode(png.read_bytes()).decode()
        picture = f'<img alt="" aria-describedby="{html.escape(key)}-caption" src="data:image/png;base64,{data}">'
    return PageFigure(key, file, picture, caption.read_text(encoding="utf-8").strip())


def inline_svg(svg: str, key: str, texts: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return an SVG file as an element of a page: unique identifiers, two decimals, a name on every symbol.

    Parameters
    ----------
    svg : str
    key : str
        Prefix of the identifiers.
    texts : mapping of str to str
        Words for a symbol, by comparison.
    sources : mapping of str to str
        Identifier of the sources in the page, by comparison.
    """
    prefix = html.escape(key)
    svg = PROLOG.sub("", svg)
    svg = re.sub(r' d="([^"]*)"', _short_path, svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    svg = SYMBOL.sub(lambda match: _symbol(match, texts, sources), svg)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    size = rf'\g<1>style="--width:\g<2>" role="group" aria-labelledby="{prefix}-caption"'
    return SIZE.sub(size, svg, count=1)


def _short_path(match: re.Match[str]) -> str:
    """Return the data of a path with two decimals, a hundredth of a point."""
    data = re.sub(r"(\.\d\d)\d+", r"\1", match[1])
    return f' d="{" ".join(data.split())}"'


def _symbol(match: re.Match[str], texts: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return the group of a symbol with its words, as a title that browsers show without a script."""
    comparison = html.unescape(match[1])
    words = html.escape(texts.get(comparison, comparison))
    source = sources.get(comparison)
    link = f' data-source="{source}"' if source else ""
    return f'<g class="symbol"{link} role="img" aria-label="{words.replace(chr(10), "; ")}"><title>{words}</title>'
