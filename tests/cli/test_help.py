"""Help of the commands: groups, examples, and a line per analysis set."""

import re
import shlex

import pytest

from surrogacy.cli import add, cite, export, fit, pps, template
from surrogacy.results.analysis_sets import SET_DESCRIPTIONS
from tests.conftest import ROOT

GROUPS = {
    fit: ["Data", "Which trials", "Question", "Models", "Output"],
    pps: ["Data", "Question", "Planning a trial", "Output"],
}


@pytest.fixture(params=GROUPS, ids=lambda command: command.__name__)
def command(request):
    return request.param


@pytest.fixture
def shown(command, capsys):
    assert command.main(["--help"]) == 0
    return capsys.readouterr().out


def test_options_stand_in_groups_of_a_readers_questions(command, shown):
    headings = re.findall(r"^(\w.*):$", shown, re.MULTILINE)
    assert headings == [*GROUPS[command], "Analysis sets", "Examples"]
    assert max(map(len, shown.splitlines())) <= 100


def test_every_shipped_set_has_one_line(shown):
    names = {path.stem for path in (ROOT / "data" / "trials" / "sets").glob("*.csv")}
    assert set(SET_DESCRIPTIONS) == names
    for name, description in SET_DESCRIPTIONS.items():
        assert re.search(rf"^  {name} +{re.escape(description)}$", shown, re.MULTILINE)


def test_the_three_examples_are_understood(command, shown):
    examples = re.findall(r"^  (python -m .*)$", shown.partition("Examples:")[2], re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        _, _, module, *arguments = shlex.split(example)
        assert module == command.__name__.replace(".cli", "")
        command.parser().parse_args(arguments)


@pytest.mark.parametrize("module", [add, cite, export, fit, pps, template])
def test_help_fits_the_screen_ends_with_the_exit_codes_and_lists_help_last(module, capsys):
    assert module.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100
    options = re.findall(r"^  (-\S+)", shown.partition("Examples:")[0], re.MULTILINE)
    assert options[-1] == "-h,"
    assert "Exit codes: 0 success" in shown.partition("Examples:")[2]
