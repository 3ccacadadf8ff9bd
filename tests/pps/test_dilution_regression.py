"""The regression of OS effects on the effects that dilution alone predicts, against brute force and simulation."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.exact.line_posterior import fit_line
from surrogacy.pps.dilution_likelihood import effect_groups
from surrogacy.pps.dilution_regression import OffsetModel, first_order_bias
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.offset_sensitivity import ASSUMPTIONS, offset_sensitivity
from surrogacy.pps.structure import DEFAULT_STRUCTURE
from tests.support.effects import full_covariance
from tests.support.moderation import VAGUE, P, line_priors, moderated


class Bent:
    """Expected effects ``r d + q d^2``: a known function of the surrogate effect."""

    def __init__(self, r, q):
        self.r, self.q = np.asarray(r, dtype=float), np.asarray(q, dtype=float)

    def log_hr(self, surrogate):
        return self.r * surrogate + self.q * surrogate**2

    def control_sensitivity(self, surrogate):
        by_effect = self.r + 2 * self.q * surrogate
        return np.stack([by_effect, 0 * by_effect, 0 * by_effect], axis=1)


def test_offset_with_equal_effects_is_the_plain_line():
    """``m(d) = d``: the same posterior and log scores as the line whose intercept is integrated analytically; 0.03
    SDs.
    """
    effects, _ = moderated(15, np.random.default_rng(9))
    found = OffsetModel().fit(effects, Bent(np.ones(15), np.zeros(15)))
    line = fit_line(effects, np.ones((15, 1)), line_priors(1), (40, 28))
    for own, name in (("intercept", "intercept"), ("share", "slope"), ("sigma_cond", "sigma_cond")):
        expected = line.quantile(name, P)
        assert (found[own].value, found[own].low, found[own].high) == pytest.approx(
            tuple(expected), abs=0.03 * found[own].se
        )
    assert found.against_line.difference.value == pytest.approx(0, abs=2e-3)
    assert found["r2_expected"].value == pytest.approx(found["r2_surrogate"].value)
    x, y = effects.log_hr.T
    assert found["r2_surrogate"].value < 1
    r = np.cov(x, y, aweights=effects.se[:, 1] ** -2.0)
    assert found["r2_surrogate"].value == pytest.approx(r[0, 1] ** 2 / r[0, 0] / r[1, 1])


@pytest.mark.slow
def test_offset_likelihood_is_the_integral_over_the_true_effects():
    """SciPy's quadrature of each comparison's density, and of two with one control arm, at three points of (a, k, psi);
    vague = flat to 1e-4.
    """
    log_hr, se = [[-0.5, -0.3], [-0.2, 0.1], [-0.9, -0.4]], [[0.12, 0.15], [0.2, 0.18], [0.15, 0.22]]
    effects = Effects.from_arrays(
        log_hr, se, 0.4, trial=["a", "b", "b"], comparison=["a", "b1", "b2"], control_group=["", "c", "c"]
    )
    bent = Bent([0.8, 0.7, 0.6], [0.2, -0.1, 0.15])
    groups = effect_groups(effects, bent, VAGUE)
    covariance = full_covariance(effects)[2:, 2:]
    y = effects.log_hr.ravel()[2:]
    for a, k, psi in ((0.0, 1.0, 0.1), (0.1, 0.5, 0.02), (-0.2, 1.6, 0.4)):

        def density(d, i=0, a=a, k=k, psi=psi):
            m = bent.r[i] * d + bent.q[i] * d**2
            joint = effects.cov[i] + np.diag([0, psi**2])
            return multivariate_normal([d, a + k * m], joint).pdf(effects.log_hr[i])

        own = groups[0].log_likelihood(np.array([[a, k]]), np.array([psi]))[0, 0]
        assert own == pytest.approx(np.log(quad(density, -2.0, 1.0, points=[-0.5])[0]), abs=2e-4)

        def both(d2, d1, a=a, k=k, psi=psi):
            m = [bent.r[i] * d + bent.q[i] * d**2 for i, d in ((1, d1), (2, d2))]
            mean = [d1, a + k * m[0], d2, a + k * m[1]]
            return multivariate_normal(mean, covariance + np.diag([0, psi**2, 0, psi**2])).pdf(y)

        nodes, weights = np.polynomial.legendre.leggauss(40)
        d1, d2 = -0.2 + 1.2 * nodes, -0.9 + 0.9 * nodes
        total = sum(
            w1 * w2 * both(v, u)
            for u, w1 in zip(d1, 1.2 * weights, strict=True)
            for v, w2 in zip(d2, 0.9 * weights, strict=True)
        )
        own = groups[1].log_likelihood(np.array([[a, k]]), np.array([psi]))[0, 0]
        assert own == pytest.approx(np.log(total), abs=2e-3)


@pytest.mark.slow
def test_offset_recovers_dilution():
    """20 data sets made with k = 1 and a = 0: mean of (estimate - truth) / SD within four errors, 4 / sqrt(20)."""
    generator = np.random.default_rng(12)
    scores, tails = [], []
    for _ in range(20):
        k = 25
        bent = Bent(generator.uniform(0.4, 0.9, k), generator.uniform(-0.1, 0.1, k))
        d1 = generator.normal(-0.4, 0.5, k)
        d2 = bent.log_hr(d1) + generator.normal(0, 0.05, k)
        se = np.tile([0.08, 0.1], (k, 1))
        error = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], k)
        effects = Effects.from_arrays(np.stack([d1, d2], axis=1) + se * error, se)
        found = OffsetModel(nodes=(12, 12, 9)).fit(effects, bent)
        scores.append(
            [(found[name].value - truth) / found[name].se for name, truth in (("intercept", 0.0), ("share", 1.0))]
        )
        tails.append(found["tail_at_dilution_alone"].value)
    assert np.abs(np.mean(scores, axis=0)).max() < 4 / np.sqrt(20)
    assert np.mean(tails) == pytest.approx(0.5, abs=4 * 0.29 / np.sqrt(20))


def test_wrong_dilution_is_told_from_the_right_one():
    generator = np.random.default_rng(13)
    effects, _ = moderated(40, generator, g=0.0, c=0.0, b=0.3, psi=0.03)
    found = OffsetModel().fit(effects, Bent(np.full(40, 0.9), np.zeros(40)))
    assert found["tail_at_dilution_alone"].value < 0.01
    assert found["share"].high < 1
    assert found["p_share_below_1"].value > 0.999
    assert found.dilution_against_line.difference.value < 0


def test_offset_counts_what_the_control_arm_shares(trials, sets, offset):
    """The derivative by the surrogate effect, and the bias formula written out for a control arm's OS alone."""
    found, expected, known = offset
    effects = sets["all"].take(known)
    x = effects.log_hr[:, 0]
    sensitivity = expected.control_sensitivity(x)
    h = 0.01
    ends = expected.log_hr(np.stack([x + h, x - h]))
    assert sensitivity[:, 0] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-3)
    harm = x > 0.02
    assert (sensitivity[~harm & (x < -0.02), 2] > 0).all(), (
        "a longer median OS: a longer PPS, more dilution, a weaker effect"
    )
    assert (sensitivity[harm, 2] < 0).all()
    biases = first_order_bias(effects, expected, 1.0, 0.1)
    assert set(biases) == {"surrogate_error", "shared_control_error"}
    assert biases["shared_control_error"].shape == (2,)
    assert any("control" in problem or "PFS events taken" in problem for problem in found.result.problems)


