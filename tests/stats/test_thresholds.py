"""A band that excludes no final effect without a surrogate effect gives no threshold; a slope that may be 0 is told."""

import json

import numpy as np
import pytest

from surrogacy.evaluation.criteria import iqwig, iqwig_trial
from surrogacy.evaluation.grades import SurrogateEffect
from surrogacy.figures import plot_bubble
from surrogacy.fit import main
from surrogacy.models import create
from surrogacy.report.sections.model_figures import bubble_caption
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.stats import thresholds
from surrogacy.stats.lines import Line
from surrogacy.stats.thresholds import threshold_caveats
from tests.support.effects import simulated
from tests.support.pinned_tables import PINNED

Z = 1.959963984540054
WITHOUT = "benefit-without-surrogate-effect"
MODELS = ("weighted-regression", "bivariate-reml", "bivariate-ml", "bivariate-bayes", "daniels-hughes")
SETS = ("advanced-immunotherapy", "intermediate", "advanced", "tactics-2022", "llovet-2019-pfs")


def straight(intercept, slope, covariance=((0, 0), (0, 0)), sigma=0.05, data_range=(-1.0, 0.5)):
    return Line(intercept, slope, np.array(covariance, dtype=float), sigma, float("nan"), 1.0, None, None, data_range)


@pytest.fixture(scope="module")
def fits(trials):
    return {(name, model): create(model).fit(trials.analysis_set(name)) for name in SETS for model in MODELS}


@pytest.mark.parametrize("intercept", [-0.5, -0.25, -0.12, -0.0981, -0.0979, -0.05, 0.0, 0.2])
def test_a_line_known_exactly(intercept):
    """The upper limit ``intercept + slope x + z sigma`` is 0 at ``-(intercept + z sigma) / slope``; z sigma = 0.098."""
    found = straight(intercept, 0.8).threshold()
    root = -(intercept + Z * 0.05) / 0.8
    if root > 0:
        assert (found.hr, found.status) == (None, WITHOUT)
        assert found.crossing == pytest.approx(np.exp(root))
        assert found.intercept == intercept
    else:
        assert (found.hr, found.crossing) == (pytest.approx(np.exp(root)), None)
        assert found.status in ("exists", "outside-data")


def test_a_two_sided_region_that_holds_no_surrogate_effect():
    """slope^2 < z^2 C22: the band closes in between two surrogate effects, on either side of a hazard ratio of 1."""
    line = straight(-0.5, 0.2, ((0.001, 0), (0, 0.05)), sigma=0.0)
    found = line.threshold()
    assert (found.hr, found.hr_other, found.status) == (None, None, WITHOUT)
    assert line.predict(0.0)[2] < 0
    assert line.predict(np.log(found.crossing))[2] == pytest.approx(0, abs=1e-9)


def test_a_region_of_surrogate_harm_alone_is_no_benefit_without_effect():
    """The band is narrowest at a surrogate HR of exp(0.5): there alone it excludes no effect, not at 1."""
    line = straight(-0.3, 0.2, ((0.051, -0.1), (-0.1, 0.2)), sigma=0.0)
    assert line.predict(0.5)[2] < 0 < line.predict(0.0)[2]
    assert (line.threshold().hr, line.threshold().status) == (None, "none")


@pytest.mark.slow
def test_the_exact_posterior_of_immunotherapy(fits):
    """Share of 60,000 draws below 0 at a surrogate HR of 1, and at the crossing: 0.975 at the crossing itself."""
    result = fits["advanced-immunotherapy", "bivariate-bayes"]
    found = result["ste_prediction"]
    assert (found.hr, found.status) == (None, WITHOUT)
    assert (found.crossing, found.intercept) == pytest.approx((1.06, -0.18), abs=0.005)
    draws = result.posterior.draw(60_000, seed=2)
    error = draws["sigma_cond"] * np.random.default_rng(3).standard_normal(60_000)
    below = [float((draws["intercept"] + draws["slope"] * x + error < 0).mean()) for x in (0.0, np.log(found.crossing))]
    assert below[0] > 0.98
    assert below[1] == pytest.approx(0.975, abs=0.0025)  # four Monte Carlo errors
    effects = fits["advanced-immunotherapy", "bivariate-reml"].effects
    reml = create("bivariate-reml", interval="delta", prediction="plug-in").fit(effects)["ste_prediction"]
    assert (reml.hr, reml.crossing, reml.intercept) == (
        None,
        pytest.approx(1.11, abs=0.005),
        pytest.approx(-0.16, abs=0.005),
    )


@pytest.mark.slow
def test_no_threshold_above_1_in_any_set_or_model(fits):
    thresholds = [
        value for fit in fits.values() for value in fit.estimates.values() if isinstance(value, ThresholdEffect)
    ]
    assert all(ste.hr is None or ste.hr <= 1 for ste in thresholds)
    assert all((ste.crossing is not None and ste.crossing > 1) == (ste.status == WITHOUT) for ste in thresholds)
    assert {ste.status for ste in thresholds} >= {"exists", "none", "two-sided", WITHOUT}


