"""Options that commands with different tasks share, and the values that follow from them."""

from __future__ import annotations

from argparse import Namespace, _ArgumentGroup
from typing import TYPE_CHECKING

import surrogacy

if TYPE_CHECKING:
    from surrogacy.trials.analysis_set import Pairing


def add_pairing(group: _ArgumentGroup, default: str) -> None:
    """Add the options on the two hazard ratios of a comparison.

    Parameters
    ----------
    group : argument group
    default : str
        Default surrogate endpoints, for the help.
    """
    add = group.add_argument
    add(
        "--endpoints",
        metavar="LIST",
        help=f"surrogate endpoints in order of preference (default {default})",
    )
    add(
        "--min-evidence",
        default="secondary",
        choices=("primary", "secondary", "unverified"),
        help="weakest evidence that a hazard ratio may have (default secondary)",
    )
    add(
        "--shared-control",
        default="cov",
        choices=("cov", "first", "combine"),
        help="treatment of comparisons that share a control arm: model their covariance (cov, the default), keep the "
        "first, or combine the experimental arms",
    )
    add(
        "--one-endpoint",
        default="exclude",
        choices=("exclude", "include"),
        help="comparisons with a hazard ratio of one endpoint alone: exclude (default), so that all models describe "
        "the same comparisons, or include in the bivariate models, which assumes that the other is missing at random",
    )


def add_rho_within(group: _ArgumentGroup) -> None:
    """Add the correlation that is assumed where the tables give none."""
    group.add_argument(
        "--rho-within",
        type=float,
        default=0.5,
        metavar="R",
        help="within-trial correlation of the two log hazard ratios, if the tables give none (default 0.5)",
    )


def add_information(group: _ArgumentGroup) -> None:
    """Add the version and the help."""
    group.add_argument(
        "--version", action="version", version=f"surrogacy {surrogacy.__version__}", help="print the version and stop"
    )
    group.add_argument("-h", "--help", action="help", help="print this help and stop")


def pairing_of(options: Namespace) -> Pairing:
    """Make the choice of the two hazard ratios of a comparison; no surrogates if no endpoint is named.

    Raises
    ------
    UsageError
        If a value is impossible.
    """
    from surrogacy.trials.analysis_set import Pairing

    endpoints = tuple(filter(None, map(str.strip, (options.endpoints or "").split(","))))
    return Pairing(
        endpoints, (), options.rho_within, options.min_evidence, options.shared_control, options.one_endpoint
    )
