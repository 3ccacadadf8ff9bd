"""Sampling: exact posteriors beside those of NUTS, and how far sampled posteriors depend on prior and likelihood."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.section import Note, Record, Section, table, text
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import number
from surrogacy.results.labels import SUMMARIES, estimate_labels, model_label


def section(run: FitRun) -> Section:
    """Return how far sampled and exact posteriors agree."""
    analyses = run.sets
    labels = estimate_labels(common_final_name(one.effects for one in analyses))
    nuts = [record for one in analyses for record in one.agreement]
    scaling = [record for one in analyses for record in one.power_scaling]
    return Section(
        key="sampling",
        by_set={one.name: tuple(_lines(one)) for one in analyses},
        tables=(*table("nuts", nuts, labels=SUMMARIES | labels), *table("power_scaling", scaling, labels=labels)),
        record={"nuts": nuts, "power_scaling": scaling},
        draws={f"{result.effects.name}-{result.model}": result.draws for result in run.sampled},
    )


def _lines(one: SetFit) -> Iterator[Note]:
    """Return the largest difference between an exact posterior and NUTS, a line a model."""
    for sampled in one.sampled:
        model = sampled.model.removesuffix("-nuts").replace("bivariate", "bivariate-bayes")
        records: list[Record] = [record for record in one.agreement if record["model"] == model]
        largest = max(records, key=lambda record: abs(record["difference"]))
        draws = sampled.draws["posterior"].sizes
        yield Note(
            text(
                "nuts_line",
                model=model_label(str(model)),
                draws=draws["chain"] * draws["draw"],
                count=len(records),
                difference=number(abs(largest["difference"]), 1),
                estimate=largest["estimate"],
                summary=largest["summary"],
            )
        )
