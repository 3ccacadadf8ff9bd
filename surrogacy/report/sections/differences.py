"""Differences of the association between two sets of trials, and before and after rows are added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.differences import Difference
from surrogacy.report.section import BLANK, Cell, Entry, Grid, Note, Section, Table, table, text
from surrogacy.report.sections.answers import answers_of
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, final_name
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, signed, with_interval
from surrogacy.results.labels import estimate_label, estimate_labels, model_label

TITLE = "Is the association weaker?"


def section(run: FitRun) -> Section:
    """Return the difference in association between sets that share no trial."""
    headings = ("Sets", "r", "Difference (95% interval)", "p", "P(R² smaller)", "Detectable")
    grid = Grid(headings, tuple(map(_row, run.differences)), TITLE, text("differences_screen_caption"))
    return Section(
        key="differences",
        answer=tuple(_answer(run.differences)),
        details=(grid, BLANK) if run.differences else (),
        tables=_table(run),
        record={"differences": [difference.record for difference in run.differences]},
    )


def _answer(differences: Sequence[Difference]) -> Iterator[Entry]:
    """Return the first and the last difference in a sentence each."""
    shown = differences if len(differences) < 3 else (differences[0], differences[-1])
    for place, difference in enumerate(shown):
        quantities = {"slopes": difference.contrasts.get("slope"), "r": difference.contrasts["r"]}
        contrasts = {name: contrast.difference for name, contrast in quantities.items() if contrast is not None}
        excluding = [limits for limits in contrasts.values() if limits.excludes(0.0)]
        values = ", ".join(f"of {name} {with_interval(limits)}" for name, limits in contrasts.items())
        first, second = map(set_label, difference.names)
        key = "difference_shown" if excluding else "difference_not_shown"
        yield Entry("" if place else "Stages", text(key, first=first, second=second, values=values))


def _row(difference: Difference) -> tuple[Cell, ...]:
    r, r2 = difference.contrasts["r"], difference.contrasts.get("r2_trial")
    smaller, no_data, odds = (
        (None, None, None)
        if r2 is None
        else (r2.probability_first_smaller, r2.probability_no_data, r2.odds_ratio_no_data)
    )
    first, second = difference.names
    return (
        Cell(f"{first} against {second}", f"{difference.trials[0]} and {difference.trials[1]} trials"),
        Cell(f"{number(r.first)} and {number(r.second)}"),
        Cell(with_interval(r.difference), r.difference.method.partition(",")[0]),
        Cell(number(r.p)),
        Cell(number(smaller), f"no data: {number(no_data)}\nodds ratio: {number(odds, 1)}"),
        Cell(number(difference.detectable_difference), f"{number(difference.detectable)} v {number(r.second)}"),
    )


def _table(run: FitRun) -> tuple[Table, ...]:
    """Return a row a quantity."""
    labels = estimate_labels(common_final_name(fit.effects for fit in run.sets))
    rows = [record for difference in run.differences for record in difference.contrast_records]
    sentences = [f"{' against '.join(difference.names)}: {difference.sentence}" for difference in run.differences]
    remarks = " ".join([text("no_data"), text("detectable"), *sentences])
    return table("differences", rows, labels=labels, remarks=remarks)


def changes_section(run: FitRun) -> Section:
    """Return what the added rows change (``--add``)."""
    rows = []
    for change in run.changes:
        before, after = change.before, change.after
        difference = None if before is None or after is None else after - before
        sizes = f"{_used(change.k_before, change.left_out_before)} → {_used(change.k_after, change.left_out_after)}"
        about = change.set, model_label(change.model), estimate_label(change.estimate, "OS"), sizes
        rows.append((*about, number(before, 3), number(after, 3), signed(difference, 3)))
    headings = ("Set", "Model", "Quantity", "Comparisons", "Before", "After", "Change")
    grid = Grid(headings, tuple(rows), "What the added rows change", "\n".join(_omissions(run)))
    return Section(
        key="changes",
        answer=tuple(_change_answers(run)),
        details=(grid,) if rows else (),
        record={"changes": list(map(asdict, run.changes))},
    )


def _change_answers(run: FitRun) -> Iterator[Note]:
    """Return the change of the first number of the quoted model of every set, beside its interval."""
    replies = answers_of(run)
    for fit in run.sets:
        reply = replies.get(fit.name)
        if reply is None:
            continue
        change = next((row for row in run.changes if (row.set, row.model) == (fit.name, reply.quoted.model)), None)
        if change is None or change.k_before == change.k_after:
            continue
        estimate = reply.quoted.estimates.get(change.estimate)
        yield Note(
            text(
                "change_answer",
                set=set_label(fit.name),
                quantity=estimate_label(change.estimate, final_name(fit.effects)),
                before=number(change.before),
                after=with_interval(estimate) if isinstance(estimate, Estimate) else number(change.after),
                k_before=change.k_before,
                k_after=change.k_after,
            )
        )


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
