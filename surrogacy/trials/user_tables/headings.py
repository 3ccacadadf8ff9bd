"""Headings of a user's table: quantity, endpoint, arm, limit and confidence level.

A heading is accepted only if all of its words are understood and the words fit together; ``HR OS AFP low`` is not a
limit of OS.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from surrogacy.results.suggestions import did_you_mean
from surrogacy.trials.cells import DASHES, parse_level, squash, without_accents
from surrogacy.trials.user_tables.heading_words import (
    ARM_WORDS,
    BOUND_WORDS,
    COLUMN_WORDS,
    COMPOUND_WORDS,
    EFFECT_COLUMNS,
    ENDPOINT_QUANTITIES,
    ENDPOINT_WORDS,
    FILLERS,
    INTERVAL_WORDS,
    LETTERS,
    MEANINGS,
    ONLY_ALONE,
    PPS_WORDS,
    QUANTITY_WORDS,
    SHARED_QUANTITIES,
    TRIAL_COLUMNS,
)
from surrogacy.trials.user_tables.program_headings import program_words

COUNTED = {"n", "events", "median"}
COUNT_FILLERS = {"months", "month", "mo", "arm"}
# other characters must not be ignored: log\u2081\u2080, HR\u207b\u00b9, SE\u00b2
FOREIGN = re.compile(r"[^a-z0-9\s_.,;:()\[\]{}%/'\"#|-]")
NEGATED = re.compile(r"(?:^|[\s(])-\s*(?:log|ln|hr|hazard)")
NAME_AND_YEAR = re.compile(r"(?:study|trial|first author|author)\s*[(,]\s*(?:publication )?year\s*\)?")
REFERENCE_NUMBER = re.compile(r"[(\[]\s*ref(?:s|erences?)?\.?\s*[)\]]")
# the direction of every hazard ratio, and the order of two numbers in a cell
ARMS_IN_ORDER = re.compile(
    r"[(\[,;]?\s*\b(?:exp|experimental|treatment|intervention|active)(?:\.| arm| group)?\s*"
    r"(?:/|:|vs?\.?|versus|over)\s*(?:ctl|ctrl|control|comparator|placebo)\b(?:\.| arm| group)?\s*[)\]]?"
)
LONGEST_HEADING = 120  # characters; longer ones are sentences
# largest number of words of each kind in a heading
MOST_WORDS = {
    "bound": 1,
    "arm": 1,
    "column": 1,
    "letter": 2,
    "quantity": 2,
    "log": 2,
    "percent": 2,
    "endpoint": 3,
    "interval": 3,
    "filler": 9,
}
MOST_STEPS = 10_000  # the longest heading of the documentation needs fewer than 100
# parts that a heading of each quantity may have; the default is for columns of text
EFFECT_PARTS = {"column", "endpoint"}
PARTS = {
    "n": {"quantity", "arm"},
    "events": {"quantity", "arm", "endpoint"},
    "median": {"quantity", "arm", "endpoint", "bound", "interval", "level"},
    "rho_within": {"quantity", "endpoint"},
    "p_sides": {"quantity", "endpoint"},
    "ci_level": {"quantity", "endpoint", "interval", "percent"},
    "alpha": {"quantity", "endpoint"},
    "se_hr": {"quantity", "endpoint"},
    "variance_hr": {"quantity", "endpoint"},
    "se": {"quantity", "endpoint", "log"},
    "variance": {"quantity", "endpoint", "log"},
    "p": {"quantity", "endpoint", "sides"},
    "estimate": {"quantity", "endpoint"},
    **{name: {"quantity", "endpoint", "log", "interval", "level"} for name in ("hr", "log_hr")},
    **{
        name: {"quantity", "endpoint", "log", "bound", "interval", "level"}
        for name in ("ci_low", "ci_high", "log_ci_low", "log_ci_high")
    },
    "interval": {"endpoint", "interval", "level"},
}


@dataclass(frozen=True)
class Heading:
    """Meaning of a heading.

    Parameters
    ----------
    quantity : str
        ``hr``, ``log_hr``, ``ci_low``, ``n_exp``, ``median``, ``trial``, a column of trials.csv or effects.csv ...
    endpoint : str
        Endpoint that the heading names; ``surrogate`` and ``final`` are roles. Empty = none is named.
    arm : {"", "exp", "ctl"}
    bound : {"", "low", "high"}
        Limit of a median.
    level : float or None
        Confidence level that the heading states.
    sides : {0, 1, 2}
        Sides of the p-value that the heading states; 0 = not stated.
    """

    quantity: str
    endpoint: str = ""
    arm: str = ""
    bound: str = ""
    level: float | None = None
    sides: int = 0

    def describe(self) -> str:
        """Return the meaning as text, for the listing of ``--check``."""
        words = [MEANINGS.get(self.quantity, self.quantity.replace("_", " "))]
        if self.bound:
            words.append(f"({'lower' if self.bound == 'low' else 'upper'} limit)")
        if self.endpoint:
            words.append(
                f"of {self.endpoint}"
                if self.endpoint not in ("surrogate", "final")
                else f"of the {self.endpoint} endpoint"
            )
        if self.arm and self.quantity == "median":
            words.append(f"in the {'experimental' if self.arm == 'exp' else 'control'} arm")
        if self.level is not None:
            words.append(f"{'at' if self.bound or 'ci_' in self.quantity else 'with limits at'} {self.level * 100:g}%")
        if self.sides:
            words.append("one-sided" if self.sides == 1 else "two-sided")
        return " ".join(words)


@dataclass(frozen=True)
class _Word:
    kind: str
    value: str = ""


def interpret_heading(text: str) -> Heading | None:
    """Return the meaning of a heading; None if a word is not understood or the words do not fit together.

    Parameters
    ----------
    text : str
        Heading as written: ``HR_PFS``, ``Hazard Ratio (OS)``, ``95% CI Lower Bound(OS)``, ``pfs_hr_lci``, ``n.e`` ...

    Examples
    --------
    >>> interpret_heading("PFS HR (95% CI)")
    Heading(quantity='hr', endpoint='PFS', arm='', bound='', level=0.95, sides=0)
    >>> interpret_heading("HR OS AFP low") is None
    True
    """
    plain = DASHES.sub("-", without_accents(text.lower())).replace("\u00a0", " ").strip(" *\u2020\u2021\u00a7\u00b6")
    if REFERENCE_NUMBER.search(plain):
        heading = interpret_heading(REFERENCE_NUMBER.sub(" ", plain))
        return heading if heading is not None and heading.quantity == "trial" else None
    plain = ARMS_IN_ORDER.sub(" ", program_words(plain)).strip()
    if len(text) > LONGEST_HEADING or FOREIGN.search(plain) or NEGATED.search(plain):
        return None
    if NAME_AND_YEAR.fullmatch(plain):
        return Heading("trial")
    name = squash(plain) if "%" not in plain else ""
    canonical = {squash(column): column for column in (*TRIAL_COLUMNS, *EFFECT_COLUMNS) if column not in ("hr", "p")}
    column = {squash(word): column for column, words in COLUMN_WORDS.items() for word in words}.get(name)
    if column or name in canonical:
        return Heading(column or canonical[name])
    if plain in ("ki", "ic"):
        return None  # Karnofsky index, immune cells
    level, rest = _split_level(plain)
    sides, rest = _split_sides(rest)
    rest = re.sub(r"\bhrs\b", "hr", rest)
    tokens = re.findall(r"[a-z0-9]+|%", re.sub(r"(?<!\d)\.|\.(?!\d)|_", " ", rest))
    for words in _readings(tuple(tokens), iter(range(MOST_STEPS))):
        heading = _combine(words, level, sides)
        if heading is not None:
            return heading
    return None


def suggest(text: str, candidates: Iterable[str]) -> str:
    """Return the most similar heading, as ``did you mean 'ci_low_os'?``; empty if none is similar."""
    return did_you_mean(text, candidates, cutoff=0.75, most=1)


def canonical_headings() -> Iterator[str]:
    """Yield the headings of the documentation, for suggestions."""
    for quantity in ("hr", "log_hr", "se", "ci_low", "ci_high", "ci_level", "p", "p_sides", "events_exp", "events_ctl"):
        yield quantity
        yield from (f"{quantity}_{endpoint}" for endpoint in ("pfs", "os", "ttp", "surrogate", "final"))
    yield from ("trial", "comparison", "endpoint", "surrogate", "final", "n", "n_exp", "n_ctl", "rho_within")
    yield from (f"median_{endpoint}_{arm}" for endpoint in ("pfs", "os", "pps") for arm in ("ctl", "exp"))
    yield from TRIAL_COLUMNS


def _split_level(text: str) -> tuple[float | None, str]:
    """Split a confidence level from a heading: ``95% CI``, ``ci95``, ``97.5 ci``, ``lower95``."""
    patterns = (
        r"(\d\d(?:[.,]\d+)?\s*%)",
        r"(?<=ci)[ _]?(\d\d(?:\.\d+)?)(?![\d.])",
        r"\b(?:ki|ic)[ _]?([89]\d(?:\.\d+)?)(?![\d.])",
        r"(?<![\d.a-z])(\d\d(?:\.\d+)?)[ _]?(?=(?:[ck]i|ic)(?:[^a-z]|$))",
        r"(?:low|lower|up|upper|high|limit|bound|ll|ul|lcl|ucl|lci|uci|lb|ub|\b[lu])[ _]?"
        r"((?:80|90|95|98|99)(?:\.\d+)?)(?![\d.])",
    )
    for pattern in patterns:
        match = re.search(pattern, text)
        if match and (level := parse_level(match[1])) is not None and 0.5 <= level < 1:
            return level, f"{text[: match.start(1)]} {text[match.end(1) :]}"
    return None, text


def _split_sides(text: str) -> tuple[int, str]:
    match = re.search(r"\b(one|two|1|2)[\s_-]*(?:sided|tailed)\b", text)
    if match is None:
        return 0, text
    return (1 if match[1] in ("one", "1") else 2), f"{text[: match.start()]} {text[match.end() :]}"


@cache
def _vocabulary() -> Mapping[str, tuple[tuple[_Word, ...], ...]]:
    """Return the possible meanings of every word or phrase, squashed."""
    entries: dict[str, list[tuple[_Word, ...]]] = {}

    def enter(phrase: str, *words: _Word) -> None:
        entries.setdefault(squash(phrase) or phrase, []).append(words)

    tables = (("endpoint", ENDPOINT_WORDS), ("quantity", QUANTITY_WORDS), ("bound", BOUND_WORDS), ("arm", ARM_WORDS))
    for kind, table in tables:
        for value, phrases in table.items():
            for phrase in phrases:
                enter(phrase, _Word(kind, value))
    for phrase in PPS_WORDS:
        enter(phrase, _Word("endpoint", "PPS"))
    for phrase in INTERVAL_WORDS:
        enter(phrase, _Word("interval"))
    for phrase in ("log", "ln", "logarithm", "natural log"):
        enter(phrase, _Word("log"))
    for phrase in FILLERS:
        enter(phrase, _Word("filler", phrase))
    enter("%", _Word("percent"))
    for letter in LETTERS:
        enter(letter, _Word("letter", letter))
    for phrase, parts in COMPOUND_WORDS.items():
        enter(phrase, *(_Word(kind, value) for kind, value in parts))
    for name in EFFECT_COLUMNS - ENDPOINT_QUANTITIES - SHARED_QUANTITIES - {"endpoint", "comparison"}:
        enter(name, _Word("column", name))
    return {phrase: tuple(meanings) for phrase, meanings in entries.items()}


def _readings(
    tokens: tuple[str, ...], steps: Iterator[int], before: tuple[_Word, ...] = ()
) -> Iterator[tuple[_Word, ...]]:
    """Yield every way to read the tokens as words of the vocabulary, phrases of several tokens first.

    The number of readings can grow exponentially (``l l l l``). A reading with more words of a kind than
    `MOST_WORDS` is dropped, and the search ends when ``steps`` is exhausted.
    """
    kinds = Counter(word.kind for word in before)
    if next(steps, None) is None or any(count > MOST_WORDS[kind] for kind, count in kinds.items()):
        return
    if not tokens:
        yield before
        return
    for width in range(min(5, len(tokens)), 0, -1):
        for meaning in _vocabulary().get("".join(tokens[:width]), ()):
            yield from _readings(tokens[width:], steps, (*before, *meaning))
    for head, tail in _split_token(tokens[0]):
        yield from _readings((tail, *tokens[1:]), steps, (*before, *head))


def _split_token(token: str) -> Iterator[tuple[tuple[_Word, ...], str]]:
    """Yield each word at the start of a token, and the rest of the token: ``loghr``, ``cilow``, ``nexp``."""
    for end in range(len(token) - 2, 0, -1):
        head = token[:end]
        if head in ONLY_ALONE or (len(head) == 1 and head != "n") or token[end:] in ONLY_ALONE:
            continue
        for meaning in _vocabulary().get(head, ()):
            yield meaning, token[end:]


def _combine(words: tuple[_Word, ...], level: float | None, sides: int) -> Heading | None:
    """Combine the words to a heading; None if they do not fit together."""
    values: dict[str, list[str]] = {}
    for word in words:
        values.setdefault(word.kind, []).append(word.value)
    quantities = values.get("quantity", [])
    counted = bool(COUNTED & set(quantities))
    for letter in values.pop("letter", ()):
        arm, role = LETTERS[letter]
        values.setdefault("arm" if counted else "endpoint", []).append(arm if counted else role)
    fillers = set(values.pop("filler", ()))
    endpoints = list(dict.fromkeys(values.get("endpoint", [])))  # "overall survival (OS)" names one endpoint
    repeated = any(len(values.get(kind, ())) > 1 for kind in ("arm", "bound", "column")) or len(quantities) > len(
        set(quantities)
    )
    if repeated or "" in (*values.get("arm", ()), *endpoints) or (fillers & COUNT_FILLERS and not counted):
        return None
    arm, bound, column = ("".join(values.get(kind, ())) for kind in ("arm", "bound", "column"))
    present = set(values) | ({"level"} if level is not None else set()) | ({"sides"} if sides else set())
    quantity = column or _quantity(
        frozenset(quantities), bound, log="log" in present, interval="interval" in present, percent="percent" in present
    )
    fits = quantity and present <= PARTS.get(quantity, EFFECT_PARTS)
    if not fits or len(endpoints) not in ((0, 2) if quantity == "rho_within" else (0, 1)):
        return None
    if level is not None and not present & {"interval", "bound"}:
        return None  # a percentage of another kind, such as maturity
    endpoint = endpoints[0] if endpoints and quantity != "rho_within" else ""
    if quantity == "median":
        of_pps = endpoint == "PPS" and present & {"bound", "interval"}
        return Heading("median", endpoint, arm, bound) if arm and level in (None, 0.95) and not of_pps else None
    if endpoint == "PPS" or (quantity == "events" and not arm):
        return None
    return Heading(f"{quantity}_{arm}" if arm else quantity, endpoint, level=level, sides=sides)


def _quantity(quantities: frozenset[str], bound: str, *, log: bool, interval: bool, percent: bool) -> str:
    """Return the quantity of a heading, such as ``log_ci_low`` of ``log hr lower``; empty if there is none."""
    if len(quantities) == 1 and "hr" not in quantities:
        return {"level": "ci_level"}.get(*quantities, *quantities)
    if len(quantities) == 2 and "hr" in quantities and quantities - {"hr"} <= {"se", "variance", "p"}:
        (quantity,) = quantities - {"hr"}
        return quantity if log or quantity == "p" else f"{quantity}_hr"
    if quantities <= {"hr"} and bound:
        return f"log_ci_{bound}" if log else f"ci_{bound}"
    if quantities == {"hr"}:
        return "log_hr" if log else "hr"
    if percent and interval and not quantities:
        return "ci_level"
    return "interval" if interval and not quantities and not log else ""
