"""Command line: ``python -m surrogacy.fit [SET ...]``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.cli.options import (
    DEFAULT_MODELS,
    add_models,
    add_own_table,
    add_questions,
    add_selection,
    add_tables,
    fit_settings,
    new_command,
)
from surrogacy.cli.output_options import add_bubble_plot, add_output, add_verdicts
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import warn
from surrogacy.cli.terminal import prepare_workers, run_command, uncollected
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.analysis.fit_run import FitRun
    from surrogacy.report.folder import Command

SIZE_NOTICE = (
    "--new-n inf does not apply to the weighted regression, which has no between-trial variance: its prediction band "
    "and surrogate threshold effect are for a trial of mean size, those of the other models for a true effect"
)
TASKS = "surrogacy.analysis.fit_tasks"
REGRESSION, REGRESSION_LIBRARIES = "weighted-regression", ("statsmodels.regression.linear_model",)
WORD_LIBRARIES = "docx", "surrogacy.report.paper.word", "surrogacy.report.journal_tables.word"
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
    output = add_output(command, "out", "folder of the results (default out/)", "bubble forest or bubble-advanced")
    add_bubble_plot(output)
    add_verdicts(output)
    add_information(output)
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
    if options.answers and options.quick:
        raise UsageError(f"--answers {options.answers}: --quick writes no checklists; leave out one of the two")
    if not (options.check or options.json):
        regression = REGRESSION_LIBRARIES if REGRESSION in (options.model or DEFAULT_MODELS) else ()
        prepare_workers(options.out, (TASKS, *regression, *(() if options.quick else WORD_LIBRARIES)))
    with uncollected():
        from surrogacy.analysis.fit_run import FitRun
        from surrogacy.cli.run import complete

        settings, warnings = fit_settings(options)
        command = _command(options)
    if options.check:
        from surrogacy.cli.check import check

        return check(settings, strict=options.strict)
    if not options.quiet:
        for warning in (*warnings, *([SIZE_NOTICE] if settings.default_size else [])):
            warn(warning)
    return complete(command, FitRun(settings), options, arguments, strict=options.strict)


def _command(options: argparse.Namespace) -> Command[FitRun]:
    """Return the command, with the answers of an author for the checklists if a file has them."""
    from surrogacy.report.folder import FIT, fit_material

    if options.answers is None:
        return FIT
    from surrogacy.report.paper.author_answers import read_answers

    answers = read_answers(Path(options.answers))
    return replace(FIT, material=partial(fit_material, answers=answers))
