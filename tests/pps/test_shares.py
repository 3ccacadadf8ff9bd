"""Confidence sets of shares of a gap, against Fieller's closed form and by simulation, and their words."""

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.pps.shares import FiellerSet, fieller_set, share_estimate
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval, with_interval

Z = 1.959964


def closed_form(part, whole, covariance):
    """Fieller's set of part / whole for normal estimates: the roots of (part - s whole)^2 = z^2 Var(part - s whole)."""
    a = whole**2 - Z**2 * covariance[1][1]
    b = -2 * (part * whole - Z**2 * covariance[0][1])
    c = part**2 - Z**2 * covariance[0][0]
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return "every number", None, None
    low, high = sorted((-b + sign * np.sqrt(discriminant)) / (2 * a) for sign in (-1, 1))
    return ("interval" if a > 0 else "outside"), low, high


def drawn(part, whole, covariance, size=50_000):
    """Normal draws of both that have exactly these means and this covariance, and are symmetric about the mean."""
    half = np.random.default_rng(3).standard_normal((2, size // 2))
    half = np.linalg.solve(np.linalg.cholesky(np.cov(np.hstack([half, -half]), ddof=0)), half)
    both = np.linalg.cholesky(covariance) @ np.hstack([half, -half])
    return part + both[0], whole + both[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "whole", "covariance", "shape"),
    [
        (0.08, 0.26, [[0.0025, 0.001], [0.001, 0.006]], "interval"),
        (0.10, 0.26, [[0.03, 0.012], [0.012, 0.0165]], "interval"),  # gap hardly different from 0: very wide
        (-0.05, 0.40, [[0.01, -0.004], [-0.004, 0.01]], "interval"),
        (0.50, -0.30, [[0.004, 0.001], [0.001, 0.005]], "interval"),
        (0.30, 0.05, [[0.004, 0.001], [0.001, 0.01]], "outside"),
        (-0.40, 0.02, [[0.01, 0.0], [0.0, 0.02]], "outside"),
        (0.02, 0.05, [[0.01, 0.002], [0.002, 0.01]], "every number"),
    ],
)
def test_closed_form_of_fieller(part, whole, covariance, shape):
    expected, low, high = closed_form(part, whole, covariance)
    assert expected == shape
    found = fieller_set(*drawn(part, whole, covariance), part / whole)
    assert found.shape == shape
    if shape != "every number":
        # 50,000 draws: a tenth of the SD of the gap in the worst case
        assert np.arctan([found.low, found.high]) == pytest.approx(np.arctan([low, high]), abs=0.02)


def test_a_narrow_set_far_from_the_directions_that_are_looked_at():
    part, whole, covariance = 0.37123, 1.0, [[1e-8, 0], [0, 1e-8]]
    found = fieller_set(*drawn(part, whole, covariance, 20_000), part / whole)
    _, low, high = closed_form(part, whole, covariance)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)


def test_an_interval_exactly_where_the_gap_excludes_0():
    generator = np.random.default_rng(5)
    shapes = {"interval": 0, "outside": 0, "every number": 0}
    for _ in range(150):
        part, whole = generator.normal(0, 0.2, 2)
        draws = np.array([[part], [whole]]) + generator.normal(0, 0.1, (2, 300))
        low, high = np.quantile(draws[1], [0.025, 0.975])
        found = fieller_set(*draws, part / whole)
        assert (found.shape == "interval") == (low > 0 or high < 0)
        shapes[found.shape] += 1
    assert min(shapes.values()) >= 5, shapes


@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.30, 0.05])
def test_coverage_whatever_the_gap(gap):
    """Normal estimates, the gap with an SD of 0.1: 95 % of 300 sets hold the true share (three binomial errors: 3.8 %).

    Percentiles of the ratio, shown only where the gap is clear, hold it in fewer than 75 % of those shown where the gap
    is 0.05: an
    estimate of the gap that is clearly not 0 is then too large by a factor of 4 or more.
    """
    generator = np.random.default_rng(11)
    root = np.linalg.cholesky([[0.0009, 0.0005], [0.0005, 0.01]])
    share, held, shown = 0.4, [], []
    for _ in range(300):
        part, whole = np.array([share * gap, gap]) + root @ generator.standard_normal(2)
        draws = np.array([[part], [whole]]) + root @ generator.standard_normal((2, 300))
        found = fieller_set(*draws, part / whole)
        held.append(share in found)
        if found.shape == "interval":
            low, high = np.quantile(draws[0] / draws[1], [0.025, 0.975])
            shown.append(low <= share <= high)
    assert 0.91 <= np.mean(held) <= 0.985
    assert len(shown) >= 12
    assert bool(np.mean(shown) < 0.75) is (gap < 0.1)


def test_membership():
    assert 0.4 in FiellerSet("interval", 0.1, 0.9)
    assert 1.4 not in FiellerSet("interval", 0.1, 0.9)
    assert 0.4 not in FiellerSet("outside", 0.1, 0.9)
    assert -3.0 in FiellerSet("outside", 0.1, 0.9)
    assert 1e9 in FiellerSet("every number")


def test_draws_that_are_not_finite_are_left_out():
    part, whole = drawn(0.08, 0.26, [[0.0025, 0.001], [0.001, 0.006]], 2000)
    spoilt = np.append(part, [np.nan, np.inf]), np.append(whole, [0.1, 0.1])
    assert fieller_set(*spoilt, 0.08 / 0.26) == fieller_set(part, whole, 0.08 / 0.26)
    assert fieller_set(np.array([np.nan]), np.array([1.0]), 0.5).shape == "every number"
    with pytest.raises(UsageError, match="level of an interval"):
        fieller_set(part, whole, 0.3, level=0)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (share_estimate(0.31, FiellerSet("interval", 0.054, 5.34), 0.95, "simulated"), "31% (5% to beyond 200%)"),
        (share_estimate(-0.01, FiellerSet("interval", -5.5, 1.99), 0.95, "simulated"), "−1% (beyond −200% to 199%)"),
        (share_estimate(0.37, FiellerSet("outside", -0.2, 0.1), 0.95, "simulated"), "37% (unbounded)"),
        (share_estimate(0.37, FiellerSet("every number"), 0.95, "simulated"), "37% (unbounded)"),
        (share_estimate(-0.001, FiellerSet("interval", -0.3, 0.3), 0.95, "simulated"), "0% (−30% to 30%)"),
        (Estimate(0.3, method="point value"), "30% (no interval)"),
        (Estimate(None), "–"),
    ],
)
def test_words_of_a_share(share, words):
    assert share_with_interval(share) == words


def test_kind_says_what_an_unbounded_set_leaves_out():
    outside = share_estimate(0.37, FiellerSet("outside", -0.2, 0.1), 0.95, "simulated")
    assert outside.method == (
        "Fieller set unbounded: the gap is not clearly different from 0; only shares from -0.2 to 0.1 are "
        "excluded; simulated"
    )


def test_words_of_a_part():
    assert with_interval(Estimate(0.0841, low=-0.004, high=0.2149, level=0.95)) == "0.08 (0.00 to 0.21)"
    assert with_interval(Estimate(-0.0841, low=-0.214, high=0.05, level=0.95)) == "−0.08 (−0.21 to 0.05)"
