"""Headings of a user's table: which quantity, of which endpoint, arm and limit, at which level.

A heading is accepted only if each of its words is understood and the words fit together; ``HR OS AFP low`` is not a limit of OS.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from surrogacy.trials.cells import parse_level, squash
from surrogacy.trials.columns import ARMS, EFFECTS, OPTIONAL_EFFECTS, TRIALS

ENDPOINT_WORDS = {
    "OS": ("os", "overall survival"),
    "PFS": ("pfs", "progression free survival"),
    "TACE-PFS": ("tace pfs", "tace specific pfs"),
    "TTP": ("ttp", "time to progression", "time to tumour progression", "time to tumor progression"),
    "TTUP": ("ttup", "time to untaceable progression"),
    "TTDP": ("ttdp", "time to disease progression"),
    "DFS": ("dfs", "disease free survival"),
    "RFS": ("rfs", "relapse free survival", "recurrence free survival"),
    "EFS": ("efs", "event free survival"),
    "FFS": ("ffs", "failure free survival"),
    "TTF": ("ttf", "time to treatment failure"),
    "DMFS": ("dmfs", "distant metastasis free survival"),
    "MFS": ("mfs", "metastasis free survival"),
    "LRFS": ("lrfs",),
    "CSS": ("css", "cancer specific survival"),
    "DSS": ("dss", "disease specific survival"),
    "PFS2": ("pfs2",),
    "ORR": ("orr", "objective response rate"),
    "DCR": ("dcr", "disease control rate"),
    "PCR": ("pcr", "pathological complete response"),
    "surrogate": ("surrogate", "surr", "surrogate endpoint", "surrogate outcome"),
    "final": ("final", "true", "final endpoint", "final outcome", "true endpoint"),
}
PPS_WORDS = ("pps", "post progression survival")
QUANTITY_WORDS = {
    "hr": ("hr", "hazard ratio", "hazard ratios"),
    "se": ("se", "sei", "sete", "std err", "stderr", "std error", "standard error"),
    "variance": ("vi", "var", "variance"),
    "p": ("p", "p value", "pval", "log rank p", "log rank p value"),
    "p_sides": ("p sides", "sides"),
    "events": ("events", "event", "number of events"),
    "n": ("n", "patients", "n patients", "number of patients", "sample size", "total n", "n total"),
    "level": ("level",),
    "rho_within": ("rho", "rho within", "within", "corr", "cor", "correlation", "within trial correlation"),
    "median": ("median", "med"),
}
BOUND_WORDS = {
    "low": ("low", "lower", "lo", "ll", "lcl", "lci", "lb", "lower limit", "lower bound", "low limit", "lower ci"),
    "high": ("high", "upper", "up", "hi", "ul", "hl", "ucl", "uci", "ub", "upper limit", "upper bound", "high limit"),
}
INTERVAL_WORDS = (
    "ci",
    "confidence interval",
    "conf interval",
    "confidence limits",
    "confidence limit",
    "confidence",
    "conf",
    "limit",
)
ARM_WORDS = {
    "exp": (
        "exp",
        "experimental",
        "treatment",
        "treated",
        "trt",
        "intervention",
        "active",
        "experimental arm",
        "treatment arm",
    ),
    "ctl": ("ctl", "control", "ctrl", "comparator", "placebo", "control arm"),
}
# letters that mean an arm beside a count or a median, a role beside an effect
LETTERS = {"e": ("exp", ""), "c": ("ctl", ""), "t": ("exp", "final"), "s": ("", "surrogate")}
# words of other programs that hold several of ours
COMPOUND_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "yi": (("quantity", "hr"), ("log", "")),
    "te": (("quantity", "hr"), ("log", "")),
    "n1i": (("quantity", "n"), ("arm", "exp")),
    "n2i": (("quantity", "n"), ("arm", "ctl")),
    "n1": (("quantity", "n"), ("arm", "exp")),
    "n2": (("quantity", "n"), ("arm", "ctl")),
    "ai": (("quantity", "events"), ("arm", "exp")),
    **{
        f"m{name}": (("quantity", "median"), ("endpoint", endpoint))
        for name, endpoint in (("os", "OS"), ("pfs", "PFS"), ("ttp", "TTP"), ("pps", "PPS"), ("dfs", "DFS"), ("rfs", "RFS"))
    },
}
COLUMN_WORDS = {
    "trial": ("trial", "study", "studlab", "slab", "author", "trial id", "study id", "acronym", "study label", "trial name",
              "study name", "trial label", "first author"),
    "comparison": ("comparison", "comparison id"),
    "endpoint": ("endpoint", "outcome", "type", "endpoint name"),
    "surrogate": ("surrogate", "surrogate endpoint", "surrogate outcome"),
    "final": ("final", "final endpoint", "final outcome", "true endpoint"),
    "registry": ("registry", "nct", "nct id", "nct number", "registration", "registry number", "registration number"),
    "pps_definition": ("pps definition",),
}  # fmt: skip
FILLERS = ("of", "for", "the", "in", "with", "and", "value", "arm", "months", "month", "mo", "estimate")
ONLY_ALONE = {
    "te",
    "yi",
    "vi",
    "ai",
    "in",
    "of",
    "up",
    "mo",
    "no",
    "med",
    "var",
    "cor",
    "limit",
    "true",
    "month",
    "within",
    "the",
    "arm",
}

# quantities that one value can state for both endpoints of a comparison
SHARED_QUANTITIES = {"n", "n_exp", "n_ctl", "rho_within", "ci_level", "p_sides"}
ENDPOINT_QUANTITIES = {"hr", "log_hr", "se", "variance", "p", "ci_low", "ci_high", "log_ci_low", "log_ci_high", "interval",
                       "events_exp", "events_ctl"}  # fmt: skip
TRIAL_COLUMNS = {column.name for column in TRIALS}
EFFECT_COLUMNS = {column.name for column in (*EFFECTS, *OPTIONAL_EFFECTS)}
ARM_COLUMNS = {column.name for column in ARMS}

MEANINGS = {
    "hr": "hazard ratio",
    "log_hr": "log hazard ratio",
    "se": "standard error of the log hazard ratio",
    "variance": "variance of the log hazard ratio",
    "p": "p-value",
    "ci_low": "lower confidence limit",
    "ci_high": "upper confidence limit",
    "log_ci_low": "lower confidence limit of the log hazard ratio",
    "log_ci_high": "upper confidence limit of the log hazard ratio",
    "interval": "confidence limits",
    "events_exp": "events in the experimental arm",
    "events_ctl": "events in the control arm",
    "n": "patients, both arms together",
    "n_exp": "patients in the experimental arm",
    "n_ctl": "patients in the control arm",
    "ci_level": "confidence level",
    "p_sides": "sides of the p-value",
    "rho_within": "within-trial correlation",
    "median": "median survival time",
    "trial": "trial",
    "comparison": "comparison",
    "endpoint": "endpoint of the row",
    "surrogate": "name of the surrogate endpoint",
    "final": "name of the final endpoint",
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
        """Return the meaning in words, for the listing of ``--check``."""
        words = [MEANINGS.get(self.quantity, self.quantity.replace("_", " "))]
        if self.bound:
            words.append(f"({'lower' if self.bound == 'low' else 'upper'} limit)")
        if self.endpoint:
            words.append(
                f"of {self.endpoint}" if self.endpoint not in ("surrogate", "final") else f"of the {self.endpoint} endpoint"
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
    """Return the meaning of a heading; None if a word of it is not understood or the words do not fit together.

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
    name = squash(text)
    canonical = {squash(column): column for column in (*TRIAL_COLUMNS, *EFFECT_COLUMNS) if column not in ("hr", "p")}
    column = {squash(word): column for column, words in COLUMN_WORDS.items() for word in words}.get(name)
    if column or name in canonical:
        return Heading(column or canonical[name])
    level, rest = _split_level(text.lower())
    sides, rest = _split_sides(rest)
    tokens = re.findall(r"[a-z0-9]+|%", re.sub(r"(?<!\d)\.|\.(?!\d)|_", " ", rest))
    for words in _readings(tuple(tokens)):
        heading = _combine(words, level, sides)
        if heading is not None:
            return heading
    return None


