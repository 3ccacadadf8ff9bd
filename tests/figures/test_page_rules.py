"""Every figure of both commands at one and two columns of every journal: what a journal would return to the authors."""

import importlib
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.lines import Line2D

import surrogacy.figures
from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.analysis.settings import PpsSettings
from surrogacy.analysis.stages import advance, in_order
from surrogacy.cli.fit import parser
from surrogacy.cli.options import fit_settings
from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.evaluation.refits import choice_record
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.figures import _style as style
from surrogacy.figures.saving import PNG_DPI, save
from surrogacy.models import WeightedRegression
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.pps.at_risk import compare_at_risk
from surrogacy.pps.decomposition import FEWEST_RESAMPLES, decompose_all, main_decomposition
from surrogacy.pps.dilution_map import dilution_map, dilution_points
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.report.folder import FIT
from surrogacy.report.section import drawing
from surrogacy.report.sections import pps_drawings
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from tests.support.drawn_colours import (
    DEUTERANOPIA,
    distance_for_deuteranopes,
    distance_in_grey,
    hues,
    lab,
    linear,
)
from tests.support.drawn_page import MM, page_faults
from tests.support.pinned_tables import PINNED

FIT_FIGURES = (
    "bubble-advanced",
    "bubble-intermediate",
    "bubble-tactics-2022",
    "forest-advanced-1",
    "forest-tactics-2022",
    "posterior-tactics-2022",
    "priors-tactics-2022",
    "prediction",
    "placement-tactics",
)
OTHER_FIGURES = ("added", "choices", "class-slopes", "cross-validation")
PPS_FIGURES = (
    "dilution-map",
    "waterfall-tactics",
    "waterfall-tactics-supplement",
    "hazard-ratio-over-time-tactics",
    "arms",
    "moderated-pps-ratio",
)
NAMES = (*FIT_FIGURES, *PPS_FIGURES, *OTHER_FIGURES)


@pytest.fixture(scope="module")
def fit_figures():
    """Figures of a fit of three sets with the prediction for a new trial."""
    arguments = ["tactics-2022", "intermediate", "advanced", *PINNED, "--predict", "0.6", "0.45", "0.8"]
    run = FitRun(fit_settings(parser().parse_args(arguments))[0])
    *_, complete = advance(run, [*FIT.table_stages, *FIT.stages], in_order)
    return {figure.name: figure for figure in FIT.drawings(complete)}


@pytest.fixture(scope="module")
def pps_figures(trials, audit, moderation):
    """Figures of a run on post-progression survival."""
    focus = read_inputs(trials, "tactics")
    decompositions = decompose_all(focus, resamples=FEWEST_RESAMPLES)
    run = PpsRun(
        settings=PpsSettings(),
        trial_set=trials,
        effects=trials.analysis_set("all"),
        focus=focus,
        decompositions=decompositions,
        at_risk=compare_at_risk(focus, main_decomposition(decompositions).calibration),
        arms=(audit,),
        map=dilution_map(),
        points=dilution_points(trials),
    )
    moderated = drawing("moderated_lines", "moderated-pps-ratio", "", moderation, alternative="")
    return {figure.name: figure for figure in (*pps_drawings(run), moderated)}


@pytest.fixture(scope="module")
def other_figures(trials):
    """Figures of ``--add`` and ``--sensitivity``, and of a model that is fitted only on request."""
    effects = trials.analysis_set("intermediate")
    model = WeightedRegression()
    choices = [choice_record(refit) for refit in vary_one_choice(model, trials, "intermediate")]
    of_all = trials.analysis_set("all")
    classes = [f"slope[{name}]" for name in dict.fromkeys(of_all.covariates["class"])]
    slopes = {name: Estimate(0.5, 0.2, 0.1, 0.9, 0.95, "draws") for name in ("slope", *classes)}
    by_class = Result("class-exchangeable", {"exchangeability": "full"}, of_all, slopes)

    def figure(plot, *arguments, **keywords):
        return drawing(plot, "", "", *arguments, alternative="", **keywords)

    return {
        "added": figure("added", model.fit(effects.without_trial("tactics")), model.fit(effects), added=("tactics",)),
        "choices": figure("choices", choices),
        "class-slopes": figure("class_slopes", by_class),
        "cross-validation": figure("cross_validation", cross_validate(model, effects), final="OS"),
    }


