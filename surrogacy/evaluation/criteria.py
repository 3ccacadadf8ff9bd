"""Verdicts of published schemes on a result; the words stand in ``criteria.toml``, in two styles.

    IQWiG A10-05       lower 95 % limit of R >= 0.85 high, upper <= 0.70 low, else unclear. High alone suffices: an
                       effect on the surrogate then proves one on the final endpoint. Unclear: the threshold effect; a
                       trial whose confidence limit nearest to no effect lies beyond it proves (95 % band) or hints at
                       (80 %) an effect
    Daniels-Hughes     the interval of the intercept holds 0, that of the slope does not, sigma_cond is small
    BSES3              R2_trial >= 0.2 fair, 0.4 good, 0.6 excellent, together with an individual-level R2 and STEP
    frailtypack        lower 95 % limit of R2_trial <= 0.49 low, < 0.72 medium, else high

A verdict from a fit on the boundary, or one that failed its diagnostics, says so in its status and in its words. Each
scheme in ``criteria.toml`` names the source of every limit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import numpy as np
from scipy.special import ndtri

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.grades import HIGH, SurrogateEffect, class_r2, grade_correlation, grade_r2
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.result import Result
from surrogacy.stats import correlation
from surrogacy.stats.correlation import needed_r

Style = Literal["verdict", "neutral"]
Status = Literal["auto", "doubtful", "not gradable"]
UNGRADABLE = ("none", "no_line", "not_gradable")


@dataclass(frozen=True)
class Verdict:
    """One verdict of one scheme.

    Parameters
    ----------
    scheme, version, item : str
    status : {"auto", "doubtful", "not gradable"}
        ``doubtful``: the fit lies on the boundary or failed its diagnostics, or the verdict rests on an extrapolation
        or on the trial that it judges; the words say which.
    value : str
        The verdict in a word or two; in the neutral style the numbers.
    numbers : mapping
        What it was made from.
    words : str
    model, source : str
        Name of the model; DOI (or other identifier) of the scheme.
    limits : str
        Source of every limit of the scheme.
    caveats : tuple of Caveat
        Of the result.
    """

    scheme: str
    version: str
    item: str
    status: Status
    value: str
    numbers: Mapping[str, float | str | None]
    words: str
    model: str
    source: str
    limits: str
    caveats: tuple[Caveat, ...] = ()


def all_verdicts(
    result: Result,
    *,
    trial: SurrogateEffect | None = None,
    r2_individual: float | None = None,
    style: Style = "verdict",
) -> list[Verdict]:
    """Every verdict of every scheme on one result.

    Parameters
    ----------
    result : Result
        With intervals at 95 %.
    trial : SurrogateEffect, optional
        Held against the threshold effect.
    r2_individual : float, optional
        An individual-level R2 from elsewhere, for BSES3.
    style : {"verdict", "neutral"}

    Returns
    -------
    list of Verdict

    Raises
    ------
    UsageError
        If the style is not known, or an interval has another level.
    """
    return [
        *iqwig(result, trial=trial, style=style),
        *daniels_hughes(result, style=style),
        *bses3(result, r2_individual=r2_individual, style=style),
        frailtypack(result, style=style),
    ]


def iqwig(result: Result, *, trial: SurrogateEffect | None = None, style: Style = "verdict") -> list[Verdict]:
    """Correlation, the R that as many trials would need, the threshold effects, and a trial held against them."""
    r = _correlation(result)
    grade = grade_correlation(r.low, r.high)
    trials = len(result.effects.take(result.effects.complete).trials)
    numbers: dict[str, Any] = {"r": r.value, "low": r.low, "high": r.high, "made": r.method}
    needed = needed_r(trials, HIGH)
    of_trials = {"trials": trials, "needed": needed}
    thresholds = [_threshold(result, level) for level in (0.95, 0.8)]
    key, doubts = _threshold_outcome(thresholds), _threshold_doubts(result, thresholds)
    verdicts = [
        _verdict(result, "iqwig", "correlation", grade, numbers, style),
        _verdict(result, "iqwig", "needed_r", "none" if needed is None else "some", of_trials, style),
        _verdict(result, "iqwig", "threshold", key, _threshold_numbers(thresholds), style, doubts),
    ]
    return verdicts if trial is None else [*verdicts, iqwig_trial(result, trial, style=style)]


def iqwig_trial(result: Result, trial: SurrogateEffect, *, style: Style = "verdict") -> Verdict:
    """A named trial: by the correlation alone where that is high, else against the threshold effects."""
    r = _correlation(result)
    grade = grade_correlation(r.low, r.high)
    at_95, at_80 = thresholds = [_threshold(result, level) for level in (0.95, 0.8)]
    known = [f"{ste.hr:.2f} ({ste.level:.0%} band)" for ste in thresholds if ste is not None and ste.hr is not None]
    numbers = _threshold_numbers(thresholds) | {"trial": trial.name, "trial_low": trial.low, "trial_high": trial.high}
    numbers |= {"thresholds": ", ".join(known) or "none", "low": r.low}
    doubts: tuple[str, ...] = ()
    if grade == "high":  # the scheme then needs no threshold effect
        key = "valid" if trial.high < 1 else "valid_no_effect"
    elif at_95 is None:
        key = "no_line"
    elif grade == "low":
        key = "closed"
    else:
        doubts = _threshold_doubts(result, thresholds)
        beyond = [name for name, ste in (("proof", at_95), ("hint", at_80)) if ste is not None and _beyond(trial, ste)]
        without = _threshold_outcome(thresholds) == "without_surrogate"
        key = beyond[0] if beyond else "without_surrogate" if without else "neither"
    doubts += ("in_set",) if _holds(result.effects, trial.name) else ()
    return _verdict(result, "iqwig", "trial", key, numbers, style, doubts)


def _threshold_numbers(thresholds: Sequence[ThresholdEffect | None]) -> dict[str, Any]:
    """Thresholds by the 95% and the 80% band, their new trial, and the prediction without a surrogate effect."""
    at_95, at_80 = thresholds
    ste95, ste80 = (None if ste is None else ste.hr for ste in thresholds)
    made = "" if at_95 is None else f"new trial: {at_95.new_trial}"
    intercept = next((ste.intercept for ste in (at_95, at_80) if ste is not None and ste.intercept is not None), None)
    return {"ste95": ste95, "ste80": ste80, "made": made, "intercept": intercept}


def _threshold_outcome(thresholds: Sequence[ThresholdEffect | None]) -> str:
    """Outcome of the threshold effects by the 95% and the 80% band."""
    at_95, at_80 = thresholds
    if at_95 is None:
        return "no_line"
    if at_95.status == "benefit-without-surrogate-effect":
        return "without_surrogate"
    without_80 = at_80 is not None and at_80.status == "benefit-without-surrogate-effect"
    if at_95.hr is not None:
        return "proof_without_hint" if without_80 else "proof" if at_80 is None or at_80.hr is None else "both"
    if without_80:
        return "without_surrogate"
    return "none" if at_80 is None or at_80.hr is None else "hint"


def daniels_hughes(result: Result, *, style: Style = "verdict") -> list[Verdict]:
    """Criteria on intercept, slope and sigma_cond; cross-validation, the fourth, is not judged here."""
    found = []
    for name in ("intercept", "slope"):
        estimate = _estimate(result, name)
        numbers = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
        if estimate.value is None or estimate.low is None or estimate.high is None:
            key = "none"
        elif name == "intercept":
            key = "met" if estimate.low <= 0 <= estimate.high else "not_met"
        else:  # a slope below 0 is no surrogacy
            key = "met" if estimate.low > 0 else "not_met"
        found.append(_verdict(result, "daniels-hughes", name, key, numbers, style))
    sigma = _estimate(result, "sigma_cond")
    z = float(ndtri(0.975))
    factor, factor_high = (None if value is None else float(np.exp(z * value)) for value in (sigma.value, sigma.high))
    limits = {"value": sigma.value, "low": sigma.low, "high": sigma.high}
    of_sigma = limits | {"factor": factor, "factor_high": factor_high}
    key = "none" if sigma.value is None else "point" if sigma.low is None or sigma.high is None else "some"
    return [*found, _verdict(result, "daniels-hughes", "sigma_cond", key, of_sigma, style)]


def bses3(result: Result, *, r2_individual: float | None = None, style: Style = "verdict") -> list[Verdict]:
    """Rank that R2_trial allows, and the statistical domain as far as aggregate data go."""
    if r2_individual is not None and not 0 <= r2_individual <= 1:
        raise UsageError(f"an individual-level R2 lies between 0 and 1; got {r2_individual:g}")
    r2 = _estimate(result, "r2_trial").value
    rank = "none" if r2 is None else grade_r2(r2)
    domain = "not_gradable"
    if r2 is not None and r2_individual is not None:
        domain = grade_r2(min(r2, r2_individual))
    negative = ("negative",) if _negative(result) else ()
    numbers = {"r2": r2, "r2_individual": r2_individual}
    return [
        _verdict(result, "bses3", "r2_trial", rank, {"r2": r2}, style, negative),
        _verdict(result, "bses3", "domain", domain, numbers, style, negative),
    ]


def frailtypack(result: Result, *, style: Style = "verdict") -> Verdict:
    """Class of R2_trial by its lower limit."""
    r2 = _estimate(result, "r2_trial")
    numbers = {"r2": r2.value, "low": r2.low, "high": r2.high}
    key = "none" if r2.value is None or r2.high is None else class_r2(r2.low)
    return _verdict(result, "frailtypack", "r2_trial", key, numbers, style, ("negative",) if _negative(result) else ())


@cache
def words() -> dict[str, Any]:
    """All words, as ``criteria.toml`` holds them."""
    return tomllib.loads(files("surrogacy.evaluation").joinpath("criteria.toml").read_text(encoding="utf-8"))


def records(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain records, for JSON."""
    return [
        {
            **{name: value for name, value in vars(verdict).items() if name != "caveats"},
            "numbers": dict(verdict.numbers),
            "problems": [caveat.text for caveat in verdict.caveats],
        }
        for verdict in verdicts
    ]


