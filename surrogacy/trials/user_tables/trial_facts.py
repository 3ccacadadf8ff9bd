"""Facts that several rows of a user's table may state for one comparison: patients, stage, class ..."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from surrogacy.errors import Fault
from surrogacy.results.suggestions import did_you_mean
from surrogacy.trials.cell_forms import is_date
from surrogacy.trials.cells import number, squash
from surrogacy.trials.columns import TRIALS
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.heading_words import KNOWN_ENDPOINTS

FACTS = tuple(
    column.name for column in TRIALS if column.name not in ("comparison", "trial", "label", "notes", "source")
)
TRIAL_FACTS = ("stage", "registry")  # the same for all comparisons of a trial


# numbers of both arms, perhaps after their total: 338 (170/168)
BOTH_ARMS = re.compile(
    r"(?:(\d{2,9})\s*[(\[:;,]\s*)?(\d{2,9})\s*(?:/|:|\+|vs?\.?|versus)\s*(\d{2,9})\s*[)\]]?", re.IGNORECASE
)
# names of summary rows in forest plots, without brackets
POOLED = re.compile(
    r"(?:sub)?totals? ?(?:events)?|gesamt|insgesamt|pooled.*|meta-?analys[ei]s?\b.*|heterogeneity\b.*"
    r"|(?:overall|summary) ?(?:effects?|estimates?|results?)?|test for .*|all (?:trials|studies|comparisons)"
    r"|(?:(?:random|fixed|common)[ -]?effects?|[rfe]e ?(?=model)) ?(?:models?)?|prediction interval"
)


def is_pooled(name: str) -> bool:
    """Return whether a name is that of a pooled result, such as ``Overall (I2 = 23%)``."""
    plain = re.sub(r"[(\[{].*?[)\]}]", " ", name.lower()).replace("_", " ")
    return POOLED.fullmatch(" ".join(plain.strip(" .:*").split())) is not None


def merge_facts(rows: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
    """Return one row per comparison, with each fact from the first row that states it; W129: contradictions.

    Parameters
    ----------
    rows : sequence of Row
        Rows of trials.csv, one per line of the user's table.

    Returns
    -------
    rows : list of Row
    faults : list of Fault
    """
    merged: dict[str, Row] = {}
    faults: list[Fault] = []
    for row in rows:
        kept = merged.setdefault(
            row["comparison"], replace(row, cells=dict(row.cells), headings=dict(row.headings), lines={})
        )
        for name, text in row.items():
            if not text:
                continue
            if not kept.get(name):
                kept.cells[name] = text
                kept.lines[name] = row.line
                kept.headings.update({name: row.headings[name]} if name in row.headings else {})
            elif name in FACTS and differ(kept, row, name):
                faults.append(_contradiction(row, name, kept, "comparison"))
    return list(merged.values()), faults + list(_check_trials(list(merged.values())))


def _check_trials(rows: Sequence[Row]) -> Iterator[Fault]:
    """W129: comparisons of one trial state the same stage and registry number."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        for name in TRIAL_FACTS:
            if row.get(name):
                kept = first.setdefault((row["trial"], name), row)
                if differ(kept, row, name):
                    yield _contradiction(row, name, kept, "trial")


def split_pairs(rows: Sequence[Row]) -> Iterator[Fault]:
    """I143: the numbers of both arms in one cell, such as ``170 vs 168``, are those of the two arms."""
    shown = False
    for row in rows:
        match = BOTH_ARMS.fullmatch(row.get("n", "").strip())
        if match is None or row.get("n_exp") or row.get("n_ctl"):
            continue
        total, first, second = match.groups()
        if total and int(total) != int(first) + int(second):
            continue
        if not shown:  # the order is the same in all rows
            rule = f"this is read as {first} patients in the experimental arm and {second} in the control arm"
            yield fault("I143", row, "n", rule, "give n_exp and n_ctl if the order is another one")
            shown = True
        row.cells.pop("n")
        for name, text in (("n_exp", first), ("n_ctl", second)):
            row.write(name, text, row.heading("n"))


