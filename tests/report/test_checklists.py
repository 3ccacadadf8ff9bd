"""Checklists: every item is filled by something, no row judges, and the form for the author is checked."""

import json
import re

import pytest

from surrogacy.cli import template
from surrogacy.errors import DataError
from surrogacy.report.paper import checklist_data, checklist_facts
from surrogacy.report.paper.author_answers import answers_template, read_answers
from surrogacy.report.paper.checklist_text import as_html, as_markdown
from surrogacy.report.paper.checklists import STATUS_WORDS, Finding, checklists_json, fill_checklists, prompts, schemes

FACTS = checklist_data.FACTS | checklist_facts.FACTS
JUDGEMENT = re.compile(r"\b(fulfilled|satisfied|compliant|valid surrogate)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def filled():
    facts = {name: Finding("auto", f"value of <{name}>", "methods.md", {"a": {"x": 1.0}}) for name in FACTS}
    return fill_checklists(facts, {"funding": "none"})


def test_every_item_has_exactly_one_content():
    for scheme in schemes():
        assert len({item.item for item in scheme.items}) == len(scheme.items)
        for item in scheme.items:
            assert sum(map(bool, (item.fact, item.author, item.reason))) == 1, item
            assert not item.fact or item.fact in FACTS
            assert not item.author or item.author in prompts()
    items = [item for scheme in schemes() for item in scheme.items]
    assert {item.fact for item in items} - {""} == set(FACTS)
    assert {item.author for item in items} - {""} == set(prompts())


def test_all_schemes_are_there():
    assert [scheme.key for scheme in schemes()] == [
        "reseem", "iqwig", "tsd20", "prisma", "consort-surrogate", "fda", "ciani", "bses3", "baker-kramer",
    ]  # fmt: skip


def test_rows_of_the_document(filled):
    rows = json.loads(checklists_json(filled))
    assert {row["status"] for row in rows} == {"auto", "author", "n/a", "missing"} <= set(STATUS_WORDS)
    assert all(
        set(row) == {*["scheme", "version", "source", "item", "topic", "status", "value", "numbers", "where"]}
        for row in rows
    )
    assert next(row for row in rows if row["item"] == "funding")["value"] == "none"
    assert next(row for row in rows if row["item"] == "rationale")["status"] == "missing"


def test_no_row_judges(filled):
    for checklist in filled:
        for cells in checklist.cells:
            assert not JUDGEMENT.search(" ".join(cells))


def test_markdown_and_html_hold_every_row(filled):
    markdown, page = as_markdown(filled), as_html(filled)
    rows = sum(len(checklist.rows) for checklist in filled)
    assert len(re.findall(r"^\| ", markdown, re.MULTILINE)) == rows + 2 * len(filled)
    assert page.count("<tr class=") == rows
    assert "<size>" not in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: a\nfundng: b\n", 2, "funding"),
        ("title: a\ntitle: b\n", 2, "occurs twice"),
        ("title:\n  - a\n", 1, "not a text"),
        ("title: a: b\n", 1, "not valid YAML"),
        ("- a\n", 1, "not a list of keys"),
    ],
)
def test_a_fault_names_file_line_and_remedy(tmp_path, text, line, words):
    path = tmp_path / "report.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read_answers(path)
    assert str(raised.value).startswith(f"{path}:{line}: E190 error")
    assert words in str(raised.value)
    assert "Fix: " in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.yml.*No such file"):
        read_answers(tmp_path / "nowhere.yml")


def test_the_template_has_every_key_and_no_answer(tmp_path, capsys):
    path = tmp_path / "report.yml"
    assert template.main([str(path)]) == 0
    assert f"surrogacy fit --answers {path}" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == answers_template()
    assert read_answers(path) == {}
    assert re.findall(r"^(\w+):$", answers_template(), re.MULTILINE) == list(prompts())
    assert template.main([str(path)]) == 2
