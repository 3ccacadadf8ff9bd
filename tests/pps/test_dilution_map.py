"""The dilution map and its figure."""

import csv
import time

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from surrogacy.errors import UsageError
from surrogacy.figures.dilution_map import dilution_map_data, plot_dilution_map
from surrogacy.pps.dilution import diluted_hazard_ratio, retained_share
from surrogacy.pps.dilution_map import DilutionPoint, dilution_map, dilution_points
from surrogacy.pps.structure import TransitionStructure
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath
from tests.conftest import ROOT


def test_dilution_to_the_printed_digits():
    # an independent solution of the Cox limit, follow-up in median PFS of the control arm
    with (ROOT / "tests" / "reference" / "data" / "dilution_map.csv").open(encoding="utf-8") as file:
        cases = list(csv.DictReader(file))
    for follow_up, name in ((None, "complete"), ((4.0, 8.0), "4 to 8")):
        rows = [row for row in cases if row["follow_up"] == name]
        hr, q, ratio, os, share = (
            np.array([float(row[key]) for row in rows]) for key in ("hr_pfs", "q", "ratio", "hr_os", "share")
        )
        assert len(rows) == 135
        assert diluted_hazard_ratio(hr, ratio, q, follow_up) == pytest.approx(os, abs=5.1e-5)
        assert retained_share(hr, ratio, q, follow_up) == pytest.approx(share, abs=5.1e-5)


def test_the_map_is_quick_and_agrees_with_single_arms():
    dilution_map()
    start = time.perf_counter()
    chart = dilution_map(0.661, 0.097)
    assert time.perf_counter() - start < 1.0
    lam = np.log(2)
    arms = [IllnessDeath(0.903 * hr * lam, 0.097 * hr * lam, lam / chart.ratios[20]) for hr in (1, 0.661)]
    mean = chart.follow_ups[7]
    expected = np.log(cox_hazard_ratio(*arms, censoring=(2 / 3 * mean, 4 / 3 * mean))) / np.log(0.661)
    assert chart.by_follow_up[7, 20] == pytest.approx(float(expected), rel=1e-9)
    assert (np.diff(chart.complete, axis=1) < 0).all()


def test_trials_stand_where_their_medians_put_them(trials):
    found = {point.comparison: point for point in dilution_points(trials)}
    tactics = found["tactics"]
    q = 13 / 134
    model = IllnessDeath.from_medians(pfs=13.5, os=30.8, direct_death=q)
    assert tactics.pps_over_pfs == pytest.approx(float(model.median_pps) / 13.5)
    assert (tactics.hr_os, tactics.stage) == (0.861, "intermediate")
    assert tactics.follow_up == pytest.approx((52 + 113) / 2 / 13.5)
    assert len(found) > 20


def test_map_figure(trials):
    chart = dilution_map()
    off = DilutionPoint("off", "Off", "advanced", 500.0, 0.6, 0.7, "PFS", None)
    points = (*dilution_points(trials), off)
    data = dilution_map_data(chart, points)
    assert "off" not in set(data["comparison"])
    assert data.set_index("comparison")["observed"]["tactics"] == pytest.approx(
        np.log(0.861) / np.log(data.set_index("comparison")["hr_pfs"]["tactics"])
    )
    complete, trial_like, by_follow_up = plot_dilution_map(chart, points, focus="tactics")
    labels = {text.get_text() for text in trial_like.texts}
    assert {"0.5", "0.8", "TACTICS"} <= labels
    assert np.exp(complete.get_yticks()) == pytest.approx(
        [float(label.get_text()) for label in complete.get_yticklabels()]
    )
    assert "follow-up" in by_follow_up.get_ylabel()
    assert len(plot_dilution_map(chart)) == 3


def test_map_of_another_structure_shows_the_comparisons_within_its_axes(trials):
    structure = TransitionStructure(hr_direct_death=1.0, shape=1.3)
    chart = dilution_map(structure=structure)
    points = dilution_points(trials, structure)
    assert len(dilution_map_data(chart, points)) == sum(map(chart.shows, points))
    complete, *_ = plot_dilution_map(chart, points)
    symbols = [mark for mark in complete.collections if isinstance(mark, PathCollection) and mark.get_zorder() == 4]
    assert sum(len(mark.get_offsets()) for mark in symbols) == len(dilution_map_data(chart, points))


def test_contours_that_do_not_cross_the_lower_rows_are_labelled():
    _, trial_like, _ = plot_dilution_map(dilution_map())
    assert {"0.3", "0.4"} <= {text.get_text() for text in trial_like.texts}


def test_values_off_any_map_are_refused():
    for arguments, words in (
        ((1.0, 1.0), "hr_pfs 1"),
        ((0.5, 0.0), "pps_over_pfs 0"),
        ((-0.5, 1.0), "hr_pfs -0.5"),
        ((0.5, 1.0, 1.0), "direct_death 1"),
    ):
        with pytest.raises(UsageError, match=words):
            retained_share(*arguments)
