"""Endpoints with the method of their assessment, such as ``PFS (BICR)``, ``rPFS`` or ``OS (ITT)``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from surrogacy.errors import Fault
from surrogacy.trials.columns import words
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.heading_words import KNOWN_ENDPOINTS

# words that state how an endpoint was assessed or reported, and do not change which endpoint it is
ASSESSMENT_WORDS = frozenset(
    words(
        "bicr birc irc icr iro central centrally independent blinded review reviewed committee investigator "
        "investigators inv local locally assessed assessment evaluated based on by per according to recist mrecist "
        "modified 1.0 1.1 v1.1 hcc radiographic radiological radiologic itt primary secondary key coprimary endpoint "
        "final analysis updated interim months month mo median stratified unstratified m r"
    )
)


def base_endpoint(text: str) -> str:
    """Return the known endpoint of a name with its assessment; empty if another word is present.

    Examples
    --------
    >>> base_endpoint("PFS (BICR)"), base_endpoint("rPFS"), base_endpoint("Overall survival, months")
    ('PFS', 'PFS', 'OS')
    >>> base_endpoint("PFS in HBV")
    ''
    """
    plain = re.sub(r"\b([rm])(?=(?:pfs|os|ttp)\b)", r"\1 ", text.lower())
    tokens = re.findall(r"[a-z0-9]+(?:\.[0-9]+)*", re.sub(r"^\s*\d\s*[.)]\s+", "", plain))
    for width in range(len(tokens), 0, -1):
        for start in range(len(tokens) - width + 1):
            endpoint = KNOWN_ENDPOINTS.get("".join(tokens[start : start + width]))
            if endpoint and ASSESSMENT_WORDS.issuperset(tokens[:start] + tokens[start + width :]):
                return endpoint
    return ""


def resolve_variants(effects: Sequence[Row], endpoints: Sequence[str] | None) -> Iterator[Fault]:
    """I143: an endpoint with its assessment is read as the endpoint; W147: several rows of a comparison are possible.

    Parameters
    ----------
    effects : sequence of Row
        Rows of effects.csv; ``endpoint`` is changed.
    endpoints : sequence of str or None
        Endpoints that are resolved; None = all.
    """
    known = set(KNOWN_ENDPOINTS.values())
    variants = {
        name: base for name in {row.get("endpoint", "") for row in effects} - known if (base := base_endpoint(name))
    }
    rows = Counter((row["comparison"], variants.get(row["endpoint"], row["endpoint"])) for row in effects)
    shown: set[tuple[str, bool]] = set()
    for row in effects:
        name = row.get("endpoint", "")
        if name not in variants:
            continue
        base = variants[name]
        single = rows[row["comparison"], base] == 1
        resolved = single and (endpoints is None or base in endpoints)
        if (name, single) not in shown:
            shown.add((name, single))
            if resolved:
                rule = f"this is read as {base}"
                yield fault("I143", row, "endpoint", rule, "give it another name if it is another endpoint")
            elif not single:
                rule = f"the comparison has several rows of {base}, and at most one is fitted"
                fix = f"keep one of them, and name it {base}"
                yield fault("W147", row, "endpoint", rule, fix)
        if resolved:
            row.cells["endpoint"] = base
