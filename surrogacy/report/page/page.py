"""report.html: the sections of a run as one page without external files."""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal

import surrogacy
from surrogacy.effects import Effects
from surrogacy.report.page.drawings import PageFigure, page_figure, with_shared_styles
from surrogacy.report.page.sentences import sentence
from surrogacy.report.page.sources import SourcedComparison, sourced_comparisons
from surrogacy.report.section import Detail, Drawing, Entry, Grid, Heading, Note, Section, Table
from surrogacy.report.typography import with_minus_signs
from surrogacy.results.analysis_sets import set_label
from surrogacy.trials import TrialSet
from surrogacy.trials.analysis_set import SurrogateOnly

type Kind = Literal["heading", "note", "caution", "entry", "grid"]
REPORT = "report.html"
FOLDER = Path(__file__).parent
LAYOUT = tomllib.loads((FOLDER / "topics.toml").read_text(encoding="utf-8"))
TOPICS = LAYOUT["topics"]
PRINTED_UP_TO = 80  # rows; a print names the file of a longer table, which would fill many pages
WIDE = 12  # columns; a wider table is printed on a page in landscape
DOI = re.compile(r"10\.\d{4,9}/\S+")
OPEN_UP_TO = 12  # rows of a table that is shown without a click
KINDS: dict[type, Kind] = {Heading: "heading", Note: "note", Entry: "entry", Grid: "grid"}
ON_SCREEN_ONLY = frozenset({"notes"})  # the page shows every caveat in full
FONTS = {400: "SurrogacySans-Regular", 700: "SurrogacySans-Bold"}


@dataclass(frozen=True)
class Block:
    """Details of one kind that follow each other; a caution is a note with a warning."""

    kind: Kind
    details: tuple[Detail, ...]


