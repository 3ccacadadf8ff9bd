"""Llovet, Montal, Villanueva (2019), J Hepatol 70:1262, doi:10.1016/j.jhep.2019.01.028.

Abstract: "R=0.84 and R=0.83" for PFS and TTP against OS over 21 trials. The pairs are those of the data set of Anderer,
Bastani and Silberholz (2021). Expected values without another source: base R, mvmeta 1.0.3 and mixmeta 1.2.1 on these
pairs.
"""

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression
from tests.reference.datasets import hazard_ratios

PFS = hazard_ratios("llovet2019_pairs.csv", "PFS")
TTP = hazard_ratios("llovet2019_pairs.csv", "TTP")

# rho_within: mu, T (11, 12, 22), r2, (intercept, slope), log-likelihood without log|sum X'X| / 2, log STE
# (surrosurv's second stage: delta method, with and without the error of the line)
GRID = {
    0.0: (
        (-0.260302995, -0.05250036221),
        (0.1001344058, 0.05145666304, 0.0271046769),
        0.9755638029,
        (0.08126308698, 0.5138759514),
        4.28400206,
        -0.3079435498,
        -0.2562962392,
    ),
    0.3: (
        (-0.2574001364, -0.05323603027),
        (0.09972301087, 0.04873616555, 0.02639905134),
        0.9022336294,
        (0.07255936593, 0.4887153439),
        4.70456527,
        -0.3868231744,
        -0.3522118033,
    ),
    0.5: (
        (-0.2556010422, -0.05372601574),
        (0.09945509002, 0.04694182486, 0.0259524479),
        0.8537183075,
        (0.06691516365, 0.4719901701),
        5.011223239,
        -0.4300600424,
        -0.3976305371,
    ),
    0.7: (
        (-0.2539895758, -0.05421927575),
        (0.09921982936, 0.04516374861, 0.02552371855),
        0.8054480604,
        (0.06139391799, 0.455188735),
        5.341934825,
        -0.4705199,
        -0.4382972344,
    ),
    0.9: (
        (-0.2527053596, -0.05471752426),
        (0.09907705279, 0.04340497994, 0.02511135869),
        0.7572439789,
        (0.05599096731, 0.438093168),
        5.698687722,
        -0.5104207033,
        -0.477108595,
    ),
}
TOLERANCE = 1e-5  # as many digits as two R packages share


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("inverse-variance", 0.836), ("n", 0.853), ("none", 0.860)],
)
def test_pearson_by_weights(weights, expected):
    assert WeightedPearson(weights=weights).fit(PFS)["r"].value == pytest.approx(expected, abs=5e-4)


def test_published_r_agrees_with_precision_weights_to_its_two_decimals():
    assert round(WeightedPearson(weights="inverse-variance").fit(PFS)["r"].value, 2) == 0.84
    assert 0.825 <= WeightedPearson(weights="inverse-variance").fit(TTP)["r"].value < 0.8375


def test_unweighted_pearson_fisher_interval_and_spearman():
    result = WeightedPearson(weights="none").fit(PFS)
    assert result["r"].value == pytest.approx(0.8600507649, abs=1e-9)
    assert (result["r"].low, result["r"].high) == pytest.approx((0.6351152148, 0.9505194682), abs=1e-9)
    assert result["spearman"].value == pytest.approx(0.7558823529, abs=1e-9)


@pytest.mark.parametrize(
    ("weights", "line", "r2"),
    [
        ("none", (0.06350720431, 0.485144673), 0.7396873181),
        ("n", (0.07600876607, 0.4927699764), 0.7270897985),
        ("inverse-variance", (0.07381982437, 0.4763748142), 0.6988142594),
    ],
)
def test_weighted_regression(weights, line, r2):
    result = WeightedRegression(weights=weights).fit(PFS)
    assert (result["intercept"].value, result["slope"].value) == pytest.approx(line, abs=1e-9)
    assert result["r2_trial"].value == pytest.approx(r2, abs=1e-9)


@pytest.mark.parametrize(("new_n", "expected"), [(None, 0.521), (PFS.n.max(), 0.595)])
def test_threshold_depends_on_the_size_of_the_new_trial(new_n, expected):
    threshold = WeightedRegression(new_n=new_n).fit(PFS)["ste_prediction"]
    assert threshold.status == "exists"
    assert threshold.hr == pytest.approx(expected, abs=1e-3)


def test_threshold_of_the_mean_and_of_one_patient():
    result = WeightedRegression(new_n=1).fit(PFS)
    assert result["ste_confidence"].hr == pytest.approx(0.763, abs=5e-4)
    assert (result["ste_prediction"].hr, result["ste_prediction"].status) == (None, "none")


@pytest.mark.parametrize("rho_within", GRID)
def test_bivariate_reml_over_the_grid(rho_within):
    mu, psi, r2, line, loglik, ste_with_error, ste_no_error = GRID[rho_within]
    result = BivariateRandomEffects("reml").fit(PFS.with_rho_within(rho_within))
    value = {name: result[name].value for name in result.estimates if not name.startswith("ste")}
    assert (value["mu_surrogate"], value["mu_final"]) == pytest.approx(mu, abs=TOLERANCE)
    assert value["tau_surrogate"] ** 2 == pytest.approx(psi[0], abs=TOLERANCE)
    assert value["tau_final"] ** 2 == pytest.approx(psi[2], abs=TOLERANCE)
    assert value["rho_between"] * value["tau_surrogate"] * value["tau_final"] == pytest.approx(psi[1], abs=TOLERANCE)
    assert value["r2_trial"] == pytest.approx(r2, abs=TOLERANCE)
    assert (value["intercept"], value["slope"]) == pytest.approx(line, abs=TOLERANCE)
    # mvmeta leaves log|sum X'X| / 2 out: two coefficients on 16 comparisons each
    assert value["loglik"] - 0.5 * np.log(16.0**2) == pytest.approx(loglik, abs=TOLERANCE)
    plug_in = BivariateRandomEffects("reml", interval="delta", prediction="plug-in").fit(
        PFS.with_rho_within(rho_within)
    )
    assert np.log(plug_in["ste_prediction"].hr) == pytest.approx(ste_with_error, abs=TOLERANCE)
    assert (-value["intercept"] - 1.959964 * value["sigma_cond"]) / value["slope"] == pytest.approx(
        ste_no_error, abs=TOLERANCE
    )
    assert not result.on_boundary


def test_shipped_set_is_these_pairs(live_trials):
    for name, pairs in (("llovet-2019-pfs", PFS), ("llovet-2019-ttp", TTP)):
        effects = live_trials.analysis_set(name)
        assert np.sort(effects.log_hr, axis=0) == pytest.approx(np.sort(pairs.log_hr, axis=0))
        assert np.sort(effects.se, axis=0) == pytest.approx(np.sort(pairs.se, axis=0))
        assert effects.n.sum() == pairs.n.sum()
