"""docs/outputs.md: its commands are understood, its files are written, and its table shows the presets."""

import re
import shlex
from importlib import import_module

import pytest

from surrogacy.fit import main
from surrogacy.output.page_style import PRESETS, page_style
from tests.support.pinned_tables import PINNED
from tests.support.presets import DOCUMENT, table, with_table

GUIDE = DOCUMENT.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^surrogacy .+$", GUIDE, re.M)


def test_the_guide_has_two_pages_at_most():
    assert len(GUIDE.split()) < 1000


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    _, name, *arguments = shlex.split(command)
    options = import_module(f"surrogacy.cli.{name}").parser().parse_args(arguments)
    if hasattr(options, "preset"):
        assert page_style(options.preset, options.width).width >= 60


def test_the_guide_shows_each_option_that_it_explains():
    explained = set(re.findall(r"--[a-z]+", GUIDE))
    shown = {word for command in COMMANDS for word in shlex.split(command) if word.startswith("--")}
    assert {"--preset", "--width", "--figures", "--show", "--answers", "--quick", "--bundle"} <= explained & shown


def test_the_table_shows_the_presets():
    assert with_table(GUIDE) == GUIDE, "run python -m tests.support.presets"
    rows = table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(PRESETS)
    assert ["not found" in row for row in rows] == [not preset.source for preset in PRESETS.values()]


def test_published_widths():
    # Elsevier, artwork sizing: 90, 140, 190 mm; Nature, research figure guide: 89 and 183 mm; The Lancet: 75 and 154 mm
    assert PRESETS["elsevier"].widths == (90, 140, 190)
    assert PRESETS["nature"].widths[::2] == (89, 183)
    assert PRESETS["lancet"].widths[::2] == (75, 154)
    assert {name for name, preset in PRESETS.items() if not preset.widths_published} == {"nejm", "jama", "karger"}


@pytest.mark.slow
def test_each_file_of_the_guide_is_written(tmp_path):
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", GUIDE.partition("## Figures")[0], re.M)
    cells = " ".join(f"{file} {content}" for file, content in rows)
    files = set(re.findall(r"`([\w./*]+(?:\.\w+|/))`", cells))
    assert {"report.html", "tables.docx", "methods.md", "references.ris", "figures/*.alt.txt"} <= files
    arguments = ["tactics-2022", "--model", "weighted-regression", "bivariate-reml", "--format", "svg", "--quiet"]
    assert main([*arguments, "--bundle", "--out", str(tmp_path / "out"), *PINNED]) in (0, 4)
    assert {file for file in (*files, "bundle.zip") if not list((tmp_path / "out").glob(file))} == set()
