from collections import Counter

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import FillBetweenPolyCollection, PathCollection

from surrogacy.evaluation.refits import PRIOR_SETS, prior_record, prior_sensitivity
from surrogacy.figures import (
    bubble_data,
    class_slopes_data,
    forest_data,
    plot_bubble,
    plot_class_slopes,
    plot_forest,
    plot_posterior,
    plot_prior_sensitivity,
    posterior_data,
    prior_sensitivity_data,
)
from surrogacy.figures._style import style
from surrogacy.figures.choices import plot_choices
from surrogacy.figures.labels import HALO
from surrogacy.figures.saving import save
from surrogacy.models import (
    BivariateBayes,
    BivariateRandomEffects,
    MetaRegression,
    WeightedPearson,
    WeightedRegression,
)
from surrogacy.models.sampled.draws import SampledPosterior
from surrogacy.output.page_style import PRESETS, page_style
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from surrogacy.trials.analysis_set import Pairing


@pytest.fixture(scope="module")
def tactics(trials):
    return trials.analysis_set("tactics-2022")


@pytest.fixture(scope="module")
def llovet(trials):
    return trials.analysis_set("llovet-2019-pfs")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_bubble_data(tactics):
    data = bubble_data(WeightedRegression().fit(tactics))
    assert len(data) == 6
    assert data["area"].max() == 1
    # area, not radius, in proportion to the patients
    assert data.set_index("trial")["area"]["tactics"] == pytest.approx(156 / 889)
    assert data.set_index("trial")["unverified"].to_dict()["post-tace"]
    assert not data.set_index("trial")["unverified"].to_dict()["tactics"]


def test_areas_drawn_are_in_proportion_to_the_patients(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics))
    symbols = [collection for collection in axes.collections if isinstance(collection, PathCollection)]
    sizes = np.concatenate([symbol.get_sizes() for symbol in symbols])
    assert len(sizes) == len(tactics)
    n = np.sort(tactics.n)
    assert np.sort(sizes) / sizes.max() == pytest.approx(n / n.max())


def test_axes_are_hazard_ratios_on_log_scales(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics))
    for ticks, labels in ((axes.get_xticks(), axes.get_xticklabels()), (axes.get_yticks(), axes.get_yticklabels())):
        assert np.exp(ticks) == pytest.approx([float(label.get_text()) for label in labels])
    assert axes.get_xlabel() == "Hazard ratio for PFS or TTP (< 1 favours experimental)"
    assert axes.get_ylabel() == "Hazard ratio for OS"


def test_line_over_the_data_only_and_bands(llovet):
    result = WeightedRegression().fit(llovet)
    axes = plot_bubble(result)
    line = max((one for one in axes.lines if len(one.get_xdata()) == 200), key=lambda one: one.get_linewidth())
    assert (line.get_xdata().min(), line.get_xdata().max()) == pytest.approx(result.line.data_range)
    x = line.get_xdata()
    for panel, bands in (
        (axes, ["prediction"]),
        (plot_bubble(result, show=("confidence",)), ["prediction", "confidence"]),
    ):
        drawn = [collection for collection in panel.collections if isinstance(collection, FillBetweenPolyCollection)]
        assert len(drawn) == len(bands)
        for collection, band in zip(drawn, bands, strict=True):
            _, low, high = result.line.predict(x, band=band)
            corners = collection.get_paths()[0].get_extents()
            assert (corners.y0, corners.y1) == pytest.approx((low.min(), high.max()))


def test_threshold_or_a_word_that_there_is_none(tactics, llovet):
    assert "STE 0.52" in texts(plot_bubble(WeightedRegression().fit(llovet), show=("ste",)))
    assert "no STE" in texts(plot_bubble(WeightedRegression().fit(tactics), show=("ste",)))


def test_all_labels_for_few_trials_and_the_focus_in_bold(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics), focus="tactics")
    named = {text.get_text(): text for text in axes.texts if text.get_gid() != HALO}
    assert {"TACTICS", "SPACE", "BRISK-TA", "ORIENTAL", "TACE-2", "Post-TACE"} <= set(named)
    assert named["TACTICS"].get_fontweight() == "bold"


