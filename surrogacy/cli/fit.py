"""Command line: ``python -m surrogacy.fit [SET ...]``."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from surrogacy.cli.terminal import (
    add_output,
    figure_workers,
    prepare_workers,
    progress,
    result_stream,
    run,
    screen_width,
    warn,
    warn_of_data,
)
from surrogacy.errors import DataError, ExitCode, UsageError, own_faults

if TYPE_CHECKING:
    from surrogacy.analysis.fit_run import FitSettings, Run
    from surrogacy.evaluation.new_trial import NewTrial
    from surrogacy.models import Model
    from surrogacy.trials import AnalysisSet, TrialSet

DEFAULT_SETS = ("intermediate", "advanced", "tactics-2022", "llovet-2019-pfs")
# those before bivariate-ml are the default; those after daniels-hughes are sampled and take seconds
DEFAULT_MODELS = ("weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes")
SAMPLED = ("product-normal", "student-t", "class-exchangeable", "class-partial", "moderated")
MODELS = (*DEFAULT_MODELS, "bivariate-ml", "daniels-hughes", *SAMPLED)
DEFAULT_FOCUS = "tactics"
SIZE_NOTICE = (
    "weighted-regression: --new-n inf does not apply, as it has no between-trial variance; its band and STE are for a trial of the mean "
    "size of the set, the other models' for a true effect"
)
TASK = "leave-one-out and sensitivity"


def parser(program: str = "python -m surrogacy.fit") -> argparse.ArgumentParser:
    """Return the command line as interface.md of the project settles it."""
    command = argparse.ArgumentParser(
        prog=program,
        description="Does a treatment effect on progression-free survival predict the effect on overall survival? "
        "Fits trial-level surrogacy models to curated HCC trials, or to your own.",
        epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 the data are wrong, 4 a model could not be fitted or its diagnostics failed, 5 warnings under --strict.",
    )
    command.add_argument("sets", nargs="*", metavar="SET", help=f"analysis sets (default: {' '.join(DEFAULT_SETS)})")
    data = command.add_argument_group("input")
    data.add_argument(
        "--trials", metavar="DIR", help="tables of the same form as data/trials/ (default: the shipped ones)"
    )
    data.add_argument(
        "--add", metavar="FILE", help="extra rows for this run, long or wide, CSV or XLSX; prints what they change"
    )
    data.add_argument("--pairs", metavar="FILE", help="fit this table alone, one row a comparison")
    data.add_argument("--check", action="store_true", help="check the tables and stop")
    data.add_argument(
        "--rho-within",
        type=float,
        default=0.5,
        metavar="R",
        help="within-trial correlation of the two log HRs where none is given (default 0.5)",
    )
    data.add_argument(
        "--min-evidence",
        default="secondary",
        choices=("primary", "secondary", "unverified"),
        help="weakest evidence of a hazard ratio (default secondary)",
    )
    data.add_argument(
        "--endpoints",
        metavar="LIST",
        help="surrogates in order of preference (default PFS,TACE-PFS,TTP; with --pairs those of its table)",
    )
    data.add_argument(
        "--shared-control",
        default="cov",
        choices=("cov", "first", "combine"),
        help="comparisons that share a control arm (default cov)",
    )
    models = command.add_argument_group("models")
    models.add_argument(
        "--model", nargs="+", metavar="NAME", help=f"of {', '.join(MODELS)} (default: the first {len(DEFAULT_MODELS)})"
    )
    models.add_argument(
        "--weights",
        default="n",
        choices=("n", "events", "inverse-variance", "sqrt-n", "none"),
        help="of correlation and regression (default n)",
    )
    models.add_argument(
        "--nuts",
        action="store_true",
        help="sample the exact Bayesian models with PyMC too, and print how far the two posteriors are apart, in Monte Carlo errors",
    )
    models.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")
    questions = command.add_argument_group("questions")
    questions.add_argument(
        "--focus",
        metavar="TRIAL",
        help="place this trial, every comparison of it, within the regression (default tactics where it is in the set)",
    )
    questions.add_argument(
        "--predict",
        nargs=3,
        metavar=("HR", "LOW", "HIGH"),
        help="predict the OS HR of a new trial with this surrogate HR and 95%% limits; --new-n for what it will observe",
    )
    questions.add_argument(
        "--sensitivity",
        action="store_true",
        help="vary every choice, refit every subgroup, make every published interval, predict each set from the others (a minute)",
    )
    questions.add_argument(
        "--new-n",
        type=float,
        metavar="N",
        help="patients of the new trial in prediction bands and STE (default: the mean of the set; bivariate models: the true effect)",
    )
    output = command.add_argument_group("output")
    output.add_argument("--out", default="out", metavar="DIR", help="folder to write (default out/)")
    output.add_argument("--json", action="store_true", help="one JSON document on stdout, and no files")
    output.add_argument(
        "--report-style",
        default="neutral",
        choices=("neutral", "verdict"),
        help="whether the verdicts of IQWiG, TSD 20, BSES3 and frailtypack are given in their own words, or as numbers only (default)",
    )
    output.add_argument("--strict", action="store_true", help="exit 5 if there was any warning")
    add_output(output)
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
    return run(parser(program), _run, arguments)


def _run(options: argparse.Namespace, given: Sequence[str]) -> int:
    names = options.model or list(DEFAULT_MODELS)
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise UsageError(f"unknown model {unknown[0]!r}; choose from {', '.join(MODELS)}")
    if options.pairs and (options.sets or options.add or options.trials):
        raise UsageError("--pairs fits its table alone: leave out SET, --add and --trials")
    if not (options.check or options.json):
        from pathlib import Path

        from surrogacy.output.replacement import check_folder

        check_folder(Path(options.out))
        prepare_workers(options.out)
    new_trial, warnings = _checked_numbers(options)
    if options.check:
        return _check(options)
    for warning in () if options.quiet else warnings:
        warn(warning)
    return _fit(options, names, given, new_trial)


def _checked_numbers(options: argparse.Namespace) -> tuple[NewTrial | None, tuple[str, ...]]:
    """Check numbers before a table is read or a model fitted; return the new trial, and warnings about it."""
    from surrogacy.evaluation.new_trial import check_rho_within, check_size, parse_new_trial

    check_rho_within(options.rho_within)
    check_size(options.new_n)
    if options.predict is None:
        return None, ()
    return parse_new_trial(options.predict, options.rho_within, options.new_n)


def _request(options: argparse.Namespace) -> FitSettings:
    from pathlib import Path

    from surrogacy.analysis.fit_run import FitSettings

    return FitSettings(
        sets=tuple(options.sets or DEFAULT_SETS),
        trials=Path(options.trials) if options.trials else None,
        add=Path(options.add) if options.add else None,
        pairs=Path(options.pairs) if options.pairs else None,
        endpoints=tuple(filter(None, map(str.strip, (options.endpoints or "").split(",")))),
        rho_within=options.rho_within,
        min_evidence=options.min_evidence,
        shared_control=options.shared_control,
    )


def _check(options: argparse.Namespace) -> ExitCode:
    """Print every remark on the tables, one a line; errors have been raised before."""
    try:
        trials = _request(options).read()
    except DataError as error:
        with result_stream():
            _print_columns(error.columns)
        raise
    with result_stream():
        _print_columns(trials.columns)
    in_sets = [] if options.pairs else trials.check_sets()
    errors = [fault for fault in in_sets if fault.severity == "error"]
    if errors:
        raise DataError(errors)
    counted = own_faults(trials.faults) if options.add else [*trials.faults, *in_sets]
    counts = {severity: sum(found.severity == severity for found in counted) for severity in ("warning", "info")}
    if options.add:
        size = f"{options.add}: {len(trials.added)} comparison(s) read ({', '.join(trials.added)})"
    else:
        size = f"{len(trials.trials)} comparisons, {len(trials.effects)} hazard ratios, {len(trials.arms)} arms"
    with result_stream():
        for found in counted:
            print(found)
        _print_usable(options, trials)
        print(f"{size}: no error, {counts['warning']} warnings, {counts['info']} remarks")
    return ExitCode.STRICT if options.strict and counts["warning"] else ExitCode.OK


def _print_usable(options: argparse.Namespace, trials: TrialSet) -> None:
    """Print how many comparisons each model can use, which it leaves out, and the remedy; refuse what --model cannot fit."""
    from surrogacy.models import create
    from surrogacy.results.requirements import refuse_unfittable, usability_lines

    models = [create(name, weights=options.weights) for name in dict.fromkeys(options.model or DEFAULT_MODELS)]
    request = _request(options)
    named = options.pairs or options.sets or options.endpoints  # then the fit refuses what has no pair
    sets = [paired.effects for paired in (request.pair(trials) if named else request.pair_known(trials))]
    if options.focus is not None:
        from surrogacy.evaluation.placement import require_focus

        require_focus(sets, options.focus)
    for effects in sets:
        for line in usability_lines(models, effects, complete=bool(options.pairs)):
            print(line)
    if options.model:
        refuse_unfittable(sets, models, options.model)


def _print_columns(columns: Sequence[tuple[str, str]]) -> None:
    """Print how each column of a user's table was interpreted."""
    width = max((len(heading) for heading, _ in columns), default=0)
    for heading, meaning in columns:
        print(f"{heading:<{width}}  {meaning}")


