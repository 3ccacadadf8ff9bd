"""Tables of a paper: one content in every file format, no wider than a page, nothing repeated in every row."""

import csv
import html.parser
import json
import re
import shutil
import subprocess
from io import StringIO
from itertools import chain

import pytest
from markdown_it import MarkdownIt

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.analysis.settings import FitSettings
from surrogacy.models import create
from surrogacy.report.journal_tables.caveats import shared_control_remarks
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
from surrogacy.report.journal_tables.models import models_table
from surrogacy.trials.analysis_set import Pairing

NAMES = ["1-trials", "2-effects", "3-models", "4-leave-one-out", "5-sensitivity", "6-placement", "7-schemes"]
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
LATEX = shutil.which("pdflatex")


@pytest.fixture(scope="module")
def tables(paper_folder):
    """Cells of the CSV of each table."""
    return {
        name: list(csv.reader(StringIO((paper_folder / "tables" / f"table-{name}.csv").read_text(encoding="utf-8"))))
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


@pytest.mark.slow
def test_html_and_markdown_have_the_cells_of_the_csv(paper_folder, tables):
    for name, rows in tables.items():
        expected = set(chain.from_iterable(rows)) - {"Group"}
        page = (paper_folder / "tables" / f"table-{name}.html").read_text(encoding="utf-8")
        rendered = (
            MarkdownIt().enable("table").render((paper_folder / "tables" / f"table-{name}.md").read_text("utf-8"))
        )
        markdown = Cells(re.sub("&lt;(/?)sup&gt;", r"<\1sup>", rendered)).cells
        assert set(markdown) - {""} == expected - {""}, name
        parts = {part for heading in rows[0] for part in heading.split(": ")} if "colgroup" in page else set(rows[0])
        assert {cell.strip() for cell in Cells(page).cells} - {""} == (expected - set(rows[0]) | parts) - {"", "Group"}


@pytest.mark.slow
def test_the_numbers_are_those_of_the_results(paper_folder, tables):
    """Slope with its interval of every model, and the hazard ratios of every comparison."""
    results = json.loads((paper_folder / "results.json").read_text(encoding="utf-8"))
    for fit in results["fits"]:
        slope = fit["estimates"].get("slope")
        if slope is not None and slope["low"] is not None:
            words = "{value:.2f} ({low:.2f} to {high:.2f})".format(**slope).replace("-", "−")
            assert any(words in row for row in tables["3-models"]), words
    with (paper_folder / "tables" / "effects.csv").open(encoding="utf-8", newline="") as file:
        effects = list(csv.DictReader(file))
    printed = {text.split(" ")[0] for row in tables["2-effects"] for text in row}
    assert {f"{float(row[f'hr_{side}']):.2f}" for row in effects for side in ("surrogate", "final")} <= printed


@pytest.mark.slow
def test_tables_carry_unverified_values_and_the_new_trial_of_thresholds(paper_folder):
    notes = {name: (paper_folder / "tables" / f"table-{name}.md").read_text(encoding="utf-8") for name in NAMES}
    for name in NAMES[2:]:
        assert "TACTICS 2022: Unverified: 5 of 12 hazard ratios" in notes[name], name
    assert "Mean size, patients per comparison: TACTICS 2022 438; Llovet 2019 558." in notes["3-models"]
    assert "bivariate REML: parametric bootstrap; Bayesian bivariate model: posterior." in notes["3-models"]
    for name in ("4-leave-one-out", "5-sensitivity"):
        assert "(new trial: its true effect)" in notes[name]
    assert "Fisher's z counts 4.7 effective trials of 6" in notes["7-schemes"]
    assert "(0.61 to 1.22)" in notes["6-placement"], "interval of the observed effect"


def test_thresholds_are_those_of_the_stated_size(trials):
    paired = trials.analysis_set_with_flow("llovet-2019-pfs", Pairing())
    result = create("bivariate-bayes", new_n=400.0).fit(paired.effects)
    settings = FitSettings(sets=("llovet-2019-pfs",), models=("bivariate-bayes",), new_n=400.0)
    (table,) = models_table(FitRun(settings, trial_set=trials, sets=(SetFit(paired, (result,)),)))
    assert table.columns[-1].heading == "STE, trial of 400 patients"
    assert table.groups[0].rows[0][-1].text.startswith(f"{result['ste_prediction'].hr:.2f}")
    assert "in a new trial of 400 patients" in " ".join(table.notes)
    assert "Mean size" not in " ".join(table.notes)


def test_a_column_that_a_table_lacks_has_no_note():
    rows = [{"label": label, "predicted": "0.80 (0.60 to 1.10)", "observed": text} for label, text in ("A1", "B2")]
    (table,) = journal_table("leave_one_out", [Rows("", rows)], final="OS", new_trial="n = 9")
    assert "Predicted HR: the OS hazard ratio" in " ".join(table.notes)
    assert "STE" not in " ".join(table.notes)


def test_comparisons_with_a_common_control_arm_are_named(trials):
    paired = trials.analysis_set_with_flow("advanced", Pairing())
    (note,) = shared_control_remarks([SetFit(paired, ())])
    assert note.endswith("in each row: HIMALAYA durva and HIMALAYA STRIDE.")
    assert shared_control_remarks([SetFit(trials.analysis_set_with_flow("llovet-2019-pfs", Pairing()), ())]) == ()


@pytest.mark.slow
def test_no_column_repeats_a_value_in_every_row(tables):
    """The columns of one set among several stay complete."""
    for name, (headings, *rows) in tables.items():
        first = 2 if headings[0] == "Group" else 1
        for heading, *values in list(zip(headings, *rows, strict=True))[first:]:
            assert len(set(values)) > 1 or ": STE" in heading, f"{name}: {heading}"


@pytest.mark.slow
@pytest.mark.skipif(LATEX is None, reason="no TeX is installed")
@pytest.mark.parametrize("name", NAMES)
def test_latex_compiles(paper_folder, name, tmp_path):
    preamble, body = (paper_folder / "tables" / f"table-{name}.tex").read_text(encoding="utf-8").split("\n", 1)
    packages = preamble.removeprefix("%").replace(", \\", " \\")
    document = f"\\documentclass{{article}}{packages}\\begin{{document}}{body}\\end{{document}}"
    (tmp_path / "table.tex").write_text(document, encoding="utf-8")
    subprocess.run([LATEX, "-interaction=nonstopmode", "-halt-on-error", "table.tex"], cwd=tmp_path, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_latex_has_the_columns_and_braces_of_a_table(paper_folder, name, tables):
    text = (paper_folder / "tables" / f"table-{name}.tex").read_text(encoding="utf-8")
    bare = re.sub(r"\\[\\{}&%#$_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert len(re.findall(r"\\begin\{", text)) == len(re.findall(r"\\end\{", text))
    columns = len(tables[name][0]) - (tables[name][0][0] == "Group")
    rows = [line for line in text.splitlines() if line.endswith(r" \\") and r"\multicolumn" not in line]
    assert len(rows) == len(tables[name]) - 1
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}
    assert text.count(r"\toprule") == text.count(r"\midrule") == 2


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
    (table,) = journal_table("schemes", [Rows("", rows)], columns=columns, models="REML", new_trial="n = 9")
    assert table.landscape
    assert table.width == pytest.approx(257.0)


def test_a_column_with_values_in_few_rows_is_a_note():
    rows = [{"label": f"T{i}", "n": str(i), "surrogate": "TTP" if i == 3 else "–"} for i in range(6)]
    (table,) = journal_table("effects", [Rows("", rows)], final="OS")
    assert [column.heading for column in table.columns] == ["Comparison", "Patients"]
    assert table.notes[0] == "Surrogate: T3 TTP; not known for the others."
    rows[4]["surrogate"] = "PFS"
    (table,) = journal_table("effects", [Rows("", rows)], final="OS")
    assert [column.heading for column in table.columns] == ["Comparison", "Patients", "Surrogate"]


def test_decimal_points_are_aligned_in_print_alone():
    texts = ("−0.20 (0.10 to 0.30)", "0.50", "None", "12.5", "–")
    columns = (Column("a", "A", 20.0), Column("b", "B", 30.0, "decimal", over="Set"))
    table = JournalTable(1, "x", "X", columns, (Group(Cell(), tuple((Cell("a"), Cell(text)) for text in texts)),))
    assert [row[1].text.index(".") for row in table.aligned.groups[0].rows if "." in row[1].text] == [2, 2, 2]
    assert [row[1].text for row in table.groups[0].rows] == list(texts)
    assert r"\multicolumn{1}{@{}l}{\textbf{Set}} \\ \cmidrule(r){2-2}" in as_latex(table)
    assert r"a & \makebox[0.5em][r]{$-$}0.20" in as_latex(table)
    assert r"a & \phantom{0}0.50" in as_latex(table)
    assert '<th scope="colgroup" colspan="1">Set</th>' in as_html(table)
    assert "| A | Set: B |" in as_markdown(table)
    assert as_csv(table).startswith("A,Set: B\n")
