"""A user's trial without OS in the commands: screen, results.json, table, figure and --check."""

import json

import numpy as np
import pytest

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.fit_stages import FIT, FIT_WITHOUT_ADDED, PREDICT_SURROGATE_ONLY, TABLE_STAGES
from surrogacy.analysis.settings import FitSettings
from surrogacy.analysis.stages import advance, in_order
from surrogacy.cli.fit import main
from surrogacy.figures import plot_bubble
from surrogacy.report.section import Entry
from surrogacy.report.sections import fit_drawings, fit_sections
from tests.support.pinned_tables import PINNED, PINNED_TABLES

HEADER = "trial,stage,n_exp,n_ctl,hr_pfs,pfs_low,pfs_high,hr_os,os_low,os_high"
MINE = "My trial,intermediate,120,118,0.62,0.48,0.80,NR,,"
STAGES = (FIT, PREDICT_SURROGATE_ONLY, FIT_WITHOUT_ADDED)
MODELS = ("weighted-pearson", "weighted-regression", "bivariate-bayes")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("added") / "mine.csv"
    path.write_text(f"{HEADER}\n{MINE}\n")
    return path


@pytest.fixture(scope="module")
def runs(table):
    """Run after each batch of tasks."""
    settings = FitSettings(("intermediate", "advanced"), MODELS, tables=PINNED_TABLES, added=table)
    *_, run = advance(FitRun(settings), TABLE_STAGES, in_order)
    return list(advance(run, STAGES, in_order))


def section(run):
    return next(section for section in fit_sections(run) if section.key == "surrogate_only")


def test_the_short_screen_has_a_line_for_the_added_trial(runs):
    (entry,) = section(runs[-1]).answer
    assert isinstance(entry, Entry)
    assert entry.label == "My trial"
    main_prediction = next(e.prediction for e in runs[-1].surrogate_only if e.comparison.added)
    numbers = f"{main_prediction.low_95:.2f} to {main_prediction.high_95:.2f}"
    assert entry.text.startswith(
        f"PFS HR 0.62, OS not reported: predicted true OS HR {main_prediction.predicted:.2f} (95% prediction interval "
        f"{numbers}) by the Bayesian bivariate model of the set Intermediate stage;"
    )


def test_shipped_comparisons_are_in_the_details_and_in_the_table(runs):
    shown = section(runs[-1])
    (table,) = shown.tables
    labels = {row[[column.key for column in table.columns].index("label")] for row in table.rows}
    assert {"My trial", "Inaba 2013", "TALENTACE", "IMbrave152"} <= labels
    assert set(shown.by_set) == {"intermediate", "advanced"}
    assert len(shown.by_set["advanced"]) == 2
    records = shown.record["surrogate_only"]
    assert {record["set"] for record in records if record["added"]} == {"intermediate"}


def test_nothing_was_changed_by_a_trial_that_no_fit_includes(runs):
    run = runs[-1]
    changed = next(section for section in fit_sections(run) if section.key == "changes")
    assert changed.answer == ()
    assert run.sets_without_added == ()
    assert run.changes == ()
    assert all("My trial" not in fit.effects.comparison for fit in run.sets)
    assert len(run.sets[0].effects) == 9


def test_the_bubble_plot_waits_for_the_prediction(runs):
    bubbles = [[d for d in fit_drawings(run) if d.name == "bubble-intermediate"] for run in runs]
    assert bubbles[0] == []  # fitted, not yet predicted
    (bubble,) = bubbles[-1]
    (mark,) = bubble.keywords["surrogate_only"]
    assert mark.label == "My trial"
    assert "no OS effect is reported (My trial), and no fit includes them" in bubble.caption
    assert "Bayesian bivariate model" in bubble.caption


def test_the_figure_has_a_hollow_symbol_on_the_axis_and_the_predicted_interval(runs):
    (bubble,) = [d for d in fit_drawings(runs[-1]) if d.name == "bubble-intermediate"]
    axes = plot_bubble(*bubble.arguments, **bubble.keywords)
    (mark,) = bubble.keywords["surrogate_only"]
    hollow = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    assert any(
        np.allclose(line.get_xydata(), [[mark.log_hr, axes.get_ylim()[0]]])
        and line.get_markerfacecolor() in ("white", "w")
        for line in hollow
    )
    ends = [mark.predicted_low, mark.predicted_high]
    bars = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) == 2]
    assert any(np.allclose(points, [[mark.log_hr, end] for end in ends]) for points in bars)


def test_many_added_trials_take_few_lines(tmp_path):
    rows = "".join(f"T{i},advanced,100,100,0.{60 + i},0.{45 + i},0.{80 + i},NR,,\n" for i in range(9))
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}\n{rows}")
    settings = FitSettings(("advanced",), ("weighted-regression",), tables=PINNED_TABLES, added=path)
    *_, run = advance(FitRun(settings), (*TABLE_STAGES, *STAGES), in_order)
    entries = section(run).answer
    assert len(entries) == 6
    assert entries[-1].text == "4 more trials without OS: tables/surrogate_only.csv."
    assert ", n = 200)" in entries[0].text  # a regression predicts the observed effect


def test_check_states_what_happens_with_each_row(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}\n{MINE}\nNo limits,intermediate,100,100,0.7,,,NE,,\n")
    assert main(["--check", *PINNED, "--add", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"{path}:2: W111 info: My trial PFS" in shown
    assert "intermediate: My trial: no OS effect: predicted, not fitted\n" in shown
    assert (
        "intermediate: No limits: no OS effect, and no standard error of PFS: neither fitted nor predicted\n" in shown
    )


@pytest.mark.slow
def test_json_and_messages(table, capsys):
    arguments = ["intermediate", *PINNED, "--model", "weighted-regression", "--json"]
    assert main([*arguments, "--add", str(table)]) == 0
    captured = capsys.readouterr()
    with_trial = json.loads(captured.out)
    assert "none of the fitted sets" not in captured.err
    assert main([*arguments, "--quiet"]) == 0
    without = json.loads(capsys.readouterr().out)
    assert with_trial["fits"] == without["fits"]
    assert with_trial["answer"] == without["answer"]
    mine = [record for record in with_trial["surrogate_only"] if record["added"]]
    assert [(record["comparison"], record["k"], record["n"]) for record in mine] == [("My trial", 9, 238)]
    assert [record for record in with_trial["surrogate_only"] if not record["added"]] == without["surrogate_only"]


def test_a_trial_that_no_model_predicts_is_named(table, tmp_path, capsys):
    out = str(tmp_path / "out")
    arguments = ["intermediate", *PINNED, "--add", str(table), "--model", "weighted-pearson"]
    assert main([*arguments, "--out", out, "--format", "svg"]) == 0
    words = "My trial is in none of the fitted sets: it has the surrogate effect alone, and no fitted model has a line"
    assert words in capsys.readouterr().err


def test_pairs_without_a_final_effect(table, capsys):
    assert main(["--pairs", str(table), "--json"]) == 2
    assert "pass the table with --add instead of --pairs" in capsys.readouterr().err
