"""Tables of a paper: one content in every file format, no wider than a page, nothing repeated in every row."""

import csv
import html.parser
import json
import re
import shutil
import subprocess
import zipfile
from io import BytesIO, StringIO
from itertools import chain
from pathlib import Path

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.shared import Mm
from markdown_it import MarkdownIt

from surrogacy.fit import main
from surrogacy.report.journal_tables.layout import (
    Cell,
    Column,
    Footnotes,
    Group,
    JournalTable,
    Rows,
    journal_table,
)
from surrogacy.report.journal_tables.markup import as_csv, as_html, as_latex, as_markdown
from surrogacy.report.journal_tables.word import write_word
from tests.support.pinned_tables import PINNED

NAMES = ["1-trials", "2-effects", "3-models", "4-leave-one-out", "5-sensitivity", "6-placement", "7-schemes"]
ON_A_PAGE = (3, 6, 7)
SPECIAL = r"50% & <b>|x| _y_ *z* [w](v) `u` #1 ~2 \t $3 {4} ^5"
TABLE = JournalTable(
    number=2,
    name="special",
    title="Signs: a < b & c",
    columns=(Column("label", "Comparison", 40.0), Column("hr", "HR | CI", 40.0)),
    groups=(
        Group(Cell("Set *A*", ("a",)), ((Cell(SPECIAL), Cell("0.62 (−0.20 to 0.93)", ("a", "b"))),)),
        Group(Cell("Set B"), ((Cell("=1+1"), Cell("–")),)),
    ),
    notes=("A note with 95% & more.",),
)
OFFICE = Path(shutil.which("soffice") or "/nowhere").resolve()
WRITER = (OFFICE.parent / "libswlo.so").exists() and shutil.which("pdftotext") is not None
LATEX = shutil.which("pdflatex")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Folder of a run with two sets."""
    folder = tmp_path_factory.mktemp("journal") / "out"
    sets = ("tactics-2022", "llovet-2019-pfs")
    assert main([*sets, *PINNED, "--quiet", "--out", str(folder), "--format", "svg"]) == 0
    return folder


@pytest.fixture(scope="module")
def tables(out):
    """Cells of the CSV of each table."""
    return {
        name: list(csv.reader(StringIO((out / "tables" / f"table-{name}.csv").read_text(encoding="utf-8"))))
        for name in NAMES
    }


class Cells(html.parser.HTMLParser):
    """Text of the cells of an HTML table, footnotes in brackets."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("td", "th"):
            self.cells.append("")
            self.inside = True
        self.handle_data(" [" if tag == "sup" else "")

    def handle_endtag(self, tag):
        self.handle_data("]" if tag == "sup" else "")
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def plain(paragraph):
    """Text of a Word cell, footnotes in brackets."""
    return "".join(f" [{run.text}]" if run.font.superscript else run.text for run in paragraph.runs)


def rows_of_word(table):
    """Rows of a Word table as in the CSV: the heading of a group is the first cell of its rows."""
    headings, *rows = table._tbl.tr_lst
    width, group, grouped = len(headings.tc_lst), "", []
    for row in rows:
        cells = [plain(docx.table._Cell(cell, table).paragraphs[0]) for cell in row.tc_lst]
        if len(cells) < width:
            (group,) = cells
        else:
            grouped.append([group, *cells])
    texts = [plain(docx.table._Cell(cell, table).paragraphs[0]) for cell in headings.tc_lst]
    return [["Group", *texts], *grouped] if group else [texts, *(row[1:] for row in grouped)]


@pytest.mark.slow
def test_word_has_the_cells_of_the_csv(out, tables):
    document = docx.Document(str(out / "tables.docx"))
    assert len(document.tables) == len(NAMES)
    for table, name in zip(document.tables, NAMES, strict=True):
        assert rows_of_word(table) == tables[name], name


@pytest.mark.slow
def test_html_and_markdown_have_the_cells_of_the_csv(out, tables):
    for name, rows in tables.items():
        expected = set(chain.from_iterable(rows)) - {"Group"}
        page = (out / "tables" / f"table-{name}.html").read_text(encoding="utf-8")
        rendered = MarkdownIt().enable("table").render((out / "tables" / f"table-{name}.md").read_text("utf-8"))
        for text in (page, re.sub("&lt;(/?)sup&gt;", r"<\1sup>", rendered)):
            assert set(Cells(text).cells) - {""} == expected - {""}, name


