"""Recipes of intervals, against papers, packages and simulation."""

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation import interval_methods
from surrogacy.evaluation.interval_methods import INTERVAL_METHODS, all_intervals
from surrogacy.evaluation.parametric_bootstrap import refitted_rho
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.correlation import WeightedPearson
from surrogacy.models.likelihood.batch import draw_many
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise, parameter_covariance
from surrogacy.stats.bootstrap import percentiles
from surrogacy.stats.correlation import atanh_t, fisher_interval, needed_r, wald_r2


@pytest.fixture(scope="module")
def pfs(trials):
    return trials.analysis_set("llovet-2019-pfs")


def made(records, recipe, of):
    return next(record for record in records if (record.recipe, record.of) == (recipe, of))


# Flaherty 2014: the intervals are those of 14 units, though 12 trials were eligible (their comparisons, as it seems).
@pytest.mark.parametrize(("r", "low", "high"), [(0.891, 0.683, 0.965), (0.710, 0.288, 0.901)])
def test_fisher_flaherty_2014(r, low, high):
    assert fisher_interval(r, 14) == pytest.approx((low, high), abs=1e-3)
    widths = {n: np.subtract(*fisher_interval(r, n)[::-1]) for n in range(8, 20)}
    assert min(widths, key=lambda n: abs(widths[n] - (high - low))) == 14


@pytest.mark.parametrize(("r", "low", "high"), [(0.85, 0.59, 0.95), (0.55, 0.03, 0.84)])
def test_fisher_flaherty_2014_other_analyses_are_of_14_units_too(r, low, high):
    near = [fisher_interval(r + shift, 14) for shift in np.linspace(-0.005, 0.005, 21)]
    assert any((round(a, 2), round(b, 2)) == (low, high) for a, b in near)


def test_fisher_hcc(pfs):
    records = all_intervals(pfs, weights="none", recipes=["fisher"])
    found = made(records, "fisher", "r")
    assert (found.value, found.low, found.high) == pytest.approx((0.86005, 0.63512, 0.95052), abs=1e-5)
    assert found.trials == 16
    assert made(records, "fisher", "R2").low == pytest.approx(0.63512**2, abs=1e-5)


def test_cortinas_hcc(pfs):
    found = made(all_intervals(pfs, recipes=["wald-n-3"]), "wald-n-3", "R2")
    assert (found.value, found.low, found.high) == pytest.approx((0.72709, 0.47409, 0.98009), abs=1e-5)


def test_oba_2013():
    assert wald_r2(0.964, 14, lost=0) == pytest.approx((0.926, 1.000), abs=1.5e-3)
    rounded = [tuple(np.round(wald_r2(r2, 14, lost=0), 3)) for r2 in np.arange(0.9635, 0.9645, 1e-4)]
    assert (0.926, 1.0) in rounded  # for an R2 that rounds to 0.964
    assert wald_r2(0.964, 14, lost=3)[0] < 0.9235


def test_buyse_2007_is_untruncated_with_the_error_of_its_own_model():
    assert wald_r2(0.99, 10, truncated=False, se=0.0255) == pytest.approx((0.94, 1.04), abs=5e-3)
    assert wald_r2(0.99, 10, truncated=False)[0] > 0.97  # the closed form does not give it


def test_wald_closed_form_and_edges():
    low, high = wald_r2(0.5, 28)
    assert high - 0.5 == pytest.approx(1.959964 * np.sqrt(4 * 0.5 * 0.25 / 25), abs=1e-6)
    assert low == pytest.approx(1 - high)
    assert wald_r2(0.1, 5)[0] == 0.0
    assert wald_r2(0.1, 5, truncated=False)[0] < 0
    assert wald_r2(0.5, 3) == wald_r2(1.0, 20) == (None, None)


def test_atanh_t():
    low, high = atanh_t(0.8, 0.1, 11)  # t 0.975, 10 df
    half = 2.2281388519649385 * 0.1 / 0.36
    assert (low, high) == pytest.approx((np.tanh(np.arctanh(0.8) - half), np.tanh(np.arctanh(0.8) + half)))
    assert atanh_t(1.0, 0.1, 11) == atanh_t(0.5, 0.1, 1) == (None, None)


def test_recipes_of_the_true_effects_are_those_of_the_model(pfs):
    model = BivariateRandomEffects()
    fit = model.fit(pfs)
    records = all_intervals(pfs, model, refits=3)
    profile, own = made(records, "profile", "r"), made(records, "atanh-t", "r")
    assert (profile.low, profile.high) == (fit["rho_between"].low, fit["rho_between"].high)
    assert (own.low, own.high) == pytest.approx((fit["rho_between_delta"].low, fit["rho_between_delta"].high))
    delta = made(records, "delta", "R2")
    assert delta.high - delta.value == pytest.approx(1.959964 * fit["r2_trial"].se, rel=1e-6)
    assert delta.high > 1
    assert {record.recipe for record in records} == set(INTERVAL_METHODS)
    assert {record.recipe for record in all_intervals(pfs)} == {
        "fisher",
        "fisher-effective",
        "wald-n-3",
        "wald-n",
        "wald-untruncated",
        "bootstrap-trials",
    }


def test_delta_of_r2_by_numerical_gradient(pfs):
    likelihood = Likelihood(make_blocks(pfs), "reml")
    best = maximise(likelihood, pfs, 3)
    covariance = parameter_covariance(likelihood, best, full=False)[2:, 2:]
    t11, t12, t22 = best.psi
    r2 = t12**2 / (t11 * t22)
    gradient = np.array([-r2 / t11, 2 * t12 / (t11 * t22), -r2 / t22])
    se = np.sqrt(gradient @ covariance @ gradient)
    found = made(all_intervals(pfs, BivariateRandomEffects(), recipes=["delta"]), "delta", "R2")
    assert (found.low, found.high) == pytest.approx((r2 - 1.959964 * se, r2 + 1.959964 * se), abs=1e-6)


