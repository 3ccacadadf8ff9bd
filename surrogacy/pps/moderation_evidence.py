"""What supports a moderated line: a permutation test, the line without each trial, and how many trials would show it.

    t = g / SE(g) of weighted least squares on (1, z, x, z x), weights from the posterior medians of the line without moderator

The permutation deals the values of the moderator anew to the trials: those that give as many comparisons exchange theirs. It tests that
the moderator has nothing to do with the effects (g = c = 0), with a statistic made for g. Power and number of trials assume comparisons
like those at hand (effects, errors, moderator, psi) and a normal estimate of g: SE(g) falls with the root of their number.

References
----------
Higgins, Thompson (2004), doi:10.1002/sim.1752 (permutation tests of meta-regression).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.models.exact.line_posterior import LinePosterior
from surrogacy.models.moderation import COEFFICIENTS, Moderation
from surrogacy.pps.expected_effects import Expectation
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import LEVEL

MOST_TRIALS = 1_000_000
POWER = 0.8


@dataclass(frozen=True)
class Permutation:
    """Permutation test of g.

    Parameters
    ----------
    statistic : float
        g over its standard error.
    p : float
        Two-sided, ``(1 + as far out) / (1 + permutations)``.
    p_negative : float
        One-sided, for a slope that falls with the moderator.
    permutations : int
    """

    statistic: float
    p: float
    p_negative: float
    permutations: int


@dataclass(frozen=True)
class TrialsNeeded:
    """What it takes to see the moderation.

    Parameters
    ----------
    slope_difference : float
        True g.
    standard_error : float
        Of g in the comparisons at hand.
    power : float
        Of a two-sided test in these.
    comparisons : int or None
        Needed for the power wanted; None if no number below a million is enough.
    wanted, level : float
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
        """Smallest true difference, of either sign, that these comparisons would find: ``(z_level + z_power) SE(g)``.

        Unlike the power at the estimate, which is a function of the p-value alone, it depends on the comparisons only.
        """
        return float((ndtri(0.5 + self.level / 2) + ndtri(self.wanted)) * self.standard_error)


@dataclass(frozen=True)
class LogScore:
    """How well trials are predicted that were left out: log density of their final estimates given the surrogate estimates.

    Parameters
    ----------
    moderated, alone : float
        Sums over trials, with the moderator and without.
    difference : Estimate
        First less second; above 0 the moderator predicts better.
    """

    moderated: float
    alone: float
    difference: Estimate


def permutation_test(found: Moderation, permutations: int = 4000, seed: int = 0) -> Permutation:
    """Permutation test of a moderator.

    Parameters
    ----------
    found : Moderation
    permutations : int
    seed : int

    Raises
    ------
    UsageError
        For fewer than 100 permutations.
    """
    if permutations < 100:
        raise UsageError(f"a permutation test needs 100 permutations at least; got {permutations}")
    effects, z = found.posterior.effects, found.moderator.values - found.centre
    whitener = _whitener(found)
    generator = np.random.default_rng(seed)
    sizes: dict[int, list[IntArray]] = {}
    for trial in effects.trials:
        own = np.flatnonzero([name == trial for name in effects.trial])
        sizes.setdefault(len(own), []).append(own)
    dealt = np.tile(z, (permutations + 1, 1))  # the first row stays as it is
    for members in map(np.array, sizes.values()):
        order = generator.permuted(np.tile(np.arange(len(members)), (permutations, 1)), axis=1)
        dealt[1:, members.ravel()] = z[members[order]].reshape(permutations, -1)
    x, y = effects.log_hr.T
    plain = np.stack([np.ones_like(x), x])
    varying = np.stack([dealt, dealt * x], axis=1)  # (permutations, 2, k)
    columns = np.concatenate([np.broadcast_to(plain, varying.shape), varying], axis=1) @ whitener.T
    gram = columns @ columns.swapaxes(1, 2)
    # a dealing may leave z x without variation of its own
    inverse = np.linalg.pinv(gram, hermitian=True)
    estimates = np.einsum("pcd,pdk,k->pc", inverse, columns, whitener @ y)
    t = estimates[:, 3] / np.sqrt(np.maximum(inverse[:, 3, 3], 1e-300))
    beyond = int((np.abs(t[1:]) >= abs(t[0]) - 1e-12).sum())
    below = int((t[1:] <= t[0] + 1e-12).sum())
    count = permutations + 1
    return Permutation(float(t[0]), (1 + beyond) / count, (1 + below) / count, permutations)