def suggest(text: str, candidates: Iterable[str]) -> str:
    """Return the name that was probably meant, as ``did you mean 'ci_low_os'?``; empty if none is close."""
    near = difflib.get_close_matches(text.lower(), list(candidates), n=1, cutoff=0.75)
    return f"did you mean {near[0]!r}?" if near else ""


def canonical_headings() -> Iterator[str]:
    """Yield headings in the form that the documentation uses, for suggestions."""
    for quantity in ("hr", "log_hr", "se", "ci_low", "ci_high", "ci_level", "p", "p_sides", "events_exp", "events_ctl"):
        yield quantity
        yield from (f"{quantity}_{endpoint}" for endpoint in ("pfs", "os", "ttp", "surrogate", "final"))
    yield from ("trial", "comparison", "endpoint", "surrogate", "final", "n", "n_exp", "n_ctl", "rho_within")
    yield from (f"median_{endpoint}_{arm}" for endpoint in ("pfs", "os", "pps") for arm in ("ctl", "exp"))
    yield from TRIAL_COLUMNS


def _split_level(text: str) -> tuple[float | None, str]:
    """Take a confidence level out of a heading: ``95% CI``, ``ci95``, ``97.5 ci``, ``lower95``."""
    patterns = (
        r"(\d\d(?:[.,]\d+)?\s*%)",
        r"(?<=ci)[ _]?(\d\d(?:\.\d+)?)(?![\d.])",
        r"(?<![\d.a-z])(\d\d(?:\.\d+)?)[ _]?(?=ci(?:[^a-z]|$))",
        r"(?<=[a-z])[ _]?((?:80|90|95|98|99)(?:\.\d+)?)(?![\d.])",
    )
    for pattern in patterns:
        match = re.search(pattern, text)
        if match and (level := parse_level(match[1])) is not None and 0.5 <= level < 1:
            return level, f"{text[: match.start()]} {text[match.end() :]}"
    return None, text


