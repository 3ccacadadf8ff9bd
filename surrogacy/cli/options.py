"""Options of the commands by group, and the settings that follow from them.

The modules that load NumPy are imported after the arguments are parsed, so that ``--help`` is fast.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter, _ArgumentGroup
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from surrogacy.cli.shared_options import (
    SHARED_PATIENTS,
    add_pairing,
    add_rho_within,
    pairing_of,
    rho_within_number,
)
from surrogacy.results.analysis_sets import SET_DESCRIPTIONS

if TYPE_CHECKING:
    from surrogacy.analysis.settings import FitSettings, PpsSettings

DEFAULT_SETS = ("intermediate", "advanced", "tactics-2022", "llovet-2019-pfs")
DEFAULT_MODELS = ("weighted-pearson", "weighted-regression", "meta-regression", "bivariate-reml", "bivariate-bayes")
SAMPLED = ("product-normal", "student-t", "class-exchangeable", "class-partial", "moderated")
EXTRA_MODELS = ("bivariate-ml", "daniels-hughes")
DEFAULT_FOCUS = "tactics"


def new_command(
    program: str, usage: str, description: str, examples: dict[str, str], exit_codes: str, *, uses_sets: bool = True
) -> ArgumentParser:
    """Return a parser without options; its help ends with the analysis sets, examples and exit codes.

    Parameters
    ----------
    program, usage, description : str
    examples : dict of str
        Purpose of a command line by its arguments.
    exit_codes : str
    uses_sets : bool
        Whether the command has an option for analysis sets, so that its help lists them.
    """
    width = max(map(len, SET_DESCRIPTIONS))
    sets = "\n".join(f"  {name:<{width}}  {words}" for name, words in SET_DESCRIPTIONS.items())
    listed_sets = f"Analysis sets:\n{sets}\n\n" if uses_sets else ""
    commands = "\n".join(
        f"  {program} {arguments}".rstrip() + f"\n      {purpose}" for arguments, purpose in examples.items()
    )
    return ArgumentParser(
        prog=program,
        usage=f"{program} {usage}",
        description=fill(description, 100),
        epilog=f"{listed_sets}Examples:\n{commands}\n\n{fill(f'Exit codes: {exit_codes}', 100)}",
        formatter_class=partial(RawDescriptionHelpFormatter, width=100),
        add_help=False,
    )


def add_tables(command: ArgumentParser) -> _ArgumentGroup:
    """Add the options on the tables that every command has."""
    group = command.add_argument_group("Data")
    group.add_argument(
        "--trials", metavar="DIR", help="folder with tables in the format of data/trials/ (default: the shipped tables)"
    )
    group.add_argument(
        "--add", metavar="FILE", help="CSV or XLSX with your trials, long or wide; they join the tables for this run"
    )
    return group


def add_own_table(group: _ArgumentGroup) -> None:
    """Add the options on the user's own table."""
    group.add_argument(
        "--pairs", metavar="FILE", help="CSV or XLSX with your trials, long or wide, which is fitted alone"
    )
    group.add_argument("--template", metavar="FILE", help="write a table to fill in, XLSX or CSV, and stop")
    group.add_argument("--check", action="store_true", help="check the tables, print every remark, and stop")


def add_selection(command: ArgumentParser) -> None:
    """Add the options on the trials and hazard ratios that are analysed."""
    group = command.add_argument_group("Which trials")
    group.add_argument(
        "sets", nargs="*", metavar="SET", help=f"analysis sets, see below (default: {' '.join(DEFAULT_SETS)})"
    )
    add_pairing(group, "PFS,TACE-PFS,TTP; with --pairs those of its table")


def add_models(command: ArgumentParser) -> None:
    """Add the options on models."""
    group = command.add_argument_group(
        "Models",
        f"default: {' '.join(DEFAULT_MODELS)}\nfurther: {' '.join(EXTRA_MODELS)}\n"
        f"sampled, half a minute each: {' '.join(SAMPLED)}",
    )
    add = group.add_argument
    add("--model", nargs="+", action="extend", metavar="NAME", help="models to fit")
    add_rho_within(group)
    add(
        "--weights",
        default="n",
        choices=("n", "events", "inverse-variance", "sqrt-n", "none"),
        help="weights of correlation and regression (default n, the number of patients)",
    )
    add(
        "--nuts",
        action="store_true",
        help="also sample the posteriors of the exact Bayesian models with PyMC, and compare them",
    )
    add_seed(group)


def add_seed(group: _ArgumentGroup) -> None:
    """Add the seed that every command has."""
    group.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the random numbers (default 0)")


def add_questions(command: ArgumentParser) -> None:
    """Add the options on a single trial and on sensitivity analyses."""
    group = command.add_argument_group("Question")
    add = group.add_argument
    add(
        "--focus",
        metavar="TRIAL",
        help="compare the OS effect of this trial with the prediction from its PFS effect (default: added trials, "
        "and tactics)",
    )
    add(
        "--predict",
        nargs=3,
        metavar=("HR", "LOW", "HIGH"),
        help="predict the OS hazard ratio of a new trial from its PFS hazard ratio and 95%% limits; add --new-n to "
        "predict the observed hazard ratio",
    )
    add(
        "--equivalent-slope",
        type=float,
        metavar="D",
        help="print the probability that the slopes of two sets differ by at most D (practical equivalence)",
    )
    add(
        "--sensitivity",
        action="store_true",
        help="run the sensitivity analyses: each choice varied, subgroups, published interval methods, external "
        "validation (a minute)",
    )
    add(
        "--new-n",
        type=float,
        metavar="N",
        help="patients of the new trial in prediction bands and surrogate threshold effects (default: mean of the set; "
        "for meta-regression and bivariate models the true effect)",
    )


