"""Tables as text: CSV, Markdown, HTML and LaTeX."""

from __future__ import annotations

import csv
import html
import io
import re

from surrogacy.report.escaping import spreadsheet_text
from surrogacy.report.journal_tables.layout import FIGURE_SPACE, Cell, Column, JournalTable

STYLE = (
    "body{font:9pt/1.35 Arial,Helvetica,sans-serif;margin:2em;max-width:72em}"
    "table{border-collapse:collapse;border-top:1.5px solid #222;border-bottom:1.5px solid #222}"
    "caption{text-align:left;font-weight:bold;padding-bottom:.4em}"
    "th,td{padding:2px 8px 2px 0;text-align:left;vertical-align:top;font-variant-numeric:tabular-nums}"
    "thead th{border-bottom:1px solid #222;vertical-align:bottom}thead .empty{border:0}.right{text-align:right}"
    "tbody th{padding-top:.5em}.notes{font-size:8pt;margin:.3em 0}"
)
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>{body}</html>\n'
)
PREAMBLE = """\
% \\usepackage[T1]{fontenc}, \\usepackage[utf8]{inputenc}, \\usepackage{booktabs,longtable,array,pdflscape,caption}
"""
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "−": r"$-$",
    "–": "--",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "²": r"\textsuperscript{2}",
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    "†": r"\textdagger{}",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "[": "{[}",  # after the end of a row it would open an option
    "*": "{*}",
    FIGURE_SPACE: r"\phantom{0}",
}
MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]|<>#~])")


