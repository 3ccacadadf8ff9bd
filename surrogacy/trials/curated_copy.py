"""Copy of the trial tables with further rows, checked as a whole before it replaces anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from textwrap import fill

from surrogacy.errors import DataError, Fault, SurrogacyError, UsageError
from surrogacy.output.new_files import write_files
from surrogacy.output.replacement import staging
from surrogacy.trials.cells import squash
from surrogacy.trials.codebook import documents
from surrogacy.trials.columns import EFFECTS, TABLES, TRIALS
from surrogacy.trials.curated_tables import changed_files, read_curated_rows, refuse_pipe, shipped_tables
from surrogacy.trials.curation import Curation, check_cells, check_names, check_proof, check_quotation
from surrogacy.trials.files import read_bytes
from surrogacy.trials.reading import read_trials
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.trial_set import TrialSet
from surrogacy.trials.user_tables.trial_facts import differ, repeated_comparison

BIBLIOGRAPHY, CHANGES = "sources.bib", "CHANGELOG.md"
BIB_KEY = re.compile(r"^\s*@\w+\{\s*([^,\s]+)\s*,", re.MULTILINE)
BIB_FIELDS = ("author", "title", "journal", "year", "doi", "pmid")
BIB_SPECIAL = re.compile(r"(?<!\\)([&%#_$])")  # characters that BibTeX reads as commands
NEW_CHANGES = "# Changes to the trial tables\n"
COLUMNS_OF_TEXT = 120


@dataclass(frozen=True)
class CuratedCopy:
    """Copy that was written.

    Parameters
    ----------
    folder : Path
    comparisons : tuple of str
        Comparisons with new rows.
    effects : int
        Number of new hazard ratios.
    sets : tuple of str
        Analysis sets that include at least one of the comparisons.
    fitted : tuple of str
        Comparisons with both effects in one of these sets.
    faults : tuple of Fault
        Warnings and remarks on the new rows.
    """

    folder: Path
    comparisons: tuple[str, ...]
    effects: int
    sets: tuple[str, ...]
    fitted: tuple[str, ...]
    faults: tuple[Fault, ...]


def bibliography_keys(folder: Path) -> frozenset[str]:
    """Return the keys of the bibliography of a folder; none if it has no bibliography."""
    return frozenset(BIB_KEY.findall(_text(folder / BIBLIOGRAPHY)))


def check_target(out: Path, source: Path) -> None:
    """Refuse the folder of the shipped tables, and a folder with other content than the tables to be extended.

    Raises
    ------
    UsageError
    """
    target, shipped = out.resolve(), shipped_tables().resolve()
    if target == shipped or shipped in target.parents:
        raise UsageError(f"--out {out}: the shipped tables are not changed; give another folder")
    if out.is_dir() and target != source.resolve() and any(out.iterdir()):
        raise UsageError(
            f"--out {out}: the folder exists and is not empty; to add to its tables give --trials {out} too, or give "
            "another folder"
        )


def write_copy(source: Path, out: Path, curation: Curation) -> CuratedCopy:
    """Write a copy of the tables with further rows; nothing is written if a row has an error.

    The copy has an entry in CHANGELOG.md and in sources.bib, and its own checksums. Sets that list their hazard ratios
    are unchanged; sets with a rule include the new rows that fulfil it.

    Parameters
    ----------
    source : Path
        Folder of the tables.
    out : Path
        Folder of the copy: a new one, or ``source``.
    curation : Curation

    Raises
    ------
    DataError
        With the errors of the new rows, at the place where the curator gave them.
    UsageError
        If the folder cannot be used; see `check_target`.
    """
    check_target(out, source)
    known = known_comparisons(source)
    faults = [*changed_files(source), *curation.faults, *_check(curation, known, bibliography_keys(source))]
    unknown = [fault for fault in faults if fault.code == "E004"]
    if unknown:  # a cell without a column cannot be written
        raise DataError(unknown)
    comparisons = tuple(dict.fromkeys(row["comparison"] for row in curation.effects))
    contents = _files(source)
    tables = {
        "trials": [row for row in curation.trials if row["comparison"] not in known],
        "effects": curation.effects,
        "arms": curation.arms,
    }
    origins: dict[tuple[str, int], Row] = {}
    for name, rows in tables.items():
        text, lines = _extended(_text(source / f"{name}.csv"), rows)
        contents[f"{name}.csv"] = text.encode()
        origins |= {(f"{name}.csv", line): row for line, row in lines.items()}
    contents[BIBLIOGRAPHY] = _bibliography(_text(source / BIBLIOGRAPHY), curation.references).encode()
    with staging(out) as stage:
        write_files(stage, contents)
        version = out.resolve().name
        write_files(stage, {name: text.encode() for name, text in documents(stage, version).items()})
        trials, of_rows = _read_back(stage, source, origins, faults)
        sets, fitted = _sets(trials, comparisons)
        changes = _changes(_text(source / CHANGES), curation, sets)
        write_files(stage, {CHANGES: changes.encode()})
    return CuratedCopy(out, comparisons, len(curation.effects), sets, fitted, (*faults, *of_rows))


def _check(curation: Curation, known: Mapping[str, Row], keys: frozenset[str]) -> Iterator[Fault]:
    """Apply the rules that only new rows must follow."""
    for row in curation.trials:
        yield from check_names("trial", row)
        yield from check_comparison(row, known)
    for row in curation.effects:
        yield from check_names("effect", row)
        yield from check_proof(row)
        yield from check_quotation(row)
    for row in curation.arms:
        yield from check_names("arm", row)
    for row in curation.references:
        yield from check_names("source", row)
        yield from check_cells("source", row) if row.get("key") not in keys else ()
    keys |= {row.get("key", "") for row in curation.references}
    for row in curation.effects:
        for name in ("source", "read_in"):
            if row.get(name) and row[name] not in keys:
                rule = f"{BIBLIOGRAPHY} has no entry with this key"
                yield fault("E006", row, name, rule, "correct the key, or give the publication")


def known_comparisons(folder: Path) -> dict[str, Row]:
    """Return the rows of trials.csv of a folder by comparison."""
    return {row["comparison"]: row for row in read_curated_rows(folder, "trials", TRIALS)}


def preferred_effects(folder: Path) -> frozenset[tuple[str, str]]:
    """Return comparison and endpoint of the preferred rows of effects.csv of a folder."""
    rows = read_curated_rows(folder, "effects", EFFECTS)
    return frozenset((row["comparison"], row["endpoint"]) for row in rows if row.get("preferred") == "true")


def check_comparison(row: Row, known: Mapping[str, Row]) -> Iterator[Fault]:
    """E109: the comparison is not in the tables under a similar name; W109: its facts agree with those there.

    Parameters
    ----------
    row : Row
        New row of trials.csv.
    known : mapping of str to Row
        As `known_comparisons` returns it.
    """
    old = known.get(row["comparison"])
    if old is None:
        alike = {squash(member[name]): member for member in known.values() for name in ("comparison", "label")}
        similar = alike.get(squash(row["comparison"])) or alike.get(squash(row["label"]))
        if similar is not None:
            name = similar["comparison"]
            fix = f"use comparison = {name} to add hazard ratios to it, or give another name"
            yield repeated_comparison(row, name, fix)
        return
    for column in TRIALS:
        described = column.name in ("comparison", "label", "source", "notes")
        if not described and row.get(column.name) and differ(old, row, column.name):
            rule = f"the table has {old.get(column.name) or 'no value'} for this comparison, which is kept"
            yield fault("W109", row, column.name, rule, "edit the table if the new value is right")


def _files(folder: Path) -> dict[str, bytes]:
    """Return the content of the tables, sets, bibliography, changes and licence of a folder."""
    names = [*(f"{name}.csv" for name in TABLES), BIBLIOGRAPHY, CHANGES, "LICENSE"]
    paths = [*(folder / name for name in names), *sorted((folder / "sets").glob("*.csv"))]
    for path in paths:
        refuse_pipe(path)
    return {path.relative_to(folder).as_posix(): read_bytes(path, str(path)) for path in paths if path.is_file()}


def _text(path: Path) -> str:
    """Return the text of a file, empty if there is none."""
    return read_bytes(path, str(path)).decode("utf-8-sig") if path.is_file() else ""


def _extended(text: str, rows: Sequence[Row]) -> tuple[str, dict[int, Row]]:
    """Return a CSV text with further rows, and the line of each; a cell without a column adds the column."""
    text = re.sub(r"\Asep=.\r?\n", "", text)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    end = "\r\n" if "\r\n" in text else "\n"
    header, *old = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip().lower() for name in header]
    further = [name for name in dict.fromkeys(name for row in rows for name in row if row[name]) if name not in names]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end)
    writer.writerow([*header, *further])
    writer.writerows([*row, *([""] * len(further))] for row in old if row)
    lines = {}
    for row in rows:
        lines[buffer.getvalue().count("\n") + 1] = row
        writer.writerow([row.get(name, "") for name in (*names, *further)])
    return buffer.getvalue(), lines


def _bibliography(text: str, references: Sequence[Row]) -> str:
    """Return a bibliography with an entry for each publication that it does not have."""
    known = set(BIB_KEY.findall(text))
    entries = [text] if not text or text.endswith("\n") else [f"{text}\n"]
    for row in references:
        if row["key"] in known:
            continue
        known.add(row["key"])
        kind = "article" if row.get("journal") else "misc"
        fields = {name: row[name] for name in BIB_FIELDS if row.get(name)}
        plain = {name: value if name == "doi" else BIB_SPECIAL.sub(r"\\\1", value) for name, value in fields.items()}
        lines = "".join(f"  {name} = {{{' '.join(value.split())}}},\n" for name, value in plain.items())
        entries.append(f"\n@{kind}{{{row['key']},\n{lines}  annote = {{added {date.today().isoformat()}}},\n}}\n")
    return "".join(entries)


def _read_back(
    stage: Path, source: Path, origins: Mapping[tuple[str, int], Row], earlier: Sequence[Fault]
) -> tuple[TrialSet, list[Fault]]:
    """Read the staged tables with the checks of every run; return them and the faults of the new rows.

    Raises
    ------
    DataError
        If the tables have errors.
    """
    trials = None
    try:
        trials = read_trials(stage)
        faults = [*trials.faults, *(fault for fault in trials.check_sets() if fault.severity == "error")]
    except DataError as error:
        faults = list(error.faults)
    shown = "data/trials" if source == shipped_tables() else str(source)

    place = re.compile(rf"{re.escape(str(stage))}/([\w./-]+?\.csv)(?::(\d+))?")

    def placed_text(match: re.Match[str]) -> str:
        origin = origins.get((match[1], int(match[2] or 0)))
        return match[0].replace(str(stage), shown) if origin is None else origin.place()

    def placed(fault: Fault) -> Fault:
        origin = origins.get((Path(fault.file).name, fault.line))
        rule, fix = (place.sub(placed_text, text) for text in (fault.rule, fault.fix))
        if origin is None:
            return replace(fault, file=fault.file.replace(str(stage), shown), rule=rule, fix=fix)
        column = origin.heading(fault.column)
        return replace(fault, file=origin.file, line=origin.line, column=column, rule=rule, fix=fix)

    of_new = [fault for fault in faults if (Path(fault.file).name, fault.line) in origins or fault.severity == "error"]
    all_faults = [placed(fault) for fault in of_new]
    if trials is None or any(fault.severity == "error" for fault in (*earlier, *all_faults)):
        raise DataError([fault for fault in (*earlier, *all_faults) if fault.severity == "error"])
    return trials, all_faults


def _sets(trials: TrialSet, comparisons: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the analysis sets that include one of the comparisons, and the comparisons with both effects in them."""
    names: list[str] = []
    fitted: set[str] = set()
    for name in trials.sets:
        with suppress(SurrogacyError):  # a set without any pair
            members = trials.analysis_set_with_flow(name)
            without_final = {entry.comparison for entry in members.surrogate_only}
            if not without_final.isdisjoint(comparisons) or not set(comparisons).isdisjoint(members.effects.comparison):
                names.append(name)
            fitted.update(members.effects.comparison)
    return tuple(names), tuple(name for name in comparisons if name in fitted)


