"""Place of a trial within the lines: the predicted final effects, and the position of the observed one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.new_trial import NewTrial
from surrogacy.evaluation.refits import fit_each, without_extras
from surrogacy.models import Model
from surrogacy.models.prediction import ObservedEffects, PredictiveDistribution, predict_by_regression, predict_final
from surrogacy.results.endpoint_names import endpoint_of, with_article
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import Result
from surrogacy.stats.lines import Line
from surrogacy.trials import TrialSet
from surrogacy.trials.standard_errors import standard_error

LEVELS = (0.95, 0.8)
Position = Literal["inside-80", "inside-95", "outside-95"]
POSITIONS: dict[str, str] = {
    "inside-80": "inside the 80% prediction interval",
    "inside-95": "inside the 95% but outside the 80% prediction interval",
    "outside-95": "outside the 95% prediction interval",
}
PREFERRED = ("bivariate-bayes", "bivariate-reml", "weighted-regression", "daniels-hughes", "bivariate-ml")


@dataclass(frozen=True)
class DataCut:
    """One printed surrogate effect of the trial in focus.

    Parameters
    ----------
    name : str
        ``primary``, ``updated`` or as the table calls the analysis.
    log_hr, se : float
    effect_id : str
    """

    name: str
    log_hr: float
    se: float
    effect_id: str


@dataclass(frozen=True, eq=False)
class Focus:
    """A comparison to be placed, as a set of one, and its surrogate effects at every data cut.

    Parameters
    ----------
    trial : str
    label : str
    effects : Effects
        One comparison.
    cuts : tuple of DataCut
    """

    trial: str
    label: str
    effects: Effects
    cuts: tuple[DataCut, ...]

    @property
    def comparison(self) -> str:
        """Name of the comparison, as in the tables."""
        return self.effects.comparison[0]


def focus_comparisons(trials: TrialSet, sets: Sequence[Effects], name: str) -> tuple[Focus, ...]:
    """Find the comparisons of a trial in the sets of a run, each with every data cut of its surrogate effect.

    A comparison is taken from the first set that holds it with both effects.

    Parameters
    ----------
    trials : TrialSet
    sets : sequence of Effects
    name : str
        Of a trial, which selects all of its comparisons, or of one comparison, by its name or label in the tables.

    Returns
    -------
    tuple of Focus
        Empty if no set holds a comparison of that name with both effects.
    """
    focuses: dict[str, Focus] = {}
    for effects in sets:
        for i, comparison in enumerate(effects.comparison):
            named = name in (effects.trial[i], comparison, effects.labels[i])
            if named and effects.complete[i] and comparison not in focuses:
                one = effects.take(np.array([i]))
                focuses[comparison] = Focus(one.trial[0], one.labels[0], one, _cuts(trials, one))
    return tuple(focuses.values())


def require_focus(sets: Sequence[Effects], trial: str) -> None:
    """Refuse a trial in focus that no set holds with both effects: it could not be placed after the models are fitted.

    Parameters
    ----------
    sets : sequence of Effects
    trial : str
        Name of a trial or comparison, or its label.

    Raises
    ------
    UsageError
        With the trials that there are.
    """
    for effects in sets:
        names = zip(effects.trial, effects.comparison, effects.labels, effects.complete, strict=True)
        if any(complete and trial in about for *about, complete in names):
            return
    known = dict.fromkeys(name for effects in sets for name in effects.trial)
    raise UsageError(f"--focus {trial}: no set of this run has both of its effects; trials: {', '.join(known)}")


def _cuts(trials: TrialSet, one: Effects) -> tuple[DataCut, ...]:
    """Whole-population surrogate effects with limits, oldest cut first; without them the one of the set."""
    table = trials.effects
    endpoint = one.factors.get("surrogate", ("",))[0]
    rows = table[(table["comparison"] == one.comparison[0]) & (table["endpoint"] == endpoint)]
    cuts = []
    for row in rows.sort_values("data_cut").to_dict("records"):
        limits = [float(row[name]) for name in ("hr", "ci_low", "ci_high")]
        if "subgroup" in str(row["analysis"]) or not np.isfinite(limits).all():
            continue
        error = standard_error({str(name): value for name, value in row.items()})
        if error is not None:
            cuts.append(
                DataCut(
                    str(row["analysis"]).split(",")[0], float(np.log(limits[0])), error.value, str(row["effect_id"])
                )
            )
    own = DataCut("as in the set", float(one.log_hr[0, 0]), float(one.se[0, 0]), "")
    return tuple(cuts) or (own,)


def place(
    focus: Focus, models: Iterable[Model], sets: Sequence[tuple[Effects, Sequence[Result]]]
) -> list[dict[str, Any]]:
    """Predict the trial's observed final effect by every line: fitted with it, without it, and to sets that do not hold it.

    Parameters
    ----------
    focus : Focus
    models : iterable of Model
        Those without a line are passed over, and those that need standard errors if the trial has none.
    sets : sequence of (Effects, results)
        The sets of a run and what was fitted to them.

    Returns
    -------
    list of dict
        One record a set, model, fit, data cut and rho_within: predicted hazard ratio with 95 % and 80 % prediction intervals,
        the parts of the variance, residual, percentile, probability of a hazard ratio at or above the observed one,
        position of the observed one (see `position`).
    """
    records = []
    for effects, results in sets:
        for model in models:
            if Requirement.STANDARD_ERRORS in model.requires and not focus.effects.has_standard_errors[0]:
                continue
            full = next((result for result in results if result.model == model.name and result.line is not None), None)
            inside = focus.trial in (effects if full is None else full.effects).trial
            fits = [("with it", full)] if inside else [("of other trials", full)]
            if inside:
                (alone,) = fit_each(without_extras(model), [effects.without_trial(focus.trial)])
                fits.append(("without it", None if isinstance(alone, SurrogacyError) else alone))
            for fitted, result in fits:
                if result is None or result.line is None:
                    continue
                about = {
                    "trial": focus.trial,
                    "comparison": focus.comparison,
                    "label": focus.label,
                    "set": effects.name,
                    "model": model.name,
                    "fitted": fitted,
                    "k": len(result.effects),
                }
                records += [about | record for record in _place(focus, result, joins=fitted != "with it")]
    return records


def _place(focus: Focus, result: Result, *, joins: bool) -> list[dict[str, Any]]:
    """Every data cut, with the assumed correlation of the trial's two estimates and without."""
    one = focus.effects
    records = []
    for cut in focus.cuts:
        base = ObservedEffects(
            cut.log_hr, cut.se, float(one.log_hr[0, 1]), float(one.se[0, 1]), float(one.rho_within[0]), float(one.n[0])
        )
        for rho_within in dict.fromkeys((base.rho_within, 0.0)):
            trial = replace(base, rho_within=rho_within)
            prediction = predict_final(result, trial, joins=joins)
            middle, below = prediction.quantile(0.5), prediction.probability_below(trial.log_hr_final)
            record: dict[str, Any] = {
                "cut": cut.name,
                "rho_within": rho_within,
                "hr_surrogate": float(np.exp(cut.log_hr)),
                "hr_final": float(np.exp(trial.log_hr_final)),
                "predicted": float(np.exp(middle)),
            }
            record |= _limits(prediction)
            record |= {
                "position": position(record),
                "residual": trial.log_hr_final - middle,
                "percentile": 100 * below,
                "p_at_or_above": 1 - below,
                "variance": prediction.variance,
            }
            records.append(record | {f"variance_{name}": value for name, value in prediction.components.items()})
    return records


