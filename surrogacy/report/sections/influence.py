"""Influence: what single comparisons and trials change, and the conclusions that rest on one of them."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.section import Note, Record, Section, Table, table
from surrogacy.report.sections.effects import comparison_labels, trial_labels
from surrogacy.results.labels import model_label


def section(run: FitRun) -> Section:
    """Return what single trials change."""
    sets = run.sets
    return Section(
        key="influence",
        by_set={fit.name: tuple(_pivotal_line(fit)) for fit in sets},
        tables=(*_influence_table(run), *_changes_table(run)),
        record={
            "influence": [record for fit in sets for record in fit.influence],
            "delete_one": [record for fit in sets for record in fit.delete_one],
        },
    )


def _pivotal_line(fit: SetFit) -> Iterator[Note]:
    """Return the single trials without which an interval of the slope would contain 0, or no longer, by model."""
    labels, cells = trial_labels([fit]), []
    for model in dict.fromkeys(record["model"] for record in fit.delete_one):
        records: list[Record] = [
            record for record in fit.delete_one if record["model"] == model and "slope_sign" in record
        ]
        changed = [record for record in records if record["slope_sign"] != records[0]["slope_sign"]]
        if changed:
            without = ", ".join(labels[record["left_out"]] for record in changed)
            sign = f"{records[0]['slope_sign']} (different if one trial is left out: {without})"
            cells.append(f"{model_label(str(model))} {sign}")
    if cells:
        yield Note(f"95% interval of the slope: {'; '.join(cells)}")


def _influence_table(run: FitRun) -> tuple[Table, ...]:
    """Return leverage and influence of each comparison on the weighted regression."""
    records = [record for fit in run.sets for record in fit.influence]
    return table("influence", records, labels=_labels(run))


def _labels(run: FitRun) -> dict[str, str]:
    return comparison_labels(run.sets) | trial_labels(run.sets)


def _changes_table(run: FitRun) -> tuple[Table, ...]:
    """Return the change of every estimate without each trial, and the conclusions that rest on one trial."""
    labels = _labels(run)
    records = [record for fit in run.sets for record in fit.delete_one if record["left_out"]]
    pivotal = [f"[{fit.name}] {sentence}" for fit in run.sets for sentence in fit.pivotal_trials(labels)]
    conclusions = f" Conclusions that another set of trials would not give: {'; '.join(pivotal)}" if pivotal else ""
    return table("delete_one", records, labels=labels, remarks=f"{conclusions}.")