def _verdict(
    result: Result,
    scheme: str,
    item: str,
    outcome: str,
    numbers: Mapping[str, Any],
    style: Style,
    doubts: tuple[str, ...] = (),
) -> Verdict:
    """Fill the words of an outcome, and add what makes it doubtful."""
    if style not in get_args(Style):
        raise UsageError(f"style must be one of {', '.join(get_args(Style))}; got {style!r}")
    table, about = words(), words()["schemes"][scheme]
    text = table[scheme][item][outcome][style]
    if item != "needed_r":  # a property of the number of trials alone
        doubts = _doubts(result) + doubts
    gradable = outcome not in UNGRADABLE or (item in ("needed_r", "threshold") and outcome == "none")
    status: Status = "not gradable" if not gradable else "doubtful" if doubts else "auto"
    said = [text["words"].format(**numbers), *(table["doubt"][doubt][style] for doubt in doubts)]
    return Verdict(
        scheme=about["name"],
        version=about["version"],
        item=item,
        status=status,
        value=text["value"].format(**numbers),
        numbers=numbers,
        words=" ".join(said),
        model=result.model,
        source=about["source"],
        limits=about["limits"],
        caveats=result.caveats,
    )


def _doubts(result: Result) -> tuple[str, ...]:
    """Reasons that make every verdict on a result doubtful."""
    return (("boundary",) if result.on_boundary else ()) + (() if result.converged else ("not_converged",))


