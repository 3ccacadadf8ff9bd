"""Command line: ``python -m surrogacy.pps``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surrogacy.cli.terminal import (
    add_output,
    figure_workers,
    prepare_workers,
    progress,
    result_stream,
    screen_width,
    warn,
    warn_of_data,
)
from surrogacy.cli.terminal import run as run_command
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from surrogacy.trials import TrialSet

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
    "--plan needs --pfs (two medians, or one with --hr-pfs), and --pps (median post-progression survival: one for both arms, or two) "
    "or --os (median OS of the control arm)"
)


def parser(program: str = "python -m surrogacy.pps") -> argparse.ArgumentParser:
    """Return the command line."""
    command = argparse.ArgumentParser(
        prog=program,
        description="How much of a treatment effect on overall survival does post-progression survival (PPS) dilute? Decomposes the trial in focus "
        "and every trial whose medians allow it, audits arm-level correlations, moderates the surrogacy line by PPS, and plans trials (--plan).",
        epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 the data are wrong, 4 a figure could not be drawn. Months everywhere; pairs are control, then experimental.",
    )
    data = command.add_argument_group("input")
    data.add_argument(
        "--focus", default="tactics", metavar="TRIAL", help="comparison to decompose in every way (default tactics)"
    )
    data.add_argument("--set", default="all", metavar="SET", help="analysis set of the moderated line (default all)")
    data.add_argument(
        "--trials", metavar="DIR", help="tables of the same form as data/trials/ (default: the shipped ones)"
    )
    data.add_argument("--add", metavar="FILE", help="extra rows for this run, CSV or XLSX")
    data.add_argument(
        "--direct-death",
        type=float,
        metavar="Q",
        help="share of PFS events that are deaths in the trial in focus (default: as the tables count them, else 0.1, named as an assumption); with --plan of both arms",
    )
    data.add_argument(
        "--resamples",
        type=int,
        default=2000,
        metavar="N",
        help="simulated trials for the intervals of the trial in focus (default 2000)",
    )
    data.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")
    plan = command.add_argument_group("planning")
    plan.add_argument("--plan", action="store_true", help="plan a trial from --pfs and --pps or --os instead")
    plan.add_argument(
        "--pfs", nargs="+", type=float, metavar="M", help="median PFS of both arms, or of the control with --hr-pfs"
    )
    plan.add_argument("--hr-pfs", type=float, metavar="HR", help="PFS hazard ratio, experimental over control")
    plan.add_argument("--pps", nargs="+", type=float, metavar="M", help="median PPS: one for both arms, or two")
    plan.add_argument(
        "--os",
        type=float,
        metavar="M",
        help="median OS of the control arm, instead of --pps: both arms have the PPS that gives it",
    )
    plan.add_argument("--accrual", type=float, metavar="M", help="months of even accrual (default 18)")
    plan.add_argument(
        "--follow-up", type=float, metavar="M", help="months from the last entry to the data cut (default 6)"
    )
    plan.add_argument("--loss", type=float, metavar="H", help="hazard of loss to follow-up per month (default 0)")
    plan.add_argument(
        "--crossover",
        type=float,
        metavar="S",
        help="share of progressed control patients with the experimental arm's PPS (default 0)",
    )
    plan.add_argument(
        "--allocation", nargs=2, type=float, metavar=("CTL", "EXP"), help="patients or their ratio (default 1 1)"
    )
    plan.add_argument("--alpha", type=float, metavar="A", help="two-sided level (default 0.05)")
    plan.add_argument("--n", type=int, metavar="N", help="patients in all (default: as many as --power needs)")
    plan.add_argument("--power", type=float, metavar="P", help="wanted power (default 0.8)")
    plan.add_argument("--power-for", choices=("pfs", "os"), help="endpoint that the power is for (default pfs)")
    plan.add_argument("--simulate", type=int, default=0, metavar="N", help="also simulate N trials")
    output = command.add_argument_group("output")
    output.add_argument(
        "--out", default="out/pps", metavar="DIR", help="folder to write (default out/pps/); --plan writes none"
    )
    output.add_argument("--json", action="store_true", help="one JSON document on stdout, and no files")
    add_output(output)
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


def _run(options: argparse.Namespace, given: Sequence[str]) -> int:
    return _plan(options) if options.plan else _analyse(options, given)


def _plan(options: argparse.Namespace) -> ExitCode:
    """Plan a trial and print what to expect of it."""
    if options.pfs is None or len(options.pfs) > 2 or (options.pps is not None and len(options.pps) > 2):
        raise UsageError(PLAN_NEEDS)
    if (options.pps is None) == (options.os is None):
        raise UsageError(f"{PLAN_NEEDS}; exactly one of --pps and --os")
    from surrogacy.pps.planning import plan
    from surrogacy.report.document import dumps
    from surrogacy.report.screen import screen
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
        _show(screen([section(found)]))
    return ExitCode.OK


def _analyse(options: argparse.Namespace, given: Sequence[str]) -> ExitCode:
    """Analyse the tables, and print or write."""
    unasked = [name for name in (*DESIGN, "power_for") if name != "direct_death" and getattr(options, name) is not None]
    if unasked or options.simulate:
        raise UsageError(f"--{(unasked or ['simulate'])[0].replace('_', '-')} belongs to --plan; add --plan")
    from pathlib import Path

    from surrogacy.output.replacement import check_folder

    if not options.json:
        check_folder(Path(options.out))
        prepare_workers(options.out)

    from surrogacy.analysis.pps_run import PARTS, PpsRun, analyse
    from surrogacy.report.document import PPS_SCHEMA, document, dumps
    from surrogacy.report.sections import pps_sections
    from surrogacy.trials import read_trials

    def work(trials: TrialSet, pool: Executor | None = None) -> PpsRun:
        with progress(PARTS, "post-progression survival", quiet=options.quiet) as step:
            return analyse(
                trials,
                set_name=options.set,
                focus=options.focus,
                direct_death=options.direct_death,
                resamples=options.resamples,
                seed=options.seed,
                step=step,
                pool=pool,
            )

    trials = read_trials(*(Path(path) if path else None for path in (options.trials, options.add)))
    warn_of_data(trials, quiet=options.quiet)
    if options.json:
        text = dumps(document(PPS_SCHEMA, trials, pps_sections(work(trials)), seed=options.seed))
        with result_stream():
            print(text, end="")
        return ExitCode.OK

    from surrogacy.report.figures import FigureOptions
    from surrogacy.report.folder import PPS, write_run
    from surrogacy.report.screen import screen

    with figure_workers(options.out) as workers:
        figures = FigureOptions(workers, tuple(dict.fromkeys(options.format)), options.preset, options.focus)
        runs = (work(trials, pool) for pool in [workers])
        run, undrawn = write_run(PPS, runs, options.out, figures, seed=options.seed, arguments=given)
    for problem in undrawn:
        warn(str(problem))
    if not options.quiet:
        _show(screen(pps_sections(run)), f"Written to {options.out}/: results.json, tables/, figures/, run.json")
    return ExitCode.NOT_CONVERGED if undrawn else ExitCode.OK


def _show(content: Any, *lines: str) -> None:
    from rich.console import Console

    with result_stream():
        Console(width=screen_width(), highlight=False).print(content)
        for line in lines:
            print(line)
