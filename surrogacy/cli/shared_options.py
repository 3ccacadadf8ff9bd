"""Options that commands with different tasks share, and the values that follow from them."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace, _ArgumentGroup
from typing import TYPE_CHECKING

import surrogacy

if TYPE_CHECKING:
    from surrogacy.trials.analysis_set import Pairing

DEFAULT_RHO_WITHIN = 0.5
SHARED_PATIENTS = "shared-patients"


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
        help="comparisons that report a hazard ratio of only one endpoint: exclude (default), so that all models "
        "describe the same comparisons, or include in the bivariate models, which assumes that the other is missing "
        "at random",
    )


def add_rho_within(group: _ArgumentGroup) -> None:
    """Add the correlation that is assumed where the tables give none."""
    group.add_argument(
        "--rho-within",
        type=_rho_within,
        default=DEFAULT_RHO_WITHIN,
        metavar="R",
        help="within-trial correlation of the two log hazard ratios, if the tables give none (default 0.5, an "
        "assumption between the median of about 0.45 derived from shared patients here and 0.80 in patient data of "
        f"other cancers); {SHARED_PATIENTS}: derived for each trial from its medians and follow-up",
    )


def _rho_within(text: str) -> float | str:
    """Return a number, or the word for correlations by trial."""
    if text == SHARED_PATIENTS:
        return text
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither a number nor {SHARED_PATIENTS}") from None


def rho_within_number(options: Namespace) -> float:
    """Return the correlation that is assumed where neither the tables nor shared patients give one."""
    return DEFAULT_RHO_WITHIN if options.rho_within == SHARED_PATIENTS else float(options.rho_within)


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
        endpoints, (), rho_within_number(options), options.min_evidence, options.shared_control, options.one_endpoint
    )