@pytest.mark.slow
def test_the_flag_of_the_slope_is_raised_by_every_model_alike(fits):
    """Raised if and only if there is a threshold and the interval of the slope contains 0; exact models included."""
    raised = set()
    for (name, model), result in fits.items():
        thresholds = [value for value in result.estimates.values() if isinstance(value, ThresholdEffect)]
        slope = result["slope"]
        expected = any(ste.hr is not None for ste in thresholds) and slope.low is not None and slope.low <= 0
        flags = [caveat for caveat in result.caveats if caveat.code == "flat-slope"]
        assert len(flags) == expected, (name, model)
        raised |= {model} if flags else set()
    assert raised >= {"bivariate-reml", "bivariate-bayes", "daniels-hughes"}


def test_an_unbounded_interval_is_flagged_too():
    estimates = {
        "slope": Estimate(1.0, level=0.95),
        "ste_prediction": ThresholdEffect(0.6, "exists", "prediction", 0.95),
    }
    assert threshold_caveats(estimates, simulated(5)) == ()  # an interval that does not exist says nothing
    unbounded = Estimate(1.0, level=0.95, unbounded=True)
    (caveat,) = threshold_caveats(estimates | {"slope": unbounded}, simulated(5))
    assert caveat.code == "flat-slope"
    assert "is unbounded" in caveat.text


@pytest.mark.slow
@pytest.mark.nuts
def test_a_sampled_model_raises_the_flags(trials):
    effects = trials.analysis_set("advanced-immunotherapy")
    result = create("product-normal", draws=400, tune=400, chains=2).fit(effects)
    assert result["ste_prediction"].status == WITHOUT
    assert any(caveat.code == "without-surrogate-effect" for caveat in result.caveats)


@pytest.mark.slow
def test_neither_proof_nor_hint_follows(fits):
    posterior = fits["advanced-immunotherapy", "bivariate-bayes"]
    plug_in = create("bivariate-reml", interval="delta", prediction="plug-in").fit(posterior.effects)
    for result in (posterior, plug_in):
        verdicts = {verdict.item: verdict for verdict in iqwig(result, trial=SurrogateEffect("NEW", 0.5, 0.4, 0.6))}
        assert (verdicts["threshold"].value, verdicts["trial"].value) == ("none", "not beyond")
        for item in ("threshold", "trial"):
            assert "even without an effect on the surrogate" in verdicts[item].words
    # the 95% band has a threshold, the narrower 80% band needs no surrogate effect: a proof, but no hint, may follow
    line = straight(-0.08, 0.8)
    result = fits["advanced", "bivariate-reml"]
    made = type(result)("made-up", {}, result.effects, {"slope": Estimate(0.8, None, 0.7, 0.9, 0.95)}, line)
    assert line.threshold(level=0.95).hr < 1
    assert line.threshold(level=0.8).status == WITHOUT
    assert next(v for v in iqwig(made) if v.item == "threshold").value == "0.98 (proof)"
    for upper, value in ((0.97, "proof"), (0.99, "not beyond")):
        assert iqwig_trial(made, SurrogateEffect("NEW", 0.7, 0.6, upper)).value == value


@pytest.mark.slow
def test_figure_caption_screen_and_document(fits, capsys):
    result = fits["advanced-immunotherapy", "bivariate-bayes"]
    axes = plot_bubble(result, show=("ste",))
    labels = [" ".join(text.get_text().split()) for text in axes.texts]
    assert "no STE: benefit without a surrogate effect, intercept −0.18" in labels
    caption = bubble_caption(result)
    assert "1.06 (95% prediction band)" in caption
    assert main(["advanced-immunotherapy", "--model", "bivariate-bayes", "--json", *PINNED]) == 0
    document = json.loads(capsys.readouterr().out)
    record = document["fits"][0]["estimates"]["ste_prediction"]
    assert (record["hr"], record["status"]) == (None, WITHOUT)
    assert record["crossing"] == pytest.approx(1.06, abs=0.005)
    assert {row["ste_prediction_status"] for row in document["prior_sensitivity"]} == {WITHOUT}


def test_a_crossing_that_no_trial_has_is_not_told_exactly():
    line = straight(-0.5, 0.01)
    estimates = {"ste_prediction": line.threshold(), "intercept": Estimate(-0.5, 0.1, -0.7, -0.3, 0.95)}
    sentence = threshold_caveats(estimates, simulated(5))[0].text
    assert f"more than {thresholds.WEAKEST_HR:g} (95% prediction band)" in sentence
    assert "the final endpoint" in sentence
