"""Trial summaries that several tests calibrate."""

from __future__ import annotations

from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary


def trial(pfs=(13.5, 22.8), os=(30.8, 36.2), hr_pfs=0.661, hr_os=0.861, q=13 / 134, follow_up=(52.0, 113.0), **others):
    """A trial with the values of TACTICS unless told otherwise."""
    return TrialSummary(
        **{
            "comparison": "made-up",
            "n": (76, 80),
            "cuts": (PfsCut("updated", HazardRatio(hr_pfs), (Median(pfs[0]), Median(pfs[1]))),),
            "median_os": (Median(os[0]), Median(os[1])),
            "hr_os": HazardRatio(hr_os),
            "direct_death": Sourced(q, "made up"),
            "follow_up": Sourced(follow_up, "made up"),
        }
        | others
    )
