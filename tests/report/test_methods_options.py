"""Every option of ``surrogacy fit`` that changes the analysis changes the methods text; the others do not."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.fit_stages import COMPARE, FIT, JUDGE, PAIR, PREDICT_SURROGATE_ONLY, READ
from surrogacy.analysis.focus_stages import PREDICT
from surrogacy.analysis.stages import advance, in_order
from surrogacy.cli.fit import fit_settings, parser
from surrogacy.report.paper.paper_text import paper_text
from surrogacy.report.paper.run_facts import RunFacts
from tests.support.pinned_tables import PINNED

STAGES = (READ, PAIR, FIT, PREDICT_SURROGATE_ONLY, PREDICT, COMPARE, JUDGE)
BASE = ("tactics-2022", "--model", "weighted-pearson", "bivariate-bayes")
# Words of the methods by the arguments that put them there
CHANGES = {
    "sets": (("llovet-2019-pfs", *BASE[1:]), "Llovet 2019: 16 comparisons"),
    "endpoints": (("intermediate", *BASE[1:], "--endpoints", "TTP"), "the surrogate endpoint TTP and on OS"),
    "min_evidence": (("intermediate", *BASE[1:], "--min-evidence", "unverified"), "whatever their evidence"),
    "shared_control": (("advanced", "--model", "weighted-pearson", "--shared-control", "first"), "the first was kept"),
    "one_endpoint": (("intermediate", *BASE[1:], "--one-endpoint", "include"), "missing at random"),
    "predict": ((*BASE, "--predict", "0.6", "0.45", "0.8"), "surrogate hazard ratio of 0.60 (0.45 to 0.80)"),
    "equivalent_slope": (
        ("tactics-2022", "llovet-2019-pfs", *BASE[1:], "--equivalent-slope", "0.2"),
        "probability that their slopes differ by at most 0.2",
    ),
    "new_n": ((*BASE, "--new-n", "400"), "new trial: n = 400"),
    "model": ((*BASE, "meta-regression"), "Knapp-Hartung intervals with the ad hoc correction"),
    "rho_within": ((*BASE, "--rho-within", "0.3"), "TACTICS 2022: 0.3. It enters"),
    "weights": ((*BASE, "--weights", "none"), "(unweighted)"),
    "seed": ((*BASE, "--seed", "7"), "seed 7"),
    "report_style": ((*BASE, "--report-style", "verdict"), "with the verdicts of these schemes"),
}
FROM_OTHER_STAGES = {"focus", "sensitivity", "nuts"}  # tested below without their computation
FROM_TABLES = {"trials", "add", "pairs"}
OUTPUT = {
    *("template", "check", "out", "details", "json", "preset", "width", "format", "figures", "quick", "bundle"),
    *("quiet", "version", "help", "show", "answers", "strict"),
}


@cache
def run_of(arguments):
    settings, _ = fit_settings(parser().parse_args([*arguments, *(PINNED if "--pairs" not in arguments else ())]))
    *_, run = advance(FitRun(settings), STAGES, in_order)
    return run


def methods_of(run):
    return paper_text(RunFacts.of(run)).texts["methods"]


def test_every_option_belongs_to_one_group():
    options = {action.dest for action in parser()._actions}
    groups = [set(CHANGES), FROM_OTHER_STAGES, FROM_TABLES, OUTPUT]
    assert options == set().union(*groups), "state whether a new option changes the methods"
    assert len(options) == sum(map(len, groups))


@pytest.mark.parametrize("option", CHANGES)
def test_an_option_changes_the_methods(option):
    arguments, words = CHANGES[option]
    base = (*arguments[: arguments.index("--model")], *BASE[1:])
    assert words in methods_of(run_of(arguments))
    reference = BASE if option in ("sets", "model") else base
    assert words not in methods_of(run_of(reference))


def test_a_table_of_the_user_is_named(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [
        "T0,100,100,0.6,0.45,0.8,0.7,0.5,0.98",
        "T1,90,90,0.7,0.5,0.98,0.8,0.57,1.12",
        "T2,80,80,0.8,0.57,1.12,0.7,0.5,0.98",
    ]
    path.write_text(
        "\n".join(["trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os", *rows]) + "\n",
        encoding="utf-8",
    )
    run = run_of(("--pairs", str(path), "--model", "weighted-pearson"))
    text = paper_text(RunFacts.of(run))
    assert "3 comparisons of 3 trials" in text.texts["methods"]
    assert "The data are those of the table" in text.texts["methods"]
    assert "curated trial tables" not in text.texts["methods"]
    assert "were excluded" not in text.texts["methods"].partition("## Within")[0].partition("Comparisons with")[0]
    assert {source.comparison for source in text.sources.without_reference} == set(run.sets[0].effects.comparison)
    assert "T0: no source is named" in text.reference_list


def test_tables_of_the_user_are_not_called_curated(trials, live_trials):
    run = run_of(BASE)
    assert "trial tables of the authors" in methods_of(run)
    assert "the curated trial tables of surrogacy" in methods_of(replace(run, trial_set=live_trials))
    assert "rows that were added" in methods_of(replace(run, trial_set=replace(trials, added=("tactics",))))


def test_lists_and_rules_are_told_apart():
    listed = methods_of(run_of(BASE))
    assert "The hazard ratios of TACTICS 2022 are those of a published table" in listed
    assert "were excluded: " not in listed
    ruled = methods_of(run_of(("intermediate", *BASE[1:])))
    assert "are those of a published table" not in ruled
    assert "If a comparison reported several surrogate endpoints, the first of PFS, TACE-PFS, TTP" in ruled
    assert "not verified in any source were excluded" in ruled
    flow = run_of(("intermediate", *BASE[1:])).sets[0].flow
    excluded = sum(not entry.included for entry in flow)
    assert f"Of {len(flow)} comparisons considered, {excluded} were excluded" in ruled


def test_sampling_is_named_only_if_something_was_sampled():
    run = run_of(BASE)
    assert "PyMC" not in methods_of(run)
    assert not {"abril-pla-2023", "hoffman-gelman-2014", "kumar-2019"} & keys_of(run)
    (fit,) = run.sets
    exact = fit.result("bivariate-bayes")
    sampled = replace(exact, posterior=SimpleNamespace(samples=object()))
    with_nuts = replace(run, settings=replace(run.settings, nuts=True), sets=(replace(fit, sampled=(sampled,)),))
    assert "As a check the exact posteriors were sampled" in methods_of(with_nuts)
    assert {"abril-pla-2023", "hoffman-gelman-2014", "kumar-2019"} <= keys_of(with_nuts)


def keys_of(run):
    return {reference.key for reference in paper_text(RunFacts.of(run)).references}


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({"choices": ({"choice": "weights"},)}, "Each choice of the data"),
        ({"subgroups": ({"factor": "class"},)}, "Subgroups by class."),
        ({"interval_methods": ({"method": "x"},)}, "Intervals of the association by other published methods."),
        ({"meta_regressions": ({"tau2": "dl"},)}, "other estimators of the between-trial variance"),
        ({"agreement": ({"model": "x"},)}, "Exact posteriors compared with sampled ones."),
    ],
)
def test_each_sensitivity_analysis_is_named_only_if_it_was_run(records, words):
    run = run_of(BASE[:3])
    assert "No sensitivity analysis was run." in methods_of(run)
    with_records = replace(run, sets=(replace(run.sets[0], **records),))
    assert words in methods_of(with_records)
    assert words not in methods_of(run)


def test_a_model_that_was_not_fitted_is_not_described_as_a_result(tmp_path):
    path = tmp_path / "points.csv"
    rows = [f"T{i},100,100,0.{5 + i},0.{6 + i}" for i in range(4)]
    path.write_text("\n".join(["trial,n_exp,n_ctl,hr_pfs,hr_os", *rows]) + "\n", encoding="utf-8")
    settings, _ = fit_settings(parser().parse_args(["--pairs", str(path)]))
    *_, run = advance(FitRun(settings), STAGES, in_order)
    text = methods_of(run)
    fitted = {result.model for result in run.sets[0].results}
    assert "bivariate-bayes" not in fitted
    assert "Bayesian bivariate random-effects" not in text
    assert "The main results are those of a weighted least-squares regression" in text
    assert "Hazard ratios without a standard error: 8;" in text
    assert "Not fitted to points: " in text
    results = paper_text(RunFacts.of(run)).texts["results"]
    assert "Bayesian bivariate model (" in results
    assert "Prior and posterior" not in results
