"""Overlap of prior and posterior of R2, and the words for it."""

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.effects import Effects
from surrogacy.evaluation.refits import prior_record, prior_sensitivity
from surrogacy.models import BivariateBayes
from surrogacy.models.prior_change import PRIOR_CHANGES, prior_caveat, prior_change
from surrogacy.models.priors import Beta, Uniform, lkj
from tests.support.effects import simulated

P = (0.5, 0.025, 0.975)


def test_limits_are_shifts_of_a_normal_density():
    """Two normal densities of one SD, d SD apart, share ``2 Phi(-d / 2)`` of their area."""
    limits = {grade: least for least, grade in PRIOR_CHANGES}
    for grade, shift in (("hardly", 0.25), ("little", 0.77), ("clearly", 1.35)):
        assert 2 * norm.cdf(-shift / 2) == pytest.approx(limits[grade], abs=0.002)
    x = np.linspace(-9, 9, 100_001)
    for grade, sd in (("hardly", 0.81), ("little", 0.53)):
        shared = np.minimum(norm.pdf(x), norm.pdf(x, scale=sd)).sum() * (x[1] - x[0])
        assert shared == pytest.approx(limits[grade], abs=0.005)


@pytest.mark.parametrize(
    ("overlap", "grade"),
    [
        (1.0, "hardly"),
        (0.9, "hardly"),
        (0.899, "little"),
        (0.7, "little"),
        (0.699, "clearly"),
        (0.5, "clearly"),
        (0.499, "dominated-by-data"),
    ],
)
def test_grades(overlap, grade):
    assert prior_change(overlap) == grade
    sentences = prior_caveat(overlap, 0.25, 0.73, 13, "uniform(-1, 1)")
    assert len(sentences) == (grade != "dominated-by-data")
    for sentence in (caveat.text for caveat in sentences):
        assert "medians 0.25 and 0.73" in sentence
        assert ("hardly" in sentence, "only a little" in sentence, "clearly" in sentence) == tuple(
            grade == name for name in ("hardly", "little", "clearly")
        )


@pytest.mark.parametrize(
    ("prior", "quantiles"),
    [
        (Uniform(-1.0, 1.0), (0.25, 0.025**2, 0.975**2)),  # |rho| is uniform on (0, 1)
        (Uniform(0.0, 1.0), (0.25, 0.025**2, 0.975**2)),
        (Uniform(-0.5, 1.0), (0.375**2, 0.01875**2, 0.9625**2)),  # P(|rho| <= r) = 4r/3 up to 1/2, then 1/3 + 2r/3
        (Beta(0.5, 0.5), tuple(np.sin(np.pi * np.array(P) / 2) ** 2)),  # arcsine law
    ],
)
def test_prior_of_r2_in_closed_form(prior, quantiles):
    posterior = BivariateBayes(rho_between=prior).posterior(simulated(6))
    assert posterior.prior_quantiles_r2(P) == pytest.approx(quantiles, abs=2e-4)


def test_prior_of_r2_by_simulation():
    found = BivariateBayes(rho_between=lkj(4.0)).posterior(simulated(6)).prior_quantiles_r2(P)
    r2 = (2 * np.random.default_rng(0).beta(4, 4, 400_000) - 1) ** 2
    assert found == pytest.approx(np.quantile(r2, P), abs=2e-3)


def test_words_of_the_shipped_sets(trials):
    """An overlap of 56% goes with a median that moved from 0.25 to 0.73: that is not hardly a change."""
    said = {}
    for name in ("advanced-immunotherapy", "tactics-2022", "advanced", "intermediate"):
        result = BivariateBayes().fit(trials.analysis_set(name))
        assert (result["r2_trial_prior"].value, result["r2_trial_prior"].high) == pytest.approx(
            (0.25, 0.975**2), abs=1e-3
        )
        said[name] = [caveat.text for caveat in result.caveats if caveat.code == "prior-dominates"]
    assert said["advanced"] == []
    (immunotherapy,), (tactics,), (intermediate,) = (said[name] for name in said if name != "advanced")
    assert "overlap by 56% (medians 0.25 and 0.73): 13 trials change the prior" in immunotherapy
    assert "hardly" not in immunotherapy
    assert "6 trials hardly change the prior" in tactics
    assert "only a little" in intermediate


def test_trials_without_information_leave_the_prior():
    effects = Effects.from_arrays(np.full((2, 2), -0.2), np.full((2, 2), 20.0))
    result = BivariateBayes().fit(effects)
    assert result["prior_overlap"].value > 0.99
    assert result["r2_trial"].value == pytest.approx(result["r2_trial_prior"].value, abs=0.01)
    assert any("2 trials hardly change the prior" in problem for problem in result.problems)


def test_every_prior_of_the_sensitivity_has_its_median():
    records = [prior_record(refit) for refit in prior_sensitivity(BivariateBayes(), simulated(8))]
    medians = {record["prior"]: record["r2_trial_prior"] for record in records}
    assert medians["default"] == pytest.approx(0.25, abs=1e-3)
    assert medians["rho LKJ(4)"] < medians["rho LKJ(2)"] < medians["default"] < medians["rho beta(1/2, 1/2)"]
