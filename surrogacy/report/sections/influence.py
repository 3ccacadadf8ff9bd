"""Influence: what single comparisons and trials change, and the conclusions that rest on one of them."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.report.section import Note, Section, Table, columns, record_table, text
from surrogacy.report.sections.effects import comparison_labels, trial_labels


def section(run: Run) -> Section:
    """Return what single trials change."""
    analyses = run.analyses
    return Section(
        key="influence",
        by_set={one.name: tuple(_pivotal_line(one)) for one in analyses},
        tables=(*_influence_table(run), *_changes_table(run)),
        record={
            "influence": [record for one in analyses for record in one.robustness.diagnostics],
            "delete_one": [record for one in analyses for record in one.robustness.delete_one],
        },
    )


def _pivotal_line(one: SetFit) -> Iterator[Note]:
    """Return the single trials without which an interval of the slope would contain 0, or no longer, by model."""
    labels, cells = trial_labels([one]), []
    for model in dict.fromkeys(record["model"] for record in one.robustness.delete_one):
        records = [
            record for record in one.robustness.delete_one if record["model"] == model and "slope_sign" in record
        ]
        changed = [record for record in records if record["slope_sign"] != records[0]["slope_sign"]]
        if changed:
            without = ", ".join(labels[record["left_out"]] for record in changed)
            cells.append(f"{model} {records[0]['slope_sign']}, but not without any one of {without}")
    if cells:
        yield Note(f"95% interval of the slope: {'; '.join(cells)}")


def _influence_table(run: Run) -> tuple[Table, ...]:
    """Return leverage and influence of each comparison on the weighted regression."""
    records = [record for one in run.analyses for record in one.robustness.diagnostics]
    printed = columns(
        "set label weight residual external hat cooks_distance dffits dfbetas_intercept dfbetas_slope",
        labels=_labels(run),
    )
    return record_table("influence", "Influence on the weighted regression", records, printed, text("influence_note"))


def _labels(run: Run) -> dict[str, str]:
    return comparison_labels(run.analyses) | trial_labels(run.analyses)


def _changes_table(run: Run) -> tuple[Table, ...]:
    """Return the change of every estimate without each trial, and the conclusions that rest on one trial."""
    labels = _labels(run)
    records = [record for one in run.analyses for record in one.robustness.delete_one if record["left_out"]]
    pivotal = [f"[{one.name}] {sentence}" for one in run.analyses for sentence in one.robustness.carried(labels)]
    note = text("changes_note")
    if pivotal:
        note += f" Conclusions that another set of trials would not give: {'; '.join(pivotal)}"
    printed = columns(
        "set model left_out k r r_change rho_between rho_between_change slope slope_change "
        "ste_prediction ste_prediction_change ste_prediction_status slope_sign problem",
        left_out="Without",
        labels=labels,
    )
    return record_table("delete_one", "What single trials change", records, printed, f"{note}.")
