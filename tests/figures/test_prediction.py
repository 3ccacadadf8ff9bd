"""Figure of the predictions for a new trial."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial_prediction import predict_new
from surrogacy.figures import plot_prediction, prediction_data
from surrogacy.figures._style import style
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from tests.support.drawn_page import text_faults

HR = (0.62, 0.48, 0.80)
QUOTED = {"intermediate": "bivariate-bayes", "llovet-2019-pfs": "bivariate-bayes"}


@pytest.fixture(scope="module")
def predictions(trials):
    sets = [trials.analysis_set(name) for name in QUOTED]
    fits = [(effects, [WeightedRegression().fit(effects), BivariateBayes().fit(effects)]) for effects in sets]
    return predict_new(fits, HR, 0.5, 400)


def widths(axes):
    """Ends of the drawn intervals by line width, in order of their height."""
    drawn = [(each.get_linewidths()[0], each.get_segments()[0]) for each in axes.collections]
    return {
        width: [
            np.exp(segment[:, 0]) for each, segment in sorted(drawn, key=lambda entry: entry[1][0, 1]) if each == width
        ]
        for width in (1.0, 3.0)
    }


def test_rows_by_set_with_the_quoted_model_first(predictions):
    data = prediction_data(predictions, QUOTED)
    assert data["set"].tolist() == [name for name in QUOTED for _ in range(3)]
    assert data["model"].tolist() == ["bivariate-bayes", "bivariate-bayes", "weighted-regression"] * 2
    assert data["quoted"].tolist() == [True, True, False] * 2
    assert data["target"].tolist()[:3] == ["true effect", "observed, n = 400", "n = 400"]


def test_intervals_are_drawn_at_their_limits(predictions):
    data, axes = prediction_data(predictions, QUOTED), plot_prediction(predictions, QUOTED)
    drawn = widths(axes)
    assert np.allclose(drawn[1.0], data[["low_95", "high_95"]])
    assert np.allclose(drawn[3.0], data[["low_80", "high_80"]])
    medians = [line for line in axes.lines if line.get_marker() == "D"]
    assert np.allclose([np.exp(line.get_xdata()[0]) for line in medians], data["predicted"])
    filled = [line.get_markerfacecolor() != "white" for line in medians]
    assert filled == (data["target"] == "true effect").tolist()


def test_an_interval_beyond_the_axis_ends_in_an_arrow_and_an_extrapolation_has_a_mark(predictions):
    wide = [replace(entry, low_95=0.01, high_95=40.0, beyond_data=True) for entry in predictions[:1]]
    axes = plot_prediction(wide, {})
    assert {line.get_marker() for line in axes.lines} >= {"<", ">"}
    assert any(text.get_text().endswith("†") for text in axes.texts)
    assert not any(text.get_text().endswith("†") for text in plot_prediction(predictions, QUOTED).texts)


def test_without_a_prediction_there_is_no_figure():
    with pytest.raises(UsageError, match="no line predicts"):
        plot_prediction([], {})


@pytest.mark.parametrize("journal", PRESETS)
@pytest.mark.parametrize("columns", [1, 1.5, 2])
def test_text_at_final_size(journal, columns, predictions):
    page = page_style(journal, columns)
    with style(page):
        axes = plot_prediction(predictions, QUOTED, page=page)
        assert list(text_faults(axes.figure)) == []
