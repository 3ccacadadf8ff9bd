"""The illness-death engine: published values, closed forms against each other, Monte Carlo, properties, refusals."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import surrogacy.pps
from surrogacy.errors import UsageError
from surrogacy.pps import IllnessDeath
from surrogacy.survival import constant_hazards
from surrogacy.survival.correlation import correlation
from surrogacy.survival.piecewise_hazards import Piecewise
from surrogacy.survival.time_quadrature import falling_root, graded_rule
from surrogacy.survival.weibull_hazards import Weibull

LN2 = np.log(2.0)
HAZARDS = st.floats(1e-3, 2.0)
SIZE = 200_000


def columns(*values):
    return [np.array([[float(value)]]) for value in values]


# --- R package simIDM: values of its own tests and vignettes, all printed digits
# -----------------------------------------------


def test_simidm_survival():
    assert IllnessDeath(0.3, 1.8, 1.0).survival_pfs([2.0, 0.0]) == pytest.approx([0.01499558, 1.0], abs=1e-8)
    assert IllnessDeath(0.7, 0.5, 0.8).survival_os(1.0) == pytest.approx(0.56043, abs=5e-6)
    assert IllnessDeath(0.7, 0.5, 0.8).survival_os([0.5, 3.0]) == pytest.approx([0.7615, 0.1383], abs=5e-5)
    found = IllnessDeath(0.2, 0.4, 0.1).survival_os([0, 0.1, 0.3, 0.7, 1, 5])
    assert found == pytest.approx([1, 0.9610787, 0.8893403, 0.7671856, 0.6912219, 0.2724845], abs=6e-8)
    assert IllnessDeath(1.2, 1.5, 1.6).survival_os(1000.0) == 0.0


def test_simidm_hazard():
    assert IllnessDeath(0.2, 1.1, 0.8).hazard_os([1, 2, 3]) == pytest.approx(
        [1.0381919, 0.9777975, 0.9253826], abs=6e-8
    )
    assert IllnessDeath(0.4, 1.4, 0.1).hazard_os(2) == pytest.approx(0.266345, abs=6e-7)


def test_simidm_quantiles():
    # its root finder stops at about 1e-5 relative; the three are printed to four decimals
    arm = IllnessDeath(0.2, 0.5, 2.1)
    assert arm.quantile_os(0.5) == pytest.approx(1.144539, rel=1e-5)
    assert arm.quantile_os([0.1, 0.3, 0.7]) == pytest.approx([3.4788, 1.8981, 0.6237], abs=5e-5)


def test_simidm_correlations():
    assert IllnessDeath(1.2, 1.5, 1.6).correlation() == pytest.approx(0.580381, abs=1e-6)
    # nested numerical integration there
    assert IllnessDeath(1, 1.2, 1.3, shape=(1.1, 0.8, 1.2)).correlation() == pytest.approx(0.7024952, abs=1e-5)


def test_simidm_weibull_integrand_summed():
    # the kernel at x = 4 for t = 2..6 is printed there: 5.368515 ... ; at x = 4, t = 4 it is f01(4) / (h01 p01)
    arm = IllnessDeath(0.2, 0.5, 2.1, shape=(1.2, 0.9, 1.0))
    assert arm.transitions.progressing(np.array([[4.0]]))[0, 0] / (0.2 * 1.2) == pytest.approx(0.080504, abs=1e-6)
    after = arm.transitions.after(np.array([[1.0, 2.0]]), np.array([[4.0]]))[0][0]
    assert 0.080504 * after == pytest.approx([0.009858, 0.001207], abs=1e-6)


def test_simidm_piecewise():
    # cuts of its own for each hazard there: one common partition here
    arm = IllnessDeath.piecewise((0.7, 0.7, 0.9), (0.8, 1.0), (0.5, 0.2, 0.2), 1.0)
    assert arm.survival_pfs(2.0) == pytest.approx(0.1064585, abs=1e-7)
    arm = IllnessDeath.piecewise((0.3, 0.5), (4.0,), (0.5, 0.5), 1.0)
    kernel = arm.transitions.progressing(np.array([[1.0]]))[0, 0] * np.exp(-0.7 * 0.1)  # h12 = 0.7 before month 3
    assert kernel == pytest.approx(0.12568546, abs=1e-8)
    assert IllnessDeath.piecewise((0.06,), (), (1,), (8,)).survival_os(100) == pytest.approx(0.0, abs=1e-10)
    arm = IllnessDeath.piecewise((0, 1, 1, 1, 1, 1), (3, 6, 7, 8, 9), (0, 0, 0.5, 1, 1, 1), (0, 0, 0, 0, 1, 1))
    falling = arm.survival_os(np.linspace(2.9, 6.2, 100))
    assert (np.diff(falling) <= 1e-14).all()
    assert falling.max() <= 1.0


# --- closed forms
# ---------------------------------------------------------------------------------------------------------------

MEDIANS = [  # q, PPS / PFS, median OS / median PFS, from root finding of the closed form elsewhere (five decimals)
    (0.0, 0.1, 1.15189),
    (0.0, 1, 2.42134),
    (0.0, 1.5, 3.0),
    (0.0, 10, 11.51894),
    (0.0, 100, 101.44996),
    (0.1, 0.1, 1.13739),
    (0.1, 2, 3.24645),
    (0.1, 10, 10.0),
    (0.1, 100, 86.24965),
    (0.25, 0.5, 1.58496),
    (0.25, 5, 4.57245),
    (0.25, 100, 59.94621),
]


@pytest.mark.parametrize(("q", "ratio", "median"), MEDIANS)
def test_median_os_and_its_inverse(q, ratio, median):
    arm = IllnessDeath((1 - q) * LN2, q * LN2, LN2 / ratio)
    assert arm.quantile_os(0.5) == pytest.approx(median, abs=6e-6)
    fitted = IllnessDeath.from_medians(1.0, arm.quantile_os(0.5), q)
    assert fitted.median_pps == pytest.approx(ratio, rel=1e-9)
    assert fitted.quantile_pfs(0.5) == pytest.approx(1.0, rel=1e-12)


def test_a_difference_of_medians_is_too_long_by_0_44_median_pfs_if_pps_is_long():
    arm = IllnessDeath(LN2, 0.0, LN2 / 1e5)
    assert arm.quantile_os(0.5) - 1.0 - 1e5 == pytest.approx(1 / LN2 - 1, abs=1e-3)


def test_tactics_medians():
    arms = IllnessDeath.from_medians([13.5, 22.8], [30.8, 36.2], 13 / 134)
    assert arms.median_pps == pytest.approx([13.534738, 9.425706], abs=1e-3)  # 13 / 134 = .0970149
    assert arms.quantile_os(0.5) == pytest.approx([30.8, 36.2], abs=1e-9)


def test_equal_rates_are_the_limit_of_unequal_ones():
    t = np.array([0.0, 1e-8, 0.3, 4.0, 900.0])
    exact = np.exp(-0.5 * t) * (1 + 0.4 * t)
    for h12 in (0.5, 0.5 + 1e-13, 0.5 - 1e-9):
        assert constant_hazards.survival_os(t, 0.4, 0.1, h12) == pytest.approx(exact, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize(
    "h", [(0.1, 0.4, 0.3), (0.1, 0.02, 0.12), (0.1, 0.0, 3.0), (0.2, 0.01, 1e-4), (0.1, 0.02, 50.0)]
)
def test_hazard_limits(h):
    h01, h02, h12 = h
    arm = IllnessDeath(*h)
    assert arm.hazard_os(0.0) == pytest.approx(h02)
    assert arm.hazard_os([1e9, np.inf]) == pytest.approx([min(h01 + h02, h12)] * 2)
    assert arm.hazard_os(1e-9) == pytest.approx(h02 + h01 * h12 * 1e-9, rel=1e-6)


def test_nobody_progresses_or_nobody_dies_before_progression():
    only_deaths, only_progressions = IllnessDeath(0.0, 0.2, 0.1), IllnessDeath(0.2, 0.0, 0.1)
    t = np.linspace(0, 30, 7)
    assert only_deaths.survival_os(t) == pytest.approx(only_deaths.survival_pfs(t))
    for arm in (only_deaths, IllnessDeath(0, 0.2, 0, shape=(1, 2, 1))):
        assert arm.correlation() == pytest.approx(1)
    assert only_deaths.hazard_os(1e6) == pytest.approx(0.2)
    assert only_progressions.survival_os(t) == pytest.approx(2 * np.exp(-0.1 * t) - np.exp(-0.2 * t))


def test_those_who_never_die():
    for arm in (IllnessDeath(0.1, 0.05, 0.0), IllnessDeath(0.1, 0.05, 0.0, shape=(1, 1, 2))):
        assert arm.quantile_os([0.9, 0.6])[1] == np.inf  # 2/3 progress, and live
        assert arm.median_pps == np.inf
        assert np.isnan(arm.correlation())


# --- families against each other and against adaptive quadrature
# ----------------------------------------------------------------


@pytest.mark.parametrize(
    "h", [(0.1, 0.4, 0.3), (0.1, 0.02, 0.12), (0.1, 0.0, 3.0), (0.2, 0.01, 1e-4), (0.1, 0.02, 50.0)]
)
@pytest.mark.parametrize("forward", [True, False])
def test_constant_hazards_as_weibull_and_as_piecewise(h, forward):
    closed = IllnessDeath(*h).transitions
    t = np.array([[0.0, 0.01, 0.5, 1.0, 5.0, 20.0, 200.0, 1000.0]])
    weibull = Weibull(*columns(*h), *columns(1, 1, 1), forward)
    piecewise = Piecewise(*(np.full((1, 3), value) for value in h), np.array([3.0, 17.0]), forward)
    for other in (weibull, piecewise):
        for one, two in zip(closed.overall(t), other.overall(t), strict=True):
            assert two == pytest.approx(one, abs=1e-12)
        assert other.hazard_os(t) == pytest.approx(closed.hazard_os(t), rel=1e-9, abs=1e-12)
        assert other.median_pps() == pytest.approx(closed.median_pps(), rel=1e-9)
        assert correlation(other) == pytest.approx(correlation(closed), rel=1e-9)


def by_adaptive_quadrature(t, h, p, clock):
    def kernel(u):
        later = h[2] * (t ** p[2] - u ** p[2]) if clock == "forward" else h[2] * (t - u) ** p[2]
        return h[0] * p[0] * u ** (p[0] - 1) * np.exp(-h[0] * u ** p[0] - h[1] * u ** p[1] - later)

    edges = np.concatenate([[0.0], np.geomspace(1e-8, 0.5, 20) * t, t * (1 - np.geomspace(0.499, 1e-8, 20)), [t]])
    progressed = sum(quad(kernel, low, high, epsabs=1e-14)[0] for low, high in pairwise(edges))
    return np.exp(-h[0] * t ** p[0] - h[1] * t ** p[1]) + progressed


@pytest.mark.parametrize("clock", ["forward", "reset"])
@pytest.mark.parametrize("p", [(0.3, 0.3, 0.6), (3.0, 1.5, 1.5), (1.0, 6.0, 1.5), (0.6, 1.0, 3.0), (1.2, 0.8, 0.5)])
def test_weibull_against_adaptive_quadrature(p, clock):
    h = np.exp(np.random.default_rng(int(10 * sum(p))).normal(-2, 1, 3))
    arm = IllnessDeath(*h, shape=p, post_progression_clock=clock)
    t = arm.quantile_os([0.9, 0.5, 0.1, 0.01])
    assert arm.survival_os(t) == pytest.approx([by_adaptive_quadrature(time, h, p, clock) for time in t], abs=1e-8)
    assert arm.survival_os(t) == pytest.approx([0.9, 0.5, 0.1, 0.01], abs=1e-12)
    difference = (arm.survival_os(t * (1 - 1e-5)) - arm.survival_os(t * (1 + 1e-5))) / (2e-5 * t)
    assert arm.hazard_os(t) * arm.survival_os(t) == pytest.approx(difference, rel=1e-6)


@pytest.mark.parametrize("clock", ["forward", "reset"])
def test_piecewise_curves_are_continuous_and_their_density_is_the_slope(clock):
    arm = IllnessDeath.piecewise((0.05, 0.2, 0.1), (4, 9), (0.01, 0.0, 0.03), (0.3, 0.05, 0.1), clock)
    t = np.array([1.0, 3.9, 4.1, 7.0, 8.9, 12.0, 14.0, 30.0])
    slope = (arm.survival_os(t - 1e-5) - arm.survival_os(t + 1e-5)) / 2e-5
    assert arm.hazard_os(t) * arm.survival_os(t) == pytest.approx(slope, rel=1e-6)
    cuts = np.array([4.0, 9.0])
    assert arm.survival_os(cuts - 1e-9) == pytest.approx(arm.survival_os(cuts), abs=1e-8)
    assert arm.hazard_os(4000.0) == pytest.approx(0.1, rel=1e-3)  # far beyond underflow


MODELS = [
    IllnessDeath(0.05, 0.01, 0.08),
    IllnessDeath(0.05, 0.01, 0.1, shape=(1.3, 0.8, 0.7), post_progression_clock="reset"),
    IllnessDeath(0.05, 0.01, 0.1, shape=(1.3, 0.8, 1.2)),
    IllnessDeath.piecewise((0.05, 0.2, 0.1), (4, 9), (0.01, 0.02, 0.03), (0.3, 0.05, 0.1), "reset"),
    IllnessDeath.piecewise((0.05, 0.2, 0.1), (4, 9), (0.01, 0.02, 0.03), (0.3, 0.05, 0.1)),
]


@pytest.mark.parametrize("arm", MODELS, ids=["exponential", "weibull-reset", "weibull", "piecewise-reset", "piecewise"])
def test_every_formula_against_patients_drawn_at_random(arm):
    pfs, os, progressed = arm.sample(SIZE, np.random.default_rng(11))
    error = 4.5  # standard errors: one of 60 numbers goes beyond by chance in 1 of 2,500 such tests

    def near(value, draws):
        return abs(value - draws.mean()) < error * draws.std() / np.sqrt(len(draws))

    assert (os[progressed] > pfs[progressed]).all()
    assert (os[~progressed] == pfs[~progressed]).all()
    for t in (2.0, 8.0, 25.0):
        assert near(arm.survival_pfs(t), pfs > t)
        assert near(arm.survival_os(t), os > t)
        width = 0.2
        assert near(arm.hazard_os(t) * arm.survival_os(t) * width, abs(os - t) < width / 2)
        assert near(arm.hazard_pfs(t) * width * arm.survival_pfs(t), abs(pfs - t) < width / 2)
    for share in (0.9, 0.5, 0.1):
        assert near(share, os > arm.quantile_os(share))
        assert near(share, pfs > arm.quantile_pfs(share))
    assert near(0.5, (os - pfs)[progressed] > arm.median_pps)
    standardised = (pfs - pfs.mean()) / pfs.std() * (os - os.mean()) / os.std()
    assert near(arm.correlation(), standardised)  # its standard error exceeds that of the correlation


# --- batches
# --------------------------------------------------------------------------------------------------------------------


def test_a_batch_is_its_arms_one_by_one():
    generator = np.random.default_rng(3)
    h = np.exp(generator.normal(-3, 1, (3, 3)))
    interval = np.exp(generator.normal(-3, 1, (2, 3)))
    batches = [
        (IllnessDeath(*h), [IllnessDeath(*one) for one in h.T]),
        (IllnessDeath(*h, shape=(1.2, 1, 0.8)), [IllnessDeath(*one, shape=(1.2, 1, 0.8)) for one in h.T]),
        (
            IllnessDeath.piecewise(interval, (5, 9), 0.01, (0.2, 0.1, 0.05), "reset"),
            [IllnessDeath.piecewise(one, (5, 9), 0.01, (0.2, 0.1, 0.05), "reset") for one in interval],
        ),
    ]
    t = np.array([[0.0, 3.0], [7.0, 40.0]])
    for batch, singles in batches:
        assert batch.survival_os(t).shape == (len(singles), 2, 2)
        assert batch.survival_os(t) == pytest.approx(np.array([one.survival_os(t) for one in singles]), abs=1e-12)
        assert batch.quantile_os(0.4) == pytest.approx(np.array([one.quantile_os(0.4) for one in singles]), rel=1e-9)
        assert batch.median_pps == pytest.approx([one.median_pps for one in singles], rel=1e-9)
        assert batch.correlation() == pytest.approx([one.correlation() for one in singles], rel=1e-9)
        assert batch.sample(5, generator)[0].shape == (len(singles), 5)
    assert isinstance(IllnessDeath(0.1, 0.1, 0.1).median_pps, float)
    assert isinstance(IllnessDeath(0.1, 0.1, 0.1).correlation(), float)


# --- properties
# -----------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    h=st.tuples(HAZARDS, HAZARDS, HAZARDS),
    p=st.tuples(*[st.floats(0.4, 4.0)] * 3),
    clock=st.sampled_from(["forward", "reset"]),
    t=st.floats(0, 200),
)
def test_os_never_falls_below_pfs_and_both_only_fall(h, p, clock, t):
    for arm in (
        IllnessDeath(*h),
        IllnessDeath(*h, shape=p, post_progression_clock=clock),
        IllnessDeath.piecewise((h[0], h[1]), (2.5,), (h[1], h[2]), (h[2], h[0]), clock),
    ):
        os, pfs = arm.survival_os([t, 1.1 * t]), arm.survival_pfs([t, 1.1 * t])
        assert (os >= pfs - 1e-12).all()
        assert os[1] <= os[0] + 1e-12
        assert 0 <= os[1] <= os[0] <= 1 + 1e-12
        assert arm.hazard_os(t + 0.1) > 0


@settings(max_examples=12, deadline=None)
@given(h=st.tuples(HAZARDS, HAZARDS, HAZARDS), p=st.tuples(*[st.floats(0.5, 3.0)] * 3), scale=st.floats(0.01, 100))
def test_the_unit_of_time_does_not_matter(h, p, scale):
    one = IllnessDeath(*h, shape=p)
    other = IllnessDeath(*(value / scale**shape for value, shape in zip(h, p, strict=True)), shape=p)
    assert other.quantile_os(0.5) == pytest.approx(scale * one.quantile_os(0.5), rel=1e-8)
    assert other.correlation() == pytest.approx(one.correlation(), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(pfs=st.floats(0.1, 60), longer=st.floats(1.01, 40), q=st.floats(0, 0.45))
def test_calibration_returns_its_medians(pfs, longer, q):
    arm = IllnessDeath.from_medians(pfs, pfs * longer, q)
    assert arm.quantile_pfs(0.5) == pytest.approx(pfs)
    assert arm.quantile_os(0.5) == pytest.approx(pfs * longer, rel=1e-8)


@given(span=st.floats(0, 1e6), power=st.floats(0.1, 1.0))
def test_the_rule_sees_every_time_scale(span, power):
    s, weight = graded_rule(span, 1.0, power)
    assert weight @ (power * s ** (power - 1)) == pytest.approx(1.0, abs=1e-9)
    if span:
        assert weight @ np.exp(-span * s) == pytest.approx(-np.expm1(-span) / span, rel=1e-8)


def test_falling_root_keeps_to_its_bracket():
    target = np.array([-1.0, 0.3, 2.0])
    assert falling_root(lambda x: target - x, np.zeros(3), np.ones(3)) == pytest.approx([0.0, 0.3, 1.0])


# --- refusals
# -------------------------------------------------------------------------------------------------------------------

ARM = IllnessDeath(0.1, 0.1, 0.1)
REFUSED = {
    "negative hazard": (lambda: IllnessDeath(-1, 0.1, 0.1), "progression = -1"),
    "infinite hazard": (lambda: IllnessDeath(0.1, 0.1, np.inf), "post-progression = inf"),
    "no number": (lambda: IllnessDeath("fast", 0.1, 0.1), "'fast'"),
    "nothing happens": (lambda: IllnessDeath(0, 0, 0.1), "nobody|never"),
    "lengths": (lambda: IllnessDeath([0.1, 0.2], [0.1, 0.2, 0.3], 0.1), "one length"),
    "two dimensions": (lambda: IllnessDeath([[0.1]], 0.1, 0.1), "piecewise"),
    "shape": (lambda: IllnessDeath(0.1, 0.1, 0.1, shape=(0, 1, 1)), "shape = 0"),
    "two shapes": (lambda: IllnessDeath(0.1, 0.1, 0.1, shape=(1, 1)), "three"),
    "clock": (lambda: IllnessDeath(0.1, 0.1, 0.1, post_progression_clock="back"), "'back'"),
    "falling cuts": (lambda: IllnessDeath.piecewise((0.1, 0.2), (3, 2), 0.1, 0.1), "increasing"),
    "intervals": (lambda: IllnessDeath.piecewise((0.1, 0.2, 0.3), (3,), 0.1, 0.1), "one length"),
    "cuts and shape": (lambda: IllnessDeath(0.1, 0.1, 0.1, shape=(2, 1, 1), cuts=(1,)), "not both"),
    "OS before PFS": (lambda: IllnessDeath.from_medians(10, 9), "OS = 9.*not longer"),
    "two of them": (lambda: IllnessDeath.from_medians([10, 5], [9, 3]), "and 1 more"),
    "OS not reached": (lambda: IllnessDeath.from_medians(10, np.inf), "not reached"),
    "too many direct deaths": (lambda: IllnessDeath.from_medians(5, 20, 0.7), "lower direct_death"),
    "no share": (lambda: IllnessDeath.from_medians(5, 20, 7), "direct_death = 7"),
    "past": (lambda: ARM.survival_os(-1), "time = -1"),
    "no quantile": (lambda: ARM.quantile_os(0), "p = 0"),
    "infinity of a Weibull": (
        lambda: IllnessDeath(0.1, 0.1, 0.1, shape=(2, 1, 1)).survival_os(np.inf),
        "finite months",
    ),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_lazy_names():
    for name in surrogacy.pps.__all__:
        assert getattr(surrogacy.pps, name) is not None
    with pytest.raises(AttributeError):
        surrogacy.pps.nothing  # noqa: B018
