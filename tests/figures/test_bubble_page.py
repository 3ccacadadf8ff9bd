"""Bubble plot at its final size: text, symbols and names of every set in one and two columns, and the colours."""

from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm

import surrogacy
from surrogacy.errors import UsageError
from surrogacy.figures import bubble_data, plot_bubble
from surrogacy.figures._style import MM, style
from surrogacy.figures.class_groups import GROUPS
from surrogacy.figures.labels import HALO
from surrogacy.models import WeightedPearson, WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.stats.cook import cook_distances
from tests.conftest import TABLES
from tests.support.drawn_colours import distance_for_deuteranopes, distance_in_grey
from tests.support.drawn_labels import identified_symbols
from tests.support.drawn_page import text_faults

JOURNALS = [pytest.param(name, marks=() if name == "elsevier" else pytest.mark.slow) for name in PRESETS]
CROWDED = "lancet", 1, "all"
SETS = sorted(path.stem for path in (TABLES / "sets").glob("*.csv"))


@pytest.fixture(scope="module")
def shipped():
    return surrogacy.read_trials()


def drawn(effects, columns, **options):
    page = page_style("elsevier", columns)
    with style(page):
        return plot_bubble(WeightedRegression().fit(effects), page=page, **options)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("columns", [1, 1.5, 2])
@pytest.mark.parametrize("journal", JOURNALS)
def test_text_of_every_set_at_final_size(journal, columns, name, shipped):
    page = page_style(journal, columns)
    with style(page):
        axes = plot_bubble(WeightedRegression().fit(shipped.analysis_set(name)), focus="tactics", page=page)
        assert axes.figure.get_figwidth() == pytest.approx(page.width * MM)
        if (journal, columns, name) == CROWDED:
            pytest.xfail("58 comparisons and their numbers in 75 mm: two pairs of texts touch")
        assert list(text_faults(axes.figure)) == []


def test_faults_of_a_page_are_noticed(shipped):
    page = page_style("elsevier", 1)
    with style(page):
        axes = plot_bubble(WeightedRegression().fit(shipped.analysis_set("tactics-2022")), page=page)
        texts = {text.get_text(): text for text in axes.texts if text.get_gid() != HALO}
        texts["SPACE"].set_fontsize(5)
        texts["TACE-2"].set_position(texts["ORIENTAL"].get_position())
        report = "\n".join(text_faults(axes.figure))
    assert "'SPACE' has 5.0 points" in report
    assert "'ORIENTAL' overlaps 'TACE-2'" in report or "'TACE-2' overlaps 'ORIENTAL'" in report


def test_numbers_and_their_list(shipped):
    effects = shipped.analysis_set("advanced")
    data = bubble_data(WeightedRegression().fit(effects))
    axes = drawn(effects, 2)
    listed = [text.get_text() for text in axes.figure.texts]
    ordered = data.sort_values("surrogate", kind="stable")["label"].tolist()
    assert listed[::2] == [str(number) for number in range(1, len(effects) + 1)]
    assert listed[1::2] == ordered
    beside = {text.get_text() for text in axes.texts}
    words = {word for text in beside for word in text.split()}
    assert {str(number) for number in range(1, len(effects) + 1)} <= words
    for row in data[data["outside"] | data["influential"]].to_dict("records"):
        assert any(row["label"] in text for text in beside)


def test_a_group_alone_has_no_key_and_sixteen_names_no_numbers(shipped):
    assert drawn(shipped.analysis_set("intermediate"), 1).get_legend() is None
    axes = drawn(shipped.analysis_set("llovet-2019-pfs"), 1)
    assert axes.get_legend() is not None
    assert axes.figure.texts == []


def test_correlation_stands_in_a_corner_and_further_marks_are_options(shipped):
    effects = shipped.analysis_set("llovet-2019-pfs")
    correlation = WeightedPearson(bootstrap=0).fit(effects).estimate("r")
    plain = drawn(effects, 2, correlation=correlation)
    words = "\n".join(text.get_text() for text in plain.texts)
    assert f"r = {correlation.value:.2f} (95% CI {correlation.low:.2f} to {correlation.high:.2f})" in words
    assert "STE" not in words
    assert "log HR" not in words
    full = drawn(effects, 2, show=("ste", "equation", "confidence", "intervals"))
    words = "\n".join(text.get_text() for text in full.texts)
    assert "STE 0." in words
    assert "log HR(OS) = " in words
    assert len(full.lines) - len(plain.lines) >= 2 * len(effects)
    with pytest.raises(UsageError, match="show colours"):
        drawn(effects, 2, show=("colours",))


def test_a_comparison_far_from_all_others_stands_at_the_edge_with_its_values(shipped):
    effects = shipped.analysis_set("advanced")
    place = effects.labels.index("SoraHAIC 2022")
    trial = effects.trial[place]
    axes = drawn(effects, 2)
    others = np.delete(effects.log_hr[:, 0], place)
    left = axes.get_xlim()[0]
    assert effects.log_hr[place, 0] < left < others.min()
    (symbol,) = (symbol for symbol in identified_symbols(axes) if symbol.comparison == effects.comparison[place])
    x, y = symbol.x, symbol.y
    assert left < x < others.min()
    assert y == effects.log_hr[place, 1]  # on the other axis at its value
    surrogate, final = np.exp(effects.log_hr[place])
    words = [text.get_text() for text in axes.texts]
    assert any(f"{surrogate:.2f}" in text and f"OS {final:.2f}" in text and "SoraHAIC" in text for text in words)
    heads = [line for line in axes.lines if line.get_marker() == "<"]
    assert [tuple(line.get_xydata()[0]) for line in heads] == [(left, y)]
    # in focus it is drawn at its place
    assert drawn(effects, 2, focus=trial).get_xlim()[0] < effects.log_hr[place, 0]


@pytest.mark.parametrize("columns", [1, 2])
def test_the_intervals_of_the_focus_are_drawn_whole_where_the_axis_can_hold_them(columns, shipped):
    effects = shipped.analysis_set("intermediate")
    place = effects.trial.index("tactics")
    low, high = (limits[place, 0] for limits in effects.limits)
    axes = drawn(effects, columns, focus="tactics")
    assert axes.get_xlim()[0] < low < high < axes.get_xlim()[1]
    assert not [line for line in axes.lines if line.get_marker() in ("<", ">")]


def test_groups_differ_in_grey_for_deuteranopes_and_in_shape():
    assert len(GROUPS) <= 4
    assert len({group.marker for group in GROUPS}) == len(GROUPS)
    for first, second in combinations(GROUPS, 2):
        assert distance_for_deuteranopes(first.colour, second.colour) > 20  # CIE 1976; 2.3 is just noticeable
        assert distance_in_grey(first.colour, second.colour) > 9


def test_cook_distances_are_those_of_statsmodels():
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(2, 9))
    weights = generator.uniform(1, 9, 9)
    root = np.sqrt(weights)
    reference = sm.OLS(y * root, sm.add_constant(x) * root[:, None]).fit().get_influence().cooks_distance[0]
    assert cook_distances(x, y, weights) == pytest.approx(reference, rel=1e-9)
    assert np.isnan(cook_distances(x[:2], y[:2], weights[:2])).all()


@pytest.mark.parametrize("name", PRESETS)
def test_pages(name):
    widths = [page_style(name, columns).width for columns in (1, 1.5, 2)]
    assert widths == sorted(widths)
    assert page_style(name).small_size >= 6
    assert page_style(name, widths[0] + 1).is_narrow
    with pytest.raises(UsageError, match="columns"):
        page_style(name, 7)
