"""Moderation: the surrogacy line by post-progression survival, stage and line, and what dilution leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.models.moderation import LineAtValue
from surrogacy.pps.dilution_regression import Offset
from surrogacy.report.captions import sentences
from surrogacy.report.section import (
    BLANK,
    Detail,
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
from surrogacy.report.sections.models import fit_record
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import interval, number, percent, with_interval
from surrogacy.results.result import Result
from surrogacy.stats.thresholds import threshold_caveats

MODERATORS = {"pps-ratio": "PPS/PFS ratio", "stage": "stage", "line": "line of treatment"}


def section(run: PpsRun) -> Section:
    """Return the moderated lines, and the regression on what dilution leaves."""
    details = [*_details(run), *_offset_line(run)]
    details += [Note(f"! {failure}", warning=True) for failure in run.not_possible]
    return Section(
        key="moderation",
        answer=tuple(_answers(run)),
        details=tuple(details),
        tables=_tables(run) if run.moderated else (),
        record={
            "moderated": [_moderated_record(one) for one in run.moderated],
            "offset": None if run.dilution_regression is None else _offset_record(run.dilution_regression),
            "offset_sensitivity": [scenario.record for scenario in run.dilution_sensitivity],
            "not_asked": list(run.not_possible),
        },
    )


def _answers(run: PpsRun) -> Iterator[Entry]:
    """Return how far dilution alone explains the OS effects, and the differences of slopes."""
    if run.dilution_regression is not None:
        shares = [scenario.share.value for scenario in run.dilution_sensitivity if scenario.share]
        known = [share for share in shares if share is not None]
        span = text("dilution_span", span=interval(min(known), max(known))) if known else ""
        share = run.dilution_regression["share"]
        excluded = share.low is not None and share.high is not None and not share.low <= 1 <= share.high
        key = "dilution_excluded" if excluded else "dilution_compatible"
        k = len(run.dilution_regression.result.effects)
        yield Entry("Dilution", text(key, k=k, share=with_interval(share), span=span))
    differences = {
        MODERATORS.get(moderated.line.moderator.name, moderated.line.moderator.name): moderated.line["slope_difference"]
        for moderated in run.moderated
    }
    if differences:
        values = "; ".join(f"{label} {with_interval(difference)}" for label, difference in differences.items())
        shown = [
            label
            for label, difference in differences.items()
            if difference.low is not None and difference.high is not None and not difference.low <= 0 <= difference.high
        ]
        verdict = f"shown for {' and '.join(shown)}" if shown else "no difference is shown, and none is ruled out"
        yield Entry("Slopes", text("moderation_answer", values=values, verdict=verdict))


def dilution_map_drawings(run: PpsRun, focus: str | None) -> Iterator[Drawing]:
    """Return the dilution map with the comparisons on it, once it is known."""
    if run.map is None:
        return
    caption = text("map_caption", direct_death=percent(run.map.direct_death), points=len(run.points))
    yield drawing("dilution_map", "dilution-map", caption, run.map, run.points, focus or "")


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
            for record in map(vars, one.left_out)
        ],
    }


def _offset_record(offset: Offset) -> Record:
    return {
        **fit_record(offset.result),
        "against_line": offset.against_line.difference.record,
        "dilution_against_line": offset.dilution_against_line.difference.record,
    }


def _details(run: PpsRun) -> Iterator[Detail]:
    if not run.moderated:
        return
    rows = [
        (
            one.line.moderator.name,
            str(len(one.line.result.effects)),
            "\n".join(f"{at.label}: {with_interval(at.slope)}" for at in one.line.at_quantiles()),
            with_interval(one.line["slope_difference"]),
            number(one.line["p_slope_difference_negative"].value),
            number(one.permutation.p),
        )
        for one in run.moderated
    ]
    slopes = "Slope (95% interval), low to high"
    yield BLANK
    yield Heading(f"Does the line of {run.settings.set_name} depend on PPS, stage or line of treatment?")
    yield Grid(("Moderator", "k", slopes, "Difference of slopes", "P(slope falls)", "Permutation p"), tuple(rows))
    yield from (Note(_evidence(one)) for one in run.moderated)
    yield from (Note(f"! {problem}", warning=True) for problem in run.moderated[0].line.result.problems)


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
    if run.dilution_regression is None:
        return
    result = run.dilution_regression.result
    shares = [scenario.share.value for scenario in run.dilution_sensitivity if scenario.share and scenario.share.value]
    yield Note(
        text(
            "offset_line",
            k=len(result.effects),
            intercept=with_interval(run.dilution_regression["intercept"]),
            share=with_interval(run.dilution_regression["share"]),
            span=text("span", span=interval(min(shares), max(shares))) if shares else "",
            score=with_interval(run.dilution_regression.against_line.difference, 1),
            assumed="; ".join(problem for problem in result.problems if problem not in result.effects.problems),
        )
    )


def _tables(run: PpsRun) -> tuple[Table, ...]:
    """Return the line at values of every moderator, its evidence, and the regression on what dilution leaves."""
    evidence = [evidence_record(one) for one in run.moderated]
    assumptions = run.moderated[0].needed.assumptions
    return (
        *_lines_table(run),
        *_estimates_table(run),
        *table("offset_sensitivity", [scenario.record for scenario in run.dilution_sensitivity]),
        *table("moderation_evidence", evidence, assumptions=assumptions),
    )


def _lines_table(run: PpsRun) -> tuple[Table, ...]:
    records = [record for one in run.moderated for record in line_records(one)]
    moderators: dict[str, list[str]] = {}
    for one in run.moderated:
        for problem in one.line.result.problems:
            moderators.setdefault(problem, []).append(one.line.moderator.name)
    remarks = [f"[{', '.join(names)}] {problem}" for problem, names in moderators.items()]
    remarks += [
        f"[{record['moderator']}, {record['label']}] {record['ste_caveat']}"
        for record in records
        if record["ste_caveat"]
    ]
    words = "; ".join(f"{one.line.moderator.name}: {one.line.moderator.words}" for one in run.moderated)
    return table("moderated", records, name=run.settings.set_name, words=words, caveats=". ".join(remarks))


def _estimates_table(run: PpsRun) -> tuple[Table, ...]:
    results: list[tuple[str, Result]] = [(one.line.moderator.name, one.line.result) for one in run.moderated]
    remarks = ""
    if run.dilution_regression is not None:
        results.append(("dilution", run.dilution_regression.result))
        if run.dilution_regression.result.problems:
            remarks = f" {'. '.join(run.dilution_regression.result.problems)}."
    records = [
        {"moderator": name, "k": len(result.effects), "estimate": key, **estimate.record}
        for name, result in results
        for key, estimate in result.estimates.items()
        if isinstance(estimate, Estimate)
    ]
    return table("moderated_estimates", records, remarks=remarks)


def line_records(one: Moderated) -> list[Record]:
    """Return the line at several values of a moderator as flat records."""
    return [_line_record(one, at) for at in one.line.at_quantiles()]


def _line_record(one: Moderated, at: LineAtValue) -> Record:
    slope, threshold = at.slope, at.ste_prediction
    predicted, low, high = at.predicted_hr
    estimates: Mapping[str, Estimate | ThresholdEffect] = {
        "slope": slope,
        "intercept": Estimate(threshold.intercept),
        "ste_prediction": threshold,
    }
    caveats = threshold_caveats(estimates, one.line.result.effects)
    r2 = one.line.r2_at(at.value)
    return {
        "moderator": one.line.moderator.name,
        "k": len(one.line.result.effects),
        "place": at.place,
        "value": at.value,
        "label": at.label,
        "slope": slope.value,
        "slope_low": slope.low,
        "slope_high": slope.high,
        "hr_surrogate": exp(at.log_hr),
        "predicted": predicted,
        "predicted_low": low,
        "predicted_high": high,
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
    return map(_drawing, run.moderated[:1])


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