def test_bootstrap_over_trials_is_that_of_the_correlation(pfs):
    expected = WeightedPearson(bootstrap=2000, seed=3).fit(pfs)["r_bootstrap"]
    found = made(all_intervals(pfs, recipes=["bootstrap-trials"], resamples=2000, seed=3), "bootstrap-trials", "r")
    assert (found.low, found.high) == (expected.low, expected.high)


@pytest.mark.slow
def test_parametric_bootstrap_is_reproducible(pfs):
    model = BivariateRandomEffects(interval="delta")
    result = model.fit(pfs)
    one, failed = refitted_rho(model, result, 40, 7)
    other, _ = refitted_rho(model, result, 40, 7)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, refitted_rho(model, result, 40, 8)[0])
    assert failed == 0
    assert result["rho_between"].value == pytest.approx(np.median(one), abs=0.1)


def test_simulated_sets_have_the_covariance_of_the_model():
    effects = Effects.from_arrays(
        np.zeros((3, 2)) * [[1, 1], [1, 1], [1, np.nan]],
        [[0.2, 0.3], [0.25, 0.2], [0.1, 0.1]],
        0.5,
        control_group=["shared", "shared", ""],
        trial=["a", "a", "b"],
        comparison=["a1", "a2", "b"],
    )
    between = np.array([[0.09, 0.03], [0.03, 0.04]])
    sample = draw_many(effects, np.array([-0.3, -0.1]), between, 20_000, np.random.default_rng(0))
    assert np.isnan(sample[:, 2, 1]).all()
    assert sample[:, :2].mean(axis=0) == pytest.approx(np.array([[-0.3, -0.1]] * 2), abs=0.01)
    found = np.cov(sample[:, :2].reshape(-1, 4).T)
    assert found[:2, :2] == pytest.approx(effects.cov[0] + between, abs=4e-3)
    assert found[:2, 2:] == pytest.approx(effects.covariance_between(0, 1), abs=4e-3)
    assert sample[:, 2, 0].std() == pytest.approx(np.sqrt(0.01 + 0.09), abs=5e-3)


def test_fisher_interval_holds_the_truth_as_often_as_it_says():
    generator, rho, k = np.random.default_rng(1), 0.7, 12
    x = generator.standard_normal((4000, k))
    y = rho * x + np.sqrt(1 - rho**2) * generator.standard_normal((4000, k))
    limits = [fisher_interval(float(np.corrcoef(a, b)[0, 1]), k) for a, b in zip(x, y, strict=True)]
    assert np.mean([low <= rho <= high for low, high in limits]) == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(
    ("k", "expected"), [(8, 0.972), (10, 0.964), (12, 0.957), (16, 0.947), (20, 0.939), (30, 0.927)]
)
def test_needed_r(k, expected):
    found = needed_r(k)
    assert round(found, 3) == expected
    assert fisher_interval(found, k)[0] == pytest.approx(0.85)


def test_needed_r_without_an_answer():
    assert needed_r(3) is needed_r(0) is None
    with pytest.raises(UsageError, match="between -1 and 1"):
        needed_r(10, limit=1.0)


def test_boundary_is_said(trials):
    records = all_intervals(trials.analysis_set("tactics-2022"), BivariateRandomEffects(), refits=5)
    for recipe in ("delta", "atanh-t"):
        found = next(record for record in records if record.recipe == recipe)
        assert found.low is None
        assert "boundary" in found.note
    assert "boundary" in made(records, "profile", "r").note
    assert "too narrow" in made(records, "bootstrap-trials", "r").note
    assert made(records, "fisher", "R2").low == 0.0  # the interval of r holds 0


def test_no_correlation_to_simulate_from():
    generator = np.random.default_rng(2)
    flat = Effects.from_arrays(generator.standard_normal((8, 2)) * 0.01, np.full((8, 2), 0.3), n=np.full(8, 100))
    model = BivariateRandomEffects()
    records = all_intervals(flat, model, refits=5)
    assert made(records, "bootstrap-parametric", "r").low is None
    with pytest.raises(FitError, match="SD of the true effects is 0"):
        refitted_rho(model, model.fit(flat), 5)


def test_few_trials_and_wrong_questions(pfs):
    records = all_intervals(pfs.take([0, 1, 2]))
    assert all(record.low is None and record.note for record in records if record.recipe in ("fisher", "wald-n-3"))
    with pytest.raises(UsageError, match="unknown interval"):
        all_intervals(pfs, recipes=["exact"])
    with pytest.raises(UsageError, match="need a bivariate model"):
        all_intervals(pfs, recipes=["profile"])
    with pytest.raises(UsageError, match="level"):
        all_intervals(pfs, level=0)
    assert percentiles(np.array([np.nan])) == (None, None)
    fitted = all_intervals(pfs, BivariateRandomEffects(interval="delta"), recipes=["profile"])
    assert "without profile" in fitted[0].note
    narrow = made(all_intervals(pfs, BivariateRandomEffects(), recipes=["profile"], level=0.8), "profile", "r")
    assert narrow.low > made(all_intervals(pfs, BivariateRandomEffects(), recipes=["profile"]), "profile", "r").low


def test_every_recipe_names_its_source():
    without_doi = ("atanh-t", "fisher-effective")  # Kish (1965) is a book
    assert all(method.source.startswith("10.") for name, method in INTERVAL_METHODS.items() if name not in without_doi)
    assert "Kish 1965" in INTERVAL_METHODS["fisher-effective"].formula
    assert interval_methods.INTERVAL_METHODS["wald-n"].formula.endswith("cut at 0 and 1")