def _split_sides(text: str) -> tuple[int, str]:
    match = re.search(r"\b(one|two|1|2)[\s_-]*(?:sided|tailed)\b", text)
    if match is None:
        return 0, text
    return (1 if match[1] in ("one", "1") else 2), f"{text[: match.start()]} {text[match.end() :]}"


@cache
def _vocabulary() -> Mapping[str, tuple[tuple[_Word, ...], ...]]:
    """Return every word or phrase, squashed, with its possible meanings."""
    entries: dict[str, list[tuple[_Word, ...]]] = {}

    def enter(phrase: str, *words: _Word) -> None:
        entries.setdefault(squash(phrase), []).append(words)

    tables = (("endpoint", ENDPOINT_WORDS), ("quantity", QUANTITY_WORDS), ("bound", BOUND_WORDS), ("arm", ARM_WORDS))
    for kind, table in tables:
        for value, phrases in table.items():
            for phrase in phrases:
                enter(phrase, _Word(kind, value))
    for phrase in PPS_WORDS:
        enter(phrase, _Word("endpoint", "PPS"))
    for phrase in INTERVAL_WORDS:
        enter(phrase, _Word("interval"))
    for phrase in ("log", "ln", "logarithm"):
        enter(phrase, _Word("log"))
    for phrase in FILLERS:
        enter(phrase, _Word("filler", phrase))
    for letter in LETTERS:
        enter(letter, _Word("letter", letter))
    for phrase, parts in COMPOUND_WORDS.items():
        enter(phrase, *(_Word(kind, value) for kind, value in parts))
    for name in EFFECT_COLUMNS - ENDPOINT_QUANTITIES - SHARED_QUANTITIES - {"endpoint", "comparison"}:
        enter(name, _Word("column", name))
    return {phrase: tuple(meanings) for phrase, meanings in entries.items()}


def _readings(tokens: tuple[str, ...]) -> Iterator[tuple[_Word, ...]]:
    """Yield every way to read the tokens as words of the vocabulary, phrases of several tokens first."""
    if not tokens:
        yield ()
        return
    for width in range(min(5, len(tokens)), 0, -1):
        for meaning in _vocabulary().get("".join(tokens[:width]), ()):
            for rest in _readings(tokens[width:]):
                yield (*meaning, *rest)
    for head, tail in _split_token(tokens[0]):
        for rest in _readings((tail, *tokens[1:])):
            yield (*head, *rest)


