"""Written forms of numbers in a user's table: units, decimal commas, separators of thousands, p-values.

A form that has one meaning in its column is read; `remedy` explains the others.
"""

from __future__ import annotations

import datetime
import re
from contextlib import suppress

from surrogacy.trials.cells import LONGEST_NUMBER, NUMBER, plain_signs

COUNTS = frozenset(("n", "n_exp", "n_ctl", "events_exp", "events_ctl", "progressions", "deaths_without_progression"))
MONTHS = frozenset(("median", "follow_up_low", "follow_up_high"))
NUMBERS = frozenset(
    (
        *("hr", "log_hr", "estimate", "se", "variance", "rho_within"),
        *("ci_low", "ci_high", "log_ci_low", "log_ci_high"),
    )
)
NO_DIFFERENCE = re.compile(r"n\.?\s?s\.?|not significant|non-?significant", re.IGNORECASE)
SIDES = re.compile(r"[(\[,;]?\s*\b(one|two|1|2)[\s-]*(?:sided|tailed)\b\s*[)\]]?", re.IGNORECASE)
_MARKS = " *\u2020\u2021\u00a7\u00b6"
_UNIT = re.compile(r"(?<=[\d\s)])\s*\b(?:months?|mos?|mths?)\b\.?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[, \u2009\u202f'\u2019]\d{3})+")
_COUNT_WORDS = re.compile(
    r"(?:n\s*=\s*)?([\d,' \u2009\u202f\u2019]+?)\s*(?:patients|pts|events|deaths)?", re.IGNORECASE
)
_SHARE = re.compile(r"(\d+)\s*[(\[;,]\s*(?:100|\d{1,2})(?:[.,]\d+)?\s*%\s*[)\]]?")  # 120 (71%)
_P_WORDS = re.compile(
    r"(?:(?:stratified\s+)?log-?\s?rank\s+)?(?:p(?:[\s-]?values?)?|p[\s-]?val)?\s*[:=]?\s*", re.IGNORECASE
)
_P_VALUE = re.compile(r"([<>\u2264\u2265]?)=?\s*(\d*[.,]?\d+(?:e-?\d+)?)", re.IGNORECASE)
_MONTH_NAME = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|m\u00e4r|mai|okt|dez)[a-z]*\.?"
_DATE = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?: .*)?|\d{{1,2}}[-. ]{{1,2}}{_MONTH_NAME}(?:[-. ]\d{{2,4}})?"
    rf"|{_MONTH_NAME}[-. ]\d{{1,4}}|\d{{1,2}}(?P<mark>[./])\d{{1,2}}(?P=mark)\d{{2,4}}",
    re.IGNORECASE,
)
_DAYS_PER_UNIT = {"year": 365.25, "yr": 365.25, "week": 7.0, "wk": 7.0, "day": 1.0}
DAYS_PER_MONTH = 365.25 / 12


def plain_form(text: str, quantity: str) -> str:
    """Return a number in the form of the tables; text that is not understood is kept.

    Parameters
    ----------
    text : str
        Cell as written.
    quantity : str
        Meaning of its column.

    Examples
    --------
    >>> plain_form("0,62", "hr"), plain_form("1,200", "n"), plain_form("23.4 months", "median")
    ('0.62', '1200', '23.4')
    >>> plain_form("P = 0.42", "p"), plain_form("0.62%", "hr")
    ('0.42', '0.62%')
    """
    if len(text) > LONGEST_NUMBER:
        return text
    bare = plain_signs(text).strip(_MARKS)
    if quantity == "p":
        return _plain_p(bare)
    if quantity in COUNTS:
        bare = re.sub(r"^\((.*)\)$", r"\1", bare).strip()
        if share := _SHARE.fullmatch(bare):
            bare = share[1]
        match = _COUNT_WORDS.fullmatch(bare)
        count = match[1] if match else bare
        return re.sub(r"\D", "", count) if _THOUSANDS.fullmatch(count) else count
    if quantity in MONTHS:
        bare = _UNIT.sub("", bare).strip()
    elif quantity not in NUMBERS:
        return text
    if _DECIMAL_COMMA.fullmatch(bare):
        return bare.replace(",", ".")
    return bare if quantity in MONTHS or re.fullmatch(NUMBER, bare) else text