@dataclass(frozen=True)
class PageCell:
    """Cell of a table, with the identifier of the sources if it names a comparison."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class PageTable:
    """Table of the page.

    Parameters
    ----------
    key, name, title : str
    notes : tuple of str
        Paragraphs of the note.
    headings : tuple of str
    rows : tuple of tuple of PageCell
    """

    key: str
    name: str
    title: str
    notes: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[PageCell, ...], ...]

    @property
    def is_open(self) -> bool:
        """Whether the rows are shown without a click."""
        return len(self.rows) <= OPEN_UP_TO

    @property
    def is_wide(self) -> bool:
        """Whether the table is printed on a page in landscape."""
        return len(self.headings) > WIDE

    @property
    def is_long(self) -> bool:
        """Whether a print names the file of the table and leaves out its rows."""
        return len(self.rows) > PRINTED_UP_TO


@dataclass(frozen=True)
class PageSet:
    """Analysis set of the page."""

    key: str
    title: str
    remark: str
    figures: tuple[PageFigure, ...]
    blocks: tuple[Block, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """Topic of the page."""

    key: str
    title: str
    blocks: tuple[Block, ...] = ()
    sets: tuple[PageSet, ...] = ()
    figures: tuple[PageFigure, ...] = ()
    tables: tuple[PageTable, ...] = ()


@dataclass(frozen=True)
class Link:
    """Link of the page to another file.

    Parameters
    ----------
    file : str
        Relative to the page.
    label : str
    """

    file: str
    label: str


MATERIAL = tuple(Link(**entry) for entry in LAYOUT["material"])


@dataclass(frozen=True, eq=False)
class PageInput:
    """What a page shows.

    Parameters
    ----------
    trials : TrialSet
    sets : tuple of Effects
        Effects whose sources are listed.
    sections : sequence of Section
    drawings : mapping of str to Drawing
        Figures by file name without ending.
    folder : Path
        Folder of the run, with all of its files but the page.
    command : str
    other_reports : tuple of Link
        Reports beside the page.
    predicted : sequence of SurrogateOnly
        Comparisons whose final effect is predicted; their sources are listed as well.
    """

    trials: TrialSet
    sets: Sequence[Effects]
    sections: Sequence[Section]
    drawings: Mapping[str, Drawing]
    folder: Path
    command: str
    other_reports: tuple[Link, ...] = ()
    predicted: Sequence[SurrogateOnly] = ()


def write_page(page: PageInput, path: Path) -> None:
    """Write the page into a file."""
    path.write_text(render(page), encoding="utf-8", errors="backslashreplace")


def render(page: PageInput) -> str:
    """Return the page; the same input gives the same text.

    Parameters
    ----------
    page : PageInput
    """
    import jinja2  # loaded only for a run that writes the page

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    sources = sourced_comparisons(page.trials, page.sets, page.predicted)
    title, topics = _title(page.sections), _topics(page, {source.comparison: source for source in sources})
    environment.filters["sentence"] = sentence
    environment.tests["doi"] = lambda text: DOI.fullmatch(text) is not None
    topics, rules = _with_shared_styles(topics)
    return environment.get_template("report.html.jinja").render(
        title=title.text,
        topics=topics,
        numbers={figure.key: i for i, figure in enumerate(_figures(topics), 1)},
        sources=sources,
        caveats=[shown for topic in topics for shown in topic.sets if shown.caveats],
        material=[*page.other_reports, *(link for link in MATERIAL if (page.folder / link.file).exists())],
        version=surrogacy.__version__,
        data_version=page.trials.data_version,
        command=page.command,
        style=f"{(FOLDER / 'report.css').read_text(encoding='utf-8')}{rules}",
        script=(FOLDER / "report.js").read_text(encoding="utf-8"),
        fonts={weight: _font(name) for weight, name in FONTS.items()},
    )


def _font(name: str) -> str:
    """Return the font of the figures as Base64."""
    path = FOLDER.parents[1] / "figures" / "fonts" / f"{name}.ttf"
    return base64.b64encode(path.read_bytes()).decode()


def _title(sections: Sequence[Section]) -> Heading:
    """Return the question, which is the first heading of the answers."""
    headings = (detail for section in sections for detail in section.answer if isinstance(detail, Heading))
    return next((heading for heading in headings if heading.text), Heading("Trial-level surrogacy"))


def _topics(page: PageInput, sources: Mapping[str, SourcedComparison]) -> tuple[Topic, ...]:
    """Return the topics that have content."""
    listed = {name for entry in TOPICS for name in entry.get("sections", ())}
    kinds = {name for entry in TOPICS for name in entry.get("figures", ())}
    keys = {comparison: source.key for comparison, source in sources.items()}
    figures = [
        (_kind(drawing), drawing, figure)
        for file, drawing in page.drawings.items()
        if (figure := page_figure(drawing, file, page.folder / "figures", keys)) is not None
    ]
    topics = []
    for entry in TOPICS:
        last = entry is TOPICS[-1]
        chosen = [
            section
            for section in page.sections
            if section.key in entry.get("sections", ()) or (last and section.key not in listed)
        ]
        own_kinds = [*entry.get("figures", ()), *(sorted({kind for kind, *_ in figures} - kinds) if last else ())]
        drawn = [(drawing, figure) for own in own_kinds for kind, drawing, figure in figures if kind == own]
        by_set = _sets(page.sections, drawn) if entry.get("by_set") else ()
        in_sets = {figure.key for shown in by_set for figure in shown.figures}
        if entry.get("answers"):
            details: list[Detail] = list(_answers(page.sections))
        else:
            details = [detail for section in chosen for detail in section.details]
        topic = Topic(
            entry["key"],
            entry["title"],
            tuple(blocks(details)),
            by_set,
            tuple(figure for _, figure in drawn if figure.key not in in_sets),
            tuple(page_table(table, sources) for section in chosen for table in section.tables),
        )
        if topic.blocks or topic.sets or topic.figures or topic.tables:
            topics.append(topic)
    return tuple(topics)


def _with_shared_styles(topics: Sequence[Topic]) -> tuple[tuple[Topic, ...], str]:
    """Return the topics with classes in place of the styles of their figures, and the rules of these classes."""
    figures, rules = with_shared_styles(tuple(_figures(topics)))
    by_key = {figure.key: figure for figure in figures}

    def styled(shown: Sequence[PageFigure]) -> tuple[PageFigure, ...]:
        return tuple(by_key[figure.key] for figure in shown)

    return tuple(
        replace(
            topic,
            figures=styled(topic.figures),
            sets=tuple(replace(shown, figures=styled(shown.figures)) for shown in topic.sets),
        )
        for topic in topics
    ), rules


def _figures(topics: Iterable[Topic]) -> Iterator[PageFigure]:
    """Return the figures in the order of the page."""
    for topic in topics:
        for shown in topic.sets:
            yield from shown.figures
        yield from topic.figures


def _kind(drawing: Drawing) -> str:
    """Return the kind of a figure: ``bubble`` for ``surrogacy.figures.bubble:plot_bubble``."""
    return drawing.plot.rpartition("plot_")[2]


def _answers(sections: Sequence[Section]) -> Iterator[Detail]:
    """Return the short answers without the question, which is the title of the page."""
    title = _title(sections)
    for section in sections:
        if section.key not in ON_SCREEN_ONLY:
            yield from (detail for detail in section.answer if detail is not title)


def _sets(sections: Sequence[Section], drawn: Sequence[tuple[Drawing, PageFigure]]) -> tuple[PageSet, ...]:
    """Return every analysis set with its figures, details and caveats."""
    names = dict.fromkeys(name for section in sections for name in section.by_set)
    return tuple(_set(name, sections, drawn) for name in names)


def _set(name: str, sections: Sequence[Section], drawn: Sequence[tuple[Drawing, PageFigure]]) -> PageSet:
    details = [detail for section in sections for detail in section.by_set.get(name, ())]
    heading = next((detail for detail in details if isinstance(detail, Heading) and detail.text == name), Heading())
    caveats = [detail for section in sections for detail in section.caveats.get(name, ()) if isinstance(detail, Note)]
    return PageSet(
        f"set-{name}",
        set_label(name),
        heading.remark.strip(),
        tuple(figure for drawing, figure in drawn if drawing.effects is not None and drawing.effects.name == name),
        tuple(blocks(detail for detail in details if detail is not heading)),
        tuple(sentence(note.text) for note in caveats),
    )


def blocks(details: Iterable[Detail]) -> Iterator[Block]:
    """Join details of one kind that follow each other; blank lines are left out."""
    shown = (detail for detail in details if not (isinstance(detail, Heading) and not detail.text))
    for kind, group in groupby(shown, key=_detail_kind):
        yield Block(kind, tuple(group))


def _detail_kind(detail: Detail) -> Kind:
    return "caution" if isinstance(detail, Note) and detail.warning else KINDS[type(detail)]


def page_table(table: Table, sources: Mapping[str, SourcedComparison]) -> PageTable:
    """Return the printed columns of a table; the name of a comparison leads to its sources.

    Parameters
    ----------
    table : Table
    sources : mapping of str to SourcedComparison
        By comparison.
    """
    printed = [(i, column) for i, column in enumerate(table.columns) if column.heading]
    named = next((i for i, column in enumerate(table.columns) if column.key == "comparison"), None)
    rows = []
    for row in table.rows:
        source = None if named is None else sources.get(row[named])
        texts = [column.format(row[i]) for i, column in printed]
        rows.append(
            tuple(PageCell(text, source.key if source is not None and text == source.label else "") for text in texts)
        )
    headings = tuple(column.heading for _, column in printed)
    notes = tuple(filter(None, map(str.strip, with_minus_signs(table.note).split("\n\n"))))
    return PageTable(f"table-{table.name}", table.name, table.title, notes, headings, tuple(rows))