@pytest.fixture(scope="module")
def figures(fit_figures, pps_figures, other_figures):
    return {**fit_figures, **pps_figures, **other_figures}


def draw(drawing, page):
    """Figure of a drawing on a page."""
    module, _, function = drawing.plot.partition(":")
    axes = getattr(importlib.import_module(module), function)(*drawing.arguments, page=page, **drawing.keywords)
    return (axes if not isinstance(axes, list | tuple) else axes[0]).get_figure(root=True)


def test_every_kind_of_figure_is_examined(figures):
    kinds = {name.removeprefix("plot_").replace("_", "-") for name in dir(surrogacy.figures) if name[:5] == "plot_"}
    assert {figures[name].kind for name in NAMES} == kinds


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("journal", PRESETS)
@pytest.mark.parametrize("columns", [1, 2])
def test_figure_is_without_fault(name, journal, columns, figures):
    page = page_style(journal, columns)
    with style.style(page):
        assert list(page_faults(draw(figures[name], page), page)) == []


@pytest.mark.parametrize("columns", [1, 2])
def test_saved_figure_is_as_wide_as_the_page(columns, pps_figures, tmp_path):
    page = page_style("karger", columns)
    with style.style(page):
        save(draw(pps_figures["waterfall-tactics"], page), Path(tmp_path) / "figure", ("png",))
    pixels = matplotlib.image.imread(tmp_path / "figure.png").shape[1]
    assert pixels / PNG_DPI * MM == pytest.approx(page.width, abs=MM / PNG_DPI)


def test_faults_are_reported():
    page = page_style("nature", 1)
    figure = style.new_figure(page.width + 1, 250)
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1], [0, 1], lw=0.4)
    axes.plot([0.5], [0.5], "o", ms=8)
    axes.text(0.5, 0.5, "on the symbol", fontsize=6)
    axes.text(0.5, 0.5, "on the text", fontsize=5)
    figure.text(-0.1, 0.5, "outside")
    handles = [Line2D([], [], marker="o", ls="", color=colour, label=colour) for colour in ("#D00000", "#407000")]
    figure.legend(handles=handles)
    faults = " ".join(page_faults(figure, page))
    for words in (
        "90.0 mm wide on a page of 89.0 mm",
        "250 mm high",
        "'on the text' has 5.0 points",
        "'outside' leaves the figure",
        "'on the symbol' overlaps 'on the text'",
        "'on the symbol' covers the symbol",
        "has a line of 0.40 points",
        "'#D00000' looks like '#407000'",
    ):
        assert words in faults


def test_colours_in_the_eyes_of_readers():
    # Machado et al. 2009: the rows of a matrix add up to 1, so that greys stay greys
    assert DEUTERANOPIA.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert distance_in_grey("white", "black") == pytest.approx(100)
    # CIELAB of sRGB red in tables of colours: L* = 53.24, a* = 80.09, b* = 67.20
    assert lab(linear(["red"]))[0] == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert distance_for_deuteranopes("#D00000", "#407000") < 0.5 * np.linalg.norm(
        np.subtract(*lab(linear(["#D00000", "#407000"])))
    )
    okabe_ito = ["#0072B2", "#E69F00", "#F0E442", "#009E73", "#D55E00", "#CC79A7"]
    assert hues([*okabe_ito, "0.5", "white"]) == 6
    assert hues(["#D00000", "#F08080"]) == 1
    assert hues(["0.3", "white"]) == 0
