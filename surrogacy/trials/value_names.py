"""Other names of the allowed values of a column: ``BCLC B`` is the intermediate stage, ``1L`` is first line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from surrogacy.results.suggestions import did_you_mean
from surrogacy.trials.cells import squash
from surrogacy.trials.columns import Column, is_valid, words


def _names(entries: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each other name, squashed."""
    return {squash(name): value for value, names in entries.items() for name in words(names, ", ")}


STAGES = _names(
    {
        "intermediate": "b, bclc b, bclc stage b, bclcb, stage b, intermediate stage, intermediate hcc, "
        "intermediate (bclc b), bclc b (intermediate), bclc-b hcc",
        "advanced": "c, bclc c, bclc stage c, bclcc, stage c, advanced stage, advanced hcc, advanced (bclc c), "
        "bclc c (advanced), bclc-c hcc",
        "mixed": "b/c, b and c, b or c, bclc b/c, bclc b and c, bclc b or c, stage b and c, stage b or c, stage b/c, "
        "intermediate and advanced, intermediate or advanced, intermediate/advanced, both",
    }
)
LINES = _names(
    {
        "first": "1l, 1, 1st, 1st line, l1, first line, first-line systemic, frontline, front line, line 1",
        "second": "2l, 2, 2nd, 2nd line, l2, second line, second-line systemic, line 2",
        "tace-combination": "tace combination, with tace, tace plus systemic, tace + systemic",
    }
)
PHASES = _names({"2": "ii, iia, iib, 2a, 2b, phase ii, phase 2", "3": "iii, phase iii, phase 3", "2/3": "ii/iii, 2-3"})
OTHER_NAMES = {"stage": STAGES, "line": LINES}
# names that have no single meaning, for suggestions
SIMILAR_NAMES: Mapping[str, Mapping[str, str]] = {
    "phase": PHASES,
    "class": _names(
        {
            "tace-combination": "tace, tace + systemic, tace plus tki, tace + tki, tace + ici, tace + immunotherapy, "
            "tace + sorafenib, tace + lenvatinib, chemoembolisation, chemoembolization",
            "antiangiogenic-tki": "tki, sorafenib, lenvatinib, multikinase inhibitor, kinase inhibitor, antiangiogenic",
            "antiangiogenic-mab": "bevacizumab, ramucirumab, vegf antibody, anti-vegf",
            "ici": "immunotherapy, io, pd-1, pd-l1, checkpoint inhibitor, anti-pd-1, nivolumab, pembrolizumab",
            "ici+antiangiogenic": "ici + vegf, io + vegf, atezolizumab bevacizumab, ici + tki, io + tki, "
            "immunotherapy + antiangiogenic",
            "ici+ici": "io + io, dual immunotherapy, durvalumab tremelimumab, nivolumab ipilimumab",
            "chemo": "chemotherapy, folfox, doxorubicin",
            "haic": "hepatic arterial infusion chemotherapy, folfox-haic",
            "sirt": "radioembolisation, radioembolization, tare, y90, y-90",
        }
    ),
}


def allowed_value(column: Column, text: str) -> str:
    """Return the allowed value that a text means; empty if there is none or several.

    Parameters
    ----------
    column : Column
    text : str
        Cell as written.

    Examples
    --------
    >>> from surrogacy.trials.columns import TRIALS
    >>> stage = next(column for column in TRIALS if column.name == "stage")
    >>> allowed_value(stage, "BCLC-C"), allowed_value(stage, "early")
    ('advanced', '')
    """
    values = (*column.allowed, *(("true", "false") if column.kind == "boolean" else ()))
    spellings = {squash(value): value for value in values}
    if text.lower() in values or is_valid(column, text):
        return text.lower() if text.lower() in values else text
    return spellings.get(squash(text), "") or OTHER_NAMES.get(column.name, {}).get(squash(text), "")


def remedy_of_value(column: Column, text: str) -> str:
    """Return the remedy of a value that is not allowed, with the most similar allowed ones."""
    hint = did_you_mean(text, dict(_spellings(column)))
    allowed = f"use one of {', '.join(column.allowed)}"
    return f"{hint} Otherwise {allowed}" if hint else allowed


def _spellings(column: Column) -> Iterator[tuple[str, str]]:
    """Yield spellings and other names of the allowed values, for suggestions."""
    yield from ((value, value) for value in column.allowed)
    for names in (OTHER_NAMES, SIMILAR_NAMES):
        yield from names.get(column.name, {}).items()


def is_same_spelling(first: str, second: str) -> bool:
    """Return whether two names differ only in capitals, blanks and punctuation."""
    return re.sub(r"[\W_]", "", first.lower()) == re.sub(r"[\W_]", "", second.lower())
