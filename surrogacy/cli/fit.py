"""Command line: ``python -m surrogacy.fit [SET ...]``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from surrogacy.cli.options import (
    add_models,
    add_output,
    add_own_table,
    add_questions,
    add_selection,
    add_tables,
    add_verdicts,
    fit_settings,
    new_command,
)
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import figure_workers, prepare_workers, run_command, show, warn_of_data, with_progress
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.analysis.fit_run import FitRun
    from surrogacy.analysis.settings import FitSettings

SIZE_NOTICE = (
    "--new-n inf does not apply to the weighted regression, which has no between-trial variance: its prediction band "
    "and surrogate threshold effect are for a trial of mean size, those of the other models for a true effect"
)
EXAMPLES = {
    "intermediate": "association of PFS and OS effects in the intermediate stage",
    "advanced --predict 0.60 0.45 0.80": "OS hazard ratio expected from a PFS hazard ratio of 0.60 (0.45 to 0.80)",
    "intermediate --add my_trial.csv": "effect of my trial on the results; with --check, errors in its table",
}


def parser(program: str = "python -m surrogacy.fit") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "[SET ...] [OPTION ...]",
        "Does a treatment effect on progression-free survival predict the effect on overall survival? Fits trial-level "
        "surrogacy models to curated trials in hepatocellular carcinoma, or to your own.",
        EXAMPLES,
        "0 success, 1 unexpected error, 2 wrong arguments, 3 errors in the data, 4 a model could not be fitted or its "
        "diagnostics failed, 5 warnings under --strict.",
    )
    add_own_table(add_tables(command))
    add_selection(command)
    add_questions(command)
    add_models(command)
    add_verdicts(add_output(command, "out", "folder of the results (default out/)"))
    return command


def main(arguments: Sequence[str] | None = None, program: str = "python -m surrogacy.fit") -> int:
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
    if options.template is not None:
        from surrogacy.cli.template import make_template

        return make_template(options.template, quiet=options.quiet)
    if options.pairs and (options.sets or options.add or options.trials):
        raise UsageError(f"--pairs {options.pairs}: this table is fitted alone; leave out SET, --add and --trials")
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
    """Fit the models, and print or write the results."""
    from surrogacy.analysis.fit_run import FitRun
    from surrogacy.analysis.fit_stages import MODEL_STAGES, TABLE_STAGES
    from surrogacy.analysis.stages import advance, in_order

    with with_progress(in_order, quiet=options.quiet) as execute:
        *_, run = advance(FitRun(settings), TABLE_STAGES, execute)
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
    """Print the models that were not fitted because the tables lack a quantity, and the remedy."""
    for notice in () if quiet else run.notices:
        warn(notice)


def _warn_of_unused(run: FitRun, *, quiet: bool) -> None:
    """Print the added comparisons that are in none of the fitted sets."""
    used = {name for fit in run.sets for name in fit.effects.comparison}
    reasons = {entry.comparison: entry.reason for fit in reversed(run.sets) for entry in fit.flow}
    for name in () if quiet else run.trials.added:
        if name not in used:
            warn(f"{name} is in none of the fitted sets: {reasons.get(name) or 'they are of another disease stage'}")
