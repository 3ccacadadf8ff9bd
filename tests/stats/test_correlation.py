import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogacy.stats import correlation, lines
from surrogacy.stats.lines import Line


def line(intercept=0.05, slope=0.5, covariance=((0.002, 0.001), (0.001, 0.01)), sigma=0.1, df=None, new_n=None, **rest):
    settings = {"trial_variance": 40.0, "exponent": 1.0, "data_range": (np.log(0.4), np.log(1.2)), **rest}
    return Line(intercept, slope, np.array(covariance), sigma, new_n=new_n, degrees_of_freedom=df, **settings)


def test_weighted_pearson_by_hand():
    # weights 1, 2, 1 on (0, 0), (1, 2), (2, 1): means 1 and 1.25; sums of squares 2 and 2.75, of products 1
    assert correlation.weighted_pearson([0, 1, 2], [0, 2, 1], [1, 2, 1]) == pytest.approx(1 / np.sqrt(2 * 2.75))


def test_weighted_pearson_equals_repeated_observations():
    x, y, w = np.array([0.1, 0.5, -0.3, 0.2]), np.array([0.0, 0.4, -0.1, 0.5]), np.array([3, 1, 2, 4])
    repeated = np.corrcoef(np.repeat(x, w), np.repeat(y, w))[0, 1]
    assert correlation.weighted_pearson(x, y, w) == pytest.approx(repeated, abs=1e-12)


def test_weighted_pearson_without_spread_is_undefined():
    assert np.isnan(correlation.weighted_pearson([1, 1, 1], [0, 1, 2], [1, 1, 1]))


def test_ranks_share_ties():
    assert correlation.ranks([10, 20, 20, 5]).tolist() == [2, 3.5, 3.5, 1]


@pytest.mark.parametrize(
    ("r", "k", "low", "high"),
    [
        (0.891, 12, 0.649, 0.969),  # by hand: atanh(0.891) = 1.4268, 1.95996 / 3 = 0.65332
        (0.56, 6, -0.461, 0.943),  # TACTICS 2022: atanh(0.56) = 0.63283, 1.95996 / sqrt(3) = 1.13159
    ],
)
def test_fisher_interval(r, k, low, high):
    assert correlation.fisher_interval(r, k) == pytest.approx((low, high), abs=1e-3)


def test_iqwig_needs_an_observed_r_of_0_972_with_eight_trials():
    # the r whose lower 95 % limit is 0.85: published list for k = 8, 10, 12, 16, 20, 30
    for k, r in {8: 0.972, 10: 0.964, 12: 0.957, 16: 0.947, 20: 0.939, 30: 0.927}.items():
        assert correlation.fisher_interval(r, k)[0] == pytest.approx(0.85, abs=0.003)


def test_fisher_interval_needs_four_trials():
    assert correlation.fisher_interval(0.5, 3) == (None, None)


@pytest.mark.parametrize(
    ("limits", "squared"),
    [
        ((-0.4, 0.9), (0.0, 0.81)),
        ((0.5, 0.9), (0.25, 0.81)),
        ((-0.9, -0.5), (0.25, 0.81)),
        ((None, None), (None, None)),
    ],
)
def test_square_interval_holds_zero_only_where_r_does(limits, squared):
    assert (
        correlation.square_interval(*limits) == pytest.approx(squared)
        if limits[0] is not None
        else squared == (None, None)
    )


def test_threshold_of_an_infinite_meta_analysis_has_a_closed_form():
    # Burzykowski and Buyse: STE_inf = (-intercept - z sigma) / slope
    exact = line(covariance=((0, 0), (0, 0)))
    threshold = exact.threshold()
    assert np.log(threshold.hr) == pytest.approx((-0.05 - 1.959963985 * 0.1) / 0.5)
    assert threshold.status == "exists"


@settings(max_examples=300)
@given(
    st.floats(-0.3, 0.3),
    st.floats(-1.5, 1.5),
    st.floats(0, 0.3),
    st.floats(0, 0.02),
    st.floats(0, 0.2),
    st.floats(-0.95, 0.95),
)
def test_threshold_is_where_the_upper_limit_crosses_zero(intercept, slope, sigma, v0, v1, r):
    covariance = ((v0, r * np.sqrt(v0 * v1)), (r * np.sqrt(v0 * v1), v1))
    one = line(intercept, slope, covariance, sigma)
    threshold = one.threshold()
    grid = np.linspace(np.log(lines.STRONGEST_HR), 3, 4001)
    below = one.predict(grid)[2] < 0
    if (
        threshold.status == "benefit-without-surrogate-effect"
    ):  # the limit is below 0 from a surrogate HR of 1 to the crossing
        assert threshold.hr is None
        assert (threshold.crossing > 1, threshold.intercept) == (True, intercept)
        assert below[(grid > 0) & (grid < np.log(threshold.crossing) - 1e-3)].all()
        assert np.log(threshold.crossing) > 50 or one.predict(np.log(threshold.crossing))[2] == pytest.approx(
            0, abs=1e-6
        )
        return
    if threshold.hr is None:
        assert threshold.status == "none"
        return
    at = np.log(threshold.hr)
    assert at <= 1e-12
    assert one.predict(at)[2] == pytest.approx(0, abs=1e-6)
    if threshold.status == "two-sided":
        assert one.predict((at + np.log(threshold.hr_other)) / 2)[2] < 1e-9
    elif at < 3:  # everything stronger than the threshold is below no effect, everything weaker is not
        assert below[grid < at - 1e-3].all()
        assert not below[grid > at + 1e-3].any()


def test_threshold_outside_the_data_is_said_to_be():
    assert line(sigma=0.45).threshold().status == "outside-data"


def test_a_steep_line_the_wrong_way_gives_no_threshold():
    assert line(slope=-0.8).threshold().status == "none"


def test_prediction_variance_is_the_sum_of_its_parts():
    # simulate line, true effect and estimate: 400,000 draws give the variance to about 0.3 %
    one, x, n = line(), -0.6, 300.0
    generator = np.random.default_rng(1)
    coefficients = generator.multivariate_normal([one.intercept, one.slope], one.covariance, size=400_000)
    observed = (
        coefficients @ [1.0, x]
        + generator.normal(0, one.sigma, 400_000)
        + generator.normal(0, np.sqrt(40.0 / n), 400_000)
    )
    mean, low, high = one.predict(x, n=n)
    assert mean == pytest.approx(observed.mean(), abs=0.002)
    assert (high - low) / (2 * 1.959963985) == pytest.approx(observed.std(), rel=0.01)
    assert high - low > np.subtract(
        *one.predict(x)[:0:-1]
    )  # wider than for the true effect, and that wider than the mean's
    assert np.subtract(*one.predict(x)[:0:-1]) > np.subtract(*one.predict(x, band="confidence")[:0:-1])


def test_an_infinite_new_trial_is_its_true_effect():
    assert line().predict(-0.5, n=np.inf)[1] == line().predict(-0.5)[1]
