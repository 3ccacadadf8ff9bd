"""Table of the presets in docs/outputs.md; ``python -m tests.support.presets`` writes it."""

from pathlib import Path

from surrogacy.output.page_style import PRESETS, SERIF, Preset

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "outputs.md"
START, END = "<!-- presets -->\n", "<!-- /presets -->\n"
HEADINGS = ("Preset", "1 / 1.5 / 2 columns, mm", "Text, pt", "Font", "Formats", "TIFF, dpi", "Source of the widths")


def _row(name: str, preset: Preset) -> tuple[str, ...]:
    widths = " / ".join(f"{width:g}" for width in preset.widths)
    text = f"{preset.type_size:g}, at least {preset.small_size:g}"
    font = "serif" if preset.families == SERIF else "sans serif"
    source = f"[publisher]({preset.source})" if preset.widths_published else "not found"
    return f"`{name}`", widths, text, font, ", ".join(preset.formats), str(preset.dpi), source


def table() -> str:
    """Return the table in Markdown."""
    rows = (HEADINGS, ("---",) * len(HEADINGS), *(_row(name, preset) for name, preset in PRESETS.items()))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(text: str) -> str:
    """Return the document with the table as the presets are now."""
    before, _, rest = text.partition(START)
    return f"{before}{START}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
