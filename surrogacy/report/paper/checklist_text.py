"""Filled checklists as Markdown and HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape

from surrogacy.report.paper.checklists import STATUS_WORDS, Checklist

INTRODUCTION = (
    "These lists show what this analysis contributes to each item, and what the authors have to add. No row states "
    "that an item is fulfilled. Items are paraphrased; submit the published checklists."
)
STYLE = (
    "body{font:10pt Arial,sans-serif;margin:2em;max-width:75em}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}"
    "th,td{padding:3px 8px;text-align:left;vertical-align:top;border-bottom:1px solid #ccc;overflow-wrap:break-word}"
    "th:nth-child(1){width:10%}th:nth-child(2){width:18%}th:nth-child(3){width:11%}th:nth-child(5){width:14%}"
    "th{border-bottom:1px solid #222}"
    "@media(max-width:45em){body{margin:.7em}table,tbody,tr,td,caption{display:block}thead{display:none}"
    "td{border:0;padding:1px 0}tr{border-bottom:1px solid #ccc;padding:.4em 0}td:first-child{font-weight:bold}}"
    ".missing td{background:#fff6e0}caption{text-align:left;padding:.3em 0}@media print{.missing td{background:none}}"
)


def summary(checklist: Checklist) -> str:
    """Return the numbers of rows by status: ``20 computed, 3 to be added``."""
    counts = Counter(row.finding.status for row in checklist.rows)
    return ", ".join(f"{counts[status]} {words}" for status, words in STATUS_WORDS.items() if counts[status])


def source_words(checklist: Checklist) -> str:
    """Return version and source of a scheme, with its note."""
    scheme = checklist.scheme
    source = f"doi:{scheme.source}" if scheme.source.startswith("10.") else scheme.source
    return f"{scheme.name}, {scheme.version} ({source}). {scheme.note}".strip()


def as_markdown(checklists: Sequence[Checklist]) -> str:
    """Return all checklists as Markdown tables."""
    parts = [f"# Checklists\n\n{INTRODUCTION}\n"]
    for checklist in checklists:
        rows = [_row(cells) for cells in checklist.cells]
        table = "\n".join([_row(checklist.headings), _row(["---"] * len(checklist.headings)), *rows])
        parts.append(f"## {checklist.scheme.name}\n\n{source_words(checklist)}\n\n{table}\n\n{summary(checklist)}.\n")
    return "\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    safe = (re.sub(r"\s*\n\s*", " ", cell.strip()).replace("|", "\\|").replace("<", "&lt;") for cell in cells)
    return f"| {' | '.join(safe)} |"


def as_html(checklists: Sequence[Checklist]) -> str:
    """Return all checklists as one page without scripts or external files."""
    body = "".join(map(_section, checklists))
    head = f'<meta charset="utf-8"><title>Checklists</title><style>{STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>'
        f"<body><h1>Checklists</h1><p>{escape(INTRODUCTION)}</p>{body}</body></html>\n"
    )


def _section(checklist: Checklist) -> str:
    headings = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in checklist.headings)
    rows = "".join(
        f'<tr class="{row.finding.status.replace("/", "")}"><td>{"</td><td>".join(map(escape, cells))}</td></tr>\n'
        for row, cells in zip(checklist.rows, checklist.cells, strict=True)
    )
    return (
        f"<h2>{escape(checklist.scheme.name)}</h2><table><caption>{escape(source_words(checklist))} "
        f"{escape(summary(checklist))}.</caption>\n<thead><tr>{headings}</tr></thead>\n<tbody>{rows}</tbody></table>\n"
    )
