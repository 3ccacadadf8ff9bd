"""A decomposition as numbers, and in words: what the report of the fit and that on post-progression survival have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from surrogacy.pps.decomposition import Decomposition
from surrogacy.results.format import number

RESIDUAL_P = "p of the residual (two-sided)"
P_LIMIT = 0.05


def decomposition_record(one: Decomposition) -> dict[str, Any]:
    """One decomposition as a flat record of numbers."""
    record: dict[str, Any] = {
        "comparison": one.inputs.comparison,
        "endpoint": one.inputs.endpoint,
        "cut": one.calibration.cut,
        "pfs_effect": one.calibration.pfs,
        "calibration": one.calibration.name,
        "n_ctl": one.inputs.n[0],
        "n_exp": one.inputs.n[1],
        "direct_death": one.inputs.direct_death.value,
        "direct_death_assumed": one.inputs.direct_death.assumed,
        "follow_up_low": (one.inputs.follow_up.value or (None, None))[0],
        "follow_up_high": (one.inputs.follow_up.value or (None, None))[1],
        "follow_up_assumed": one.inputs.follow_up.assumed,
        "median_pfs_ctl": one.calibration.median_pfs[0],
        "median_pfs_exp": one.calibration.median_pfs[1],
        "model_pps_ctl": one.calibration.median_pps[0],
        "model_pps_exp": one.calibration.median_pps[1],
    }
    for prefix, estimates in (
        ("hr", one.hazard_ratios),
        ("log_hr", one.effects),
        ("share", one.shares),
        ("model_share", one.model.shares),
    ):
        for key, estimate in estimates.items():
            record |= {
                f"{prefix}_{key}": estimate.value,
                f"{prefix}_{key}_low": estimate.low,
                f"{prefix}_{key}_high": estimate.high,
            }
    for key, share_set in one.gap.share_sets.items():
        outside = share_set.shape == "outside"
        record |= {
            f"share_{key}_set": share_set.shape,
            f"share_{key}_excluded_low": share_set.low if outside else None,
            f"share_{key}_excluded_high": share_set.high if outside else None,
        }
    for ordering in one.model.orderings:
        record |= {f"{part}_{ordering.reference}_first": getattr(ordering, part) for part in ("dilution", "imbalance")}
    return record | {
        "hr_pps_endless": one.equal_pps.endless,
        "hr_pps_endless_complete": one.equal_pps.endless_complete,
        "pps_needed": one.equal_pps.needed,
        "pps_needed_complete": one.equal_pps.needed_complete,
        "expected_deaths": one.model.expected_deaths,
        "p_residual": one.p_residual,
        "p_hazard_ratio": one.resampling.p_hazard_ratio,
        "identified": one.identified,
        "resamples": one.resampling.trials,
        "lost": one.resampling.lost,
        "at_boundary": one.resampling.at_boundary,
        "problems": "; ".join(one.problems),
    }


def residual_p_record(found: Sequence[Decomposition]) -> dict[str, Any]:
    """Number of p-values of residuals, how many lie below 0.05, and how many would if every true residual were 0."""
    below = sum(one.p_residual < P_LIMIT for one in found)
    return {"tests": len(found), "below_0.05": below, "expected_below_0.05": P_LIMIT * len(found)}


def residual_p_words(found: Sequence[Decomposition]) -> str:
    """Meaning of a p-value of a residual, and how many there are of them."""
    counts = residual_p_record(found)
    return (
        "p of the residual: two-sided p-value of a residual of 0, by simulated trials; it is not the probability that "
        f"the residual is due to chance. It is one of {counts['tests']} p-values: {counts['expected_below_0.05']:.2f} "
        f"of them would be expected below 0.05 if every true residual were 0, and {counts['below_0.05']} are below it."
    )


def months(value: float | None) -> str:
    """Months without decimals, or that no length will do."""
    return "none will do" if value is None else number(value, 0)


def summary_line(one: Decomposition) -> str:
    """One line on the trial in focus for the report of the fit."""
    hr = one.hazard_ratios
    return (
        f"post-progression survival ({one.calibration.label}): with equal PPS in both arms the OS HR expected of {one.inputs.endpoint} HR "
        f"{number(hr['pfs'].value, 3)} is {number(hr['equal'].value, 3)}, with the PPS difference {number(hr['model'].value, 3)}, observed "
        f"{number(hr['observed'].value, 3)}. {one.parts_in_words}{'' if one.identified else ' The split is not identified'} "
        "(python -m surrogacy.pps)"
    )