def _split_token(token: str) -> Iterator[tuple[tuple[_Word, ...], str]]:
    """Yield a word that a token begins with, and its rest: ``loghr``, ``cilow``, ``nexp``."""
    for end in range(len(token) - 2, 0, -1):
        head = token[:end]
        if head in ONLY_ALONE or (len(head) == 1 and head not in ("n", "p")) or token[end:] in ONLY_ALONE:
            continue
        for meaning in _vocabulary().get(head, ()):
            yield meaning, token[end:]


def _combine(words: tuple[_Word, ...], level: float | None, sides: int) -> Heading | None:
    """Return the heading that the words make together; None if they do not fit."""
    values: dict[str, list[str]] = {}
    for word in words:
        values.setdefault(word.kind, []).append(word.value)
    quantities, endpoints, arms, bounds = ([*values.get(kind, ())] for kind in ("quantity", "endpoint", "arm", "bound"))
    log, interval = "log" in values, "interval" in values
    counted = bool({"n", "events", "median"} & set(quantities))
    for letter in values.get("letter", ()):
        arm, role = LETTERS[letter]
        (arms if counted else endpoints).append(arm if counted else role)
    if any(len(set(group)) > 1 or "" in group for group in (arms, bounds)) or "" in endpoints:
        return None
    if len(bounds) > 1 or len(arms) > 1 or len(quantities) != len(set(quantities)) or len(values.get("column", ())) > 1:
        return None
    arm, bound = "".join(arms[:1]), "".join(bounds[:1])
    if values.get("column"):
        plain = not (quantities or arms or bounds or log or interval or sides) and level is None and len(endpoints) <= 1
        return Heading(values["column"][0], "".join(endpoints)) if plain else None
    if set(quantities) == {"rho_within"}:
        plain = not (arms or bounds or log or interval or sides) and level is None and len(endpoints) in (0, 2)
        return Heading("rho_within") if plain else None
    if len(endpoints) > 1:
        return None
    endpoint = "".join(endpoints)
    if not set(values.get("filler", ())) <= (
        {"months", "month", "mo", "arm", "of", "for", "the", "in", "with", "and"}
        if counted
        else set(FILLERS) - {"months", "month", "mo", "arm"}
    ):
        return None
    return _quantity_heading(frozenset(quantities), endpoint, arm, bound, level, sides, log=log, interval=interval)


def _quantity_heading(
    quantities: frozenset[str],
    endpoint: str,
    arm: str,
    bound: str,
    level: float | None,
    sides: int,
    *,
    log: bool,
    interval: bool,
) -> Heading | None:
    """Return the heading of a number; None if the parts do not fit together."""
    if quantities == {"median"}:
        fits = arm and not log and not sides and level in (None, 0.95) and not (endpoint == "PPS" and (bound or interval))
        return Heading("median", endpoint, arm, bound) if fits else None
    if endpoint == "PPS":
        return None
    if quantities in ({"n"}, {"events"}):
        plain = not (bound or log or interval or sides) and level is None
        if quantities == {"events"}:
            return Heading(f"events_{arm}", endpoint) if plain and arm else None
        return Heading(f"n_{arm}" if arm else "n") if plain and not endpoint else None
    if arm:
        return None
    if quantities == {"level"}:
        return Heading("ci_level", endpoint) if not (bound or log or sides) and level is None else None
    if quantities == {"p_sides"}:
        return Heading("p_sides", endpoint) if not (bound or log or interval or sides) and level is None else None
    kind = quantities - {"hr"}
    if kind in ({"se"}, {"variance"}, {"p"}):
        (name,) = kind
        fits = (
            not bound
            and not interval
            and level is None
            and (not sides or name == "p")
            and (not log or name != "p" or not quantities - {"p"})
        )
        return Heading(name, endpoint, sides=sides) if fits else None
    if kind or sides:
        return None
    if bound:
        return Heading(f"log_ci_{bound}" if log else f"ci_{bound}", endpoint, level=level)
    if quantities == {"hr"}:
        return Heading("log_hr" if log else "hr", endpoint, level=level)
    if interval and not log:
        return Heading("interval", endpoint, level=level)
    return None
