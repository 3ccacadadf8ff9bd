"""Arms: hazards of death compared with the numbers at risk, and correlations of the medians of arms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.pps.arms import ArmPps
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.report.captions import sentences
from surrogacy.report.section import (
    BLANK,
    Cell,
    Drawing,
    Entry,
    Grid,
    Heading,
    Note,
    Section,
    drawing,
    table,
    text,
)
from surrogacy.report.sections.decomposition import CURVES, by_hazard_ratio
from surrogacy.report.sections.decomposition_answer import endpoint_name
from surrogacy.results.format import interval, number, value_and_interval, with_interval
from surrogacy.results.labels import ARM_ESTIMATES


def at_risk_section(run: PpsRun) -> Section:
    """Return constant and piecewise post-progression hazards, compared with the numbers at risk."""
    comparison = run.at_risk
    if comparison is None:
        return Section(key="at_risk", record={"at_risk": None})
    models = [fit.record for fit in comparison.fits]
    ratios = (
        f"{ratio.start:g} to {ratio.stop:g} months {value_and_interval(ratio.value, ratio.low, ratio.high)}"
        for ratio in comparison.crude
    )
    change, meeting = comparison.p_change, comparison.meeting
    timing = text(
        "timing",
        crude="; ".join(ratios),
        change="" if change is None else f" (p = {number(change)} for equality of the first two)",
        p=number(comparison.p),
        meeting=text("meeting", start=meeting[0], stop=meeting[1]) if meeting else "",
    )
    return Section(
        key="at_risk",
        details=(Note(timing),),
        tables=table("at_risk", models, timing=timing, problems=". ".join(comparison.problems)),
        record={
            "at_risk": {
                "models": models,
                "p": comparison.p,
                "crude_ratios": [asdict(ratio) for ratio in comparison.crude],
                "p_change": change,
                "meeting": meeting,
                "problems": list(comparison.problems),
            }
        },
    )


def _over_time(run: PpsRun) -> Iterator[Drawing]:
    """Return the figure of the OS hazard ratio over time, once the numbers at risk are fitted."""
    by_ratio = by_hazard_ratio(run)
    if not by_ratio or run.awaits_at_risk:
        return
    drawn = [each for each in by_ratio if each.calibration.cut == by_ratio[0].calibration.cut][:CURVES]
    inputs, comparison = drawn[0].inputs, run.at_risk
    structure = run.settings.structure.describe(endpoint_name([inputs]))
    caption = text("over_time", trial=inputs.name, structure=structure)
    if comparison is not None:
        caption += text("over_time_at_risk", name=comparison.fits[-1].name, p=number(comparison.p))
        caption += sentences("Note", comparison.problems)
    calibrations = [decomposition.calibration for decomposition in drawn]
    name = f"hazard-ratio-over-time-{inputs.comparison}"
    yield drawing("hazard_ratio_over_time", name, f"{caption}\n", inputs, calibrations, comparison)


def coupling_section(run: PpsRun) -> Section:
    """Return the correlations of median OS, PFS and PPS, and their null distributions."""
    records = [record for audit in run.arms for record in audit.records]
    headings = (
        "PPS",
        "r(OS, PPS)",
        "r(OS, PFS)",
        "r(PFS, PPS)",
        "Central 95% without any relation: r(OS, PPS), r(OS, PFS)",
    )
    grid = Grid(headings, tuple(map(_row, run.arms)))
    problems = dict.fromkeys(problem for audit in run.arms for problem in audit.problems)
    remarks = " ".join(f"{problem}." for problem in problems)
    return Section(
        key="coupling",
        answer=tuple(map(_answer, run.arms[:1])),
        details=(BLANK, Heading("Correlations of the medians of arms"), grid, Note(text("descriptive"))),
        tables=table("coupling", records, labels=ARM_ESTIMATES, remarks=remarks),
        record={"coupling": records},
    )


def _answer(audit: CouplingAudit) -> Entry:
    """Return the correlation of OS and PPS with its central 95% without any relation."""
    ranges = " or ".join(interval(*null.range[0]) for null in audit.nulls)
    return Entry("Arms", text("arms_answer", r=with_interval(audit["r_os_pps"]), arms=len(audit.arms), ranges=ranges))


def _row(audit: CouplingAudit) -> tuple[str | Cell, ...]:
    nulls = (f"{null.name}: {', '.join(interval(*limits) for limits in null.range)}" for null in audit.nulls)
    size = f"{len(audit.arms)} arms, {len(audit.trials)} trials, weights: {audit.weights}"
    correlations = (with_interval(audit[name]) for name in ("r_os_pps", "r_os_pfs", "r_pfs_pps"))
    return (Cell(audit.definition, size), *correlations, "\n".join(nulls))


def arm_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the figures of the arms by the first definition of PPS, and of the OS hazard ratio over time."""
    for audit in run.arms[:1]:
        words = {arm.identifier: _arm_in_words(arm, audit.definition) for arm in audit.arms}
        caption = _arms_caption(audit)
        yield drawing("pps_arms", "arms", caption, audit, effects=run.effects, words=words, focus=run.settings.focus)
    yield from _over_time(run)


def _arm_in_words(arm: ArmPps, definition: PpsDefinition) -> str:
    """Return name, patients and medians of an arm, one fact per line."""
    patients = f", {arm.n:,} patients" if arm.n else ""
    medians = (
        ("OS", arm.median_os.value),
        (arm.pfs_endpoint, arm.median_pfs.value),
        ("PPS", arm.pps(definition).months),
    )
    months = ", ".join(f"{name} {number(value)}" for name, value in medians)
    return f"{arm.name}\n{arm.label}{patients}\nmedian {months} months"


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
