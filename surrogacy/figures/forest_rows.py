"""Rows of the paired forest plot: comparisons by class, mean effects and the effect in a new trial."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit

from surrogacy.effects import SIDES
from surrogacy.figures.bubble import comparison_data
from surrogacy.results.class_order import class_pages
from surrogacy.results.endpoint_names import endpoint_of
from surrogacy.results.format import capitalised
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result

NORMAL = 1.959964
Kind = Literal["heading", "comparison", "pooled", "prediction"]


@dataclass(frozen=True)
class PlottedEffect:
    """Log hazard ratio with its 95 % limits; NaN if not known."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class ForestRow:
    """Row of the forest plot.

    Parameters
    ----------
    kind : {"heading", "comparison", "pooled", "prediction"}
    label : str
    surrogate, final : PlottedEffect
        NaN if a comparison of the fit does not report the endpoint.
    trial, comparison, endpoint, stage, drug_class : str
        Of a comparison.
    n, area : float
        Patients, and the weight as a share of the largest.
    unverified : bool
        True if a hazard ratio was not verified in any source.
    shares_control : bool
        True if another comparison of the figure has the same control arm.
    """

    kind: Kind
    label: str
    surrogate: PlottedEffect = PlottedEffect()
    final: PlottedEffect = PlottedEffect()
    trial: str = ""
    comparison: str = ""
    endpoint: str = ""
    stage: str = ""
    drug_class: str = ""
    n: float = np.nan
    area: float = np.nan
    unverified: bool = False
    shares_control: bool = False


def forest_data(result: Result, part: int | None = None) -> list[ForestRow]:
    """Return the rows of the forest plot in drawing order: headings, comparisons, pooled effects.

    Parameters
    ----------
    result : Result
    part : int, optional
        Page of `surrogacy.results.class_order.class_pages`, from 0; the last has the pooled effects. Default: all rows.

    Returns
    -------
    list of ForestRow

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> rows = forest_data(WeightedRegression().fit(surrogacy.read_trials().analysis_set("tactics-2022")))
    >>> [row.label for row in rows][:2]
    ['TACE combination', 'TACTICS']
    """
    effects, data, pages = result.effects, comparison_data(result), class_pages(result)
    data["endpoint"] = [endpoint_of(effects, i, "surrogate") for i in range(len(effects))]
    controls = [effects.control_group[i] for page in pages for group in page for i in group]
    data["shares_control"] = [bool(control) and controls.count(control) > 1 for control in effects.control_group]
    several_stages = len(set(data["stage"])) > 1
    records = data.to_dict("records")
    rows: list[ForestRow] = []
    for group in (group for page in (pages if part is None else pages[part : part + 1]) for group in page):
        members = [records[i] for i in group]
        stage, drug_class = members[0]["stage"], members[0]["class"]
        if stage or drug_class:
            words = [str(stage) if several_stages or not drug_class else "", CLASSES.get(str(drug_class), "")]
            heading = ", ".join(filter(None, words))
            rows.append(ForestRow("heading", capitalised(heading)))
        rows += [_comparison_row(row) for row in members]
    return [*rows, *_pooled_rows(result)] if part in (None, len(pages) - 1) else rows


def _comparison_row(row: Mapping[Hashable, Any]) -> ForestRow:
    return ForestRow(
        kind="comparison",
        label=row["label"],
        surrogate=PlottedEffect(row["surrogate"], row["surrogate_low"], row["surrogate_high"]),
        final=PlottedEffect(row["final"], row["final_low"], row["final_high"]),
        trial=row["trial"],
        comparison=row["comparison"],
        endpoint=row["endpoint"],
        stage=row["stage"],
        drug_class=row["class"],
        n=row["n"],
        area=row["area"],
        unverified=row["unverified"],
        shares_control=row["shares_control"],
    )


def _pooled_rows(result: Result) -> list[ForestRow]:
    """Mean effects of a bivariate model, and the prediction interval of the true effects of a new trial."""
    if "mu_surrogate" not in result.estimates:
        return []
    if "loglik" not in result.estimates:  # a posterior has its own intervals, and no formula for a new trial
        means = (result.estimate(f"mu_{side}") for side in SIDES)
        surrogate, final = (PlottedEffect(*map(_or_nan, (mean.value, mean.low, mean.high))) for mean in means)
        return [ForestRow("pooled", "Mean effect", surrogate, final)]
    # a new trial: t with k - 2 degrees of freedom (Higgins, Thompson, Spiegelhalter 2009,
    # doi:10.1111/j.1467-985X.2008.00552.x)
    t = float(stdtrit(max(len(result.effects.trials) - 2, 1), 0.975))
    return [
        ForestRow("pooled", "Mean effect", *_mean_effects(result, NORMAL, with_scatter=False)),
        ForestRow("prediction", "Effect in a new trial", *_mean_effects(result, t, with_scatter=True)),
    ]


def _mean_effects(result: Result, quantile: float, *, with_scatter: bool) -> tuple[PlottedEffect, PlottedEffect]:
    """Mean effects with intervals of so many standard errors, to which the SD of the true effects may be added."""

    def interval(side: str) -> PlottedEffect:
        mean, spread = result.estimate(f"mu_{side}"), result.estimate(f"tau_{side}")
        value, se, sd = map(_or_nan, (mean.value, mean.se, spread.value if with_scatter else 0.0))
        half = quantile * float(np.hypot(se, sd))
        return PlottedEffect(value, value - half, value + half)

    return interval("surrogate"), interval("final")


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
