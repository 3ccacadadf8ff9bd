import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from surrogacy.cli.options import DEFAULT_MODELS
from surrogacy.fit import main
from surrogacy.models import WeightedPearson
from tests.conftest import ROOT
from tests.support.pinned_tables import PINNED, PINNED_TABLES

NEW = (
    "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage\n"
    "MADE-UP,400,390,0.50,0.42,0.60,0.60,0.49,0.73,intermediate\n"
)


def result_of(arguments, capsys):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def estimate(document, model, name):
    (fit,) = (fit for fit in document["fits"] if fit["model"] == model)
    return fit["estimates"][name]


@pytest.mark.slow
def test_tactics_2022(capsys, trials):
    document = result_of(["tactics-2022", *PINNED], capsys)
    r = estimate(document, "weighted-pearson", "r")
    assert r["value"] == pytest.approx(0.552, abs=5e-4)  # the report prints 0.56
    effects = trials.analysis_set("tactics-2022")
    published = WeightedPearson(fisher="trials").fit(effects)["r"]
    assert (published.low, published.high) == pytest.approx((-0.46, 0.94), abs=0.015)
    half = 1.959964 / np.sqrt(effects.n.sum() ** 2 / (effects.n**2).sum() - 3)  # Fisher z with the effective number
    limits = np.tanh(np.arctanh(r["value"]) + half * np.array([-1, 1]))
    assert (r["low"], r["high"]) == pytest.approx(tuple(limits), abs=1e-6)
    assert estimate(document, "weighted-regression", "slope")["value"] == pytest.approx(0.31, abs=5e-3)
    left_out = {row["left_out"]: row["r"] for row in document["leave_one_out"] if row["model"] == "weighted-pearson"}
    assert left_out["tace-2"] == pytest.approx(0.85, abs=5e-3)
    assert left_out["brisk-ta"] == pytest.approx(0.33, abs=5e-3)
    for model in ("bivariate-reml", "bivariate-bayes"):
        grid = [row["rho_within"] for row in document["rho_within_grid"] if row["model"] == model]
        assert grid == [0, 0.3, 0.5, 0.7, 0.9, "shared-patients"]
    bayes = next(fit for fit in document["fits"] if fit["model"] == "bivariate-bayes")
    assert bayes["estimates"]["prior_overlap"]["value"] > 0.95
    assert any("prior and posterior of trial-level R² overlap by 99%" in problem for problem in bayes["problems"])
    assert len({row["prior"] for row in document["prior_sensitivity"]}) >= 8
    assert {fit["n"] for fit in document["fits"]} == {2625}
    for fit in document["fits"]:
        assert any("unverified" in problem for problem in fit["problems"])


@pytest.mark.slow
def test_llovet_2019_pfs(capsys):
    document = result_of(["llovet-2019-pfs", *PINNED], capsys)
    threshold = estimate(document, "weighted-regression", "ste_prediction")
    assert threshold["hr"] == pytest.approx(0.52, abs=5e-3)
    assert (threshold["status"], threshold["band"], threshold["level"]) == ("exists", "prediction", 0.95)
    assert threshold["new_n"] == pytest.approx(558, abs=1)
    grid = {row["rho_within"]: row for row in document["rho_within_grid"] if row["model"] == "bivariate-reml"}
    for rho_within, rho_between, slope in (
        (0, 0.988, 0.514),
        (0.3, 0.950, 0.489),
        (0.5, 0.924, 0.472),
        (0.7, 0.897, 0.455),
    ):
        assert grid[rho_within]["rho_between"] == pytest.approx(rho_between, abs=5e-4)
        assert grid[rho_within]["slope"] == pytest.approx(slope, abs=5e-4)
    one_patient = result_of(["llovet-2019-pfs", *PINNED, "--new-n", "1", "--model", "weighted-regression"], capsys)
    assert estimate(one_patient, "weighted-regression", "ste_prediction")["status"] == "none"


