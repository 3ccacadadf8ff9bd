"""Table 3: the estimates of every model on every set."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.errors import Caveat
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table, sentence
from surrogacy.report.sections.sensitivity import OTHER_THRESHOLDS
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, comparisons_in_words
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import ABSENT, settings_in_words, with_interval
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
    return {
        "model": Cell(f"{model_label(result.model)}{size}", _marks(fit, further, footnotes)),
        "threshold": threshold(result.threshold_effect("ste_prediction_true")),
        "threshold_mean_size": threshold(result.threshold_effect("ste_prediction_mean_size")),
        **{column: with_interval(result.estimate(name)) for column, name in names.items()},
    }


def threshold(effect: ThresholdEffect | None) -> str:
    """Return a threshold with its interval, or the reason why there is none in a few words."""
    if effect is None or not effect.is_defined:
        return ABSENT
    if effect.hr is None:
        return OTHER_THRESHOLDS[effect.status]
    return f"{effect.value_words}{effect.uncertainty_words}"
