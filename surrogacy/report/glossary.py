"""Glossary of the terms in screens, tables and figures, from the labels of the package.

``python -m surrogacy.report.glossary`` writes ``docs/glossary.md`` in the current folder.
"""

from __future__ import annotations

from pathlib import Path

from surrogacy.results.format import capitalised
from surrogacy.results.labels import GLOSSARY, Label

TITLE = (
    "# Glossary\n\nTerms of screens, tables and figures, and in brackets the names in results.json and the CSV files.\n"
)


def glossary() -> str:
    """Return the glossary in Markdown, one line per term."""
    groups = (
        f"\n## {group}\n\n" + "".join(_line(*item) for item in labels.items()) for group, labels in GLOSSARY.items()
    )
    return TITLE + "".join(groups)


def _line(name: str, label: Label) -> str:
    text = label.name("OS", "PFS")
    unit = f" Unit: {label.unit}." if label.unit else ""
    return f"- **{capitalised(text)}** (`{name}`): {label.describe('OS', 'PFS').rstrip('.')}.{unit}\n"


if __name__ == "__main__":
    Path("docs/glossary.md").write_text(glossary(), encoding="utf-8")
