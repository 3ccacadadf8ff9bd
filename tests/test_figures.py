import numpy as np
import pytest
from matplotlib.collections import PathCollection

from surrogacy.figures import bubble_data, forest_data, plot_bubble, plot_forest
from surrogacy.figures._style import PRESETS, preset, save, style
from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression


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
    sizes = np.concatenate(
        [c.get_sizes() for c in axes.collections if isinstance(c, PathCollection) and len(c.get_sizes()) > 1]
    )
    n = np.sort(tactics.n)
    assert np.sort(sizes) / sizes.max() == pytest.approx(n / n.max())


def test_axes_are_hazard_ratios_on_one_log_scale(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics))
    assert axes.get_aspect() == 1.0
    for ticks, labels in ((axes.get_xticks(), axes.get_xticklabels()), (axes.get_yticks(), axes.get_yticklabels())):
        assert np.exp(ticks) == pytest.approx([float(label.get_text()) for label in labels])
    assert "favours experimental" in axes.get_xlabel()
    assert "favours experimental" in axes.get_ylabel()


def test_line_over_the_data_only_and_both_bands_in_the_key(llovet):
    result = WeightedRegression().fit(llovet)
    axes = plot_bubble(result)
    line = max((one for one in axes.lines if len(one.get_xdata()) == 200), key=lambda one: one.get_linewidth())
    assert (line.get_xdata().min(), line.get_xdata().max()) == pytest.approx(result.line.data_range)
    key = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "confidence (mean)" in key
    assert "prediction, new trial:\nn = 558" in key


def test_threshold_or_a_word_that_there_is_none(tactics, llovet):
    assert "STE 0.52" in texts(plot_bubble(WeightedRegression().fit(llovet)))
    assert "no STE" in texts(plot_bubble(WeightedRegression().fit(tactics)))


def test_all_labels_for_few_trials_and_the_focus_in_bold(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics), focus="tactics")
    named = {text.get_text(): text for text in axes.texts}
    assert {"TACTICS", "SPACE", "BRISK-TA", "ORIENTAL", "TACE-2", "Post-TACE"} <= set(named)
    assert named["TACTICS"].get_fontweight() == "bold"


def test_labels_do_not_overlap(tactics):
    axes = plot_bubble(WeightedRegression().fit(tactics), focus="tactics")
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text() in tactics.labels]
    assert len(boxes) == 6
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])


def test_a_correlation_has_no_line(tactics):
    axes = plot_bubble(WeightedPearson().fit(tactics))
    assert not [one for one in axes.lines if len(one.get_xdata()) == 200]


def test_boundary_is_said_in_the_figure(tactics):
    axes = plot_bubble(BivariateRandomEffects().fit(tactics))
    assert any("boundary solution" in text for text in texts(axes))
    assert any("true effect" in text.get_text() for text in axes.get_legend().get_texts())


def test_forest_rows(tactics):
    rows = forest_data(BivariateRandomEffects().fit(tactics))
    assert rows["kind"].value_counts().to_dict() == {"comparison": 6, "heading": 1, "pooled": 1, "prediction": 1}
    assert rows["share"].sum() == pytest.approx(100)
    plain = forest_data(WeightedPearson().fit(tactics))
    assert set(plain["kind"]) == {"comparison", "heading"}


def test_forest_shows_both_endpoints_and_marks_the_unverified(tactics):
    left, right = plot_forest(BivariateRandomEffects().fit(tactics), focus="tactics")
    assert (left.get_title(), right.get_title()) == ("TTP / PFS / TACE-PFS", "OS")
    assert "0.59 (0.41–0.86)" in texts(left)  # recomputed from the standard error: printed 0.41-0.87
    assert "0.86 (0.61–1.22)" in texts(right)
    assert "Post-TACE † (TTP)" in texts(left)
    assert any(text.startswith("† ") for text in texts(left))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_draw_and_save_the_same_bytes_twice(name, tactics, tmp_path):
    result = WeightedRegression().fit(tactics)
    saved = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        with style(preset(name)):
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
    with style(preset("elsevier")):
        figure = plot_forest(WeightedPearson().fit(tactics))[0].figure
        save(figure, tmp_path / "figure", ("tiff",))
    assert (tmp_path / "figure.tiff").read_bytes()[:2] in (b"II", b"MM")
