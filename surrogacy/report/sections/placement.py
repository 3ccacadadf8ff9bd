"""Placement: the comparisons in focus against the lines, and predictions for a new trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.placement import Focus, Placement, shown_placements
from surrogacy.evaluation.placement_text import in_words
from surrogacy.report.captions import caption_of, model_in_words
from surrogacy.report.section import (
    BLANK,
    Cell,
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
from surrogacy.report.sections.decomposition import summary_line
from surrogacy.report.sections.decomposition_answer import split_line
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, endpoint_of, final_name
from surrogacy.results.format import capitalised, interval, number, settings_in_words, value_and_interval
from surrogacy.results.labels import POSITIONS, model_label
from surrogacy.results.result import Result

MOST_ADDED = 3  # added comparisons in focus on the short screen
SOURCES = {
    "with it": "the trials, this one included,",
    "without it": "the other trials",
    "of other trials": "the trials",
}


def section(run: FitRun) -> Section:
    """Return the place of every comparison in focus within the lines."""
    return Section(
        key="placement",
        answer=tuple(_answers(run)),
        details=tuple(detail for focus in run.focuses for detail in _details(run, focus)),
        tables=_table(run),
        record={"placement": list(run.placement), "not_placed": list(run.not_placed)},
        prose=_prose(run),
    )


def _answers(run: FitRun) -> Iterator[Entry]:
    """Return the placements of the first added comparisons, and of the trial that the settings name."""
    added = [focus for focus in run.focuses if focus.trial in run.added_trials and not run.settings.focus_required]
    hidden = added[MOST_ADDED:]
    for focus in run.focuses:
        if focus not in hidden:
            yield from _answer(run, focus)
        elif focus is hidden[-1]:
            yield Entry("", text("placement_more", more=len(hidden)))


def _answer(run: FitRun, focus: Focus) -> Iterator[Entry]:
    """Return the expected and the observed effect by the first line of its own set, else by the first line."""
    placements = _shown(run, focus)
    if not placements:
        return
    first_choice = [placement for placement in placements if placement.fitted == "without it"] or placements
    shown = [placement for placement in first_choice if placement.set == first_choice[0].set]
    first, later = shown[0], shown[1:]
    words = {"final": final_name(focus.effects), "set": set_label(first.set), "source": SOURCES[first.fitted]}
    cuts = "".join(
        text(
            "placement_answer_cut",
            cut=placement.cut,
            hr=number(placement.hr_surrogate),
            predicted=value_and_interval(placement.predicted, placement.low_95, placement.high_95),
        )
        for placement in later
    )
    yield Entry(
        focus.label,
        text(
            "placement_answer",
            endpoint=endpoint_of(focus.effects, 0, "surrogate"),
            hr=number(first.hr_surrogate),
            predicted=number(first.predicted),
            span=interval(first.low_95, first.high_95),
            cuts=cuts,
            observed=number(first.hr_final),
            position=POSITIONS[first.position],
            **words,
        ),
    )
    for decomposition in run.decompositions:
        if decomposition.inputs.comparison == focus.comparison:
            yield Entry("", split_line(decomposition, run.dilution_ranges.get(focus.comparison)))


def _prose(run: FitRun) -> str:
    """Return the placement in words, a paragraph a comparison."""
    if not run.placements:
        return ""
    words = [in_words(focus, run.placements) for focus in run.focuses]
    words += [f"Not placed: {entry['label']} ({entry['why']})." for entry in run.not_placed]
    return "\n\n".join(filter(None, words)) + "\n"


def _shown(run: FitRun, focus: Focus) -> list[Placement]:
    return [placement for placement in shown_placements(run.placements) if placement.comparison == focus.comparison]


def _details(run: FitRun, focus: Focus) -> Iterator[Detail]:
    """Return the prediction of every line, at its own within-trial correlation and fitted without the trial."""
    placements = _shown(run, focus)
    if not placements:
        return
    cuts = dict.fromkeys((placement.cut, placement.hr_surrogate) for placement in placements)
    final = final_name(focus.effects)
    rows = []
    for name in dict.fromkeys(placement.set for placement in placements):
        line = [placement for placement in placements if placement.set == name]
        first = Cell(name, f"{line[0].fitted}, k = {line[0].k}")
        rows.append((first, *map(_prediction_cell, line)))
    headings = ("Line", *(f"Predicted {final} HR (95% PI) from {number(hr)} ({cut})" for cut, hr in cuts))
    yield Heading(f"{focus.label} against the lines of the {model_label(placements[0].model)}")
    yield Grid(headings, tuple(rows))
    for decomposition in run.decompositions:
        if decomposition.inputs.comparison == focus.comparison:
            yield Note(summary_line(decomposition))
    if focus is run.focuses[-1]:
        yield from (Note(f"not placed: {entry['label']} ({entry['why']})") for entry in run.not_placed)
    yield BLANK


def _prediction_cell(placement: Placement) -> Cell:
    predicted = value_and_interval(placement.predicted, placement.low_95, placement.high_95)
    observed, probability = number(placement.hr_final), number(placement.p_at_or_above)
    return Cell(predicted, f"P(≥ {observed} observed) = {probability}; {POSITIONS[placement.position]}")


def _table(run: FitRun) -> tuple[Table, ...]:
    """Return predictions, residuals and the parts of their variance."""
    final = common_final_name(focus.effects for focus in run.focuses) if run.focuses else "final"
    labels = " and ".join(focus.label for focus in run.focuses)
    remarks = "".join(f" Not placed: {entry['label']} ({entry['why']})." for entry in run.not_placed)
    return table("placement", run.placement, labels=POSITIONS, remarks=remarks, final=final, labels_of=labels)


def placement_drawings(run: FitRun) -> Iterator[Drawing]:
    """Return each comparison in focus with the first line that holds its trial and the first that does not."""
    for focus in run.focuses:
        shown = _shown(run, focus)
        if shown:
            results = [result for fit in run.sets if (result := fit.result(shown[0].model)) is not None]
            yield _drawing(run, focus, [result for result in results if result.line is not None])


def _drawing(run: FitRun, focus: Focus, results: list[Result]) -> Drawing:
    inside = [result for result in results if focus.trial in result.effects.trial]
    outside = [result for result in results if focus.trial not in result.effects.trial]
    drawn = (*inside[:1], *outside[:1])
    name = focus.trial if len(run.focuses) == 1 else focus.comparison
    sets = [result.effects.name for result in drawn]
    shown = {placement.set: placement for placement in _shown(run, focus)}
    predictions = [placement for placement in _shown(run, focus) if placement.set in sets]
    words = {"final": endpoint_of(focus.effects, 0, "final"), "label": focus.label}
    several = len({placement.cut for placement in predictions}) > 1
    caption = caption_of(
        [
            text(
                "placement_caption",
                surrogate=endpoint_of(focus.effects, 0, "surrogate"),
                each_cut=text("placement_each_cut") if several else "",
                model=model_in_words(drawn[0].model),
                lines="; ".join(text("placement_line", set=set_label(each), k=shown[each].k) for each in sets),
                **words,
            )
        ],
        [text("placement_details", settings=capitalised(settings_in_words(drawn[0])))],
        _problems(drawn),
    )
    alternative = phrase(
        "alternative_texts",
        "placement",
        observed=number(predictions[0].hr_final),
        predicted=_range([placement.predicted for placement in predictions]),
        **words,
    )
    title = f"placement-{name}"
    return drawing(
        "placement", title, caption, focus, drawn, run.placement, effects=focus.effects, alternative=alternative
    )


def _problems(drawn: Sequence[Result]) -> list[str]:
    """Return the caveats of the lines, those of several lines by set."""
    if len(drawn) == 1:
        return list(drawn[0].problems)
    return [f"{set_label(line.effects.name)}: {'; '.join(line.problems)}" for line in drawn if line.problems]


def _range(values: Sequence[float]) -> str:
    """Return the smallest and the largest hazard ratio, or the only one."""
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"
