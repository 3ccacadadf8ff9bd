"""Single trials on the command line: without a final effect, with several arms, without a line, and in a copy."""

import json

import pytest

from surrogacy.cli import add, export, fit, pps
from surrogacy.trials import read_trials
from tests.support.pinned_tables import PINNED

QUICK = ["--format", "svg", "--out", "out"]
HEADINGS = "trial,comparison,control_group,stage,n_exp,n_ctl,hr_pfs,hr_os\n"
TWO_ARMS = (
    "TriArm,A v C,C,intermediate,150,150,0.70 (0.54-0.91),0.90 (0.70-1.15)\n"
    "TriArm,A+B v C,C,intermediate,150,150,0.60 (0.45-0.80),0.80 (0.60-1.07)\n"
    "Solo,Solo high dose,,advanced,150,150,0.60 (0.45-0.80),0.80 (0.60-1.07)\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(text):
    return " ".join(text.split())


def test_new_trial_without_a_line_is_explained_and_the_bubble_plot_is_drawn(folder, capsys):
    assert fit.main(["intermediate", "--model", "weighted-pearson", "--predict", "0.7", "0.54", "0.91", *QUICK]) == 0
    shown = words(capsys.readouterr().out)
    assert shown.startswith(
        "! OS is not predicted for the new trial: a line is needed, and the weighted Pearson correlation"
    )
    assert "Quote the weighted Pearson correlation: 95% interval by Fisher z, 7.5 effective trials of 8. Notes" in shown
    assert "Threshold: " not in shown
    assert "other models" not in shown
    assert (folder / "out" / "figures" / "bubble-intermediate.svg").is_file()


@pytest.mark.slow
def test_interval_and_threshold_are_those_of_the_quoted_model(folder, capsys):
    models = ["--model", "bivariate-reml", "weighted-regression"]
    assert fit.main(["intermediate", *models, "--json"]) == 0
    capsys.readouterr()
    assert fit.main(["intermediate", *models, "--new-n", "400", *QUICK]) == 0
    shown = words(capsys.readouterr().out)
    assert "Quote the bivariate REML: 95% interval by profile likelihood." in shown
    assert (
        "Threshold: 95% prediction interval of the observed OS effect in a new trial of 400 patients below 1" in shown
    )
    assert "no STE" not in shown


@pytest.mark.parametrize("name", ["TALENTACE", "talentace"])
def test_focus_on_a_trial_without_a_final_effect_shows_its_prediction(name, folder, capsys):
    assert fit.main(["intermediate", "--model", "weighted-regression", "--focus", name, *QUICK]) == 0
    shown = words(capsys.readouterr().out)
    assert "TALENTACE TACE-PFS HR 0.71, OS not reported: predicted OS HR " in shown
    assert (
        ", n = 449) by the weighted regression of the set Intermediate stage; probability of an OS HR below 1" in shown
    )
    assert "TALENTACE" in (folder / "out" / "figures" / "bubble-intermediate.svg").read_text()


def test_focus_without_a_line_is_explained(folder, capsys):
    assert fit.main(["intermediate", "--model", "weighted-pearson", "--focus", "tactics", *QUICK]) == 0
    assert "--focus tactics: no fitted model has a line" in capsys.readouterr().err


def test_comparisons_of_a_trial_carry_its_name(folder, capsys):
    (folder / "own.csv").write_text(HEADINGS + TWO_ARMS)
    labels = read_trials(add=folder / "own.csv").trials.tail(3)["label"].tolist()
    assert labels == ["TriArm: A v C", "TriArm: A+B v C", "Solo high dose"]
    assert export.main(["intermediate", "--format", "revman", "--add", "own.csv", "--out", "x.csv"]) == 0
    assert "PFS,TriArm: A v C," in (folder / "x.csv").read_text()
    assert add.main(["--import", "own.csv"]) == 0
    assert "(triarm-a-v-c, triarm-a-b-v-c, solo-high-dose)" in capsys.readouterr().out


@pytest.mark.slow
def test_copy_of_the_tables_warns_only_of_rows_that_differ(folder, capsys):
    (folder / "own.csv").write_text(
        "trial,stage,n,hr_pfs,hr_os\nMine,intermediate,240,0.62 (0.45-0.85),0.88 (0.65-1.19)\n"
    )
    assert add.main(["--import", "own.csv"]) == 0
    capsys.readouterr()
    copy = folder / "my-trials"
    assert "1:1 allocation of 240 patients is assumed" in (copy / "trials.csv").read_text()
    arguments = ["intermediate", "--model", "weighted-regression", "--trials", "my-trials", *QUICK]
    assert fit.main(arguments) == 0
    assert "warning:" not in capsys.readouterr().err
    effects = copy / "effects.csv"
    effects.write_text(effects.read_text().replace(",0.88,0.65,1.19,", ",0.88,0.65,1.49,"))
    (copy / "SHA256SUMS").unlink()
    assert fit.main(arguments) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning:" in line]
    assert len(warnings) == 1
    assert "effects.csv" in warnings[0]
    assert "W103 warning: mine OS" in warnings[0]


def test_decomposition_without_medians_names_the_columns(folder, capsys):
    (folder / "own.csv").write_text(
        "trial,stage,n_exp,n_ctl,hr_pfs,hr_os\nMine,intermediate,9,9,0.6 (0.4-0.9),0.9 (0.6-1.3)\n"
    )
    assert pps.main(["--add", "own.csv", "--focus", "Mine"]) == 2
    assert "give median PFS and median OS of each arm (median_pfs_exp, " in capsys.readouterr().err


@pytest.mark.parametrize(("command", "lists"), [(add, False), (fit, True), (pps, True), (export, True)])
def test_analysis_sets_are_listed_where_they_are_an_option(command, lists, capsys):
    with pytest.raises(SystemExit):
        command.parser().parse_args(["--help"])
    assert ("Analysis sets:" in capsys.readouterr().out) == lists


def test_sentence_to_paste_names_the_prior_and_the_probability_of_the_true_effect(folder, capsys):
    arguments = ["tactics-2022", "--model", "bivariate-bayes", "--predict", "0.7", "0.54", "0.91", "--new-n", "400"]
    assert fit.main([*arguments, *PINNED, "--json", "--quiet"]) == 0
    (sentence,) = json.loads(capsys.readouterr().out)["prediction_sentences"]
    true, observed = sentence.split("; probability of a hazard ratio below 1: ")
    assert " for TTP/PFS/TACE-PFS of 0.70 (95% confidence interval 0.54 to 0.91), " in true
    assert "%), and as observed in a trial of 400 patients " in observed
    assert "the trials hardly change the prior, on which this prediction mostly depends (Bayesian" in observed
