"""Command line: ``python -m surrogacy.fit [SET ...]``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surrogacy.cli.options import (
    DEFAULT_SETS,
    add_models,
    add_output,
    add_pairing,
    add_questions,
    add_tables,
    add_verdicts,
    fit_settings,
)
from surrogacy.cli.terminal import (
    figure_workers,
    prepare_workers,
    result_stream,
    run_command,
    show,
    warn,
    warn_of_data,
    with_progress,
)
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.analysis.fit_run import FitRun
    from surrogacy.analysis.settings import FitSettings

SIZE_NOTICE = (
    "weighted-regression: --new-n inf does not apply, as it has no between-trial variance; its band and STE are for a "
    "trial of the mean size of the set, the other models' for a true effect"
)


def parser(program: str = "python -m surrogacy.fit") -> argparse.ArgumentParser:
    """Return the command line as interface.md of the project settles it."""
    command = argparse.ArgumentParser(
        prog=program,
        description="Does a treatment effect on progression-free survival predict the effect on overall survival? "
        "Fits trial-level surrogacy models to curated HCC trials, or to your own.",
        epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 the data are wrong, 4 a model could not be fitted or its "
        "diagnostics failed, 5 warnings under --strict.",
    )
    command.add_argument("sets", nargs="*", metavar="SET", help=f"analysis sets (default: {' '.join(DEFAULT_SETS)})")
    add_pairing(add_tables(command, "extra rows for this run, long or wide, CSV or XLSX; prints what they change"))
    add_models(command)
    add_questions(command)
    add_verdicts(add_output(command, "out", "folder to write (default out/)"))
    return command


def main(arguments: Sequence[str] | None = None, program: str = "python -m surrogacy.fit") -> int:
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
    if options.pairs and (options.sets or options.add or options.trials):
        raise UsageError("--pairs fits its table alone: leave out SET, --add and --trials")
    if not (options.check or options.json):
        prepare_workers(options.out)
    settings, warnings = fit_settings(options)
    if options.check:
        from surrogacy.cli.check import check

        return check(settings, strict=options.strict)
    if not options.quiet:
        for warning in (*warnings, *([SIZE_NOTICE] if settings.default_size else [])):
            warn(warning)
    return _fit(settings, options, arguments)


def _fit(settings: FitSettings, options: argparse.Namespace, arguments: Sequence[str]) -> ExitCode:
    """Fit, and print or write."""
    from surrogacy.analysis.fit_run import FitRun
    from surrogacy.analysis.fit_stages import MODEL_STAGES, TABLE_STAGES
    from surrogacy.analysis.stages import advance, in_order

    *_, run = advance(FitRun(settings), TABLE_STAGES, in_order)
    warn_of_data(run.trials, quiet=options.quiet)
    if options.json:
        from surrogacy.report.document import FIT_SCHEMA, document, dumps
        from surrogacy.report.sections import fit_sections

        with with_progress(in_order, quiet=options.quiet) as execute:
            *_, run = advance(run, MODEL_STAGES, execute)
        _warn_of_models(run, quiet=options.quiet)
        with result_stream():
            print(dumps(document(FIT_SCHEMA, run.trials, fit_sections(run), seed=settings.seed)), end="")
        return run.exit_code(strict=options.strict)

    from surrogacy.report.figures import FigureOptions
    from surrogacy.report.folder import FIT, write_run

    with figure_workers(options.out) as workers, with_progress(in_order, quiet=options.quiet) as execute:
        run, undrawn = write_run(
            FIT,
            advance(run, MODEL_STAGES, execute),
            options.out,
            FigureOptions(workers, tuple(dict.fromkeys(options.format)), options.preset, settings.focus),
            seed=settings.seed,
            arguments=arguments,
            strict=options.strict,
        )
    for problem in undrawn:
        warn(str(problem))
    _warn_of_models(run, quiet=options.quiet)
    _warn_of_unused(run, quiet=options.quiet)
    if not options.quiet:
        _show(run, options.out, details=options.details)
    return run.exit_code(strict=options.strict, undrawn=bool(undrawn))


def _show(run: FitRun, out: str, *, details: bool) -> None:
    from surrogacy.report.sections import fit_sections

    draws = "draws/, " if run.sampled else ""
    show(fit_sections(run), f"{out}/: results.json, tables/, figures/, {draws}run.json", details=details)


def _warn_of_models(run: FitRun, *, quiet: bool) -> None:
    """Name the models that were not fitted because the tables lack what they need, and the remedy."""
    for notice in () if quiet else run.notices:
        warn(notice)


def _warn_of_unused(run: FitRun, *, quiet: bool) -> None:
    """Name the added comparisons that are in none of the sets that were fitted."""
    used = {name for fit in run.sets for name in fit.effects.comparison}
    reasons = {entry.comparison: entry.reason for fit in reversed(run.sets) for entry in fit.flow}
    for name in () if quiet else run.trials.added:
        if name not in used:
            warn(f"{name} is in none of the sets fitted: {reasons.get(name) or 'its stage is not theirs'}")
