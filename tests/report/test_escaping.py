"""Names of trials in files: no path, no markup, no formula."""

import csv
import re

import pytest

from surrogacy.fit import main
from surrogacy.report.escaping import markdown_text, slug, spreadsheet_text, unique_slug
from tests.support.fault_inputs import TABLES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A/B trial", "A-B-trial"),
        ("../../etc", "etc"),
        ("a\\b:c*d?", "a-b-c-d"),
        ("Köln 2", "Köln-2"),
        ("///", "unnamed"),
        ("x" * 300, "x" * 80),
    ],
)
def test_slug(name, expected):
    assert slug(name) == expected


def test_text_of_a_spreadsheet_cell():
    texts = ["=1+1", "@SUM(A1)", "+x", "-y", "-0.5", "plain"]
    assert list(map(spreadsheet_text, texts)) == ["'=1+1", "'@SUM(A1)", "'+x", "'-y", "-0.5", "plain"]


def test_text_of_a_markdown_cell():
    assert [markdown_text("x | y"), markdown_text("two\nlines")] == ["x \\| y", "two lines"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["slash-in-name", "dollar-in-name", "brackets-in-name", "bar-in-name", "formula-like-names"]
)
def test_a_run_with_unusual_names(name, tmp_path, capsys):
    path = tmp_path / f"{name}.csv"
    path.write_bytes(TABLES[f"{name}.csv"])
    trial = path.read_text().splitlines()[1].partition(",")[0]
    out = tmp_path / "out"
    arguments = [
        "--pairs",
        str(path),
        "--focus",
        trial,
        "--out",
        str(out),
        "--format",
        "svg",
        "--model",
        "weighted-pearson",
        "bivariate-reml",
    ]
    assert main(arguments) == 0
    assert trial in capsys.readouterr().out
    svg = (out / "figures" / f"forest-{name}.svg").read_text(encoding="utf-8")
    assert trial.replace("&", "&amp;") in re.sub(r"<[^>]*>", "", svg)
    for table in (out / "tables").glob("*.csv"):
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                assert not any(re.match(r"[=+@]|-\D", cell) for cell in row), (table, row)


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("placement-A/B", (), "placement-A-B"),
        ("placement-A B", ("placement-A-B",), "placement-A-B-2"),
        ("placement-a b", ("placement-A-B", "placement-A-B-2"), "placement-a-b-3"),
        ("placement-肝癌 试验", (), "placement-肝癌-试验"),
        ("x" * 300, ("x" * 80,), f"{'x' * 75}-2"),
    ],
)
def test_slugs_of_a_folder_differ(name, taken, expected):
    assert unique_slug(name, taken) == expected


def test_a_slug_is_short_enough_for_a_file_name():
    name = slug("𠀀" * 300)
    assert len(f"{name}.caption.md".encode()) < 255
    assert set(name) == {"𠀀"}
