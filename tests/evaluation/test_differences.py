"""Difference between two sets, and the power to see one."""

import numpy as np
import pytest

from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.differences import (
    bootstrap_difference,
    compare_sets,
    fisher_difference,
    mover_difference,
    posterior_difference,
)
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.stats.power import detectable, power, trials_needed
from tests.support.effects import made_up


@pytest.fixture(scope="module")
def tactics_against_llovet(trials):
    return compare_sets(trials.analysis_set("tactics-2022"), trials.analysis_set("llovet-2019-pfs"))


def test_056_against_084_at_6_and_16_trials_includes_0():
    z, p = fisher_difference(0.56, 6, 0.84, 16)
    assert z.value == pytest.approx(np.arctanh(0.56) - np.arctanh(0.84))
    assert z.se == pytest.approx(np.sqrt(1 / 3 + 1 / 13))
    assert (z.low, z.high) == pytest.approx((-1.84372, 0.66704), abs=1e-5)
    assert p == pytest.approx(0.35833, abs=1e-5)
    r = mover_difference(0.56, 6, 0.84, 16)
    assert r.value == pytest.approx(-0.28)
    assert (r.low, r.high) == pytest.approx((-1.30632, 0.17740), abs=1e-5)


def test_mover_by_hand():
    # Fisher intervals of 0.49 (n 50) and 0.36 (n 50): (0.2450, 0.6761), (0.0909, 0.5804)
    found = mover_difference(0.49, 50, 0.36, 50)
    l1, u1 = np.tanh(np.arctanh(0.49) + np.array([-1, 1]) * 1.959964 / np.sqrt(47))
    l2, u2 = np.tanh(np.arctanh(0.36) + np.array([-1, 1]) * 1.959964 / np.sqrt(47))
    expected = 0.13 - np.sqrt((0.49 - l1) ** 2 + (u2 - 0.36) ** 2), 0.13 + np.sqrt((u1 - 0.49) ** 2 + (0.36 - l2) ** 2)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-6)
    mirrored = mover_difference(0.36, 50, 0.49, 50)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def draw_z(generator, rho, k, n):
    x = generator.standard_normal((n, k))
    y = rho * x + np.sqrt(1 - rho**2) * generator.standard_normal((n, k))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return np.arctanh((x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1)))


# With a very small set beside a larger one the errors of Fisher's approximation do not cancel: the closed form is too
# high.
@pytest.mark.parametrize(
    ("k1", "r1", "k2", "r2", "too_high"),
    [(6, 0.56, 16, 0.84, 0.026), (6, 0.84, 6, 0.56, 0.0), (49, 0.56, 49, 0.84, 0.0), (10, 0.5, 20, 0.5, 0.0)],
)
def test_power_against_simulation(k1, r1, k2, r2, too_high):
    generator, n = np.random.default_rng(5), 40_000
    z = draw_z(generator, r1, k1, n) - draw_z(generator, r2, k2, n)
    found = float(np.mean(np.abs(z) > 1.959964 * np.sqrt(1 / (k1 - 3) + 1 / (k2 - 3))))
    assert power(k1, r1, k2, r2) == pytest.approx(found + too_high, abs=0.012)


def test_mover_holds_the_truth_as_often_as_it_says():
    generator, n = np.random.default_rng(6), 3000
    first, second = np.tanh(draw_z(generator, 0.5, 10, n)), np.tanh(draw_z(generator, 0.8, 16, n))
    found = [mover_difference(float(a), 10, float(b), 16) for a, b in zip(first, second, strict=True)]
    assert np.mean([one.low <= -0.3 <= one.high for one in found]) == pytest.approx(0.95, abs=0.015)


def test_power_of_six_trials():
    assert power(6, 0.56, 16, 0.84) == pytest.approx(0.1508, abs=1e-4)
    assert power(6, 0.56, 6, 0.84) == pytest.approx(0.1113, abs=1e-4)
    assert power(10, 0.5, 10, 0.5) == pytest.approx(0.05)
    assert power(3, 0.5, 10, 0.8) is None


def test_trials_needed_is_the_smallest():
    assert trials_needed(0.56, 0.84) == 49
    assert power(49, 0.56, 49, 0.84) >= 0.8 > power(48, 0.56, 48, 0.84)
    closed = 3 + 2 * ((1.959964 + 0.841621) / (np.arctanh(0.84) - np.arctanh(0.56))) ** 2
    assert trials_needed(0.56, 0.84) == int(np.ceil(closed))
    assert trials_needed(0.5, 0.5) is None
    assert trials_needed(0.84, 0.56, second=6) is None  # six trials cannot be made up for by any number of others
    many = trials_needed(0.56, 0.84, second=45)
    assert power(many, 0.56, 45, 0.84) >= 0.8 > power(many - 1, 0.56, 45, 0.84)


