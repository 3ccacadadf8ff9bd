"""Turn a user's table into rows of trials.csv, effects.csv and arms.csv, whatever its layout and column names.

Long: one row a trial and endpoint. Wide: one row a comparison, ``hr_surrogate ... hr_final ...``.
Medians of each arm: see `median_columns`. Names used by metafor, meta, RevMan and common spreadsheets are understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from surrogacy.errors import DataError, Fault
from surrogacy.trials.columns import ENDPOINTS, TRIALS
from surrogacy.trials.median_columns import MedianColumn, arm_rows, median_column
from surrogacy.trials.reading import Row, Table, fault, split_interval

# canonical quantity of an effect -> accepted tokens
QUANTITIES = {
    "hr": ("hr", "hazardratio"),
    "log_hr": ("loghr", "lnhr", "yi", "te", "loghazardratio"),
    "se": ("se", "sei", "sete", "stderr"),
    "variance": ("vi", "variance"),
    "ci_low": ("cilow", "low", "lower", "ll", "lcl", "cilb", "lo"),
    "ci_high": ("cihigh", "high", "upper", "ul", "ucl", "hl", "ciub", "up"),
    "ci_level": ("cilevel", "level"),
    "p": ("p", "pvalue", "pval"),
    "p_sides": ("psides",),
    "events_exp": ("eventsexp", "eventse", "ai"),
    "events_ctl": ("eventsctl", "eventsc", "ci"),
    "criteria": ("criteria",),
    "review": ("review",),
    "evidence": ("evidence",),
    "data_cut": ("datacut",),
}
SIDES = {
    "surrogate": ("surrogate", "s", "surr"),
    "final": ("final", "t", "true"),
    **{endpoint: (re.sub(r"[^a-z]", "", endpoint.lower()),) for endpoint in ("OS", "PFS", "TTP", "TACE-PFS", "TTUP")},
}
SIMPLE = {
    "trial": ("trial", "study", "studlab", "slab", "author", "trialid", "studyid", "acronym"),
    "comparison": ("comparison", "comparisonid"),
    "n_exp": ("nexp", "ne", "n1i", "n1", "nexperimental"),
    "n_ctl": ("nctl", "nc", "n2i", "n2", "ncontrol"),
    "endpoint": ("endpoint", "outcome", "type"),
    "surrogate": ("surrogate",),
    "final": ("final",),
    "rho_within": ("rhowithin", "rho", "within"),
    "control_group": ("controlgroup",),
    "registry": ("registry", "nct"),
    "pps_definition": ("ppsdefinition",),
}
TRIAL_COLUMNS = {column.name for column in TRIALS}
EFFECT_COLUMNS = {
    *QUANTITIES, "endpoint", "population", "analysis", "preferred", "preferred_reason", "adjusted", "source", "doi", "pmid",
    "read_in", "where", "quote", "notes", "effect_id", "extraction", "rho_within",
}  # fmt: skip


def _squash(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _meaning(column: str) -> tuple[str, str] | None:
    """(quantity, side) of a column; side is empty for a column that is about the row."""
    squashed = _squash(column)
    for canonical, names in SIMPLE.items():
        if squashed in names:
            return canonical, ""
    if column in TRIAL_COLUMNS | EFFECT_COLUMNS:
        return column, ""
    tokens = [token for token in re.split(r"[^a-z0-9]+", column.lower()) if token]
    for side, names in SIDES.items():
        for name in names:
            for width in (1, 2):  # tace_pfs is one endpoint in two tokens
                for i in range(len(tokens) - width + 1):
                    if "".join(tokens[i : i + width]) != name:
                        continue
                    rest = tokens[:i] + tokens[i + width :]
                    quantity = _quantity("".join(rest)) or (_quantity(rest[-1]) if rest[:1] == ["hr"] else None)
                    if quantity:
                        return quantity, side
    quantity = _quantity(squashed)
    return None if quantity is None else (quantity, "")


def _quantity(squashed: str) -> str | None:
    return next((canonical for canonical, names in QUANTITIES.items() if squashed in names), None)


def to_rows(table: Table) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows for trials.csv, effects.csv and arms.csv from a long or wide table.

    Every row carries ``_file`` and ``_line``. Values are not judged here, only arranged.

    Returns
    -------
    trials, effects, arms : list of dict

    Raises
    ------
    DataError
        If the columns cannot be understood.
    """
    medians = {column: meaning for column in table.columns if (meaning := median_column(column))}
    meanings = {column: _meaning(column) for column in table.columns if column and column not in medians}
    sides = {meaning[1] for meaning in meanings.values() if meaning and meaning[1]}
    named = {meaning[0] for meaning in meanings.values() if meaning and not meaning[1]}
    long = not sides and "endpoint" in named
    faults = [
        fault(
            "E004", table.file, 1, "this column is not known", "rename or remove it; see data/trials/CODEBOOK.md", column=column
        )
        for column, meaning in meanings.items()
        if meaning is None
    ]
    faults += _median_faults(table, medians, long=long)
    if "trial" not in named and "comparison" not in named:
        faults.append(fault("E005", table.file, 1, "no column names the trial", "add a column trial"))
    final = "final" if "final" in sides else "OS" if "OS" in sides else None
    surrogates = sorted(sides - {"final", "OS"})
    if not long and (final is None or len(surrogates) != 1):
        rule = "the columns are neither long (trial, endpoint, hr, ...) nor wide (hr_surrogate, ..., hr_final, ...)"
        if len(surrogates) > 1:
            rule = f"several surrogates stand side by side: {', '.join(surrogates)}"
        faults.append(
            fault("E005", table.file, 1, rule, "use trial, hr_surrogate, ci_low_surrogate, ci_high_surrogate, hr_final, ...")
        )
    if faults:
        raise DataError(faults)
    trials: list[Row] = []
    effects: list[Row] = []
    for row, line in zip(table.rows, table.lines, strict=True):
        cells = [(meaning, row[column]) for column, meaning in meanings.items() if meaning]
        place = {"_file": table.file, "_line": str(line)}
        own = {quantity: value for (quantity, side), value in cells if not side and value}
        own.setdefault("comparison", own.get("trial", ""))
        own.setdefault("trial", own["comparison"])
        about_trial = {name: value for name, value in own.items() if name in TRIAL_COLUMNS and name != "notes"}
        trials.append({**about_trial, **place})
        shared = {name: value for name, value in own.items() if name in EFFECT_COLUMNS or name == "comparison"}
        if long:
            effects.append({**_complete(shared), **place})
            continue
        for side in (surrogates[0], final):
            values = {quantity: value for (quantity, s), value in cells if s == side and value}
            named_side = {"surrogate": own.get("surrogate", "PFS"), "final": own.get("final", "OS")}.get(str(side), str(side))
            effects.append({**shared, **_complete(values), "endpoint": named_side, **place})
    return trials, effects, arm_rows(table, medians, trials, effects)


