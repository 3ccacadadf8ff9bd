"""A line moderated by a covariate: against brute force, other models, NUTS, metafor, simulation and symmetry."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import halfnorm, multivariate_normal, norm

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.daniels_hughes import DanielsHughes
from surrogacy.models.exact.line_posterior import LinePriors, _integrated, _sums, condition, fit_line
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderation import COEFFICIENTS, surrogate_variance
from surrogacy.models.moderator import factor_moderator, plain_moderator
from surrogacy.models.priors import HalfNormal, Normal, Uniform
from surrogacy.pps.moderation_evidence import (
    trials_needed,
)
from surrogacy.pps.moderators import later_therapy, pps_ratio
from tests.support.effects import example, full_covariance
from tests.support.moderation import VAGUE, P, line_priors, moderated


@pytest.mark.parametrize("name", ["all", "intermediate"])
def test_without_moderator_it_is_daniels_and_hughes(name, sets):
    """Another parametrisation and another grid of the same posterior: 0.01 posterior SDs; shared control arms in both
    sets.
    """
    effects = sets[name]
    own = fit_line(effects, np.ones((len(effects), 1)), line_priors(1), (40, 28))
    other = DanielsHughes().fit(effects)
    for quantity in ("intercept", "slope", "sigma_cond"):
        expected = other[quantity]
        limits = np.array([expected.value, expected.low, expected.high])
        assert np.abs(own.quantile(quantity, P) - limits).max() < 0.01 * (expected.high - expected.low) / 3.92


def test_moderator_held_at_zero_is_daniels_and_hughes(sets):
    """Priors a thousand times narrower than the data would allow; 0.01 posterior SDs."""
    effects = sets["all"]
    held = Normal(0.0, 1e-5)
    z = np.linspace(-1, 1, len(effects))
    found = ModeratedLine(intercept_difference=held, slope_difference=held).fit(effects, plain_moderator(z))
    other = DanielsHughes().fit(effects)
    for quantity in ("intercept", "slope", "sigma_cond"):
        assert found[quantity].value == pytest.approx(other[quantity].value, abs=0.01 * other[quantity].se)
        assert found[quantity].low == pytest.approx(other[quantity].low, abs=0.01 * other[quantity].se)


def test_density_is_the_multivariate_normal_of_all_estimates(sets):
    """At three points of (b, g, psi): SciPy's density of all 2k estimates, everything else integrated into the
    covariance.
    """
    effects = sets["intermediate"]
    k = len(effects)
    z = np.linspace(-0.7, 1.1, k)
    design = np.column_stack([np.ones(k), z])
    prior = Normal(0.1, 2.0)
    priors = LinePriors((Normal(0.05, 3.0), Normal(-0.1, 1.0)), (VAGUE, VAGUE), HalfNormal(0.5), prior)
    blocks = condition(effects, prior)
    assert max(block.y.shape[1] for block in blocks) == 2
    y = effects.log_hr.ravel()
    marginal = multivariate_normal(np.full(k, 0.1), full_covariance(effects)[::2, ::2] + 4 * np.eye(k)).logpdf(y[::2])
    for b, g, psi in ((0.5, -0.2, 0.1), (-1.0, 0.6, 0.02), (2.0, 1.5, 0.7)):
        slope = b + g * z
        mean, covariance = np.zeros(2 * k), full_covariance(effects)
        mean[::2] = 0.1
        mean[1::2] = design @ [0.05, -0.1] + slope * 0.1
        lift = np.zeros((2 * k, k))  # true surrogate effects into both estimates
        lift[::2], lift[1::2] = np.eye(k), np.diag(slope)
        covariance += 4 * lift @ lift.T
        covariance[1::2, 1::2] += psi**2 * np.eye(k) + design @ np.diag([9.0, 1.0]) @ design.T
        expected = multivariate_normal(mean, covariance).logpdf(y) - marginal
        grid, sd = np.array([[[b, g]]]), np.array([psi])
        assert _integrated(priors, grid, *_sums(blocks, design, grid, sd))[0][0, 0, 0] == pytest.approx(
            expected, abs=1e-8
        )


def test_flat_true_effects_leave_the_residual_variance_of_the_line():
    """``y2 - a - B y1`` has variance ``psi^2 + s2^2 - 2 B rho s1 s2 + B^2 s1^2``: the limit of a wide prior."""
    effects = Effects.from_arrays([[-0.4, -0.2], [0.1, 0.0]], [[0.1, 0.2], [0.3, 0.15]], [0.6, -0.2])
    (block,) = condition(effects, Normal(0.0, 1e5))
    b = 0.7
    own = b**2 * block.p[:, 0, 0] + 2 * b * block.q[:, 0, 0] + block.r[:, 0, 0]
    (s1, s2), rho = effects.se.T, effects.rho_within
    assert own == pytest.approx(s2**2 - 2 * b * rho * s1 * s2 + b**2 * s1**2, rel=1e-6)
    assert block.x[:, 0] == pytest.approx(effects.log_hr[:, 0], abs=1e-9)
    assert block.y[:, 0] == pytest.approx(effects.log_hr[:, 1], abs=1e-9)


def test_quadrature_is_the_integral_over_a_dense_grid():
    """Densities written out on 90 x 90 x 70 even points, every comparison apart; 0.02 posterior SDs (steps of 0.1
    SD).
    """
    effects, z = moderated(9, np.random.default_rng(3))
    z = z - z.mean()
    found = fit_line(effects, np.column_stack([np.ones(9), z]), line_priors(), (30, 30, 24))
    bs, gs, psis = np.linspace(-1.5, 2.7, 90), np.linspace(-4, 4, 90), np.linspace(1e-4, 0.8, 70)
    b, g, psi = np.meshgrid(bs, gs, psis, indexing="ij")
    log_density = halfnorm(scale=0.5).logpdf(psi) + norm(0, 10).logpdf(b) + norm(0, 10).logpdf(g)
    precision = np.zeros((*b.shape, 2, 2)) + np.eye(2) / 100
    h, quadratic = np.zeros((*b.shape, 2)), np.zeros(b.shape)
    for i in range(9):
        (y1, y2), (s1, s2), rho = effects.log_hr[i], effects.se[i], effects.rho_within[i]
        slope = b + g * z[i]
        shrink = 100 / (100 + s1**2)
        mean = slope * shrink * y1 + rho * s1 * s2 / (100 + s1**2) * y1
        variance = psi**2 + slope**2 * 100 + s2**2 - (slope * 100 + rho * s1 * s2) ** 2 / (100 + s1**2)
        u = np.array([1.0, z[i]])
        log_density -= 0.5 * np.log(2 * np.pi * variance)
        precision += np.multiply.outer(1 / variance, np.outer(u, u))
        h += ((y2 - mean) / variance)[..., None] * u
        quadratic += (y2 - mean) ** 2 / variance
    mean = np.linalg.solve(precision, h[..., None])[..., 0]
    log_density += 0.5 * ((h * mean).sum(axis=-1) - quadratic - np.linalg.slogdet(precision)[1])
    mass = np.exp(log_density - log_density.max())
    for quantity, values in (("slope", bs), ("slope_difference", gs), ("sigma_cond", psis)):
        axis = ("slope", "slope_difference", "sigma_cond").index(quantity)
        profile = mass.sum(axis=tuple(a for a in range(3) if a != axis))
        cdf = np.concatenate([[0], np.cumsum((profile[1:] + profile[:-1]) / 2)])
        limits = np.interp(P, cdf / cdf[-1], values)
        sd = (limits[2] - limits[1]) / 3.92
        assert np.abs(found.quantile(quantity, P) - limits).max() < 0.02 * sd, quantity
    weight = mass / mass.sum()
    for column, quantity in enumerate(("intercept", "intercept_difference")):
        own = found.estimate(quantity, 0.95)
        centre = (weight * mean[..., column]).sum()
        covariance = np.linalg.inv(precision)[..., column, column]
        assert own.se == pytest.approx(
            np.sqrt((weight * ((mean[..., column] - centre) ** 2 + covariance)).sum()), rel=0.02
        )


def test_posterior_of_nuts():
    """40,000 draws (validation/moderated_against_nuts.py), true surrogate effects as vague: 4 Monte Carlo errors, at
    most 0.06 SD.
    """
    effects, z = example()
    found = ModeratedLine().fit(effects, plain_moderator(z))
    sampled = {
        "intercept": (0.0399, -0.0625, 0.1475),
        "intercept_difference": (0.0263, -0.1594, 0.2055),
        "slope": (0.5716, 0.3151, 0.8331),
        "slope_difference": (-0.1988, -0.6172, 0.1942),
        "sigma_cond": (0.0387, 0.0019, 0.1215),
    }
    for name, expected in sampled.items():
        own = found[name]
        assert (own.value, own.low, own.high) == pytest.approx(expected, abs=0.06 * own.se), name


def test_given_psi_it_is_the_meta_regression_of_metafor():
    """Surrogate effects without error, psi = 0.1: coefficients and standard errors of rma()
    (validation/metafor_moderated.R).

    2e-3 SDs: the priors of SD 10, and medians solved for to 1e-4 of probability.
    """
    effects, z = example()
    exact = replace(effects, se=np.column_stack([np.full(len(z), 1e-5), effects.se[:, 1]]))
    found = ModeratedLine(sigma_cond=Uniform(0.09999, 0.10001)).fit(exact, plain_moderator(z))
    metafor = {
        "intercept": (0.042818, 0.065841),
        "intercept_difference": (0.025031, 0.110823),
        "slope": (0.577387, 0.162196),
        "slope_difference": (-0.203105, 0.237047),
    }
    for name, (value, se) in metafor.items():
        assert (found[name].value, found[name].se) == pytest.approx((value, se), abs=2e-3 * se), name


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """200 data sets of 30 comparisons; a nominal 95 % covers in 0.95 +- 0.062 (four binomial errors).

    The surrogate effects spread four times their errors: what vague true effects cost (their pull is tested below)
    stays below a tenth of an SD.
    """
    generator = np.random.default_rng(8)
    truth = {"intercept": 0.02, "intercept_difference": 0.1, "slope": 0.6, "slope_difference": -0.3, "sigma_cond": 0.08}
    covered = dict.fromkeys(truth, 0)
    for _ in range(200):
        effects, z = moderated(30, generator)
        found = fit_line(effects, np.column_stack([np.ones(30), z]), line_priors(), (12, 12, 10))
        for name, value in truth.items():
            _, low, high = found.quantile(name, P)
            covered[name] += low <= value <= high
    assert all(abs(count / 200 - 0.95) < 0.062 for count in covered.values()), covered


@pytest.mark.slow
def test_a_prior_with_the_spread_of_the_effects_undoes_the_pull():
    """Surrogate effects that spread as widely as their errors, 200 comparisons: vague true effects halve b - rho s2 /
    s1, a proper prior does not.
    """
    effects, z = moderated(200, np.random.default_rng(5), g=-0.4, s=(0.2, 0.2), spread=0.2, b=1.2, psi=0.05)
    moderator = plain_moderator(z)
    vague = ModeratedLine(nodes=(10, 10, 8)).fit(effects, moderator)
    proper = ModeratedLine(nodes=(10, 10, 8), surrogate=Normal(-0.3, 0.2)).fit(effects, moderator)
    assert proper["slope"].low < 1.2 < proper["slope"].high
    assert proper["slope_difference"].low < -0.4 < proper["slope_difference"].high
    assert vague["slope"].high < 1.2
    assert vague["slope"].value == pytest.approx(0.5 + (1.2 - 0.5) * 0.5, abs=0.2)
    assert any("errors of the observed surrogate effects" in problem for problem in vague.result.problems)
    assert proper.first_order_bias()["surrogate_error"]["slope"] == 0


@settings(max_examples=6, deadline=None)
@given(st.floats(-3, 3), st.floats(0.5, 5), st.integers(0, 1000))
def test_units_and_origin_of_the_moderator_do_not_matter(shift, unit, seed):
    """Centred: an origin changes nothing, a unit c and g alone; 0.08 posterior SDs, the worst that grids were found off
    by.
    """
    effects, z = moderated(25, np.random.default_rng(seed))
    one = ModeratedLine().fit(effects, plain_moderator(z))
    order = np.random.default_rng(seed).permutation(25)
    other = ModeratedLine().fit(effects.take(order), plain_moderator(shift - unit * z[order]))
    for name in COEFFICIENTS:
        factor = -unit if name.endswith("difference") else 1.0
        low, high = sorted((factor * other[name].low, factor * other[name].high))
        sd = one[name].se
        assert factor * other[name].value == pytest.approx(one[name].value, abs=0.08 * sd)
        assert (low, high) == pytest.approx((one[name].low, one[name].high), abs=0.08 * sd)
    below, above = one["p_slope_difference_negative"].value, 1 - other["p_slope_difference_negative"].value
    assert below == pytest.approx(above, abs=0.01)


def test_lines_at_values_of_the_moderator_agree_with_the_coefficients(moderation):
    centre = moderation.centre
    assert moderation.slope_at(centre).value == pytest.approx(moderation["slope"].value, abs=1e-4)
    line = moderation.line_at(centre + 0.5)
    assert line.slope == pytest.approx(moderation.slope_at(centre + 0.5).value)
    mean = line.weight @ line.node_slope
    assert mean == pytest.approx(moderation.posterior.grid.moments((1.0, 0.5))[0], abs=1e-9)
    cdf = moderation.posterior.grid.distribution((1.0, 0.5))
    assert cdf(moderation.posterior.grid.quantiles((1.0, 0.5), P)) == pytest.approx(P, abs=1e-5)
    # quantiles of the nodes themselves, which stand up to half an SD apart
    order = np.argsort(line.node_slope)
    rough = np.interp(P, np.cumsum(line.weight[order]), line.node_slope[order])
    assert moderation.posterior.grid.quantiles((1.0, 0.5), P) == pytest.approx(rough, abs=0.25 * moderation["slope"].se)


def test_prediction_at_a_given_pps(moderation):
    """Median and limits by draws from the nodes of the posterior, 200,000; four Monte Carlo errors."""
    value, x = float(np.log(3.0)), float(np.log(0.6))
    found = moderation.predict(x, value, se=0.15)
    line = moderation.line_at(value)
    generator = np.random.default_rng(1)
    node = generator.choice(len(line.weight), 200_000, p=line.weight)
    intercept = generator.normal(line.node_intercept[node], np.sqrt(line.node_variance[node]))
    true = generator.normal(intercept + line.node_slope[node] * x, line.node_sigma[node])
    assert (found.true.value, found.true.low, found.true.high) == pytest.approx(tuple(np.quantile(true, P)), abs=0.003)
    observed = generator.normal(true, 0.15)
    assert (found.observed.low, found.observed.high) == pytest.approx(tuple(np.quantile(observed, P[1:])), abs=0.005)
    assert found.probability_observed_below_1 == pytest.approx((observed < 0).mean(), abs=0.003)
    low, _, high = (at.prediction.value for at in moderation.at_quantiles(log_hr=x))
    assert low < high, "a longer PPS dilutes more"
    lines = moderation.at_quantiles()
    assert [at.ste_prediction.status for at in lines] == ["exists"] * 3
    assert lines[0].ste_prediction.hr > lines[2].ste_prediction.hr


def test_measures_are_what_they_say(moderation):
    psi, alone = moderation["sigma_cond"].value, moderation["sigma_cond_alone"].value
    assert moderation["sigma_reduction"].value == pytest.approx(1 - psi**2 / alone**2)
    effects = moderation.posterior.effects
    explained = moderation.slope_at(moderation.centre).value ** 2 * surrogate_variance(effects)
    assert moderation.r2_at(moderation.centre).value == pytest.approx(explained / (explained + psi**2), abs=0.03)
    y, w = effects.log_hr[:, 0], effects.se[:, 0] ** -2.0
    q = w @ (y - np.average(y, weights=w)) ** 2
    assert surrogate_variance(effects) == pytest.approx((q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum()))


def test_few_trials_are_said_to_be_few(trials, sets):
    found = ModeratedLine().fit(sets["intermediate"], pps_ratio(trials, sets["intermediate"]))
    assert any("too few to distinguish a moderator from chance" in problem for problem in found.result.problems)
    assert found.result.converged
    assert found["slope_difference"].low < 0 < found["slope_difference"].high


def test_one_comparison_apart_from_all_others_teaches_nothing_of_the_difference():
    effects, _ = moderated(8, np.random.default_rng(7))
    z = np.array([1.0, *[0.0] * 7])
    found = ModeratedLine(slope_difference=Normal(0.0, 2.0)).fit(effects, plain_moderator(z))
    assert found["slope_difference"].se == pytest.approx(2.0, rel=0.05)
    rest = ModeratedLine(slope_difference=Normal(0.0, 2.0)).fit(effects, plain_moderator(z + 1e-3 * np.arange(8)))
    assert np.isfinite(rest["slope"].value)
    assert trials_needed(found, -0.2).comparisons > 8


def test_bad_input_is_refused(trials, sets):
    effects = sets["all"]
    with pytest.raises(FitError, match="must vary"):
        ModeratedLine().fit(effects, plain_moderator(np.full(len(effects), 2.0)))
    with pytest.raises(UsageError, match="has 3 values"):
        ModeratedLine().fit(effects, plain_moderator(np.arange(3.0)))
    with pytest.raises(UsageError, match="finite number"):
        plain_moderator(np.array([1.0, np.inf]))
    with pytest.raises(UsageError, match="no column 'era'"):
        factor_moderator(effects, "era")
    with pytest.raises(FitError, match="in every comparison"):
        factor_moderator(sets["intermediate"], "stage")
    with pytest.raises(UsageError, match="column"):
        later_therapy(trials, effects, "orr_pct")
    with pytest.raises(UsageError, match="prior of slope_difference"):
        ModeratedLine(slope_difference=HalfNormal(1.0))
    with pytest.raises(FitError, match="needs 5"):
        ModeratedLine().fit(effects.take(np.arange(4)), plain_moderator(np.arange(4.0)))
