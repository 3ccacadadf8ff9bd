"""Comparison of two sets in a hierarchical model: records, odds, equivalence and detectable difference."""

import json

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.evaluation.differences import compare_sets
from surrogacy.evaluation.setting_differences import compare_settings, detectable_slope_difference
from surrogacy.fit import main
from surrogacy.models.exact.setting_table import SettingPriors
from surrogacy.models.priors import HalfNormal
from surrogacy.models.regression import WeightedRegression
from tests.support.effects import made_up, simulated
from tests.support.pinned_tables import PINNED


@pytest.fixture(scope="module")
def stages(trials):
    return compare_settings(trials.analysis_set("intermediate"), trials.analysis_set("advanced"), equivalent_slope=0.2)


def test_stages(stages):
    """Values of the pinned tables; NUTS gives -0.62 to 0.93 for the slope (tests/models/test_sampled_settings.py)."""
    slope = stages.contrasts["slope"]
    difference = slope.difference
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.052, -0.616, 0.920), abs=3e-3)
    assert not slope.restates_prior
    assert slope.probability_first_smaller == pytest.approx(0.384, abs=3e-3)
    odds = slope.probability_first_smaller / (1 - slope.probability_first_smaller)
    no_data = slope.probability_no_data / (1 - slope.probability_no_data)
    assert slope.odds_ratio_no_data == pytest.approx(odds / no_data)
    assert stages.equal_slopes == pytest.approx(1.31, abs=0.01)
    narrow, wide = stages.by_scale
    assert (narrow.scale, wide.scale) == (0.25, 1.0)
    assert narrow.bayes_factor < stages.equal_slopes < wide.bayes_factor
    assert wide.difference.low < difference.low < narrow.difference.low < narrow.difference.high < difference.high


def test_prior_of_a_difference_by_simulation(stages):
    generator, n = np.random.default_rng(3), 1_000_000
    spread = np.abs(generator.normal(0, 0.5, n))
    differences = np.sqrt(2) * spread * generator.standard_normal(n)
    without_data = stages.contrasts["slope"].without_data
    assert np.quantile(differences, [0.025, 0.975]) == pytest.approx([without_data.low, without_data.high], abs=0.02)
    assert stages.equivalence.without_data == pytest.approx(float((np.abs(differences) < 0.2).mean()), abs=2e-3)


def test_prior_of_a_difference_of_r2(stages):
    """Symmetric by exchangeability, and almost as wide as possible."""
    without_data = stages.contrasts["r2_trial"].without_data
    assert without_data.value == pytest.approx(0.0, abs=0.01)
    assert without_data.low == pytest.approx(-without_data.high, abs=0.02)
    assert 0.8 < without_data.high < 1.0


def test_equivalence_is_the_posterior_mass_of_the_region():
    first, second = made_up(40, 1, "a"), made_up(40, 2, "b")
    probabilities = []
    for limit in (0.05, 0.2, 1.0):
        equivalence = compare_settings(first, second, equivalent_slope=limit).equivalence
        assert 0 < equivalence.without_data < equivalence.probability < 1 + 1e-9
        probabilities.append(equivalence.probability)
    assert probabilities == sorted(probabilities)
    assert probabilities[-1] > 0.999
    assert compare_settings(first, second).equivalence is None
    for limit in (0.0, -0.1, float("nan")):
        with pytest.raises(UsageError, match="--equivalent-slope"):
            compare_settings(first, second, equivalent_slope=limit)


def test_a_true_difference_is_shown_and_equal_lines_are_favoured():
    weak, strong, copy = made_up(60, 2, "weak", rho=0.0), made_up(60, 3, "strong"), made_up(60, 5, "other")
    different = compare_settings(weak, strong)
    assert different.contrasts["slope"].difference.high < 0
    assert different.contrasts["slope"].probability_first_smaller > 0.999
    assert different.equal_slopes < 0.05
    equal = compare_settings(copy, strong)
    assert equal.equal_slopes > 2
    assert equal.common_line > equal.equal_slopes
    assert equal.contrasts["slope"].difference.low < 0 < equal.contrasts["slope"].difference.high


def test_a_set_without_information_restates_the_prior():
    """Standard errors of 1000 leave the slope of the first set to the prior."""
    few = made_up(12, 4, "few").take(np.arange(3))
    vague = type(few).from_arrays(few.log_hr, np.full((3, 2), 1000.0), trial=few.trial, name="vague")
    contrast = compare_settings(vague, made_up(30, 2, "second")).contrasts["slope"]
    assert contrast.restates_prior
    assert contrast.odds_ratio_no_data == pytest.approx(1.0, abs=0.03)