def predict_new(
    sets: Sequence[tuple[Effects, Sequence[Result]]],
    hr: tuple[float, float, float],
    rho_within: float,
    new_n: float | None,
) -> list[dict[str, Any]]:
    """Predict the final effect of a new trial from its surrogate hazard ratio and 95 % limits, by every line.

    Parameters
    ----------
    sets : sequence of (Effects, results)
    hr : tuple of float
        Surrogate hazard ratio, lower and upper 95 % limit.
    rho_within : float
        Correlation of the new trial's two estimates.
    new_n : float or None
        Patients of the new trial: then also the hazard ratio that it will observe.

    Returns
    -------
    list of dict
        One record per set, model and target (``true effect``, ``observed``); a weighted regression predicts only what trials
        of a size observe (default: of the mean size of the set), with this trial's own sampling errors.

    Raises
    ------
    UsageError
        If the limits do not enclose the hazard ratio, or are not positive.
    """
    new_trial = NewTrial(*hr, rho_within, new_n)
    value, log_hr, se = new_trial.hr, new_trial.log_hr, new_trial.se
    records = []
    for effects, results in sets:
        variance = unit_variance(effects)
        sizes = [None, new_n] if new_n is not None and np.isfinite([new_n, variance]).all() else [None]
        for result in results:
            for size in sizes:
                own = isinstance(result.line, Line) and "tau_surrogate" not in result.estimates
                if result.line is None or (own and size is None and len(sizes) > 1):
                    continue
                se_final = float(np.sqrt(variance / size)) if size is not None else np.nan if own else 0.0
                new = ObservedEffects(log_hr, se, np.nan, se_final, rho_within, np.nan if size is None else size)
                prediction = predict_by_regression(result, new) if own else predict_final(result, new, joins=True)
                target = (
                    result.line.new_trial(size)
                    if own
                    else "true effect"
                    if size is None
                    else f"observed, n = {size:.0f}"
                )
                record: dict[str, Any] = {
                    "set": effects.name,
                    "model": result.model,
                    "k": len(result.effects),
                    "target": target,
                    "hr_surrogate": value,
                    "predicted": float(np.exp(prediction.quantile(0.5))),
                    "p_below_1": prediction.probability_below(0.0),
                    "beyond_data": not result.line.data_range[0] <= log_hr <= result.line.data_range[1],
                }
                records.append(record | _limits(prediction))
    return records


