"""The figures of a decomposition: the waterfall and the hazard ratio over time."""

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.figures.hazard_ratio_over_time import hazard_ratio_over_time_data, plot_hazard_ratio_over_time
from surrogacy.figures.waterfall import plot_waterfall, waterfall_data
from surrogacy.pps.at_risk import compare_at_risk
from surrogacy.pps.calibration import calibrate
from surrogacy.pps.decomposition import decompose
from surrogacy.results.format import share_with_interval


def test_waterfall(tactics_decomposition, tactics):
    other = decompose(tactics, "L", resamples=100)
    for decomposition in (tactics_decomposition, other):
        steps = {step.name: step for step in waterfall_data(decomposition)}
        assert np.exp(steps["pfs"].end) == pytest.approx(0.661)
        assert steps["dilution"].start == steps["pfs"].end
        assert steps["residual"].end == pytest.approx(steps["observed"].end)
        assert share_with_interval(decomposition.shares["imbalance"]) in steps["imbalance"].words
    axes = plot_waterfall([tactics_decomposition, other])
    assert len(axes) == 2
    texts = [text.get_text() for text in axes[0].texts]
    assert "The split is not identified." in texts
    assert any(text.startswith("0.08 (") and "\n31% (" in text for text in texts)
    assert any("calibration M, updated HR" in text for text in texts)
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert [label.get_text() for label in axes[1].get_xticklabels()].count("1.0") == 1
    with pytest.raises(UsageError, match="1 to 4 panels"):
        plot_waterfall([])
    with pytest.raises(UsageError, match="need as many axes"):
        plot_waterfall([tactics_decomposition, other], axes[:1])


def test_hazard_ratio_over_time_figure(tactics_decomposition, tactics):
    other = calibrate(tactics, "L")
    compared = compare_at_risk(tactics, tactics_decomposition.calibration)
    data = hazard_ratio_over_time_data([tactics_decomposition.calibration, other], 120.0, compared)
    assert data["model"].nunique() == 3
    curve = data[data["model"].str.startswith("M:")]
    # deaths without progression alone at the start; constant hazards stay below 1
    assert curve["hazard_ratio"].iloc[0] == pytest.approx(0.661)
    assert (curve["hazard_ratio"] < 1).all()
    ax = plot_hazard_ratio_over_time(tactics, [tactics_decomposition.calibration, other], compared)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "OS HR as printed, 0.861" in labels
    assert any("crude rate ratio" in label for label in labels)
    assert plot_hazard_ratio_over_time(tactics, [other]) is not None
    with pytest.raises(UsageError, match="different names"):
        plot_hazard_ratio_over_time(tactics, [other, other])
