"""Arms: when the patients of a trial died, and medians of arms, OS against a part of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.report.captions import sentences
from surrogacy.report.section import (
    BLANK,
    Cell,
    Drawing,
    Entry,
    Grid,
    Heading,
    Note,
    Record,
    Section,
    Table,
    drawing,
    table,
    text,
)
from surrogacy.report.sections.decomposition import CURVES, by_hazard_ratio
from surrogacy.results.format import interval, number, percent, value_and_interval, with_interval
from surrogacy.results.labels import ARM_ESTIMATES

OBSERVED = ("r_os_pps", "r_os_pfs")


def at_risk_section(run: PpsRun) -> Section:
    """Return constant and piecewise post-progression hazards beside the numbers at risk."""
    comparison = run.at_risk
    if comparison is None:
        return Section(key="at_risk", record={"at_risk": None})
    records = at_risk_records(comparison)
    return Section(
        key="at_risk",
        details=(Note(_timing(comparison)),),
        tables=_at_risk_table(comparison, records),
        record={
            "at_risk": {
                "models": records,
                "p": comparison.p,
                "crude_ratios": [asdict(ratio) for ratio in comparison.crude],
                "p_change": comparison.p_change,
                "meeting": comparison.meeting,
                "problems": list(comparison.problems),
            }
        },
    )


def at_risk_records(comparison: AtRiskComparison) -> list[Record]:
    """Return every model beside the numbers at risk as a flat record."""
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
        for one in comparison.fits
    ]


def _meeting(comparison: AtRiskComparison) -> str:
    """Return when the curves meet, by the numbers at risk."""
    if comparison.meeting is None:
        return ""
    return f"the shares at risk meet between {comparison.meeting[0]:g} and {comparison.meeting[1]:g} months"


def _timing(comparison: AtRiskComparison) -> str:
    ratios = (f"{number(one.value)} from {one.start:g} to {one.stop:g} months" for one in comparison.crude)
    meeting = _meeting(comparison)
    return text("timing", meeting=f"{meeting}; " if meeting else "", crude=", ".join(ratios), p=number(comparison.p))


def _at_risk_table(comparison: AtRiskComparison, records: Sequence[Record]) -> tuple[Table, ...]:
    meeting = _meeting(comparison)
    change = comparison.p_change
    return table(
        "at_risk",
        records,
        p=number(comparison.p),
        crude="; ".join(
            f"{one.start:g} to {one.stop:g} months {value_and_interval(one.value, one.low, one.high)}"
            for one in comparison.crude
        ),
        change="" if change is None else f", first two equal: p = {number(change)}",
        meeting=f" {meeting[0].upper()}{meeting[1:]}." if meeting else "",
        problems=". ".join(comparison.problems),
    )


def _over_time(run: PpsRun) -> Iterator[Drawing]:
    """Return the OS hazard ratio over time, once the numbers at risk are compared with it."""
    drawn = by_hazard_ratio(run)[:CURVES]
    if not drawn or run.awaits_at_risk:
        return
    inputs, comparison = drawn[0].inputs, run.at_risk
    caption = text("over_time", trial=inputs.name)
    if comparison is not None:
        caption += text("over_time_at_risk", name=comparison.fits[-1].name, p=number(comparison.p))
        caption += sentences("Note", comparison.problems)
    calibrations = [one.calibration for one in drawn]
    name = f"hazard-ratio-over-time-{inputs.comparison}"
    yield drawing("hazard_ratio_over_time", name, f"{caption}\n", inputs, calibrations, comparison)


def coupling_section(run: PpsRun) -> Section:
    """Return the correlation of OS with a part of itself, and what it would be without any relation."""
    records = [record for audit in run.arms for record in audit_records(audit)]
    headings = (
        "PPS",
        "r(OS, PPS)",
        "r(OS, PFS)",
        "r(PFS, PPS)",
        "Without any relation, 95% of: r(OS, PPS), r(OS, PFS)",
    )
    grid = Grid(headings, tuple(map(_row, run.arms)))
    problems = dict.fromkeys(problem for audit in run.arms for problem in audit.problems)
    remarks = " ".join(f"{problem}." for problem in problems)
    return Section(
        key="coupling",
        answer=tuple(map(_answer, run.arms[:1])),
        details=(BLANK, Heading("Medians of arms: OS against a part of itself"), grid, Note(text("descriptive"))),
        tables=table("coupling", records, labels=ARM_ESTIMATES, remarks=remarks),
        record={"coupling": records},
    )


def _answer(audit: CouplingAudit) -> Entry:
    """Return the correlation of OS with PPS beside its range without any relation."""
    ranges = " or ".join(interval(*null.range[0]) for null in audit.nulls)
    return Entry("Arms", text("arms_answer", r=with_interval(audit["r_os_pps"]), arms=len(audit.arms), ranges=ranges))


def _row(audit: CouplingAudit) -> tuple[str | Cell, ...]:
    nulls = (f"{null.name}: {', '.join(interval(*limits) for limits in null.range)}" for null in audit.nulls)
    size = f"{len(audit.arms)} arms, {len(audit.trials)} trials, weights: {audit.weights}"
    correlations = (with_interval(audit[name]) for name in (*OBSERVED, "r_pfs_pps"))
    return (Cell(audit.definition, size), *correlations, "\n".join(nulls))


def audit_records(audit: CouplingAudit) -> list[Record]:
    """Return every estimate of an audit, every null and the time trend, as flat records."""
    about = {
        "definition": audit.definition,
        "weights": audit.weights,
        "arms": len(audit.arms),
        "trials": len(audit.trials),
    }
    records: list[Record] = [
        {**about, "quantity": name, **estimate.record} for name, estimate in audit.estimates.items()
    ]
    observed = [audit[name].value for name in OBSERVED]
    for null in audit.nulls:
        shares = null.shares_at_or_above(*(float("nan") if value is None else value for value in observed))
        for name, value, (low, high), share in zip(OBSERVED, null.mean, null.range, shares, strict=True):
            place = f"{percent(share, 1)} of it at or above what was observed"
            kind = f"mean and middle 95% of the null, {place}; {null.derivation}"
            limits = {"value": value, "low": low, "high": high}
            records.append(about | {"quantity": f"{ARM_ESTIMATES[name]} if {null.name}", **limits, "kind": kind})
    for name, estimate in audit.trend.items():
        numbers = estimate.record
        if name == "pps_share":  # a share changes by fractions of a per cent a year
            numbers = numbers | {
                key: 100 * value for key, value in numbers.items() if key != "level" and isinstance(value, float)
            }
        records.append(about | {"quantity": f"{ARM_ESTIMATES[name]} a year", **numbers})
    return records


def arm_drawings(run: PpsRun, focus: str | None) -> Iterator[Drawing]:
    """Return the arms with the first definition of PPS, and the OS hazard ratio over time of the trial in focus."""
    for audit in run.arms[:1]:
        yield drawing("pps_arms", "arms", _arms_caption(audit), audit, focus=focus)
    yield from _over_time(run)


def _arms_caption(audit: CouplingAudit) -> str:
    means = (f"{null.name}: {number(null.mean[0])} and {number(null.mean[1])} on average" for null in audit.nulls)
    return text(
        "arms_caption",
        definition=audit.definition,
        arms=len(audit.arms),
        trials=len(audit.trials),
        r_pps=with_interval(audit["r_os_pps"]),
        r_pfs=with_interval(audit["r_os_pfs"]),
        method=audit["r_os_pps"].method,
        nulls="; ".join(means),
        notes=sentences("Note", audit.problems),
    )