def _estimate(result: Result, name: str) -> Estimate:
    """An estimate with an interval at 95 %; without value where the model has none."""
    estimate = result.estimates.get(name, Estimate(None))
    assert isinstance(estimate, Estimate)
    if estimate.low is not None and estimate.level is not None and abs(estimate.level - 0.95) > 1e-9:
        raise UsageError(f"the limits of these schemes are for 95% intervals; {name} has one at {estimate.level:.0%}")
    values = (estimate.value, estimate.low, estimate.high)
    value, low, high = (None if number is None or np.isnan(number) else float(number) for number in values)
    return Estimate(value, None, low, high, estimate.level, estimate.method)


def _correlation(result: Result) -> Estimate:
    """R with its interval: of the estimated effects, of the true ones, or the signed root of a regression's R2."""
    for name in ("r", "rho_between"):
        if name in result.estimates:
            return _estimate(result, name)
    r2, slope = _estimate(result, "r2_trial"), _estimate(result, "slope")
    if r2.value is None or slope.value is None:
        return Estimate(None)
    r = float(np.copysign(np.sqrt(r2.value), slope.value))
    trials = len(result.effects.trials)
    return Estimate(
        r, None, *correlation.fisher_interval(r, trials), 0.95, f"signed root of R2, Fisher z, {trials} trials"
    )


def _negative(result: Result) -> bool:
    r = _correlation(result).value
    return r is not None and r < 0


def _threshold(result: Result, level: float) -> ThresholdEffect | None:
    """Threshold effect of the prediction band at a level; None where the model has none of it."""
    found = result.estimates.get("ste_prediction" if level == 0.95 else "ste_prediction_80")
    if isinstance(found, ThresholdEffect) and abs(found.level - level) < 1e-9:
        return found
    return None if result.line is None else result.line.threshold(level)


def _threshold_doubts(result: Result, effects: Sequence[ThresholdEffect | None]) -> tuple[str, ...]:
    """Reasons that make a threshold doubtful, where there is one."""
    thresholds = [ste for ste in effects if ste is not None and ste.hr is not None]
    if not thresholds:
        return ()
    slope = _estimate(result, "slope")
    # the band is made from the delta method: a profile interval of the slope may hold 0 all the same, or be unbounded
    flat = slope.low is None or slope.low <= 0
    reasons = {
        "slope": flat,
        "narrow_band": result.has_caveat(CaveatCode.NARROW_BAND),
        "outside_data": any(ste.beyond_data for ste in thresholds),
        "two_sided": any(ste.status == "two-sided" for ste in thresholds),
    }
    return tuple(name for name, holds in reasons.items() if holds)


def _beyond(trial: SurrogateEffect, ste: ThresholdEffect) -> bool:
    """Return whether the interval of a surrogate effect lies beyond a threshold, and within a two-sided region."""
    if ste.hr is None or trial.high >= ste.hr:
        return False
    return ste.status != "two-sided" or (ste.hr_other is not None and trial.low > ste.hr_other)


def _holds(effects: Effects, name: str) -> bool:
    return name in effects.labels + effects.comparison + effects.trial
