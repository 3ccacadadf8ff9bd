"""Thresholds of every model by target: on the screen, in the table, and in the sentence of the answer."""

import numpy as np
import pytest

from surrogacy.analysis.fit_run import SetFit
from surrogacy.effects import Effects
from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.meta_regressions import meta_regression_variants
from surrogacy.evaluation.threshold_targets import with_threshold_targets
from surrogacy.models import BivariateBayes, BivariateRandomEffects, MetaRegression, WeightedPearson, WeightedRegression
from surrogacy.report.section import Grid
from surrogacy.report.sections.answers import sentence, threshold_cell
from surrogacy.report.sections.sensitivity import _thresholds_in_words
from surrogacy.report.sections.threshold_targets import targets_block
from surrogacy.results.estimate import ThresholdEffect, ThresholdInterval
from surrogacy.trials.analysis_set import Pairing
from tests.support.pinned_tables import pinned_trials

PLUG_IN = BivariateRandomEffects(interval="delta", prediction="plug-in")


def fit_of(name, *models):
    paired = pinned_trials().analysis_set_with_flow(name, Pairing(surrogates=("PFS", "TTP", "TACE-PFS")))
    results = (with_threshold_targets(model, model.fit(paired.effects), resamples=79) for model in models)
    return SetFit(paired, results=tuple(results))


def rows_of(fit):
    """Headings, and the texts of every row by its first cell."""
    grid = next(detail for detail in targets_block(fit) if isinstance(detail, Grid))
    texts = [[getattr(cell, "text", cell) for cell in row] for row in grid.rows]
    return grid.headings, {row[0]: row[1:] for row in texts}


@pytest.fixture(scope="module")
def llovet():
    return fit_of("llovet-2019-pfs", WeightedRegression(), PLUG_IN, BivariateBayes())


def test_both_targets_of_every_model(llovet):
    headings, rows = rows_of(llovet)
    assert headings == ("Threshold (HR), 95% band", "True effect", "Trial of mean size (n = 558)", "Interval")
    assert rows["weighted regression"][0] == "– (no between-trial variance)"
    assert rows["weighted regression"][1].startswith("0.52 (")
    assert rows["bivariate REML"][0].startswith("0.65")
    assert rows["Bayesian bivariate model"] == [
        "0.55 (0.34 to 0.80)",
        "0.44, outside the data (0.24 to 0.60)",
        "posterior, known parameters",
    ]


def test_a_stated_size_has_its_own_column():
    headings, rows = rows_of(fit_of("llovet-2019-pfs", BivariateBayes(new_n=1500)))
    assert headings[3] == "Trial of the stated size"
    true, mean, stated = (float(text[:4]) for text in rows["Bayesian bivariate model"][:3])
    assert mean < stated < true


def test_a_model_without_a_threshold():
    _, rows = rows_of(fit_of("tactics-2022", BivariateBayes()))
    assert rows["Bayesian bivariate model"][0] == "none (exists with probability 0.45)"
    _, rows = rows_of(fit_of("advanced-immunotherapy", BivariateBayes()))
    assert rows["Bayesian bivariate model"][0] == "none: benefit even at HR 1 (exists with probability 0.12)"


def test_without_intervals_there_is_no_block():
    paired = pinned_trials().analysis_set_with_flow("llovet-2019-pfs", Pairing(surrogates=("PFS",)))
    assert targets_block(SetFit(paired, results=(BivariateBayes().fit(paired.effects),))) == ()


def test_the_answer_has_the_interval_or_the_probability(llovet):
    assert "A PFS hazard ratio of 0.55 (0.34 to 0.80) or lower predicts a benefit in OS." in sentence(
        llovet, answer(llovet.results)
    )
    assert threshold_cell(answer(llovet.results)) == "0.55 (0.34 to 0.80)"
    second = fit_of("advanced-second-line", BivariateBayes())
    reply = answer(second.results)
    assert "0.69 (exists with probability 0.80) or lower predicts a benefit in OS." in sentence(second, reply)
    assert threshold_cell(reply) == "0.69 (exists: 0.80)"


@pytest.mark.parametrize(("exists", "words"), [(0.9951, ">0.99"), (0.004, "<0.01"), (0.88, "0.88")])
def test_probabilities_are_not_rounded_to_certainty(exists, words):
    interval = ThresholdInterval(None, None, exists, 0.0, 0.95, "bootstrap")
    threshold = ThresholdEffect(0.55, "exists", "prediction", 0.95, uncertainty=interval)
    assert threshold.uncertainty_words == f", exists with probability {words}"
    assert threshold.record["uncertainty"]["exists"] == exists
    assert np.isclose(threshold.record["hr"], 0.55)


def test_a_threshold_at_the_mean_size_is_not_defined_without_numbers_of_patients():
    """It is not "none", which would mean that no effect is strong enough."""
    x = np.array([-0.9, -0.6, -0.5, -0.3, -0.1, 0.1])
    final = 0.6 * x + [0.05, -0.02, 0.01, -0.05, 0.04, -0.03]
    effects = Effects.from_arrays(np.column_stack([x, final]), np.full((6, 2), 0.1))
    records = [variant.record for variant in meta_regression_variants(MetaRegression(), effects)]
    assert _thresholds_in_words(records, "ste_95_mean_size") == "not defined"
    assert "not defined" not in _thresholds_in_words(records, "ste_95_true_effect")


def test_a_model_without_an_association_does_not_count_as_a_check():
    """All surrogate effects are equal: no correlation, and a REML fit without a slope."""
    effects = Effects.from_arrays(np.full((8, 2), [-0.3, -0.1]), np.full((8, 2), 0.13), n=np.full(8, 400))
    results = [model.fit(effects) for model in (BivariateBayes(), WeightedPearson(), PLUG_IN)]
    assert answer(results).checks == ()
