"""Post-progression survival of arms, and the audit of its correlation with OS: published pairs, closed forms and
simulation.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surrogacy.errors import FitError, UsageError
from surrogacy.pps.arms import correlation_of_medians
from surrogacy.pps.coupling import DESCRIPTIVE, coupling_audit
from surrogacy.pps.coupling_identity import coupling_identity
from surrogacy.pps.coupling_nulls import no_variation_null, unrelated_null
from surrogacy.survival.illness_death import IllnessDeath
from tests.support.arms import made_arm

# Published r(OS, PPS) and r(OS, PFS), the root where r2 was published; what they imply was worked out apart from this
# package, and
# printed with four digits: 6e-5 is half a unit of the last plus the rounding of the roots.
PUBLISHED = {
    "Terashima 2016": (0.834, 0.546, -0.0069, 1.5184, 0.9937),
    "Terashima 2019": (0.78, 0.5, -0.1519, 1.3839, 0.8584),
    "Tajiri, regorafenib": (0.854, 0.467, -0.0612, 1.6996, 0.9474),
    "Tajiri, ramucirumab": (0.894, 0.14, -0.3185, 2.2098, 0.8188),
    "Tajiri, cabozantinib": (0.925, 0.973, 0.8123, 0.6074, 1.8024),
    "Hotta 2011": (0.8917**0.5, 0.2563**0.5, 0.1943, 2.6205, 1.148),
    "Hayashi 2012": (0.82, 0.43, -0.1641, 1.5774, 0.8573),
    "Petrelli 2013": (0.88, 0.64, 0.1982, 1.6177, 1.184),
    "Petrelli 2013, R2": (0.80**0.5, 0.43**0.5, 0.2489, 1.6882, 1.23),
    "pancreas 2017": (0.844, 0.623, 0.1063, 1.4584, 1.1005),
    "Shimokawa 2015": (0.94, 0.83, 0.5899, 1.6348, 1.5725),
    "Shimokawa 2018": (0.88, 0.72, 0.304, 1.4611, 1.2928),
    "Shitara 2012": (0.87, 0.75, 0.3264, 1.3415, 1.3194),
    "Imai 2016": (0.9, 0.72, 0.3455, 1.5921, 1.3284),
    "Kawakami 2013": (0.85, 0.282, -0.2657, 1.8213, 0.802),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_published_pairs_imply(name):
    r_os_pps, r_os_pfs, correlation, ratio, squares = PUBLISHED[name]
    found = coupling_identity(r_os_pps, r_os_pfs)
    assert found.corr_pfs_pps == pytest.approx(correlation, abs=6e-5)
    assert found.sd_ratio == pytest.approx(ratio, abs=6e-5)
    assert found.sum_of_squares == pytest.approx(squares, abs=6e-5)


def explained(y, columns, weights):
    """R2 of a weighted regression."""
    root = np.sqrt(weights)
    design = np.column_stack([np.ones_like(y), *columns])
    residual = root * (y - design @ np.linalg.lstsq(root[:, None] * design, root * y)[0])
    return 1 - residual @ residual / (weights @ (y - np.average(y, weights=weights)) ** 2)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.integers(3, 30).flatmap(
        lambda k: st.tuples(
            *(st.lists(st.floats(0.5, 50), min_size=k, max_size=k) for _ in range(2)), st.integers(0, 2**31)
        )
    )
)
def test_identity_holds_in_every_sample_and_with_any_weights(drawn):
    pfs, pps, seed = np.array(drawn[0]), np.array(drawn[1]), drawn[2]
    weights = np.random.default_rng(seed).uniform(0.1, 10, len(pfs))
    covariance = np.cov(np.stack([pfs, pps, pfs + pps]), aweights=weights)
    spread = np.sqrt(np.diag(covariance))
    assume((spread > 0.05).all())
    r = covariance / np.outer(spread, spread)
    assume(np.abs(r[np.triu_indices(3, 1)]).max() < 1 - 1e-6)  # nearer to a straight line the roots lose digits
    found = coupling_identity(r[2, 1], r[2, 0])
    assert found.corr_pfs_pps == pytest.approx(r[0, 1], abs=1e-7)
    assert found.sd_ratio == pytest.approx(spread[1] / spread[0], rel=1e-6)
    assert found.covariance_share == pytest.approx(covariance[2, 1] / covariance[2, 2], rel=1e-6, abs=1e-7)
    first = explained(pfs + pps, [pps], weights)
    last = explained(pfs + pps, [pfs, pps], weights) - explained(pfs + pps, [pfs], weights)
    assert found.shapley_share == pytest.approx((first + last) / 2, abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 20))
def test_unrelated_parts_have_the_pair_that_they_are_said_to_have(ratio):
    r_os_pps, r_os_pfs = ratio / np.hypot(1, ratio), 1 / np.hypot(1, ratio)
    found = coupling_identity(r_os_pps, r_os_pfs)
    assert found.corr_pfs_pps == pytest.approx(0, abs=1e-9)
    assert found.sum_of_squares == pytest.approx(1)
    assert found.if_unrelated == pytest.approx((r_os_pps, r_os_pfs))
    # without a correlation either share is the square of the correlation
    assert found.shapley_share == pytest.approx(r_os_pps**2)
    assert found.covariance_share == pytest.approx(r_os_pps**2)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ((83.4, 0.5), "between -1 and 1"),
        ((0.5, -1.0), "between -1 and 1"),
        ((-0.5, 0.3), "are impossible"),
        ((float("nan"), 0.5), "nan"),
    ],
)
def test_impossible_pairs(pair, words):
    with pytest.raises(UsageError, match=words):
        coupling_identity(*pair)


def test_arms_that_differ_by_chance_alone():
    """56 arms of 100 patients: .86 and .38 on average (design simulation, medians near 4 and 6 months; two digits)."""
    null = no_variation_null([100] * 56, median_pfs=4, median_pps=6, draws=800)
    assert null.mean == pytest.approx((0.86, 0.38), abs=0.012)
    # and the large-sample value: medians as normal variables with SD 1 / (2 f sqrt n) and the correlation of medians
    arm = IllnessDeath(progression=np.log(2) / 4, death=0.0, post_progression=np.log(2) / 6)
    together = correlation_of_medians(arm)
    median_os = arm.quantile_os(0.5)
    os, pfs = (0.5 / float(density) for density in (0.5 * arm.hazard_os(median_os), np.log(2) / 8))
    pps = np.sqrt(os**2 + pfs**2 - 2 * together * os * pfs)
    # 0.02: medians of 100 patients are not quite normal, and a mean of correlations of 56 arms lies a little below the
    # correlation
    assert null.mean == pytest.approx(((os - together * pfs) / pps, together), abs=0.02)


@pytest.mark.parametrize("hazards", [(0.1, 0.0, 0.07), (0.05, 0.02, 0.2), (0.05, 0.005, 0.055)])
def test_correlation_of_medians_is_that_of_simulated_arms(hazards):
    rng = np.random.default_rng(3)
    h01, h02, h12 = hazards
    arm = IllnessDeath(progression=h01, death=h02, post_progression=h12)
    pfs = rng.exponential(1 / (h01 + h02), (4000, 401))
    os = pfs + rng.exponential(1 / h12, pfs.shape) * (rng.random(pfs.shape) < h01 / (h01 + h02))
    found = np.corrcoef(np.median(pfs, axis=1), np.median(os, axis=1))[0, 1]
    assert correlation_of_medians(arm) == pytest.approx(found, abs=4 / np.sqrt(4000))


def test_shuffled_pps_is_unrelated_and_keeps_arms_of_a_trial_together():
    rng = np.random.default_rng(5)
    trial = np.repeat(np.arange(60), 2)
    pfs, pps = rng.uniform(2, 8, 120), np.repeat(rng.uniform(2, 20, 60), 2) + np.tile([0.0, 0.5], 60)
    null = unrelated_null(pfs, pps, trial, np.ones(120), draws=2000, generator=rng)
    ratio = pps.std() / pfs.std()
    assert null.mean == pytest.approx((ratio / np.hypot(1, ratio), 1 / np.hypot(1, ratio)), abs=0.01)
    # PPS of a trial's arms go together: as few independent values as trials, so the correlation varies more than over
    # 120 arms
    alone = unrelated_null(np.repeat(pfs[::2], 2), pps, trial, np.ones(120), draws=2000, generator=rng)
    apart = unrelated_null(np.repeat(pfs[::2], 2), pps, np.arange(120), np.ones(120), draws=2000, generator=rng)
    assert alone.r_os_pfs.std() == pytest.approx(np.sqrt(2) * apart.r_os_pfs.std(), rel=0.1)


def test_null_of_one_trial_a_size_stays_put():
    null = unrelated_null(
        [1.0, 2.0, 4.0], [5.0, 9.0, 6.0], [0, 0, 1], np.ones(3), draws=5, generator=np.random.default_rng(1)
    )
    assert np.ptp(null.r_os_pps) == pytest.approx(0)


def test_nulls_refuse():
    with pytest.raises(UsageError, match="cannot be derived from two medians"):
        no_variation_null([100], median_pfs=4, median_pps=6, definition="reported")
    with pytest.raises(UsageError, match="above 0 months"):
        no_variation_null([100], median_pfs=0, median_pps=6)


def test_audit_of_the_tables(audit):
    assert audit.problems[0] == DESCRIPTIVE
    assert sum("reported PPS" in problem for problem in audit.problems) == 2  # TACTICS, both arms
    os, pfs, n = np.array([(arm.median_os.value, arm.median_pfs.value, arm.n) for arm in audit.arms]).T
    covariance = np.cov(np.stack([pfs, os - pfs, os]), aweights=n)
    spread = np.sqrt(np.diag(covariance))
    assert audit["r_os_pps"].value == pytest.approx(covariance[2, 1] / spread[2] / spread[1])
    assert audit["r_os_pfs"].value == pytest.approx(covariance[2, 0] / spread[2] / spread[0])
    assert audit["sd_ratio"].value == pytest.approx(spread[1] / spread[0])
    assert audit["covariance_share"].value == pytest.approx(covariance[2, 1] / covariance[2, 2])
    # what was observed is what the identity says of the pair
    assert audit.coupling.corr_pfs_pps == pytest.approx(audit["r_pfs_pps"].value)
    assert audit.coupling.shapley_share == pytest.approx(audit["shapley_share"].value)
    assert audit["r_os_pps"].low < audit["r_os_pps"].value < audit["r_os_pps"].high
    assert f"{len(audit.trials)} trials" in audit["r_os_pps"].method
    assert [null.name for null in audit.nulls] == ["unrelated PFS and PPS", "no true variation"]


def test_trend_is_a_weighted_line(audit):
    year, os, pfs, n = np.array([(arm.year, arm.median_os.value, arm.median_pfs.value, arm.n) for arm in audit.arms]).T
    for name, y in (("median_os", os), ("median_pps", os - pfs), ("pps_share", 1 - pfs / os)):
        assert audit.trend[name].value == pytest.approx(np.polyfit(year, y, 1, w=np.sqrt(n))[0])


def test_bootstrap_draws_trials_not_arms():
    """Every arm twice in its trial is no more information: the same interval from the same draws."""
    rng = np.random.default_rng(8)
    once = [made_arm(f"t{i}", pfs, pfs + pps) for i, (pfs, pps) in enumerate(rng.uniform(3, 12, (20, 2)))]
    twice = [twin for arm in once for twin in (arm, replace(arm, arm="ctl"))]
    one, two = (coupling_audit(arms, weights="none", resamples=200)["r_os_pps"] for arms in (once, twice))
    assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))


@pytest.mark.slow
def test_interval_covers_over_trials():
    """95 % intervals of r over 40 trials of two dependent arms hold the truth in about 95 of 100 samples; over 30
    samples, 24 at least.
    """
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(30):
        pfs, pps = (np.repeat(rng.normal(mean, sd, 40), 2) + rng.normal(0, 0.1, 80) for mean, sd in ((10, 1), (20, 2)))
        arms = [
            made_arm(f"t{i // 2}", *pair, arm=("ctl", "exp")[i % 2])
            for i, pair in enumerate(zip(pfs, pfs + pps, strict=True))
        ]
        found = coupling_audit(arms, weights="none", resamples=200)["r_os_pps"]
        covered += found.low <= 2 / np.sqrt(5) <= found.high
    assert covered >= 24


def test_definitions_are_not_mixed(arms):
    with pytest.raises(FitError, match=r"2 arm\(s\) with a PPS by reported"):
        coupling_audit(arms, definition="reported")
    model = coupling_audit(arms, definition="model", resamples=50)
    assert model.coupling is None  # model PPS and PFS do not add up to OS
    assert "covariance_share" not in model.estimates
    assert [null.name for null in model.nulls] == ["no true variation"]
    printed = [made_arm(f"t{i}", 3 + i, 8 + i**2, reported=5.0 + i) for i in range(4)]
    found = coupling_audit([*printed, made_arm("other", 3, 9)], definition="reported", resamples=50)
    assert found.nulls == ()
    assert "1 arm(s) without a PPS by reported left out" in found.problems


def test_patients_not_stated():
    rng = np.random.default_rng(1)
    made = [
        made_arm(f"t{i}", pfs, pfs + pps, n=None if i == 0 else 50)
        for i, (pfs, pps) in enumerate(rng.uniform(3, 9, (12, 2)))
    ]
    weighted = coupling_audit(made, resamples=20)
    assert len(weighted.arms) == 11
    assert any("the number of patients is not stated: t0, experimental arm" in problem for problem in weighted.problems)
    plain = coupling_audit(made, weights="none", resamples=20)
    assert len(plain.arms) == 12
    assert any("not stated in 1 of 12 arms" in problem for problem in plain.problems)
    nobody = coupling_audit([replace(arm, n=None, year=None) for arm in made], weights="none", resamples=20)
    assert [null.name for null in nobody.nulls] == ["unrelated PFS and PPS"]
    assert nobody.trend["median_os"].value is None


def test_audit_refuses():
    some = [made_arm(f"t{i}", 4.0, 8.0 + i) for i in range(4)]
    with pytest.raises(UsageError, match="weights of arms"):
        coupling_audit(some, weights="events")
    with pytest.raises(FitError, match="do not vary"):
        coupling_audit(some, resamples=10)
    with pytest.raises(FitError, match="three arms of two trials"):
        coupling_audit(some[:2])


def test_pps_in_proportion_to_pfs_leaves_no_triangle():
    assert coupling_audit([made_arm(f"t{i}", 2.0 + i, 6.0 + 3 * i) for i in range(4)], resamples=10).coupling is None