def _median_faults(table: Table, medians: Mapping[str, MedianColumn], *, long: bool) -> Iterator[Fault]:
    """E002, E004: columns of medians that say one thing twice, or do not say of which endpoint they are."""
    seen: dict[MedianColumn, str] = {}
    for column, meaning in medians.items():
        first = seen.setdefault(meaning, column)
        if first != column:
            yield fault("E002", table.file, 1, f"this says the same as {first}", "keep one of them", column=column)
        elif meaning.needs_long and not long:
            limit = f"_{meaning.limit}" if meaning.limit else ""
            fix = f"name it median_pfs_{meaning.arm}{limit} or median_os_{meaning.arm}{limit}"
            yield fault("E004", table.file, 1, "this does not say which endpoint the median is of", fix, column=column)


def _complete(values: Row) -> Row:
    """Split ``HR (low-high)`` cells, and bring log hazard ratios and variances to HR and SE."""
    values = dict(values)
    split = split_interval(values.get("hr", ""))
    if split is not None:
        values["hr"], values["ci_low"], values["ci_high"] = split
    for name in ("log_hr", "variance"):
        text = values.pop(name, "")
        if not text:
            continue
        try:
            number = float(text)
            made = math.exp(number) if name == "log_hr" else math.sqrt(number)
        except (ValueError, OverflowError):
            values["hr" if name == "log_hr" else "se"] = text  # left for the checks, which name the cell
        else:
            values.setdefault("hr" if name == "log_hr" else "se", f"{made:.10g}")
    endpoint = values.get("endpoint", "")
    known = {_squash(name): name for name in ENDPOINTS}
    if endpoint:
        values["endpoint"] = known.get(_squash(endpoint), endpoint)
    return values
