"""Cells of a table: numbers, confidence levels, p-values and intervals, as text and as values.

Cells are kept as text until they are checked, because the number of decimals shows the precision of rounding.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from surrogacy.trials.rows import Row

NUMBER = r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?"
LONGEST_NUMBER = 200  # characters of a cell that is searched for numbers
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
LOG_COLUMNS = {"hr": "log_hr", "ci_low": "log_ci_low", "ci_high": "log_ci_high"}
DEFAULT_LEVEL = 0.95
LARGEST_LOGARITHM = math.log(sys.float_info.max)

_PERCENTAGE = r"\d+(?:[.,]\d+)?\s*%"
_TRAILING_MARKS = " *\u2020\u2021\u00a7\u00b6"
_LEVEL_IN_CELL = re.compile(
    rf"({_PERCENTAGE})(?:\s*-(?=\s*[CK]I))?|\b(?:CI|IC)_?(\d\d(?:\.\d+)?)(?![\d.])|(?<![\d.])(\d\d(?:\.\d+)?) ?CI\b",
    re.IGNORECASE,
)
_INTERVAL_WORDS = re.compile(
    r"(?:\b(?:confidence|credible)[ ]+(?:interval|limits?)\b|\bC\.I\.|\b(?:CI|CrI|KI|IC|a?HR)\b|\bhazard ratio\b"
    r"|\b(?:un)?(?:adjusted|stratified)\b)\s*:?|=|[(\[{]\s*[)\]}]",
    re.IGNORECASE,
)
_FOOTNOTE_MARKS = re.compile(r"(?<=[\d)\]])\s*[*\u2020\u2021\u00a7\u00b6]+")
# typographic signs: decimal points, spaces, signs of full width, and characters without width
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("\u00b7\u2219\u22c5\uff0e", "."),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u223c\u301c\uff5e", "~"),
        "\uff0d": "-",
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad"),
        **dict(zip("\uff08\uff09\uff0c\uff05\uff1b", "(),%;", strict=True)),
    }
)
_LONG_DASH = re.compile(r"(?<![-\d.,])(\d*[.,]?\d+)\s*-{2,3}\s*(?=[\d.,])")
_ESTIMATE_AND_LIMITS = re.compile(
    rf"\s*(?:({NUMBER})(?:\s*(?=[(\[{{])|\s*[,;:]\s+|\s+))?[(\[{{]?\s*[,;:]?\s*"
    rf"({NUMBER})\s*(?:-|~|\||\.\.\.|\u2026|,|;|/|\b(?:to|through|bis|and|und|a|\u00e0)\b)\s*({NUMBER})\s*[,;:]?\s*[)\]}}]?\s*"
)


@dataclass(frozen=True)
class IntervalCell:
    """Cell with confidence limits.

    Parameters
    ----------
    estimate : str
        Number before the limits; empty if there is none.
    low, high : str
        Limits as printed.
    level : str
        Level as printed, such as ``"97.5%"``; empty if there is none.
    """

    estimate: str
    low: str
    high: str
    level: str


def squash(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def without_accents(text: str) -> str:
    """Return a text with letters of the Latin alphabet without their accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def clean(cell: str, *, decimal_comma: bool = False) -> str:
    """Strip a cell; in numeric cells turn typographic marks (mid-dot, minus, decimal comma) into ASCII."""
    cell = cell.replace("\u00a0", " ").strip()
    if len(cell) > LONGEST_NUMBER:
        return cell
    plain = plain_signs(cell.replace("\n", " "))
    if decimal_comma and re.fullmatch(r"[<>=\s]*[-+]?\d*,\d+.*", plain):
        plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)
    return plain if re.fullmatch(r"[<>=]*\s*[\d.\-+eE,;()\[\]\s%CIto/:]+", plain) else cell


def plain_signs(text: str) -> str:
    """Return a text with decimal points, dashes, brackets and blanks in ASCII, without characters of no width."""
    return DASHES.sub("-", text.translate(_TYPOGRAPHY))


