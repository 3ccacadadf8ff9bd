"""Word documents: tables of a paper, methods with results and references, and checklists."""

import csv
import html
import re
import zipfile
from io import BytesIO, StringIO

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.shared import Mm

from surrogacy.report.journal_tables.layout import Cell, Column, Group, JournalTable
from surrogacy.report.journal_tables.word import write_word
from surrogacy.report.paper.checklists import Checklist, Finding, Item, Row, schemes
from surrogacy.report.paper.word import write_checklists, write_texts
from tests.support.office import printed_pages
from tests.support.pinned_tables import PINNED_TABLES

NUMBERS = range(1, 8)
ON_A_PAGE = (3, 5, 6, 7)
DOCUMENTS = ("tables.docx", "methods.docx", "checklists.docx")
TABLE = JournalTable(
    number=2,
    name="special",
    title="Signs: a < b & c",
    columns=(
        Column("label", "Comparison", 40.0),
        Column("hr", "HR", 30.0, "decimal", over="Set A"),
        Column("n", "Patients", 20.0, "right", over="Set A"),
    ),
    groups=(
        Group(Cell("Set *A*", ("a",)), ((Cell("EMERALD-3"), Cell("−0.20 (−0.30 to 0.93)", ("a", "b")), Cell("90")),)),
        Group(Cell("Set B"), ((Cell("a <&>\x00"), Cell("10.20"), Cell("1,090")), (Cell("b"), Cell("–"), Cell("1")))),
    ),
    notes=("A note with 95% & more.",),
)
CHECKLIST = Checklist(schemes()[0], (Row(Item("a", "Topic"), Finding("auto", "Content", "file")),))


def plain(text):
    """Text as in the CSV: without figure spaces, and with plain spaces within intervals."""
    return text.replace("\u2007", "").replace("\u00a0", " ")


def cell_text(cell, table):
    """Text of a Word cell, footnotes in brackets."""
    paragraph = docx.table._Cell(cell, table).paragraphs[0]
    return plain("".join(f" [{run.text}]" if run.font.superscript else run.text for run in paragraph.runs))


def span(cell):
    """Number of columns of a Word cell."""
    return int(cell.xpath("string(w:tcPr/w:gridSpan/@w:val)") or 1)


def rows_of(table):
    """Rows of a Word table as in the CSV: upper headings before headings, the heading of a group in its rows."""
    headings = [row for row in table._tbl.tr_lst if row.xpath("w:trPr/w:tblHeader")]
    printed = [[text for cell in row.tc_lst for text in [cell_text(cell, table)] * span(cell)] for row in headings]
    names = [": ".join(filter(None, texts)) for texts in zip(*printed, strict=True)]
    group, grouped = "", []
    for row in table._tbl.tr_lst[len(headings) :]:
        cells = [cell_text(cell, table) for cell in row.tc_lst]
        if len(cells) < len(names):
            (group,) = cells
        else:
            grouped.append([group, *cells])
    return [["Group", *names], *grouped] if group else [names, *(row[1:] for row in grouped)]


def words_of(document):
    """Words of the cells of all tables of a document, without footnotes."""
    cells = document.element.body.xpath(
        ".//w:tc | .//w:tc//w:noBreakHyphen | .//w:tc//w:t[not(ancestor::w:r//w:vertAlign)]"
    )
    signs = {"tc": " ", "noBreakHyphen": "-"}
    texts = "".join(signs.get(cell.tag.rpartition("}")[2]) or cell.text or "" for cell in cells)
    return set(re.findall(r"[\w.,%²−-]{3,}", texts))


