"""What a run asks of its own results, and what --sensitivity adds."""

import csv
import json

import numpy as np
import pytest

from surrogacy.analysis import fit_stages
from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.settings import FitSettings
from surrogacy.analysis.stages import advance, in_order
from surrogacy.evaluation import cross_validation, influence, refits
from surrogacy.evaluation.interval_methods import INTERVAL_METHODS
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.fit import main
from surrogacy.models import Capability, create
from tests.support.pinned_tables import PINNED

DEFAULT = ("weighted-pearson", "weighted-regression", "meta-regression", "bivariate-reml", "bivariate-bayes")


def effective_number(effects):
    """Kish's number of comparisons of equal weight."""
    return effects.n.sum() ** 2 / (effects.n**2).sum()


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A run with --sensitivity on the six trials and the sixteen, by the models that are quick to refit."""
    out = tmp_path_factory.mktemp("run") / "out"
    models = ["--model", "weighted-pearson", "weighted-regression", "bivariate-bayes"]
    sets = ["tactics-2022", "llovet-2019-pfs"]
    assert main([*sets, *models, *PINNED, "--sensitivity", "--quiet", "--format", "png", "--out", str(out)]) == 0
    return json.loads((out / "results.json").read_text()), out


def rows(out, name):
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_cross_validation_of_the_report_is_that_of_the_library(document, trials):
    found, out = document
    effects = trials.analysis_set("llovet-2019-pfs")
    direct = cross_validation.cross_validate(create("bivariate-bayes"), effects)
    reported = next(
        one for one in found["cross_validation"] if (one["set"], one["model"]) == ("llovet-2019-pfs", "bivariate-bayes")
    )
    assert reported["covered"] == direct.coverage[0] == 16
    assert reported["rmse"] == pytest.approx(direct.rmse)
    assert len(reported["comparisons"]) == 16
    by_regression = next(
        row for row in rows(out, "cross_validation") if row["model"] == "weighted-regression" and row["k"] == "16"
    )
    assert by_regression["outside"] == "sun1170, search"
    assert not [
        one for one in found["cross_validation"] if one["model"] == "weighted-pearson"
    ]  # no line, nothing to predict with


@pytest.mark.parametrize("name", DEFAULT)
def test_refits_made_once_serve_every_question(name, trials):
    effects = trials.analysis_set("tactics-2022")
    model = create(name)
    left_out = refits.without_each_trial(model, effects)
    assert refits.leave_one_out(model, effects, left_out) == refits.leave_one_out(model, effects)
    if Capability.PROFILE_INTERVALS not in model.capabilities:  # whose refits have no profile intervals
        assert influence.delete_one(model, effects, left_out) == influence.delete_one(model, effects)


@pytest.mark.slow
def test_influence_tables_name_the_trial_that_carries_r(document):
    found, out = document
    tactics = [
        record
        for record in found["delete_one"]
        if record["set"] == "tactics-2022" and record["model"] == "weighted-pearson"
    ]
    r = {record["left_out"]: record["r"] for record in tactics}
    assert r["brisk-ta"] == pytest.approx(0.33, abs=0.005)  # the range that the design gives
    assert r["tace-2"] == pytest.approx(0.85, abs=0.005)
    assert r[""] == pytest.approx(0.552, abs=0.0005)
    hats = [float(row["hat"]) for row in rows(out, "influence") if row["set"] == "tactics-2022"]
    assert sum(hats) == pytest.approx(2.0)  # two coefficients
    assert (
        "without TACE-2: correlation, point estimate high, with it low"
        in (out / "tables" / "delete_one.md").read_text()
    )


@pytest.mark.slow
def test_differences_are_of_sets_without_a_common_trial(document, trials):
    found, out = document
    (one,) = found["differences"]
    assert one["names"] == ["tactics-2022", "llovet-2019-pfs"]
    z = one["contrasts"]["z"]["difference"]
    # closed form: difference of arctanh, SE^2 = 1 / (k1 - 3) + 1 / (k2 - 3) with the effective numbers of trials
    numbers = np.array([effective_number(trials.analysis_set(name)) for name in one["names"]])
    assert numbers == pytest.approx([4.7, 13.2], abs=0.05)
    assert z["se"] == pytest.approx(np.sqrt((1 / (numbers - 3)).sum()))
    assert z["low"] < 0 < z["high"]
    assert one["sentence"] in (out / "tables" / "differences.md").read_text()
    settings = FitSettings(("all", "advanced"), ("weighted-pearson",))
    *_, run = advance(FitRun(settings), fit_stages.TABLE_STAGES, in_order)
    assert fit_stages.COMPARE.batches(run) == [[]]


@pytest.mark.slow
def test_verdicts_are_neutral_unless_asked(document, capsys, trials):
    found, _ = document
    neutral = " ".join(one["words"] for one in found["verdicts"])
    assert "valid" not in neutral
    assert any(one["item"] == "trial" and "TACTICS" in one["words"] for one in found["verdicts"])
    needed = [
        one["numbers"]["needed"]
        for one in found["verdicts"]
        if one["item"] == "needed_r" and one["set"] == "llovet-2019-pfs"
    ]
    number = effective_number(trials.analysis_set("llovet-2019-pfs"))
    assert needed[0] == pytest.approx(np.tanh(np.arctanh(0.85) + 1.959964 / np.sqrt(number - 3)), abs=1e-6)
    arguments = ["tactics-2022", "--model", "weighted-pearson", "--json", "--report-style", "verdict", *PINNED]
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)["verdicts"]
    assert next(one for one in said if one["item"] == "correlation")["value"] == "unclear"


@pytest.mark.slow
def test_every_choice_subgroup_and_recipe_is_there(document, trials):
    found, out = document
    of_regression = [r for r in found["choices"] if r["set"] == "tactics-2022" and r["model"] == "weighted-regression"]
    direct = vary_one_choice(create("weighted-regression"), trials, "tactics-2022")
    assert [(r["varied"], r["slope"]) for r in of_regression] == [
        (r.varied, pytest.approx(r.estimates["slope"].value)) for r in direct
    ]
    assert {r["factor"] for r in found["subgroups"]} >= {"masking", "surrogate", "era"}
    assert all(int(row["k"]) >= 0 for row in rows(out, "subgroups"))
    recipes = {r["recipe"] for r in found["intervals"]}
    assert recipes == {name for name, recipe in INTERVAL_METHODS.items() if recipe.correlates == "estimated effects"}
    assert {(r["training"], r["test"]) for r in found["external_validation"]} == {
        ("tactics-2022", "llovet-2019-pfs"),
        ("llovet-2019-pfs", "tactics-2022"),
    }
    for name in ("choices-tactics-2022", "cross-validation-llovet-2019-pfs"):
        assert (out / "figures" / f"{name}.png").stat().st_size > 10_000
        assert (out / "figures" / f"{name}.caption.md").read_text()


def test_a_default_run_leaves_sensitivity_out(capsys):
    assert main(["tactics-2022", "--model", "weighted-regression", "--json", *PINNED]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["choices"] == found["subgroups"] == found["intervals"] == found["external_validation"] == []
    assert found["cross_validation"]
    assert found["influence"]
    assert found["delete_one"]
    assert found["verdicts"]


def test_a_table_of_ones_own_is_varied_too(tmp_path, capsys):
    own = tmp_path / "own.csv"
    head = "trial,n_exp,n_ctl,hr_surrogate,ci_low_surrogate,ci_high_surrogate,hr_final,ci_low_final,ci_high_final\n"
    lines = [
        f"T{i},100,100,{hr},{hr / 1.3:.3f},{hr * 1.3:.3f},{hr**0.6:.3f},{hr**0.6 / 1.4:.3f},{hr**0.6 * 1.4:.3f}\n"
        for i, hr in enumerate((0.5, 0.6, 0.7, 0.8, 0.95))
    ]
    own.write_text(head + "".join(lines))
    arguments = ["--pairs", str(own), "--model", "weighted-pearson", "weighted-regression", "--sensitivity", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert {record["varied"] for record in found["choices"]} >= {"base", "weights", "shared_control"}
    assert found["differences"] == []
