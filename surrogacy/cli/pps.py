"""Command line: ``python -m surrogacy.pps``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from surrogacy.cli.options import add_planning, add_post_progression, add_tables, new_command, pps_settings
from surrogacy.cli.output_options import add_output
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import result_stream
from surrogacy.cli.terminal import prepare_workers, progress, run_command, show
from surrogacy.errors import ExitCode, UsageError

MEDIANS = ("pfs", "hr_pfs", "pps", "os")
ASSUMPTIONS = ("accrual", "follow_up", "loss", "crossover", "allocation", "alpha")
SIZE = ("n", "power", "power_for")
PLAN_NEEDS = (
    "--plan needs --pfs (two medians, or one with --hr-pfs), and either --pps (median post-progression survival, one "
    "for both arms or two) or --os (median OS of the control arm)"
)
EXAMPLES = {
    "": "decomposition of TACTICS, and of every trial whose medians allow it",
    "--add my_trial.csv --focus mine": "decomposition of my trial, from its hazard ratios and medians",
    "--plan --pfs 6 9 --pps 24": "OS effect, power and size of a trial with these medians",
}


def parser(program: str = "python -m surrogacy.pps") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "[OPTION ...]",
        "How much does post-progression survival (PPS) dilute a treatment effect on overall survival? Decomposes the "
        "trial in focus and every trial whose medians allow it, examines arm-level correlations of OS with PPS, "
        "moderates the surrogacy line by PPS, and plans trials (--plan).",
        EXAMPLES,
        "0 success, 1 unexpected error, 2 wrong arguments, 3 errors in the data, 4 a figure could not be drawn.",
    )
    add_tables(command)
    add_post_progression(command)
    add_planning(command)
    folder_help = "folder of the results (default out/pps/); --plan writes none"
    add_information(add_output(command, "out/pps", folder_help, "waterfall pps-arms or waterfall-tactics"))
    return command


def main(arguments: Sequence[str] | None = None, program: str = "python -m surrogacy.pps") -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.
    program : str
        Name of the command in the help.

    Returns
    -------
    int
        Exit code.
    """
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    return _plan(options) if options.plan else _analyse(options, arguments)


def _plan(options: argparse.Namespace) -> ExitCode:
    """Plan a trial, and print its expected effects, power and size."""
    if options.pfs is None or len(options.pfs) > 2 or (options.pps is not None and len(options.pps) > 2):
        raise UsageError(PLAN_NEEDS)
    if (options.pps is None) == (options.os is None):
        raise UsageError(f"{PLAN_NEEDS}; exactly one of --pps and --os")
    from surrogacy.analysis.settings import check_seed
    from surrogacy.pps.planning import plan
    from surrogacy.report.document import dumps
    from surrogacy.report.sections.planning import section
    from surrogacy.survival.trial_design import Design

    check_seed(options.seed)
    design = Design.from_summaries(
        _median(options.pfs),
        None if options.pps is None else _median(options.pps),
        os=options.os,
        hr_pfs=options.hr_pfs,
        direct_death=options.direct_death or 0.0,
        hr_direct_death=options.hr_direct_death,
        shape=options.shape,
    )
    assumptions, size = (
        {name: getattr(options, name) for name in names if getattr(options, name) is not None}
        for names in (ASSUMPTIONS, SIZE)
    )
    design = replace(design, **assumptions)
    with progress(options.simulate, "simulated trials", quiet=options.quiet) as step:
        planned = section(plan(design, **size, simulations=options.simulate, seed=options.seed, step=step))
    if options.json:
        with result_stream():
            print(dumps(planned.record), end="")
    elif not options.quiet:
        show([planned], details=options.details)
    return ExitCode.OK


def _median(medians: Sequence[float]) -> float | tuple[float, float]:
    """Return one median, or those of the control and the experimental arm."""
    return (medians[0], medians[1]) if len(medians) == 2 else medians[0]


def _analyse(options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    """Analyse the tables, and print or write the results."""
    planning = [name for name in (*MEDIANS, *ASSUMPTIONS, *SIZE) if getattr(options, name) is not None]
    if planning or options.simulate:
        raise UsageError(f"--{(planning or ['simulate'])[0].replace('_', '-')} belongs to --plan; add --plan")
    if not options.json:
        prepare_workers(options.out)
    settings = pps_settings(options)

    from surrogacy.analysis.pps_run import PpsRun
    from surrogacy.cli.run import complete
    from surrogacy.report.folder import PPS

    return complete(PPS, PpsRun(settings), options, arguments)
