"""Evidence for a moderator: leave-one-out, influence, permutation, power, and known biases."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.exact.line_posterior import fit_line
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderator import plain_moderator
from surrogacy.models.priors import Normal
from surrogacy.pps.moderation_evidence import (
    influential_trials,
    leave_one_out,
    permutation_test,
    trials_needed,
)
from tests.support.moderation import P, line_priors, moderated


def test_leave_one_out_is_a_refit(sets):
    """Sums less those of a trial, on the same box: 0.02 posterior SDs, and 1e-3 in the log score."""
    effects = sets["all"].take(np.arange(14))
    z = np.cos(np.arange(14.0))
    found = ModeratedLine().fit(effects, plain_moderator(z))
    records, score = leave_one_out(found)
    assert [record.left_out for record in records] == list(effects.trials)
    for trial in (effects.trials[0], effects.trials[-1]):
        kept = np.array([name != trial for name in effects.trial])
        design = np.column_stack([np.ones(kept.sum()), z[kept] - found.centre])
        refit = fit_line(effects.take(kept), design, line_priors(), (24, 24, 20))
        record = next(record for record in records if record.left_out == trial)
        difference = record.slope_difference
        expected = refit.quantile("slope_difference", P)
        assert (difference.value, difference.low, difference.high) == pytest.approx(
            tuple(expected), abs=0.02 * difference.se
        )
        assert record.log_score == pytest.approx(found.posterior.grid.log_evidence - refit.grid.log_evidence, abs=1e-3)
    assert score.difference.value == pytest.approx(sum(record.log_score - record.log_score_alone for record in records))
    assert isinstance(influential_trials(records, found), list)


def test_an_influential_trial_is_refitted():
    effects, z = moderated(8, np.random.default_rng(2))
    log_hr = np.array(effects.log_hr)
    log_hr[0] = 1.5, -2.5
    z[0] = 3.0
    found = ModeratedLine().fit(replace(effects, log_hr=log_hr), plain_moderator(z))
    records, _ = leave_one_out(found)
    assert abs(records[0].slope_difference.value - found["slope_difference"].value) > found["slope_difference"].se
    kept = np.arange(8) > 0
    refit = fit_line(
        replace(effects, log_hr=log_hr).take(kept),
        np.column_stack([np.ones(7), z[1:] - found.centre]),
        line_priors(),
        (30, 30, 24),
    )
    assert records[0].slope_difference.value == pytest.approx(refit.quantile("slope_difference", P)[0], abs=0.05)


@pytest.mark.slow
def test_permutation_p_is_uniform_without_moderation_and_small_with_it():
    """60 data sets with g = c = 0: mean p 0.5 +- 0.15, four errors of a uniform mean; and a strong moderator."""
    generator = np.random.default_rng(11)
    model, p = ModeratedLine(nodes=(8, 8, 6)), []
    for _ in range(60):
        effects, z = moderated(16, generator, g=0.0, c=0.0)
        p.append(permutation_test(model.fit(effects, plain_moderator(z)), 200).p)
    assert np.mean(p) == pytest.approx(0.5, abs=0.15)
    effects, z = moderated(40, generator, g=-0.8)
    strong = permutation_test(model.fit(effects, plain_moderator(z)), 1000)
    assert strong.p < 0.01
    assert strong.statistic < 0


def test_comparisons_of_a_trial_keep_their_values_together():
    """One trial of two comparisons has nobody to exchange with: where it alone has other values every dealing is the
    same, p = 1.
    """
    effects, _ = moderated(9, np.random.default_rng(0))
    trial = ("a", "a", *"bcdefgh")
    z = np.array([2.0, 1.0, *[0.0] * 7])
    found = ModeratedLine().fit(replace(effects, trial=trial), plain_moderator(z))
    assert permutation_test(found, 200).p == 1.0


def test_power_and_trials_needed():
    """Closed form ``k (SE (1.96 + 0.84) / g)^2``, and the power by 4000 simulated estimates (four binomial errors)."""
    effects, z = moderated(30, np.random.default_rng(4))
    found = ModeratedLine().fit(effects, plain_moderator(z))
    needed = trials_needed(found, slope_difference=-0.2)
    assert needed.comparisons == np.ceil(30 * (needed.standard_error * (norm.ppf(0.975) + norm.ppf(0.8)) / 0.2) ** 2)
    columns, weight = found.weighted_design()
    generator = np.random.default_rng(5)
    y = columns @ [0, 0, 0.6, -0.2] + generator.normal(0, weight**-0.5, (4000, 30))
    inverse = np.linalg.inv(columns.T @ (weight[:, None] * columns))
    t = (y * weight) @ columns @ inverse[:, 3] / np.sqrt(inverse[3, 3])
    assert needed.power == pytest.approx((np.abs(t) > norm.ppf(0.975)).mean(), abs=0.03)
    assert trials_needed(found, slope_difference=0.0).comparisons is None
    assert trials_needed(found, slope_difference=-needed.detectable).power == pytest.approx(0.8, abs=1e-4)
    assert trials_needed(found, slope_difference=needed.detectable).comparisons == 30
    with pytest.raises(UsageError, match="power"):
        trials_needed(found, power=0.01)


def test_known_biases_have_the_size_that_simulation_gives():
    """Weighted least squares over 600 data sets of 60 comparisons: moderator with the control arm's error, surrogate
    effects with theirs.

    First order, so 25 % of the bias and four Monte Carlo errors.
    """
    generator = np.random.default_rng(6)
    k, s1, s2, rho = 60, 0.12, 0.16, 0.5
    truth = np.array([0.0, 0.1, 0.7, -0.3])
    z, d1 = generator.normal(0, 0.6, k), generator.normal(-0.3, 0.35, k)
    control = np.array([[s1**2, rho * s1 * s2], [rho * s1 * s2, s2**2]]) / 2
    sensitivity = np.array([-1.5, 1.2])
    found = []
    for _ in range(600):
        error_c, error_e = (generator.multivariate_normal([0, 0], control, k) for _ in range(2))
        x = d1 + error_e[:, 0] - error_c[:, 0]
        y = truth[0] + truth[1] * z + (truth[2] + truth[3] * z) * d1 + error_e[:, 1] - error_c[:, 1]
        noisy = z - error_c @ sensitivity  # a longer median is a lower hazard
        columns = np.column_stack([np.ones(k), noisy, x, noisy * x])
        variance = s2**2 - 2 * rho * s1 * s2 * 0.7 + 0.49 * s1**2 + 0.01
        found.append(np.linalg.lstsq(columns, y + generator.normal(0, 0.1, k), rcond=None)[0])
    assert variance > 0
    moved = np.mean(found, axis=0) - truth
    effects = Effects.from_arrays(
        np.column_stack([d1, truth[2] * d1]), np.tile([s1, s2], (k, 1)), rho, control_share=0.5
    )
    moderator = replace(plain_moderator(z), sensitivity=np.tile(sensitivity, (k, 1)))
    model = ModeratedLine(slope=Normal(0.7, 1e-3), slope_difference=Normal(-0.3, 1e-3), nodes=(10, 10, 8))
    biases = model.fit(effects, moderator).first_order_bias()
    total = np.array([sum(bias[name] for bias in biases.values()) for name in ("slope", "intercept_difference")])
    # the moderator's own error also attenuates, which is not in the formula: c and g by Var(error) / Var(z)
    noise = sensitivity @ control @ sensitivity
    attenuation = np.array([0.0, -truth[1] * noise / (z.var() + noise)])
    errors = np.std(found, axis=0)[[2, 1]] / np.sqrt(600)
    assert np.abs(moved[[2, 1]] - total - attenuation) == pytest.approx(
        0, abs=np.max(0.25 * np.abs(total) + 4 * errors)
    )
    assert np.sign(moved[1]) == np.sign(total[1])
