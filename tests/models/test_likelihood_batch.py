"""Maxima of many data sets at once against those of the search for one data set."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from surrogacy import Effects
from surrogacy.models.likelihood import batch, batch_search, newton
from surrogacy.models.likelihood.batch import draw_many, maximise_many
from surrogacy.models.likelihood.batch_data import same_comparisons
from surrogacy.models.likelihood.batch_likelihood import evaluate, log_likelihoods
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import NEGLIGIBLE_GAIN, maximise, parameter_covariance

# SDs and correlation of the true effects: as in the curated sets, weak, strong with small SDs, nearly no variance
TRUTHS = ((0.25, 0.15, 0.8), (0.25, 0.15, 0.3), (0.1, 0.05, 0.95), (0.03, 0.03, 0.5))


def between(tau1, tau2, rho):
    return np.array([[tau1**2, rho * tau1 * tau2], [rho * tau1 * tau2, tau2**2]])


def plain(k, seed=0):
    """Comparisons of very different size without a shared control arm."""
    se = np.exp(np.random.default_rng([k, seed]).normal(np.log(0.14), 0.5, size=(k, 2)))
    return Effects.from_arrays(np.zeros((k, 2)), se, 0.5)


def irregular(k):
    """The same with two groups that share a control arm, and with three missing endpoints, one in such a group."""
    effects = plain(k)
    log_hr, se = effects.log_hr.copy(), effects.se.copy()
    se[1], se[4:6] = 1.1 * se[0], se[3]
    log_hr[2, 1], log_hr[1, 0] = np.nan, np.nan
    if k > 6:
        log_hr[6, 0] = np.nan
    shared = ["first", "first", "", "second", "second", "second", *[""] * (k - 6)]
    return Effects.from_arrays(log_hr, se, 0.5, control_group=shared)


def hostile(k, size, seed):
    """Data sets with standard errors that differ up to a hundredfold and with various correlations."""
    generator = np.random.default_rng([k, seed])
    log_hr = generator.normal(0, [0.5, 0.2], (size, k, 2)) * generator.choice([0.2, 1, 2], (size, 1, 1))
    se = np.exp(generator.normal(np.log(0.15), 0.8, (size, k, 2)))
    rho = generator.choice([-0.6, 0, 0.5, 0.9], (size, 1)) + np.zeros((size, k))
    return log_hr, se, rho


def one_by_one(sets, method="reml"):
    """Maxima of the search for one data set."""
    for effects in sets:
        likelihood = Likelihood(make_blocks(effects), method)
        optimum = maximise(likelihood, effects, 5)
        yield optimum, parameter_covariance(likelihood, optimum, full=False)


def check_agreement(maxima, sets, method="reml"):
    """Compare every maximum; return the number whose boundary or likelihood differs.

    The two searches may differ by the gain for which a variance is set to 0, if they end at different distances from 0.
    """
    differing = 0
    for i, (optimum, covariance) in enumerate(one_by_one(sets, method)):
        gain = maxima.log_likelihood[i] - optimum.at.log_likelihood
        if abs(gain) > 1e-6 or maxima.boundary[i] != optimum.boundary:
            differing += 1
            assert gain > -NEGLIGIBLE_GAIN
            continue
        assert maxima.psi[i] == pytest.approx(optimum.psi, rel=1e-3, abs=1e-6)
        assert maxima.mu[i] == pytest.approx(optimum.at.beta, abs=1e-5)
        assert maxima.mu_cov[i] == pytest.approx(optimum.at.beta_cov, rel=1e-3)
        if np.isfinite(covariance).all() and np.isfinite(maxima.psi_cov[i]).all():
            spread = np.sqrt(np.diagonal(covariance)[2:])
            assert maxima.psi_cov[i] == pytest.approx(
                covariance[2:, 2:], rel=2e-3, abs=2e-3 * spread.max() ** 2 + 1e-11
            )
    return differing


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("own_errors", [False, True])
def test_likelihood_gradient_and_hessian_are_those_of_one_data_set(method, own_errors):
    effects, generator = irregular(9), np.random.default_rng(1)
    log_hr = generator.normal(0, 0.3, (5, 9, 2))
    factor = generator.normal(0, 0.2, (5, 3))
    se, rho = None, None
    if own_errors:
        se = effects.se * np.exp(generator.normal(0, 0.02, (5, 9, 2)))
        rho = np.full((5, 9), 0.4)
    data, psi = same_comparisons(effects, log_hr, method, se, rho).likelihood, batch.psi_of(factor)
    at = evaluate(data, psi)
    assert log_likelihoods(data, psi) == pytest.approx(at.log_likelihood)
    for i in range(5):
        single = replace(effects, log_hr=np.where(np.isnan(effects.log_hr), np.nan, log_hr[i]))
        if own_errors:
            single = replace(single, se=se[i], rho_within=rho[i])
        likelihood = Likelihood(make_blocks(single), method)
        expected = likelihood.evaluate(psi[i])
        assert at.log_likelihood[i] == pytest.approx(expected.log_likelihood, rel=1e-10)
        assert at.gradient[i] == pytest.approx(expected.gradient, rel=1e-8)
        assert at.hessian[i] == pytest.approx(likelihood.hessian(psi[i])[0], rel=1e-8)
        assert at.mu[i] == pytest.approx(expected.beta, rel=1e-9)
        assert at.mu_cov[i] == pytest.approx(expected.beta_cov, rel=1e-9)


@pytest.mark.parametrize("template", [plain, irregular])
@pytest.mark.parametrize("k", [6, 9, 16, 45])
def test_maxima_of_simulated_sets(k, template):
    """4 truths x 20 sets in 8 cells, 640 sets; at most 1 in 100 differs, by the decision to set a variance to 0."""
    effects, differing, total = template(k), 0, 0
    for truth in TRUTHS:
        generator = np.random.default_rng([k, 5])
        log_hr = draw_many(effects, np.array([-0.3, -0.1]), between(*truth), 20, generator)
        maxima = maximise_many(effects, log_hr)
        assert maxima.converged.all()
        differing += check_agreement(maxima, [replace(effects, log_hr=values) for values in log_hr])
        total += len(maxima)
    assert differing <= 0.01 * total + 1


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("k", [3, 4, 6, 8])
def test_maxima_of_hostile_sets_with_errors_of_each_set(k, method):
    """Few comparisons of very different precision, many with several maxima: 240 sets."""
    log_hr, se, rho = hostile(k, 30, 1)
    template = Effects.from_arrays(np.zeros((k, 2)), np.ones((k, 2)))
    maxima = maximise_many(template, log_hr, method, se=se, rho_within=rho)
    assert maxima.converged.all()
    sets = [replace(template, log_hr=log_hr[i], se=se[i], rho_within=rho[i]) for i in range(30)]
    assert check_agreement(maxima, sets, method) <= 1


def test_every_kind_of_boundary_and_the_correlation():
    effects = plain(6)
    log_hr = draw_many(effects, np.zeros(2), between(0.05, 0.05, 0.9), 300, np.random.default_rng(3))
    maxima = maximise_many(effects, log_hr)
    assert {"", "rho", "both"} <= set(maxima.boundary.tolist())
    on_rho, without = maxima.boundary == "rho", np.isin(maxima.boundary, ["both", "tau_surrogate", "tau_final"])
    assert np.abs(maxima.rho[on_rho]) == pytest.approx(1.0, abs=1e-12)
    assert np.isnan(maxima.rho[without]).all()
    assert (maxima.psi[maxima.boundary == "both"] == 0.0).all()
    assert (np.abs(maxima.rho[maxima.boundary == ""]) < 1.0).all()


def test_a_set_that_does_not_converge_is_maximised_alone(monkeypatch):
    effects = plain(9)
    log_hr = draw_many(effects, np.zeros(2), between(0.25, 0.15, 0.8), 5, np.random.default_rng(4))
    expected = maximise_many(effects, log_hr)
    monkeypatch.setattr(newton, "MOST_STEPS", 1)
    alone = maximise_many(effects, log_hr)
    assert alone.converged.all()
    assert alone.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)


def test_pieces_do_not_change_the_maxima(monkeypatch):
    effects = irregular(9)
    log_hr = draw_many(effects, np.zeros(2), between(0.25, 0.15, 0.8), 7, np.random.default_rng(5))
    whole = maximise_many(effects, log_hr)
    monkeypatch.setattr(batch, "PIECE", 2 * 9 * (5 + 2))  # two data sets, each with five starts and two simpler models
    monkeypatch.setattr(batch_search, "GRID_PIECE", 30)
    pieces = maximise_many(effects, log_hr)
    assert pieces.psi == pytest.approx(whole.psi, abs=1e-9)
    assert len(pieces) == 7


def test_a_large_batch_needs_little_memory():
    effects = irregular(50)
    log_hr = draw_many(effects, np.zeros(2), between(0.25, 0.15, 0.8), 800, np.random.default_rng(5))
    tracemalloc.start()
    maximise_many(effects, log_hr, starts=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24e6  # the simplest arrays of all searches, 800 x (2 + 2) x 50 comparisons, have 1.3 MB each
