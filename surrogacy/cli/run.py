"""A run of a command: read the tables, compute, print or write the results, and return the exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from surrogacy.analysis.stages import Execute, StagedRun, Task, advance, in_order, shared_with
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import figure_workers, show, warn_of_data, with_progress
from surrogacy.errors import ExitCode, UsageError
from surrogacy.output.earlier_run import read_record
from surrogacy.output.page_style import page_style, preset
from surrogacy.report.figures import FigureOptions, check_figure_names
from surrogacy.report.folder import Command, write_run
from surrogacy.report.page.page import REPORT

MATERIAL = ("tables.docx", "methods.docx", "references.md", "figures/", "draws/", "bundle.zip")
NUMBERS = ("results.json", "tables/", "figures/", "draws/", "bundle.zip", "run.json")


def complete[R: StagedRun](
    command: Command[R], run: R, options: Namespace, arguments: Sequence[str], *, strict: bool = False
) -> ExitCode:
    """Compute a run; print its document (``--json``), or write its folder and print the screen.

    Parameters
    ----------
    command : Command
    run : FitRun or PpsRun
        With its settings alone.
    options : Namespace
        Options that every command has (`surrogacy.cli.output_options.add_output`).
    arguments : sequence of str
        Of the command line, for the record.
    strict : bool
        Whether a warning leads to exit code 5.

    Raises
    ------
    UsageError
        If the width of the figures is not possible, a figure that was asked for is not known, or the folder holds the
        results of the other command.
    """
    if not options.json:
        _check_command(options.out, command.name)
    page = page_style(options.preset, options.width)
    check_figure_names(options.figures)
    formats = tuple(dict.fromkeys(options.format or preset(options.preset).formats))
    with with_progress(in_order, quiet=options.quiet) as execute:
        *_, run = advance(run, command.table_stages, execute)
    warn_of_data(run.trials, quiet=options.quiet)
    if options.json:
        with with_progress(in_order, quiet=options.quiet) as execute:
            *_, run = advance(run, command.stages, execute)
        _warn(run, quiet=options.quiet)
        with result_stream():
            print(command.document(run, command.sections(run)), end="")
        return run.exit_code(strict=strict)

    with figure_workers(options.out) as workers:
        figures = FigureOptions(workers, workers.figures, formats, page, tuple(options.figures))
        with closing(_advanced(command, run, shared_with(workers), quiet=options.quiet)) as runs:
            written = write_run(
                command,
                runs,
                options.out,
                figures,
                arguments=arguments,
                strict=strict,
                quick=options.quick,
                bundle=options.bundle,
                wait=partial(_with_progress_in_order, quiet=options.quiet),
            )
    for problem in written.undrawn:
        warn(str(problem))
    _warn(written.run, quiet=options.quiet)
    if not options.quiet:
        show(written.sections, files_line(Path(options.out)), details=options.details)
    return written.run.exit_code(strict=strict, undrawn=bool(written.undrawn))


def files_line(out: Path) -> str:
    """Return what to open first and the material for a paper, or the files of a run without a report or a paper.

    Parameters
    ----------
    out : Path
        Folder of the run.
    """

    def written(*names: str) -> str:
        return ", ".join(name for name in names if (out / name).exists())

    report = out / REPORT
    if not report.exists():
        return f"{out}/: {written(*NUMBERS)}"
    if not (out / MATERIAL[0]).exists():
        return f"open {report}; also {written(*NUMBERS)}"
    return f"open {report}; for a paper: {written(*MATERIAL)}"


def _check_command(out: str, command: str) -> None:
    """Refuse the folder of another command, whose results would be removed.

    Raises
    ------
    UsageError
    """
    earlier = read_record(Path(out)).get("command", command)
    if earlier != command:
        raise UsageError(
            f"--out {out}: this folder holds the results of {earlier}, which would be replaced; give another folder"
        )


def _advanced[R: StagedRun](command: Command[R], run: R, executor: Execute, *, quiet: bool) -> Generator[R]:
    """Compute the stages of a run; the display of the progress ends with the last of them."""
    with with_progress(executor, quiet=quiet) as execute:
        yield from advance(run, command.stages, execute)


def _with_progress_in_order(tasks: Sequence[Task], *, quiet: bool) -> Iterator[Any]:
    """Compute tasks in this process, with a display of the progress of its own."""
    with with_progress(in_order, quiet=quiet) as execute:
        yield from execute(tasks)


def _warn(run: StagedRun, *, quiet: bool) -> None:
    for notice in () if quiet else run.notices:
        warn(notice)