def test_the_result_depends_on_the_prior_of_the_spread():
    first, second = simulated(6, seed=1), made_up(40, 2, "b")
    narrow, wide = (
        compare_settings(first, second, SettingPriors(spread_slope=HalfNormal(scale))).contrasts["slope"].difference
        for scale in (0.1, 1.0)
    )
    half = compare_settings(first, second, SettingPriors(spread_slope=HalfNormal(0.2))).by_scale[0]
    assert half.scale == 0.1
    assert (half.difference.low, half.difference.high) == pytest.approx((narrow.low, narrow.high), abs=0.01)
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_overlapping_sets_are_refused(trials):
    first = trials.analysis_set("tactics-2022")
    with pytest.raises(UsageError, match="share"):
        compare_settings(first, first)


def test_detectable_slope_by_simulation():
    """Share of pairs of sets in which the z test of two regressions shows the stated difference: 80%."""
    generator, k, replicates = np.random.default_rng(2), 60, 3000
    x = generator.normal(-0.3, 0.3, (2, k))
    errors = 0.1 * generator.standard_normal((replicates, 2, k))
    centred = x - x.mean(axis=1, keepdims=True)
    se = 0.1 / np.sqrt((centred**2).sum(axis=1))
    y = 0.5 * x
    sets = []
    for i in (0, 1):
        residual = generator.standard_normal(k)
        design = np.column_stack([np.ones(k), x[i]])
        residual -= design @ np.linalg.lstsq(design, residual, rcond=None)[0]
        residual *= 0.1 * np.sqrt((k - 2) / (residual @ residual))  # residual SD exactly 0.1
        effects = made_up(k, i, str(i))
        log_hr = np.column_stack([x[i], y[i] + residual])
        sets.append(type(effects).from_arrays(log_hr, effects.se, 0.0, effects.n, effects.trial, name=str(i)))
        assert WeightedRegression().fit(sets[i])["slope"].se == pytest.approx(se[i])
    detectable = detectable_slope_difference(*sets)
    assert detectable == pytest.approx((1.959964 + 0.841621) * np.hypot(*se), rel=1e-5)
    slopes = (centred * (y + errors)).sum(axis=2) / (centred**2).sum(axis=1) + np.array([detectable, 0.0])
    shown = np.abs(slopes[:, 0] - slopes[:, 1]) > 1.959964 * np.hypot(*se)
    assert shown.mean() == pytest.approx(0.8, abs=0.022)


def test_difference_contains_the_hierarchical_model(trials):
    first, second = trials.analysis_set("tactics-2022"), trials.analysis_set("llovet-2019-pfs")
    difference = compare_sets(first, second, resamples=0)
    assert difference.hierarchical is not None
    record = json.loads(json.dumps(difference.record))["hierarchical"]
    assert set(record["contrasts"]) == {"slope", "line_at_centre", "log_sigma_cond", "r2_trial"}
    assert record["spreads"]["slope"]["prior"] == "half-normal(0.5)"
    assert record["equivalence"] is None
    assert [row["quantity"] for row in difference.hierarchical.rows] == list(record["contrasts"])
    assert compare_sets(first, second, posterior=False, resamples=0).hierarchical is None


def test_an_impossible_region_of_equivalence_is_refused(capsys):
    assert main(["intermediate", "advanced", *PINNED, "--equivalent-slope", "0"]) == 2
    assert "--equivalent-slope 0: give a difference of slopes above 0" in capsys.readouterr().err


@pytest.mark.slow
def test_screen_table_and_record(capsys, tmp_path):
    out = tmp_path / "out"
    arguments = ["tactics-2022", "llovet-2019-pfs", "--model", "weighted-pearson", "--out", str(out), "--format", "svg"]
    assert main([*arguments, *PINNED, "--details", "--equivalent-slope", "0.2"]) == 0
    screen = " ".join(capsys.readouterr().out.split())
    for words in (
        "difference of slopes −0.05 (−0.95 to 0.59; prior alone ±1.54)",
        "Probability that the slopes differ by at most 0.20: 0.57 (prior alone 0.43)",
        "Bayes factor of equal against different slopes 1.4",
        "It is unclear whether TACTICS 2022 and Llovet 2019 differ: difference of slopes",
    ):
        assert words in screen
    table = (out / "tables" / "setting_differences.md").read_text()
    assert "95% low, prior alone" in table
    assert "half-normal(0.25)" in table
    (record,) = json.loads((out / "results.json").read_text())["differences"]
    assert record["hierarchical"]["equivalence"]["limit"] == 0.2
    assert record["hierarchical"]["detectable_slope"] == pytest.approx(0.69, abs=0.005)