def add_post_progression(command: ArgumentParser) -> None:
    """Add the options on the trial that is decomposed."""
    group = command.add_argument_group("Question")
    add = group.add_argument
    add("--focus", default=DEFAULT_FOCUS, metavar="TRIAL", help="comparison to decompose in detail (default tactics)")
    add("--set", default="all", metavar="SET", help="analysis set of the trial-level analyses, see below (default all)")
    add(
        "--direct-death",
        type=float,
        metavar="Q",
        help="share of PFS events that are deaths without progression (default: the counts of the tables, else an "
        "assumed 0.1; with --plan 0)",
    )
    add(
        "--hr-direct-death",
        type=float,
        metavar="HR",
        help="hazard ratio of death without progression (default: the PFS hazard ratio)",
    )
    add(
        "--shape",
        type=float,
        default=1.0,
        metavar="P",
        help="Weibull shape of the hazards before progression: 1 constant, above 1 increasing (default 1)",
    )
    add(
        "--resamples",
        type=int,
        default=2000,
        metavar="N",
        help="simulated trials for the intervals of the trial in focus (default 2000)",
    )
    add_seed(group)


def add_planning(command: ArgumentParser) -> None:
    """Add the options on a trial that is planned."""
    group = command.add_argument_group("Planning a trial", "Months; pairs of numbers are control, then experimental.")
    add = group.add_argument
    add("--plan", action="store_true", help="plan a trial from --pfs and --pps or --os; no tables are read")
    add(
        "--pfs", nargs="+", type=float, metavar="M", help="median PFS of both arms, or of the control arm with --hr-pfs"
    )
    add("--hr-pfs", type=float, metavar="HR", help="PFS hazard ratio, experimental over control")
    add("--pps", nargs="+", type=float, metavar="M", help="median post-progression survival: one for both arms, or two")
    add(
        "--os",
        type=float,
        metavar="M",
        help="median OS of the control arm, instead of --pps; both arms then have the PPS that it implies",
    )
    add("--accrual", type=float, metavar="M", help="accrual period at a constant rate (default 18)")
    add("--follow-up", type=float, metavar="M", help="time from the last entry to the data cut (default 6)")
    add("--loss", type=float, metavar="H", help="hazard of loss to follow-up per month (default 0)")
    add(
        "--crossover",
        type=float,
        metavar="S",
        help="share of control patients who cross over at progression and then have the PPS of the experimental arm "
        "(default 0)",
    )
    add(
        "--allocation",
        nargs=2,
        type=float,
        metavar=("CTL", "EXP"),
        help="patients per arm, or their ratio (default 1 1)",
    )
    add("--alpha", type=float, metavar="A", help="two-sided significance level (default 0.05)")
    add("--n", type=int, metavar="N", help="number of patients (default: as needed for --power)")
    add("--power", type=float, metavar="P", help="required power (default 0.8)")
    add("--power-for", choices=("pfs", "os"), help="endpoint of the required power (default pfs)")
    add("--simulate", type=int, default=0, metavar="N", help="number of trials to simulate (default 0)")


def fit_settings(options: Namespace) -> tuple[FitSettings, tuple[str, ...]]:
    """Make the settings of a run of fits, and warnings about the new trial.

    Raises
    ------
    UsageError
        If a value is impossible.
    """
    from surrogacy.analysis.settings import FitSettings
    from surrogacy.evaluation.new_trial import parse_new_trial

    settings = FitSettings(
        sets=tuple(options.sets or DEFAULT_SETS),
        models=tuple(dict.fromkeys(options.model or DEFAULT_MODELS)),
        required_models=tuple(options.model or ()),
        tables=path_of(options.trials),
        added=path_of(options.add),
        pairs_table=path_of(options.pairs),
        pairing=pairing_of(options),
        shared_patients=options.rho_within == SHARED_PATIENTS,
        weights=options.weights,
        new_n=options.new_n,
        seed=options.seed,
        focus=options.focus or DEFAULT_FOCUS,
        focus_required=options.focus is not None,
        sensitivity=options.sensitivity,
        nuts=options.nuts,
        equivalent_slope=options.equivalent_slope,
        criteria_style=options.report_style,
        show=tuple(dict.fromkeys(options.show)),
        sets_named=bool(options.sets),
    )
    if options.predict is None:
        return settings, ()
    new_trial, warnings = parse_new_trial(options.predict, rho_within_number(options), options.new_n)
    return replace(settings, new_trial=new_trial), warnings


def pps_settings(options: Namespace) -> PpsSettings:
    """Make the settings of a run on post-progression survival.

    Raises
    ------
    UsageError
        If a value is impossible.
    """
    from surrogacy.analysis.settings import PpsSettings
    from surrogacy.pps.structure import TransitionStructure

    return PpsSettings(
        set_name=options.set,
        tables=path_of(options.trials),
        added=path_of(options.add),
        focus=options.focus,
        direct_death=options.direct_death,
        structure=TransitionStructure(options.hr_direct_death, options.shape),
        resamples=options.resamples,
        seed=options.seed,
    )


def path_of(text: str | None) -> Path | None:
    """Return a path, or None for an empty name."""
    return Path(text) if text else None