def _plain_p(text: str) -> str:
    """Return a p-value without its name and without its sides: ``P=0.42`` is 0.42, and ``p < 0,001`` is <0.001."""
    bare = SIDES.sub("", text).strip()
    words = _P_WORDS.match(bare)
    match = _P_VALUE.fullmatch(bare[words.end() :].strip() if words else bare)
    if match is None:
        return text
    sign = {"\u2264": "<", "\u2265": ">"}.get(match[1], match[1])
    return sign + match[2].replace(",", ".")


def is_p(text: str) -> bool:
    """Return whether a text is a p-value or a bound of one."""
    match = _P_VALUE.fullmatch(text)
    return match is not None and 0 < float(match[2]) <= 1


def is_date(text: str) -> bool:
    """Return whether a text is a date, such as a spreadsheet makes of ``12-5`` or ``5/12``."""
    return _DATE.fullmatch(text) is not None


def remedy(text: str, column: str) -> str:
    """Return the likely correction of a cell that is not a number, as the end of a sentence; empty if there is none.

    Parameters
    ----------
    text : str
        Cell as written.
    column : str
        Column of the tables.

    Examples
    --------
    >>> remedy("62%", "hr")
    'did you mean 0.62?'
    """
    bare = text.strip(_MARKS)
    if any(character.isdigit() and not character.isascii() for character in bare):
        return "use the digits 0 to 9"
    if is_date(bare):
        return _remedy_of_date(bare)
    percentage = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*%", bare)
    if percentage:
        value = float(percentage[1].replace(",", "."))
        return f"did you mean {value if column.endswith('_pct') else value / 100:.4g}?"
    duration = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(year|yr|week|wk|day)s?\.?", bare, re.IGNORECASE)
    if duration:
        days = float(duration[1].replace(",", ".")) * _DAYS_PER_UNIT[duration[2].lower()]
        return f"give months: did you mean {days / DAYS_PER_MONTH:.1f}?"
    if re.fullmatch(r"[<>\u2264\u2265]=?\s*\d+(?:[.,]\d+)?\+?|\d+(?:[.,]\d+)?\+", bare):
        if column.startswith("median"):
            return "a bound is not a median: write NR if the median was not reached"
        return "a bound cannot be used: leave the cell empty, and write the bound in notes"
    if column in COUNTS and (count := re.match(r"(\d+)\s*[(\[]", bare)):
        return f"give the number alone: did you mean {count[1]}?"
    if re.search(r"\d\s*[(\[]", bare):
        return "write an interval in the cell as 'HR (95% CI low-high)', with at most one level and no further text"
    if column in COUNTS and re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+", bare):
        return f"did you mean {bare.replace('.', '')}?"
    fraction = re.fullmatch(r"(\d+)\s*/\s*(\d+)", bare)
    if fraction and column in COUNTS:
        return f"give one number: did you mean {fraction[1]} of {fraction[2]}?"
    return ""


def _remedy_of_date(text: str) -> str:
    entry = "such as 12.5, 12-5 or 5/12"
    with suppress(ValueError):  # a text without a year first, or a day that does not exist
        date = datetime.date.fromisoformat(text[:10])
        parts = {f"{date.day}.{date.month}", f"{date.day}-{date.month}", f"{date.month}.{date.day}"}
        if date.day == 1:
            parts |= {f"{date.month}.{date.year % 100:02d}", f"{date.month}-{date.year % 100}"}
        entry = f"such as {', '.join(sorted(parts))}"
    return (
        f"a spreadsheet has converted the entry to a date; it was perhaps a number {entry}: give the cell the format "
        "Text, and type the number again"
    )
