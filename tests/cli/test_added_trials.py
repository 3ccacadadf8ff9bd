"""Added trials and new trials in a run: screen, document, tables and figures."""

import csv
import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from surrogacy import models
from surrogacy.evaluation.changes import SMALL_SHIFT
from surrogacy.fit import main
from surrogacy.trials import read_trials
from tests.support.pinned_tables import PINNED, PINNED_TABLES

pytestmark = pytest.mark.slow

HEADINGS = "trial,comparison,control_group,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage"
MINE = "My trial,My trial,,200,198,0.62,0.48,0.80,0.81,0.62,1.06,intermediate\n"
SEVERAL = """\
Big one,big-a,big,1200,1198,0.42,0.38,0.46,0.55,0.49,0.62,advanced
Big one,big-b,big,1200,1198,0.72,0.66,0.78,0.99,0.90,1.09,advanced
A/B,A/B,,200,200,0.7,0.55,0.89,0.9,0.7,1.16,advanced
A B,A B,,200,200,0.75,0.59,0.95,0.92,0.72,1.18,advanced
Zürich 中文,zh,,150,150,0.8,0.6,1.07,0.95,0.7,1.29,advanced
"""
FAST = ("--model", "weighted-pearson", "weighted-regression")
NEW = ("--predict", "0.62", "0.48", "0.80", "--new-n", "400")


def run(folder, *arguments, rows=""):
    """Screen in one line, document and folder of a run with added rows."""
    if rows:
        path = folder / "added.csv"
        path.write_text(f"{HEADINGS}\n{rows}", encoding="utf-8")
        arguments = (*arguments, "--add", str(path))
    screen, out = StringIO(), folder / "out"
    with redirect_stdout(screen):
        assert main([*arguments, *PINNED, "--out", str(out), "--format", "svg"]) == 0
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return " ".join(screen.getvalue().split()), document, out


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    return run(tmp_path_factory.mktemp("mine"), "intermediate", "advanced", *NEW, rows=MINE)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return run(tmp_path_factory.mktemp("several"), "intermediate", "advanced", *FAST, rows=SEVERAL)


@pytest.fixture(scope="module")
def fits(mine):
    """Quoted model of the intermediate stage without and with the added trial."""
    tables = read_trials(PINNED_TABLES, mine[2].parent / "added.csv")
    model = models.create("bivariate-bayes", new_n=400)
    return [model.fit(each.analysis_set("intermediate")) for each in (tables.without_added(), tables)]


def figures(out):
    return {path.stem for path in (out / "figures").glob("*.svg")}


def test_the_screen_compares_the_results_before_and_after(mine, fits):
    screen, document, _ = mine
    assert screen.startswith("What My trial changes Intermediate stage: 10 comparisons Before (9) After Weighted r ")
    for name, label in (("r2_trial", "Trial-level R²"), ("slope", "Slope")):
        shown = (f"{fit[name].value:.2f} ({fit[name].low:.2f} to {fit[name].high:.2f})" for fit in fits)
        assert f"{label} {' '.join(shown)}".replace("-", "−").replace("Trial−level", "Trial-level") in screen
    assert "Threshold (HR) none none Predicted OS HR of TACTICS 0.75 (0.47 to 1.19) 0.76 (0.49 to 1.16)" in screen
    assert "Not in Advanced disease: My trial (the set has no trials of this kind: intermediate stage)." in screen
    first, second = document["change_by_set"]
    assert first["small"] is True
    assert first["sentence"] in screen
    ratios = [row["shift_ratio"] for row in document["changes"] if row["set"] == "intermediate"]
    assert first["largest_shift_ratio"] in ratios
    assert first["largest_shift_ratio"] < SMALL_SHIFT
    assert (second["added"], second["absent"]) == (
        [],
        {"My trial": "the set has no trials of this kind: intermediate stage"},
    )


