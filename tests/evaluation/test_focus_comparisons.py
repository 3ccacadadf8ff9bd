"""Every comparison of a trial of several arms is placed, and its observed effect is held against both intervals."""

import json
from dataclasses import replace

import numpy as np
import pytest

from surrogacy.evaluation.placement import (
    focus_comparisons,
    place,
    placement_record,
    position,
    shown_placements,
)
from surrogacy.evaluation.placement_text import in_words
from surrogacy.figures import placement_data
from surrogacy.fit import main
from surrogacy.models import BivariateBayes, WeightedRegression
from surrogacy.results.labels import POSITIONS
from tests.support.pinned_tables import PINNED

BOTH = ("himalaya-durva", "himalaya-stride")


@pytest.fixture(scope="module")
def placed(trials):
    models = [WeightedRegression(), BivariateBayes()]
    effects = trials.analysis_set("advanced-immunotherapy")
    sets = [(effects, [model.fit(effects) for model in models])]
    focuses = focus_comparisons(trials, [effects], "himalaya")
    return focuses, sets, [record for focus in focuses for record in place(focus, models, sets)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("himalaya", BOTH),
        ("himalaya-stride", BOTH[1:]),
        ("HIMALAYA durva", BOTH[:1]),
        ("imbrave150", ("imbrave150",)),
        ("nobody", ()),
    ],
)
def test_a_trial_selects_all_of_its_comparisons(trials, name, expected):
    sets = [trials.analysis_set(which) for which in ("llovet-2019-pfs", "advanced", "advanced-immunotherapy")]
    focuses = focus_comparisons(trials, sets, name)
    assert tuple(focus.comparison for focus in focuses) == expected
    assert all(len(focus.effects) == 1 for focus in focuses)


def test_both_arms_are_placed_alike(placed):
    focuses, sets, records = placed
    of_arm = {name: [record for record in records if record.comparison == name] for name in BOTH}
    assert len(of_arm[BOTH[0]]) == len(of_arm[BOTH[1]]) > 0
    shown = shown_placements(records)
    assert {record.comparison for record in shown} == set(BOTH)
    assert {record.model for record in shown} == {"bivariate-bayes"}
    for focus in focuses:
        words = in_words(focus, records)
        assert words.startswith(f"{focus.label} observed a hazard ratio of {np.exp(focus.effects.log_hr[0, 1]):.2f}")
        data = placement_data([sets[0][1][1]], list(map(placement_record, records)), focus.comparison)
        assert set(data["comparison"]) == {focus.comparison}
    # both arms leave together: neither helps to predict the other
    assert {record.k for record in records if record.fitted == "without it"} == {12}


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (0.80, "inside-80"),
        (0.70, "inside-80"),
        (0.90, "inside-80"),
        (0.69, "inside-95"),
        (0.91, "inside-95"),
        (0.60, "inside-95"),
        (1.00, "inside-95"),
        (0.59, "outside-95"),
        (1.01, "outside-95"),
    ],
)
def test_position(observed, expected):
    assert position(observed, interval_95=(0.60, 1.00), interval_80=(0.70, 0.90)) == expected


def test_position_agrees_with_the_percentile(placed):
    """Equal tails: inside 80% from the 10th to the 90th percentile, inside 95% from the 2.5th to the 97.5th."""
    for record in placed[2]:
        away = abs(record.percentile - 50)
        assert record.position == ("inside-80" if away <= 40 else "inside-95" if away <= 47.5 else "outside-95")


@pytest.mark.parametrize("name", POSITIONS)
def test_words_follow_the_position_not_the_reverse(placed, name):
    """An effect between the two intervals is never said to need no explanation, nor to lie well within."""
    focuses, _, records = placed
    moved = [replace(record, position=name) for record in records]
    words = in_words(focuses[1], moved)
    assert POSITIONS[name] in words
    assert all(POSITIONS[other] not in words for other in POSITIONS if other != name)
    for claim in ("well within", "no explanation", "chance"):
        assert claim not in words


def test_lines_that_disagree_are_listed(trials):
    sets = []
    for which in ("intermediate", "llovet-2019-pfs"):
        effects = trials.analysis_set(which)
        sets.append((effects, [WeightedRegression().fit(effects)]))
    (focus,) = focus_comparisons(trials, [effects for effects, _ in sets], "tactics")
    records = place(focus, [WeightedRegression()], sets)
    moved = [
        replace(record, position="outside-95" if record.set == "intermediate" else "inside-95") for record in records
    ]
    words = in_words(focus, moved)
    assert (
        "inside the 95% but outside the 80% prediction interval of Llovet 2019 (primary), Llovet 2019 (updated)"
        in words
    )
    assert "outside the 95% prediction interval of Intermediate stage (primary), Intermediate stage (updated)" in words
    # the variance of a regression has two parts, and the sentence names these
    assert {name for name in placement_record(records[0]) if name.startswith("variance_")} == {
        "variance_residual",
        "variance_parameters",
    }
    assert "not the sampling errors of the trial" in words
    assert "errors of both effects" not in words


@pytest.mark.slow
def test_on_the_command_line(capsys, tmp_path):
    out = tmp_path / "out"
    arguments = [
        "advanced-immunotherapy",
        "--focus",
        "himalaya",
        "--model",
        "weighted-regression",
        "--report-style",
        "verdict",
        "--details",
    ]
    assert main([*arguments, *PINNED, "--out", str(out), "--format", "svg"]) == 0
    screen = capsys.readouterr().out
    for label in ("HIMALAYA durva", "HIMALAYA STRIDE"):
        assert f"{label} against the lines of the weighted regression" in screen
    assert screen.count("inside the 80% prediction interval") == 4  # answer and details
    assert screen.count("post-progression survival (calibration M, primary HR): with equal PPS") == 2
    paragraphs = (out / "placement.md").read_text().strip().split("\n\n")
    assert [paragraph.split(" observed")[0] for paragraph in paragraphs] == ["HIMALAYA durva", "HIMALAYA STRIDE"]
    for name in BOTH:
        assert (out / "figures" / f"placement-{name}.svg").exists()
    document = json.loads((out / "results.json").read_text())
    assert {record["comparison"] for record in document["placement"]} == set(BOTH)
    assert [record["comparison"] for record in document["pps_comparisons"]] == list(BOTH)
    assert document["pps"] == document["pps_comparisons"][0]
    judged = [verdict["words"] for verdict in document["verdicts"] if verdict["item"] == "trial"]
    assert len(judged) == 2
    assert judged[0].startswith("HIMALAYA durva:")
    assert judged[1].startswith("HIMALAYA STRIDE:")


def test_a_comparison_that_no_set_holds_is_listed(capsys):
    """With one arm of a shared control kept, the other is named with the reason."""
    arguments = [
        "advanced-immunotherapy",
        "--focus",
        "himalaya",
        "--shared-control",
        "first",
        "--model",
        "weighted-regression",
    ]
    assert main([*arguments, *PINNED, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (left_out,) = document["not_placed"]
    placed = {record["comparison"] for record in document["placement"]}
    assert placed | {left_out["comparison"]} == set(BOTH)
    assert left_out["why"] not in ("", "in no set of this run")
