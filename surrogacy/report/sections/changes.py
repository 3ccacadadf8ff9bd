"""Changes of the results by added trials (``--add``), compared with the width of their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.changes import PREDICTED, SMALL_SHIFT, Change, SetChange
from surrogacy.report.captions import caption_of, comparisons_of, model_in_words
from surrogacy.report.section import BLANK, Detail, Drawing, Grid, Heading, Note, Section, drawing, phrase, table, text
from surrogacy.report.sections.answers import threshold_cell
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, final_name, joined_surrogates
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import ABSENT, capitalised, listed, percent, settings_in_words, signed, with_interval
from surrogacy.results.labels import estimate_label, estimate_labels, model_label

SHORT = {"r": "change_r", "ste_prediction": "change_threshold"}
THRESHOLD = "ste_prediction"
MOST_NAMES = 3  # added comparisons that are named; the others are counted


def section(run: FitRun) -> Section:
    """Return the estimates with and without the added rows."""
    changed = {change.set for change in run.set_changes if change.added}
    grid = Grid(
        ("Set", "Model", "Quantity", "Comparisons", "Before", "After", "Change", "Shift / half-width"),
        tuple(_row(run, change) for change in run.changes if change.set in changed),
        "What the added rows change",
        "\n".join(_omissions(run)),
    )
    final = common_final_name(fit.effects for fit in run.sets)
    omitted = "left_out_before", "left_out_after"
    records = [
        {**change.record, **{name: ", ".join(getattr(change, name)) for name in omitted}} for change in run.changes
    ]
    labels = {**estimate_labels(final), **_labels(run)}
    return Section(
        key="changes",
        answer=tuple(_answer(run)),
        details=(grid,) if changed else (),
        tables=table("changes", records, labels=labels, limit=percent(SMALL_SHIFT)),
        record={
            "changes": [change.record for change in run.changes],
            "change_by_set": [
                {**change.record, "sentence": _verdict(run, change, _fit_of(run, change))} for change in run.set_changes
            ],
        },
    )


def _labels(run: FitRun) -> dict[str, str]:
    """Return the labels of all comparisons by name."""
    return dict(zip(run.trials.trials["comparison"], run.trials.trials["label"], strict=True))


def _named(run: FitRun, comparisons: Sequence[str]) -> str:
    """Return the labels of the first comparisons, and the number of the others."""
    labels = [_labels(run)[name] for name in comparisons[:MOST_NAMES]]
    more = len(comparisons) - len(labels)
    return listed([*labels, *([f"{more} more"] if more > 0 else [])])


def _fit_of(run: FitRun, change: SetChange) -> SetFit:
    return next(fit for fit in run.sets if fit.name == change.set)


def _quantity(run: FitRun, change: Change) -> str:
    final = common_final_name(fit.effects for fit in run.sets if fit.name == change.set)
    if change.estimate == PREDICTED:
        return text("change_prediction", final=final, trial=_labels(run)[change.subject])
    return estimate_label(change.estimate, final)


def _answer(run: FitRun) -> Iterator[Detail]:
    """Return the estimates before and after for every set with an added comparison, and the verdict on the change.

    Added comparisons that are only predicted have their own lines, and change nothing.
    """
    predicted = {entry.comparison.comparison for entry in run.surrogate_only}
    changed = any(change.added or change.absent for change in run.set_changes)
    if not changed or predicted.issuperset(run.trials.added):
        return
    title = "change_title" if len(run.trials.added) == 1 else "change_title_several"
    yield Heading(text(title, trials=_named(run, run.trials.added)))
    for change in run.set_changes:
        if change.quoted:
            sizes = _main_row(change) or change.quoted[0]
            heading = f"{set_label(change.set)}: {_used(sizes.k_after, ())} comparisons"
            before = f"Before ({_used(sizes.k_before, ())})"
            rows = [(_short_quantity(run, row), *_cells(run, row)) for row in change.quoted]
            yield Grid((heading, before, "After"), tuple(rows), compact=True)
        if change.added or change.absent:
            yield Note(_verdict(run, change, _fit_of(run, change)))
    yield BLANK


def _main_row(change: SetChange) -> Change | None:
    """Return the first estimate of the quoted model; None if it has no line."""
    return next((row for row in change.quoted if row.estimate not in ("r", PREDICTED)), None)


def _left_out(run: FitRun, change: SetChange) -> str:
    """Return the added comparisons that the quoted model leaves out."""
    row = _main_row(change)
    names = [] if row is None else [name for name in row.left_out_after if name in change.added]
    if row is None or not names:
        return ""
    words = {"model": model_label(row.model), "reason": row.reason, "remedy": row.remedy}
    return text("change_left_out", trials=_named(run, names), **words)


def _before(change: Change) -> Estimate:
    return Estimate(change.before, low=change.before_low, high=change.before_high)


def _after(change: Change) -> Estimate:
    return Estimate(change.after, low=change.after_low, high=change.after_high)


def _short_quantity(run: FitRun, change: Change) -> str:
    return text(SHORT[change.estimate]) if change.estimate in SHORT else _quantity(run, change)


def _cells(run: FitRun, change: Change) -> tuple[str, str]:
    """Return an estimate before and after; a threshold as in the other tables of the short screen."""
    if change.estimate != THRESHOLD:
        return with_interval(_before(change)), with_interval(_after(change))
    fits = [*(fit for fit in run.sets_without_added if fit.name == change.set), *run.sets]
    replies = (answer(fit.results) for fit in fits if fit.name == change.set)
    before, after = (ABSENT if reply is None else threshold_cell(reply) for reply in replies)
    return before, after


def _verdict(run: FitRun, change: SetChange, fit: SetFit) -> str:
    """Return whether the change is small, and the added comparisons that the set or the quoted model leaves out."""
    omitted = _left_out(run, change) + "".join(
        text("change_absent", trials=_named(run, names), set=set_label(change.set), reason=reason)
        for reason in dict.fromkeys(change.absent.values())
        if (names := [name for name in change.absent if change.absent[name] == reason])
    )
    if not change.added:
        return omitted.strip()
    largest = change.largest
    if largest is None:
        return text("change_unknown") + omitted
    key = "change_small" if change.small else "change_large"
    quantity = _short_quantity(run, largest)
    return text(key, quantity=quantity, share=percent(largest.shift_ratio), limit=percent(SMALL_SHIFT)) + omitted


def _row(run: FitRun, change: Change) -> tuple[str, ...]:
    before, after = change.before, change.after
    difference = None if before is None or after is None else after - before
    sizes = f"{_used(change.k_before, change.left_out_before)} → {_used(change.k_after, change.left_out_after)}"
    values = (with_interval(estimate, 3) for estimate in (_before(change), _after(change)))
    about = change.set, model_label(change.model), _quantity(run, change), sizes
    return (*about, *values, signed(difference, 3), percent(change.shift_ratio))


def _omissions(run: FitRun) -> Iterator[str]:
    """Return the comparisons that models leave out, the reason and the remedy."""
    models: dict[tuple[str, ...], dict[str, None]] = {}
    for change in run.changes:
        if change.left_out_after:
            reason = change.set, ", ".join(change.left_out_after), change.reason, change.remedy
            models.setdefault(reason, {})[model_label(change.model)] = None
    for (name, comparisons, why, remedy), names in models.items():
        yield f"{name}, {' and '.join(names)}: {comparisons} left out, {why}. Remedy: {remedy}."


def _used(used: int | None, left_out: Sequence[str]) -> str:
    """Return the comparisons in the fit: ``27``, ``24 of 27``, or that the model was not fitted."""
    if used is None:
        return "not fitted"
    return f"{used} of {used + len(left_out)}" if left_out else f"{used}"


def added_drawings(run: FitRun) -> Iterator[Drawing]:
    """Return the lines with and without the added trials, for every set that they join."""
    earlier = {fit.name: fit for fit in run.sets_without_added}
    names = run.added_trials
    for change in run.set_changes if run.placements else ():  # the verdict includes the predictions of placed trials
        row = _main_row(change)
        if row is None or change.set not in earlier or _fit_of(run, change).omitted:
            continue
        before, after = (fit.result(row.model) for fit in (earlier[change.set], _fit_of(run, change)))
        if before is None or after is None or before.line is None or after.line is None:
            continue
        added = tuple(name for name in change.added if name in after.effects.comparison)
        if not added:  # the model leaves them out
            continue
        trials, final = _named(run, added), final_name(after.effects)
        shown = text(
            "added_caption",
            trials=trials,
            data=comparisons_of(after),
            k_before=row.k_before,
            model=model_in_words(row.model),
            final=final,
            verdict=_verdict(run, change, _fit_of(run, change)),
        )
        caption = caption_of([shown], [text("added_details", settings=capitalised(settings_in_words(after)))])
        alternative = phrase(
            "alternative_texts",
            "added",
            surrogate=joined_surrogates(after.effects),
            final=final,
            trials=trials,
            k_before=row.k_before,
            set=set_label(change.set),
        )
        name = f"added-{names[0]}-{change.set}" if len(names) == 1 else f"added-{change.set}"
        yield drawing(
            "added", name, caption, before, after, effects=after.effects, added=added, alternative=alternative
        )