def _models(options: argparse.Namespace, names: Sequence[str]) -> list[Model]:
    """Make the models of a run.

    A weighted regression predicts no true effect (``--new-n inf``). Where it was asked for by name, that stops the run; as one of the
    default models it keeps its default, a trial of the mean size, which its output states: slope and R2 do not depend on the size.
    """
    from surrogacy.models import create

    settings = {"weights": options.weights, "new_n": options.new_n, "seed": options.seed}
    models = []
    for name in dict.fromkeys(names):
        if name == "weighted-regression" and options.new_n == math.inf and options.model is None:
            models.append(create(name, **settings | {"new_n": None}))
            if not options.quiet:
                warn(SIZE_NOTICE)
        else:
            models.append(create(name, **settings))
    return models


def _fit(
    options: argparse.Namespace, names: Sequence[str], given: Sequence[str], new_trial: NewTrial | None
) -> ExitCode:
    """Fit, examine, and print or write."""
    from surrogacy.evaluation.placement import require_focus

    models = _models(options, names)
    request = _request(options)
    trials = request.read()
    sets = request.pair(trials)
    if options.focus is not None:
        require_focus([paired.effects for paired in sets], options.focus)
    warn_of_data(trials, quiet=options.quiet)
    total = _steps(options, models, len(sets))
    if options.json:
        from surrogacy.report.document import FIT_SCHEMA, document, dumps
        from surrogacy.report.sections import fit_sections

        with progress(total, TASK, quiet=options.quiet) as step:
            *_, run = _runs(options, request, trials, sets, models, new_trial, step)
        _warn_of_models(options, run)
        with result_stream():
            print(dumps(document(FIT_SCHEMA, trials, fit_sections(run), seed=options.seed)), end="")
        return run.exit_code(strict=options.strict)

    from surrogacy.report.figures import FigureOptions
    from surrogacy.report.folder import FIT, write_run

    with figure_workers(options.out) as workers, progress(total, TASK, quiet=options.quiet) as step:
        formats, focus = tuple(dict.fromkeys(options.format)), options.focus or DEFAULT_FOCUS
        run, undrawn = write_run(
            FIT,
            _runs(options, request, trials, sets, models, new_trial, step),
            options.out,
            FigureOptions(workers, formats, options.preset, focus),
            seed=options.seed,
            arguments=given,
            strict=options.strict,
        )
    for problem in undrawn:
        warn(str(problem))
    _warn_of_models(options, run)
    _warn_of_unused(options, run)
    if not options.quiet:
        from rich.console import Console

        from surrogacy.report.screen import screen
        from surrogacy.report.sections import fit_sections

        draws = "draws/, " if run.sampled else ""
        with result_stream():
            console = Console(width=screen_width(), highlight=False)
            console.print(screen(fit_sections(run)))
            console.print(f"Written to {options.out}/: results.json, tables/, figures/, {draws}run.json", markup=False)
    return run.exit_code(strict=options.strict, undrawn=bool(undrawn))


