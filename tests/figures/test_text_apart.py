"""Texts of the other figures: apart from each other, within the figure, and clear of the symbols."""

from itertools import combinations

import pytest
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.evaluation.placement import focus_comparisons, place, placement_record
from surrogacy.figures import (
    plot_class_slopes,
    plot_cross_validation,
    plot_moderated_lines,
    plot_placement,
    plot_pps_arms,
)
from surrogacy.figures._style import style
from surrogacy.models import WeightedRegression
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.pps.moderators import pps_ratio
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from tests.support.added_trial import with_trial
from tests.support.drawn_labels import label_faults, overlap

pytestmark = pytest.mark.parametrize("journal", PRESETS)


def drawn_texts(figure):
    """Texts that a reader sees, except the numbers of the axes, and their boxes in points."""
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    ticks = {label for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in ticks:
            yield text.get_text(), text.get_window_extent(renderer).extents / (figure.dpi / 72)


def text_faults(figure):
    texts, frame = list(drawn_texts(figure)), figure.bbox.extents / (figure.dpi / 72)
    for name, box in texts:
        if (box[:2] < frame[:2]).any() or (box[2:] > frame[2:]).any():
            yield f"{name!r} leaves the figure"
    for (first, box), (second, other) in combinations(texts, 2):
        if overlap(box, other):
            yield f"{first!r} touches {second!r}"


@pytest.fixture(scope="module", params=["My trial", "A name much longer than the names that fit beside axes (2026)"])
def predictions(request, trials):
    effects = with_trial(trials.analysis_set("intermediate"), (-1.1, 0.4), request.param)
    return cross_validate(WeightedRegression(), effects)


@pytest.fixture(scope="module", params=["tactics", "brisk-ta", "emerald-3"])
def placement(request, trials):
    sets = [trials.analysis_set(name) for name in ("intermediate", "advanced")]
    model = WeightedRegression()
    fits = [(effects, [model.fit(effects)]) for effects in sets]
    focus = focus_comparisons(trials, sets, request.param)[0]
    records = [placement_record(placement) for placement in place(focus, [model], fits)]
    return focus, [results[0] for _, results in fits], records


@pytest.fixture(scope="module")
def moderated(trials):
    effects = trials.analysis_set("advanced-immunotherapy")
    return ModeratedLine().fit(effects, pps_ratio(trials, effects))


@pytest.mark.slow
def test_cross_validation(journal, predictions):
    with style(page_style(journal)):
        axes = plot_cross_validation(predictions, "intermediate", final="OS")
        assert list(text_faults(axes.figure)) == []
    assert len([text for text in axes.texts if text.get_text()[:8] in ("My trial", "A name m")]) == 1


def test_class_slopes(journal, trials):
    effects = trials.analysis_set("all")
    classes = [f"slope[{name}]" for name in dict.fromkeys(effects.covariates["class"])]
    estimates = {name: Estimate(-1.25, 0.4, -2.05, 1.55, 0.95, "draws") for name in ("slope", *classes)}
    with style(page_style(journal)):
        axes = plot_class_slopes(Result("class-exchangeable", {"exchangeability": "full"}, effects, estimates))
        assert list(text_faults(axes.figure)) == []


@pytest.mark.slow
@pytest.mark.parametrize("focus", ["tactics", "reach"])
def test_arms(journal, focus, audit):
    with style(page_style(journal)):
        left, right, _, _ = plot_pps_arms(audit, focus=focus)
        assert list(text_faults(left.figure)) == []
        for axes in (left, right):
            (name,) = [text for text in axes.texts if text.get_fontweight() == "bold"]
            arm = max((arm for arm in audit.arms if arm.trial == focus), key=lambda arm: arm.median_os.value)
            months = arm.pps(audit.definition).months if axes is left else arm.median_pfs.value
            assert list(label_faults(axes, {name.get_text(): (months, arm.median_os.value)})) == []


@pytest.mark.slow
def test_placement(journal, placement):
    focus, results, records = placement
    with style(page_style(journal)):
        axes = plot_placement(focus, results, records)
        assert list(text_faults(axes.figure)) == []
        cuts = {cut.name: (cut.log_hr, focus.effects.log_hr[0, 1]) for cut in focus.cuts}
        assert list(label_faults(axes, cuts)) == []


@pytest.mark.slow
def test_moderated_lines(journal, moderated):
    effects = moderated.posterior.effects
    with style(page_style(journal)):
        axes = plot_moderated_lines(moderated)
        assert list(label_faults(axes, dict(zip(effects.labels, effects.log_hr, strict=True)))) == []
