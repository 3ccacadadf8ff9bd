"""Changes of the estimates by added trials, compared with direct fits and with the width of the interval before."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy import models
from surrogacy.evaluation.changes import PREDICTED, SMALL_SHIFT, Change, SetChange, changes, prediction_changes
from surrogacy.evaluation.placement import focus_comparisons, place, shown_placements
from surrogacy.trials import read_trials
from tests.support.pinned_tables import PINNED_TABLES

ADDED = (
    "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage\n"
    "My trial,200,198,0.62,0.48,0.80,0.81,0.62,1.06,intermediate\n"
)
CHANGE = Change("all", "bivariate-bayes", 9, 10, (), (), "", "", "slope", 0.5, 0.6, 0.1, 0.9)


class Fitted:
    """Results of models on a set."""

    not_fitted = ()

    def __init__(self, effects, names=("weighted-pearson", "bivariate-bayes")):
        self.name, self.effects = effects.name, effects
        self.results = tuple(models.create(name).fit(effects) for name in names)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    path = tmp_path_factory.mktemp("added") / "mine.csv"
    path.write_text(ADDED)
    return read_trials(PINNED_TABLES, path)


@pytest.fixture(scope="module")
def fits(tables):
    """Intermediate stage without and with the added trial."""
    return [Fitted(each.analysis_set("intermediate")) for each in (tables.without_added(), tables)]


def test_changes_are_those_of_both_fits_with_their_intervals(fits):
    rows = {(row.model, row.estimate): row for row in changes([fits[0]], [fits[1]])}
    assert set(rows) == {
        ("weighted-pearson", "r"),
        *(("bivariate-bayes", name) for name in ("r2_trial", "slope", "ste_prediction")),
    }
    for (model, name), row in rows.items():
        before, after = ({result.model: result for result in fit.results}[model] for fit in fits)
        assert (row.k_before, row.k_after) == (9, 10)
        if name == "ste_prediction":
            assert (row.before, row.after) == (before[name].hr, after[name].hr)
            assert row.before_low is row.shift_ratio is None
            continue
        assert (row.before, row.before_low, row.before_high) == (
            before[name].value,
            before[name].low,
            before[name].high,
        )
        assert (row.after, row.after_low, row.after_high) == (after[name].value, after[name].low, after[name].high)
        half_width = (before[name].high - before[name].low) / 2
        assert row.shift_ratio == pytest.approx(abs(after[name].value - before[name].value) / half_width, rel=1e-12)
        assert row.record["shift_ratio"] == row.shift_ratio


def test_the_predicted_effect_of_another_trial_is_compared_on_the_log_scale(tables, fits):
    model = models.create("bivariate-bayes")
    (focus,) = focus_comparisons(tables, [fits[1].effects], "tactics")
    placements = [place(focus, [model], [(fit.effects, fit.results)]) for fit in fits]
    (row,) = prediction_changes(*placements)
    first = [shown_placements(each)[0] for each in placements]
    assert (row.estimate, row.subject, row.set) == (PREDICTED, "tactics", "intermediate")
    assert [row.before, row.after] == [each.predicted for each in first]
    assert [row.before_low, row.before_high] == [first[0].low_95, first[0].high_95]
    half_width = np.log(first[0].high_95 / first[0].low_95) / 2
    assert row.shift_ratio == pytest.approx(abs(np.log(row.after / row.before)) / half_width, rel=1e-12)
    assert [each.k for each in first] == [row.k_before, row.k_after] == [8, 9]


@pytest.mark.parametrize(
    ("fields", "ratio"),
    [
        ({}, 0.25),
        ({"after": 0.4}, 0.25),
        ({"after": 0.5}, 0.0),
        ({"before": None}, None),
        ({"after": None}, None),
        ({"before_low": None, "before_high": None}, None),
        ({"before_low": 0.5, "before_high": 0.5}, None),
        ({"before_low": -np.inf, "before_high": np.inf}, 0.0),
        ({"estimate": PREDICTED, "before": 0.5, "after": 1.0, "before_low": 0.25, "before_high": 1.0}, 1.0),
    ],
)
def test_shift_as_a_share_of_the_half_width_before(fields, ratio):
    assert replace(CHANGE, **fields).shift_ratio == (None if ratio is None else pytest.approx(ratio))


@pytest.mark.parametrize(("after", "small"), [(0.5, True), (0.599, True), (0.601, False), (0.399, False)])
def test_a_change_is_small_below_the_limit(after, small):
    assert SMALL_SHIFT == 0.25
    rows = (replace(CHANGE, estimate="r2_trial", after=0.5), replace(CHANGE, after=after))
    change = SetChange("all", ("mine",), {}, rows)
    assert change.small is small
    assert change.record["small"] is small
    assert change.record["largest_shift_ratio"] == pytest.approx(abs(after - 0.5) / 0.4)


def test_without_an_interval_before_the_change_is_neither_small_nor_large():
    change = SetChange("all", ("mine",), {}, (replace(CHANGE, before=None),))
    assert change.small is change.largest is None
    assert change.record["largest_shift"] is None
