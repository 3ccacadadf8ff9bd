"""Diagnostics of draws: divergences, R-hat, energy, and Monte Carlo errors of quantiles."""

import arviz as az
import numpy as np
import pytest

from surrogacy.models.sampled import diagnostics

pytestmark = pytest.mark.nuts
RNG = np.random.default_rng(20)


def texts(caveats):
    return tuple(caveat.text for caveat in caveats)


def test_diagnose_names_each_fault():
    draws = RNG.normal(size=(4, 1000))
    stats = {"diverging": np.zeros((4, 1000), dtype=bool), "energy": RNG.normal(size=(4, 1000))}
    good = az.from_dict({"posterior": {"x": draws}, "sample_stats": stats})
    assert diagnostics.diagnose(good) == ()
    stuck = az.from_dict({"posterior": {"x": draws, "y": np.ones((4, 1000))}, "sample_stats": stats})
    assert texts(diagnostics.diagnose(stuck)) == ("sampling: all draws of y are equal",)
    split = az.from_dict({"posterior": {"x": draws, "y": draws + np.arange(4)[:, None]}, "sample_stats": stats})
    assert "R-hat" in " ".join(texts(diagnostics.diagnose(split)))
    assert diagnostics.diagnose(split, ["x"]) == ()
    stats["diverging"][0, 3:6] = True  # more than one in 2,000
    stats["energy"] = np.cumsum(stats["energy"], axis=1)
    both = texts(diagnostics.diagnose(az.from_dict({"posterior": {"x": draws}, "sample_stats": stats})))
    assert "sampling: 3 of 4000 transitions diverged" in both[0]
    assert "BFMI" in both[1]
    single = az.from_dict({"posterior": {"x": draws[:1]}, "sample_stats": {k: v[1:2] * 0 for k, v in stats.items()}})
    assert any("single chain" in problem for problem in texts(diagnostics.diagnose(single, ["x"])))


def test_quantile_errors_of_independent_draws():
    low, middle, high = diagnostics.quantile_errors(RNG.normal(size=(4, 5000)))
    assert middle == pytest.approx(np.sqrt(np.pi / 2 / 20_000), rel=0.3)
    assert low == pytest.approx(np.sqrt(0.025 * 0.975 / 20_000) / 0.0584, rel=0.3)
    assert high == pytest.approx(low, rel=0.5)