def _runs(
    options: argparse.Namespace,
    request: FitSettings,
    trials: TrialSet,
    sets: Sequence[AnalysisSet],
    models: Sequence[Model],
    new_trial: NewTrial | None,
    step: Callable[[], None],
) -> Iterator[Run]:
    """The run after each set is fitted, after it is examined, and after it is compared."""
    from surrogacy.analysis import fit_run

    clock = time.perf_counter()
    seconds: dict[str, float] = {}

    def timed(run: Run, stage: str) -> Run:
        nonlocal clock
        now = time.perf_counter()
        seconds[stage] = seconds.get(stage, 0.0) + now - clock
        clock = now
        return replace(run, seconds=dict(seconds))

    for fitted in fit_run.fit_all(request, trials, models, sets, options.model or ()):
        latest = timed(fitted, "fit")
        yield latest
    run = fit_run.examine_all(latest, step)
    run = fit_run.vary_all(run, request, options.weights, options.seed, step) if options.sensitivity else run
    run = fit_run.compare_with_nuts(run, options.seed, step) if options.nuts else run
    run = timed(run, "examine")
    yield run
    run = fit_run.place_focus(run, options.focus or DEFAULT_FOCUS, required=options.focus is not None)
    if new_trial is not None:
        run = fit_run.predict(run, (new_trial.hr, new_trial.low, new_trial.high), new_trial.rho_within, new_trial.n)
    run = fit_run.compare_and_judge(run, options.weights, options.seed, options.report_style)
    yield timed(run, "compare")


def _steps(options: argparse.Namespace, models: Sequence[Model], sets: int) -> int:
    """How often a run calls its progress bar."""
    from surrogacy.analysis.fit_run import refittable
    from surrogacy.analysis.fit_stages import steps

    return sets * (len(models) * (2 if options.nuts else 1) + (steps(refittable(models)) if options.sensitivity else 0))


def _warn_of_models(options: argparse.Namespace, run: Run) -> None:
    """Name the models that were not fitted because the tables lack what they need, and the remedy."""
    for one in run.analyses:
        for entry in one.not_fitted:
            if not options.quiet:
                warn(f"{one.name}: {entry}")
        if one.omitted and not options.quiet:
            warn(f"{one.name}: {one.omitted}")


def _warn_of_unused(options: argparse.Namespace, run: Run) -> None:
    """Say which added comparison is in none of the sets that were fitted."""
    used = {name for one in run.analyses for name in one.effects.comparison}
    for name in run.trials.added:
        if name not in used and not options.quiet:
            why = next((entry.reason for one in run.analyses for entry in one.flow if entry.comparison == name), "")
            warn(f"{name} is in none of the sets fitted: {why or 'its stage is not theirs'}")
