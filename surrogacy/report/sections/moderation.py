"""Moderation: the surrogacy line by post-progression survival, stage and line of treatment, and what dilution leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.pps.dilution_regression import Offset
from surrogacy.report.captions import sentences
from surrogacy.report.section import (
    BLANK,
    Detail,
    Drawing,
    Grid,
    Heading,
    Note,
    Record,
    Section,
    Table,
    columns,
    drawing,
    record_table,
    text,
)
from surrogacy.report.sections.models import fit_record
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import interval, number, percent, with_interval
from surrogacy.results.result import Result
from surrogacy.stats.thresholds import threshold_caveats


def section(run: PpsRun) -> Section:
    """Return the moderated lines, and the regression on what dilution leaves."""
    details = [*_details(run), *_offset_line(run)]
    details += [Note(f"! {failure}", warning=True) for failure in run.failures]
    return Section(
        key="moderation",
        details=tuple(details),
        tables=_tables(run) if run.moderations else (),
        record={
            "moderated": [_moderated_record(one) for one in run.moderations],
            "offset": None if run.offset is None else _offset_record(run.offset),
            "offset_sensitivity": list(run.offset_sensitivity),
            "not_asked": list(run.failures),
        },
    )


def dilution_map_drawing(run: PpsRun, focus: str | None) -> Drawing:
    """Return the dilution map with the comparisons on it."""
    caption = text("map_caption", direct_death=percent(run.map.direct_death), points=len(run.points))
    return drawing("dilution_map", "dilution-map", caption, run.map, run.points, focus or "")


def _moderated_record(one: Moderated) -> Record:
    return {
        **fit_record(one.line.result),
        "moderator": one.line.moderator.words,
        "at": line_records(one),
        "evidence": evidence_record(one),
        "leave_one_out": [
            {
                key: value.record if isinstance(value, Estimate | ThresholdEffect) else value
                for key, value in record.items()
            }
            for record in one.left_out
        ],
    }


def _offset_record(offset: Offset) -> Record:
    return {
        **fit_record(offset.result),
        "against_line": offset.against_line.difference.record,
        "dilution_against_line": offset.dilution_against_line.difference.record,
    }


def _details(run: PpsRun) -> Iterator[Detail]:
    if not run.moderations:
        return
    rows = [
        (
            one.line.moderator.name,
            str(len(one.line.result.effects)),
            "\n".join(f"{record['label']}: {with_interval(record['slope'])}" for record in one.line.at_quantiles()),
            with_interval(one.line["slope_difference"]),
            number(one.line["p_slope_difference_negative"].value),
            number(one.permutation.p),
        )
        for one in run.moderations
    ]
    slopes = "Slope (95% interval), low to high"
    yield BLANK
    yield Heading(f"Does the line of {run.set_name} depend on PPS, stage or line of treatment?")
    yield Grid(("Moderator", "k", slopes, "Difference of slopes", "P(slope falls)", "Permutation p"), tuple(rows))
    yield from (Note(_evidence(one)) for one in run.moderations)
    yield from (Note(f"! {problem}", warning=True) for problem in run.moderations[0].line.result.problems)


def _evidence(one: Moderated) -> str:
    """Return the difference of slopes that these comparisons would find, and how well the moderator predicts."""
    dilution = one.needed_for_dilution
    if dilution is None:
        words = (
            f"a true difference of slopes of {number(one.needed.detectable)} either way would be found with "
            f"{percent(one.needed.wanted)} power"
        )
    else:
        count = dilution.comparisons
        needed = "no number of comparisons" if count is None else f"{count} comparisons"
        words = (
            f"power {percent(dilution.power)} for the {number(dilution.slope_difference)} that dilution alone would "
            f"give; {needed} like these for {percent(dilution.wanted)}"
        )
    return (
        f"{one.line.moderator.name}: {words}; log score of the trials left out, less that of the plain line: "
        f"{with_interval(one.score.difference, 1)}"
    )


def _offset_line(run: PpsRun) -> Iterator[Note]:
    """Return how far dilution alone is compatible with the OS effects, and the assumptions of that."""
    if run.offset is None:
        return
    result = run.offset.result
    shares = [record["share"] for record in run.offset_sensitivity if record.get("share") is not None]
    yield Note(
        text(
            "offset_line",
            k=len(result.effects),
            intercept=with_interval(run.offset["intercept"]),
            share=with_interval(run.offset["share"]),
            span=text("span", span=interval(min(shares), max(shares))) if shares else "",
            score=with_interval(run.offset.against_line.difference, 1),
            assumed="; ".join(problem for problem in result.problems if problem not in result.effects.problems),
        )
    )


def _tables(run: PpsRun) -> tuple[Table, ...]:
    """Return the line at several values of every moderator, its evidence, and the regression on what dilution leaves."""
    offset_columns = columns(
        "assumption intercept intercept_low intercept_high share share_low share_high tail_at_dilution_alone problem",
        intercept_low="95% low",
        intercept_high="95% high",
        share_low="95% low ",
        share_high="95% high ",
        tail_at_dilution_alone="Posterior mass less plausible than (0, 1)",
    )
    evidence_columns = columns(
        "moderator permutation_p power_for_dilution comparisons_for_dilution detectable "
        "comparisons_needed log_score log_score_low log_score_high swayed",
        power_for_dilution="Power for what dilution alone gives",
        comparisons_for_dilution="Comparisons for 80% of that",
        detectable="Detectable difference of slopes, 80% power",
        comparisons_needed="Comparisons for 80% power at the difference found",
        log_score="Log score gained",
        log_score_low="95% low",
        log_score_high="95% high",
        swayed="Trials that change sign or significance",
    )
    offset_title = "What the assumptions do to the share that dilution explains"
    evidence = [evidence_record(one) for one in run.moderations]
    evidence_note = text("evidence_note", assumptions=run.moderations[0].needed.assumptions)
    title = "Is the moderation more than chance?"
    return (
        *_lines_table(run),
        *_estimates_table(run),
        *record_table("offset_sensitivity", offset_title, run.offset_sensitivity, offset_columns, text("offset_note")),
        *record_table("moderation_evidence", title, evidence, evidence_columns, evidence_note),
    )


def _lines_table(run: PpsRun) -> tuple[Table, ...]:
    records = [record for one in run.moderations for record in line_records(one)]
    moderators: dict[str, list[str]] = {}
    for one in run.moderations:
        for problem in one.line.result.problems:
            moderators.setdefault(problem, []).append(one.line.moderator.name)
    remarks = [f"[{', '.join(names)}] {problem}" for problem, names in moderators.items()]
    remarks += [
        f"[{record['moderator']}, {record['label']}] {record['ste_caveat']}"
        for record in records
        if record["ste_caveat"]
    ]
    printed = columns(
        "moderator k place label slope slope_low slope_high hr_surrogate predicted predicted_low "
        "predicted_high ste_prediction ste_prediction_status r2_conditional",
        label="Value",
        slope_low="95% low",
        slope_high="95% high",
        hr_surrogate="At a surrogate HR of",
        predicted="OS HR, true effect",
        predicted_low="95% low ",
        predicted_high="95% high ",
    )
    words = "; ".join(f"{one.line.moderator.name}: {one.line.moderator.words}" for one in run.moderations)
    note = text("lines_note", name=run.set_name, words=words, remarks=". ".join(remarks))
    title = "The surrogacy line by post-progression survival, stage and line"
    return record_table("moderated", title, records, printed, note)


def _estimates_table(run: PpsRun) -> tuple[Table, ...]:
    results: list[tuple[str, Result]] = [(one.line.moderator.name, one.line.result) for one in run.moderations]
    note = text("estimates_note")
    if run.offset is not None:
        results.append(("dilution", run.offset.result))
        if run.offset.result.problems:
            note += f" {'. '.join(run.offset.result.problems)}."
    records = [
        {"moderator": name, "k": len(result.effects), "estimate": key, **estimate.record}
        for name, result in results
        for key, estimate in result.estimates.items()
        if isinstance(estimate, Estimate)
    ]
    printed = columns("moderator k estimate value low high kind", value="Estimate")
    return record_table("moderated_estimates", "Estimates of the moderated lines", records, printed, note)


def line_records(one: Moderated) -> list[Record]:
    """Return the line at several values of a moderator as flat records."""
    return [_line_record(one, at) for at in one.line.at_quantiles()]


def _line_record(one: Moderated, at: Record) -> Record:
    slope, predicted, threshold = at["slope"], at["prediction"], at["ste_prediction"]
    estimates: Mapping[str, Estimate | ThresholdEffect] = {
        "slope": slope,
        "intercept": Estimate(threshold.intercept),
        "ste_prediction": threshold,
    }
    caveats = threshold_caveats(estimates, one.line.result.effects)
    r2 = one.line.r2_at(at["value"])
    return {
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
        "ste_caveat": ". ".join(caveat.text for caveat in caveats) or None,
        "r2_conditional": r2.value,
        "r2_conditional_low": r2.low,
        "r2_conditional_high": r2.high,
    }


def evidence_record(one: Moderated) -> Record:
    """Return permutation, power and prediction of a moderator as a flat record."""
    gained, dilution = one.score.difference, one.needed_for_dilution
    return {
        "moderator": one.line.moderator.name,
        "permutation_p": one.permutation.p,
        "permutations": one.permutation.permutations,
        "power": None,
        "power_note": text("power_note"),
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


def moderated_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the figure of the first moderator."""
    return map(_drawing, run.moderations[:1])


def _drawing(one: Moderated) -> Drawing:
    line = one.line
    caption = text(
        "moderation_caption",
        name=line.result.effects.name,
        k=len(line.result.effects),
        words=line.moderator.words,
        difference=with_interval(line["slope_difference"]),
        probability=number(line["p_slope_difference_negative"].value),
        notes=sentences("Note", line.result.problems),
    )
    return drawing("moderated_lines", f"moderated-{line.moderator.name}", caption, line)