def _changes(text: str, curation: Curation, sets: Sequence[str]) -> str:
    """Return CHANGELOG.md with an entry for the new rows before the earlier entries."""
    lines = []
    labels = {row["comparison"]: row["label"] for row in curation.trials}
    for comparison in dict.fromkeys(row["comparison"] for row in curation.effects):
        numbers = [
            f"{row['endpoint']} {row['hr']}"
            + (f" ({row['ci_low']}-{row['ci_high']})" if row.get("ci_low") and row.get("ci_high") else "")
            + f", {row['evidence']}"
            + (f", {row['source']}" if row.get("source") else "")
            for row in curation.effects
            if row["comparison"] == comparison
        ]
        words = f"- Added {labels.get(comparison, comparison)} ({comparison}): {'; '.join(numbers)}."
        lines.append(fill(words, COLUMNS_OF_TEXT, subsequent_indent="  ", break_on_hyphens=False))
    joined = f"- Sets that include them: {', '.join(sets)}." if sets else "- No set includes them."
    lines.append(fill(joined, COLUMNS_OF_TEXT, subsequent_indent="  ", break_on_hyphens=False))
    entry = f"\n## {date.today().isoformat()}, added rows\n\n" + "\n".join(lines) + "\n"
    head, mark, rest = (text or NEW_CHANGES).partition("\n## ")
    return f"{head.rstrip()}\n{entry}" + (f"\n## {rest}" if mark else "")
