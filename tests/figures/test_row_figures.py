"""Posterior, priors, choices and placement: what is special to each of these figures."""

import re

import numpy as np
import pytest

from surrogacy.evaluation.placement import focus_comparisons, place, placement_record
from surrogacy.evaluation.refits import PRIOR_SETS
from surrogacy.figures import plot_choices, plot_placement, plot_posterior, plot_prior_sensitivity
from surrogacy.figures._style import INK, POSTERIOR, style
from surrogacy.figures.posterior import posterior_data
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.results.labels import PRIOR_GROUPS
from tests.support.drawn_page import text_faults


@pytest.fixture(scope="module")
def placement(trials):
    sets = [trials.analysis_set(name) for name in ("intermediate", "llovet-2019-pfs")]
    model = WeightedRegression()
    fits = [(effects, [model.fit(effects)]) for effects in sets]
    focus = focus_comparisons(trials, sets, "tactics")[0]
    records = [placement_record(entry) for entry in place(focus, [model], fits)]
    return focus, [results[0] for _, results in fits], records


def texts(axes):
    return [text.get_text() for text in axes.texts]


def prior_record_of(name):
    limits = {"r2_trial_low": 0.1, "r2_trial_high": 0.9, "slope_low": 0.2, "slope_high": 0.8}
    threshold = {"ste_prediction": 0.7, "ste_prediction_status": "exists"}
    return {"prior": name, "r2_trial": 0.5, "slope": 0.5, "prior_overlap": 0.4} | limits | threshold


def test_each_prior_of_the_sensitivity_analysis_has_words_below_its_parameter():
    grouped = [name for group in PRIOR_GROUPS.values() for name in group]
    assert sorted(grouped) == sorted(set(PRIOR_SETS) - {"default"})
    left, right = plot_prior_sensitivity([prior_record_of(name) for name in PRIOR_SETS])
    words = texts(left)
    assert {"Default", "SDs of the true effects", "half-normal, scale 0.25", "LKJ, shape 2"} <= set(words)
    assert not any(re.search(r"[a-zA-Z]\(\d", text) for text in words)  # half-normal(0.25) looks like code
    assert "STE, surrogate threshold effect (HR)." in words[-1]
    rows = np.concatenate([line.get_ydata() for line in left.lines if line.get_marker() in ("o", "D")])
    assert len(set(rows)) == len(PRIOR_SETS)  # every prior in a row of its own
    assert min(np.diff(rows)) >= 1
    assert texts(right).count("0.70") == len(PRIOR_SETS)


@pytest.mark.parametrize("name", ["tactics-2022", "advanced"])
def test_a_density_beyond_the_axis_has_a_mark_of_its_colour(trials, name):
    result = BivariateBayes().fit(trials.analysis_set(name))
    data = posterior_data(result)
    panels = plot_posterior(result)
    for axes, quantity in zip(panels, ("r2_trial", "slope"), strict=False):
        limit = axes.get_ylim()[1]
        marks = [line for line in axes.lines if line.get_marker() == "^"]
        for density, colour in (("posterior", POSTERIOR), ("prior", INK)):
            beyond = data[quantity][data[quantity][density] > limit]
            places = [line.get_xdata()[0] for line in marks if line.get_color() == colour]
            assert len(places) == (not beyond.empty)  # here a density leaves the axis on one side at most
            assert all(beyond["low"].min() <= place <= beyond["high"].max() for place in places)
        drawn = axes.lines[0].get_xdata()
        assert (drawn[0], drawn[-1]) == (data[quantity]["low"].iloc[0], data[quantity]["high"].iloc[-1])


def test_the_number_beside_the_first_row_of_the_choices_has_a_place_of_its_own():
    values = (("base", ""), ("rho_within", 0.3), ("rho_within", 0.7))
    estimates = {"k": 6, "fitted": 6, "same_data": True, "r2_trial": 1.0, "slope": 0.4}
    for journal in PRESETS:
        page = page_style(journal, 1)
        with style(page):
            left, _ = plot_choices([estimates | {"varied": key, "value": value} for key, value in values], page=page)
            assert list(text_faults(left.figure)) == []
    # a marker at the end of the axis is drawn in full
    assert not any(line.get_clip_on() for line in left.lines if line.get_marker() in ("o", "D"))


@pytest.mark.parametrize("journal", PRESETS)
@pytest.mark.parametrize("columns", [1, 2])
def test_placement_names_the_sets_in_words_and_keeps_a_wide_axis(placement, journal, columns):
    page = page_style(journal, columns)
    with style(page):
        axes = plot_placement(*placement, page=page)
        assert list(text_faults(axes.figure)) == []
        assert axes.get_position().width * page.width > 26
    assert {"Intermediate stage, k = 8", "Llovet 2019, k = 16"} <= set(texts(axes))
    assert ("0.86 (0.61 to 1.22)" in texts(axes)) or ("0.86" in texts(axes))
