"""Sentences and tables of the report: each entry of the files is used, and each entry that is used exists."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from surrogacy.errors import CaveatCode
from surrogacy.evaluation.answers import Conclusion
from surrogacy.results.estimate import ThresholdStatus

REPORT = Path(__file__).parents[1] / "surrogacy" / "report"


def entries(file):
    return tomllib.loads((REPORT / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "call"),
    [("texts.toml", r"\btext\(\s*['\"](\w+)['\"]"), ("tables.toml", r'(?:\btable\(\s*|layout=)"(\w+)"')],
)
def test_entries_are_used_and_exist(file, call):
    source = "".join(path.read_text(encoding="utf-8") for path in (REPORT / "sections").glob("*.py"))
    assert set(re.findall(call, source)) <= set(entries(file))
    assert {name for name in entries(file) if not re.search(f"['\"]{name}['\"]", source)} == set()


def test_each_code_has_a_phrase():
    phrases = entries("phrases.toml")
    assert set(phrases["conclusions"]) == set(Conclusion)
    assert set(phrases["thresholds"]) == {*get_args(ThresholdStatus), "unreliable"}
    assert set(phrases["notes"]) == set(CaveatCode)
