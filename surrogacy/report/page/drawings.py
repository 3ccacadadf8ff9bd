"""Figures of the page: SVG inside the document, with a name on every symbol."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from surrogacy.report.page.sources import symbol_texts
from surrogacy.report.section import Drawing

SYMBOL = re.compile(r"""<g id=(["'])comparison-(.*?)\1>""")  # the quote depends on the name
PROLOG = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<style type=.*?</style>", re.DOTALL)
SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)pt" height="[\d.]+pt"[^>]*?(viewBox="[^"]*")[^>]*>')
IDENTIFIER = re.compile(r' id="([^"]*)"')
REFERENCE = re.compile(r'(?:href="#|url\(#)([^")]*)')
STYLE = re.compile(r'(<\w+[^<>]*?) style="([^"<>]*)"')  # in a tag, not in the words of a figure


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
    paragraphs : tuple of str
        Paragraphs of the caption; the caveats follow the first one.
    """

    key: str
    name: str
    picture: str
    paragraphs: tuple[str, ...]


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
    description = " ".join((folder / f"{file}.alt.txt").read_text(encoding="utf-8").split())
    picture = ""
    if svg.exists():
        texts = {} if drawing.effects is None else symbol_texts(drawing.effects)
        texts |= {name: _with_effects(name, words, texts) for name, words in drawing.words.items()}
        picture = inline_svg(svg.read_text(encoding="utf-8"), key, description, texts, sources)
    elif png.exists():
        data, words = base64.b64encode(png.read_bytes()).decode(), html.escape(description)
        described = f'aria-describedby="{html.escape(key)}-caption"'
        picture = f'<img alt="{words}" {described} src="data:image/png;base64,{data}">'
    return PageFigure(key, file, picture, tuple(caption.read_text(encoding="utf-8").strip().split("\n\n")))


def _comparison(identifier: str) -> str:
    """Return the comparison of an arm: ``sharp`` for ``sharp:exp``."""
    return identifier.rpartition(":")[0]


def _with_effects(identifier: str, words: str, texts: Mapping[str, str]) -> str:
    """Return the words of an arm, and below them the hazard ratios of its comparison if they are fitted."""
    _, *hazard_ratios = texts.get(_comparison(identifier), "").splitlines()[:3] or [""]
    return "\n".join([words, *hazard_ratios])


def with_shared_styles(figures: Sequence[PageFigure]) -> tuple[tuple[PageFigure, ...], str]:
    """Return the figures with classes in place of style attributes, and the rules of these classes.

    Parameters
    ----------
    figures : sequence of PageFigure

    Returns
    -------
    tuple of PageFigure, and str
    """
    names: dict[str, str] = {}

    def classed(match: re.Match[str]) -> str:
        return f'{match[1]} class="{names.setdefault(match[2], f"s{len(names)}")}"'

    parts = [figure.picture.partition(">") for figure in figures]  # the size stays in the first tag
    pictures = [f"{first}{end}{STYLE.sub(classed, rest)}" for first, end, rest in parts]
    rules = "\n".join(f".{name}{{{style}}}" for style, name in names.items())
    return tuple(replace(figure, picture=picture) for figure, picture in zip(figures, pictures, strict=True)), rules


def inline_svg(svg: str, key: str, description: str, texts: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return an SVG file as an element of a page: unique identifiers, two decimals, a name on every symbol.

    Parameters
    ----------
    svg : str
    key : str
        Prefix of the identifiers.
    description : str
        Alternative text.
    texts : mapping of str to str
        Words for a symbol, by comparison.
    sources : mapping of str to str
        Identifier of the sources in the page, by comparison.
    """
    prefix = html.escape(key)
    svg = PROLOG.sub("", svg)
    svg = re.sub(r' d="([^"]*)"', _short_path, svg)
    svg = re.sub(r"\n\s*", "\n", svg).replace("xlink:href", "href")
    svg = SYMBOL.sub(lambda match: _symbol(match, texts, sources), svg)
    used = set(REFERENCE.findall(svg))
    svg = IDENTIFIER.sub(lambda match: match[0] if match[1] in used else "", svg)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    named = f'role="group" aria-label="{html.escape(description)}" aria-describedby="{prefix}-caption"'
    return SIZE.sub(lambda match: f'<svg style="--width:{match[1]}" {match[2]} {named}>', svg, count=1)


def _short_path(match: re.Match[str]) -> str:
    """Return the data of a path with two decimals, a hundredth of a point."""
    data = re.sub(r"(\.\d\d)\d+", r"\1", match[1])
    return f' d="{" ".join(data.split())}"'


def _symbol(match: re.Match[str], texts: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Return the group of a symbol with its words, as a title that browsers show without a script."""
    name = html.unescape(match[2])
    words = html.escape(texts.get(name, name))
    source = sources.get(name) or sources.get(_comparison(name))
    link = f' data-source="{source}"' if source else ""
    return f'<g class="symbol"{link} role="img" aria-label="{words.replace(chr(10), "; ")}"><title>{words}</title>'