@pytest.mark.slow
def test_offset_under_other_assumptions(trials, sets):
    records = {scenario.assumption.name: scenario.record for scenario in offset_sensitivity(trials, sets["all"])}
    assert set(records) == {row.name for row in ASSUMPTIONS if row.structure != DEFAULT_STRUCTURE}
    expected, known = expected_effects(trials, sets["all"])
    whole = OffsetModel().fit(sets["all"].take(known), expected)["share"]
    # the coarser grid moves the median by less than 0.02 posterior SDs
    assert records["as in the analysis"]["share"] == pytest.approx(whole.value, abs=0.02 * whole.se)
    # shorter follow-up leaves more of the PFS effect in what is expected, so that the observed effects are less of it
    shares = [records[f"follow-up {words} control median OS"]["share"] for words in ("0.3 to 1", "0.5 to 1.5")]
    assert shares[0] < shares[1] < records["as in the analysis"]["share"] < records["complete follow-up"]["share"]


def test_effects_that_cannot_be_regressed_are_refused(sets):
    effects = sets["all"]
    with pytest.raises(FitError, match="are all the same"):
        OffsetModel().fit(effects, Bent(np.zeros(len(effects)), np.zeros(len(effects))))
    with pytest.raises(FitError, match="needs 4"):
        OffsetModel().fit(effects.take(np.arange(3)), None)
