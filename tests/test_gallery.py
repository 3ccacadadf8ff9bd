"""The contact sheets of docs/gallery, and the script that draws them."""

import runpy

import pytest
from PIL import Image, ImageColor

from surrogacy.figures.bubble import BAND
from surrogacy.models import WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.report.section import drawing
from tests.conftest import ROOT

GALLERY = ROOT / "docs" / "gallery"
SHEETS = {f"{journal}-{columns}.png" for journal in PRESETS for columns in (1, 2)}
MOST_BYTES = 250_000


def test_sheet_shows_every_figure_and_has_the_same_bytes_twice(trials, tmp_path):
    script = runpy.run_path(str(ROOT / "analyses" / "gallery.py"))
    result = WeightedRegression().fit(trials.analysis_set("tactics-2022"))
    figures = [drawing(kind, kind, "", result, alternative="") for kind in ("bubble", "forest")]
    page = page_style("karger", 1)
    files = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files.append(script["write_sheet"](figures, page, tmp_path / name))
    assert [file.name for file in files] == ["karger-1.png", "karger-1.png"]
    assert files[0].read_bytes() == files[1].read_bytes()
    drawn = [script["picture"](figure, page).size for figure in figures]
    for width, _ in drawn:
        assert width == pytest.approx(page.width * script["DPI"] / 25.4, abs=1)
    with Image.open(files[0]) as sheet:
        assert sheet.width == sum(width + script["GAP"] for width, _ in drawn) + script["GAP"]
        assert sheet.height == max(height for _, height in drawn) + script["LABEL"] + 2 * script["GAP"]
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(sheet.width * sheet.height)}
        assert ImageColor.getrgb(BAND) in colours


def test_gallery_has_a_small_sheet_for_every_journal_and_width():
    assert {file.name for file in GALLERY.glob("*.png")} == SHEETS
    assert max(file.stat().st_size for file in GALLERY.glob("*.png")) < MOST_BYTES
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    for journal in PRESETS:
        for columns in (1, 2):
            assert f"{page_style(journal, columns).width:g} mm]({journal}-{columns}.png)" in page
