"""Command line: ``surrogacy add``, which curates trials into a copy of the trial tables."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.cli.options import new_command, path_of
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import counted, result_stream, warn
from surrogacy.cli.terminal import run_command
from surrogacy.errors import DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.trials.curated_copy import CuratedCopy
    from surrogacy.trials.curation import Curation
    from surrogacy.trials.rows import Row

DEFAULT_OUT = "my-trials"
EXAMPLES = {
    "": "asks for one trial, and writes my-trials/",
    "--import my_trials.csv": "every trial of a table, wide or long",
    '--comparison label="Trial X" stage=intermediate \\\n      --source key=lee-2026 title="Trial X" \\\n      '
    '--effect endpoint=PFS hr="0.59 (0.41-0.87)" evidence=unverified': "one trial without questions",
}


def parser(program: str = "surrogacy add") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "[OPTION ...]",
        "Adds trials to a copy of the trial tables, with source, place, quotation and evidence of each number. On a "
        "terminal it asks; with options or a table it does not. The copy has an entry in its changelog and "
        "bibliography, and new checksums. Sets with a rule include the trials; sets that list hazard ratios are "
        "unchanged. Columns are those of CODEBOOK.md.",
        EXAMPLES,
        "0 success, 1 unexpected error, 2 wrong arguments, 3 errors in the data (nothing is written).",
        uses_sets=False,
    )
    group = command.add_argument_group("Tables")
    add = group.add_argument
    add("--trials", metavar="DIR", help="tables to be copied (default: the shipped tables)")
    add(
        "--out",
        default=DEFAULT_OUT,
        metavar="DIR",
        help=f"folder of the copy, new or the same as --trials (default {DEFAULT_OUT}/)",
    )
    group = command.add_argument_group("Trials")
    add = group.add_argument
    add("--import", dest="table", metavar="FILE", help="CSV or XLSX with trials, long or wide, as for fit --add")
    for name, action, purpose in (
        ("--comparison", None, "columns of trials.csv: label, stage, line, class, experimental, n_exp ..."),
        ("--source", None, "publication: key, author, title, journal, year, doi, pmid"),
        ("--effect", "append", "columns of effects.csv: endpoint, hr, ci_low, ci_high, p, evidence, where, quote ..."),
        ("--arm", "append", "columns of arms.csv: arm (exp or ctl), median_os, median_pfs, evidence ..."),
    ):
        add(name, nargs="+", action=action or "store", metavar="COLUMN=VALUE", help=purpose)
    add_information(command.add_argument_group("Output"))
    return command


def main(arguments: Sequence[str] | None = None, program: str = "surrogacy add") -> int:
    """Run the command line, and return the exit code; see `surrogacy.cli.fit.main` for the parameters."""
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, _: Sequence[str]) -> ExitCode:
    from surrogacy.trials.curated_copy import check_target, write_copy
    from surrogacy.trials.curated_tables import shipped_tables

    source, out = path_of(options.trials) or shipped_tables(), Path(options.out)
    if not source.is_dir():
        raise UsageError(f"--trials {source}: the folder does not exist; give the folder that contains trials.csv")
    check_target(out, source)
    curation = _curation(options, source)
    try:
        copy = write_copy(source, out, curation)
    except DataError:
        if not (options.table or options.comparison):
            warn(f"The answers as options, to be corrected: {_command(curation, options)}")
        raise
    for fault in copy.faults:
        warn(str(fault))
    with result_stream():
        print(_summary(copy))
    return ExitCode.OK


def _curation(options: argparse.Namespace, source: Path) -> Curation:
    """Return the rows of the options, of the table or of the answers."""
    of_trial = [name for name in ("comparison", "source", "effect", "arm") if getattr(options, name)]
    if options.table and of_trial:
        raise UsageError(f"--import {options.table}: all trials come from this table; leave out --{of_trial[0]}")
    if options.table:
        return _imported(Path(options.table))
    if of_trial:
        for name in ("comparison", "effect"):
            if not getattr(options, name):
                raise UsageError(f"--{name} is missing; give its columns, or leave out --{of_trial[0]} to be asked")
        return _given(options)
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("there is no terminal for questions; give --comparison and --effect, or --import FILE")
    from rich.console import Console

    from surrogacy.cli.questions import ask_for_trial, known_rows

    return ask_for_trial(Console(highlight=False), known_rows(source))


def _imported(path: Path) -> Curation:
    from surrogacy.errors import data_warnings
    from surrogacy.trials.curation import curate_import
    from surrogacy.trials.user_tables.adding_rows import added_rows
    from surrogacy.trials.user_tables.layouts import DEFAULT_ROLES

    rows = added_rows(path, DEFAULT_ROLES)
    errors = [fault for fault in rows.faults if fault.severity == "error"]
    if errors:
        raise DataError(errors, rows.columns)
    for fault in data_warnings(rows.faults):
        warn(str(fault))
    return curate_import(rows.trials, rows.effects, rows.arms)


def _given(options: argparse.Namespace) -> Curation:
    from surrogacy.trials.curation import (
        Curation,
        complete_arm,
        complete_effect,
        complete_reference,
        complete_trial,
    )

    reference = complete_reference(_record("--source", options.source or []))
    trial = complete_trial(_record("--comparison", options.comparison), reference.get("key", ""))
    effects = [_record("--effect", cells) for cells in options.effect]
    arms = [_record("--arm", cells) for cells in options.arm or []]
    name = trial["comparison"]
    return Curation(
        (trial,),
        tuple(complete_effect(row, name, reference) for row in effects),
        tuple(complete_arm(row, name) for row in arms),
        (reference,) if options.source else (),
    )


def _record(option: str, cells: Sequence[str]) -> Row:
    """Return the cells of an option as a row; messages name the option and the endpoint or arm."""
    from surrogacy.trials.rows import Row

    values: dict[str, str] = {}
    for cell in cells:
        name, mark, value = (part.strip() for part in cell.partition("="))
        if not mark or not name:
            raise UsageError(f"{option} {cell}: write COLUMN=VALUE, such as hr=0.59")
        if name in values:
            raise UsageError(f"{option} {cell}: {name} is given twice ({values[name]!r} before)")
        values[name] = value
    return Row(f"{option} {values.get('endpoint') or values.get('arm') or ''}".strip(), 0, values)


def _command(curation: Curation, options: argparse.Namespace) -> str:
    """Return the command line that gives the same rows as options."""
    records = [("--comparison", row) for row in curation.trials]
    records += [("--source", row) for row in curation.references]
    records += [("--effect", row) for row in curation.effects]
    records += [("--arm", row) for row in curation.arms]
    words = ["surrogacy", "add", *(("--trials", options.trials) if options.trials else ()), "--out", options.out]
    for option, row in records:
        words += [option, *(f"{name}={text}" for name, text in row.items() if text)]
    return shlex.join(words)


def _summary(copy: CuratedCopy) -> str:
    """Return what was written, the sets that include it, and the command that fits it."""
    names = ", ".join(copy.comparisons)
    added = f"{counted(len(copy.comparisons), 'comparison')} and {counted(copy.effects, 'hazard ratio')} added"
    lines = [f"{copy.folder}/: {added} ({names})"]
    if copy.sets:
        name = next((name for name in copy.sets if name != "all"), "all")
        focus = ["--focus", copy.fitted[0]] if copy.fitted else []
        lines.append(f"Sets   {', '.join(copy.sets)}")
        lines.append(f"Next   {shlex.join(['surrogacy', 'fit', name, *focus, '--trials', str(copy.folder)])}")
    else:
        lines.append("Sets   none; a set needs evidence secondary or better, and a disease stage that it includes")
        lines.append(
            f"Next   {shlex.join(['surrogacy', 'fit', '--trials', str(copy.folder)])} --min-evidence unverified"
        )
    return "\n".join(lines)
