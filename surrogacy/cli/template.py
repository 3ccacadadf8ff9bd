"""Command line: ``surrogacy template FILE``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from surrogacy.cli.options import new_command, path_of
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import result_stream
from surrogacy.cli.terminal import run_command
from surrogacy.errors import ExitCode, UsageError

EXAMPLES = {
    "my_trials.xlsx": "workbook with drop-down lists; a second sheet explains each column",
    "my_trials.csv": "the same as CSV; a second file explains each column",
    "report.yml": "form for your answers to the checklists, for fit --answers",
}


def parser(program: str = "surrogacy template") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "FILE [OPTION ...]",
        "Writes a table to fill in with your trials: headings, two examples, and an explanation of each column. With "
        "a name that ends with .yml it writes a form for the checklists of reporting guidelines.",
        EXAMPLES,
        "0 success, 1 the file cannot be written, 2 wrong arguments or an existing file.",
        uses_sets=False,
    )
    group = command.add_argument_group("Output")
    group.add_argument(
        "file", metavar="FILE", help="new file: .xlsx or .csv for a table of trials, .yml for a form for the checklists"
    )
    group.add_argument("--quiet", action="store_true", help="print nothing")
    add_information(group)
    return command


def main(arguments: Sequence[str] | None = None, program: str = "surrogacy template") -> int:
    """Run the command line, and return the exit code."""
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    return make_template(options.file, quiet=options.quiet)


def make_template(name: str, *, quiet: bool) -> ExitCode:
    """Write a template, and print the commands that read it.

    Raises
    ------
    UsageError
        If the name is not that of a new XLSX or CSV file.
    """
    from surrogacy.trials.user_tables.template_files import write_template

    path = path_of(name)
    if path is None:
        raise UsageError("the template has no name; give one such as my_trials.xlsx")
    if path.suffix.lower() in (".yml", ".yaml"):
        return _make_form(path, quiet=quiet)
    files = write_template(path)
    if not quiet:
        with result_stream():
            print("\n".join(_instructions(files)))
    return ExitCode.OK


def _make_form(path: Path, *, quiet: bool) -> ExitCode:
    """Write a form for the answers of an author."""
    from surrogacy.output.new_files import write_new_files
    from surrogacy.report.paper.author_answers import answers_template

    write_new_files(path.parent, {path.name: answers_template()})
    if not quiet:
        with result_stream():
            print(f"{path} is written; write your answers below the questions. Then:\n  surrogacy fit --answers {path}")
    return ExitCode.OK


def _instructions(files: Sequence[Path]) -> list[str]:
    table, *explanation = files
    where = f"{explanation[0]} explains its columns" if explanation else "the sheet columns explains its columns"
    return [
        f"{table} is written; {where}.",
        "Write one row per comparison below the two examples, which are not read. Then:",
        f"  surrogacy fit --check --add {table}    check the table",
        f"  surrogacy fit --add {table}            fit the curated trials and yours",
        f"  surrogacy fit --pairs {table}          fit your trials alone",
    ]
