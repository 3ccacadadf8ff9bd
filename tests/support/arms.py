"""Made-up arms: as a table of arms holds them, and as an illness-death model."""

from __future__ import annotations

import numpy as np

from surrogacy.pps.arms import ArmPps, Pps, model_pps
from surrogacy.pps.trial_summary import Median, Sourced
from surrogacy.survival.illness_death import IllnessDeath


def made_arm(trial, pfs, os, n=100, year=2010, arm="exp", **values):
    found = {"median-difference": os - pfs, "model": float(model_pps(pfs, os, 0.1)), **values}
    return ArmPps(
        comparison=trial,
        trial=trial,
        arm=arm,
        label="",
        trial_label=trial,
        year=year,
        stage="advanced",
        line="first",
        evidence="primary",
        n=n,
        pfs_endpoint="PFS",
        median_os=Median(os),
        median_pfs=Median(pfs),
        values=tuple(Pps(months, definition) for definition, months in found.items()),
        direct_death=Sourced(0.1, "made"),
    )


def exponential_arm(pfs, pps, q=13 / 134):
    """Arm with median PFS and PPS and a share q of PFS events that are deaths; as in TACTICS, 13 of 134."""
    return IllnessDeath((1 - q) * np.log(2) / pfs, q * np.log(2) / pfs, np.log(2) / pps)
