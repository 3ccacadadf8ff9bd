"""Forest plot: parts of one figure, shared control arms, words, arrowheads and the pages with the least room."""

import re

import numpy as np
import pytest

from surrogacy.figures import forest_data, plot_forest
from surrogacy.figures._style import style
from surrogacy.models import BivariateRandomEffects
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.results.class_order import class_groups, class_pages
from tests.support.drawn_page import text_faults

LEAST_WIDTH = 10.0  # mm, of a panel beside the longest names on the narrowest page, 75 mm


@pytest.fixture(scope="module")
def advanced(trials):
    return BivariateRandomEffects().fit(trials.analysis_set("advanced"))


@pytest.fixture(scope="module")
def intermediate(trials):
    return BivariateRandomEffects().fit(trials.analysis_set("intermediate"))


@pytest.fixture(scope="module", params=["tactics-2022", "advanced", "all"])
def pooled(request, trials):
    return BivariateRandomEffects().fit(trials.analysis_set(request.param))


def texts(axes):
    return [text.get_text() for panel in axes for text in panel.texts]


def test_parts_of_a_figure_share_the_axes_and_the_last_has_the_mean_effect(advanced):
    parts = range(len(class_pages(advanced)))
    assert len(parts) == 2
    panels = [plot_forest(advanced, part=part) for part in parts]
    assert len({panel.get_xlim() for pair in panels for panel in pair}) == 1
    assert len({tuple(panel.get_xticks()) for pair in panels for panel in pair}) == 1
    first, last = map(texts, panels)
    assert "Mean effect" not in first
    assert "Mean effect" in last
    assert any("The mean effects of all comparisons are in the last part." in text for text in first)
    assert not any("in the last part" in text for text in last)
    assert not any("Heterogeneity" in text for text in first)
    drawn = [row.label for part in parts for row in forest_data(advanced, part) if row.kind == "comparison"]
    assert sorted(drawn) == sorted(advanced.effects.labels)


def test_footnote_on_a_shared_control_arm(intermediate):
    # EMERALD-3 compares two experimental arms with one control arm: 3,722 patients, of whom 175 are counted twice
    words = texts(plot_forest(intermediate))
    assert {"EMERALD-3 STRIDE+len ‡", "EMERALD-3 STRIDE ‡"} <= set(words)
    (note,) = [" ".join(text.split()) for text in words if "adds up" in text]
    assert "adds up to 3,897, but the trials have 3,722 patients" in note
    sizes = [row.n for row in forest_data(intermediate) if row.kind == "comparison"]
    assert sum(sizes) == 3897


def test_no_sum_if_a_number_of_patients_is_not_known(trials):
    result = BivariateRandomEffects().fit(trials.analysis_set("all"))
    assert np.isnan(result.effects.n).any()
    words = [text for part in range(len(class_pages(result))) for text in texts(plot_forest(result, part=part))]
    assert not any("nan" in text.split() for text in words)
    assert any("n counts the arm each time." in text for text in words)


def test_stage_in_the_headings_only_if_the_set_has_several(advanced, trials):
    assert "Antiangiogenic TKI" in [row.label for row in forest_data(advanced)]
    several = BivariateRandomEffects().fit(trials.analysis_set("all"))
    headings = [row.label for row in forest_data(several) if row.kind == "heading"]
    assert {"Advanced, antiangiogenic TKI", "Intermediate, TACE combination"} <= set(headings)
    advanced_only = [row.label for row in forest_data(advanced) if row.kind == "heading"]
    assert advanced_only[-1] == "Other"


def test_limits_are_joined_by_a_word(pooled):
    for part in range(len(class_pages(pooled))):
        assert not any(re.search(r"\d\s*[–-]\s*\d+\.", text) for text in texts(plot_forest(pooled, part=part)))


def test_arrowheads_where_the_axis_cuts_an_interval(advanced):
    drawn = expected = 0
    for part in range(len(class_pages(advanced))):
        for panel, side in zip(plot_forest(advanced, part=part), ("surrogate", "final"), strict=True):
            low, high = panel.get_xlim()
            effects = [getattr(row, side) for row in forest_data(advanced, part) if row.kind == "comparison"]
            expected += sum((effect.low < low) + (effect.high > high) for effect in effects)
            drawn += sum(line.get_marker() in ("<", ">") for line in panel.lines)
    assert drawn == expected == 2  # SoraHAIC 2022, both endpoints


@pytest.mark.parametrize("journal", PRESETS)
@pytest.mark.parametrize("columns", [1, 1.5])
def test_panels_keep_a_least_width(intermediate, journal, columns):
    page = page_style(journal, columns)
    with style(page):
        panels = plot_forest(intermediate, focus="tactics", page=page)
        assert list(text_faults(panels[0].figure)) == []
        assert min(panel.get_position().width for panel in panels) * page.width > LEAST_WIDTH


@pytest.mark.parametrize("most", [8, 15, 20, 30, 54, 100])
def test_pages_by_class_are_as_few_and_as_even_as_possible(advanced, most):
    groups = class_groups(advanced)
    pages = class_pages(advanced, most)
    assert [group for page in pages for group in page] == groups
    sizes = [len(group) + 1 for group in groups]

    def longest(limit, breaks):
        """Smallest longest page over all ways to divide the classes."""
        if breaks == 0:
            return sum(sizes[limit:])
        ends = range(limit + 1, len(sizes) - breaks + 1)
        return min(max(sum(sizes[limit:end]), longest(end, breaks - 1)) for end in ends)

    drawn = max(sum(len(group) + 1 for group in page) for page in pages)
    assert drawn == longest(0, len(pages) - 1)
    assert drawn <= max(most, *sizes)
    if len(pages) > 1 and max(sizes) <= most:
        assert longest(0, len(pages) - 2) > most
