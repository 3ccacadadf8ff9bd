"""Difference in association between two sets of trials, and the difference that sets of this size can detect.

    Fisher   (z1 - z2) -+ q sqrt(1 / (k1 - 3) + 1 / (k2 - 3)),   z = atanh r
    MOVER    r1 - r2 - sqrt((r1 - l1)^2 + (u2 - r2)^2)  to  r1 - r2 + sqrt((u1 - r1)^2 + (r2 - l2)^2)

``l`` and ``u`` are the Fisher limits of each r, q is the two-sided normal quantile, and k the number of trials or, if
their weights are unequal, Kish's effective number (`surrogacy.stats.trial_numbers`).

`surrogacy.stats.power` computes the detectable difference. The power at the observed difference is not reported: it is
a function of the p-value alone.

References
----------
Zou (2007), doi:10.1037/1082-989X.12.4.399 (MOVER).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import ndtr

from surrogacy.effects import Effects
from surrogacy.evaluation.interval_methods import FEW_TRIALS
from surrogacy.evaluation.posterior_differences import Contrast, posterior_difference, refuse_overlap
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.setting_contrasts import SettingComparison
from surrogacy.evaluation.setting_differences import compare_settings
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.weights import SHARED_CONTROL, usable_comparisons, weights_of
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.labels import WEIGHTS, Weights
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats import correlation
from surrogacy.stats.bootstrap import percentiles, resampled_r
from surrogacy.stats.power import POWER, detectable, trials_needed, two_sided_quantile, z_standard_error
from surrogacy.stats.trial_numbers import FisherRule, trial_number

NO_POWER = {
    "power": None,
    "power_note": "not given: the power at the observed difference is a function of the p-value alone; see "
    "detectable_difference, the smallest true difference that these numbers of trials detect with 80% power",
}


@dataclass(frozen=True)
class Difference:
    """Difference in association between two sets.

    Parameters
    ----------
    names : tuple of str
    trials : tuple of int
        Numbers of trials of the weighted correlations.
    counted_trials : tuple of float
        Numbers of trials that Fisher's z uses: those of ``trials``, or effective numbers.
    contrasts : dict of str to Contrast
        ``z`` (Fisher's z), ``r`` (MOVER), ``r_bootstrap``; from the exact posteriors ``r2_trial``, ``slope``,
        ``rho_between``.
    trials_needed : int or None
        Trials of equal weight in each set that detect a true difference between these correlations with 80 % power.
    detectable : float or None
        Strongest correlation in the first set that sets of this size distinguish, with 80 % power, from the r of the
        second.
    detectable_difference : float or None
        Smallest true difference that they detect with 80 % power: ``detectable`` minus the r of the second set, hence
        below 0 (weaker in the first set).
    level : float
    weights : str
    problems : tuple of str
        Caveats of both sets, and of the comparison.
    hierarchical : SettingComparison or None
        Comparison in one model of both sets.
    """

    names: tuple[str, str]
    trials: tuple[int, int]
    counted_trials: tuple[float, float]
    contrasts: dict[str, Contrast]
    trials_needed: int | None
    detectable: float | None
    detectable_difference: float | None
    level: float
    weights: Weights
    problems: tuple[str, ...]
    hierarchical: SettingComparison | None = None

    @property
    def record(self) -> Record:
        """Fields under the names of results.json; ``power``, at the observed difference, is null with the reason."""
        contrasts = {name: contrast.record for name, contrast in self.contrasts.items()}
        hierarchical = None if self.hierarchical is None else self.hierarchical.record
        records = {"contrasts": contrasts, "hierarchical": hierarchical, "sentence": self.sentence}
        return asdict(self) | records | NO_POWER

    @property
    def contrast_records(self) -> list[Record]:
        """Rows of a table, one per quantity."""
        (first, second), (k_first, k_second) = self.names, self.trials
        sets: Record = {"first": first, "second": second, "k_first": k_first, "k_second": k_second}
        return [
            {
                **sets,
                "quantity": name,
                "value_first": contrast.first,
                "value_second": contrast.second,
                "difference": contrast.difference.value,
                **{key: value for key, value in contrast.difference.record.items() if key not in ("value", "se")},
                **{key: value for key, value in vars(contrast).items() if key not in ("first", "second", "difference")},
                **NO_POWER,
                "trials_needed": self.trials_needed,
                "detectable": self.detectable,
                "detectable_difference": self.detectable_difference if name == "r" else None,
                "weights": self.weights,
                "problems": "; ".join(self.problems),
            }
            for name, contrast in self.contrasts.items()
        ]

    @property
    def sentence(self) -> str:
        """The difference with its interval, and the difference that sets of this size can detect, in words."""
        first, second = self.names
        r, z = self.contrasts["r"], self.contrasts["z"]
        if r.first is None or r.second is None:
            undefined = first if r.first is None else second
            return f"The correlation is not defined in {undefined}: the two sets cannot be compared."
        numbers = [
            f"{trials} trials" if counted == trials else f"{trials} trials, effective number {counted:.1f}"
            for trials, counted in zip(self.trials, self.counted_trials, strict=True)
        ]
        values = (
            f"r is {r.first:.2f} in {first} ({numbers[0]}) and {r.second:.2f} in {second} ({numbers[1]}; weights: "
            f"{WEIGHTS[self.weights].name('OS')})"
        )
        low, high = r.difference.low, r.difference.high
        if z.difference.high is None or low is None or high is None:
            few = "With 3 (effective) trials or fewer in a set, or an r of -1 or 1, the difference has no interval."
            return f"{values}. {few}"
        span = f"difference {r.first - r.second:.2f} ({self.level:.0%} interval {low:.2f} to {high:.2f})"
        if z.difference.excludes(0.0):
            direction = "weaker" if z.difference.high < 0 else "stronger"
            return (
                f"{values}; {span}, p = {z.p:.2g}. The association is {direction} in {first}: the interval of the "
                "difference of Fisher z excludes 0. The sets were not randomised, so these data do not show the reason."
            )
        sentence = (
            f"{values}; {span}, p = {z.p:.2f}. A difference is neither shown nor ruled out: all values from "
            f"{low:.2f} to {high:.2f} are compatible with these data."
        )
        if self.detectable is not None and self.detectable_difference is not None:
            sentence += (
                f" With {_numbers(*self.counted_trials)} the smallest difference that is detected with "
                f"{POWER:.0%} power is {self.detectable_difference:.2f}: a true r of {self.detectable:.2f} or less in "
                f"{first} if r is {r.second:.2f} in {second}."
            )
        if self.trials_needed is not None:
            sentence += (
                f" If the true correlations were {r.first:.2f} and {r.second:.2f}, {self.trials_needed} trials "
                f"of equal weight in each set would detect the difference with {POWER:.0%} power."
            )
        return sentence


def fisher_difference(
    r1: float, k1: float, r2: float, k2: float, level: float = LEVEL
) -> tuple[Estimate, float | None]:
    """Compute the difference of two independent correlations on the scale of Fisher's z, and its two-sided p-value.

    ``k1`` and ``k2`` are numbers of trials, or effective numbers.

    Examples
    --------
    >>> difference, p = fisher_difference(0.55, 6, 0.80, 16)
    >>> f"{difference.value:.2f} (p = {p:.2f})"
    '-0.48 (p = 0.45)'
    """
    level = confidence_level(level)
    error = z_standard_error(k1, k2)
    if error is None or not max(abs(r1), abs(r2)) < 1 - 1e-12:
        return Estimate(None, level=level, method="Fisher z needs 4 trials in each set, and |r| < 1"), None
    difference = float(np.arctanh(r1) - np.arctanh(r2))
    half = two_sided_quantile(level) * error
    kind = f"difference of Fisher z, {_numbers(k1, k2)}"
    p = float(2 * ndtr(-abs(difference) / error))
    return Estimate(difference, error, difference - half, difference + half, level, kind), p


def mover_difference(r1: float, k1: float, r2: float, k2: float, level: float = LEVEL) -> Estimate:
    """Compute the difference of two independent correlations with the MOVER interval.

    Examples
    --------
    >>> difference = mover_difference(0.55, 6, 0.80, 16)
    >>> f"{difference.value:.2f} ({difference.low:.2f} to {difference.high:.2f})"
    '-0.25 (-1.28 to 0.24)'
    """
    level = confidence_level(level)
    (l1, u1), (l2, u2) = correlation.fisher_interval(r1, k1, level), correlation.fisher_interval(r2, k2, level)
    if l1 is None or u1 is None or l2 is None or u2 is None:
        return Estimate(r1 - r2, level=level, method="no interval: Fisher z needs 4 trials in each set, and |r| < 1")
    low = r1 - r2 - float(np.hypot(r1 - l1, u2 - r2))
    high = r1 - r2 + float(np.hypot(u1 - r1, r2 - l2))
    return Estimate(r1 - r2, None, low, high, level, f"MOVER from Fisher intervals, {_numbers(k1, k2)}")


def _numbers(k1: float, k2: float) -> str:
    """Two numbers of trials in words."""
    if float(k1).is_integer() and float(k2).is_integer():
        return f"{k1:.0f} and {k2:.0f} trials"
    return f"{k1:.1f} and {k2:.1f} effective trials"


def bootstrap_difference(
    first: Effects, second: Effects, weights: Weights = "n", resamples: int = 5000, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Compute the difference of weighted correlations with a bootstrap interval over the trials of each set.

    Raises
    ------
    UsageError
        If a trial is in both sets.

    Examples
    --------
    >>> import surrogacy
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    >>> f"{bootstrap_difference(*sets, resamples=500).value:.2f}"
    '-0.30'
    """
    level = confidence_level(level)
    refuse_overlap(first, second)
    generator = np.random.default_rng(seed)
    r, samples = [], []
    for effects in (first, second):
        data, _ = usable_comparisons(effects, weights)
        weight, _ = weights_of(data, weights)
        r.append(float(correlation.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight)))
        samples.append(resampled_r(data, weight, resamples, generator))
    difference = samples[0] - samples[1]
    kept = difference[np.isfinite(difference)]
    spread = float(kept.std(ddof=1)) if len(kept) > 1 else None
    kind = f"percentile bootstrap over trials, {len(kept)} of {resamples} samples"
    return Estimate(r[0] - r[1], spread, *percentiles(kept, level), level, kind)