@pytest.mark.slow
def test_the_numbers_are_those_of_the_results(out, tables):
    """Slope with its interval of every model, and the hazard ratios of every comparison."""
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for fit in results["fits"]:
        slope = fit["estimates"].get("slope")
        if slope is not None and slope["low"] is not None:
            words = "{value:.2f} ({low:.2f} to {high:.2f})".format(**slope).replace("-", "−")
            assert any(words in row for row in tables["3-models"]), words
    with (out / "tables" / "effects.csv").open(encoding="utf-8", newline="") as file:
        effects = list(csv.DictReader(file))
    printed = {text.split(" ")[0] for row in tables["2-effects"] for text in row}
    assert {f"{float(row[f'hr_{side}']):.2f}" for row in effects for side in ("surrogate", "final")} <= printed


@pytest.mark.slow
def test_no_table_is_wider_than_its_page(out):
    document = docx.Document(str(out / "tables.docx"))
    for table, section in zip(document.tables, document.sections, strict=True):
        text_width = section.page_width - section.left_margin - section.right_margin
        assert sum(column.width for column in table.columns) <= text_width + Mm(0.2)
        assert (section.orientation == WD_ORIENT.LANDSCAPE) == (section.page_width > section.page_height)
        assert sorted((section.page_width.mm, section.page_height.mm)) == pytest.approx([210.0, 297.0], abs=0.1)


@pytest.mark.slow
def test_each_word_table_has_a_caption_and_headings_that_repeat(out):
    document = docx.Document(str(out / "tables.docx"))
    captions = [paragraph for paragraph in document.paragraphs if paragraph.style.name == "Caption"]
    numbers = [caption._p.xpath("string(w:fldSimple//w:t)") for caption in captions]
    assert numbers == [str(i) for i in range(1, 8)]
    for caption, table in zip(captions, document.tables, strict=True):
        assert caption._p.getnext() is table._tbl
        assert table._tbl.tr_lst[0].xpath("w:trPr/w:tblHeader")


@pytest.mark.slow
def test_no_column_repeats_a_value_in_every_row(tables):
    for name, (headings, *rows) in tables.items():
        first = 2 if headings[0] == "Group" else 1
        for heading, *values in list(zip(headings, *rows, strict=True))[first:]:
            assert len(set(values)) > 1, f"{name}: {heading}"


@pytest.mark.slow
@pytest.mark.skipif(not WRITER, reason="LibreOffice Writer and pdftotext are not installed")
def test_three_tables_fit_on_a_page_each(out, tmp_path):
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = [str(OFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(out / "tables.docx")], check=True, capture_output=True, timeout=180)
    text = subprocess.run(["pdftotext", str(tmp_path / "tables.pdf"), "-"], check=True, capture_output=True, text=True)
    first_lines = [page.lstrip().partition("\n")[0] for page in text.stdout.rstrip("\f\n").split("\f")]
    starts = {int(match[1]): i for i, line in enumerate(first_lines) if (match := re.match(r"Table (\d)\.", line))}
    assert sorted(starts) == list(range(1, 8))
    for number in ON_A_PAGE:
        assert starts.get(number + 1, len(first_lines)) - starts[number] == 1


