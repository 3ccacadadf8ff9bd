"""Methods, results and references of a run: they change with weights, prior, correlation and sets."""

import json
import re
from dataclasses import replace

import pytest

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.analysis.settings import FitSettings
from surrogacy.models import create
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import HalfNormal
from surrogacy.pps.shared_patients import shared_patients
from surrogacy.report.paper.author_answers import answers_template, read_answers
from surrogacy.report.paper.checklists import prompts
from surrogacy.report.paper.files import paper_material
from surrogacy.report.paper.paper_text import paper_text
from surrogacy.report.paper.run_facts import RunFacts
from surrogacy.trials.analysis_set import Pairing


def fitted(trials, name="tactics-2022", models=("weighted-pearson", "weighted-regression"), **settings):
    """Return a run with fits alone, without evaluation."""
    pairing = settings.pop("pairing", Pairing())
    results = [model if not isinstance(model, str) else create(model, **settings) for model in models]
    names = tuple(model.name for model in results)
    paired = trials.analysis_set_with_flow(name, pairing)
    fits = tuple(model.fit(paired.effects) for model in results)
    return FitRun(
        FitSettings(sets=(name,), models=names, pairing=pairing, **settings),
        trial_set=trials,
        sets=(SetFit(paired, fits),),
    )


def text_of(run):
    return paper_text(RunFacts.of(run))


@pytest.fixture(scope="module")
def default(trials):
    return fitted(trials)


def test_weights_are_named(trials, default):
    assert "weights: number of patients" in text_of(default).texts["methods"]
    other = text_of(fitted(trials, weights="sqrt-n")).texts["methods"]
    assert "weights: square root of the number of patients" in other
    assert "weights: number of patients" not in other


def test_priors_and_their_references_are_those_of_the_model(trials, default):
    bayes = fitted(trials, models=(BivariateBayes(),))
    narrow = fitted(trials, models=(BivariateBayes(tau_surrogate=HalfNormal(0.25)),))
    assert "half-normal(0.5)" in text_of(bayes).texts["methods"]
    assert "half-normal(0.25)" in text_of(narrow).texts["methods"]
    assert "Priors" not in text_of(default).texts["methods"]
    keys = {reference.key for reference in text_of(bayes).references}
    assert "vanhouwelingen-2002" in keys
    assert "vanhouwelingen-2002" not in {reference.key for reference in text_of(default).references}


def test_within_trial_correlation_is_that_of_the_run(trials, default):
    assert "No model of this analysis uses the correlation" in text_of(default).texts["methods"]
    likelihood = ("bivariate-ml",)
    assert "TACTICS 2022: 0.5. It enters" in text_of(fitted(trials, models=likelihood)).texts["methods"]
    run = fitted(trials, models=likelihood, pairing=Pairing(rho_within=0.3))
    assert "TACTICS 2022: 0.3. It enters" in text_of(run).texts["methods"]
    asked = replace(run.settings, shared_patients=True)
    without = text_of(replace(run, settings=asked))
    assert "derived from the patients" not in without.texts["methods"], "no correlation could be derived"
    fit = replace(run.sets[0], shared_patients=shared_patients(trials, run.sets[0].effects))
    shared = text_of(replace(run, settings=asked, sets=(fit,)))
    assert "derived from the patients" in shared.texts["methods"]
    assert {"fleischer-2009", "lin-wei-1989", "wei-higgins-2013"} <= {each.key for each in shared.references}


def test_one_endpoint_rule_and_shared_arms_are_stated(trials):
    run = fitted(trials, "advanced")
    assert "share a control arm" in text_of(run).texts["methods"]
    first = text_of(fitted(trials, "advanced", pairing=Pairing(shared_control="first")))
    assert "the first was kept" in first.texts["methods"]
    included = fitted(trials, models=("bivariate-ml",), pairing=Pairing(one_endpoint="include"))
    assert "missing at random" in text_of(included).texts["methods"]
    assert "kirkham-2012" in {reference.key for reference in text_of(included).references}


