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
    sets = run.sets
    labels = estimate_labels(common_final_name(fit.effects for fit in sets))
    nuts = [record for fit in sets for record in fit.agreement]
    scaling = [record for fit in sets for record in fit.power_scaling]
    return Section(
        key="sampling",
        by_set={fit.name: tuple(_lines(fit)) for fit in sets},
        tables=(*table("nuts", nuts, labels=SUMMARIES | labels), *table("power_scaling", scaling, labels=labels)),
        record={"nuts": nuts, "power_scaling": scaling},
        draws={f"{result.effects.name}-{result.model}": result.draws for result in run.sampled},
    )


def _lines(fit: SetFit) -> Iterator[Note]:
    """Return the largest difference between an exact posterior and NUTS, a line a model."""
    for sampled in fit.sampled:
        model = sampled.model.removesuffix("-nuts").replace("bivariate", "bivariate-bayes")
        records: list[Record] = [record for record in fit.agreement if record["model"] == model]
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
