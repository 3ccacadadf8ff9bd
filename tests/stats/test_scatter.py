"""Trials that lie closer to a line than their sampling errors allow."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from surrogacy import Effects
from surrogacy.models import BivariateBayes, BivariateRandomEffects, WeightedPearson, WeightedRegression
from surrogacy.stats.scatter import IMPLAUSIBLE, residual_scatter, scatter_caveat
from surrogacy.trials import read_pairs
from tests.conftest import ROOT, TABLES
from tests.reference import datasets

CASE = ROOT / "tests" / "data" / "public_cases" / "less_scatter_than_chance.csv"
SHIPPED = (
    "tactics-2022",
    "tactics-2022-updated",
    "tactics-2022-ttup",
    "llovet-2019-pfs",
    "llovet-2019-ttp",
    "intermediate",
    "advanced",
    "advanced-first-line",
    "advanced-second-line",
    "advanced-immunotherapy",
    "all",
)

PUBLISHED = (
    datasets.hazard_ratios("jang2016_pairs.csv"),
    datasets.hazard_ratios("llovet2019_pairs.csv", "PFS"),
    datasets.hazard_ratios("llovet2019_pairs.csv", "TTP"),
    datasets.outcomes("berkey98.csv", ("PD", "AL"), variances=("var_PD", "var_AL"), covariance="cov_PD_AL"),
    datasets.outcomes("stata_telomerase2.csv", variances=("S11", "S22"), covariance="S12"),
)


@pytest.fixture(scope="module")
def case():
    table = read_pairs(CASE)
    return table.pair(table.surrogates, name="case")


def caveats(result):
    return [caveat.text for caveat in result.caveats if caveat.code == "scatter"]


def simulated(generator, k, scatter=0.0, rho=0.5):
    """True effects on a line of slope 0.6 but for the scatter, and estimates with right errors."""
    true = generator.normal(-0.4, 0.3, k)
    se = generator.uniform(0.08, 0.25, (k, 2))
    first, second = generator.standard_normal((2, k))
    errors = np.column_stack([first, rho * first + np.sqrt(1 - rho**2) * second])
    final = 0.6 * true + generator.normal(0, 1, k) * scatter
    return Effects.from_arrays(np.column_stack([true, final]) + se * errors, se, rho, generator.integers(100, 900, k))


def test_public_case(case):
    """Q = 0.029 on 8 df, lower tail 2e-9; the weighted line by NumPy."""
    x, y = case.log_hr.T
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(case.n))
    scatter = residual_scatter(case, intercept, slope)
    variance = case.se[:, 1] ** 2 + slope**2 * case.se[:, 0] ** 2 - 2 * slope * case.rho_within * case.se.prod(axis=1)
    assert scatter.q == pytest.approx(np.sum((y - intercept - slope * x) ** 2 / variance), abs=1e-9)
    assert scatter.q == pytest.approx(0.029, abs=5e-4)
    assert scatter.degrees_of_freedom == 8
    assert scatter.p_less == pytest.approx(chi2.cdf(scatter.q, 8), rel=1e-9)
    assert scatter.p_less == pytest.approx(2e-9, rel=0.1)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (WeightedPearson(bootstrap=0), "r is closer to 1 or -1, and its interval narrower"),
        (WeightedRegression(), "the intervals of slope and R2, the band and the STE are too narrow"),
        (BivariateRandomEffects(interval="delta"), "are estimated by subtracting these errors"),
        (BivariateBayes(check_grid=False), "are estimated by subtracting these errors"),
    ],
)
def test_every_model_says_so_beside_its_estimates(model, words, case):
    (caveat,) = caveats(model.fit(case))
    assert "Q = 0.029 on 8 df, lower tail p = 2e-09" in caveat or "Q = 0.028 on 8 df, lower tail p = 2e-09" in caveat
    assert words in caveat
    assert "check the hazard ratios, their standard errors and the within-trial correlations" in caveat


@pytest.mark.parametrize("name", SHIPPED)
def test_not_said_of_a_shipped_set(name, live_trials):
    effects = live_trials.analysis_set(name)
    for model in (WeightedPearson(bootstrap=0), WeightedRegression(), BivariateRandomEffects(interval="delta")):
        assert not caveats(model.fit(effects))
    line = WeightedRegression(weights="inverse-variance").fit(effects).line
    assert residual_scatter(effects, line.intercept, line.slope).p_less > 0.2


def test_every_shipped_set_was_looked_at():
    listed = {path.stem for path in (TABLES / "sets").glob("*.csv")}
    assert listed <= set(SHIPPED)
    assert len(listed) >= 5


def test_the_lower_tail_is_near_uniform_without_any_scatter():
    """By simulation of sets of 10 trials on a line with right errors: 0.040 to 0.045 below 0.05, 0.007 to 0.010 below
    0.01.
    """
    generator = np.random.default_rng(1)
    p = []
    for _ in range(2000):
        effects = simulated(generator, 10)
        slope, intercept = np.polyfit(*effects.log_hr.T, 1, w=np.sqrt(effects.n))
        p.append(residual_scatter(effects, intercept, slope).p_less)
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.065
    assert 0.002 <= np.mean(np.array(p) < 0.01) <= 0.017
    assert kstest(p, "uniform").statistic < 0.1


@pytest.mark.slow
def test_false_alarms_are_rarer_than_the_limit():
    """Of 1,500 sets without scatter at most 6 (mean 1.5, three Poisson SDs); of sets with scatter none."""
    generator = np.random.default_rng(2)
    alarms = sum(bool(caveats(WeightedRegression().fit(simulated(generator, 12)))) for _ in range(1500))
    assert alarms <= 6
    assert not any(caveats(WeightedRegression().fit(simulated(generator, 12, scatter=0.15))) for _ in range(300))
    assert IMPLAUSIBLE == 0.001


def test_errors_that_are_four_times_too_large_are_found():
    generator = np.random.default_rng(3)
    effects = [simulated(generator, 12) for _ in range(100)]
    wrong = [Effects.from_arrays(each.log_hr, 4 * each.se, 0.5, each.n) for each in effects]
    assert sum(bool(caveats(WeightedRegression().fit(each))) for each in wrong) > 90


def test_an_assumed_correlation_is_named_as_a_reason():
    """Errors of one trial that go together more closely than assumed leave less scatter: 0.9 in truth, 0.2 assumed."""
    generator = np.random.default_rng(4)
    effects = simulated(generator, 60, rho=0.9)
    line = WeightedRegression(weights="none").fit(effects).line
    assert not scatter_caveat(effects, line.intercept, line.slope, "")
    (caveat,) = scatter_caveat(effects.with_rho_within(0.2), line.intercept, line.slope, "")
    right = residual_scatter(effects, line.intercept, line.slope).p_less
    assert f"(assumed to be 0.2; stronger correlation implies less scatter: with 0.9, p = {right:.1g})" in caveat.text
    known = Effects(**{**vars(effects.with_rho_within(0.2)), "rho_known": np.ones(60, dtype=bool)})
    assert "assumed" not in scatter_caveat(known, line.intercept, line.slope, "")[0].text


def test_a_shared_control_arm_counts_once():
    """Quadratic form in the whole covariance, by hand for two comparisons with a common control arm and one alone."""
    effects = Effects.from_arrays(
        [[-0.5, -0.30], [-0.4, -0.1], [-0.1, 0.02]],
        [[0.15, 0.2], [0.16, 0.21], [0.1, 0.12]],
        0.5,
        [300, 310, 500],
        trial=["a", "a", "b"],
        comparison=["a1", "a2", "b"],
        control_group=["c", "c", ""],
    )
    intercept, slope = 0.01, 0.5
    covariance = np.zeros((6, 6))
    for i in range(3):
        for j in range(3):
            covariance[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = effects.covariance_between(i, j)
    contrast = np.kron(np.eye(3), [-slope, 1.0])
    residual = effects.log_hr[:, 1] - intercept - slope * effects.log_hr[:, 0]
    expected = residual @ np.linalg.inv(contrast @ covariance @ contrast.T) @ residual
    assert residual_scatter(effects, intercept, slope).q == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("effects", PUBLISHED, ids=["Jang 2016", "Llovet PFS", "Llovet TTP", "Berkey", "Telomerase"])
def test_published_sets_have_no_alarm(effects):
    assert not caveats(WeightedRegression(weights="none").fit(effects))


def test_two_comparisons_have_no_scatter_to_judge(case):
    assert residual_scatter(case.take(np.arange(2)), 0.0, 0.5) is None
