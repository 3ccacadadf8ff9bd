"""Labels of the bubble plot: the drawn artists of every set with at most 16 comparisons, and of an added trial."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import surrogacy
from surrogacy.effects import Effects
from surrogacy.evaluation.surrogate_only import SurrogateOnlyMark
from surrogacy.evaluation.threshold_targets import with_threshold_targets
from surrogacy.figures import plot_bubble
from surrogacy.figures._style import MM, new_figure, style
from surrogacy.figures.class_groups import group_of
from surrogacy.figures.labels import HALO
from surrogacy.figures.predicted_marks import PredictedTrial
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.output.page_style import DEFAULT_PAGE, PRESETS, page_style
from tests.conftest import TABLES
from tests.support.added_trial import most_crowded, with_trial
from tests.support.drawn_labels import label_faults

ALL_NAMED = 16  # comparisons; more are numbered
SETS = sorted(path.stem for path in (TABLES / "sets").glob("*.csv"))
JOURNALS = [pytest.param(name, marks=() if name == "elsevier" else pytest.mark.slow) for name in PRESETS]


@pytest.fixture(scope="module")
def shipped():
    """The tables of the package, not those to which reference numbers refer."""
    return surrogacy.read_trials()


def places(effects):
    return dict(zip(effects.labels, effects.log_hr, strict=True))


def faults(axes, effects):
    """Faults of the names that are drawn; up to 17 comparisons, the names that are missing."""
    drawn = {text.get_text().replace("\n", " ") for text in axes.texts if text.get_gid() != HALO}
    yield from (f"{name} is missing" for name in effects.labels if name not in drawn and len(effects) <= ALL_NAMED)
    yield from label_faults(axes, {name: place for name, place in places(effects).items() if name in drawn})


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("journal", JOURNALS)
def test_labels_of_a_set_and_of_a_trial_added_to_its_most_crowded_corner(journal, name, shipped):
    effects = shipped.analysis_set(name)
    enlarged = with_trial(effects, most_crowded(effects))
    page = page_style(journal)
    with style(page):
        for drawn, focus in ((effects, None), (effects, effects.trial[0]), (enlarged, "mine")):
            axes = plot_bubble(WeightedRegression().fit(drawn), focus=focus, page=page)
            assert list(faults(axes, drawn)) == []


@pytest.mark.parametrize("corner", [(-1.2, 0.6), (-1.2, -1.0), (0.4, 0.7), (0.4, -0.9)])
@pytest.mark.parametrize("name", ["intermediate", "llovet-2019-pfs", "advanced-second-line"])
def test_labels_with_a_trial_far_from_the_others(name, corner, trials):
    effects = with_trial(trials.analysis_set(name), corner)
    axes = plot_bubble(WeightedRegression().fit(effects), focus="mine")
    assert list(faults(axes, effects)) == []


@pytest.mark.parametrize("name", ["advanced-immunotherapy", "llovet-2019-ttp"])
def test_labels_at_the_resolution_of_every_format(name, trials):
    effects = trials.analysis_set(name)
    effects = with_trial(effects, most_crowded(effects))
    with style(page_style("elsevier")):
        axes = plot_bubble(WeightedRegression().fit(effects), focus="mine")
        for dpi in (72, 200, 600):
            axes.figure.set_dpi(dpi)
            assert list(faults(axes, effects)) == []


@pytest.mark.parametrize("seed", range(4))
def test_labels_of_random_sets_with_long_names_and_sizes_that_differ(seed):
    generator = np.random.default_rng(seed)
    surrogate = generator.normal(-0.4, 0.25, 12)
    effects = Effects.from_arrays(
        np.stack([surrogate, 0.5 * surrogate + generator.normal(0, 0.15, 12)], axis=1),
        np.full((12, 2), 0.12),
        n=generator.choice([40, 150, 400, 1200], 12),
        labels=[f"A trial of a combination {i}" if i % 4 == 0 else f"TRIAL-{i}" for i in range(12)],
    )
    with style(page_style()):  # of the text when its box is measured
        axes = plot_bubble(WeightedRegression().fit(effects))
        assert list(faults(axes, effects)) == []


def test_labels_in_axes_of_the_caller(trials):
    effects = trials.analysis_set("tactics-2022")
    with style(page_style("elsevier")):
        figure = new_figure(140, 140)
        axes = figure.add_axes((0.1, 0.1, 0.6, 0.6))
        plot_bubble(WeightedRegression().fit(effects), axes, focus="tactics")
        assert figure.get_size_inches()[0] == pytest.approx(140 * MM)
        assert list(faults(axes, effects)) == []


def test_faults_are_noticed(trials):
    effects = trials.analysis_set("intermediate")
    axes = plot_bubble(WeightedRegression().fit(effects))
    texts = {text.get_text(): text for text in axes.texts if text.get_gid() != HALO}
    texts["TACTICS"].set_position(places(effects)["LEAP-012"])
    texts["SPACE"].set_position((-9, 0))
    texts["ORIENTAL"].set_position(texts["TACE-2"].get_position())
    report = "\n".join(faults(axes, effects))
    for fault in ("TACTICS touches the symbol", "SPACE leaves", "ORIENTAL touches the text", "ORIENTAL has no leader"):
        assert fault in report


def test_rings_around_several_comparisons(trials):
    effects = trials.analysis_set("advanced-immunotherapy")
    axes = plot_bubble(WeightedRegression().fit(effects), focus=("himalaya", "leap-002"))
    bold = bold_names(axes)
    assert bold == ["HIMALAYA durva", "HIMALAYA STRIDE", "LEAP-002"]
    rings = [collection for collection in axes.collections if not len(collection.get_facecolor())]
    assert len([ring for ring in rings if hasattr(ring, "get_sizes") and len(ring.get_sizes())]) == 3
    one = plot_bubble(WeightedRegression().fit(effects), focus="himalaya-stride")
    assert bold_names(one) == ["HIMALAYA STRIDE"]


def bold_names(axes):
    return [text.get_text() for text in axes.texts if text.get_fontweight() == "bold" and text.get_gid() != HALO]


def drawn_marks(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker and line.get_linewidth() == 0]


def test_comparisons_with_a_surrogate_effect_only(trials):
    result = WeightedRegression().fit(trials.analysis_set("intermediate"))
    plain = plot_bubble(result)
    mine = SurrogateOnlyMark("My trial", -0.45, -0.55, -0.35, -0.22, -0.5, 0.06, in_focus=True)
    axes = plot_bubble(result, surrogate_only=(mine, replace(mine, label="Another", log_hr=-0.2, in_focus=False)))
    bottom = axes.get_ylim()[0]
    assert [tuple(mark.get_xydata()[0]) for mark in drawn_marks(axes, "o")] == [(-0.45, bottom), (-0.2, bottom)]
    bar = next(line for line in axes.lines if line.get_xydata().tolist() == [[-0.45, -0.5], [-0.45, 0.06]])
    assert bar.get_linestyle() == "-"
    assert [text.get_text() for text in axes.texts if text.get_text() in ("My trial", "Another")]
    assert plain.get_legend() is axes.get_legend() is None  # a key of one entry says no more than the caption
    assert axes.get_xlim() == plain.get_xlim()  # the points within the data do not move the axes


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_labels_with_marks_of_predicted_effects(name, shipped):
    effects = shipped.analysis_set(name)
    result = WeightedRegression().fit(effects)
    middle = float(np.median(effects.log_hr[:, 0]))
    predicted = float(result.line.predict(middle)[0])
    only = SurrogateOnlyMark(
        "PFS only", middle, middle - 0.3, middle + 0.3, predicted, predicted - 0.4, predicted + 0.4
    )
    with style(DEFAULT_PAGE):  # texts are measured in the style in which they are saved
        axes = plot_bubble(result, surrogate_only=(only, replace(only, label="PFS too", log_hr=middle + 0.01)))
        assert list(faults(axes, effects)) == []
    limits = predicted + np.array([-0.2, 0.2, -0.3, 0.9])
    new = PredictedTrial("New", middle, middle - 0.2, middle + 0.2, predicted, *limits)
    with style(DEFAULT_PAGE):
        axes = plot_bubble(result, new_trial=new)
        assert list(faults(axes, effects)) == []
    (diamond,) = drawn_marks(axes, "D")
    assert diamond.get_xydata()[0].tolist() == [middle, predicted]
    has_key = len({group_of(name) for name in effects.covariates["class"]}) > 1
    entries = axes.get_legend().get_texts() if has_key else []
    assert any("new trial" in entry.get_text() for entry in entries) is has_key


@pytest.mark.parametrize("columns", [1, 2])
def test_intervals_avoid_the_text_in_the_corner(columns, trials):
    result, page = WeightedRegression().fit(trials.analysis_set("advanced")), page_style("elsevier", columns)
    only = SurrogateOnlyMark("Mine", 0.05, -0.1, 0.2, 0.0, -0.3, 0.3)
    with style(page):
        axes = plot_bubble(result, surrogate_only=(only,), page=page)
        (text,) = [text for text in axes.texts if "comparisons" in text.get_text() and text.get_gid() != HALO]
        box = text.get_window_extent()
        x, bottom = axes.transData.transform((only.log_hr, only.predicted_high))
        assert x < box.x0 or x > box.x1 or bottom < box.y0
        name = next(text for text in axes.texts if text.get_text() == "Mine")
        assert name.get_window_extent().y1 < axes.get_legend().get_window_extent().y0 or columns == 2


def test_an_interval_that_leaves_the_axes_ends_in_an_arrow(trials):
    result = WeightedRegression().fit(trials.analysis_set("intermediate"))
    new = PredictedTrial("New", -0.4, -0.6, -0.2, -0.2, -0.4, 0.0, -6.0, 6.0)
    axes = plot_bubble(result, new_trial=new)
    low, high = axes.get_ylim()
    ends = {line.get_marker(): line.get_ydata()[0] for line in axes.lines if line.get_marker() in "^v"}
    assert ends == {"^": high, "v": low}


@pytest.mark.parametrize("journal", ["elsevier", "lancet"])
@pytest.mark.parametrize("name", ["llovet-2019-ttp", "advanced"])
def test_threshold_with_its_interval_lies_within_the_axes(name, journal, trials):
    model = BivariateBayes()
    result = with_threshold_targets(model, model.fit(trials.analysis_set(name)))
    page = page_style(journal)
    with style(page):
        axes = plot_bubble(result, show=("ste",), page=page)
        axes.figure.draw_without_rendering()
        renderer = FigureCanvasAgg(axes.figure).get_renderer()
        label = next(text for text in axes.texts if text.get_text().startswith("STE"))
        assert result["ste_prediction"].uncertainty_words in label.get_text().replace("\n", " ")
        box, frame = label.get_window_extent(renderer), axes.get_window_extent(renderer)
        assert frame.x0 < box.x0 < box.x1 < frame.x1
