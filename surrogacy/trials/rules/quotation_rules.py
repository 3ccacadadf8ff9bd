"""Rule for the quotations of curated tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from surrogacy.errors import Fault
from surrogacy.trials.cells import number
from surrogacy.trials.rows import Row, fault

# 0.62, .62, 0,62 or 0·62, and whole numbers
QUOTED_NUMBER = re.compile(r"\d*[.,\u00b7]\d+|\d+")
ROUNDING = 1e-9  # of binary fractions


def quotes_number(quote: str, printed: str) -> bool:
    """Return whether a quotation contains a printed number, or its inverse.

    The quoted number has the same value, or more decimals and rounds to the printed number. The inverse belongs to
    ratios that the source prints as control over experimental.

    Parameters
    ----------
    quote : str
    printed : str
        Number above 0 with a decimal point.

    Examples
    --------
    >>> quotes_number("(HR = 0,62; IC 95 % 0,51-0,75)", "0.62"), quotes_number("14.6 v 13.0 months", "0.79")
    (True, False)
    """
    value, decimals = float(printed), len(printed.partition(".")[2])
    for text in QUOTED_NUMBER.findall(quote):
        quoted = re.sub("[,\u00b7]", ".", text)
        half_unit = 0.5 * 10.0**-decimals if len(quoted.partition(".")[2]) > decimals else 0.0
        candidates = [(float(quoted), half_unit)]
        if "." in quoted and float(quoted) > 0:
            candidates.append((1 / float(quoted), 0.5 * 10.0**-decimals))
        if any(abs(candidate - value) <= tolerance + ROUNDING for candidate, tolerance in candidates):
            return True
    return False


def check_quotations(rows: Sequence[Row]) -> Iterator[Fault]:
    """W155: the quotation of a hazard ratio contains it."""
    for row in rows:
        hr = number(row, "hr")
        if hr is not None and hr > 0 and row.get("quote") and not quotes_number(row["quote"], row["hr"]):
            fix = "quote the words that contain the hazard ratio, or correct one of the two numbers"
            yield fault("W155", row, "quote", f"the quotation does not contain the hazard ratio {row['hr']}", fix)
