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
        assert share_with_interval(decomposition.shares["imbalance"]) == steps["imbalance"].share
    axes = plot_waterfall([tactics_decomposition, other])
    texts = [text.get_text() for text in axes.texts]
    assert "The split is not identified by these data." in texts
    assert any(text.startswith("0.08 (") for text in texts)
    assert any(text.startswith("31% (") for text in texts)
    assert sum("(updated HR)" in text for text in texts) == 2
    single = [text.get_text() for text in plot_waterfall(tactics_decomposition).texts]
    assert not any("updated HR" in text for text in single)
    with pytest.raises(UsageError, match="1 to 4 decompositions"):
        plot_waterfall([])


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
    labels = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert "OS HR as reported, 0.861" in labels
    assert any("crude rate ratio" in label for label in labels)
    assert plot_hazard_ratio_over_time(tactics, [other]) is not None
    with pytest.raises(UsageError, match="different names"):
        plot_hazard_ratio_over_time(tactics, [other, other])
