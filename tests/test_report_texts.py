"""Sentences and tables of the report: every entry of the two files is used, and every entry that is used exists."""

import re
import tomllib
from pathlib import Path

import pytest

REPORT = Path(__file__).parents[1] / "surrogacy" / "report"


@pytest.mark.parametrize(
    ("file", "call"),
    [("texts.toml", r"\btext\(\s*['\"](\w+)['\"]"), ("tables.toml", r'(?:\btable\(\s*|layout=)"(\w+)"')],
)
def test_entries_are_used_and_exist(file, call):
    entries = set(tomllib.loads((REPORT / file).read_text(encoding="utf-8")))
    sources = [path.read_text(encoding="utf-8") for path in (REPORT / "sections").glob("*.py")]
    assert {name for source in sources for name in re.findall(call, source)} == entries
