"""docs/adding-trials.md shows what the commands print: template, fill in, check, fit."""

import pytest

from tests.support.adding_trials import DOCUMENT, steps


@pytest.mark.slow
def test_the_transcript_shows_what_the_commands_print(tmp_path):
    commands = []
    for block, output in steps(DOCUMENT.read_text(encoding="utf-8"), tmp_path):
        commands.append(block[2])
        assert output == block[3], f"{block[2]}: run python -m tests.support.adding_trials"
    assert [command.split()[1] for command in commands] == ["template", "fit", "fit", "fit"]
    assert (tmp_path / "results" / "results.json").is_file()
