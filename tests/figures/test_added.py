"""Figure of the lines with and without added trials."""

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.figures import added_data, plot_added
from surrogacy.figures._style import MM, style
from surrogacy.figures.bubble import RING
from surrogacy.figures.labels import HALO
from surrogacy.models import BivariateBayes, WeightedPearson, WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from tests.support.drawn_page import text_faults


@pytest.fixture(scope="module")
def fits(trials):
    effects = trials.analysis_set("llovet-2019-pfs")
    return [WeightedRegression().fit(each) for each in (effects.without_trial("reflect"), effects)]


def names(axes):
    return [text for text in axes.texts if text.get_gid() != HALO]


def rings(axes):
    return [
        each
        for each in axes.collections
        if np.allclose(each.get_linewidths(), RING["linewidth"]) and not len(each.get_facecolors())
    ]


@pytest.mark.slow
@pytest.mark.parametrize("model", [WeightedRegression(), BivariateBayes()])
def test_both_lines_are_those_of_the_fits(trials, model):
    effects = trials.analysis_set("intermediate")
    fits = {"before": model.fit(effects.without_trial("tactics")), "after": model.fit(effects)}
    data = added_data(fits["before"], fits["after"])
    for name, result in fits.items():
        rows = data[data["fit"] == name]
        assert np.allclose(rows[["final", "low", "high"]].T, result.line.predict(rows["surrogate"].to_numpy()))
        assert (rows["surrogate"].min(), rows["surrogate"].max()) == pytest.approx(result.line.data_range)


def test_every_comparison_is_drawn_and_the_added_one_has_a_ring_and_a_bold_name(fits):
    axes = plot_added(*fits, added=("reflect",))
    (ring,) = rings(axes)
    effects = fits[1].effects
    place = effects.comparison.index("reflect")
    assert np.allclose(ring.get_offsets(), effects.log_hr[place])
    bold = [text.get_text() for text in names(axes) if text.get_fontweight() == "bold"]
    assert bold == [effects.labels[place]]
    assert len([text for text in names(axes) if text.get_text() in effects.labels]) == len(effects)
    entries = [text.get_text() for text in axes.get_legend().get_texts()]
    assert entries[0].startswith("with: k = 16, slope ")
    assert entries[1].startswith("without: k = 15, slope ")


def test_in_a_large_set_the_added_comparisons_alone_are_named(trials):
    effects = trials.analysis_set("advanced")
    fits = [WeightedRegression().fit(each) for each in (effects.without_trial("himalaya"), effects)]
    axes = plot_added(*fits, added=("himalaya-durva", "himalaya-stride"))
    assert len(rings(axes)) == len([text for text in names(axes) if text.get_text()]) == 2


def test_a_model_without_a_line_has_no_figure(trials):
    result = WeightedPearson().fit(trials.analysis_set("tactics-2022"))
    with pytest.raises(UsageError, match="no line"):
        plot_added(result, result)


@pytest.mark.parametrize("journal", PRESETS)
@pytest.mark.parametrize("columns", [1, 1.5, 2])
def test_text_at_final_size(journal, columns, fits):
    page = page_style(journal, columns)
    with style(page):
        axes = plot_added(*fits, added=("reflect",), page=page)
        assert axes.figure.get_figwidth() == pytest.approx(page.width * MM)
        assert list(text_faults(axes.figure)) == []