def number(row: Mapping[str, str], column: str) -> float | None:
    """Return a cell as a number; None if it is empty or not a finite number."""
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def parse_level(text: str) -> float | None:
    """Return a confidence level from ``0.95``, ``95``, ``95%`` or ``97,5 %``; None if it is not a number."""
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?|[.,]\d+)\s*(%?)\s*", text)
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    return value / 100 if match[2] or value > 1 else value


def level_of(row: Row) -> float:
    """Return the confidence level of a row's limits, 0.95 unless stated."""
    level = parse_level(row.get("ci_level", ""))
    return DEFAULT_LEVEL if level is None else level


def exact_p(text: str) -> float | None:
    """Return an exact p-value; None if the cell is empty or a bound such as <0.001."""
    try:
        p = float(text.strip().lstrip("=").strip())
    except ValueError:
        return None
    return p if 0 < p < 1 else None


def bound_of_p(row: Row) -> float | None:
    """Return the upper bound of a p-value, such as 0.001 for ``<0.001``; None if it is not a bound."""
    match = re.fullmatch(r"<\s*(\d*\.?\d+(?:[eE]-?\d+)?)", row.get("p", "").strip())
    return float(match[1]) if match else None


def parse_interval(cell: str) -> IntervalCell | None:
    """Return the numbers of a cell such as ``0.59 (98.7% CI, 0.41 to 0.87)`` or ``[0.41; 0.87]``.

    The level may be before or after the limits, with or without ``CI``. A cell with further text or with two different
    levels is not an interval.

    Parameters
    ----------
    cell : str

    Returns
    -------
    IntervalCell or None

    Examples
    --------
    >>> parse_interval("0.69 [90% CI: 0.54-0.89]")
    IntervalCell(estimate='0.69', low='0.54', high='0.89', level='90%')
    """
    if len(cell) > LONGEST_NUMBER:
        return None
    text = _FOOTNOTE_MARKS.sub(" ", plain_signs(cell)).strip(_TRAILING_MARKS)
    levels = ["".join(groups).replace(" ", "") for groups in _LEVEL_IN_CELL.findall(text)]
    if len({parse_level(level) for level in levels}) > 1:
        return None
    text = _LONG_DASH.sub(r"\1 - ", _INTERVAL_WORDS.sub(" ", _LEVEL_IN_CELL.sub(" ", text)))
    match = _ESTIMATE_AND_LIMITS.fullmatch(text)
    if match is None:
        return None
    level = levels[0].replace(",", ".") if levels else ""
    return IntervalCell(match[1] or "", match[2], match[3], level if not level or level.endswith("%") else f"{level}%")


def half_unit(text: str) -> float:
    """Return the largest rounding error of a printed number; fewer than two decimals count as one decimal."""
    mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    if exponent:
        return 0.5 * 10.0 ** (int(exponent) - decimals)
    return 0.5 * 10.0 ** -(decimals if decimals >= 2 else 1)


def exponential(x: float) -> float:
    """Return exp(x), or infinity if it overflows; the rules of the tables refuse an infinite value."""
    return math.exp(x) if x < LARGEST_LOGARITHM else math.inf


def printed_range(row: Row, column: str) -> tuple[float, float]:
    """Return the range of a printed number before rounding; a logarithm was rounded on the log scale.

    Parameters
    ----------
    row : Row
    column : str
        Column with a number above 0, such as ``hr``, ``ci_low``, ``se`` or ``p``.

    Returns
    -------
    low, high : float
    """
    log_text = row.get(LOG_COLUMNS.get(column, ""), "")
    if log_text and column in row.logarithms:
        half = half_unit(log_text)
        return exponential(float(log_text) - half), exponential(float(log_text) + half)
    text = row[column].strip().lstrip("=").strip()
    value, half = float(text), half_unit(text)
    return max(value - half, sys.float_info.min), value + half
