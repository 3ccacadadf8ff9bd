"""Moderation of the surrogacy line by post-progression survival, stage and line; regression on dilution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.models.moderation import Moderation
from surrogacy.pps.dilution_map import DilutionPoint
from surrogacy.pps.offset_sensitivity import AssumptionKind, DilutionConclusion, conclusion_on_dilution, of_kind
from surrogacy.pps.shape_evidence import ShapeEvidence
from surrogacy.report.captions import caption_of, comparisons_of
from surrogacy.report.section import (
    BLANK,
    Detail,
    Drawing,
    Entry,
    Grid,
    Heading,
    Note,
    Section,
    Table,
    drawing,
    phrase,
    table,
    text,
)
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import final_name, joined_surrogates
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import interval, listed, number, percent, with_interval
from surrogacy.results.labels import ASSUMPTION_KINDS, MODERATORS, estimate_label
from surrogacy.results.result import Result

VERDICTS = {
    DilutionConclusion.EXCLUDED: "dilution_excluded",
    DilutionConclusion.DEPENDS: "dilution_depends",
    DilutionConclusion.NOT_SHOWN: "dilution_not_shown",
}


def section(run: PpsRun) -> Section:
    """Return the moderated lines, and the regression on the effects expected under dilution alone."""
    details = [*_details(run), *_offset_line(run), *_shape_line(run)]
    details += [Note(failure, warning=True) for failure in run.not_possible]
    moderated = [
        {
            **moderated.line.result.record,
            "moderator": moderated.line.moderator.words,
            "at": moderated.lines,
            "evidence": moderated.evidence,
            "leave_one_out": [refit.record for refit in moderated.left_out],
        }
        for moderated in run.moderated
    ]
    offset = run.dilution_regression
    return Section(
        key="moderation",
        answer=tuple(_answers(run)),
        details=tuple(details),
        tables=_tables(run) if run.moderated else (),
        record={
            "moderated": moderated,
            "offset": offset
            and {
                **offset.result.record,
                "against_line": offset.against_line.difference.record,
                "dilution_against_line": offset.dilution_against_line.difference.record,
                "conclusion": conclusion_on_dilution(offset["share"], run.dilution_sensitivity).value,
            },
            "offset_sensitivity": [scenario.record for scenario in run.dilution_sensitivity],
            "shape_evidence": run.shape_evidence and run.shape_evidence.record,
            "not_asked": list(run.not_possible),
        },
    )


def _answers(run: PpsRun) -> Iterator[Entry]:
    """Return the agreement of the OS effects with dilution alone, and the differences of slopes."""
    if run.dilution_regression is not None:
        share, k = run.dilution_regression["share"], len(run.dilution_regression.result.effects)
        words = text(
            "dilution_answer", k=k, share=with_interval(share), spans=_spans(run), verdict=_verdict(run, share)
        )
        yield Entry("Dilution", words)
    differences = {
        MODERATORS.get(moderated.name, moderated.name): moderated.line["slope_difference"]
        for moderated in run.moderated
    }
    if differences:
        values = "; ".join(f"{label} {with_interval(difference)}" for label, difference in differences.items())
        shown = " and ".join(label for label, difference in differences.items() if difference.excludes(0.0))
        verdict = f"shown for {shown}" if shown else "a difference is neither shown nor ruled out"
        yield Entry("Slopes", text("moderation_answer", values=values, verdict=verdict))


def _spans(run: PpsRun) -> str:
    """Return the ranges of the share under other structures of the hazards, and under the other assumptions."""
    others = set(AssumptionKind) - {AssumptionKind.ANALYSIS, AssumptionKind.STRUCTURE}
    spans = []
    for key, kinds in (("structure_span", {AssumptionKind.STRUCTURE}), ("assumption_span", others)):
        estimates = [scenario.share for scenario in of_kind(run.dilution_sensitivity, *kinds)]
        shares = [estimate.value for estimate in estimates if estimate is not None and estimate.value is not None]
        spans += [text(key, span=interval(min(shares), max(shares)))] if shares else []
    return "".join(f", {span}" for span in spans)


def _verdict(run: PpsRun, share: Estimate) -> str:
    """Return the conclusion on dilution alone in words."""
    return text(VERDICTS[conclusion_on_dilution(share, run.dilution_sensitivity)])


def dilution_map_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the dilution map with the comparisons on it, once it is computed."""
    if run.map is not None:
        drawn = [point for point in run.points if run.map.shows(point)]
        count = sum(point.endpoint == "TTP" for point in drawn)
        shown = text(
            "map_caption",
            points=len(drawn),
            beyond=len(run.points) - len(drawn),
            ttp=text("map_ttp", count=count) if count else "",
        )
        details = text(
            "map_details",
            structure=run.map.structure.words,
            direct_death=percent(run.map.direct_death),
            cut="" if run.map.structure.is_default else text("map_cut"),
        )
        caption = caption_of([shown], [details])
        alternative = phrase("alternative_texts", "dilution_map", points=len(drawn))
        focus = run.settings.focus or ""
        words = {point.comparison: _point_in_words(point) for point in drawn}
        yield drawing(
            "dilution_map",
            "dilution-map",
            caption,
            run.map,
            run.points,
            focus,
            words=words,
            alternative=alternative,
        )


