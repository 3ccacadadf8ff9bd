"""Command line: ``python -m surrogacy.pps``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from surrogacy.cli.options import add_output, add_planning, add_post_progression, add_tables, pps_settings
from surrogacy.cli.terminal import (
    figure_workers,
    prepare_workers,
    progress,
    result_stream,
    run_command,
    show,
    warn,
    warn_of_data,
    with_progress,
)
from surrogacy.errors import ExitCode, UsageError

DESIGN = (
    "pfs",
    "hr_pfs",
    "pps",
    "os",
    "direct_death",
    "accrual",
    "follow_up",
    "loss",
    "crossover",
    "allocation",
    "alpha",
    "n",
    "power",
)

PLAN_NEEDS = (
    "--plan needs --pfs (two medians, or one with --hr-pfs), and --pps (median post-progression survival: one for both "
    "arms, or two) or --os (median OS of the control arm)"
)


def parser(program: str = "python -m surrogacy.pps") -> argparse.ArgumentParser:
    """Return the command line."""
    command = argparse.ArgumentParser(
        prog=program,
        description="How much of a treatment effect on overall survival does post-progression survival (PPS) dilute? "
        "Decomposes the trial in focus and every trial whose medians allow it, audits arm-level correlations, "
        "moderates the surrogacy line by PPS, and plans trials (--plan).",
        epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 the data are wrong, 4 a figure could not be drawn. "
        "Months everywhere; pairs are control, then experimental.",
    )
    add_post_progression(add_tables(command, "extra rows for this run, CSV or XLSX"))
    add_planning(command)
    add_output(command, "out/pps", "folder to write (default out/pps/); --plan writes none")
    return command


def main(arguments: Sequence[str] | None = None, program: str = "python -m surrogacy.pps") -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.
    program : str
        Name in the help.

    Returns
    -------
    int
        Exit code.
    """
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    return _plan(options) if options.plan else _analyse(options, arguments)


def _plan(options: argparse.Namespace) -> ExitCode:
    """Plan a trial and print what to expect of it."""
    if options.pfs is None or len(options.pfs) > 2 or (options.pps is not None and len(options.pps) > 2):
        raise UsageError(PLAN_NEEDS)
    if (options.pps is None) == (options.os is None):
        raise UsageError(f"{PLAN_NEEDS}; exactly one of --pps and --os")
    from surrogacy.pps.planning import plan
    from surrogacy.report.document import dumps
    from surrogacy.report.sections.planning import section
    from surrogacy.survival.trial_design import Design

    medians: dict[str, Any] = {
        name: values[0] if len(values) == 1 else tuple(values)
        for name, values in (("pfs", options.pfs), ("pps", options.pps or ()))
        if values
    }
    design = Design.from_summaries(
        **medians, os=options.os, hr_pfs=options.hr_pfs, direct_death=options.direct_death or 0.0
    )
    assumptions, size = (
        {name: getattr(options, name) for name in names if getattr(options, name) is not None}
        for names in (("accrual", "follow_up", "loss", "crossover", "allocation", "alpha"), ("n", "power", "power_for"))
    )
    design = replace(design, **assumptions)
    with progress(options.simulate, "simulated trials", quiet=options.quiet) as step:
        found = plan(design, **size, simulations=options.simulate, seed=options.seed, step=step)
    if options.json:
        with result_stream():
            print(dumps(section(found).record), end="")
    elif not options.quiet:
        show([section(found)], details=options.details)
    return ExitCode.OK


def _analyse(options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    """Analyse the tables, and print or write."""
    planned = [name for name in (*DESIGN, "power_for") if name != "direct_death" and getattr(options, name) is not None]
    if planned or options.simulate:
        raise UsageError(f"--{(planned or ['simulate'])[0].replace('_', '-')} belongs to --plan; add --plan")
    if not options.json:
        prepare_workers(options.out)
    settings = pps_settings(options)

    from surrogacy.analysis.pps_run import PpsRun
    from surrogacy.analysis.pps_stages import PPS_STAGES
    from surrogacy.analysis.stages import advance, in_order, shared_with
    from surrogacy.report.sections import pps_sections

    *_, run = advance(PpsRun(settings), PPS_STAGES[:1], in_order)
    warn_of_data(run.trials, quiet=options.quiet)
    if options.json:
        from surrogacy.report.document import PPS_SCHEMA, document, dumps

        with with_progress(in_order, quiet=options.quiet) as execute:
            *_, run = advance(run, PPS_STAGES[1:], execute)
        with result_stream():
            print(dumps(document(PPS_SCHEMA, run.trials, pps_sections(run), seed=settings.seed)), end="")
        return ExitCode.OK

    from surrogacy.report.figures import FigureOptions
    from surrogacy.report.folder import PPS, write_run

    with (
        figure_workers(options.out) as workers,
        with_progress(shared_with(workers), quiet=options.quiet) as execute,
    ):
        run, undrawn = write_run(
            PPS,
            advance(run, PPS_STAGES[1:], execute),
            options.out,
            FigureOptions(workers, tuple(dict.fromkeys(options.format)), options.preset, settings.focus),
            seed=settings.seed,
            arguments=arguments,
        )
    for problem in undrawn:
        warn(str(problem))
    if not options.quiet:
        show(pps_sections(run), f"{options.out}/: results.json, tables/, figures/, run.json", details=options.details)
    return run.exit_code(undrawn=bool(undrawn))