def as_csv(table: JournalTable) -> str:
    """Return the printed cells; the heading of a group is the first column, and letters of footnotes are in brackets.

    A cell that a spreadsheet would read as a formula has an apostrophe before it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    grouped = any(group.heading.text for group in table.groups)
    writer.writerow([*(["Group"] if grouped else []), *(column.full_heading for column in table.columns)])
    for group in table.groups:
        for row in group.rows:
            writer.writerow(spreadsheet_text(cell.plain) for cell in ([group.heading] if grouped else []) + list(row))
    return file.getvalue()


def as_markdown(table: JournalTable) -> str:
    """Return a pipe table with its title and notes."""
    lines = [f"**Table {table.number}.** {_markdown(table.title)}", ""]
    lines.append(_markdown_row([_markdown(column.full_heading) for column in table.columns]))
    lines.append(_markdown_row(["---:" if column.align == "right" else "---" for column in table.columns]))
    for group in table.groups:
        if group.heading.text:
            heading = f"**{_markdown(group.heading.text)}**{_superscript(group.heading)}"
            lines.append(_markdown_row([heading, *[""] * (len(table.columns) - 1)]))
        lines += [_markdown_row([f"{_markdown(cell.text)}{_superscript(cell)}" for cell in row]) for row in group.rows]
    for note in table.notes:
        lines += ["", _markdown(note)]
    for footnote in table.footnotes:
        lines += ["", f"<sup>{footnote.mark}</sup> {_markdown(footnote.text)}"]
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    return MARKDOWN_SIGNS.sub(r"\\\1", " ".join(text.split()))


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _superscript(cell: Cell) -> str:
    return f"<sup>{','.join(cell.marks)}</sup>" if cell.marks else ""


def as_html(table: JournalTable) -> str:
    """Return a table with its caption and notes, to stand in a page."""
    classes = [' class="right"' if column.align == "right" else "" for column in table.columns]
    headings = "".join(
        f'<th scope="col"{kind}>{html.escape(column.heading)}</th>'
        for column, kind in zip(table.columns, classes, strict=True)
    )
    spans = "".join(
        f'<th scope="colgroup" colspan="{count}">{html.escape(over)}</th>'
        if over
        else f'<td class="empty" colspan="{count}"></td>'
        for over, count in table.spans
    )
    body = []
    for group in table.aligned.groups:
        rows = [
            "".join(
                f"<td{kind}>{html.escape(cell.text)}{_superscript(cell)}</td>"
                for cell, kind in zip(row, classes, strict=True)
            )
            for row in group.rows
        ]
        if group.heading.text:
            heading = f"{html.escape(group.heading.text)}{_superscript(group.heading)}"
            rows.insert(0, f'<th scope="rowgroup" colspan="{len(table.columns)}">{heading}</th>')
        body.append(f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>")
    notes = [html.escape(note) for note in table.notes]
    notes += [f"<sup>{footnote.mark}</sup> {html.escape(footnote.text)}" for footnote in table.footnotes]
    caption = f"<caption>Table {table.number}. {html.escape(table.title)}</caption>"
    below = "".join(f'<p class="notes">{note}</p>' for note in notes)
    head = f"<tr>{spans}</tr><tr>{headings}</tr>" if spans else f"<tr>{headings}</tr>"
    return f"<table>{caption}<thead>{head}</thead>{''.join(body)}</table>{below}"


def as_html_page(table: JournalTable) -> str:
    """Return a page that contains the table alone."""
    return PAGE.format(title=html.escape(table.title), style=STYLE, body=as_html(table))


def as_latex(table: JournalTable) -> str:
    """Return a ``longtable`` with the rules of booktabs; a wide one stands in a ``landscape`` environment."""
    span = len(table.columns)
    padding = f"@{{}}{''.join(_column_type(column, table.width, table.landscape) for column in table.columns)}@{{}}"
    headings = f"{_latex_spans(table)}{' & '.join(rf'\textbf{{{_latex(column.heading)}}}' for column in table.columns)}"
    lines = [
        rf"\begin{{longtable}}{{{padding}}}",
        rf"\caption{{{_latex(table.title)}}}\label{{tab:{table.name}}}\\",
        rf"\toprule {headings} \\ \midrule \endfirsthead",
        rf"\toprule {headings} \\ \midrule \endhead",
        r"\bottomrule \endfoot",
    ]
    for i, group in enumerate(table.aligned.groups):
        if group.heading.text:
            space = r"\addlinespace " if i else ""
            lines.append(
                rf"{space}\multicolumn{{{span}}}{{@{{}}l@{{}}}}{{\textit{{{_latex_cell(group.heading)}}}}} \\*"
            )
        lines += [rf"{' & '.join(map(_latex_cell, row))} \\" for row in group.rows]
    lines.append(r"\end{longtable}")
    lines += [rf"\noindent{{\footnotesize {_latex(note)}\par}}" for note in table.notes]
    lines += [
        rf"\noindent{{\footnotesize \textsuperscript{{{footnote.mark}}} {_latex(footnote.text)}\par}}"
        for footnote in table.footnotes
    ]
    text = "\n".join([r"\begingroup\footnotesize\setlength{\tabcolsep}{2.5pt}", *lines, r"\endgroup"])
    return f"{PREAMBLE}\\begin{{landscape}}\n{text}\n\\end{{landscape}}\n" if table.landscape else f"{PREAMBLE}{text}\n"


def _latex_spans(table: JournalTable) -> str:
    """Return the row of upper headings with a rule below each; empty without them."""
    cells, rules, start = [], [], 1
    for over, count in table.spans:
        cells.append(rf"\multicolumn{{{count}}}{{@{{}}l}}{{\textbf{{{_latex(over)}}}}}" if over else "&" * (count - 1))
        if over:
            rules.append(rf"\cmidrule(r){{{start}-{start + count - 1}}}")
        start += count
    return f"{' & '.join(cells)} \\\\ {''.join(rules)} " if cells else ""


def _column_type(column: Column, total: float, landscape: bool) -> str:
    """Return a paragraph column: its share of the width of the text, less the space between columns."""
    share = column.width / total
    length = r"\linewidth" if landscape else r"\textwidth"
    edge = r"\raggedleft" if column.align == "right" else r"\raggedright"
    return rf">{{{edge}\arraybackslash}}p{{\dimexpr {share:.4f}{length}-2\tabcolsep\relax}}"


def _latex_cell(cell: Cell) -> str:
    marks = rf"\textsuperscript{{{','.join(cell.marks)}}}" if cell.marks else ""
    negative = cell.text.startswith("−")  # its sign is as wide as the digit for which other rows have a space
    text = rf"\makebox[0.5em][r]{{$-$}}{_latex(cell.text[1:])}" if negative else _latex(cell.text)
    return f"{text}{marks}"


def _latex(text: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in text)
