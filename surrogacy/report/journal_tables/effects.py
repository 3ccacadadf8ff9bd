"""Table 2: both hazard ratios of every comparison, as fitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.effects import Provenance
from surrogacy.report.journal_tables.caveats import shared_control_remarks
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, endpoint_of
from surrogacy.results.format import ABSENT, number, value_and_interval

SIDES = ("surrogate", "final")


def effects_table(run: FitRun, numbers: Mapping[str, int]) -> tuple[JournalTable, ...]:
    """Return the hazard ratios of every set; a comparison with the same values in an earlier set is not repeated.

    Parameters
    ----------
    run : FitRun
    numbers : mapping of str to int
        Numbers of the references by their keys; a source without a number is printed as the table names it.
    """
    footnotes, groups, printed = Footnotes(), list[Rows](), set[tuple[object, ...]]()
    sources = dict(zip(run.trials.effects["effect_id"], run.trials.effects["source"], strict=True))
    sets = [fit for fit in run.sets if not fit.large]
    for fit in sets:
        rows, repeated = [], 0
        for i, comparison in enumerate(fit.effects.comparison):
            values = (comparison, *fit.effects.log_hr[i], *fit.effects.se[i], fit.effects.n[i])
            if values in printed:
                repeated += 1
            else:
                rows.append(_row(fit, i, footnotes, _references(_sources(fit, i, sources), numbers)))
            printed.add(values)
        others = f" ({repeated} with the values above)" if repeated else ""
        heading = f"{set_label(fit.name)}: {len(fit.effects)} comparisons{others}, {len(fit.effects.trials)} trials"
        groups.append(Rows(heading, rows))
    final = common_final_name(fit.effects for fit in sets)
    return journal_table("effects", groups, footnotes=footnotes.all, remarks=shared_control_remarks(sets), final=final)


def _row(fit: SetFit, i: int, footnotes: Footnotes, references: str) -> Row:
    effects = fit.effects
    return {
        "label": effects.labels[i],
        "n": f"{effects.n[i]:,.0f}" if np.isfinite(effects.n[i]) else ABSENT,
        "surrogate": endpoint_of(effects, i, "surrogate"),
        "source": references or ABSENT,
        **{f"hr_{side}": _hazard_ratio(fit, i, column, footnotes) for column, side in enumerate(SIDES)},
    }


def _hazard_ratio(fit: SetFit, i: int, column: int, footnotes: Footnotes) -> Cell:
    effects = fit.effects
    log_hr, limits = effects.log_hr[i, column], [limit[i, column] for limit in effects.limits]
    if not np.isfinite(log_hr):
        return Cell(ABSENT)
    if not np.isfinite(effects.se[i, column]):
        return Cell(number(np.exp(log_hr)), (footnotes.mark("se", "No standard error is known."),))
    return Cell(value_and_interval(np.exp(log_hr), *np.exp(limits)), tuple(_marks(fit, i, column, footnotes)))


def _marks(fit: SetFit, i: int, column: int, footnotes: Footnotes) -> Iterator[str]:
    """Return the footnotes on evidence and standard error."""
    provenance = Provenance(int(fit.effects.provenance[i, column]))
    if Provenance.UNVERIFIED in provenance:
        yield footnotes.mark("unverified", "The hazard ratio or its limits are not verified in any source.")
    if Provenance.P in provenance:
        yield footnotes.mark("p", "Standard error from the p-value.")
    if Provenance.EVENTS in provenance:
        yield footnotes.mark("events", "Standard error from the numbers of events.")


def _references(keys: Iterable[str], numbers: Mapping[str, int]) -> str:
    """Return the numbers of sources in brackets, and sources without a number as they are."""
    sources = dict.fromkeys(keys)
    cited = sorted(numbers[key] for key in sources if key in numbers)
    others = [key for key in sources if key not in numbers]
    return ", ".join([f"[{','.join(map(str, cited))}]", *others] if cited else others)


def _sources(fit: SetFit, i: int, sources: dict[str, str]) -> Iterator[str]:
    for side in SIDES:
        identifiers = fit.effects.covariates.get(f"{side}_effect", ())
        source = str(sources.get(identifiers[i], "")) if identifiers else ""
        if source and source != "nan":
            yield source