def test_the_document_and_the_table_have_the_intervals(mine, fits):
    _, document, out = mine
    rows = {(row["set"], row["estimate"]): row for row in document["changes"] if row["model"] == "bivariate-bayes"}
    slope = rows["intermediate", "slope"]
    for fit, when in zip(fits, ("before", "after"), strict=True):
        expected = (fit["slope"].value, fit["slope"].low, fit["slope"].high)
        assert [slope[when], slope[f"{when}_low"], slope[f"{when}_high"]] == pytest.approx(expected, rel=1e-9)
    assert rows["intermediate", "predicted_final"]["subject"] == "tactics"
    assert rows["advanced", "slope"]["shift_ratio"] == 0
    with (out / "tables" / "changes.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(document["changes"])
    assert {"before", "before_low", "before_high", "after", "after_low", "after_high", "shift_ratio"} <= set(table[0])


def test_the_added_trial_is_in_focus_and_tactics_is_still_placed(mine):
    screen, document, out = mine
    placed = {(row["comparison"], row["set"], row["fitted"]) for row in document["placement"]}
    assert {("My trial", "intermediate", "without it"), ("My trial", "advanced", "of other trials")} <= placed
    assert ("tactics", "intermediate", "without it") in placed
    assert screen.index("My trial PFS HR 0.62: expected OS HR") < screen.index("TACTICS TACE-PFS HR 0.59: expected")
    assert {"added-My-trial-intermediate", "placement-My-trial", "placement-tactics"} <= figures(out)
    caption = (out / "figures" / "added-My-trial-intermediate.caption.md").read_text(encoding="utf-8")
    assert "My trial (ring): 10 comparisons from 9 trials" in caption
    assert document["change_by_set"][0]["sentence"] in caption


def test_a_trial_that_the_user_names_is_the_only_one_in_focus(tmp_path):
    screen, document, _ = run(tmp_path, "intermediate", *FAST, "--focus", "tactics", rows=MINE)
    assert {row["comparison"] for row in document["placement"]} == {"tactics"}
    assert screen.startswith("What My trial changes")


def test_every_comparison_of_several_added_trials_is_placed_and_three_are_named(several):
    screen, document, out = several
    placed = [row["comparison"] for row in document["placement"]]
    assert list(dict.fromkeys(placed)) == ["big-a", "big-b", "A/B", "A B", "zh", "tactics"]
    assert screen.startswith("What Big one: big-a, Big one: big-b, A/B and 2 more change ")
    assert "A/B PFS HR 0.70: expected" in screen
    assert "A B PFS HR" not in screen
    assert "2 more added comparisons in focus: --details. TACTICS TACE-PFS" in screen
    assert {"placement-A-B", "placement-A-B-2", "placement-zh", "placement-big-a", "added-advanced"} <= figures(out)
    captions = [(out / "figures" / f"placement-A-B{end}.caption.md").read_text() for end in ("", "-2")]
    assert ["observed in A/B," in captions[0], "observed in A B," in captions[1]] == [True, True]


def test_a_large_shift_is_not_called_small(several):
    screen, document, _ = several
    (change,) = (change for change in document["change_by_set"] if change["added"])
    assert change["small"] is False
    assert change["largest_shift_ratio"] >= SMALL_SHIFT
    assert "The change is not small: an estimate shifts by 25% or more of the half-width" in screen


def test_a_prediction_has_a_row_to_quote_and_a_sentence(mine):
    screen, document, out = mine
    quoted = [row for row in document["predictions"] if row["quoted"]]
    assert [(row["set"], row["model"], row["target"]) for row in quoted] == [
        (name, "bivariate-bayes", target)
        for name in ("intermediate", "advanced")
        for target in ("true effect", "observed, n = 400")
    ]
    first = quoted[0]
    shown = f"{first['predicted']:.2f} ({first['low_95']:.2f} to {first['high_95']:.2f})"
    assert "OS predicted for a trial with PFS HR 0.62 (0.48 to 0.80) Predicted OS HR (95% interval)" in screen
    assert f"Intermediate stage true effect {shown} {first['low_80']:.2f} to {first['high_80']:.2f}" in screen
    assert "Rows of the Bayesian bivariate model, because it allows for the sampling errors of both effects" in screen
    sentence = document["prediction_sentences"][0]
    assert f"To paste (the other sets: predictions.md): {sentence}" in screen
    assert (
        f"is {first['predicted']:.2f} (95% prediction interval {first['low_95']:.2f} to {first['high_95']:.2f}"
        in sentence
    )
    prose = (out / "predictions.md").read_text(encoding="utf-8")
    assert all(each in prose for each in document["prediction_sentences"])


def test_the_prediction_is_drawn_alone_and_on_the_bubble_plot(mine):
    _, _, out = mine
    assert {"prediction", "bubble-intermediate", "bubble-advanced"} <= figures(out)
    for name in ("intermediate", "advanced"):
        caption = (out / "figures" / f"bubble-{name}.caption.md").read_text(encoding="utf-8")
        assert "Diamond: new trial with hazard ratio 0.62 (0.48 to 0.80)" in caption
        assert "New trial" in (out / "figures" / f"bubble-{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (("weighted-pearson",), "a line is needed, and the weighted Pearson correlation has none."),
        (("weighted-regression",), "because no model that allows for the sampling errors of both effects was fitted."),
        (("bivariate-reml",), "because it allows for the sampling errors of both effects and no exact posterior was"),
    ],
)
def test_the_reason_for_the_quoted_model(chosen, words, tmp_path):
    screen, document, _ = run(tmp_path, "intermediate", "--model", *chosen, *NEW[:4])
    assert words in screen
    assert {row["model"] for row in document["predictions"]} == set(chosen) - {"weighted-pearson"}
    assert ("To paste: Given a hazard ratio" in screen) is bool(document["predictions"])


def test_an_added_trial_that_the_quoted_model_leaves_out_is_named(tmp_path):
    rows = "No limits,No limits,,400,390,0.5,,,0.6,,,intermediate\n"
    screen, document, out = run(tmp_path, "intermediate", rows=rows)
    assert "Intermediate stage: 9 comparisons Before (9) After" in screen
    assert "The Bayesian bivariate model leaves out No limits (no standard error of PFS and OS): give" in screen
    assert {row["shift_ratio"] for row in document["changes"] if row["estimate"] == "r2_trial"} >= {0.0}
    assert not {name for name in figures(out) if name.startswith("added")}
    assert {"placement-No-limits", "placement-tactics"} <= figures(out)


def test_a_table_that_is_fitted_alone_is_not_called_data(tmp_path, capsys):
    rows = ("A,.6,.5,.72,.8,.66,.97", "B,.9,.7,1.16,1,.78,1.28", "C,.75,.6,.94,.85,.67,1.08", "D,.5,.4,.63,.75,.6,.94")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(("trial,hr_dfs,ci_low_dfs,ci_high_dfs,hr_os,ci_low_os,ci_high_os", *rows)) + "\n")
    arguments = ["--pairs", str(path), "--model", "bivariate-reml", "--predict", "0.7", "0.6", "0.825"]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--format", "svg"]) == 0
    screen = " ".join(capsys.readouterr().out.split())
    assert "Does DFS predict OS? (table mine, version" in screen
    assert "Given a hazard ratio for DFS of 0.70 (95% confidence interval 0.60 to 0.825), the predicted" in screen
    assert 'set "mine"; surrogacy' in screen
    assert ", table mine)." in screen
