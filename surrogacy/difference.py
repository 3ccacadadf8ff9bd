"""Whether the association is weaker in one set of trials than in another, and whether these sets could have shown it.

    Fisher   (z1 - z2) -+ q sqrt(1 / (k1 - 3) + 1 / (k2 - 3)),   z = atanh r
    MOVER    r1 - r2 - sqrt((r1 - l1)^2 + (u2 - r2)^2)  to  r1 - r2 + sqrt((u1 - r1)^2 + (r2 - l2)^2)
    power    Phi(d - q) + Phi(-d - q),   d = (z1 - z2) / sqrt(1 / (k1 - 3) + 1 / (k2 - 3))

``l`` and ``u`` are the Fisher limits of either r, k counts trials, q is the two-sided normal quantile. With r weighted, as usual,
Fisher's standard error takes the trials as if they were of one size: the interval is rather too narrow than too wide.

References
----------
Zou (2007), doi:10.1037/1082-989X.12.4.399 (MOVER).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from surrogacy import estimands
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.intervals import FEW_TRIALS, percentiles, resampled_r
from surrogacy.levels import confidence_level
from surrogacy.models.posterior import MUCH_PRIOR, BivariateBayes
from surrogacy.results import LEVEL, Estimate
from surrogacy.weights import IN_WORDS, SHARED_CONTROL, Weights, usable_comparisons, weights_of

POWER = 0.8
MOST_TRIALS = 10_000_000  # a difference that needs more is none
POSTERIOR_OF = ("r2_trial", "slope", "rho_between")
QUANTILES = 400  # of each posterior: a quantile of the difference is then right to some thousandths of its SD


@dataclass(frozen=True)
class Contrast:
    """One quantity in two sets.

    Parameters
    ----------
    first, second : float or None
        In either set: an estimate, or a posterior median.
    difference : Estimate
        First less second.
    p : float or None
        Two-sided p-value of no difference; None for a posterior or a bootstrap.
    probability_first_smaller : float or None
        Posterior probability.
    """

    first: float | None
    second: float | None
    difference: Estimate
    p: float | None = None
    probability_first_smaller: float | None = None


@dataclass(frozen=True)
class Difference:
    """What two sets say of the difference between them.

    Parameters
    ----------
    names : tuple of str
    trials : tuple of int
        Of the weighted correlations.
    contrasts : dict of str to Contrast
        ``z`` (Fisher's z), ``r`` (MOVER), ``r_bootstrap``, and of the exact posteriors ``r2_trial``, ``slope``, ``rho_between``.
    power : float or None
        To find a true difference as large as the one observed, with sets of this size.
    trials_needed : int or None
        In each of two sets, to find it with 80 % power.
    detectable : float or None
        The strongest correlation in the first set that these sets would tell from the r of the second with 80 % power.
    problems : tuple of str
        Of both sets, and of the comparison.
    """

    names: tuple[str, str]
    trials: tuple[int, int]
    contrasts: dict[str, Contrast]
    power: float | None
    trials_needed: int | None
    detectable: float | None
    level: float
    weights: Weights
    problems: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What these data can and cannot show, in words."""
        one, other = self.names
        r, z = self.contrasts["r"], self.contrasts["z"]
        if r.first is None or r.second is None:
            return f"The correlation is not defined in {one if r.first is None else other}: the two sets cannot be compared."
        found = (
            f"r is {r.first:.2f} in {one} ({self.trials[0]} trials) and {r.second:.2f} in {other} ({self.trials[1]} trials; "
            f"weights: {IN_WORDS[self.weights]})"
        )
        low, high = r.difference.low, r.difference.high
        if z.difference.low is None or z.difference.high is None or low is None or high is None:
            return f"{found}. A set of fewer than 4 trials, or an r of -1 or 1, allows no interval: nothing can be said."
        span = f"difference {r.first - r.second:.2f} ({self.level:.0%} interval {low:.2f} to {high:.2f})"
        if not z.difference.low <= 0 <= z.difference.high:
            direction = "weaker" if z.difference.high < 0 else "stronger"
            return (
                f"{found}; {span}, p = {z.p:.2g}. The association is {direction} in {one} by more than chance explains; "
                "why, these data do not say: the sets were not made at random."
            )
        words = (
            f"{found}; {span}, p = {z.p:.2f}. No difference is shown, and none is ruled out: everything from {low:.2f} to "
            f"{high:.2f} agrees with these data."
        )
        if self.power is not None:
            words += f" If the true correlations differed as much, sets of this size would show it with {self.power:.0%} power"
            needed = self.trials_needed
            words += f"; {POWER:.0%} needs {needed} trials in each." if needed is not None else "."
        return words


def fisher_difference(r1: float, k1: int, r2: float, k2: int, level: float = LEVEL) -> tuple[Estimate, float | None]:
    """Difference of two independent correlations on the scale of Fisher's z, and its two-sided p-value."""
    level = confidence_level(level)
    error = _standard_error(k1, k2)
    if error is None or not max(abs(r1), abs(r2)) < 1 - 1e-12:
        return Estimate(None, level=level, kind="Fisher z needs 4 trials in each set, and |r| < 1"), None
    difference = float(np.arctanh(r1) - np.arctanh(r2))
    half = _quantile(level) * error
    kind = f"difference of Fisher z, {k1} and {k2} trials"
    p = float(2 * ndtr(-abs(difference) / error))
    return Estimate(difference, error, difference - half, difference + half, level, kind), p


def mover_difference(r1: float, k1: int, r2: float, k2: int, level: float = LEVEL) -> Estimate:
    """Difference of two independent correlations with the interval of Zou (2007), doi:10.1037/1082-989X.12.4.399."""
    level = confidence_level(level)
    (l1, u1), (l2, u2) = estimands.fisher_interval(r1, k1, level), estimands.fisher_interval(r2, k2, level)
    if l1 is None or u1 is None or l2 is None or u2 is None:
        return Estimate(r1 - r2, level=level, kind="no interval: Fisher z needs 4 trials in each set, and |r| < 1")
    low = r1 - r2 - float(np.hypot(r1 - l1, u2 - r2))
    high = r1 - r2 + float(np.hypot(u1 - r1, r2 - l2))
    return Estimate(r1 - r2, None, low, high, level, f"MOVER from Fisher intervals, {k1} and {k2} trials")


def bootstrap_difference(
    first: Effects, second: Effects, weights: Weights = "n", resamples: int = 5000, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Difference of weighted correlations with percentiles over trials drawn with replacement in either set.

    Raises
    ------
    UsageError
        If a trial is in both sets.
    """
    level = confidence_level(level)
    refuse_overlap(first, second)
    generator = np.random.default_rng(seed)
    r, samples = [], []
    for effects in (first, second):
        data, _ = usable_comparisons(effects, weights)
        weight, _ = weights_of(data, weights)
        r.append(float(estimands.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight)))
        samples.append(resampled_r(data, weight, resamples, generator))
    difference = samples[0] - samples[1]
    kept = difference[np.isfinite(difference)]
    spread = float(kept.std(ddof=1)) if len(kept) > 1 else None
    kind = f"percentile bootstrap over trials, {len(kept)} of {resamples} samples"
    return Estimate(r[0] - r[1], spread, *percentiles(kept, level), level, kind)


def posterior_difference(
    first: Effects, second: Effects, model: BivariateBayes | None = None
) -> tuple[dict[str, Contrast], tuple[str, ...]]:
    """Posterior of the difference of r2_trial, slope and rho_between of two sets, from the exact posterior of each.

    The sets share no trial, so the two posteriors are independent: with q_i the quantiles of one quantity at
    (i - 1/2) / n in either set, the n^2 differences q1_i - q2_j have equal mass 1 / n^2 each.

    Returns
    -------
    contrasts : dict of str to Contrast
    problems : tuple of str
        What has to be said where the posterior of a set is mostly its prior.

    Raises
    ------
    UsageError
        If a trial is in both sets.
    FitError
        With fewer than two comparisons in a set.
    """
    refuse_overlap(first, second)
    model = BivariateBayes() if model is None else model
    posteriors = [model.posterior(effects) for effects in (first, second)]
    p = (np.arange(QUANTILES) + 0.5) / QUANTILES
    kind = "posterior median, equal-tailed; product of two exact posteriors"
    contrasts = {}
    for name in POSTERIOR_OF:
        one, other = (posterior.many_quantiles(name, p) for posterior in posteriors)
        differences = (one[:, None] - other).ravel()
        estimate = Estimate(float(np.median(differences)), None, *percentiles(differences, model.level), model.level, kind)
        contrasts[name] = Contrast(
            float(np.median(one)), float(np.median(other)), estimate, None, float(np.mean(differences < 0))
        )
    problems = tuple(
        f"{posterior.effects.name or 'a set'}: {overlap:.0%} of the posterior of r2_trial is its prior: the posterior of the "
        "difference, and the probability that the first is smaller, rest on that prior"
        for posterior in posteriors
        if (overlap := posterior.prior_overlap()) > MUCH_PRIOR
    )
    return contrasts, problems


def compare(
    first: Effects,
    second: Effects,
    *,
    weights: Weights = "n",
    level: float = LEVEL,
    resamples: int = 5000,
    model: BivariateBayes | None = None,
    posterior: bool = True,
    seed: int = 0,
) -> Difference:
    """Compare the association of two sets that share no trial.

    Parameters
    ----------
    first, second : Effects
        The question is whether the association is weaker in the first.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
        Of the weighted correlations.
    level : float
        Of all intervals but those of the posterior, which has that of its model.
    resamples : int
        Of the bootstrap over trials; 0 = none.
    model : BivariateBayes, optional
        Default: the default priors.
    posterior : bool
        Whether the exact posteriors are compared too.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Difference

    Raises
    ------
    UsageError
        If a trial is in both sets, or the weights cannot be had.
    FitError
        With fewer than three usable comparisons in a set.
    """
    level = confidence_level(level)
    refuse_overlap(first, second)
    names = (first.name or "the first set", second.name or "the second set")
    r, k = [], []
    problems: list[str] = []
    for name, effects in zip(names, (first, second), strict=True):
        data, dropped = usable_comparisons(effects, weights)
        weight, said = weights_of(data, weights)
        r.append(float(estimands.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight)))
        k.append(len(data.trials))
        shared = (SHARED_CONTROL,) if any(len(group) > 1 for group in data.dependent_groups()) else ()
        few = (f"only {len(data.trials)} trials: a bootstrap over them is too narrow",) if len(data.trials) < FEW_TRIALS else ()
        problems += [f"{name}: {problem}" for problem in effects.problems + dropped + said + shared + few]
    defined = [value if np.isfinite(value) else None for value in r]
    z, p = fisher_difference(r[0], k[0], r[1], k[1], level)
    of_z = [float(np.arctanh(value)) if abs(value) < 1 else None for value in r]
    contrasts = {
        "z": Contrast(of_z[0], of_z[1], z, p),
        "r": Contrast(defined[0], defined[1], mover_difference(r[0], k[0], r[1], k[1], level), p),
    }
    if resamples:
        sampled = bootstrap_difference(first, second, weights, resamples, seed, level)
        contrasts["r_bootstrap"] = Contrast(defined[0], defined[1], sampled)
    if posterior:
        of_posteriors, said = posterior_difference(first, second, model)
        contrasts |= of_posteriors
        problems += said
    usable = z.value is not None
    return Difference(
        names=names,
        trials=(k[0], k[1]),
        contrasts=contrasts,
        power=power(k[0], r[0], k[1], r[1], level) if usable else None,
        trials_needed=trials_needed(r[0], r[1], level=level) if usable else None,
        detectable=detectable(k[0], r[1], k[1], level=level) if usable else None,
        level=level,
        weights=weights,
        problems=tuple(problems),
    )


def refuse_overlap(first: Effects, second: Effects) -> None:
    """Refuse two sets that share a trial: their estimates are not independent.

    Raises
    ------
    UsageError
        With the names of the trials that both hold.
    """
    both = [trial for trial in first.trials if trial in second.trials]
    if both:
        names = (first.name or "the first set", second.name or "the second set")
        raise UsageError(
            f"{names[0]} and {names[1]} share {len(both)} trial(s) ({', '.join(both)}): a difference needs sets without a trial in "
            "common; leave them out of one"
        )


def power(k1: int, r1: float, k2: int, r2: float, level: float = LEVEL) -> float | None:
    """Power of the two-sided Fisher z test of equal correlations, k1 and k2 trials with true correlations r1 and r2.

    None where a set has fewer than 4 trials. At very few trials z has a bias, and a variance other than 1 / (k - 3), and the closed
    form may be too high: it gives 0.15 for 0.56 against 0.84 with 6 and 16 trials, simulation 0.125.
    """
    _within(r1, r2)
    error = _standard_error(k1, k2)
    if error is None:
        return None
    shift, q = (np.arctanh(r1) - np.arctanh(r2)) / error, _quantile(level)
    return float(ndtr(shift - q) + ndtr(-shift - q))


def trials_needed(r1: float, r2: float, wanted: float = POWER, level: float = LEVEL, second: int | None = None) -> int | None:
    """Trials that the Fisher z test needs for a power, in each set, or in the first where the second has ``second``.

    None if no number is enough: the correlations are equal, or the second set is too small.
    """
    _within(r1, r2)
    if not 0 < wanted < 1:
        raise UsageError(f"a power lies between 0 and 1; got {wanted:g}")

    def enough(k: int) -> bool:
        found = power(k, r1, k if second is None else second, r2, level)
        return found is not None and found >= wanted

    low, high = 3, 4
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST_TRIALS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def detectable(k: int, against: float, second: int | None = None, wanted: float = POWER, level: float = LEVEL) -> float | None:
    """The strongest correlation below ``against`` that k trials would tell from it with the power wanted.

    ``second`` is the number of trials of the set whose correlation is ``against``; default: k. None for fewer than 4 trials.
    """
    level = confidence_level(level)
    _within(against)
    error = _standard_error(k, k if second is None else second)
    if error is None:
        return None
    if not 1 - level < wanted < 1:
        raise UsageError(f"a power lies between {1 - level:g} and 1; got {wanted:g}")
    q = _quantile(level)
    shift = float(brentq(lambda d: ndtr(d - q) + ndtr(-d - q) - wanted, 0.0, 2 * q + 40.0))
    return float(np.tanh(np.arctanh(against) - shift * error))


def _standard_error(k1: int, k2: int) -> float | None:
    """Of a difference of two Fisher z."""
    return None if min(k1, k2) <= 3 else float(np.sqrt(1 / (k1 - 3) + 1 / (k2 - 3)))


def _quantile(level: float) -> float:
    return float(ndtri(0.5 + confidence_level(level) / 2))


def _within(*correlations: float) -> None:
    for r in correlations:
        if not -1 < r < 1:
            raise UsageError(f"a true correlation lies between -1 and 1; got {r:g}")
