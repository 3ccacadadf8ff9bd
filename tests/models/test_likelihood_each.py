"""Maxima of data sets with different comparisons in one batch: against the search for one data set."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.refits import fit_each, without_each_trial
from surrogacy.models import BivariateRandomEffects
from surrogacy.models.likelihood.batch import maximise_each, maximise_many
from surrogacy.models.likelihood.batch_data import any_comparisons
from surrogacy.models.likelihood.batch_likelihood import evaluate
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import BOUNDARIES, NEGLIGIBLE_GAIN, maximise, psi_jacobian, psi_of

DEFAULT_SETS = ("tactics-2022", "llovet-2019-pfs", "intermediate", "advanced")


def hostile_sets(size, seed):
    """Sets of 3 to 12 comparisons, errors up to a hundredfold apart, missing endpoints and shared control arms."""
    generator = np.random.default_rng(seed)
    sets = []
    for _ in range(size):
        k = int(generator.integers(3, 13))
        se = np.exp(generator.normal(np.log(0.15), 0.8, (k, 2)))
        log_hr = generator.normal(0, [0.5, 0.2], (k, 2)) * generator.choice([0.2, 1, 2])
        shared = [""] * k
        if k > 5:
            log_hr[generator.integers(3, k), generator.integers(2)] = np.nan
            if generator.random() < 0.5:
                shared[:2], se[1] = ["arm"] * 2, se[0] * 1.1
        rho = float(generator.choice([-0.6, 0, 0.5, 0.9]))
        sets.append(Effects.from_arrays(log_hr, se, rho, control_group=shared))
    return sets


def refined(likelihood, optimum):
    """Covariance of the true effects after Newton steps with the derivatives of one data set.

    The search ends where rounding hides a gain, up to 1e-6 from the maximum in flat directions.
    """
    factor = optimum.factor.copy()
    free = [i for i in range(3) if i not in BOUNDARIES.get(optimum.boundary, ())]
    for _ in range(6 if free else 0):
        psi, jacobian = psi_of(factor), psi_jacobian(factor)
        g = likelihood.evaluate(psi).gradient
        bend = np.array([[2 * g[0], g[1], 0], [g[1], 2 * g[2], 0], [0, 0, 2 * g[2]]])
        hessian = (jacobian.T @ likelihood.hessian(psi)[0] @ jacobian + bend)[np.ix_(free, free)]
        step = np.linalg.solve(hessian, (jacobian.T @ g)[free])
        if np.abs(step).max() > 1e-2 * np.abs(factor).max():  # flat: Newton's method does not apply
            break
        factor[free] -= step
    return psi_of(factor)


def differing(sets, maxima):
    """Compare every maximum with the search for one set; return the sets whose boundary differs."""
    assert maxima.converged.all()
    different = []
    for i, effects in enumerate(sets):
        likelihood = Likelihood(make_blocks(effects), "reml")
        optimum = maximise(likelihood, effects, 5)
        gain = maxima.log_likelihood[i] - optimum.at.log_likelihood
        assert gain > -NEGLIGIBLE_GAIN
        if maxima.boundary[i] != optimum.boundary or gain > 1e-6:
            different.append(i)
            continue
        psi = refined(likelihood, optimum)
        sd = np.sqrt(psi[[0, 2]]).max()
        assert maxima.psi[i] == pytest.approx(psi, abs=1e-6 * max(sd, 0.01))
        assert maxima.mu[i] == pytest.approx(likelihood.evaluate(psi).beta, abs=1e-6)
    return different


@pytest.mark.parametrize("name", DEFAULT_SETS)
def test_leave_one_out_is_that_of_single_searches(trials, name):
    """Every set of the default run without each trial: the same boundaries, and estimates to 1e-6."""
    effects = trials.analysis_set(name)
    sets = [effects.without_trial(trial) for trial in effects.trials]
    assert differing(sets, maximise_each(sets)) == []


def test_hostile_sets_of_different_size():
    """200 sets in one batch; at most 1 in 100 differs: a variance is set to 0, or the maximum is higher."""
    sets = hostile_sets(200, 1)
    assert len(differing(sets, maximise_each(sets))) <= 2


def test_likelihoods_of_padded_sets_are_those_of_the_sets():
    sets = hostile_sets(12, 2)
    psi = psi_of(np.array([0.3, 0.1, 0.2]))
    for method in ("ml", "reml"):
        at = evaluate(any_comparisons(sets, method).likelihood, np.tile(psi, (12, 1)))
        for i, effects in enumerate(sets):
            likelihood = Likelihood(make_blocks(effects), method)
            expected = likelihood.evaluate(psi)
            assert at.log_likelihood[i] == pytest.approx(expected.log_likelihood, rel=1e-10)
            assert at.gradient[i] == pytest.approx(expected.gradient, rel=1e-8, abs=1e-9)
            assert at.hessian[i] == pytest.approx(likelihood.hessian(psi)[0], rel=1e-8, abs=1e-8)
            assert at.mu[i] == pytest.approx(expected.beta, rel=1e-9)


def test_sets_of_the_same_comparisons_have_the_same_maxima_in_both_arrangements():
    template = next(effects for effects in hostile_sets(40, 3) if len(effects) == 12)
    log_hr = template.log_hr + np.random.default_rng(4).normal(0, 0.1, (6, 12, 2))
    expected = maximise_many(template, log_hr)
    maxima = maximise_each([replace(template, log_hr=values) for values in log_hr])
    assert maxima.psi == pytest.approx(expected.psi, abs=1e-10)
    assert maxima.psi_cov == pytest.approx(expected.psi_cov, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_results_are_those_of_single_fits(trials, method):
    """The same caveats, boundaries and missing limits.

    The single search ends up to 1e-6 from the maximum; limits far from the estimate magnify that to 1e-4.
    """
    model = BivariateRandomEffects(method, interval="delta")
    for entry in without_each_trial(model, trials.analysis_set("tactics-2022")):
        alone = model.fit(entry.rest)
        assert entry.fit.caveats == alone.caveats
        assert entry.fit.estimates.keys() == alone.estimates.keys()
        for name, estimate in alone.estimates.items():
            together = entry.fit.estimates[name]
            if name.startswith("ste"):
                assert together.status == estimate.status
            attributes = ("hr", "crossing") if name.startswith("ste") else ("value", "se", "low", "high")
            for attribute in attributes:
                value, expected = getattr(together, attribute), getattr(estimate, attribute)
                assert (value is None) == (expected is None)
                assert expected is None or value == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_set_that_is_too_small_does_not_prevent_the_others():
    log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, trial=["a", "a", "a", "b"], comparison=list("1234"))
    small, large = fit_each(
        BivariateRandomEffects(interval="delta"), [effects.without_trial("a"), effects.without_trial("b")]
    )
    assert isinstance(small, FitError)
    assert large["slope"].value > 0


def test_a_set_in_which_every_comparison_shares_a_control_arm():
    log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    grouped = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, control_group=["a", "a", "b", "b"])
    assert differing([grouped], maximise_each([grouped])) == []
