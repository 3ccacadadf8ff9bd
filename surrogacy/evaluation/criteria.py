"""Verdicts of published schemes on a result; ``criteria.toml`` holds their words in two styles.

    IQWiG A10-05       lower 95 % limit of R >= 0.85: high; upper limit <= 0.70: low; otherwise unclear. If high, an
                       effect on the surrogate proves an effect on the final endpoint. If unclear, the threshold effect
                       decides: a trial whose confidence limit nearest to no effect lies beyond the threshold of the
                       95 % band proves an effect, beyond that of the 80 % band it gives a hint
    Daniels-Hughes     the interval of the intercept includes 0, that of the slope excludes 0, the residual SD is small
    BSES3              trial-level R2 >= 0.2 fair, 0.4 good, 0.6 excellent, with an individual-level R2 and STEP
    frailtypack        lower 95 % limit of the trial-level R2 <= 0.49 low, < 0.72 medium, otherwise high

A verdict on a fit that lies on the boundary or failed its diagnostics is marked in its status and in its words. Each
scheme in ``criteria.toml`` names the source of its limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri

from surrogacy.errors import UsageError
from surrogacy.evaluation.criteria_text import wordings
from surrogacy.evaluation.criteria_thresholds import ThresholdPair
from surrogacy.evaluation.grades import HIGH, SurrogateEffect, class_r2, grade_correlation, grade_r2
from surrogacy.models.weights import counted_trials
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.result import Result
from surrogacy.stats.correlation import fisher_interval, needed_r

Style = Literal["verdict", "neutral"]
Status = Literal["auto", "doubtful", "not gradable"]
type Numbers = Mapping[str, float | str | None]
type VerdictRecord = dict[str, str | dict[str, float | str | None] | list[str]]
UNGRADABLE = ("none", "no_line", "not_gradable")


@dataclass(frozen=True)
class Verdict:
    """Verdict of a scheme on one item.

    Parameters
    ----------
    scheme, version, item : str
    status : {"auto", "doubtful", "not gradable"}
        ``doubtful``: the fit lies on the boundary or failed its diagnostics, or the verdict depends on an extrapolation
        or on the trial that it judges; the words give the reason.
    value : str
        The verdict in a word or two; in the neutral style the numbers.
    numbers : mapping of str to float, str or None
        Numbers from which the verdict follows.
    words : str
    model, source : str
        Name of the model; DOI (or other identifier) of the scheme.
    limits : str
        Source of every limit of the scheme.
    caveats : tuple of Caveat
        Caveats of the result.
    """

    scheme: str
    version: str
    item: str
    status: Status
    value: str
    numbers: Numbers
    words: str
    model: str
    source: str
    limits: str
    caveats: tuple[Caveat, ...] = ()

    @property
    def record(self) -> VerdictRecord:
        """Fields under the names of results.json."""
        fields = {name: value for name, value in vars(self).items() if name != "caveats"}
        problems = [caveat.text for caveat in self.caveats]
        return fields | {"numbers": dict(self.numbers), "problems": problems}


def all_verdicts(
    result: Result,
    *,
    trial: SurrogateEffect | None = None,
    r2_individual: float | None = None,
    style: Style = "verdict",
) -> list[Verdict]:
    """Apply every scheme to a result.

    Parameters
    ----------
    result : Result
        With 95 % intervals.
    trial : SurrogateEffect, optional
        Trial to be compared with the threshold effect.
    r2_individual : float, optional
        Individual-level R2 from another source, for BSES3.
    style : {"verdict", "neutral"}

    Returns
    -------
    list of Verdict

    Raises
    ------
    UsageError
        If the style is not known, or an interval has another level.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> result = WeightedPearson(bootstrap=0).fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> [(verdict.item, verdict.value) for verdict in all_verdicts(result)][:2]
    [('correlation', 'unclear'), ('needed_r', '0.954')]
    """
    return [
        *iqwig(result, trial=trial, style=style),
        *daniels_hughes(result, style=style),
        *bses3(result, r2_individual=r2_individual, style=style),
        frailtypack(result, style=style),
    ]


def iqwig(result: Result, *, trial: SurrogateEffect | None = None, style: Style = "verdict") -> list[Verdict]:
    """Judge the correlation, the R that this number of trials requires, the threshold effects, and a trial."""
    r, number = _correlation(result), counted_trials(result)
    needed = needed_r(number.counted, HIGH)
    correlation_numbers = {"r": r.value, "low": r.low, "high": r.high, "made": r.method}
    needed_numbers: Numbers = {"trials": number.trials, "trials_in_words": number.words, "needed": needed}
    verdicts = [
        _verdict(result, "iqwig", "correlation", grade_correlation(r.low, r.high), correlation_numbers, style),
        _verdict(result, "iqwig", "needed_r", "none" if needed is None else "some", needed_numbers, style),
        iqwig_threshold(result, style=style),
    ]
    return verdicts if trial is None else [*verdicts, iqwig_trial(result, trial, style=style)]


def iqwig_threshold(result: Result, *, style: Style = "verdict") -> Verdict:
    """State the threshold effects by the 95% band (proof) and the 80% band (hint)."""
    pair = ThresholdPair.of(result)
    return _verdict(result, "iqwig", "threshold", pair.outcome, pair.numbers, style, _threshold_doubts(result, pair))


def iqwig_trial(
    result: Result, trial: SurrogateEffect, *, correlation: Result | None = None, style: Style = "verdict"
) -> Verdict:
    """Judge a trial: by the correlation alone if that is high, otherwise by the threshold effects.

    Parameters
    ----------
    result : Result
        Fit with the threshold effects.
    trial : SurrogateEffect
    correlation : Result, optional
        Fit with the correlation, for a model that has none; default: ``result``.
    style : {"verdict", "neutral"}
    """
    r = _correlation(result if correlation is None else correlation)
    grade = grade_correlation(r.low, r.high)
    pair = ThresholdPair.of(result)
    at_95, at_80 = pair.at_95, pair.at_80
    known = [f"{ste.hr:.2f} ({ste.level:.0%} band)" for ste in pair.existing]
    numbers: Numbers = {
        **pair.numbers,
        "trial": trial.name,
        "trial_low": trial.low,
        "trial_high": trial.high,
        "thresholds": ", ".join(known) or "none",
        "low": r.low,
    }
    doubts: tuple[str, ...] = ()
    if grade == "high":  # the scheme then needs no threshold effect
        outcome = "valid" if trial.high < 1 else "valid_no_effect"
    elif at_95 is None:
        outcome = "no_line"
    elif grade == "low":
        outcome = "closed"
    else:
        doubts = _threshold_doubts(result, pair)
        if trial.lies_beyond(at_95):
            outcome = "proof"
        elif at_80 is not None and trial.lies_beyond(at_80):
            outcome = "hint"
        elif pair.outcome == "without_surrogate":
            outcome = "without_surrogate"
        else:
            outcome = "neither"
    effects = result.effects
    doubts += ("in_set",) if trial.name in effects.labels + effects.comparison + effects.trial else ()
    return _verdict(result, "iqwig", "trial", outcome, numbers, style, doubts)


def daniels_hughes(result: Result, *, style: Style = "verdict") -> list[Verdict]:
    """Judge intercept, slope and residual SD; the fourth criterion, cross-validation, is not judged here."""
    verdicts = []
    for name in ("intercept", "slope"):
        estimate = _estimate(result, name)
        numbers = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
        if estimate.value is None or estimate.low is None or estimate.high is None:
            outcome = "none"
        elif name == "intercept":
            outcome = "met" if estimate.low <= 0 <= estimate.high else "not_met"
        else:  # a slope below 0 is not surrogacy
            outcome = "met" if estimate.low > 0 else "not_met"
        verdicts.append(_verdict(result, "daniels-hughes", name, outcome, numbers, style))
    sigma = _estimate(result, "sigma_cond")
    z = float(ndtri(0.975))
    factor, factor_high = (None if value is None else float(np.exp(z * value)) for value in (sigma.value, sigma.high))
    limits = {"value": sigma.value, "low": sigma.low, "high": sigma.high}
    sigma_numbers = limits | {"factor": factor, "factor_high": factor_high}
    outcome = "none" if sigma.value is None else "point" if sigma.low is None or sigma.high is None else "some"
    return [*verdicts, _verdict(result, "daniels-hughes", "sigma_cond", outcome, sigma_numbers, style)]


def bses3(result: Result, *, r2_individual: float | None = None, style: Style = "verdict") -> list[Verdict]:
    """Judge the trial-level R2, and the statistical domain as far as aggregate data allow.

    Raises
    ------
    UsageError
        If the individual-level R2 lies outside [0, 1].
    """
    if r2_individual is not None and not 0 <= r2_individual <= 1:
        raise UsageError(f"an individual-level R2 lies between 0 and 1; got {r2_individual:g}")
    r2 = _estimate(result, "r2_trial").value
    rank = "none" if r2 is None else grade_r2(r2)
    domain = "not_gradable"
    if r2 is not None and r2_individual is not None:
        domain = grade_r2(min(r2, r2_individual))
    doubts = _sign_doubts(result)
    numbers = {"r2": r2, "r2_individual": r2_individual}
    return [
        _verdict(result, "bses3", "r2_trial", rank, {"r2": r2}, style, doubts),
        _verdict(result, "bses3", "domain", domain, numbers, style, doubts),
    ]


def frailtypack(result: Result, *, style: Style = "verdict") -> Verdict:
    """Classify the trial-level R2 by its lower limit."""
    r2 = _estimate(result, "r2_trial")
    numbers = {"r2": r2.value, "low": r2.low, "high": r2.high}
    outcome = "none" if r2.value is None or r2.high is None else class_r2(r2.low)
    return _verdict(result, "frailtypack", "r2_trial", outcome, numbers, style, _sign_doubts(result))


def _verdict(
    result: Result,
    scheme: str,
    item: str,
    outcome: str,
    numbers: Numbers,
    style: Style,
    doubts: tuple[str, ...] = (),
) -> Verdict:
    """Fill the words of an outcome, and add the reasons that make it doubtful."""
    if style not in get_args(Style):
        raise UsageError(f"style must be one of {', '.join(get_args(Style))}; got {style!r}")
    texts = wordings()
    about, wording = texts.schemes[scheme], texts.verdicts[scheme, item, outcome, style]
    if item != "needed_r":  # depends on the number of trials alone
        doubts = _fit_doubts(result) + doubts
    gradable = outcome not in UNGRADABLE or (item in ("needed_r", "threshold") and outcome == "none")
    sentences = [wording.words.format(**numbers), *(texts.doubts[doubt, style] for doubt in doubts)]
    return Verdict(
        scheme=about.name,
        version=about.version,
        item=item,
        status="not gradable" if not gradable else "doubtful" if doubts else "auto",
        value=wording.value.format(**numbers),
        numbers=numbers,
        words=" ".join(sentences),
        model=result.model,
        source=about.source,
        limits=about.limits,
        caveats=result.caveats,
    )


def _fit_doubts(result: Result) -> tuple[str, ...]:
    """Reasons that make every verdict on a result doubtful."""
    return (("boundary",) if result.on_boundary else ()) + (() if result.converged else ("not_converged",))


def _sign_doubts(result: Result) -> tuple[str, ...]:
    """Doubt about an R2 whose correlation is negative."""
    r = _correlation(result).value
    return ("negative",) if r is not None and r < 0 else ()


def _estimate(result: Result, name: str) -> Estimate:
    """An estimate with its 95 % interval; without a value if the model does not have it."""
    estimate = result.estimate(name)
    if estimate.low is not None and estimate.level is not None and abs(estimate.level - 0.95) > 1e-9:
        raise UsageError(f"the limits of these schemes are for 95% intervals; {name} has one at {estimate.level:.0%}")
    values = (estimate.value, estimate.low, estimate.high)
    value, low, high = (None if number is None or np.isnan(number) else float(number) for number in values)
    return Estimate(value, None, low, high, estimate.level, estimate.method)


def _correlation(result: Result) -> Estimate:
    """R with its interval: of the estimated effects, of the true effects, or the signed root of a regression's R2."""
    for name in ("r", "rho_between"):
        if name in result.estimates:
            return _estimate(result, name)
    r2, slope = _estimate(result, "r2_trial"), _estimate(result, "slope")
    if r2.value is None or slope.value is None:
        return Estimate(None)
    r = float(np.copysign(np.sqrt(r2.value), slope.value))
    number = counted_trials(result)
    limits = fisher_interval(r, number.counted)
    return Estimate(r, None, *limits, 0.95, f"signed root of R2, {number.method_words()}")


def _threshold_doubts(result: Result, pair: ThresholdPair) -> tuple[str, ...]:
    """Reasons that make a threshold doubtful; none if there is no threshold."""
    if not pair.existing:
        return ()
    slope = _estimate(result, "slope")
    reasons = {
        # the band is a delta-method band: a profile interval of the slope may still include 0 or be unbounded
        "slope": slope.low is None or slope.low <= 0,
        "narrow_band": result.has_caveat(CaveatCode.NARROW_BAND),
        "outside_data": any(ste.beyond_data for ste in pair.existing),
        "two_sided": any(ste.status == "two-sided" for ste in pair.existing),
    }
    return tuple(name for name, holds in reasons.items() if holds)