def test_detectable_has_the_power():
    for k, second in ((6, 16), (16, 16), (30, None)):
        r = detectable(k, 0.84, second)
        assert power(k, r, second or k, 0.84) == pytest.approx(0.8, abs=1e-6)
    assert detectable(6, 0.84) == pytest.approx(-0.788, abs=1e-3)
    assert detectable(3, 0.84) is None


@pytest.mark.parametrize(("k", "second", "bias"), [(6, 16, 0.05), (8, 44, 0.02), (30, 30, 0.01), (44, 16, 0.025)])
def test_detectable_difference_against_simulation(k, second, bias):
    """Share of simulated pairs of sets that show the difference: a little above 80%, by the bias of Fisher's z."""
    generator, n = np.random.default_rng(9), 40_000
    z = draw_z(generator, detectable(k, 0.84, second), k, n) - draw_z(generator, 0.84, second, n)
    found = float(np.mean(z < -1.959964 * np.sqrt(1 / (k - 3) + 1 / (second - 3))))
    assert found == pytest.approx(0.8 + bias, abs=0.012)


def test_detectable_does_not_depend_on_the_p_value():
    """Closed form: on the scale of z the difference is (1.96 + 0.8416) standard errors, whatever was observed."""
    for r in (0.2, 0.55, 0.85):
        weakest = detectable(6, r, 16)
        in_errors = (np.arctanh(weakest) - np.arctanh(r)) / np.sqrt(1 / 3 + 1 / 13)
        assert in_errors == pytest.approx(-(1.959964 + 0.841621), abs=2e-3)  # the power of the other tail is 2e-6


