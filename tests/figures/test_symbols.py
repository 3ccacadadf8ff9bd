"""Identifiers of symbols in the SVG: each disc lies on its comparison, is invisible, and leaves the axes unchanged."""

import re

import pytest
from matplotlib.figure import Figure

from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.figures.bubble import plot_bubble
from surrogacy.figures.cross_validation import plot_cross_validation
from surrogacy.figures.forest import plot_forest
from surrogacy.figures.symbols import MOST_IDENTIFIED, MarkedSymbol, identify_symbols
from surrogacy.models import WeightedRegression
from tests.support.drawn_labels import identified_symbols
from tests.support.pinned_tables import pinned_trials


def discs_of(axes):
    """Discs by comparison."""
    return {symbol.comparison: symbol for symbol in identified_symbols(axes)}


@pytest.fixture(scope="module")
def result():
    return WeightedRegression().fit(pinned_trials().analysis_set("tactics-2022"))


def test_the_discs_of_the_bubble_plot(result):
    discs = discs_of(plot_bubble(result))
    effects = result.effects
    assert set(discs) == set(effects.comparison)
    for comparison, log_hr in zip(effects.comparison, effects.log_hr, strict=True):
        assert (discs[comparison].x, discs[comparison].y) == tuple(log_hr)


def test_the_discs_of_the_forest_plot(result):
    effects = result.effects
    for column, axes in enumerate(plot_forest(result)):
        discs = discs_of(axes)
        assert set(discs) == set(effects.comparison)
        for comparison, log_hr in zip(effects.comparison, effects.log_hr[:, column], strict=True):
            assert discs[comparison].x == log_hr


def test_the_discs_of_the_cross_validation(result):
    predictions = cross_validate(WeightedRegression(), result.effects)
    discs = discs_of(plot_cross_validation(predictions))
    assert set(discs) == set(result.effects.comparison)
    for comparison, log_hr in zip(result.effects.comparison, result.effects.log_hr[:, 1], strict=True):
        assert discs[comparison].x == pytest.approx(log_hr)


def test_small_discs_lie_on_large_ones_and_the_axes_keep_their_limits():
    axes = Figure().add_subplot()
    before = axes.get_xlim(), axes.get_ylim()
    identify_symbols(axes, [MarkedSymbol("small", 5, 5, 3.0), MarkedSymbol("large", 5, 5, 30.0)])
    assert [symbol.comparison for symbol in identified_symbols(axes)] == ["large", "small"]
    assert (axes.get_xlim(), axes.get_ylim()) == before


def test_no_discs_if_there_are_more_symbols_than_can_be_told_apart():
    axes = Figure().add_subplot()
    identify_symbols(axes, (MarkedSymbol(str(i), i, i, 3.0) for i in range(MOST_IDENTIFIED + 1)))
    assert not identified_symbols(axes)


def test_each_disc_is_an_invisible_group_of_the_svg(tmp_path):
    axes = Figure().add_subplot()
    identify_symbols(axes, [MarkedSymbol("a<b", 0.5, 0.5, 8.0), MarkedSymbol("c", 0.25, 0.5, 8.0)])
    axes.figure.savefig(tmp_path / "figure.svg")
    groups = re.findall(r'<g id="comparison-(.*?)">(.*?)</g>\n  ', (tmp_path / "figure.svg").read_text(), re.DOTALL)
    assert [name for name, _ in groups] == ["a&lt;b", "c"]
    assert all("opacity: 0" in group and "<use" in group for _, group in groups)