def test_labels_do_not_overlap(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics), focus="tactics")
    axes.figure.canvas.draw()
    boxes = [
        text.get_window_extent() for text in axes.texts if text.get_text() in tactics.labels and text.get_gid() != HALO
    ]
    assert len(boxes) == 6
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])


def test_a_correlation_has_no_line(tactics):
    axes = plot_bubble(WeightedPearson().fit(tactics))
    assert not [one for one in axes.lines if len(one.get_xdata()) == 200]


def test_boundary_is_said_in_the_figure(tactics):
    axes = plot_bubble(BivariateRandomEffects().fit(tactics))
    assert any("boundary solution" in text for text in texts(axes))


def test_forest_rows(tactics):
    rows = forest_data(BivariateRandomEffects().fit(tactics))
    assert Counter(row.kind for row in rows) == {"comparison": 6, "heading": 1, "pooled": 1, "prediction": 1}
    plain = forest_data(WeightedPearson().fit(tactics))
    assert {row.kind for row in plain} == {"comparison", "heading"}


def test_forest_shows_both_endpoints_and_marks_the_unverified(tactics):
    left, right = plot_forest(BivariateRandomEffects().fit(tactics), focus="tactics")
    assert (left.get_title(), right.get_title()) == ("PFS or TTP", "OS")  # as on the axis of the bubble plot
    assert "0.59 (0.41 to 0.86)" in texts(left)  # recomputed from the standard error: printed 0.41-0.87
    assert "0.86 (0.61 to 1.22)" in texts(right)
    assert "Post-TACE †" in texts(left)  # the most frequent endpoint is named once, in a note
    note = texts(left)[-1]
    assert "TTP unless another surrogate endpoint is named." in note
    assert "† A hazard ratio or its limits were not verified in any source." in note
    assert "I²\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}61%" in note


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_presets_draw_and_save_the_same_bytes_twice(name, tactics, tmp_path):
    result = WeightedRegression().fit(tactics)
    saved = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        with style(page_style(name)):
            figure = plot_bubble(result).figure
            assert save(figure, tmp_path / folder / "figure", ("svg", "pdf", "png")) == [
                "figure.svg",
                "figure.pdf",
                "figure.png",
            ]
        saved.append([(tmp_path / folder / f"figure.{ending}").read_bytes() for ending in ("svg", "pdf", "png")])
    assert saved[0] == saved[1]
    assert b"<text" in saved[0][0]  # editable text


def test_tiff_on_request(tactics, tmp_path):
    with style(page_style("elsevier")):
        figure = plot_forest(WeightedPearson().fit(tactics))[0].figure
        save(figure, tmp_path / "figure", ("tiff",))
    assert (tmp_path / "figure.tiff").read_bytes()[:2] in (b"II", b"MM")


def test_posterior_figure_shows_the_posterior(tactics, llovet):
    result = BivariateBayes().fit(llovet)
    data = posterior_data(result)
    square = data["r2_trial"]
    assert square["posterior"].sum() == pytest.approx(1)
    assert square["prior"].sum() == pytest.approx(1)
    # rho uniform: P(r2 < q) = sqrt(q)
    assert square["prior"].cumsum().iloc[19] == pytest.approx(np.sqrt(20 / 80))
    assert np.minimum(square["prior"], square["posterior"]).sum() == pytest.approx(
        result["prior_overlap"].value, abs=0.02
    )
    middle = (data["slope"]["low"] + data["slope"]["high"]) / 2
    assert np.average(middle, weights=data["slope"]["posterior"]) == pytest.approx(result["slope"].value, abs=0.02)
    assert abs(data["line"]["slope"].median() - result["slope"].value) < 0.02
    left, middle_axes, right = plot_posterior(result)
    assert left.get_xlabel() == "Trial-level R²"
    assert left.get_title(loc="left") == "Overlap with the prior 43%"
    assert middle_axes.get_title(loc="left") == "P(slope > 0) > 0.999"
    assert right.get_ylabel() == "Intercept (log HR)"
    assert right.get_title(loc="left") == "Draws of the line"
    assert not any("unverified" in text for text in texts(left))
    assert "Includes unverified hazard ratios." in texts(plot_posterior(BivariateBayes().fit(tactics))[0])


