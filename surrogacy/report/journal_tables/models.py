"""Table 3: the estimates of every model on every set."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.errors import Caveat
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table, sentence
from surrogacy.report.journal_tables.thresholds import threshold_cell
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, comparisons_in_words
from surrogacy.results.estimate import ThresholdEffect, probability_words
from surrogacy.results.format import ABSENT, interval, number, settings_in_words, with_interval
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

CORRELATIONS = ("r", "rho_between")


def models_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per model; a caveat of all models of a set is marked at the name of the set."""
    footnotes = Footnotes()
    groups = [_rows(fit, footnotes) for fit in run.sets if fit.results]
    settings: dict[str, dict[str, None]] = {}
    for result in (result for fit in run.sets for result in fit.results):
        settings.setdefault(settings_in_words(result), {})[model_label(result.model)] = None
    remarks = [sentence(f"{', '.join(models)}: {words}") for words, models in settings.items()]
    final = common_final_name(fit.effects for fit in run.sets)
    return journal_table("models", groups, footnotes=footnotes.all, remarks=remarks, final=final)


def _rows(fit: SetFit, footnotes: Footnotes) -> Rows:
    effects, patients = fit.effects, fit.effects.n_patients
    size = f", {patients:,.0f} patients" if patients == patients else ""
    heading = f"{set_label(fit.name)}: {comparisons_in_words(effects)}, {len(effects.trials)} trials{size}"
    shared = [caveat for caveat in fit.results[0].caveats if all(caveat in result.caveats for result in fit.results)]
    marks = _marks(fit, shared, footnotes)
    return Rows(Cell(heading, marks), [_row(fit, result, shared, footnotes) for result in fit.results])


def _marks(fit: SetFit, caveats: Iterable[Caveat], footnotes: Footnotes) -> tuple[str, ...]:
    """Return one letter per code; the footnote has the sentences of all sets."""
    name = set_label(fit.name)
    marks = [footnotes.mark(caveat.code, sentence(caveat.text), name) for caveat in caveats]
    return tuple(sorted(set(marks), key=lambda mark: (len(mark), mark)))


def _row(fit: SetFit, result: Result, shared: list[Caveat], footnotes: Footnotes) -> Row:
    further = [caveat for caveat in result.caveats if caveat not in shared]
    size = f" ({result.size} comparisons)" if result.left_out else ""
    correlation = next((name for name in CORRELATIONS if name in result.estimates), "")
    names = {"correlation": correlation, "r2": "r2_trial", "sigma": "sigma_cond"}
    names |= {name: name for name in ("intercept", "slope")}
    place = f"{set_label(fit.name)}, {model_label(result.model)}"
    thresholds = {"threshold": "ste_prediction_true", "threshold_mean_size": "ste_prediction_mean_size"}
    return {
        "model": Cell(f"{model_label(result.model)}{size}", _marks(fit, further, footnotes)),
        **{column: _threshold(result.threshold_effect(name), place, footnotes) for column, name in thresholds.items()},
        **{column: with_interval(result.estimate(name)) for column, name in names.items()},
    }


def _threshold(effect: ThresholdEffect | None, place: str, footnotes: Footnotes) -> Cell:
    """Return a threshold with its interval, or with its probability as a footnote."""
    if effect is None or not effect.is_defined:
        return Cell(ABSENT)
    words, uncertainty = number(effect.hr), effect.uncertainty
    if effect.hr_other is not None:
        words = interval(effect.hr_other, effect.hr)
    marks: tuple[str, ...] = ()
    if uncertainty is not None and effect.hr is not None:
        if uncertainty.low is not None and uncertainty.high is not None:
            words += f" ({interval(uncertainty.low, uncertainty.high)})"
        else:
            probability = f"A threshold exists with probability {probability_words(uncertainty.exists)}."
            marks = (footnotes.mark("probability", probability, place),)
    cell = threshold_cell(effect.status, words, footnotes)
    return Cell(cell.text, (*cell.marks, *marks))
