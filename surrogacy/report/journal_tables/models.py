"""Table 3: the estimates of every model on every set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.errors import Caveat, CaveatCode
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table, sentence
from surrogacy.report.journal_tables.thresholds import threshold_cell
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, comparisons_in_words
from surrogacy.results.estimate import Estimate, ThresholdEffect, probability_words
from surrogacy.results.format import ABSENT, interval, number, settings_in_words, with_interval
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

CORRELATIONS = ("r", "rho_between")
MEAN_SIZE = "ste_prediction_mean_size"


@dataclass(frozen=True)
class Threshold:
    """Column of a threshold: its name in a result, and the size of the new trial in words."""

    column: str
    name: str
    size: str

    @property
    def target(self) -> str:
        """Predicted quantity of the new trial."""
        return f"trial of {self.size}" if self.size else "true effect"


def _thresholds(new_n: float | None) -> tuple[Threshold, Threshold]:
    """Return the columns of the thresholds: true effect, and effect in a trial of stated or of mean size."""
    true = Threshold("threshold", "ste_prediction_true", "")
    if new_n is None or not isfinite(new_n):
        return true, Threshold("threshold_of_size", MEAN_SIZE, "mean size")
    return true, Threshold("threshold_of_size", "ste_prediction", f"{new_n:,.0f} patients")


def models_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per model; a caveat of all models of a set is marked at the name of the set."""
    footnotes = Footnotes()
    columns = _thresholds(run.settings.new_n)
    groups = [_rows(fit, footnotes, columns) for fit in run.sets if fit.results]
    settings: dict[str, dict[str, None]] = {}
    for result in (result for fit in run.sets for result in fit.results):
        settings.setdefault(settings_in_words(result), {})[model_label(result.model)] = None
    remarks = [sentence(f"{', '.join(models)}: {words}") for words, models in settings.items()]
    remarks += [*_mean_sizes(run.sets, columns), *_threshold_intervals(run.sets, columns)]
    final = common_final_name(fit.effects for fit in run.sets)
    return journal_table("models", groups, footnotes=footnotes.all, remarks=remarks, final=final, size=columns[-1].size)


def _rows(fit: SetFit, footnotes: Footnotes, thresholds: Sequence[Threshold]) -> Rows:
    effects, patients = fit.effects, fit.effects.n_patients
    size = f", {patients:,.0f} patients" if patients == patients else ""
    heading = f"{set_label(fit.name)}: {comparisons_in_words(effects)}, {len(effects.trials)} trials{size}"
    shared = [caveat for caveat in fit.results[0].caveats if all(caveat in result.caveats for result in fit.results)]
    marks = _marks(fit, shared, footnotes)
    return Rows(Cell(heading, marks), [_row(fit, result, shared, footnotes, thresholds) for result in fit.results])


def _mean_sizes(fits: Sequence[SetFit], columns: Sequence[Threshold]) -> Iterator[str]:
    """Return a note on the mean numbers of patients, for which thresholds are given."""
    sizes: dict[str, dict[str, None]] = {}
    for result in (result for fit in fits for result in fit.results):
        threshold = result.threshold_effect(MEAN_SIZE)
        if threshold is not None and threshold.new_trial.n is not None:
            sizes.setdefault(set_label(result.effects.name), {})[f"{threshold.new_trial.n:,.0f}"] = None
    if sizes and columns[-1].name == MEAN_SIZE:
        words = "; ".join(f"{name} {' or '.join(numbers)}" for name, numbers in sizes.items())
        yield f"Mean size, patients per comparison: {words}."


def _threshold_intervals(fits: Sequence[SetFit], columns: Sequence[Threshold]) -> Iterator[str]:
    """Return a note on the methods of the intervals of the thresholds."""
    methods: dict[str, dict[str, None]] = {}
    for result in (result for fit in fits for result in fit.results):
        for column in columns:
            threshold = result.threshold_effect(column.name)
            if threshold is not None and threshold.uncertainty is not None and threshold.hr is not None:
                method = threshold.uncertainty.method.partition(",")[0]
                methods.setdefault(method, {})[model_label(result.model)] = None
    if methods:
        words = "; ".join(f"{', '.join(models)}: {method}" for method, models in methods.items())
        yield sentence(f"95% intervals of the STE, which is a function of the true parameters: {words}")


def _marks(
    fit: SetFit, caveats: Iterable[Caveat], footnotes: Footnotes, result: Result | None = None
) -> tuple[str, ...]:
    """Return one letter per code; the footnote names the set, and the model if its sentence differs from others."""
    texts: dict[CaveatCode, set[str]] = {}
    for caveat in (caveat for each in fit.results for caveat in each.caveats):
        texts.setdefault(caveat.code, set()).add(caveat.text)
    name = set_label(fit.name)
    marks = []
    for caveat in caveats:
        place = name if result is None or len(texts[caveat.code]) == 1 else f"{name}, {model_label(result.model)}"
        marks.append(footnotes.mark(caveat.code, sentence(caveat.text), place))
    return tuple(sorted(set(marks), key=lambda mark: (len(mark), mark)))


def _row(
    fit: SetFit, result: Result, shared: list[Caveat], footnotes: Footnotes, thresholds: Sequence[Threshold]
) -> Row:
    further = [caveat for caveat in result.caveats if caveat not in shared]
    size = f" ({result.size} comparisons)" if result.left_out else ""
    correlation = next((name for name in CORRELATIONS if name in result.estimates), "")
    names = {"correlation": correlation, "r2": "r2_trial", "sigma": "sigma_cond"}
    names |= {name: name for name in ("intercept", "slope")}
    place = f"{set_label(fit.name)}, {model_label(result.model)}"
    return {
        "model": Cell(f"{model_label(result.model)}{size}", _marks(fit, further, footnotes, result)),
        **{
            each.column: _threshold(result.threshold_effect(each.name), f"{place}, {each.target}", footnotes)
            for each in thresholds
        },
        **{column: _estimate(result.estimate(name)) for column, name in names.items()},
    }


def _estimate(estimate: Estimate) -> str:
    """Return an estimate with its interval, or that there is none."""
    words = with_interval(estimate)
    return f"{words} (no interval)" if estimate.value is not None and not words.endswith(")") else words


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