@pytest.mark.parametrize("name", ["tactics-2022", "llovet-2019-pfs", "advanced"])
def test_every_comparison_of_the_fit_has_a_number(trials, name):
    run = fitted(trials, name)
    text = text_of(run)
    assert text.sources.without_reference == ()
    cited = {reference.key for reference in text.references}
    for source in text.sources.comparisons:
        assert source.published
        assert set(source.published) <= cited
    assert {source.comparison for source in text.sources.comparisons} >= set(run.sets[0].effects.comparison)


def test_numbers_of_citations_are_those_of_the_list(default):
    text = text_of(default)
    numbers = [
        number
        for group in re.findall(r"\[([\d,–]+)\]", text.texts["methods"])
        for part in group.split(",")
        for number in range(int(part.split("–")[0]), int(part.split("–")[-1]) + 1)
    ]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(text.references) + 1))
    assert "@" not in text.texts["methods"]


def test_results_give_every_estimate_with_its_interval(default):
    text = text_of(default).texts["results"]
    assert "r 0.55 (−0.71 to 0.97)" in text
    assert "6 comparisons of 6 trials" in text
    assert "Caveats: " in text


def test_a_threshold_names_its_new_trial(trials):
    narrow = BivariateBayes(new_n=300.0)
    texts = text_of(fitted(trials, models=(narrow, "meta-regression", "weighted-regression"))).texts
    assert "threshold none (new trial: n = 438)" in texts["results"]
    assert "95% prediction band, new trial: n = 300" in texts["abstract"]
    assert "threshold none (new trial: its true effect)" in texts["results"]
    assert "The posterior median of the trial-level R²" not in texts["results"], "nothing was refitted"


def test_a_bayesian_model_without_a_joint_posterior_has_credible_intervals(trials):
    """The posterior of the Daniels-Hughes model is not kept, but its intervals are those of a posterior."""
    texts = text_of(fitted(trials, "llovet-2019-pfs", ("daniels-hughes", "weighted-regression"))).texts
    assert "95% credible interval" in texts["results"]
    assert "confidence interval" not in texts["results"]
    assert "estimate of" not in texts["results"]


def test_unverified_values_are_named_in_every_text_with_a_result(default):
    for name in ("results", "abstract", "consort_surrogate"):
        assert (
            "nverified: 5 of 12 hazard ratios (or their limits) were not read in any source"
            in (text_of(default).texts[name])
        ), name


def test_checklists_carry_unverified_values(default):
    rows = json.loads(paper_material(default).files["checklists.json"])
    shown = [row["value"] for row in rows if row["item"] in ("abstract", "threshold", "line") and row["numbers"]]
    assert len(shown) >= 3
    for value in shown:
        assert "5 of 12 hazard ratios (or their limits) were not read in any source" in value


def test_negative_numbers_have_minus_signs(trials):
    texts = text_of(fitted(trials, models=(BivariateBayes(),))).texts
    assert "uniform(−1, 1)" in texts["methods"]
    for text in texts.values():
        assert re.search(r"(?<![\w.)/-])-\d", text) is None


def test_the_same_run_gives_the_same_bytes(trials, default):
    assert paper_material(default) == paper_material(fitted(trials))


def test_checklists_use_the_answers_of_the_author(default, tmp_path):
    path = tmp_path / "report.yml"
    path.write_text(answers_template().replace("funding:\n", "funding: >\n  None: no | funding\n"), encoding="utf-8")
    answers = read_answers(path)
    assert answers == {"funding": "None: no | funding"}
    before, after = (paper_material(default, given).files for given in (None, answers))
    assert "answered by the author | None: no \\| funding | report.yml" in after["checklists.md"]
    assert "answered by the author" not in before["checklists.md"]
    assert set(prompts()) >= set(answers)
