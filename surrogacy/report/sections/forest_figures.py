"""Forest plot of a set, in pages, with its captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.report.captions import (
    caption_of,
    comparisons_of,
    intervals_drawn,
    model_in_words,
    surrogates_of,
)
from surrogacy.report.section import Drawing, drawing, phrase, text
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.class_order import class_pages
from surrogacy.results.endpoint_names import final_name, joined_surrogates, with_article
from surrogacy.results.format import capitalised, number, settings_in_words
from surrogacy.results.labels import CLASSES, weights_in_words
from surrogacy.results.result import Result


@dataclass(frozen=True)
class ForestPart:
    """Page of a forest plot: its number, the number of pages, and the comparisons on it."""

    number: int
    pages: int
    count: int

    @property
    def is_last(self) -> bool:
        """True if the page has the mean effects."""
        return self.number == self.pages


def forest_drawings(result: Result, focus: Sequence[str]) -> Iterator[Drawing]:
    """Return the forest plot, in parts that do not divide a class if it is longer than a page."""
    pages = class_pages(result)
    name, parts = f"forest-{result.effects.name}", len(pages)
    classes_of = result.effects.covariates.get("class", ("",) * len(result.effects))
    for part, groups in enumerate(pages):
        count = sum(map(len, groups))
        place = ForestPart(part + 1, parts, count)
        classes = (classes_of[i] for group in groups for i in group)
        labels = (result.effects.labels[i] for group in groups for i in group)
        yield drawing(
            "forest",
            name if parts == 1 else f"{name}-{part + 1}",
            _caption(result, place),
            result,
            effects=result.effects,
            focus=focus,
            alternative=_alternative(result, place),
            inscriptions=(*(CLASSES.get(name, name) for name in classes), *labels),
            part=part if parts > 1 else None,
        )


def _caption(result: Result, part: ForestPart) -> str:
    effects = result.effects
    final = with_article(final_name(effects))
    shown = [
        f"Hazard ratios of {surrogates_of(result)} and of {final}, {comparisons_of(result)}",
        _symbol_areas(result),
    ]
    details = []
    if effects.has_standard_errors.any():
        shown[0] += f", {text('forest_intervals')}."
        details.append(intervals_drawn(result, text("forest_refitted")))
    else:
        shown[0] += "."
        shown.append(intervals_drawn(result, ""))
    if part.pages > 1:
        shown.insert(0, text("forest_part", part=part.number, parts=part.pages, count=part.count))
    has_means = "mu_surrogate" in result.estimates
    if has_means and not part.is_last:
        shown.append(text("forest_means_later", parts=part.pages))
    elif has_means:
        shown += _means(result)
        if "loglik" in result.estimates:
            settings = capitalised(settings_in_words(result))
            details.append(text("diamond_details", settings=settings))
    left_out = [entry.comparison for entry in result.left_out]
    one_endpoint = int((~effects.complete & ~np.isin(effects.comparison, left_out)).sum())
    if one_endpoint:
        details.append(text("forest_one_endpoint", count=one_endpoint))
    if effects.unverified.any():
        shown.append(text("forest_unverified"))
    # caveats of the model concern the diamond
    return caption_of(shown, details, result.problems if has_means else effects.problems)


def _means(result: Result) -> list[str]:
    """Return sentences on the mean effects and, with a likelihood, on the effects in a new trial."""
    model = model_in_words(result.model)
    if "loglik" not in result.estimates:
        return [text("diamond", model=model, interval="95% interval")]
    return [text("diamond", model=model, interval="95% CI"), text("diamond_new_trial")]


def _alternative(result: Result, part: ForestPart) -> str:
    """Return kind and message of a part of the forest plot."""
    effects, means = result.effects, ""
    if "mu_surrogate" in result.estimates and part.is_last:
        surrogate, final = (number(np.exp(result[f"mu_{side}"].value)) for side in ("surrogate", "final"))
        means = phrase("alternative_texts", "forest-means", surrogate=surrogate, final=final)
    place = {"part": part.number, "parts": part.pages, "count": part.count, "k": result.size}
    return phrase(
        "alternative_texts",
        "forest",
        surrogate=joined_surrogates(effects),
        final=final_name(effects),
        set=set_label(effects.name),
        rows=phrase("alternative_texts", "forest-part" if part.pages > 1 else "forest-all", **place),
        means=means,
    )


def _symbol_areas(result: Result) -> str:
    """Return a sentence on the areas of the symbols of a forest plot."""
    effects, weights = result.effects, result.shown_weights.name
    if np.isfinite(effects.n).all():
        return text("forest_patients")
    areas = "equal areas" if weights == "none" else f"areas by weight ({weights_in_words(weights, effects)})"
    return text("forest_areas", areas=areas)
