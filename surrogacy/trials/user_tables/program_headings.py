"""Headings of other programs in words: coefficients and percentiles of R, and columns that the models do not need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from surrogacy.trials.cells import squash
from surrogacy.trials.user_tables.heading_words import PROGRAM_COLUMNS

# parts of headings in R as printed, and as data.frame() renames them
WORDS = (
    (re.compile(r"\bexp(?:\(coef\)|\.coef\.|\(b\))"), " hr "),
    (re.compile(r"\bhaz\. ratio\b"), " hr "),
    (re.compile(r"^\[(\d\d(?:\.\d)?%) conf\.?$"), r" lower \1 limit "),
    (re.compile(r"^interval\]$"), " upper limit "),
    (re.compile(r"^p>\|z\|$"), " p "),
    (re.compile(r"\bse(?:\(coef\)|\.coef\.)"), " se "),
    (re.compile(r"\bpr(?:\(>\|z\|\)|\.\.\.z\.\.)"), " p "),
    (re.compile(r"(?<![(.-])\bcoef(?:ficient)?\b"), " log hr "),
    (re.compile(r"\b(lower|upper)[ .]{0,2}0?\.(\d\d)\b"), r" \1 \2% limit "),
    (re.compile(r"\b(lower|upper)\.\.(\d\d)\b"), r" \1 \2% limit "),
)
RECIPROCAL = re.compile(r"exp(?:\(-coef\)|\.\.coef\.)")
PERCENTILE = re.compile(r"(?:^|[\s_.(])x?(\d{1,2}(?:\.\d{1,2})?)(?:\s*%|\.\.)")
OTHER_WORDS = re.compile(
    r"(?<![a-z])(?:[ck]i|hr)(?![a-z])|conf|cred|limit|bound|low|upp|high|hazard|interval|level|median|rate"
)


def program_words(text: str) -> str:
    """Return a heading in lower case with the expressions of other programs in words.

    Examples
    --------
    >>> program_words("se(coef)").split(), program_words("x2.5..").split(), program_words("os 97.5 %").split()
    (['se'], ['lower', '95%', 'limit'], ['os', 'upper', '95%', 'limit'])
    """
    for pattern, words in WORDS:
        text = pattern.sub(words, text)
    percentage = percentile(text)
    if percentage is None:
        return text
    bound, level = ("lower", 100 - 2 * percentage) if percentage < 50 else ("upper", 2 * percentage - 100)
    return PERCENTILE.sub(f" {bound} {level:.10g}% limit ", text)


def percentile(text: str) -> float | None:
    """Return the percentile of a heading such as ``2.5 %``; None if it is none, or the level of an interval."""
    match = PERCENTILE.search(text.lower())
    if match is None or OTHER_WORDS.search(text.lower()):
        return None
    value = float(match[1])
    return value if 0 < value <= 25 or 75 <= value < 100 else None


def single_percentiles(columns: Sequence[str]) -> list[str]:
    """Return the columns of percentiles without a partner: ``95 %`` is a limit only beside ``5 %``."""
    percentiles = {
        column: (PERCENTILE.sub("", column.lower()).strip(), value)
        for column in columns
        if (value := percentile(column)) is not None
    }
    pairs = set(percentiles.values())
    return [column for column, (rest, value) in percentiles.items() if (rest, round(100 - value, 10)) not in pairs]


def needless_columns(columns: Sequence[str], cells: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the columns of other programs that the models do not need, and their content.

    Parameters
    ----------
    columns : sequence of str
        Columns that are not understood.
    cells : mapping of str to sequence of str
        Cells of each column.
    """
    needless = {}
    for column in columns:
        if RECIPROCAL.search(column.lower()):
            needless[column] = "reciprocal of the hazard ratio"
        elif squash(column) == "variance" and any(squash(other) == "oe" for other in columns):
            needless[column] = "variance of observed minus expected events"
        elif not any(cells[column]):
            needless[column] = "no cell is filled"
        elif squash(column) in PROGRAM_COLUMNS:
            needless[column] = PROGRAM_COLUMNS[squash(column)]
        elif re.fullmatch(r"column \d+|x|unnamed: 0", column.lower()) and _are_numbers_of_rows(cells[column]):
            needless[column] = "numbers of the rows"
    return needless


def _are_numbers_of_rows(cells: Sequence[str]) -> bool:
    """Return whether cells count up by 1."""
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,9}", cell)]
    return len(numbers) == len(cells) > 0 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
