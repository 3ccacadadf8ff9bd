"""Texts of the figures at one and two columns of every journal: of 6 points, apart, and clear of the symbols."""

import pytest

from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.evaluation.placement import focus_comparisons, place, placement_record
from surrogacy.evaluation.refits import choice_record, prior_record, prior_sensitivity
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.figures import (
    plot_choices,
    plot_class_slopes,
    plot_cross_validation,
    plot_dilution_map,
    plot_forest,
    plot_hazard_ratio_over_time,
    plot_moderated_lines,
    plot_placement,
    plot_posterior,
    plot_pps_arms,
    plot_prior_sensitivity,
    plot_waterfall,
)
from surrogacy.figures._style import style
from surrogacy.figures.labels import HALO
from surrogacy.models import BivariateBayes, BivariateRandomEffects, WeightedRegression
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.pps.at_risk import compare_at_risk
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.dilution_map import dilution_map, dilution_points
from surrogacy.pps.moderators import pps_ratio
from surrogacy.results.class_order import class_pages
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from tests.support.added_trial import with_trial
from tests.support.drawn_labels import label_faults
from tests.support.drawn_page import size_faults, text_faults

pytestmark = [pytest.mark.parametrize("journal", PRESETS), pytest.mark.parametrize("columns", [1, 2])]


@pytest.fixture
def page(journal, columns):
    chosen = page_style(journal, columns)
    with style(chosen):
        yield chosen


def faults(axes, page):
    """Faults of the texts, and of the size of the figure."""
    return [*size_faults(axes.figure, page), *text_faults(axes.figure)]


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


@pytest.fixture(scope="module", params=["tactics-2022", "llovet-2019-pfs", "advanced", "all"])
def pooled(request, trials):
    return BivariateRandomEffects().fit(trials.analysis_set(request.param))


@pytest.fixture(scope="module", params=["tactics-2022", "llovet-2019-pfs"])
def bayes(request, trials):
    return BivariateBayes().fit(trials.analysis_set(request.param))


@pytest.fixture(scope="module")
def priors(trials):
    refits = prior_sensitivity(BivariateBayes(), trials.analysis_set("tactics-2022"))
    return [prior_record(refit) for refit in refits]


@pytest.fixture(scope="module")
def choices(trials):
    return [choice_record(refit) for refit in vary_one_choice(WeightedRegression(), trials, "advanced")]


@pytest.fixture(scope="module")
def moderated(trials):
    effects = trials.analysis_set("advanced-immunotherapy")
    return ModeratedLine().fit(effects, pps_ratio(trials, effects))


@pytest.fixture(scope="module")
def chart(trials):
    return dilution_map(), dilution_points(trials)


@pytest.mark.slow
def test_forest(page, pooled):
    for part in range(len(class_pages(pooled))):
        left, _ = plot_forest(pooled, focus="tactics", part=part, page=page)
        assert faults(left, page) == []


@pytest.mark.slow
def test_posterior(page, bayes):
    assert faults(plot_posterior(bayes, page=page)[0], page) == []


@pytest.mark.slow
def test_prior_sensitivity(page, priors):
    assert faults(plot_prior_sensitivity(priors, unverified=True, page=page)[0], page) == []


@pytest.mark.slow
def test_choices(page, choices):
    assert faults(plot_choices(choices, page=page)[0], page) == []


@pytest.mark.slow
def test_cross_validation(page, predictions):
    axes = plot_cross_validation(predictions, final="OS", page=page)
    assert faults(axes, page) == []
    assert len([text for text in axes.texts if text.get_text()[:8] in ("My trial", "A name m")]) == 1


def test_class_slopes(page, trials):
    effects = trials.analysis_set("all")
    classes = [f"slope[{name}]" for name in dict.fromkeys(effects.covariates["class"])]
    estimates = {name: Estimate(-1.25, 0.4, -2.05, 1.55, 0.95, "draws") for name in ("slope", *classes)}
    result = Result("class-exchangeable", {"exchangeability": "full"}, effects, estimates)
    assert faults(plot_class_slopes(result, page=page), page) == []


@pytest.mark.slow
@pytest.mark.parametrize("focus", ["tactics", "reach"])
def test_arms(page, focus, audit):
    left, right, _, _ = plot_pps_arms(audit, focus=focus, page=page)
    assert faults(left, page) == []
    for axes in (left, right):
        (name,) = [text for text in axes.texts if text.get_fontweight() == "bold" and text.get_gid() != HALO]
        arm = max((arm for arm in audit.arms if arm.trial == focus), key=lambda arm: arm.median_os.value)
        months = arm.pps(audit.definition).months if axes is left else arm.median_pfs.value
        assert list(label_faults(axes, {name.get_text(): (months, arm.median_os.value)})) == []


def test_placement(page, placement):
    assert faults(plot_placement(*placement, page=page), page) == []


def test_waterfall(page, tactics_decomposition, tactics):
    other = decompose(tactics, "L", resamples=100)
    for shown in ([tactics_decomposition], [tactics_decomposition, other] * 2):
        assert faults(plot_waterfall(shown, page=page), page) == []


def test_hazard_ratio_over_time(page, tactics_decomposition, tactics):
    calibration = tactics_decomposition.calibration
    compared = compare_at_risk(tactics, calibration)
    assert faults(plot_hazard_ratio_over_time(tactics, [calibration], compared, page=page), page) == []


@pytest.mark.slow
def test_dilution_map(page, chart):
    assert faults(plot_dilution_map(*chart, focus="tactics", page=page)[0], page) == []


@pytest.mark.slow
def test_moderated_lines(page, moderated):
    effects = moderated.posterior.effects
    axes = plot_moderated_lines(moderated, page=page)
    assert list(label_faults(axes, dict(zip(effects.labels, effects.log_hr, strict=True)))) == []
    assert faults(axes, page) == []