def leave_one_out(found: Moderation) -> tuple[list[dict[str, Any]], LogScore]:
    """Slope and its difference without each trial, and how well each is predicted by the others; the moderator keeps its centre.

    Returns
    -------
    records : list of dict
        left_out (trial), slope and slope_difference (Estimate), p_slope_difference_negative, log_score and log_score_alone.
    score : LogScore
    """
    records = []
    alone = found.alone.log_scores()
    for trial, rest in found.posterior.leave_one_out().items():
        record: dict[str, Any] = {"left_out": trial}
        record |= {name: rest.estimate(name, found.model.level) for name in ("slope", "slope_difference")}
        record["p_slope_difference_negative"] = float(rest.grid.distribution((0.0, 1.0))(np.zeros(1))[0])
        record["log_score"] = found.posterior.grid.log_evidence - rest.grid.log_evidence
        records.append(record | {"log_score_alone": alone[trial]})
    first, second = (np.array([record[name] for record in records]) for name in ("log_score", "log_score_alone"))
    return records, log_score(first, second, found.model.level)


def log_score(first: FloatArray, second: FloatArray, level: float = LEVEL) -> LogScore:
    """Sum the log scores of two models over trials; the difference has a normal interval from its spread over trials."""
    level = confidence_level(level)
    difference = first - second
    total = float(difference.sum())
    se = float(np.sqrt(len(difference)) * difference.std(ddof=1))
    half = float(ndtri(0.5 + level / 2)) * se
    kind = f"difference of log scores, each of {len(difference)} trials left out in turn; normal"
    return LogScore(
        float(first.sum()), float(second.sum()), Estimate(total, se, total - half, total + half, level, kind)
    )


def trials_needed(
    found: Moderation, slope_difference: float | None = None, power: float = POWER, level: float = LEVEL
) -> TrialsNeeded:
    """How many comparisons like these a two-sided test of g would need.

    Parameters
    ----------
    found : Moderation
    slope_difference : float, optional
        True g; default: its posterior median.
    power : float
    level : float
        1 less the two-sided error.

    Raises
    ------
    UsageError
        If power or level is no probability, or the power is below the error.
    """
    level = confidence_level(level)
    if not 1 - level < power < 1:
        raise UsageError(f"power {power:g} must lie between 1 - level and 1, that is between {1 - level:g} and 1")
    true = float(found["slope_difference"].value) if slope_difference is None else float(slope_difference)
    se = float(np.sqrt(np.linalg.inv(found.information())[3, 3]))
    k, quantile = len(found.posterior.effects), float(ndtri(0.5 + level / 2))

    def power_of(comparisons: float) -> float:
        shift = abs(true) / se * np.sqrt(comparisons / k)
        return float(ndtr(shift - quantile) + ndtr(-shift - quantile))

    low, high = 0, 1
    while power_of(high) < power and high <= MOST_TRIALS:
        low, high = high, 2 * high
    while high - low > 1 and high <= MOST_TRIALS:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    words = (
        f"comparisons like the {k} at hand in effects, errors, {found.moderator.name} and scatter about the line "
        f"(sigma_cond {found['sigma_cond'].value:.2f}), independent trials, normal estimate of g"
    )
    return TrialsNeeded(true, se, power_of(k), None if high > MOST_TRIALS else max(high, 5), power, level, words)


def expected_coefficients(found: Moderation, expectation: Expectation) -> dict[str, float]:
    """Coefficients that dilution alone would give: those of the effects that an illness-death model expects of the observed surrogate effects.

    Weighted least squares on (1, z, x, z x), weights of the moderated line.

    Parameters
    ----------
    found : Moderation
    expectation : Expectation
        Of the same comparisons, such as `surrogacy.pps.expected_effects.ExpectedEffects`.
    """
    x = found.posterior.effects.log_hr[:, 0]
    columns, weight = found.weighted_design()
    expected = expectation.log_hr(x[None])[0]
    coefficients = np.linalg.lstsq(np.sqrt(weight)[:, None] * columns, np.sqrt(weight) * expected, rcond=None)[0]
    return dict(zip(COEFFICIENTS, map(float, coefficients), strict=True))


def influential_trials(records: Sequence[Mapping[str, Any]], found: Moderation) -> list[str]:
    """Trials without which g would have the other sign, or an interval that tells otherwise whether it holds 0."""

    def told(difference: Estimate) -> tuple[bool, bool]:
        value, low, high = (
            float(limit) for limit in (difference.value, difference.low, difference.high) if limit is not None
        )
        return value < 0, low <= 0 <= high

    whole = told(found["slope_difference"])
    return [str(record["left_out"]) for record in records if told(record["slope_difference"]) != whole]


def _whitener(found: Moderation) -> FloatArray:
    """Inverse Cholesky factor of the covariance of the final estimates about the line without moderator, (k, k)."""
    line: LinePosterior = found.alone
    slope, sigma = float(found["slope_alone"].value), float(found["sigma_cond_alone"].value)
    covariance = np.eye(len(line.effects)) * sigma**2
    for block in line.blocks:
        for members, p, q, r in zip(block.members, block.p, block.q, block.r, strict=True):
            covariance[np.ix_(members, members)] += slope**2 * p + slope * (q + q.T) + r
    return np.linalg.inv(np.linalg.cholesky(covariance))
