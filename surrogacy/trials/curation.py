"""Rows that a curator adds to the trial tables: their default cells, and the rules that only such rows must follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from surrogacy.errors import Fault
from surrogacy.results.suggestions import did_you_mean
from surrogacy.trials.cells import parse_interval
from surrogacy.trials.columns import ARMS, EFFECTS, OPTIONAL_EFFECTS, TRIALS, VERIFIED, Column
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.rules import effect_rules
from surrogacy.trials.rules.quotation_rules import check_quotations

REFERENCE = (
    Column("key", "BibTeX key of the publication, such as kudo-2020-tactics", required=True),
    Column("author", "Authors, as in BibTeX: Kudo, Masatoshi and Ueshima, Kazuomi and others"),
    Column("title", "Title of the publication", required=True),
    Column("journal", "Journal, or congress and abstract number"),
    Column("year", "Year of publication", kind="integer"),
    Column("doi", "DOI, without the address of the resolver"),
    Column("pmid", "PubMed number", kind="integer"),
)
"""Columns of a publication, of which the bibliography has one entry each."""
COLUMNS = {"trial": TRIALS, "effect": (*EFFECTS, *OPTIONAL_EFFECTS), "arm": ARMS, "source": REFERENCE}
"""Columns of each kind of record that a curator gives."""
PROOF = ("source", "where", "quote")  # columns that show where a number was read
KEY = r"\w[\w:.+-]*"
DOI = r"10\.[0-9]{4,9}/\S+"
RESOLVER = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)


@dataclass(frozen=True)
class Curation:
    """Rows to be added to the trial tables.

    Parameters
    ----------
    trials, effects, arms : tuple of Row
        Rows of trials.csv, effects.csv and arms.csv; ``file`` and ``line`` are where the curator gave them.
    references : tuple of Row
        Entries of the bibliography, with the columns of `REFERENCE`.
    faults : tuple of Fault
        Warnings of the preparation.
    """

    trials: tuple[Row, ...]
    effects: tuple[Row, ...]
    arms: tuple[Row, ...] = ()
    references: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()


def identifier(text: str) -> str:
    """Return a name in the form of the identifiers of the tables.

    Examples
    --------
    >>> identifier("My trial 2 (Asia)")
    'my-trial-2-asia'
    """
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def complete_trial(trial: Row, key: str) -> Row:
    """Return a row of trials.csv with the identifiers that follow from its label, and the publication."""
    comparison = trial.get("comparison") or identifier(trial.get("label", ""))
    defaults = {"comparison": comparison, "trial": comparison, "label": comparison, "source": key}
    return _with_defaults(trial, defaults)


def complete_effect(effect: Row, comparison: str, reference: Row) -> Row:
    """Return a row of effects.csv with the cells that follow from the others.

    Parameters
    ----------
    effect : Row
        A cell ``hr`` may include the limits: ``0.59 (0.41-0.87)``.
    comparison : str
    reference : Row
        Publication of the number, which is assumed to be the source that was read.
    """
    row = with_limits(effect)
    analysis = row.get("analysis") or "primary"
    read = row.get("evidence") in VERIFIED
    has_limits = row.get("ci_low") and row.get("ci_high")
    row = _with_defaults(
        row,
        {
            "comparison": comparison,
            "effect_id": ":".join((comparison, row.get("endpoint", "").lower(), identifier(analysis))),
            "population": "all",
            "analysis": analysis,
            "preferred": "true",
            "preferred_reason": "only row" if row.get("preferred", "true") == "true" else "",
            "ci_level": "0.95" if has_limits else "",
            "p_sides": "2" if row.get("p") else "",
            "adjusted": "NR",
            "source": reference.get("key", ""),
            "doi": reference.get("doi", ""),
            "pmid": reference.get("pmid", ""),
            "extraction": f"added {date.today().isoformat()}",
        },
    )
    return _with_defaults(row, {"read_in": row.get("source", "") if read else ""})


def complete_arm(arm: Row, comparison: str) -> Row:
    """Return a row of arms.csv with the cells that follow from the others."""
    defaults = {"comparison": comparison, "preferred": "true", "extraction": f"added {date.today().isoformat()}"}
    return _with_defaults(arm, defaults)


def complete_reference(reference: Row) -> Row:
    """Return a publication with its DOI without the address of the resolver."""
    return reference.with_cells(doi=RESOLVER.sub("", reference.get("doi", "")))


def _with_defaults(row: Row, defaults: Mapping[str, str]) -> Row:
    return row.with_cells(**{name: row.get(name, "") or text for name, text in defaults.items()})


def with_limits(row: Row) -> Row:
    """Return a row whose cell ``hr`` includes the limits, ``0.59 (0.41-0.87)``, with a cell for each number."""
    interval = parse_interval(row.get("hr", ""))
    if interval is None or not interval.estimate or row.get("ci_low") or row.get("ci_high"):
        return row
    cells = {"hr": interval.estimate, "ci_low": interval.low, "ci_high": interval.high}
    return row.with_cells(**cells, **({"ci_level": interval.level} if interval.level else {}))


def check_names(kind: str, row: Row) -> Iterator[Fault]:
    """E004: the columns exist.

    Parameters
    ----------
    kind : str
        Key of `COLUMNS`.
    row : Row
    """
    names = [column.name for column in COLUMNS[kind]]
    for name in row:
        if name not in names:
            fix = did_you_mean(name, names) or f"use one of {', '.join(names)}"
            yield fault("E004", row, name, "there is no column of this name", fix)


def check_cells(kind: str, row: Row, *, partial: bool = False) -> list[Fault]:
    """Check the cells of a record against its columns: required cells, numbers, allowed values, key and DOI.

    Parameters
    ----------
    kind : str
        Key of `COLUMNS`.
    row : Row
    partial : bool
        Whether cells that the row does not have are not required.
    """
    from surrogacy.trials.schema import check_schema

    columns = [column for column in COLUMNS[kind] if column.name in row or not partial]
    faults = check_schema(kind, columns, [row])
    if row.get("doi") and not re.fullmatch(DOI, row["doi"]):
        faults.append(fault("E008", row, "doi", "this is not a DOI", "write it as 10.1136/gutjnl-2019-318934"))
    if kind == "source" and row.get("key") and not re.fullmatch(KEY, row["key"]):
        fix = f"use letters, digits and hyphens, such as {identifier(row['key']) or 'kudo-2020'}"
        faults.append(fault("E008", row, "key", "this is not a BibTeX key", fix))
    for name, text in row.items() if kind == "source" else ():
        if text.count("{") != text.count("}"):
            faults.append(fault("E008", row, name, "the braces are not balanced", "close each brace, or remove both"))
    return faults


def check_effect(row: Row) -> list[Fault]:
    """Check a complete row of effects.csv: its cells, its numbers and its proof."""
    faults = check_cells("effect", row)
    if any(fault.severity == "error" for fault in faults):
        return faults
    return [*effect_rules.check_effects([row]), *check_proof(row), *check_quotation(row)]


def check_proof(row: Row) -> Iterator[Fault]:
    """E007: a verified number has a source, the place in it and a quotation."""
    if row.get("evidence") not in VERIFIED:
        return
    descriptions = {column.name: column.description for column in EFFECTS}
    for name in PROOF:
        if not row.get(name):
            rule = f"{name} is required for a number with {row['evidence']} evidence"
            fix = f"give it ({_first_part(descriptions[name])}), or state evidence = unverified"
            yield fault("E007", row, name, rule, fix)


def _first_part(description: str) -> str:
    """Return the description of a column without its remarks."""
    return re.split(r"[;(]", description)[0].strip()


def check_quotation(row: Row) -> Iterator[Fault]:
    """W155: the quotation contains the hazard ratio; an error in a new row, a warning in the tables."""
    yield from (replace(fault, severity="error") for fault in check_quotations([row]))


def curate_import(trials: Sequence[Row], effects: Sequence[Row], arms: Sequence[Row]) -> Curation:
    """Return the rows of a user's table as rows of the curated tables.

    Parameters
    ----------
    trials, effects, arms : sequence of Row
        As `surrogacy.trials.user_tables.adding_rows.added_rows` returns them.

    Returns
    -------
    Curation
        Names become identifiers. A row without source, place and quotation has unverified evidence (W152). A
        publication of which only the key is known has an entry that says so.
    """
    names = {row["comparison"]: identifier(row.get("label") or row["comparison"]) for row in trials}
    of_trial = {
        row["comparison"]: _known_cells(row, TRIALS).with_cells(
            comparison=names[row["comparison"]],
            trial=identifier(row["trial"]),
            label=row.get("label") or row["comparison"],
        )
        for row in trials
    }
    faults: list[Fault] = []
    curated: list[Row] = []
    references: dict[str, Row] = {}
    for row in effects:
        reference = Row(row.file, row.line, {"key": row.get("source", ""), "doi": row.get("doi", "")})
        evidence = row.get("evidence", "") or "secondary"
        missing = [name for name in PROOF if not row.get(name)]
        if missing and evidence != "unverified":
            rule = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not given: the evidence is unverified"
            faults.append(fault("W152", row, "evidence", rule, "give source, where and quote, or edit the new tables"))
            evidence = "unverified"
        analysis = "" if row.get("analysis") == "added" else row.get("analysis", "")
        named = _known_cells(row, COLUMNS["effect"]).with_cells(
            comparison=names[row["comparison"]], evidence=evidence, analysis=analysis, effect_id=""
        )
        curated.append(complete_effect(named, names[row["comparison"]], reference))
        if reference["key"]:
            references.setdefault(reference["key"], complete_reference(_unread(reference)))
    unverified = {row["comparison"] for row in curated if row["evidence"] == "unverified"}
    medians = []
    for row in arms:
        name = names[row["comparison"]]
        evidence = "unverified" if name in unverified else row.get("evidence") or "secondary"
        medians.append(complete_arm(_known_cells(row, ARMS).with_cells(comparison=name, evidence=evidence), name))
    sources = {row["comparison"]: row.get("source", "") for row in reversed(curated)}
    facts = [complete_trial(row, sources.get(row["comparison"], "")) for row in of_trial.values()]
    return Curation(tuple(facts), tuple(curated), tuple(medians), tuple(references.values()), tuple(faults))


def _unread(reference: Row) -> Row:
    return reference.with_cells(title="[Title not read]")


def _known_cells(row: Row, columns: Sequence[Column]) -> Row:
    """Return the row with the cells that the curated table has."""
    return replace(row, cells={column.name: row.get(column.name, "") for column in columns})
