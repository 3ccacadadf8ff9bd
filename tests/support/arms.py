"""Made-up arms whose correlation of PPS and OS is audited."""

from __future__ import annotations

from surrogacy.pps.arms import ArmPps, Pps, model_pps
from surrogacy.pps.trial_summary import Median, Sourced


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
