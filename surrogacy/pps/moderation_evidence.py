"""Evidence for a moderated line: permutation test, leave-one-out, and number of comparisons for a power.

    t = g / SE(g) of weighted least squares on (1, z, x, z x), with weights from the posterior medians of the line
    without moderator

The permutation test exchanges the values of the moderator among trials with equally many comparisons. Its null
hypothesis is that the moderator is unrelated to the effects (g = c = 0); its statistic is sensitive to g. Power and
number of comparisons assume comparisons like those in the analysis (effects, errors, moderator, psi) and a normal
estimate of g, whose SE is proportional to 1 over the square root of their number.

References
----------
Higgins, Thompson (2004), doi:10.1002/sim.1752 (permutation tests of meta-regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.models.exact.line_posterior import LinePosterior
from surrogacy.models.moderation import Moderation
from surrogacy.pps.records import Record
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL, confidence_level

MAX_COMPARISONS = 1_000_000
DEFAULT_POWER = 0.8


@dataclass(frozen=True)
class Permutation:
    """Result of the permutation test of g.

    Parameters
    ----------
    statistic : float
        g over its standard error.
    p : float
        Two-sided p-value, ``(1 + number of permutations at least as extreme) / (1 + permutations)``.
    permutations : int
    """

    statistic: float
    p: float
    permutations: int


@dataclass(frozen=True)
class TrialsNeeded:
    """Number of comparisons for a power to detect the moderation.

    Parameters
    ----------
    slope_difference : float
        True g.
    standard_error : float
        Standard error of g in the analysis.
    power : float
        Power of a two-sided test in the analysis.
    comparisons : int or None
        Number for the wanted power; None if it exceeds a million.
    wanted, level : float
        Wanted power, and 1 minus the two-sided error.
    assumptions : str
    """

    slope_difference: float
    standard_error: float
    power: float
    comparisons: int | None
    wanted: float
    level: float
    assumptions: str

    @property
    def detectable(self) -> float:
        """Smallest true |g| that these comparisons detect with the wanted power, ``(z_level + z_power) SE(g)``.

        It depends on the comparisons only, unlike the power at the estimate, which is a function of the p-value.
        """
        return float((ndtri(0.5 + self.level / 2) + ndtri(self.wanted)) * self.standard_error)


@dataclass(frozen=True)
class LogScore:
    """Leave-one-out log score: log density of the final estimates of each trial given its surrogate estimates.

    Parameters
    ----------
    moderated, alone : float
        Sums over trials, with the moderator and without.
    difference : Estimate
        Moderated minus alone; above 0 the moderator improves the prediction.
    """

    moderated: float
    alone: float
    difference: Estimate


@dataclass(frozen=True)
class LineWithoutTrial:
    """Moderated line refitted without one trial.

    Parameters
    ----------
    left_out : str
        Trial.
    slope, slope_difference : Estimate
    p_slope_difference_negative : float
        Posterior probability.
    log_score, log_score_alone : float
        Log score of the trial under the refit, with the moderator and without.
    """

    left_out: str
    slope: Estimate
    slope_difference: Estimate
    p_slope_difference_negative: float
    log_score: float
    log_score_alone: float

    @property
    def record(self) -> dict[str, str | float | Record]:
        """Fields under the keys of results.json."""
        return {
            "left_out": self.left_out,
            "slope": self.slope.record,
            "slope_difference": self.slope_difference.record,
            "p_slope_difference_negative": self.p_slope_difference_negative,
            "log_score": self.log_score,
            "log_score_alone": self.log_score_alone,
        }


def permutation_test(moderation: Moderation, permutations: int = 4000, seed: int = 0) -> Permutation:
    """Test the moderator of a line by permutation.

    Parameters
    ----------
    moderation : Moderation
    permutations : int
    seed : int

    Raises
    ------
    UsageError
        For fewer than 100 permutations.
    """
    if permutations < 100:
        raise UsageError(f"a permutation test needs at least 100 permutations; got {permutations}")
    effects, z = moderation.posterior.effects, moderation.moderator.values - moderation.centre
    whitener = _whitener(moderation)
    generator = np.random.default_rng(seed)
    sizes: dict[int, list[IntArray]] = {}
    for trial in effects.trials:
        members = np.flatnonzero([name == trial for name in effects.trial])
        sizes.setdefault(len(members), []).append(members)
    permuted = np.tile(z, (permutations + 1, 1))  # row 0 is the observed assignment
    for members in map(np.array, sizes.values()):
        order = generator.permuted(np.tile(np.arange(len(members)), (permutations, 1)), axis=1)
        permuted[1:, members.ravel()] = z[members[order]].reshape(permutations, -1)
    x, y = effects.log_hr.T
    plain = np.stack([np.ones_like(x), x])
    varying = np.stack([permuted, permuted * x], axis=1)  # (permutations, 2, k)
    columns = np.concatenate([np.broadcast_to(plain, varying.shape), varying], axis=1) @ whitener.T
    gram = columns @ columns.swapaxes(1, 2)
    # z x may be collinear with the other columns in a permutation
    inverse = np.linalg.pinv(gram, hermitian=True)
    estimates = np.einsum("pcd,pdk,k->pc", inverse, columns, whitener @ y)
    t = estimates[:, 3] / np.sqrt(np.maximum(inverse[:, 3, 3], 1e-300))
    beyond = int((np.abs(t[1:]) >= abs(t[0]) - 1e-12).sum())
    return Permutation(float(t[0]), (1 + beyond) / (1 + permutations), permutations)


def leave_one_out(moderation: Moderation) -> tuple[tuple[LineWithoutTrial, ...], LogScore]:
    """Refit the moderated line without each trial, and score the prediction of that trial.

    The moderator keeps its centre.

    Returns
    -------
    refits : tuple of LineWithoutTrial
    score : LogScore
    """
    level, alone = moderation.model.level, moderation.alone.log_scores()
    refits = tuple(
        LineWithoutTrial(
            left_out=trial,
            slope=rest.estimate("slope", level),
            slope_difference=rest.estimate("slope_difference", level),
            p_slope_difference_negative=float(rest.grid.distribution((0.0, 1.0))(np.zeros(1))[0]),
            log_score=moderation.posterior.grid.log_evidence - rest.grid.log_evidence,
            log_score_alone=alone[trial],
        )
        for trial, rest in moderation.posterior.leave_one_out().items()
    )
    moderated = np.array([refit.log_score for refit in refits])
    return refits, log_score(moderated, np.array([refit.log_score_alone for refit in refits]), level)


def log_score(first: FloatArray, second: FloatArray, level: float = LEVEL) -> LogScore:
    """Sum the log scores of two models over trials, with a normal interval of the difference.

    Examples
    --------
    >>> score = log_score(np.array([0.1, 0.3]), np.array([0.0, 0.1]))
    >>> round(score.difference.value, 2)
    0.3
    """
    level = confidence_level(level)
    difference = first - second
    total = float(difference.sum())
    se = float(np.sqrt(len(difference)) * difference.std(ddof=1))
    half = float(ndtri(0.5 + level / 2)) * se
    method = f"difference of leave-one-out log scores over {len(difference)} trials; normal"
    return LogScore(
        float(first.sum()), float(second.sum()), Estimate(total, se, total - half, total + half, level, method)
    )


def trials_needed(
    moderation: Moderation, slope_difference: float | None = None, power: float = DEFAULT_POWER, level: float = LEVEL
) -> TrialsNeeded:
    """Compute the number of comparisons for a power of a two-sided test of g.

    Parameters
    ----------
    moderation : Moderation
    slope_difference : float, optional
        True g; default: its posterior median.
    power : float
    level : float
        1 minus the two-sided error.

    Raises
    ------
    UsageError
        If power or level is not a probability, or the power is below the error.
    """
    level = confidence_level(level)
    if not 1 - level < power < 1:
        raise UsageError(f"power {power:g} must lie between 1 - level and 1, that is between {1 - level:g} and 1")
    true = float(moderation["slope_difference"].value) if slope_difference is None else float(slope_difference)
    se = float(np.sqrt(np.linalg.inv(moderation.information())[3, 3]))
    k, quantile = len(moderation.posterior.effects), float(ndtri(0.5 + level / 2))

    def power_of(comparisons: float) -> float:
        shift = abs(true) / se * np.sqrt(comparisons / k)
        return float(ndtr(shift - quantile) + ndtr(-shift - quantile))

    low, high = 0, 1
    while power_of(high) < power and high <= MAX_COMPARISONS:
        low, high = high, 2 * high
    while high - low > 1 and high <= MAX_COMPARISONS:
        midpoint = (low + high) // 2
        low, high = (low, midpoint) if power_of(midpoint) >= power else (midpoint, high)
    words = (
        f"comparisons like these {k} in effects, errors, {moderation.moderator.name} and residual SD of the true OS "
        f"effects ({moderation['sigma_cond'].value:.2f}), independent trials, normal estimate of the slope difference"
    )
    return TrialsNeeded(true, se, power_of(k), None if high > MAX_COMPARISONS else max(high, 5), power, level, words)


def influential_trials(refits: Sequence[LineWithoutTrial], moderation: Moderation) -> list[str]:
    """Trials whose omission changes the sign of g, or whether its interval includes 0."""

    def conclusion(difference: Estimate) -> tuple[bool, bool]:
        return difference.value is not None and difference.value < 0, difference.excludes(0.0)

    whole = conclusion(moderation["slope_difference"])
    return [refit.left_out for refit in refits if conclusion(refit.slope_difference) != whole]


def _whitener(moderation: Moderation) -> FloatArray:
    """(k, k) inverse Cholesky factor of the covariance of the final estimates about the line without moderator."""
    line: LinePosterior = moderation.alone
    slope, sigma = float(moderation["slope_alone"].value), float(moderation["sigma_cond_alone"].value)
    covariance = np.eye(len(line.effects)) * sigma**2
    for block in line.blocks:
        for members, p, q, r in zip(block.members, block.p, block.q, block.r, strict=True):
            covariance[np.ix_(members, members)] += slope**2 * p + slope * (q + q.T) + r
    return np.linalg.inv(np.linalg.cholesky(covariance))
