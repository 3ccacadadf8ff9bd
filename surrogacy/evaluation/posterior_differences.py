"""Posterior of the difference of one quantity between two sets that share no trial."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.records import Record
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import BivariatePosterior
from surrogacy.models.prior_change import prior_caveat
from surrogacy.results.estimate import Estimate
from surrogacy.stats.bootstrap import percentiles

POSTERIOR_OF = ("r2_trial", "slope", "rho_between")
QUANTILES = 400  # of each posterior: the error of a quantile of the difference is then a few thousandths of its SD
SETS = 4  # posteriors that are kept: a default run compares that many sets with each other


@dataclass(frozen=True)
class Contrast:
    """A quantity in two sets.

    Parameters
    ----------
    first, second : float or None
        Estimates or posterior medians of the two sets.
    difference : Estimate
        First minus second.
    p : float or None
        Two-sided p-value of no difference; None for a posterior or a bootstrap.
    probability_first_smaller : float or None
        Posterior probability that the quantity is smaller in the first set.
    probability_no_data : float or None
        The same probability with the prior of the first set instead of its posterior.
    odds_ratio_no_data : float or None
        Odds of ``probability_first_smaller`` divided by the odds of ``probability_no_data``: the change due to the
        trials of the first set (1: no change). None if a probability is 0 or 1.
    """

    first: float | None
    second: float | None
    difference: Estimate
    p: float | None = None
    probability_first_smaller: float | None = None
    probability_no_data: float | None = None
    odds_ratio_no_data: float | None = None

    @property
    def record(self) -> Record:
        """Fields under the names of results.json."""
        return asdict(self) | {"difference": self.difference.record}


def posterior_difference(
    first: Effects, second: Effects, model: BivariateBayes | None = None
) -> tuple[dict[str, Contrast], tuple[str, ...]]:
    """Compute the posterior of the difference in trial-level R2, slope and between-trial correlation.

    The sets share no trial, so their posteriors are independent: with q_i the quantile of a quantity at (i - 1/2) / n
    in a set, each of the n^2 differences q1_i - q2_j has the mass 1 / n^2.

    Parameters
    ----------
    first, second : Effects
    model : BivariateBayes, optional
        Default: the default priors.

    Returns
    -------
    contrasts : dict of str to Contrast
    problems : tuple of str
        Caveats on a set whose posterior is close to its prior.

    Raises
    ------
    UsageError
        If a trial is in both sets.
    FitError
        With fewer than two comparisons in a set.

    Examples
    --------
    >>> import surrogacy
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    >>> sorted(posterior_difference(*sets)[0])
    ['r2_trial', 'rho_between', 'slope']
    """
    refuse_overlap(first, second)
    model = BivariateBayes() if model is None else model
    tables = [_tabulate(model, effects) for effects in (first, second)]
    posteriors = [posterior for posterior, _ in tables]
    kind = "posterior median, equal-tailed; product of two exact posteriors"
    contrasts = {}
    for name in POSTERIOR_OF:
        in_first, in_second = (quantiles[name] for _, quantiles in tables)
        differences = (in_first[:, None] - in_second).ravel()
        estimate = Estimate(
            float(np.median(differences)), None, *percentiles(differences, model.level), model.level, kind
        )
        smaller = float(np.mean(differences < 0))
        prior = posteriors[0].prior_distribution(name, in_second.reshape(-1, 5).mean(axis=1))
        assert prior is not None  # it is tabulated for these quantities
        no_data = float(np.mean(prior))
        contrasts[name] = Contrast(
            first=float(np.median(in_first)),
            second=float(np.median(in_second)),
            difference=estimate,
            probability_first_smaller=smaller,
            probability_no_data=no_data,
            odds_ratio_no_data=odds_ratio(smaller, no_data),
        )
    return contrasts, tuple(caveat for posterior in posteriors for caveat in _prior_caveat(posterior, model))


@lru_cache(maxsize=SETS)
def _tabulate(model: BivariateBayes, effects: Effects) -> tuple[BivariatePosterior, dict[str, FloatArray]]:
    """Return the posterior of a set and its quantiles; a run compares a set with several others."""
    posterior = model.posterior(effects)
    p = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return posterior, {name: posterior.many_quantiles(name, p) for name in POSTERIOR_OF}


def odds_ratio(p: float, reference: float) -> float | None:
    """Return the odds of a probability divided by those of a reference; None if either is 0 or 1.

    Examples
    --------
    >>> f"{odds_ratio(0.8, 0.5):.1f}"
    '4.0'
    """
    if not (0 < p < 1 and 0 < reference < 1):
        return None
    return p / (1 - p) * (1 - reference) / reference


def _prior_caveat(posterior: BivariatePosterior, model: BivariateBayes) -> tuple[str, ...]:
    """Caveat if prior and posterior of the trial-level R2 of a set overlap much."""
    medians = posterior.prior_quantiles_r2((0.5,))[0], float(posterior.many_quantiles("r2_trial", np.array([0.5]))[0])
    trials = len(posterior.effects.trials)
    caveats = prior_caveat(posterior.prior_overlap(), *medians, trials, str(model.rho_between))
    return tuple(
        f"{posterior.effects.name or 'a set'}: {caveat}; the posterior of the difference, and the probability that the "
        "first is smaller, depend on this prior too"
        for caveat in caveats
    )


def refuse_overlap(first: Effects, second: Effects) -> None:
    """Refuse two sets that share a trial, because their estimates are not independent.

    Raises
    ------
    UsageError
        With the names of the shared trials.
    """
    shared = [trial for trial in first.trials if trial in second.trials]
    if shared:
        names = (first.name or "the first set", second.name or "the second set")
        raise UsageError(
            f"{names[0]} and {names[1]} share {len(shared)} trial(s) ({', '.join(shared)}): a comparison needs sets "
            "without a common trial; leave these trials out of one set"
        )
