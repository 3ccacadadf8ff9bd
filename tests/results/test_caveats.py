"""Decisions read codes and fields: with every sentence replaced they stay the same."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from surrogacy.cli.fit import main as fit
from surrogacy.cli.pps import main as pps
from surrogacy.evaluation.criteria import all_verdicts
from surrogacy.evaluation.grades import surrogate_effect
from surrogacy.evaluation.influence import conclusions
from surrogacy.figures import forest_data
from surrogacy.figures.bubble import bubble_data
from surrogacy.figures.posterior import posterior_data
from surrogacy.models import create
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate

# Keys of results.json that hold sentences about caveats and methods.
PROSE = ("problems", "kind", "made", "words")
MODELS = ("weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes")


def without_prose(content):
    if isinstance(content, dict):
        return {key: without_prose(value) for key, value in content.items() if key not in PROSE}
    return [without_prose(value) for value in content] if isinstance(content, list) else content


@pytest.fixture
def nonsense(monkeypatch):
    """Every caveat and every method that is made from now on is written backwards."""

    def replace_texts():
        caveat, estimate = Caveat.__init__, Estimate.__init__

        def backwards(self, *arguments, **fields):
            estimate(self, *arguments, **fields)
            object.__setattr__(self, "method", self.method[::-1])

        monkeypatch.setattr(Caveat, "__init__", lambda self, code, text: caveat(self, code, text[::-1]))
        monkeypatch.setattr(Estimate, "__init__", backwards)

    return replace_texts


def backwards(result):
    """The result with every sentence written backwards."""
    estimates = {
        name: replace(estimate, method=estimate.method[::-1]) if isinstance(estimate, Estimate) else estimate
        for name, estimate in result.estimates.items()
    }
    caveats = tuple(replace(caveat, text=caveat.text[::-1]) for caveat in result.caveats)
    return replace(result, estimates=estimates, caveats=caveats)


@pytest.mark.parametrize("name", ["tactics-2022", "llovet-2019-pfs"])
@pytest.mark.parametrize("model", MODELS)
def test_verdicts_conclusions_and_marks_without_sentences(trials, name, model):
    effects = trials.analysis_set(name)
    result = create(model, bootstrap=50).fit(effects)
    changed = backwards(result)
    assert {caveat.code for caveat in result.caveats} == {caveat.code for caveat in changed.caveats}
    assert (result.on_boundary, result.unverified) == (changed.on_boundary, changed.unverified)
    focus = surrogate_effect(effects, effects.labels[0])
    for before, after in zip(all_verdicts(result, trial=focus), all_verdicts(changed, trial=focus), strict=True):
        assert (before.item, before.status, before.value) == (after.item, after.status, after.value)
    assert conclusions(result) == conclusions(changed)
    pd.testing.assert_frame_equal(bubble_data(result), bubble_data(changed))
    assert list(map(repr, forest_data(result))) == list(map(repr, forest_data(changed)))
    if result.posterior is not None:
        for before, after in zip(posterior_data(result).values(), posterior_data(changed).values(), strict=True):
            pd.testing.assert_frame_equal(before, after)


def test_codes_that_are_read_occur(trials):
    model = create("bivariate-reml", prediction="plug-in")
    codes = {caveat.code for caveat in model.fit(trials.analysis_set("tactics-2022")).caveats}
    assert codes >= {CaveatCode.BOUNDARY, CaveatCode.UNVERIFIED, CaveatCode.NARROW_BAND}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "options"),
    [
        (fit, ["tactics-2022", "llovet-2019-pfs", "--json", "--quiet"]),
        (fit, ["tactics-2022", "--json", "--quiet", "--strict"]),
        (pps, ["--json", "--quiet", "--resamples", "100"]),
    ],
)
def test_a_run_without_sentences(command, options, nonsense, capsys):
    code = command(options)
    before = json.loads(capsys.readouterr().out)
    nonsense()
    assert command(options) == code
    after = json.loads(capsys.readouterr().out)
    assert before != after
    assert without_prose(after) == without_prose(before)


def test_deprecated_views(trials):
    effects = trials.analysis_set("tactics-2022")
    result = create("bivariate-bayes", check_grid=False).fit(effects)
    assert result.problems == tuple(caveat.text for caveat in result.caveats)
    assert effects.problems == tuple(caveat.text for caveat in effects.caveats)
    assert result.draws is result.posterior
    assert result["slope"].kind == result["slope"].method
    assert effects.patients == effects.n_patients
    assert effects.factors.items() >= effects.covariates.items()
    unverified = [value == "unverified" for value in effects.factors["surrogate_evidence"]]
    assert unverified == effects.unverified[:, 0].tolist()
    assert any(unverified)


def test_posteriors_answer_alike(trials):
    """Quantiles, distribution function, density and draws of one posterior agree."""
    posterior = create("bivariate-bayes", check_grid=False).fit(trials.analysis_set("llovet-2019-pfs")).posterior
    draws = posterior.draw(20_000, seed=1)
    for name in posterior.quantities:
        median = posterior.quantile(name, [0.5])
        assert posterior.distribution(name, median) == pytest.approx(0.5, abs=0.01)
        assert (draws[name] < median[0]).mean() == pytest.approx(0.5, abs=0.015)
        low, high = posterior.quantile(name, [0.4, 0.6])
        assert posterior.density(name, median)[0] == pytest.approx(0.2 / (high - low), rel=0.1)
