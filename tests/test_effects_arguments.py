"""``Effects.from_arrays``: lengths, ranges and kinds of its arguments."""

import numpy as np
import pandas as pd
import pytest

from surrogacy import Effects
from surrogacy.errors import UsageError
from surrogacy.models import WeightedPearson

LOG_HR = [[-0.4, -0.2], [-0.1, 0.1], [-0.7, -0.3]]
SE = [[0.2, 0.3], [0.25, 0.28], [0.15, 0.2]]
COMPLETE = {
    "rho_within": [0.4, 0.5, 0.6],
    "n": [300, 330, 410],
    "trial": ["a", "a", "b"],
    "comparison": ["a1", "a2", "b"],
    "control_group": ["c", "c", ""],
    "control_share": [[0.5, 0.4], [0.5, 0.4], [0.5, 0.6]],
    "events": [200, 0, 300],
    "labels": ["A 1", "A 2", "B"],
}


def effects(**changes):
    return Effects.from_arrays(LOG_HR, SE, **{**COMPLETE, **changes})


def test_valid_arguments_are_kept_as_they_are():
    made = effects()
    for name, value in COMPLETE.items():
        assert np.array_equal(np.asarray(getattr(made, name)), np.asarray(value)), name


def test_columns_of_a_data_frame_and_unknown_counts_are_fine():
    frame = pd.DataFrame({"n": [300, np.nan, 410], "events": [np.nan, 90, 100], "label": ["A", "B", "C"]})
    made = effects(n=frame["n"], events=frame["events"], labels=frame["label"], control_share=[0.5, 0.4])
    assert np.isnan(made.n).tolist() == [False, True, False]
    assert made.labels == ("A", "B", "C")
    assert made.control_share.tolist() == [[0.5, 0.4]] * 3


@pytest.mark.parametrize(
    "name", ["n", "events", "labels", "trial", "comparison", "control_group", "rho_within", "control_share"]
)
@pytest.mark.parametrize("size", [2, 4])
def test_another_length_is_refused_and_named(name, size):
    value = COMPLETE[name]
    with pytest.raises(UsageError, match=rf"^{name} .*\b3\b"):
        effects(**{name: value[:2] if size == 2 else [*value, value[0]]})


@pytest.mark.parametrize("name", ["trial", "comparison", "control_group", "labels"])
def test_a_text_is_not_a_sequence_of_names(name):
    """``"abc"`` has three letters, and would name three trials."""
    with pytest.raises(UsageError, match=rf"{name} must be a sequence of 3 names.*the text 'abc'"):
        effects(**{name: "abc"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("n", [300, 0, 410], "n of comparison 2 is 0: a number of patients is finite and above 0"),
        ("n", [300, 330, -410], "n of comparison 3 is -410"),
        ("n", [np.inf, 330, 410], "n of comparison 1 is inf"),
        ("events", [200, -1, 300], "events of comparison 2 is -1: a number of events is finite and 0 or more"),
        ("events", [200, np.inf, 300], "events of comparison 2 is inf"),
        ("control_share", 1.2, "control_share must lie between 0 and 1; got 1.2 to 1.2"),
        ("control_share", [0.5, 0.0], "control_share must lie between 0 and 1; got 0 to 0.5"),
        ("control_share", 1.0, "control_share must lie between 0 and 1"),
        ("control_share", np.nan, "control_share must lie between 0 and 1"),
        ("rho_within", [0.5, 0.5, 1.01], r"rho_within must lie in \[-1, 1\]"),
        ("rho_within", np.nan, r"rho_within must lie in \[-1, 1\]"),
        ("n", ["300", "many", "410"], "n must contain only numbers"),
        ("rho_within", "half", "rho_within must contain only numbers"),
    ],
)
def test_an_impossible_value_is_refused_and_named(name, value, words):
    with pytest.raises(UsageError, match=words):
        effects(**{name: value})


@pytest.mark.parametrize(
    ("log_hr", "se", "words"),
    [
        (LOG_HR, SE[:2], "shape"),
        ([-0.4, -0.2], [0.2, 0.3], "shape"),
        (LOG_HR, [["x", 0.3], *SE[1:]], "se must contain only numbers"),
        (LOG_HR, [[0.0, 0.3], *SE[1:]], "standard error must be above 0"),
        ([[np.inf, -0.2], *LOG_HR[1:]], SE, "infinite"),
    ],
)
def test_effects_and_errors(log_hr, se, words):
    with pytest.raises(UsageError, match=words):
        Effects.from_arrays(log_hr, se)


def test_a_negative_number_of_patients_never_becomes_a_weight():
    (xx, xy), (_, yy) = np.cov(np.array(LOG_HR).T, aweights=COMPLETE["n"])
    assert WeightedPearson(bootstrap=0).fit(effects())["r"].value == pytest.approx(xy / np.sqrt(xx * yy), abs=1e-12)
    with pytest.raises(UsageError, match="n of comparison 3"):
        WeightedPearson(bootstrap=0).fit(effects(n=[300, 330, -410]))