def _point_in_words(point: DilutionPoint) -> str:
    """Return name, both hazard ratios and the ratio of the medians of a comparison, one fact per line."""
    return "\n".join(
        [
            point.label,
            f"{point.endpoint} HR {number(point.hr_pfs)}",
            f"OS HR {number(point.hr_os)}",
            f"median PPS / {point.endpoint} of the control arm {number(point.pps_over_pfs)}",
        ]
    )


def _details(run: PpsRun) -> Iterator[Detail]:
    if not run.moderated:
        return
    rows = [
        (
            MODERATORS.get(moderated.name, moderated.name),
            str(len(moderated.line.result.effects)),
            "\n".join(f"{line.label}: {with_interval(line.slope)}" for line in moderated.line.at_quantiles()),
            with_interval(moderated.line["slope_difference"]),
            number(moderated.line["p_slope_difference_negative"].value),
            number(moderated.permutation.p),
        )
        for moderated in run.moderated
    ]
    slopes = "Slope (95% interval), low to high"
    yield BLANK
    yield Heading(f"Does the line of {run.settings.set_name} depend on PPS, stage or line of treatment?")
    yield Grid(("Moderator", "k", slopes, "Difference of slopes", "P(slope falls)", "Permutation p"), tuple(rows))
    yield from (Note(_evidence(moderated)) for moderated in run.moderated)
    yield from (Note(problem, warning=True) for problem in run.moderated[0].line.result.problems)


def _evidence(moderated: Moderated) -> str:
    """Return the power of these comparisons, and the gain in log score by the moderator."""
    needed, dilution = moderated.needed, moderated.needed_for_dilution
    if dilution is None:
        words = text("detectable_words", detectable=number(needed.detectable), wanted=percent(needed.wanted))
    else:
        words = text(
            "power_words",
            power=percent(dilution.power),
            difference=number(dilution.slope_difference),
            comparisons="no number of" if dilution.comparisons is None else dilution.comparisons,
            wanted=percent(dilution.wanted),
        )
    score = with_interval(moderated.score.difference, 1)
    return text("log_score_words", name=MODERATORS.get(moderated.name, moderated.name), words=words, score=score)


def _offset_line(run: PpsRun) -> Iterator[Note]:
    """Return the regression on dilution with its assumptions."""
    if run.dilution_regression is None:
        return
    result, share = run.dilution_regression.result, run.dilution_regression["share"]
    yield Note(
        text(
            "offset_line",
            structure=run.settings.structure.words,
            k=len(result.effects),
            intercept=with_interval(run.dilution_regression["intercept"]),
            share=with_interval(share),
            spans=_spans(run),
            verdict=_verdict(run, share),
            score=with_interval(run.dilution_regression.against_line.difference, 1),
            assumed="; ".join(problem for problem in result.problems if problem not in result.effects.problems),
        )
    )


def _shape_line(run: PpsRun) -> Iterator[Note]:
    """Return the evidence on the shape of the hazards before progression."""
    if run.shape_evidence is not None:
        yield Note(_shape_words(run.shape_evidence))


