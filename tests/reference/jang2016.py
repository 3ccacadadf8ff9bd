"""Lee, Jang et al. (2016), Br J Cancer 115:1201, PMC5104893. Abstract: "rs 0.73", "R2 0.57", minimum TTP effect
0.63.
"""

import pytest

from surrogacy.models import WeightedPearson, WeightedRegression
from tests.reference.datasets import hazard_ratios

EFFECTS = hazard_ratios("jang2016_pairs.csv")


def test_spearman():
    spearman = WeightedPearson().fit(EFFECTS)["spearman"].value
    assert spearman == pytest.approx(0.73, abs=0.005)  # printed to two decimals
    assert spearman == pytest.approx(0.728, abs=5e-4)  # base R


def test_r2_of_regression_weighted_by_patients():
    assert WeightedRegression().fit(EFFECTS)["r2_trial"].value == pytest.approx(0.574405, abs=1e-6)


def test_the_published_minimum_effect_is_a_confidence_band_value():
    result = WeightedRegression().fit(EFFECTS)
    assert result["ste_confidence"].hr == pytest.approx(
        0.630846, abs=5e-5
    )  # published 0.63; the reference root is from a grid
    assert WeightedRegression(weights="none").fit(EFFECTS)["ste_prediction"].hr == pytest.approx(0.375379, abs=1e-5)


def test_by_the_prediction_band_of_a_one_patient_trial_there_is_none():
    # what R's predict.lm does with weights
    threshold = WeightedRegression(new_n=1).fit(EFFECTS)["ste_prediction"]
    assert (threshold.hr, threshold.status) == (None, "none")
