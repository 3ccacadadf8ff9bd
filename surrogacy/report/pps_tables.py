"""Tables of a run on post-progression survival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import exp
from typing import Any

import pandas as pd

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.shares import share_words
from surrogacy.report.pps_words import RESIDUAL_P, decomposition_record, months, residual_p_words
from surrogacy.report.tables import ReportTable, records_table
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, with_interval
from surrogacy.stats.thresholds import threshold_caveats

STEPS = {
    "pfs": "HR PFS (PPS → 0)",
    "equal": "OS HR, equal PPS",
    "model": "OS HR, PPS as calibrated",
    "observed": "OS HR, observed",
}
PARTS = {"dilution": "Dilution", "imbalance": "Imbalance of PPS", "residual": "Residual"}
AUDITED = {
    "r_os_pps": "r(OS, PPS)",
    "r_os_pfs": "r(OS, PFS)",
    "r_pfs_pps": "r(PFS, PPS)",
    "sd_ratio": "SD of PPS over that of PFS",
    "shapley_share": "Share of PPS in the variance of OS (Shapley)",
    "covariance_share": "Share of PPS in the variance of OS (covariance)",
    "median_os": "Median OS, months",
    "median_pfs": "Median PFS, months",
    "median_pps": "Median PPS, months",
    "pps_share": "PPS / OS, percentage points",
}
POWER_NOTE = "not given: the power at the difference found is a function of the p-value alone; see detectable"
HOW = (
    "OS hazard ratios are large-sample limits of the Cox estimate under the follow-up of the trial, from an illness-death model with constant hazards. "
    "Dilution: one PPS in both arms (mean of the log hazard ratios with the control's and with the experimental arm's PPS); imbalance: either arm its own "
    "PPS, which is compared among the progressed and is no randomised comparison; residual: observed less model. Calibration L: PPS as reported; "
    "M: PPS fitted to the OS medians. A PFS effect from an earlier data cut than that of OS mixes two dates."
)
SHARE_SETS = (
    "Shares of the gap: Fieller sets, unbounded where the gap is not clearly different from 0. Their level holds over all trials, those "
    "with an unbounded set included; among trials whose gap excludes 0 the sets hold the truth less often."
)


def pps_tables(run: PpsRun) -> list[ReportTable]:
    """All that a run has of them."""
    tables = []
    if run.decompositions:
        assert run.focus is not None
        title = f"From the effect on {run.focus.endpoint} to that on OS: {run.focus.name}"
        tables.append(decomposition_table("decomposition", title, run.decompositions, residual_p_words(run.every)))
        tables.append(_by_direct_death(run))
    if run.at_risk is not None:
        tables.append(at_risk_table(run.at_risk))
    if run.every:
        note = residual_p_words(run.every)
        tables.append(decomposition_table("every_trial", "Every trial whose medians allow it", run.every, note))
        refused = [{"comparison": comparison, "why": why} for comparison, why in run.refused.items()]
        labels = dict(zip(run.trials.trials["comparison"], run.trials.trials["label"], strict=True))
        columns = {"comparison": "Comparison", "why": "Why not"}
        tables.append(
            records_table("not_decomposed", "Comparisons without a decomposition", "", refused, columns, labels)
        )
    if run.audits:
        tables.append(coupling_table(run.audits))
    if run.moderations:
        tables += moderation_tables(run)
    return tables


def decomposition_table(name: str, title: str, found: Sequence[Decomposition], p_note: str = "") -> ReportTable:
    """A row a decomposition: hazard ratios along the way, and the shares of the gap with their intervals."""
    words = []
    for one in found:
        pps = " / ".join(number(value, 1) for value in one.calibration.median_pps)
        row = {
            "Trial": one.inputs.name,
            "PFS effect": one.calibration.scenario,
            "Calibration": one.calibration.name,
            "Model PPS, months (control / experimental)": pps,
        }
        row |= {heading: with_interval(one.hazard_ratios[key], 3) for key, heading in STEPS.items()}
        row |= {f"{heading}, log HR": with_interval(one.effects[key], 2) for key, heading in PARTS.items()}
        row |= {f"{heading}, share of the gap": share_words(one.shares[key]) for key, heading in PARTS.items()}
        row |= {
            "Split identified": "yes" if one.identified else "no",
            RESIDUAL_P: number(one.p_residual),
            "OS HR, PPS → ∞ (follow-up of the trial; complete)": f"{number(one.equal_pps.endless, 3)}; {number(one.equal_pps.endless_complete, 3)}",
            "PPS that dilution alone would need, months": months(one.equal_pps.needed),
        }
        words.append(row)
    notes = dict.fromkeys(f"{one.inputs.name}: {problem}" for one in found for problem in one.problems)
    note = f"{HOW} Intervals: {found[0].effects['gap'].kind}, 95%. {SHARE_SETS} {p_note} {'. '.join(notes)}."
    return ReportTable(
        name, title, note, pd.DataFrame([decomposition_record(one) for one in found]), pd.DataFrame(words)
    )


def _by_direct_death(run: PpsRun) -> ReportTable:
    columns = {
        "direct_death": "Share of PFS events that are deaths",
        "equal": "OS HR, equal PPS",
        "model": "OS HR, PPS as calibrated",
        "dilution_of_model": "Dilution, of the model's attenuation",
        "dilution": "Dilution, of the gap",
        "imbalance": "Imbalance, of the gap",
        "residual": "Residual, of the gap",
    }
    label = (
        run.main.calibration.label
        if run.main is not None
        else "calibration M, first PFS effect of the table of decompositions"
    )
    note = f"{label[0].upper()}{label[1:]}; shares of the gap and of the model's attenuation, point values without intervals."
    title = "What the share of deaths without progression changes"
    return records_table(
        "direct_death", title, note, [asdict(scenario) for scenario in run.by_direct_death], columns, {}, digits=3
    )


def at_risk_table(found: AtRiskComparison) -> ReportTable:
    """Constant and piecewise post-progression hazards beside the numbers at risk."""
    columns = {
        "model": "Post-progression hazards",
        "ctl": "Control, a month",
        "exp": "Experimental, a month",
        "deviance": "Deviance",
        "free": "Fitted hazards",
        "hr_os": "OS HR (Cox limit)",
        "median_os_ctl": "Median OS, control",
        "median_os_exp": "Median OS, experimental",
    }
    crude = "; ".join(
        f"{one.start:g} to {one.stop:g} months {number(one.value)} ({number(one.low)} to {number(one.high)})"
        for one in found.crude
    )
    meeting = (
        ""
        if found.meeting is None
        else f" The shares at risk meet between {found.meeting[0]:g} and {found.meeting[1]:g} months."
    )
    change = "" if found.p_change is None else f", first two equal: p = {number(found.p_change)}"
    note = (
        f"Likelihood ratio test of piecewise against fitted constant hazards: p = {number(found.p)}. Crude ratios of the rates at which the numbers at risk fall, "
        f"experimental over control: {crude}{change}.{meeting} {'. '.join(found.problems)}."
    )
    return records_table("at_risk", "When the patients died", note, at_risk_records(found), columns, {}, digits=3)


def at_risk_records(found: AtRiskComparison) -> list[dict[str, Any]]:
    """Every model beside the numbers at risk as a flat record."""
    return [
        {
            "model": one.name,
            "ctl": ", ".join(number(value, 4) for value in one.hazards[0]),
            "exp": ", ".join(number(value, 4) for value in one.hazards[1]),
            "deviance": one.deviance,
            "free": one.free,
            "hr_os": one.hr_os,
            "median_os_ctl": one.median_os[0],
            "median_os_exp": one.median_os[1],
        }
        for one in found.fits
    ]


def coupling_table(audits: Sequence[CouplingAudit]) -> ReportTable:
    """What the correlation of OS with a part of itself is, and would be anyway."""
    records = [record for audit in audits for record in audit_records(audit)]
    columns = {
        "definition": "PPS",
        "quantity": "Quantity",
        "arms": "Arms",
        "trials": "Trials",
        "value": "Value",
        "low": "95% low",
        "high": "95% high",
        "kind": "How",
    }
    note = (
        "Descriptive: correlations of medians of arms, not of treatment effects, and no surrogacy information. OS is PFS plus PPS, so that each is "
        "correlated with OS by construction: the rows `if ...` tell how much of the correlation there would be without any relation. "
        + " ".join(
            f"{problem}." for problem in dict.fromkeys(problem for audit in audits for problem in audit.problems)
        )
    )
    return records_table("coupling", "Post-progression survival and OS, by arm", note, records, columns, AUDITED)


def audit_records(audit: CouplingAudit) -> list[dict[str, Any]]:
    """Every estimate of an audit, every null and the time trend, as flat records."""
    about = {
        "definition": audit.definition,
        "weights": audit.weights,
        "arms": len(audit.arms),
        "trials": len(audit.trials),
    }
    records = [about | {"quantity": name, **vars(estimate)} for name, estimate in audit.estimates.items()]
    names = ("r_os_pps", "r_os_pfs")
    observed = audit["r_os_pps"].value, audit["r_os_pfs"].value
    for null in audit.nulls:
        shares = null.shares_at_or_above(*(float("nan") if value is None else value for value in observed))
        for name, value, (low, high), share in zip(names, null.mean, null.range, shares, strict=True):
            kind = f"mean and middle 95% of the null, {share:.1%} of it at or above what was observed; {null.made}"
            limits = {"value": value, "low": low, "high": high}
            records.append(about | {"quantity": f"{AUDITED[name]} if {null.name}", **limits, "kind": kind})
    for name, estimate in audit.trend.items():
        numbers = vars(estimate)
        if name == "pps_share":  # a share changes by fractions of a per cent a year
            numbers = numbers | {
                key: 100 * numbers[key] for key in ("value", "se", "low", "high") if numbers[key] is not None
            }
        records.append(about | {"quantity": f"{AUDITED[name]} a year", **numbers})
    return records


def moderation_tables(run: PpsRun) -> list[ReportTable]:
    """The line at several values of every moderator, what the estimates rest on, and the regression on what dilution leaves."""
    lines = [record for one in run.moderations for record in moderated_records(one)]
    columns = {
        "moderator": "Moderator",
        "k": "k",
        "place": "Quantile or level",
        "label": "Value",
        "slope": "Slope",
        "slope_low": "95% low",
        "slope_high": "95% high",
        "hr_surrogate": "At a surrogate HR of",
        "predicted": "OS HR, true effect",
        "predicted_low": "95% low ",
        "predicted_high": "95% high ",
        "ste_prediction": "STE (HR)",
        "ste_prediction_status": "STE status",
        "r2_conditional": "Conditional R²",
    }
    notes: dict[str, list[str]] = {}
    for one in run.moderations:
        for problem in one.line.result.problems:
            notes.setdefault(problem, []).append(one.line.moderator.name)
    remarks = ". ".join(f"[{', '.join(names)}] {problem}" for problem, names in notes.items())
    flagged = [line for line in lines if line["ste_caveat"]]
    remarks += "".join(f". [{line['moderator']}, {line['label']}] {line['ste_caveat']}" for line in flagged)
    words = "; ".join(f"{one.line.moderator.name}: {one.line.moderator.words}" for one in run.moderations)
    note = (
        f"Set {run.set_name}. Daniels-Hughes line with a moderator of intercept and slope, errors of both effects, vague true surrogate effects (slopes are attenuated as in weighted least squares), exact. {words}. Trials with other values differ in "
        f"more than the moderator. {remarks}."
    )
    tables = [
        records_table(
            "moderated", "The surrogacy line by post-progression survival, stage and line", note, lines, columns, {}
        )
    ]
    estimates = [
        {"moderator": one.line.moderator.name, "k": len(one.line.result.effects), "estimate": name, **vars(estimate)}
        for one in run.moderations
        for name, estimate in one.line.result.estimates.items()
        if isinstance(estimate, Estimate)
    ]
    if run.offset is not None:
        estimates += [
            {"moderator": "dilution", "k": len(run.offset.result.effects), "estimate": name, **vars(estimate)}
            for name, estimate in run.offset.result.estimates.items()
            if isinstance(estimate, Estimate)
        ]
    of_estimates = {
        "moderator": "Moderator",
        "k": "k",
        "estimate": "Quantity",
        "value": "Estimate",
        "low": "95% low",
        "high": "95% high",
        "kind": "How",
    }
    about = "`dilution`: the OS effects regressed on those that the illness-death model leaves of the PFS effects; intercept 0 and share 1 mean that dilution is all there is."
    if run.offset is not None and run.offset.result.problems:
        about += f" {'. '.join(run.offset.result.problems)}."
    tables.append(
        records_table("moderated_estimates", "Estimates of the moderated lines", about, estimates, of_estimates, {})
    )
    if run.offset_sensitivity:
        of_offset = {
            "assumption": "Assumption",
            "intercept": "Intercept",
            "intercept_low": "95% low",
            "intercept_high": "95% high",
            "share": "Share",
            "share_low": "95% low ",
            "share_high": "95% high ",
            "tail_at_dilution_alone": "Posterior mass less plausible than (0, 1)",
            "problem": "Not fitted",
        }
        said = "OS effects regressed on what dilution alone leaves of the PFS effects, where the tables hold no follow-up or no deaths without progression."
        title = "What the assumptions do to the share that dilution explains"
        tables.append(
            records_table(
                "offset_sensitivity",
                title,
                said,
                [scenario.record for scenario in run.offset_sensitivity],
                of_offset,
                {},
            )
        )
    evidence = [evidence_record(one) for one in run.moderations]
    of_evidence = {
        "moderator": "Moderator",
        "permutation_p": "Permutation p",
        "power_for_dilution": "Power for what dilution alone gives",
        "comparisons_for_dilution": "Comparisons for 80% of that",
        "detectable": "Detectable difference of slopes, 80% power",
        "comparisons_needed": "Comparisons for 80% power at the difference found",
        "log_score": "Log score gained",
        "log_score_low": "95% low",
        "log_score_high": "95% high",
        "swayed": "Trials that change sign or significance",
    }
    said = (
        "Power and comparisons needed for the difference of slopes that dilution alone would give (PPS only); smallest "
        "true difference, either way, that these comparisons would find; comparisons needed if the difference found "
        f"were the true one; {run.moderations[0].needed.assumptions}. Last column: trials without any one of which the "
        "difference has the other sign, or an interval that tells otherwise whether it contains 0."
    )
    tables.append(
        records_table("moderation_evidence", "Is the moderation more than chance?", said, evidence, of_evidence, {})
    )
    return tables


def moderated_records(one: Moderated) -> list[dict[str, Any]]:
    """The line at several values of a moderator as flat records."""
    records = []
    for at in one.line.at_quantiles():
        slope, predicted, threshold = at["slope"], at["prediction"], at["ste_prediction"]
        intercept = Estimate(threshold.intercept)
        estimates = {"slope": slope, "intercept": intercept, "ste_prediction": threshold}
        caveats = threshold_caveats(estimates, one.line.result.effects)
        r2 = one.line.r2_at(at["value"])
        records.append(
            {
                "moderator": one.line.moderator.name,
                "k": len(one.line.result.effects),
                "place": at["place"],
                "value": at["value"],
                "label": at["label"],
                "slope": slope.value,
                "slope_low": slope.low,
                "slope_high": slope.high,
                "hr_surrogate": exp(at["log_hr"]),
                "predicted": exp(predicted.value),
                "predicted_low": exp(predicted.low),
                "predicted_high": exp(predicted.high),
                "ste_prediction": threshold.hr,
                "ste_prediction_status": threshold.status,
                "ste_prediction_made": threshold.made,
                "ste_caveat": ". ".join(caveats) or None,
                "r2_conditional": r2.value,
                "r2_conditional_low": r2.low,
                "r2_conditional_high": r2.high,
            }
        )
    return records


def evidence_record(one: Moderated) -> dict[str, Any]:
    """Permutation, power and prediction of a moderator as a flat record."""
    gained, dilution = one.score.difference, one.needed_for_dilution
    return {
        "moderator": one.line.moderator.name,
        "permutation_p": one.permutation.p,
        "permutations": one.permutation.permutations,
        "power": None,
        "power_note": POWER_NOTE,
        "detectable": one.needed.detectable,
        "comparisons_needed": one.needed.comparisons,
        "difference_for_dilution": None if dilution is None else dilution.slope_difference,
        "power_for_dilution": None if dilution is None else dilution.power,
        "comparisons_for_dilution": None if dilution is None else dilution.comparisons,
        "wanted": one.needed.wanted,
        "log_score": gained.value,
        "log_score_low": gained.low,
        "log_score_high": gained.high,
        "swayed": ", ".join(one.swayed),
    }