@pytest.mark.slow
@pytest.mark.skipif(LATEX is None, reason="no TeX is installed")
@pytest.mark.parametrize("name", NAMES)
def test_latex_compiles(out, name, tmp_path):
    preamble, body = (out / "tables" / f"table-{name}.tex").read_text(encoding="utf-8").split("\n", 1)
    packages = preamble.removeprefix("%").replace(", \\", " \\")
    document = f"\\documentclass{{article}}{packages}\\begin{{document}}{body}\\end{{document}}"
    (tmp_path / "table.tex").write_text(document, encoding="utf-8")
    subprocess.run([LATEX, "-interaction=nonstopmode", "-halt-on-error", "table.tex"], cwd=tmp_path, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_latex_has_the_columns_and_braces_of_a_table(out, name, tables):
    text = (out / "tables" / f"table-{name}.tex").read_text(encoding="utf-8")
    bare = re.sub(r"\\[\\{}&%#$_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert len(re.findall(r"\\begin\{", text)) == len(re.findall(r"\\end\{", text))
    columns = len(tables[name][0]) - (tables[name][0][0] == "Group")
    rows = [line for line in text.splitlines() if line.endswith(r" \\") and r"\multicolumn" not in line]
    assert len(rows) == len(tables[name]) - 1
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}
    assert text.count(r"\toprule") == text.count(r"\midrule") == 2


def test_the_word_document_has_no_time_and_the_same_bytes(tmp_path):
    contents = []
    for name in ("a.docx", "b.docx"):
        write_word([TABLE], tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(BytesIO(contents[0])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"20\d\d-\d\d-\d\dT", archive.read("docProps/core.xml"))) == {b"2000-01-01T"}


def test_word_omits_characters_that_xml_excludes(tmp_path):
    table = JournalTable(1, "x", "a\x0bb", (Column("a", "A", 40.0),), (Group(Cell(), ((Cell("c\x00d <&>"),),)),))
    write_word([table], tmp_path / "x.docx")
    document = docx.Document(str(tmp_path / "x.docx"))
    assert document.tables[0].rows[1].cells[0].text == "cd <&>"
    assert document.paragraphs[0].text.endswith("ab")


def test_special_characters():
    assert [row[1] for row in csv.reader(as_csv(TABLE).splitlines())][1:] == [SPECIAL, "'=1+1"]
    assert SPECIAL in Cells(as_html(TABLE)).cells
    assert "<b>" not in as_html(TABLE)
    rendered = MarkdownIt().enable("table").render(as_markdown(TABLE))
    assert Cells(rendered).cells[:2] == ["Comparison", "HR | CI"]
    assert SPECIAL in Cells(rendered).cells
    latex = r"50\% \& \textless{}b\textgreater{}|x| \_y\_ {*}z{*} {[}w](v) `u` \#1 \textasciitilde{}2 "
    assert latex + r"\textbackslash{}t \$3 \{4\} \textasciicircum{}5 & 0.62 ($-$0.20 to 0.93)" in as_latex(TABLE)


def test_a_column_with_one_value_is_a_note_and_an_empty_one_is_left_out():
    rows = [{"label": "A", "n": "100", "surrogate": "PFS"}, {"label": "B", "n": "200", "surrogate": "PFS"}]
    (table,) = journal_table("effects", [Rows("", rows)], final="OS")
    assert [column.heading for column in table.columns] == ["Comparison", "Patients"]
    assert table.notes[0] == "Surrogate: PFS in all rows."
    assert "PFS, progression-free survival" in table.notes[-1]
    assert "REML" not in table.notes[-1]
    assert journal_table("effects", [Rows("", [])], final="OS") == ()


def test_a_marked_value_is_no_note():
    """The letter of a footnote stays at its cell."""
    rows = [{"label": label, "n": Cell("100", ("a",))} for label in ("A", "B")]
    (table,) = journal_table("effects", [Rows("", rows)], final="OS")
    assert [column.heading for column in table.columns] == ["Comparison", "Patients"]


def test_footnotes_have_letters_by_subject_and_name_their_places():
    footnotes = Footnotes()
    letters = [footnotes.mark(str(subject), f"Sentence {subject}.") for subject in range(28)]
    assert letters[:2] + letters[25:] == ["a", "b", "z", "aa", "ab"]
    footnotes = Footnotes()
    for place, text in (("A", "X."), ("B", "X."), ("B", "Y."), ("C", "Z."), ("C", "Y."), ("B", "W.")):
        footnotes.mark("subject", text, place)
    assert [note.text for note in footnotes.all] == ["A; B: X. B; C: Y. C: Z. B: W."]


def test_a_table_is_narrowed_to_a_landscape_page():
    columns = [Column(str(i), f"Set {i}", 60.0) for i in range(6)]
    rows = [{"item": "R", **{str(i): f"{i + j}" for i in range(6)}} for j in range(2)]
    (table,) = journal_table("schemes", [Rows("", rows)], columns=columns, models="REML")
    assert table.landscape
    assert table.width == pytest.approx(257.0)
