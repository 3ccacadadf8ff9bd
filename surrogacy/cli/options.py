"""Options of the commands, a group at a time, and the settings that they make.

NumPy is not loaded before the arguments are read.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _ArgumentGroup
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import surrogacy

if TYPE_CHECKING:
    from surrogacy.analysis.settings import FitSettings, PpsSettings

DEFAULT_SETS = ("intermediate", "advanced", "tactics-2022", "llovet-2019-pfs")
# those before bivariate-ml are the default; those after daniels-hughes are sampled and take seconds
DEFAULT_MODELS = ("weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes")
SAMPLED = ("product-normal", "student-t", "class-exchangeable", "class-partial", "moderated")
MODELS = (*DEFAULT_MODELS, "bivariate-ml", "daniels-hughes", *SAMPLED)
DEFAULT_FOCUS = "tactics"


def add_tables(command: ArgumentParser, added: str) -> _ArgumentGroup:
    """Add the options on tables that every command has; ``added`` is the help of ``--add``."""
    group = command.add_argument_group("input")
    group.add_argument(
        "--trials", metavar="DIR", help="tables of the same form as data/trials/ (default: the shipped ones)"
    )
    group.add_argument("--add", metavar="FILE", help=added)
    return group


def add_pairing(group: _ArgumentGroup) -> None:
    """Add the options on which hazard ratios are paired."""
    group.add_argument("--pairs", metavar="FILE", help="fit this table alone, one row a comparison")
    group.add_argument("--check", action="store_true", help="check the tables and stop")
    group.add_argument(
        "--rho-within",
        type=float,
        default=0.5,
        metavar="R",
        help="within-trial correlation of the two log HRs where none is given (default 0.5)",
    )
    group.add_argument(
        "--min-evidence",
        default="secondary",
        choices=("primary", "secondary", "unverified"),
        help="weakest evidence of a hazard ratio (default secondary)",
    )
    group.add_argument(
        "--endpoints",
        metavar="LIST",
        help="surrogates in order of preference (default PFS,TACE-PFS,TTP; with --pairs those of its table)",
    )
    group.add_argument(
        "--shared-control",
        default="cov",
        choices=("cov", "first", "combine"),
        help="comparisons that share a control arm (default cov)",
    )


def add_models(command: ArgumentParser) -> None:
    """Add the options on models."""
    group = command.add_argument_group("models")
    group.add_argument(
        "--model",
        nargs="+",
        action="extend",
        metavar="NAME",
        help=f"of {', '.join(MODELS)} (default: the first {len(DEFAULT_MODELS)})",
    )
    group.add_argument(
        "--weights",
        default="n",
        choices=("n", "events", "inverse-variance", "sqrt-n", "none"),
        help="of correlation and regression (default n)",
    )
    group.add_argument(
        "--nuts",
        action="store_true",
        help="sample the exact Bayesian models with PyMC too, and print how far the two posteriors are apart, "
        "in Monte Carlo errors",
    )
    add_seed(group)


def add_seed(group: _ArgumentGroup) -> None:
    """Add the seed, as every command has it."""
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")


def add_questions(command: ArgumentParser) -> None:
    """Add the options on a single trial, and on how far a result can be trusted."""
    group = command.add_argument_group("questions")
    group.add_argument(
        "--focus",
        metavar="TRIAL",
        help="place this trial, every comparison of it, within the regression (default tactics where it is in the set)",
    )
    group.add_argument(
        "--predict",
        nargs=3,
        metavar=("HR", "LOW", "HIGH"),
        help="predict the OS HR of a new trial with this surrogate HR and 95%% limits; --new-n for what it will "
        "observe",
    )
    group.add_argument(
        "--sensitivity",
        action="store_true",
        help="vary every choice, refit every subgroup, make every published interval, predict each set from the others "
        "(a minute)",
    )
    group.add_argument(
        "--new-n",
        type=float,
        metavar="N",
        help="patients of the new trial in prediction bands and STE (default: the mean of the set; bivariate models: "
        "the true effect)",
    )


def add_post_progression(group: _ArgumentGroup) -> None:
    """Add the options on the trial that is decomposed."""
    group.add_argument(
        "--focus", default=DEFAULT_FOCUS, metavar="TRIAL", help="comparison to decompose in every way (default tactics)"
    )
    group.add_argument("--set", default="all", metavar="SET", help="analysis set of the moderated line (default all)")
    group.add_argument(
        "--direct-death",
        type=float,
        metavar="Q",
        help="share of PFS events that are deaths in the trial in focus (default: as the tables count them, else 0.1, "
        "named as an assumption); with --plan of both arms",
    )
    group.add_argument(
        "--resamples",
        type=int,
        default=2000,
        metavar="N",
        help="simulated trials for the intervals of the trial in focus (default 2000)",
    )
    add_seed(group)


def add_planning(command: ArgumentParser) -> None:
    """Add the options on a trial that is planned."""
    group = command.add_argument_group("planning")
    group.add_argument("--plan", action="store_true", help="plan a trial from --pfs and --pps or --os instead")
    group.add_argument(
        "--pfs", nargs="+", type=float, metavar="M", help="median PFS of both arms, or of the control with --hr-pfs"
    )
    group.add_argument("--hr-pfs", type=float, metavar="HR", help="PFS hazard ratio, experimental over control")
    group.add_argument("--pps", nargs="+", type=float, metavar="M", help="median PPS: one for both arms, or two")
    group.add_argument(
        "--os",
        type=float,
        metavar="M",
        help="median OS of the control arm, instead of --pps: both arms have the PPS that gives it",
    )
    group.add_argument("--accrual", type=float, metavar="M", help="months of even accrual (default 18)")
    group.add_argument(
        "--follow-up", type=float, metavar="M", help="months from the last entry to the data cut (default 6)"
    )
    group.add_argument("--loss", type=float, metavar="H", help="hazard of loss to follow-up per month (default 0)")
    group.add_argument(
        "--crossover",
        type=float,
        metavar="S",
        help="share of progressed control patients with the experimental arm's PPS (default 0)",
    )
    group.add_argument(
        "--allocation", nargs=2, type=float, metavar=("CTL", "EXP"), help="patients or their ratio (default 1 1)"
    )
    group.add_argument("--alpha", type=float, metavar="A", help="two-sided level (default 0.05)")
    group.add_argument("--n", type=int, metavar="N", help="patients in all (default: as many as --power needs)")
    group.add_argument("--power", type=float, metavar="P", help="wanted power (default 0.8)")
    group.add_argument("--power-for", choices=("pfs", "os"), help="endpoint that the power is for (default pfs)")
    group.add_argument("--simulate", type=int, default=0, metavar="N", help="also simulate N trials")


def add_output(command: ArgumentParser, folder: str, folder_help: str) -> _ArgumentGroup:
    """Add the options on output that every command has: the folder first, then how figures are drawn."""
    group = command.add_argument_group("output")
    group.add_argument("--out", default=folder, metavar="DIR", help=folder_help)
    group.add_argument("--details", action="store_true", help="print every number and caveat below the answer")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout, and no files")
    group.add_argument(
        "--preset",
        default="elsevier",
        choices=("elsevier", "lancet", "nejm", "jama", "karger", "nature"),
        help="journal that the figures are for (default elsevier)",
    )
    group.add_argument(
        "--format",
        nargs="+",
        default=["pdf", "svg", "png"],
        choices=("pdf", "svg", "png", "tiff"),
        help="of the figures (default pdf svg png)",
    )
    group.add_argument("--quiet", action="store_true", help="no progress, no warnings, no result on the screen")
    group.add_argument("--version", action="version", version=f"surrogacy {surrogacy.__version__}")
    return group


def add_verdicts(group: _ArgumentGroup) -> None:
    """Add the options on how results and warnings are judged."""
    group.add_argument(
        "--report-style",
        default="neutral",
        choices=("neutral", "verdict"),
        help="whether the verdicts of IQWiG, TSD 20, BSES3 and frailtypack are given in their own words, or as numbers "
        "only (default)",
    )
    group.add_argument("--strict", action="store_true", help="exit 5 if there was any warning")


def fit_settings(options: Namespace) -> tuple[FitSettings, tuple[str, ...]]:
    """Return the settings of a run of fits, and warnings about the new trial.

    Raises
    ------
    UsageError
        If a value is impossible.
    """
    from surrogacy.analysis.settings import FitSettings
    from surrogacy.evaluation.new_trial import parse_new_trial
    from surrogacy.trials.analysis_set import Pairing

    endpoints = tuple(filter(None, map(str.strip, (options.endpoints or "").split(","))))
    settings = FitSettings(
        sets=tuple(options.sets or DEFAULT_SETS),
        models=tuple(dict.fromkeys(options.model or DEFAULT_MODELS)),
        required_models=tuple(options.model or ()),
        tables=path_of(options.trials),
        added=path_of(options.add),
        pairs_table=path_of(options.pairs),
        pairing=Pairing(endpoints, (), options.rho_within, options.min_evidence, options.shared_control),
        weights=options.weights,
        new_n=options.new_n,
        seed=options.seed,
        focus=options.focus or DEFAULT_FOCUS,
        focus_required=options.focus is not None,
        sensitivity=options.sensitivity,
        nuts=options.nuts,
        criteria_style=options.report_style,
        sets_named=bool(options.sets),
    )
    if options.predict is None:
        return settings, ()
    new_trial, warnings = parse_new_trial(options.predict, options.rho_within, options.new_n)
    return replace(settings, new_trial=new_trial), warnings


def pps_settings(options: Namespace) -> PpsSettings:
    """Return the settings of a run on post-progression survival.

    Raises
    ------
    UsageError
        If a value is impossible.
    """
    from surrogacy.analysis.settings import PpsSettings

    return PpsSettings(
        set_name=options.set,
        tables=path_of(options.trials),
        added=path_of(options.add),
        focus=options.focus,
        direct_death=options.direct_death,
        resamples=options.resamples,
        seed=options.seed,
    )


def path_of(text: str | None) -> Path | None:
    """Return a path, or None where none is named."""
    return Path(text) if text else None