def records(path):
    """Rows of a CSV file by heading."""
    return list(csv.DictReader(StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def document(paper_folder):
    return docx.Document(str(paper_folder / "tables.docx"))


@pytest.fixture(scope="module")
def tables(paper_folder):
    """Rows of the CSV of each table."""
    paths = [next((paper_folder / "tables").glob(f"table-{number}-*.csv")) for number in NUMBERS]
    return [list(csv.reader(StringIO(path.read_text(encoding="utf-8")))) for path in paths]


@pytest.mark.slow
def test_word_has_the_cells_of_the_csv(document, tables):
    assert len(document.tables) == len(tables)
    for table, rows in zip(document.tables, tables, strict=True):
        assert rows_of(table) == rows


@pytest.mark.slow
def test_no_table_is_wider_than_its_page(document):
    for table, section in zip(document.tables, document.sections, strict=True):
        text_width = section.page_width - section.left_margin - section.right_margin
        assert sum(column.width for column in table.columns) <= text_width + Mm(0.2)
        assert (section.orientation == WD_ORIENT.LANDSCAPE) == (section.page_width > section.page_height)
        assert sorted((section.page_width.mm, section.page_height.mm)) == pytest.approx([210.0, 297.0], abs=0.1)


@pytest.mark.slow
def test_each_table_has_a_caption_and_headings_that_repeat(document):
    captions = [paragraph for paragraph in document.paragraphs if paragraph.style.name == "Caption"]
    assert [caption._p.xpath("string(w:fldSimple//w:t)") for caption in captions] == list(map(str, NUMBERS))
    for caption, table in zip(captions, document.tables, strict=True):
        assert caption._p.getnext() is table._tbl
        assert table._tbl.tr_lst[0].xpath("w:trPr/w:tblHeader")


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_word_is_cut_off_or_beyond_the_margins(paper_folder, name, tmp_path):
    """Every word of a cell is printed whole, so that no column is too narrow for it; the margins are 20 mm."""
    pages = printed_pages(paper_folder / name, tmp_path)
    printed = " ".join(html.unescape(word) for page in pages for word in page.words)
    assert {word for word in words_of(docx.Document(str(paper_folder / name))) if word not in printed} == set()
    for page in pages:
        assert sorted((page.width, page.height)) == pytest.approx([210.0, 297.0], abs=0.5)
        assert page.left >= 19.5
        assert page.right <= page.width - 19.5
        assert page.bottom <= page.height - 12.0


@pytest.mark.slow
def test_four_tables_fit_on_a_page_each_and_the_others_repeat_their_headings(paper_folder, tables, tmp_path):
    pages = printed_pages(paper_folder / "tables.docx", tmp_path)
    starts = {int(page.words[1][0]): i for i, page in enumerate(pages) if page.words[0] == "Table"}
    assert sorted(starts) == list(NUMBERS)
    for number in NUMBERS:
        end = starts.get(number + 1, len(pages))
        assert end - starts[number] <= (1 if number in ON_A_PAGE else 2)
        heading = tables[number - 1][0][1].split()[0]
        assert all(page.words[0] == heading for page in pages[starts[number] + 1 : end])


@pytest.mark.slow
def test_references_of_table_2_are_those_of_the_list(paper_folder, tables):
    """The numbers of each comparison are the places of the sources of its hazard ratios."""
    keys = re.findall(r"^@\w+\{([^,]+),", (paper_folder / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    sources = {row["effect_id"]: row["source"] for row in records(PINNED_TABLES / "effects.csv")}
    labels = {row["comparison"]: row["label"] for row in records(PINNED_TABLES / "trials.csv")}
    expected = {}
    for row in records(paper_folder / "tables" / "effects.csv"):
        effects = f"{row['surrogate_effect']}+{row['final_effect']}".split("+")
        places = {keys.index(sources[effect]) + 1 for effect in effects}
        expected.setdefault(labels[row["comparison"]], set()).update(places)
    headings, *rows = tables[1]
    assert headings[-1] == "Reference"
    cited = {}
    for row in rows:
        assert re.fullmatch(r"\[\d+(,\d+)*\]", row[-1])
        cited.setdefault(re.sub(r" \[\w\]$", "", row[1]), set()).update(map(int, re.findall(r"\d+", row[-1])))
    assert cited == expected
    listed = (paper_folder / "references.md").read_text(encoding="utf-8")
    assert all(f"\n{number}. " in listed for number in set().union(*cited.values()))


@pytest.mark.slow
def test_methods_are_the_paragraphs_of_the_texts(paper_folder):
    document = docx.Document(str(paper_folder / "methods.docx"))
    lines = [
        re.sub(r"^(#+|-) |^(\d+\.) |\*\*", r"\2", line).lstrip()
        for name in ("methods", "results", "references")
        for line in (paper_folder / f"{name}.md").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    shown = [re.sub(r"^(•|(\d+\.))\t", r"\2", plain(paragraph.text)) for paragraph in document.paragraphs]
    assert [line.replace("−", "-") for line in shown] == [line.replace("−", "-") for line in lines]
    styles = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Heading 1", "Heading 2", "Normal", "Reference"} == styles


@pytest.mark.slow
def test_checklists_are_tables_without_names_of_keys(paper_folder):
    document = docx.Document(str(paper_folder / "checklists.docx"))
    assert len(document.tables) == len(schemes())
    for table, scheme in zip(document.tables, schemes(), strict=True):
        (headings, *rows) = rows_of(table)
        assert headings == ["Topic", "Status", "Content", "Where"]
        assert len(rows) == len(scheme.items)
        assert not any("report.yml" in row[2] or "_" in row[0] for row in rows)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_word([TABLE], path),
        lambda path: write_texts(["# Methods\n\nText **bold** [1].\n\n1. First.\n2. Second."], path),
        lambda path: write_checklists([CHECKLIST], path),
    ],
    ids=DOCUMENTS,
)
def test_a_document_has_no_time_and_the_same_bytes(write, tmp_path):
    contents = []
    for name in ("a.docx", "b.docx"):
        write(tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(BytesIO(contents[0])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"20\d\d-\d\d-\d\dT", archive.read("docProps/core.xml"))) == {b"2000-01-01T"}


def test_cells_of_word(tmp_path):
    """Aligned decimal points, numbers at the right edge, hyphens and intervals without line breaks."""
    write_word([TABLE], tmp_path / "x.docx")
    document = docx.Document(str(tmp_path / "x.docx"))
    (table,) = document.tables
    assert [[span(cell) for cell in row.tc_lst] for row in table._tbl.tr_lst[:3]] == [[1, 2], [1, 1, 1], [3]]
    first, second, third = (table.rows[i].cells for i in (3, 5, 6))
    assert [row[1].text.split(" ")[0] for row in (first, second, third)] == ["−0.20", "10.20", "–"]
    assert first[1].text == "−0.20 (−0.30\u00a0to\u00a00.93)a,b"
    assert first[0]._tc.xpath(".//w:noBreakHyphen")
    assert first[0].text == "EMERALD-3"
    assert second[0].text == "a <&>"
    assert [bool(cell._tc.xpath('.//w:jc[@w:val="right"]')) for cell in first] == [False, False, True]
    assert document.paragraphs[0].text.endswith("Signs: a < b & c")


def test_bold_words_and_lists(tmp_path):
    write_texts(["# A\n\nText **bold** end.\n\n1. First.\n2. Second, -0.5.\n\n- Point."], tmp_path / "x.docx")
    paragraphs = docx.Document(str(tmp_path / "x.docx")).paragraphs
    assert [paragraph.text for paragraph in paragraphs] == [
        "A",
        "Text bold end.",
        "1.\tFirst.",
        "2.\tSecond, −0.5.",
        "•\tPoint.",
    ]
    assert [run.text for run in paragraphs[1].runs if run.bold] == ["bold"]