def test_posterior_figure_of_a_model_without_r2(llovet):
    tree = xr.DataTree.from_dict(
        {
            group: xr.Dataset(
                {
                    name: (("chain", "draw"), np.random.default_rng(1).normal(size=(2, 400)))
                    for name in ("slope", "intercept")
                }
            )
            for group in ("posterior", "prior")
        }
    )
    estimate = Estimate(0.0, 1.0, -2.0, 2.0, 0.95, "draws")
    result = Result("sampled", {}, llovet, {"slope": estimate, "intercept": estimate}, posterior=SampledPosterior(tree))
    assert "r2_trial" not in posterior_data(result)
    assert posterior_data(result)["slope"]["prior"].notna().all()
    assert [axes.get_xlabel() for axes in plot_posterior(result)] == ["Slope", "Slope"]  # density and draws


def test_prior_sensitivity_figure(tactics):
    records = [prior_record(refit) for refit in prior_sensitivity(BivariateBayes(), tactics)]
    data = prior_sensitivity_data([*records, {"prior": "broken", "problem": "none"}])
    assert list(data["prior"]) == list(PRIOR_SETS)
    left, right = plot_prior_sensitivity(records, unverified=True)
    assert "Includes unverified hazard ratios." in " ".join(texts(left)[-1].split())
    assert "STE" not in texts(right)  # no prior gives six trials a threshold
    assert "No surrogate threshold effect exists with any of these priors." in " ".join(texts(left)[-1].split())
    marks = np.concatenate([line.get_xdata() for line in left.lines if line.get_marker() in ("o", "D")])
    assert marks == pytest.approx([record["r2_trial"] for record in records])


def test_class_slopes_figure(trials):
    effects = trials.analysis_set("advanced-first-line")
    estimates = {
        name: Estimate(value, 0.1, value - 0.3, value + 0.3, 0.95, "draws")
        for name, value in (("slope", 0.5), ("slope[ici]", 0.4), ("slope[antiangiogenic-tki]", 0.6))
    }
    result = Result("class-exchangeable", {"exchangeability": "full"}, effects, estimates)
    data = class_slopes_data(result)
    assert list(data["class"])[:2] == ["antiangiogenic-tki", "ici"]  # the larger class first, the mean last
    assert data["mean"].tolist() == [False, False, True]
    assert data["comparisons"].iloc[-1] == len(effects)
    axes = plot_class_slopes(result)
    assert {"Mean of the classes", "32"} <= set(texts(axes))
    assert "0.60 (0.30 to 0.90)" in texts(axes)


def test_forest_shows_the_comparisons_of_the_fit_that_report_one_endpoint(trials):
    effects = trials.analysis_set_with_flow("intermediate", Pairing(one_endpoint="include")).effects
    assert (len(effects), int(effects.complete.sum())) == (13, 9)
    left, right = plot_forest(BivariateRandomEffects().fit(effects))
    drawn = {text.strip() for text in texts(left)}
    assert all(any(label in text for text in drawn) for label in effects.labels)
    assert texts(right).count("not reported") + texts(left).count("not reported") == 4
    # a model of pairs does not include them
    pairs = forest_data(WeightedRegression().fit(effects))
    assert sum(row.kind == "comparison" for row in pairs) == 9


def test_bubble_plot_of_a_model_without_r2_states_the_residual_sd(trials):
    axes = plot_bubble(MetaRegression().fit(trials.analysis_set("advanced")))
    assert any("Residual SD = 0.0" in text for text in texts(axes))


def test_choices_are_named_in_words():
    record = {"k": 6, "fitted": 6, "same_data": True, "r2_trial": 0.3, "slope": 0.4}
    values = (("base", ""), ("weights", "sqrt-n"), ("rho_within", "shared-patients"), ("rho_within", 0.3))
    left, _ = plot_choices([record | {"varied": varied, "value": value} for varied, value in values])
    assert {"root of number of patients", "shared patients", "0.3"} <= set(texts(left))