def _shape_words(evidence: ShapeEvidence) -> str:
    slope, shape = with_interval(evidence.slope), with_interval(evidence.shape)
    counts = {"k": evidence.comparisons, "trials": evidence.trials, "ttp": evidence.ttp}
    return text("shape_evidence", slope=slope, shape=shape, **counts)


def _tables(run: PpsRun) -> tuple[Table, ...]:
    """Return the lines at values of every moderator, their evidence, and the regression on dilution."""
    evidence = [moderated.evidence for moderated in run.moderated]
    assumptions = run.moderated[0].needed.assumptions
    return (
        *_lines_table(run),
        *_estimates_table(run),
        *table(
            "offset_sensitivity",
            [scenario.record for scenario in run.dilution_sensitivity],
            labels=ASSUMPTION_KINDS,
            shape="" if run.shape_evidence is None else f" {_shape_words(run.shape_evidence)}",
        ),
        *table("moderation_evidence", evidence, labels=MODERATORS, assumptions=assumptions),
    )


def _lines_table(run: PpsRun) -> tuple[Table, ...]:
    records = [record for moderated in run.moderated for record in moderated.lines]
    names: dict[str, list[str]] = {}
    for moderated in run.moderated:
        for problem in moderated.line.result.problems:
            names.setdefault(problem, []).append(moderated.name)
    remarks = [f"[{', '.join(moderators)}] {problem}" for problem, moderators in names.items()]
    remarks += [
        f"[{record['moderator']}, {record['label']}] {record['ste_caveat']}"
        for record in records
        if record["ste_caveat"]
    ]
    words = "; ".join(f"{moderated.name}: {moderated.line.moderator.words}" for moderated in run.moderated)
    return table(
        "moderated", records, labels=MODERATORS, name=run.settings.set_name, words=words, caveats=". ".join(remarks)
    )


def _estimates_table(run: PpsRun) -> tuple[Table, ...]:
    results: list[tuple[str, Result]] = [(moderated.name, moderated.line.result) for moderated in run.moderated]
    remarks = ""
    if run.dilution_regression is not None:
        results.append(("dilution", run.dilution_regression.result))
        remarks = "".join(f" {problem}." for problem in run.dilution_regression.result.problems)
    records = [
        {"moderator": name, "k": len(result.effects), "estimate": key, **estimate.record}
        for name, result in results
        for key, estimate in result.estimates.items()
        if isinstance(estimate, Estimate)
    ]
    formats = {"estimate": lambda name: estimate_label(name, "OS")}
    return table("moderated_estimates", records, labels=MODERATORS, formats=formats, remarks=remarks)


def moderated_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the figure of the first moderator."""
    for moderated in run.moderated[:1]:
        line, effects = moderated.line, moderated.line.posterior.effects
        moderator = MODERATORS.get(moderated.name, moderated.name)
        shown = text(
            "moderation_caption",
            data=comparisons_of(line.result),
            moderator=moderator,
            per=_per(line),
            difference=_change_of_slope(line),
            probability=number(line["p_slope_difference_negative"].value),
        )
        details = text("moderation_details", words=line.moderator.words)
        alternative = phrase(
            "alternative_texts",
            "moderated_lines",
            surrogate=joined_surrogates(effects),
            final=final_name(effects),
            k=len(effects),
            set=set_label(effects.name),
            moderator=f"the {moderator}",
            slopes=listed([number(at.slope.value) for at in line.at_quantiles()]),
        )
        caption = caption_of([shown], [details], line.result.problems, "Note")
        name = f"moderated-{moderated.name}"
        yield drawing("moderated_lines", name, caption, line, effects=effects, alternative=alternative)


def _per(line: Moderation) -> str:
    """Return the step of the moderator to which the change of the slope belongs, as in the figure."""
    if line.moderator.levels:
        low, high = line.moderator.levels
        return text("moderation_levels", low=low, high=high)
    return text("moderation_doubling" if line.moderator.logarithmic else "moderation_unit")


def _change_of_slope(line: Moderation) -> str:
    """Return the change of the slope per doubling of a ratio, per unit of another moderator."""
    change, unit = line["slope_difference"], log(2.0) if line.moderator.logarithmic else 1.0
    return with_interval(
        replace(
            change,
            value=change.value * unit,
            low=None if change.low is None else change.low * unit,
            high=None if change.high is None else change.high * unit,
        )
    )