def fill_names(table: Table, name: str, endpoint: str) -> tuple[Table, list[Fault]]:
    """Repeat the name of a trial in the rows of its other endpoints, as a spreadsheet shows merged cells; I143."""
    rows: list[Row] = []
    remarks: list[Fault] = []
    for row in table.rows:
        if not row[name] and row[endpoint] and rows and rows[-1][name]:
            row = row.with_cells(**{name: rows[-1][name]})
            if not remarks:
                rule = "the cell is empty: the name of the row above is repeated, here and below"
                remarks.append(fault("I143", row, name, rule, "write the name in each row if this is wrong"))
        rows.append(row)
    return replace(table, rows=tuple(rows)), remarks


def similar_names(rows: Sequence[Row]) -> Iterator[Fault]:
    """E018: a row is not a pooled result; W140: names of trials and control arms have one spelling."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if is_pooled(row["trial"]):
            fix = "remove the row, or give the trial another name"
            yield fault("E018", row, "trial", "this seems to be a pooled result, not a trial", fix)
        for column, within in (("trial", ""), ("control_group", squash(row["trial"]))):
            if row.get(column) and squash(row[column]):
                kept = first.setdefault((f"{column}/{within}", squash(row[column])), row)
                if kept[column] != row[column]:
                    rule = (
                        f"differs from {kept[column]!r} ({kept.place()}) in spelling only, but counts as another name"
                    )
                    yield fault("W140", row, column, rule, "use one spelling if the names mean the same")


def repeated_comparison(row: Row, name: str, fix: str) -> Fault:
    """Return E109: the comparison of a row is in the tables under the similar name ``name``."""
    rule = f"this looks like {name}, which is already in the table and would count twice"
    return fault("E109", row, "comparison", rule, fix)


def misplaced_numbers(rows: Sequence[Row]) -> Iterator[Fault]:
    """W142: a column that names a treatment, a population or a control arm has no numbers."""
    for row in rows:
        for column in ("experimental", "control", "population", "control_group"):
            if number(row, column) is not None:
                fix = "name the column n_exp or n_ctl if it contains numbers of patients"
                yield fault("W142", row, column, f"a number is read as the name of the {column.replace('_', ' ')}", fix)


def names_as_dates(rows: Sequence[Row]) -> Iterator[Fault]:
    """W149: the name of a trial is not a date into which a spreadsheet has converted it."""
    for row in rows:
        if is_date(row["trial"]):
            rule = "this name is a date; a spreadsheet may have converted it, such as SEPT-1 or MARCH 2"
            yield fault("W149", row, "trial", rule, "give the cell the format Text, and type the name again")


def unknown_endpoints(effects: Sequence[Row]) -> Iterator[Fault]:
    """W147: an endpoint that is not known is not the misspelt name of a known one."""
    for name, row in {row["endpoint"]: row for row in reversed(effects) if row.get("endpoint")}.items():
        if name in ("surrogate", "final", *KNOWN_ENDPOINTS.values()):
            continue
        if hint := did_you_mean(name, KNOWN_ENDPOINTS, cutoff=0.65):
            rule = "this endpoint is not known, and is taken as an endpoint of its own"
            yield fault("W147", row, "endpoint", rule, f"{hint} If not, no change is needed")


def check_correlations(effects: Sequence[Row]) -> Iterator[Fault]:
    """W129: the rows of a comparison state the same within-trial correlation."""
    first: dict[str, Row] = {}
    for row in effects:
        if row.get("rho_within") and row.get("preferred") == "true":
            kept = first.setdefault(row["comparison"], row)
            if differ(kept, row, "rho_within"):
                yield _contradiction(row, "rho_within", kept, "comparison")


def differ(first: Mapping[str, str], second: Mapping[str, str], name: str) -> bool:
    """Return whether two rows state different values; ``100`` and ``100.0`` are the same."""
    values = number(first, name), number(second, name)
    return values[0] != values[1] if None not in values else first.get(name) != second.get(name)


def _contradiction(row: Row, name: str, kept: Row, of: str) -> Fault:
    where = kept.place(name)
    rule = f"another row of this {of} states {kept[name]} ({where}), which is used"
    fix = "correct one of the rows" + ("" if of == "trial" else ", or give them different comparison names")
    return fault("W129", row, name, rule, fix)
