"""The options --one-endpoint and --rho-within shared-patients: screens, results.json, and what they must not break."""

import json
import re

import pytest

from surrogacy.errors import ExitCode
from surrogacy.fit import main
from tests.support.pinned_tables import PINNED


def document_of(arguments, capsys):
    assert main([*arguments, *PINNED, "--json", "--quiet"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def included(tmp_path_factory):
    """Folder and results of a run of the intermediate stage."""
    folder = tmp_path_factory.mktemp("one_endpoint") / "run"
    arguments = ["intermediate", "--one-endpoint", "include", "--format", "png", "--quiet"]
    assert main([*arguments, *PINNED, "--out", str(folder)]) == ExitCode.OK
    return folder, json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_a_run_with_one_endpoint_evaluates_every_model(included):
    folder, document = included
    assert {fit["model"]: fit["k"] for fit in document["fits"]} == {
        "weighted-pearson": 9,
        "weighted-regression": 9,
        "meta-regression": 9,
        "bivariate-reml": 13,
        "bivariate-bayes": 13,
    }
    assert not document["failures"]
    assert {row["model"] for row in document["leave_one_out"]} == {fit["model"] for fit in document["fits"]}
    assert {entry["k"] for entry in document["cross_validation"]} == {9}
    problems = {row.get("problem") for row in document["cross_validation"][-1]["comparisons"]}
    assert problems == {None, "one of the two effects was not reported"}
    assert "NaN" not in (folder / "results.json").read_text()
    assert document["placement"]
    assert len({row["comparison"] for row in document["surrogate_only"]}) == 4
    for name in ("bubble", "forest", "posterior"):
        assert (folder / "figures" / f"{name}-intermediate.png").exists()
    assert "with the surrogate effect alone" in (folder / "tables" / "surrogate_only.md").read_text()
    shown = (folder / "tables" / "effects.md").read_text()
    assert "nan" not in shown
    assert re.search(r"TALENTACE.*–", shown)


@pytest.mark.slow
def test_the_same_sensitivity_rows_with_either_default(included, capsys):
    excluded = document_of(["intermediate"], capsys)
    assert excluded["one_endpoint"] == included[1]["one_endpoint"]
    assert [(row["model"], row["one_endpoint"], row["k"]) for row in excluded["one_endpoint"]] == [
        ("bivariate-reml", "exclude", 9),
        ("bivariate-reml", "include", 13),
        ("bivariate-bayes", "exclude", 9),
        ("bivariate-bayes", "include", 13),
    ]


def test_screen_with_one_endpoint(tmp_path, capsys):
    arguments = ["intermediate", "--model", "bivariate-bayes", "--one-endpoint", "include", "--details"]
    assert main([*arguments, *PINNED, "--format", "png", "--out", str(tmp_path / "run")]) == ExitCode.OK
    screen = " ".join(capsys.readouterr().out.split())
    assert "Intermediate stage (intermediate): 13 comparisons, 4 with one endpoint, 11 trials" in screen
    assert "with the 4 comparisons that report only one endpoint (0 only OS, 4 only the surrogate): R²" in screen
    assert "assumes that the other effect is missing at random" in screen
    assert "surrogate/" not in screen


def test_correlations_from_shared_patients(capsys):
    arguments = ["intermediate", "--model", "bivariate-reml"]
    document = document_of([*arguments, "--rho-within", "shared-patients"], capsys)
    default = document_of(arguments, capsys)
    (fit,), (before,) = document["fits"], default["fits"]
    assert fit["settings"]["rho_within"] is None
    assert fit["settings"]["rho_within_low"] == pytest.approx(-0.029, abs=5e-4)
    assert before["settings"]["rho_within"] == 0.5
    # the sixth row of the grid is the fit with these correlations
    row = next(row for row in default["rho_within_grid"] if row["rho_within"] == "shared-patients")
    assert row["slope"] == pytest.approx(fit["estimates"]["slope"]["value"], abs=1e-6)
    assert [entry["label"] for entry in default["shared_patients"] if entry["reason"]] == ["SPACE", "LEAP-012"]


def test_another_word_for_the_correlation(capsys):
    assert main(["--rho-within", "patients"]) == ExitCode.USAGE
    assert "'patients' is neither a number nor shared-patients" in capsys.readouterr().err


def test_a_table_without_medians_keeps_the_assumed_correlation(tmp_path, capsys):
    rows = ["trial,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"]
    rows += [
        f"T{i},{hr},{hr / 1.3:.3f},{hr * 1.3:.3f},{hr + 0.1:.2f},{(hr + 0.1) / 1.3:.3f},{(hr + 0.1) * 1.3:.3f}"
        for i, hr in enumerate((0.5, 0.6, 0.7, 0.9))
    ]
    (tmp_path / "mine.csv").write_text("\n".join(rows) + "\n")
    arguments = ["--pairs", str(tmp_path / "mine.csv"), "--model", "bivariate-bayes", "--rho-within", "shared-patients"]
    assert main([*arguments, "--json"]) == ExitCode.OK
    output = capsys.readouterr()
    assert "no median PFS and OS of any control arm" in output.err
    document = json.loads(output.out)
    assert document["fits"][0]["settings"]["rho_within"] == 0.5
    assert "shared-patients" not in [row["rho_within"] for row in document["rho_within_grid"]]