def compare_sets(
    first: Effects,
    second: Effects,
    *,
    weights: Weights = "n",
    level: float = LEVEL,
    resamples: int = 5000,
    model: BivariateBayes | None = None,
    posterior: bool = True,
    equivalent_slope: float | None = None,
    seed: int = 0,
    fisher: FisherRule = "automatic",
) -> Difference:
    """Compare the association in two sets without a common trial.

    Parameters
    ----------
    first, second : Effects
        A negative difference means that the association is weaker in the first.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
        Weights of the weighted correlations.
    level : float
        Level of all intervals except those of the posteriors, which have the level of the model.
    resamples : int
        Samples of the bootstrap over trials; 0 = none.
    model : BivariateBayes, optional
        Default: the default priors.
    posterior : bool
        True to compare the exact posteriors, and the lines in a hierarchical model, as well.
    equivalent_slope : float, optional
        Largest difference of slopes that is equivalent to none.
    seed : int
        Seed of the bootstrap.
    fisher : {"automatic", "effective", "trials"}
        Number of trials for Fisher's z, as in `WeightedPearson`.

    Returns
    -------
    Difference

    Raises
    ------
    UsageError
        If a trial is in both sets, or a set does not have the data that the weights need.
    FitError
        With fewer than three usable comparisons in a set.

    Examples
    --------
    >>> import surrogacy
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    >>> compare_sets(*sets, posterior=False, resamples=0).trials
    (6, 16)
    """
    level = confidence_level(level)
    refuse_overlap(first, second)
    names = (first.name or "the first set", second.name or "the second set")
    r, numbers = [], []
    problems: list[str] = []
    for name, effects in zip(names, (first, second), strict=True):
        data, dropped = usable_comparisons(effects, weights)
        weight, weight_caveats = weights_of(data, weights)
        r.append(float(correlation.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight)))
        numbers.append(trial_number(weight, data.trial, fisher))
        shared = (SHARED_CONTROL,) if any(len(group) > 1 for group in data.dependent_groups()) else ()
        few = (
            (Caveat(CaveatCode.FEW_TRIALS, f"only {len(data.trials)} trials: a bootstrap over them is too narrow"),)
            if len(data.trials) < FEW_TRIALS
            else ()
        )
        problems += [f"{name}: {problem}" for problem in effects.caveats + dropped + weight_caveats + shared + few]
    k = [number.counted for number in numbers]
    defined = [value if np.isfinite(value) else None for value in r]
    z, p = fisher_difference(r[0], k[0], r[1], k[1], level)
    z_values = [float(np.arctanh(value)) if abs(value) < 1 else None for value in r]
    contrasts = {
        "z": Contrast(z_values[0], z_values[1], z, p),
        "r": Contrast(defined[0], defined[1], mover_difference(r[0], k[0], r[1], k[1], level), p),
    }
    if resamples:
        bootstrap = bootstrap_difference(first, second, weights, resamples, seed, level)
        contrasts["r_bootstrap"] = Contrast(defined[0], defined[1], bootstrap)
    hierarchical = None
    if posterior:
        posterior_contrasts, prior_caveats = posterior_difference(first, second, model)
        contrasts |= posterior_contrasts
        problems += prior_caveats
        hierarchical = compare_settings(first, second, equivalent_slope=equivalent_slope, weights=weights)
    defined_z = z.value is not None
    weakest = detectable(k[0], r[1], k[1], level=level) if defined_z else None
    return Difference(
        names=names,
        trials=(numbers[0].trials, numbers[1].trials),
        counted_trials=(k[0], k[1]),
        contrasts=contrasts,
        trials_needed=trials_needed(r[0], r[1], level=level) if defined_z else None,
        detectable=weakest,
        detectable_difference=None if weakest is None else weakest - r[1],
        level=level,
        weights=weights,
        problems=tuple(problems),
        hierarchical=hierarchical,
    )