@pytest.mark.slow
def test_json_is_the_same_bytes_every_time(capsys):
    texts = []
    for _ in range(2):
        assert main(["tactics-2022", "--json"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert document["schema"] == "surrogacy.results/1"
    assert list(document) == sorted(document)
    assert main(["tactics-2022", "--json", "--seed", "1"]) == 0
    assert capsys.readouterr().out != texts[0]  # the bootstrap uses the seed


def test_every_comparison_of_the_table_is_in_the_flow(capsys):
    flow = result_of(["intermediate", "advanced", *PINNED, "--model", "weighted-pearson"], capsys)["flow"]
    accounted = set(flow["in_no_set"])
    for one in flow["sets"].values():
        accounted |= set(one["in_fit"]) | set(one["not_in_fit"])
        assert all(one["not_in_fit"].values())
    assert len(accounted) == flow["comparisons"] == 83


@pytest.mark.slow
def test_a_run_writes_its_folder(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["tactics-2022", *PINNED, "--out", str(out), "--format", "png", "svg", "--details"]) == 0
    shown = capsys.readouterr().out
    assert "0.55" in shown
    assert "without TACE-2" in shown
    assert "unverified" in shown
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names >= {
        "results.json",
        "run.json",
        "tables/models.csv",
        "tables/models.md",
        "tables/effects.csv",
        "tables/flow.csv",
        "tables/leave_one_out.csv",
        "tables/rho_within.csv",
        "tables/tables.html",
        "figures/bubble-tactics-2022.png",
        "figures/bubble-tactics-2022.svg",
        "figures/bubble-tactics-2022.caption.md",
        "figures/forest-tactics-2022.png",
        "figures/forest-tactics-2022.caption.md",
    }
    record = json.loads((out / "run.json").read_text())
    assert record["inputs"][str(PINNED_TABLES / "effects.csv")]
    assert record["exit_code"] == 0
    assert json.loads((out / "results.json").read_text()) == result_of(["tactics-2022", *PINNED], capsys)
    caption = (out / "figures" / "bubble-tactics-2022.caption.md").read_text()
    assert "95% prediction band for a new trial of 438 patients" in caption
    assert "not read in any source" in caption
    with (out / "tables" / "models.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all("unverified" in row["problems"] for row in rows)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_added_rows_and_what_they_change(tmp_path, capsys):
    path = tmp_path / "new.csv"
    path.write_text(NEW)
    document = result_of(["tactics-2022", "intermediate", *PINNED, "--add", str(path)], capsys)
    change = {(row["set"], row["estimate"]): row for row in document["changes"]}
    assert change["tactics-2022", "r"]["before"] == pytest.approx(0.5516, abs=1e-3)
    assert change["tactics-2022", "r"]["after"] > 0.75
    assert ("intermediate", "ste_prediction") in change
    assert {fit["k"] for fit in document["fits"] if fit["set"] == "tactics-2022"} == {7}
    out = tmp_path / "out"
    assert main(["tactics-2022", *PINNED, "--add", str(path), "--out", str(out), "--format", "png", "--details"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("What MADE-UP changes\nTACTICS 2022: 7 comparisons  Before (6)  ")
    assert "What the added rows change" in shown


def test_pairs_alone(tmp_path, capsys):
    path = tmp_path / "pairs.csv"
    rows = (
        "A,300,300,0.6,0.5,0.72,0.8,0.66,0.97",
        "B,200,200,0.9,0.7,1.16,1.0,0.78,1.28",
        "C,250,250,0.75,0.6,0.94,0.85,0.67,1.08",
    )
    path.write_text(NEW.partition(",stage")[0] + "\n" + "\n".join(rows) + "\n")
    document = result_of(["--pairs", str(path)], capsys)
    assert {fit["k"] for fit in document["fits"]} == {3}
    assert {fit["set"] for fit in document["fits"]} == {"pairs"}
    assert not any("added for this run" in problem for fit in document["fits"] for problem in fit["problems"])


def test_a_model_that_cannot_be_fitted_gives_exit_4(tmp_path, capsys):
    path = tmp_path / "pairs.csv"
    path.write_text(NEW.partition(",stage")[0] + "\nA,300,300,0.6,0.5,0.72,0.8,0.66,0.97\n")
    assert main(["--pairs", str(path), "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["fits"] == []
    assert [entry["model"] for entry in document["failures"]] == list(DEFAULT_MODELS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no analysis set 'nowhere'"),
        (["--predict", "0.6", "0.7", "0.8"], "0 < LOW < HR < HIGH"),
        (["--model", "magic"], "unknown model 'magic'"),
        (["--endpoints", "PFS,XYZ"], "unknown endpoint 'XYZ'"),
        (["--rho-within", "2"], "rho_within"),
        (["--new-n", "-5"], "size of the new trial"),
        (["--preset", "zine"], "invalid choice: 'zine'"),
        (["--pairs", "x.csv", "advanced"], "--pairs"),
        (["--out", "/dev/null"], "--out"),
    ],
)
def test_usage_errors(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_strict(capsys):
    assert main(["llovet-2019-pfs", *PINNED, "--json", "--strict", "--quiet"]) == 5
    capsys.readouterr()


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("surrogacy 0.")
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for option in (
        "--trials",
        "--add",
        "--pairs",
        "--check",
        "--rho-within",
        "--min-evidence",
        "--endpoints",
        "--shared-control",
        "--model",
        "--weights",
        "--nuts",
        "--seed",
        "--focus",
        "--predict",
        "--new-n",
        "--out",
        "--json",
        "--preset",
        "--format",
        "--strict",
        "--quiet",
        "--version",
    ):
        assert option in shown


def test_as_a_module_and_as_a_script():
    module = subprocess.run(
        [sys.executable, "-m", "surrogacy.fit", "--version"], capture_output=True, text=True, check=True
    )
    package = subprocess.run(
        [sys.executable, "-m", "surrogacy", "fit", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert module.stdout == package.stdout


@pytest.mark.slow
def test_a_later_run_removes_the_files_of_an_earlier_one_and_no_others(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["tactics-2022", "--out", str(out), "--format", "png", "--quiet"]) == 0
    (out / "figures" / "mine.png").write_text("mine")
    assert main(["llovet-2019-ttp", "--out", str(out), "--format", "svg", "--quiet"]) == 0
    names = {path.name for path in (out / "figures").iterdir() if path.suffix not in (".md", ".txt")}
    assert names == {"mine.png"} | {
        f"{name}-llovet-2019-ttp.svg" for name in ("bubble", "forest", "posterior", "priors")
    }


def test_a_trial_that_is_in_the_table_already_is_not_counted_twice(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text(NEW.replace("MADE-UP", "Tactics "))
    assert main(["tactics-2022", "--add", str(path), "--json"]) == 3
    assert "E109 error: Tactics: comparison = 'Tactics': this looks like tactics" in capsys.readouterr().err


def test_a_row_without_stage_is_warned_of_and_one_of_another_stage_is_named(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text(NEW.replace(",stage", "").replace(",intermediate", ""))
    assert main(["advanced", "--add", str(path), "--json", "--model", "weighted-pearson"]) == 0
    assert "W116 warning" in capsys.readouterr().err
    path.write_text(NEW)
    out = tmp_path / "out"
    assert (
        main(
            ["llovet-2019-pfs", "--add", str(path), "--out", str(out), "--format", "svg", "--model", "weighted-pearson"]
        )
        == 0
    )
    assert "MADE-UP is in none of the fitted sets" in capsys.readouterr().err


def test_flow_tells_what_became_of_a_shared_control(capsys):
    for method, words in (("first", "which is kept"), ("combine", "pooled with")):
        document = result_of(
            ["intermediate", *PINNED, "--shared-control", method, "--model", "weighted-pearson"], capsys
        )
        (one,) = document["flow"]["sets"].values()
        assert len(one["in_fit"]) == document["fits"][0]["k"] == 8
        assert any(words in why for why in one["not_in_fit"].values())


def test_os_is_no_surrogate_of_itself(capsys):
    assert main(["advanced", "--endpoints", "OS", "--json"]) == 2
    assert "cannot be its own surrogate" in capsys.readouterr().err
    assert main(["advanced", "--endpoints", "ttp,pfs", "--json", "--model", "weighted-pearson"]) == 0
    capsys.readouterr()


@pytest.mark.slow
def test_a_pipe_that_knows_few_signs(tmp_path):
    arguments = ["tactics-2022", *PINNED, "--out", str(tmp_path / "out"), "--format", "svg"]
    command = [sys.executable, "-m", "surrogacy.fit", *arguments]
    done = subprocess.run(
        command, capture_output=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert b"0.55 (-0.71 to 0.97)" in done.stdout
