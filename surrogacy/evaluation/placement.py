"""Placement of a trial: the final effects that the lines predict, and the position of the observed effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.new_trial_prediction import hazard_ratio_intervals
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.refits import fit_each, without_extras
from surrogacy.models import Model, rank
from surrogacy.models.prediction import predict_final
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import Result
from surrogacy.results.suggestions import did_you_mean
from surrogacy.stats.predictive import ObservedEffects
from surrogacy.trials import AnalysisSet, TrialSet
from surrogacy.trials.frames import reported_effects
from surrogacy.trials.standard_errors import standard_error

Position = Literal["inside-80", "inside-95", "outside-95"]


@dataclass(frozen=True)
class DataCut:
    """Printed surrogate effect of the trial in focus at a data cut.

    Parameters
    ----------
    name : str
        ``primary``, ``updated`` or the name of the analysis in the table.
    log_hr, se : float
    effect_id : str
    """

    name: str
    log_hr: float
    se: float
    effect_id: str


@dataclass(frozen=True, eq=False)
class Focus:
    """Comparison in focus, with its surrogate effects at every data cut.

    Parameters
    ----------
    trial : str
    label : str
    effects : Effects
        The comparison.
    cuts : tuple of DataCut
    """

    trial: str
    label: str
    effects: Effects
    cuts: tuple[DataCut, ...]

    @property
    def comparison(self) -> str:
        """Name of the comparison in the tables."""
        return self.effects.comparison[0]


@dataclass(frozen=True)
class Placement:
    """Observed final effect of a comparison, compared with its prediction by a line from a data cut.

    Parameters
    ----------
    trial, comparison, label, set, model : str
    fitted : {"with it", "without it", "of other trials"}
        Data of the line.
    k : int
        Comparisons in the fit.
    cut : str
        Data cut of the surrogate effect.
    rho_within : float
        Within-trial correlation.
    hr_surrogate, hr_final, predicted : float
        Observed hazard ratios, and the predicted median.
    low_95, high_95, low_80, high_80 : float
        Prediction intervals, hazard ratios.
    position : {"inside-80", "inside-95", "outside-95"}
        Position of the observed effect.
    residual : float
        Observed minus predicted log hazard ratio.
    percentile : float
        Percentile of the observed effect in its predictive distribution, in [0, 100].
    p_at_or_above : float
        Probability of a hazard ratio at or above the observed one.
    variance : float
        Variance of the predictive distribution, log scale.
    components : mapping of str to float
        Parts of the variance.
    """

    trial: str
    comparison: str
    label: str
    set: str
    model: str
    fitted: str
    k: int
    cut: str
    rho_within: float
    hr_surrogate: float
    hr_final: float
    predicted: float
    low_95: float
    high_95: float
    low_80: float
    high_80: float
    position: Position
    residual: float
    percentile: float
    p_at_or_above: float
    variance: float
    components: Mapping[str, float]


def focus_comparisons(trials: TrialSet, sets: Sequence[Effects], name: str) -> tuple[Focus, ...]:
    """Find the comparisons of a trial in the sets of a run, each with every data cut of its surrogate effect.

    A comparison is taken from the first set that includes it with both effects.

    Parameters
    ----------
    trials : TrialSet
    sets : sequence of Effects
    name : str
        Name of a trial, which selects all of its comparisons, or name or label of a comparison.

    Returns
    -------
    tuple of Focus
        Empty if no set includes a comparison of that name with both effects.

    Examples
    --------
    >>> import surrogacy
    >>> trials = surrogacy.read_trials()
    >>> focuses = focus_comparisons(trials, [trials.analysis_set("advanced-immunotherapy")], "himalaya")
    >>> [focus.comparison for focus in focuses]
    ['himalaya-durva', 'himalaya-stride']
    """
    focuses: dict[str, Focus] = {}
    for effects in sets:
        for i, comparison in enumerate(effects.comparison):
            named = name in (effects.trial[i], comparison, effects.labels[i])
            if named and effects.complete[i] and comparison not in focuses:
                alone = effects.take(np.array([i]))
                focuses[comparison] = Focus(alone.trial[0], alone.labels[0], alone, _cuts(trials, alone))
    return tuple(focuses.values())


def require_focus(trials: TrialSet, sets: Sequence[AnalysisSet], name: str) -> None:
    """Refuse, before any fit, a trial in focus that no set includes with a surrogate effect.

    The final effect of a trial without one is predicted.

    Parameters
    ----------
    trials : TrialSet
    sets : sequence of AnalysisSet
    name : str
        Name of a trial or comparison, or its label.

    Raises
    ------
    UsageError
        With the reason, and the names of the available trials.
    """
    available: dict[str, str] = {}
    for paired in sets:
        effects = paired.effects
        names = zip(effects.trial, effects.comparison, effects.labels, effects.complete, strict=True)
        for trial, comparison, label, complete in names:
            if complete and name in (trial, comparison, label):
                return
            available |= {label: trial, trial: trial}
        if any(name in (entry.trial, entry.comparison, entry.label) for entry in paired.surrogate_only):
            return
    raise UsageError(f"--focus {name}: {_not_available(trials, sets, name, available)}")


def _not_available(trials: TrialSet, sets: Sequence[AnalysisSet], name: str, available: Mapping[str, str]) -> str:
    """Return the reason why a trial cannot be in focus, and the remedy."""
    choose = f"trials: {', '.join(dict.fromkeys(available.values()))}"
    table = trials.trials
    rows = table[(table["trial"] == name) | (table["comparison"] == name) | (table["label"] == name)]
    if len(rows):
        stages = ", ".join(dict.fromkeys(rows["stage"].astype(str))) or "not given"
        fitted = ", ".join(paired.effects.name for paired in sets)
        return (
            f"the tables include it (stage: {stages}), but no set of this run ({fitted}) has both of its effects; name "
            f"a set that includes it, or another trial; {choose}"
        )
    return "; ".join(filter(None, ("the tables have no trial of this name", did_you_mean(name, available), choose)))


def _cuts(trials: TrialSet, effects: Effects) -> tuple[DataCut, ...]:
    """Surrogate effects with limits in the whole population, earliest data cut first; else the effect of the set."""
    table = trials.effects
    endpoint = effects.covariates.get("surrogate", ("",))[0]
    rows = table[(table["comparison"] == effects.comparison[0]) & (table["endpoint"] == endpoint)]
    cuts = []
    for effect in reported_effects(rows.sort_values("data_cut")):
        limits = effect.hr, effect.ci_low, effect.ci_high
        error = standard_error(effect)
        if "subgroup" not in effect.analysis and np.isfinite(limits).all() and error is not None:
            name = effect.analysis.split(",")[0]
            cuts.append(DataCut(name, float(np.log(effect.hr)), error.value, effect.effect_id))
    return tuple(cuts) or (DataCut("as in the set", float(effects.log_hr[0, 0]), float(effects.se[0, 0]), ""),)


def place(focus: Focus, models: Iterable[Model], sets: Sequence[tuple[Effects, Sequence[Result]]]) -> list[Placement]:
    """Predict the observed final effect of a trial by every line, fitted with the trial, without it and to other sets.

    Parameters
    ----------
    focus : Focus
    models : iterable of Model
        Models without a line are skipped, as are models that need standard errors if the trial has none.
    sets : sequence of (Effects, results)
        Sets of a run and the results of the models on each.

    Returns
    -------
    list of Placement
        One per set, model, fit, data cut and rho_within.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> trials, model = surrogacy.read_trials(), WeightedRegression()
    >>> effects = trials.analysis_set("llovet-2019-pfs")
    >>> (focus,) = focus_comparisons(trials, [effects], "reflect")
    >>> placements = place(focus, [model], [(effects, [model.fit(effects)])])
    >>> sorted({placement.fitted for placement in placements})
    ['with it', 'without it']
    """
    placements = []
    for effects, results in sets:
        for model in models:
            if Requirement.STANDARD_ERRORS in model.requires and not focus.effects.has_standard_errors[0]:
                continue
            full = {result.model: result for result in results if result.line is not None}.get(model.name)
            inside = focus.trial in (effects if full is None else full.effects).trial
            fits = [("with it", full)] if inside else [("of other trials", full)]
            if inside:
                (alone,) = fit_each(without_extras(model), [effects.without_trial(focus.trial)])
                fits.append(("without it", None if isinstance(alone, SurrogacyError) else alone))
            for fitted, result in fits:
                if result is None or result.line is None:
                    continue
                placements += _place(focus, result, effects.name, fitted)
    return placements


def _place(focus: Focus, result: Result, set_name: str, fitted: str) -> list[Placement]:
    """Placements at every data cut, with the within-trial correlation of the trial and with 0."""
    effects, placements = focus.effects, []
    for cut in focus.cuts:
        base = ObservedEffects(
            cut.log_hr,
            cut.se,
            float(effects.log_hr[0, 1]),
            float(effects.se[0, 1]),
            float(effects.rho_within[0]),
            float(effects.n[0]),
        )
        hr_final = float(np.exp(base.log_hr_final))
        for rho_within in dict.fromkeys((base.rho_within, 0.0)):
            prediction = predict_final(result, replace(base, rho_within=rho_within), joins=fitted != "with it")
            median, below = prediction.quantile(0.5), prediction.probability_below(base.log_hr_final)
            (low_95, high_95), (low_80, high_80) = intervals = hazard_ratio_intervals(prediction)
            placements.append(
                Placement(
                    trial=focus.trial,
                    comparison=focus.comparison,
                    label=focus.label,
                    set=set_name,
                    model=result.model,
                    fitted=fitted,
                    k=len(result.effects),
                    cut=cut.name,
                    rho_within=rho_within,
                    hr_surrogate=float(np.exp(cut.log_hr)),
                    hr_final=hr_final,
                    predicted=float(np.exp(median)),
                    low_95=low_95,
                    high_95=high_95,
                    low_80=low_80,
                    high_80=high_80,
                    position=position(hr_final, *intervals),
                    residual=base.log_hr_final - median,
                    percentile=100 * below,
                    p_at_or_above=1 - below,
                    variance=prediction.variance,
                    components=prediction.components,
                )
            )
    return placements


def placement_record(placement: Placement) -> Record:
    """Return the record of a placement, with the parts of the variance as ``variance_*``."""
    record: Record = {name: value for name, value in vars(placement).items() if name != "components"}
    return record | {f"variance_{name}": value for name, value in placement.components.items()}


def position(hr_final: float, interval_95: tuple[float, float], interval_80: tuple[float, float]) -> Position:
    """Return the position of the observed final hazard ratio within the 95 % and the 80 % prediction interval.

    Examples
    --------
    >>> position(0.65, (0.6, 1.0), (0.7, 0.9))
    'inside-95'
    """
    if interval_80[0] <= hr_final <= interval_80[1]:
        return "inside-80"
    return "inside-95" if interval_95[0] <= hr_final <= interval_95[1] else "outside-95"


def shown_placements(placements: Sequence[Placement]) -> list[Placement]:
    """Return the placements to show first: of one model per comparison, fitted without the trial."""
    by_comparison: dict[str, list[Placement]] = {}
    for placement in placements:
        by_comparison.setdefault(placement.comparison, []).append(placement)
    shown = []
    for group in by_comparison.values():
        chosen = [each for each in group if each.rho_within == group[0].rho_within and each.fitted != "with it"]
        best = min((rank(each.model) for each in chosen), default=0)
        shown += [each for each in chosen if rank(each.model) == best]
    return shown
