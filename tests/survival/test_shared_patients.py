"""Correlation of two log hazard ratios from shared patients: simulated Cox estimates, limits, and impossible trials."""

import numpy as np
import pytest
from scipy.special import ndtr

from surrogacy.errors import UsageError
from surrogacy.survival.logrank_law import logrank_pair
from surrogacy.survival.shared_patients import TrialCourse, shared_patients_correlation

TRIALS = 4000
# four trials of the tables 2026.11: median PFS and OS of the control arm, hazard ratio, share of deaths without
# progression, follow-up, share of experimental patients
COURSES = {
    "TACTICS": TrialCourse(13.5, 30.8, 0.661, 0.097, (52.0, 113.0), 0.51),
    "ORIENTAL": TrialCourse(2.25, 31.1, 0.858, 0.1, (31.1, 93.3), 0.5),
    "SHARP": TrialCourse(2.52, 7.9, 0.58, 0.1, (7.9, 23.7), 0.5),
    "IMbrave150": TrialCourse(4.3, 13.4, 0.65, 0.1, (19.0, 29.0), 0.67),
}


def cox_estimates(time, event, experimental):
    """Cox log hazard ratios of trials (rows) with one binary covariate, by Newton's method."""
    order = np.argsort(time, axis=1)
    event, arm = np.take_along_axis(event, order, 1), np.take_along_axis(experimental, order, 1)
    at_risk = np.arange(time.shape[1], 0, -1.0)
    in_arm = arm[:, ::-1].cumsum(axis=1)[:, ::-1]
    log_hr = np.zeros(len(time))
    for _ in range(8):
        weighted = in_arm * np.exp(log_hr)[:, None]
        share = weighted / (weighted + at_risk - in_arm)
        score, information = (event * (arm - share)).sum(axis=1), (event * share * (1 - share)).sum(axis=1)
        log_hr = log_hr + score / information
    return log_hr


def simulated_estimates(course, patients, rng):
    """Log hazard ratios of PFS, TTP and OS of simulated trials, (3, trials)."""
    sizes = patients - round(patients * course.experimental_share), round(patients * course.experimental_share)
    parts = [arm.sample(TRIALS, n, rng) for arm, n in zip(course.arms, sizes, strict=True)]
    pfs, os = (np.concatenate([part[which] for part in parts], axis=1) for which in (0, 1))
    followed = rng.uniform(*course.follow_up, (TRIALS, patients))
    experimental = np.broadcast_to(np.repeat([0.0, 1.0], sizes), pfs.shape)
    progressed = os > pfs
    return np.array(
        [
            cox_estimates(np.minimum(pfs, followed), (pfs <= followed).astype(float), experimental),
            cox_estimates(np.minimum(pfs, followed), ((pfs <= followed) & progressed).astype(float), experimental),
            cox_estimates(np.minimum(os, followed), (os <= followed).astype(float), experimental),
        ]
    )


@pytest.mark.parametrize("name", COURSES)
def test_correlation_of_simulated_cox_estimates(name):
    # the SD of a correlation of 4,000 pairs is (1 - rho^2) / sqrt(4000), at most 0.016; 4 of them, and 0.01 for the
    # difference between a trial of 400 patients and its large-sample law
    course = COURSES[name]
    simulated = np.corrcoef(simulated_estimates(course, 400, np.random.default_rng(20261127)))
    for row, censors_deaths in ((0, False), (1, True)):
        rho = shared_patients_correlation(course, censors_deaths=censors_deaths)
        assert rho == pytest.approx(simulated[row, 2], abs=4 * (1 - rho**2) / TRIALS**0.5 + 0.01)


def test_associated_durations_make_the_correlation_larger():
    # as docs/methods.md states: 0.70 instead of 0.54 for normal scores with a correlation of 0.5
    course, rng, size = TrialCourse(4.3, 13.4, 0.65, 0.1, (19.0, 29.0), 0.5), np.random.default_rng(1), (TRIALS, 150)
    times = []
    for arm in course.arms:
        first = rng.standard_normal(size)
        second = 0.5 * first + 0.75**0.5 * rng.standard_normal(size)
        exits = arm.progression + arm.death
        pfs, after = -np.log(ndtr(-first)) / exits, -np.log(ndtr(-second)) / arm.post_progression[0]
        times.append((pfs, pfs + np.where(rng.random(size) * exits < arm.progression, after, 0.0)))
    experimental = np.broadcast_to(np.repeat([0.0, 1.0], 150), (TRIALS, 300))
    followed = rng.uniform(*course.follow_up, (TRIALS, 300))
    estimates = [
        cox_estimates(np.minimum(time, followed), (time <= followed).astype(float), experimental)
        for time in (np.concatenate(parts, axis=1) for parts in zip(*times, strict=True))
    ]
    assert np.corrcoef(estimates)[0, 1] == pytest.approx(0.70, abs=4 * (1 - 0.7**2) / TRIALS**0.5)
    assert shared_patients_correlation(course) == pytest.approx(0.54, abs=5e-3)


@pytest.mark.parametrize("name", COURSES)
def test_a_finer_grid_gives_the_same_correlation(name):
    course = COURSES[name]
    fine = logrank_pair(*course.arms, course.censoring, course.experimental_share, points=4800).correlation
    assert shared_patients_correlation(course) == pytest.approx(fine, abs=1e-4)


def test_the_two_estimates_are_equal_if_progressed_patients_die_at_once():
    course = TrialCourse(6.0, 6.0 * 1.001, 0.7, 0.1, (12.0, 36.0), 0.5)
    assert shared_patients_correlation(course) == pytest.approx(1.0, abs=2e-3)


def test_no_deaths_without_progression_make_ttp_equal_to_pfs():
    course = TrialCourse(6.0, 15.0, 0.7, 0.0, (12.0, 36.0), 0.5)
    pfs, ttp = (shared_patients_correlation(course, censors_deaths=ttp) for ttp in (False, True))
    assert ttp == pytest.approx(pfs, abs=1e-12)


def test_median_os_below_median_pfs_is_refused():
    with pytest.raises(UsageError, match="no hazard after progression gives a median OS of 5 months"):
        TrialCourse(6.0, 5.0, 0.7, 0.1, (12.0, 36.0), 0.5)