def _limits(prediction: PredictiveDistribution) -> dict[str, float]:
    """Limits of the prediction intervals, hazard ratios."""
    found: dict[str, float] = {}
    for level in LEVELS:
        low, high = prediction.interval(level)
        found |= {f"low_{level * 100:.0f}": float(np.exp(low)), f"high_{level * 100:.0f}": float(np.exp(high))}
    return found


def position(record: Mapping[str, Any]) -> Position:
    """Position of the observed final hazard ratio within the 95% and the 80% prediction interval of a record."""
    if record["low_80"] <= record["hr_final"] <= record["high_80"]:
        return "inside-80"
    return "inside-95" if record["low_95"] <= record["hr_final"] <= record["high_95"] else "outside-95"


def shown_records(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records to be shown first: one model, each comparison's own within-trial correlation, lines fitted without it."""
    rho_within: dict[str, float] = {}
    for record in records:
        rho_within.setdefault(record["comparison"], record["rho_within"])
    chosen = [
        record
        for record in records
        if record["rho_within"] == rho_within[record["comparison"]] and record["fitted"] != "with it"
    ]
    names = {record["model"] for record in chosen}
    model = next((name for name in PREFERRED if name in names), None)
    return [record for record in chosen if record["model"] == model]


def in_words(focus: Focus, records: Sequence[dict[str, Any]]) -> str:
    """One paragraph on a comparison: predictions by line and cut, and the position of the effect observed."""
    rho_within = float(focus.effects.rho_within[0])
    chosen = [record for record in shown_records(records) if record["comparison"] == focus.comparison]
    if not chosen:
        return ""
    model = chosen[0]["model"]
    endpoint, final = endpoint_of(focus.effects, 0, "surrogate"), with_article(endpoint_of(focus.effects, 0, "final"))
    low, high = (float(np.exp(limit[0, 1])) for limit in focus.effects.limits)
    interval = f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else ""
    parts = [f"{focus.label} observed a hazard ratio of {chosen[0]['hr_final']:.2f}{interval} for {final}."]
    for record in chosen:
        who = (
            f"the other {record['k']} comparisons of {record['set']}"
            if record["fitted"] == "without it"
            else f"the {record['k']} comparisons of {record['set']}"
        )
        parts.append(
            f"By {who}, its {endpoint} hazard ratio of {record['hr_surrogate']:.2f} ({record['cut']}) predicts "
            f"{record['predicted']:.2f} (95% prediction interval {record['low_95']:.2f} to {record['high_95']:.2f}, "
            f"80% {record['low_80']:.2f} to {record['high_80']:.2f}); the probability of {record['hr_final']:.2f} or "
            f"more is {record['p_at_or_above']:.2f}."
        )
    parts.append(f"The observed effect lies {_positions_in_words(chosen)}.")
    errors = f"errors of both effects and their assumed correlation of {rho_within:g} are in the intervals"
    if not focus.effects.has_standard_errors[0]:
        errors = f"the standard errors of {focus.label} are not known"
    if all("variance_residual" in record for record in chosen):  # a regression has no sampling errors of its own
        known = "" if focus.effects.has_standard_errors[0] else f"{errors}, and "
        errors = (
            f"{known}the intervals hold the residual variance and the parameters of the line, not its sampling errors"
        )
    parts.append(f"Model {model}; {errors}.")
    return " ".join(parts)


def _positions_in_words(records: Sequence[Mapping[str, Any]]) -> str:
    """Position of the observed effect, and the lines and data cuts that give it."""
    several_cuts = len({record["cut"] for record in records}) > 1
    lines: dict[str, list[str]] = {}
    for record in records:
        line = f"{record['set']} ({record['cut']})" if several_cuts else str(record["set"])
        lines.setdefault(record["position"], []).append(line)
    if len(lines) == 1 and len(records) > 1:
        return f"{POSITIONS[next(iter(lines))]} of every line{', at every data cut' if several_cuts else ''}"
    return "; ".join(f"{words} of {', '.join(lines[name])}" for name, words in POSITIONS.items() if name in lines)