def test_published_differences_count_every_trial(trials):
    sets = [trials.analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    found = compare_sets(*sets, posterior=False, resamples=0, fisher="trials")
    assert found.counted_trials == (6.0, 16.0)
    assert found.contrasts["r"].p == pytest.approx(0.3137, abs=1e-4)
    assert found.detectable_difference == pytest.approx(-1.3369, abs=1e-3)
    assert "With 6 and 16 trials the smallest difference" in found.sentence


def test_what_the_shipped_sets_show(tactics_against_llovet):
    found = tactics_against_llovet
    assert found.trials == (6, 16)
    z, r = found.contrasts["z"].difference, found.contrasts["r"].difference
    assert z.low < 0 < z.high
    assert r.low < 0 < r.high
    # Kish's numbers with weights n are 4.6918 of 6 and 13.1528 of 16
    assert found.counted_trials == pytest.approx((4.6918, 13.1528), abs=1e-4)
    error = np.sqrt(1 / 1.6918 + 1 / 10.1528)
    assert z.se == pytest.approx(error, abs=1e-4)
    assert found.contrasts["r"].p == pytest.approx(0.4371, abs=1e-4)
    assert found.contrasts["r_bootstrap"].difference.value == pytest.approx(r.value)
    assert found.trials_needed == 41
    assert found.detectable == pytest.approx(
        np.tanh(np.arctanh(found.contrasts["r"].second) - 2.801585 * error),
        abs=1e-4,
    )
    assert found.detectable_difference == pytest.approx(found.detectable - found.contrasts["r"].second)
    assert found.detectable_difference == pytest.approx(-1.6385, abs=1e-3)
    assert "A difference is neither shown nor ruled out" in found.sentence
    assert "smallest difference that is detected with 80% power is -1.64: a true r of -0.79 or less" in found.sentence
    assert "41 trials of equal weight in each" in found.sentence
    assert "r is 0.55 in tactics-2022 (6 trials, effective number 4.7)" in found.sentence
    assert not hasattr(found, "power")
    assert any("unverified" in problem for problem in found.problems)
    assert any("too narrow" in problem for problem in found.problems)


def test_posterior_of_the_difference_agrees_with_the_two_posteriors(trials, tactics_against_llovet):
    for name in ("r2_trial", "slope", "rho_between"):
        contrast = tactics_against_llovet.contrasts[name]
        assert contrast.difference.low < contrast.difference.value < contrast.difference.high
        assert 0.7 < contrast.probability_first_smaller < 0.95
    fit = BivariateBayes(check_grid=False).fit(trials.analysis_set("llovet-2019-pfs"))
    for name in ("r2_trial", "slope"):
        assert tactics_against_llovet.contrasts[name].second == pytest.approx(fit[name].value, abs=0.01)


@pytest.mark.slow
def test_posterior_difference_agrees_with_independent_draws(trials):
    first, second = trials.analysis_set("tactics-2022"), trials.analysis_set("llovet-2019-pfs")
    contrasts, _ = posterior_difference(first, second)
    draws = [BivariateBayes().posterior(effects).draw(40_000, seed=i) for i, effects in enumerate((first, second))]
    for name, contrast in contrasts.items():
        difference = draws[0][name] - draws[1][name]
        low, high = np.quantile(difference, [0.025, 0.975])
        # Monte Carlo error of a probability from 40,000 draws is 0.0025 at most; of a limit, seen as a probability,
        # 0.0008
        assert contrast.probability_first_smaller == pytest.approx(float((difference < 0).mean()), abs=0.01)
        assert float((difference < contrast.difference.low).mean()) == pytest.approx(0.025, abs=0.0032)
        assert float((difference < contrast.difference.high).mean()) == pytest.approx(0.975, abs=0.0032)
        assert low < contrast.difference.value < high


def test_posterior_difference_of_a_set_from_its_copy_is_centred_on_0():
    contrasts, _ = posterior_difference(made_up(12, 1, "a"), made_up(12, 1, "b"))
    for contrast in contrasts.values():
        assert contrast.probability_first_smaller == pytest.approx(0.5, abs=0.002)  # half of the ties, 1 / 800
        assert contrast.difference.value == pytest.approx(0.0, abs=1e-9)
        assert contrast.difference.low == pytest.approx(-contrast.difference.high)


def test_a_posterior_that_is_its_prior_is_said_to_be(trials):
    second = made_up(20, 4, "b")
    _, said = posterior_difference(trials.analysis_set("tactics-2022"), second)
    assert len(said) == 1
    assert "6 trials hardly change the prior" in said[0]
    assert "depend on this prior" in said[0]


def test_a_difference_that_is_there_is_shown():
    found = compare_sets(made_up(40, 2, "weak", rho=0.0), made_up(40, 3, "strong", rho=0.98), resamples=500)
    assert found.contrasts["z"].difference.high < 0
    assert "weaker in weak" in found.sentence
    assert found.contrasts["rho_between"].probability_first_smaller > 0.99
    turned = compare_sets(
        made_up(40, 3, "strong", rho=0.98), made_up(40, 2, "weak", rho=0.0), posterior=False, resamples=0
    )
    assert "stronger in strong" in turned.sentence
    assert set(turned.contrasts) == {"z", "r"}


def test_bootstrap_is_seeded():
    first, second = made_up(8, 5, "a"), made_up(8, 6, "b")
    assert bootstrap_difference(first, second, seed=1) == bootstrap_difference(first, second, seed=1)
    assert bootstrap_difference(first, second, seed=1).low != bootstrap_difference(first, second, seed=2).low


def test_overlapping_sets_are_refused(trials):
    first = trials.analysis_set("tactics-2022")
    for question in (compare_sets, bootstrap_difference, posterior_difference):
        with pytest.raises(UsageError, match=r"share 5 trial.*brisk-ta|share 5 trial.*space"):
            question(first, trials.analysis_set("intermediate"))


def test_too_small_sets():
    small, other = made_up(3, 7, "small"), made_up(10, 8, "other")
    found = compare_sets(small, other, posterior=False, resamples=0)
    assert found.contrasts["z"].difference.value is None
    assert found.contrasts["r"].difference.low is None
    assert found.trials_needed is found.detectable is found.detectable_difference is None
    assert "has no interval" in found.sentence
    with pytest.raises(FitError):
        compare_sets(made_up(2, 7, "small"), other)


def test_wrong_questions():
    for wrong in (
        lambda: power(10, 1.0, 10, 0.5),
        lambda: trials_needed(0.5, 0.6, wanted=1.0),
        lambda: detectable(10, 0.8, wanted=0.01),
    ):
        with pytest.raises(UsageError):
            wrong()
    with pytest.raises(UsageError, match="level"):
        power(10, 0.5, 10, 0.6, level=100)
    assert power(10, 0.5, 10, 0.6, level=95) == power(10, 0.5, 10, 0.6, level=0.95)
