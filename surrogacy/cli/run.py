"""A run of a command: read the tables, compute, print or write the results, and return the exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from surrogacy.analysis.stages import StagedRun, advance, in_order, shared_with
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import figure_workers, show, warn_of_data, with_progress
from surrogacy.errors import ExitCode
from surrogacy.report.figures import FigureOptions
from surrogacy.report.folder import Command, write_run


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
        Options that every command has (`surrogacy.cli.options.add_output`).
    arguments : sequence of str
        Of the command line, for the record.
    strict : bool
        Whether a warning leads to exit code 5.
    """
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
        executor = shared_with(workers) if command.shares_workers else in_order
        figures = FigureOptions(workers, tuple(dict.fromkeys(options.format)), options.preset)
        with with_progress(executor, quiet=options.quiet) as execute:
            written = write_run(
                command,
                advance(run, command.stages, execute),
                options.out,
                figures,
                arguments=arguments,
                strict=strict,
                quick=options.quick,
                bundle=options.bundle,
            )
    for problem in written.undrawn:
        warn(str(problem))
    _warn(written.run, quiet=options.quiet)
    if not options.quiet:
        draws = "draws/, " if any(section.draws for section in written.sections) else ""
        report = "" if options.quick else "report.html, "
        bundle = "bundle.zip, " if options.bundle else ""
        files = f"{options.out}/: {report}results.json, tables/, figures/, {draws}{bundle}run.json"
        show(written.sections, files, details=options.details)
    return written.run.exit_code(strict=strict, undrawn=bool(written.undrawn))


def _warn(run: StagedRun, *, quiet: bool) -> None:
    for notice in () if quiet else run.notices:
        warn(notice)
