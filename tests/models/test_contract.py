"""Contract tests over every model of the registry, and what each model must do besides."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from statsmodels.regression.linear_model import WLS

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import REGISTRY, BivariateRandomEffects, WeightedPearson, WeightedRegression, create
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise
from surrogacy.models.prediction import ObservedEffects, predict_final
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, NewTrialSize, ThresholdEffect
from surrogacy.stats.lines import Line
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.residual_mixture_line import ResidualMixtureLine
from tests.support.effects import NEEDED, SAMPLED, simulated


@pytest.fixture(params=sorted(set(REGISTRY) - SAMPLED))  # the sampled models have their contract in test_sampled.py
def model(request):
    return create(request.param)


@cache
def fitted(name, seed=0):
    return create(name).fit(simulated(12, seed))


def same(one, two):
    for name, estimate in one.estimates.items():
        other = two.estimates[name]
        pairs = zip(vars(estimate).values(), vars(other).values(), strict=True)
        assert all(a == b or (isinstance(a, float) and a == pytest.approx(b, rel=1e-5, abs=1e-7)) for a, b in pairs), (
            name
        )


def test_every_model_returns_what_the_interface_promises(model):
    result = fitted(model.name)
    assert set(result.estimates) >= NEEDED.get(model.name, set())
    assert result.model == model.name
    assert result.effects.name == "simulated"
    assert isinstance(result.line, Line | MixtureLine | ResidualMixtureLine) is ("slope" in result.estimates)
    for name, estimate in result.estimates.items():
        assert isinstance(estimate, ThresholdEffect if name.startswith("ste") else Estimate)
    frame = result.summary()
    assert list(frame.index) == list(result.estimates)
    assert frame.attrs["problems"] == list(result.problems)


@pytest.mark.slow
def test_every_interval_holds_its_estimate(model):
    for seed in range(5):
        for name, estimate in fitted(model.name, seed).estimates.items():
            if isinstance(estimate, Estimate) and estimate.low is not None:
                assert estimate.low <= estimate.value <= estimate.high, name
                assert 0 < estimate.level < 1
                assert estimate.method, name


def test_no_model_depends_on_the_order_of_the_trials(model):
    effects = simulated(12)
    order = np.random.default_rng(3).permutation(12)
    one, two = fitted(model.name), model.fit(effects.take(order))
    estimates = {name: value for name, value in two.estimates.items() if name != "r_bootstrap"}
    same(type(one)(one.model, {}, effects, {name: one.estimates[name] for name in estimates}), two)


def test_the_same_fit_twice_is_the_same(model):
    same(fitted(model.name), model.fit(simulated(12)))


def test_too_few_comparisons_are_refused(model):
    fewest = 2 if model.name in ("bivariate-bayes", "daniels-hughes") else 3
    with pytest.raises(FitError, match=str(fewest)):
        model.fit(simulated(fewest - 1) if fewest == 3 else simulated(2).take([0]))


def test_problems_of_the_effects_travel_with_the_result(model):
    result = model.fit(replace(simulated(12), caveats=(Caveat(CaveatCode.ADDED, "something odd"),)))
    assert "something odd" in result.problems


def test_unknown_model():
    with pytest.raises(UsageError, match="weighted-pearson"):
        create("magic")


# --- weighted regression -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["n", "events", "inverse-variance", "sqrt-n", "none"])
def test_regression_is_that_of_statsmodels(weights):
    effects = simulated(12)
    w = {
        "n": effects.n,
        "sqrt-n": np.sqrt(effects.n),
        "none": np.ones(12),
        "inverse-variance": effects.se[:, 1] ** -2,
        "events": 4 * effects.se[:, 1] ** -2,
    }[weights]
    x, y = effects.log_hr.T
    peer = WLS(y, np.column_stack([np.ones(12), x]), weights=w).fit()
    result = WeightedRegression(weights=weights).fit(effects)
    for i, name in enumerate(("intercept", "slope")):
        assert result[name].value == pytest.approx(peer.params[i], rel=1e-9)
        assert result[name].se == pytest.approx(peer.bse[i], rel=1e-9)
        assert (result[name].low, result[name].high) == pytest.approx(peer.conf_int()[i], rel=1e-9)
    assert result["r2_trial"].value == pytest.approx(peer.rsquared, rel=1e-9)
    assert result["sigma_resid"].value == pytest.approx(np.sqrt(peer.scale / w.mean()), rel=1e-9)
    # prediction for a trial of weight w0: statsmodels' obs_ci with that weight
    new_n = 400.0
    w0 = {"n": new_n, "sqrt-n": np.sqrt(new_n), "none": 1.0}.get(weights, new_n * w.sum() / effects.n.sum())
    frame = peer.get_prediction([[1.0, -0.5]], weights=[w0]).summary_frame(alpha=0.05)
    _, low, high = result.line.predict(-0.5, n=new_n)
    assert (low, high) == pytest.approx((frame.obs_ci_lower[0], frame.obs_ci_upper[0]), rel=1e-9)
    predicted = predict_final(result, ObservedEffects(-0.5, 0.1, np.nan, np.nan, 0.5, new_n))
    assert predicted.interval(0.95) == pytest.approx((frame.obs_ci_lower[0], frame.obs_ci_upper[0]), rel=1e-9)
    _, low, high = result.line.predict(-0.5, band="confidence")
    assert (low, high) == pytest.approx((frame.mean_ci_lower[0], frame.mean_ci_upper[0]), rel=1e-9)


def test_the_statsmodels_result_is_accessible():
    effects = simulated(12)
    fitted = WeightedRegression(weights="events").statsmodels_result(effects)
    result = WeightedRegression(weights="events").fit(effects)
    assert fitted.params == pytest.approx([result["intercept"].value, result["slope"].value], rel=1e-12)
    text = fitted.summary().as_text()
    assert "WLS" in text
    assert "intercept" in text
    assert "log HR(" in text
    with pytest.raises(FitError, match="the same"):
        WeightedRegression().statsmodels_result(
            Effects.from_arrays(np.zeros((4, 2)), np.full((4, 2), 0.1), n=[100] * 4)
        )


def test_events_are_used_where_reported_and_implied_where_not():
    effects = simulated(6)
    reported = replace(effects, events=np.array([100.0, *[np.nan] * 5]))
    result = WeightedPearson(weights="events").fit(reported)
    assert any("final endpoint events not reported for 5 of 6" in problem for problem in result.problems)


def test_comparisons_without_patients_are_left_out_and_named():
    effects = simulated(6)
    result = WeightedPearson().fit(replace(effects, n=np.array([np.nan, *effects.n[1:]])))
    assert len(result.effects) == 5
    assert any("1 of 6 comparisons left out, no number of patients: 1." in problem for problem in result.problems)
    with pytest.raises(UsageError, match="inverse-variance"):
        WeightedPearson().fit(replace(effects, n=np.full(6, np.nan)))


# --- bivariate model ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "ddof"), [("reml", 1), ("ml", 0)])
def test_equal_errors_have_a_closed_form(method, ddof):
    # with the same S in every trial the estimate of T is the sample covariance less S, where that is positive definite
    effects = simulated(25, seed=2)
    t = np.cov(effects.log_hr.T, ddof=ddof) - effects.cov[0]
    result = BivariateRandomEffects(method).fit(effects)
    assert result["mu_surrogate"].value == pytest.approx(effects.log_hr[:, 0].mean(), abs=1e-7)
    assert result["tau_surrogate"].value ** 2 == pytest.approx(t[0, 0], abs=1e-7)
    assert result["tau_final"].value ** 2 == pytest.approx(t[1, 1], abs=1e-7)
    assert result["slope"].value == pytest.approx(t[0, 1] / t[0, 0], abs=1e-5)
    # and the mean has the standard error of a sample mean
    assert result["mu_final"].se == pytest.approx(np.sqrt((t[1, 1] + effects.cov[0, 1, 1]) / 25), abs=1e-7)


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("missing", [False, True])
def test_gradient_and_hessian_against_differences(method, missing):
    effects = simulated(8, seed=4)
    if missing:
        log_hr = effects.log_hr.copy()
        log_hr[0, 0] = log_hr[3, 1] = np.nan
        effects = Effects.from_arrays(log_hr, effects.se, 0.5)
    likelihood = Likelihood(make_blocks(effects), method)
    psi, h = np.array([0.08, 0.02, 0.05]), 1e-6
    steps = np.eye(3) * h
    gradient = [
        (likelihood.evaluate(psi + s).log_likelihood - likelihood.evaluate(psi - s).log_likelihood) / (2 * h)
        for s in steps
    ]
    assert likelihood.evaluate(psi).gradient == pytest.approx(gradient, rel=1e-5, abs=1e-5)
    hessian, mu_slope = likelihood.hessian(psi)
    numeric = [(likelihood.evaluate(psi + s).gradient - likelihood.evaluate(psi - s).gradient) / (2 * h) for s in steps]
    assert hessian == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-3)
    numeric = [(likelihood.evaluate(psi + s).beta - likelihood.evaluate(psi - s).beta) / (2 * h) for s in steps]
    assert mu_slope == pytest.approx(np.array(numeric).T, rel=1e-5, abs=1e-5)


def test_likelihood_is_the_normal_density():
    effects = simulated(7, seed=5)
    psi = np.array([0.08, 0.02, 0.05])
    t = np.array([[psi[0], psi[1]], [psi[1], psi[2]]])
    at = Likelihood(make_blocks(effects), "ml").evaluate(psi)
    expected = sum(
        multivariate_normal(at.beta, s + t).logpdf(y) for y, s in zip(effects.log_hr, effects.cov, strict=True)
    )
    assert at.log_likelihood == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("k", [5, 6, 12])
def test_no_start_finds_a_better_maximum(k):
    # a coarse grid over (tau1, tau2, rho), the boundary included, never beats the maximum that is reported
    for seed in range(3):
        effects = simulated(k, seed, rho_between=0.9)
        likelihood = Likelihood(make_blocks(effects), "reml")
        best = maximise(likelihood, effects, starts=3).at.log_likelihood
        for tau1 in np.linspace(0, 0.7, 15):
            for tau2 in np.linspace(0, 0.6, 13):
                for rho in np.linspace(-1, 1, 17):
                    psi = np.array([tau1**2, rho * tau1 * tau2, tau2**2])
                    assert likelihood.evaluate(psi).log_likelihood <= best + 1e-7


def test_boundary_solutions_are_named():
    found = {}
    for seed in range(60):
        result = BivariateRandomEffects("reml", interval="delta").fit(simulated(6, seed, tau=(0.12, 0.1)))
        for caveat in result.caveats:
            if caveat.code == "boundary":
                found.setdefault(caveat.text.partition(" is ")[0], result)
    flat = found["boundary solution: the SD of the true surrogate effects"]
    assert flat.line is None
    assert flat["slope"].value is None
    assert flat["rho_between"].value is None
    edge = found["boundary solution: the between-trial correlation"]
    assert abs(edge["rho_between"].value) == 1
    assert edge["rho_between"].se is None
    assert edge["sigma_cond"].value == 0


@pytest.mark.slow
def test_profile_limits_are_where_the_likelihood_has_fallen_by_1_92():
    effects = simulated(14, seed=8)
    likelihood = Likelihood(make_blocks(effects), "reml")
    result = BivariateRandomEffects("reml").fit(effects)
    best = maximise(likelihood, effects, starts=3)

    def profile(rho):
        taus = np.exp(np.linspace(-3, 0, 70))
        psi = [np.array([a * a, rho * a * b, b * b]) for a in taus for b in taus]
        return max(likelihood.evaluate(one).log_likelihood for one in psi)

    for limit in (result["rho_between"].low, result["rho_between"].high):
        drop = best.at.log_likelihood - profile(limit)
        # a grid of 4 % steps misses the inner maximum by up to 0.02
        assert drop == pytest.approx(1.92, abs=0.03) if abs(limit) < 1 else drop <= 1.95


def test_profile_of_the_line_agrees_with_delta_in_a_large_meta_analysis():
    result = BivariateRandomEffects("reml").fit(simulated(300, seed=9))
    for name in ("slope", "intercept", "sigma_cond", "rho_between", "r2_trial"):
        profile, delta = result[name], result[f"{name}_delta"]
        width = delta.high - delta.low
        assert abs(profile.low - delta.low) < 0.05 * width, name
        assert abs(profile.high - delta.high) < 0.05 * width, name


def test_large_meta_analysis_finds_the_truth():
    result = BivariateRandomEffects("reml").fit(simulated(2000, seed=10))
    truth = {
        "slope": 0.8 * 0.2 / 0.3,
        "intercept": -0.1 + 0.3 * 0.8 * 0.2 / 0.3,
        "sigma_cond": 0.12,
        "rho_between": 0.8,
    }
    for name, value in truth.items():
        assert abs(result[f"{name}_delta"].value - value) < 4 * result[f"{name}_delta"].se, name


@pytest.mark.slow
def test_delta_standard_errors_by_simulation():
    # 400 meta-analyses of 60 trials: the SD of the estimates is known to about 3.5 %
    fits = [BivariateRandomEffects("reml", interval="delta", starts=1).fit(simulated(60, seed)) for seed in range(400)]
    fits = [fit for fit in fits if fit["slope"].se is not None]  # a few end on the boundary, where there is none
    assert len(fits) > 380
    for name in ("mu_final", "slope", "intercept", "tau_surrogate"):
        values = np.array([fit[name].value for fit in fits])
        errors = np.array([fit[name].se for fit in fits])
        assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.12), name


@pytest.mark.parametrize("case", ["tiny error", "tiny ratio", "many", "rho_within 0.99"])
def test_extreme_input_is_finite(case):
    effects = simulated(300 if case == "many" else 8, seed=11)
    log_hr, se = effects.log_hr.copy(), effects.se.copy()
    if case == "tiny error":
        se[0] = 1e-4
    if case == "tiny ratio":
        log_hr[0] = np.log(0.02)
    rho = 0.99 if "0.99" in case else 0.5
    result = BivariateRandomEffects("reml").fit(Effects.from_arrays(log_hr, se, rho, n=effects.n))
    assert np.isfinite(result["loglik"].value)
    assert np.isfinite(result["slope"].value)


def test_bad_settings():
    for wrong in ({"method": "bayes"}, {"new_n": -5}):
        with pytest.raises(UsageError):
            BivariateRandomEffects(**wrong)
    with pytest.raises(UsageError):
        WeightedRegression(new_n=0).fit(simulated(5))
    with pytest.raises(UsageError):
        WeightedRegression(weights="size").fit(simulated(5))


def test_size_of_the_new_trial_when_some_patients_are_not_known():
    effects = simulated(10)
    model = WeightedRegression(weights="inverse-variance", new_n=400)
    whole = model.fit(effects)["ste_prediction"]
    gap = model.fit(replace(effects, n=np.array([np.nan, *effects.n[1:]])))["ste_prediction"]
    assert gap.new_n == whole.new_n == 400
    assert gap.hr == pytest.approx(whole.hr, rel=0.05)
    unknown = replace(effects, n=np.full(10, np.nan))
    with pytest.raises(UsageError, match="number of patients"):
        model.fit(unknown)
    threshold = WeightedRegression(weights="inverse-variance").fit(unknown)["ste_prediction"]
    assert (threshold.new_n, threshold.new_trial) == (None, NewTrialSize("mean-weight"))


def test_without_weights_the_new_trial_is_one_like_these():
    result = WeightedRegression(weights="none").fit(simulated(10))
    assert result["ste_prediction"].new_trial == NewTrialSize("equal-weights")
    assert result.line.predict(-0.5, n=5000)[1] == result.line.predict(-0.5, n=50)[1]


def test_a_regression_gives_no_threshold_for_a_true_effect():
    """Its variance falls to 0 with the size of the new trial: the band of a huge trial is that of the mean."""

    line = WeightedRegression().fit(simulated(20)).line
    with pytest.raises(UsageError, match="does not estimate the between-trial variance"):
        line.threshold(new_n=np.inf)
    huge, mean = line.threshold(new_n=1e12), line.threshold(band="confidence")
    assert huge.hr == pytest.approx(mean.hr, rel=1e-5)


def test_a_bivariate_line_without_patients_refuses_a_stated_size():
    line = BivariateRandomEffects(interval="delta").fit(replace(simulated(10), n=np.full(10, np.nan))).line
    with pytest.raises(UsageError, match="number of patients"):
        line.predict(-0.5, n=300)
    assert np.isfinite(line.predict(-0.5)[1])


@pytest.mark.parametrize("k", [6, 60])
def test_the_plug_in_band_is_narrow_at_every_number_of_trials(k):
    plug_in = BivariateRandomEffects(interval="delta", prediction="plug-in").fit(simulated(k))
    assert plug_in.has_caveat(CaveatCode.NARROW_BAND)
    assert not BivariateRandomEffects(interval="delta").fit(simulated(k)).has_caveat(CaveatCode.NARROW_BAND)


@pytest.mark.slow
def test_profile_of_the_slope_on_the_boundary_has_the_right_drop():
    # on the boundary the way to a larger sigma_cond may lie uphill: check against a grid of the nuisance parameters
    checked = 0
    for seed in range(40):
        effects = simulated(8, seed, rho_between=0.95)
        result = BivariateRandomEffects("reml").fit(effects)
        if abs(result["rho_between"].value or 0) < 1 or result["slope"].low is None:
            continue
        likelihood = Likelihood(make_blocks(effects), "reml")
        for limit in (result["slope"].low, result["slope"].high):
            grid = [
                likelihood.evaluate(np.array([a * a, limit * a * a, limit**2 * a * a + s * s])).log_likelihood
                for a in np.linspace(0.005, 0.8, 60)
                for s in np.linspace(0, 0.6, 40)
            ]
            assert result["loglik"].value - max(grid) > 1.92 - 0.03
        checked += 1
        if checked == 3:
            break
    assert checked >= 3


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_closed_form_and_general_likelihood_agree(method):
    (block,) = make_blocks(simulated(9, seed=12))
    fast, general, mixed = (Likelihood((block,), method) for _ in range(3))
    assert fast.pairs.shape == (5, 9)
    assert not fast.rest
    tail = type(block)(*(getattr(block, name)[4:] for name in ("y", "design", "sampling")), block.pattern[:, 4:])
    general.pairs, general.rest = np.zeros((5, 0)), (block,)
    mixed.pairs, mixed.rest = fast.pairs[:, :4], (tail,)
    for psi in ([0.08, 0.02, 0.05], [0.0, 0.0, 0.1], [0.04, -0.04, 0.04]):
        for beta in (None, np.array([0.1, -0.2])):
            one = fast.evaluate(np.array(psi), beta)
            for other in (general, mixed):
                for a, b in zip(vars(one).values(), vars(other.evaluate(np.array(psi), beta)).values(), strict=True):
                    assert a == pytest.approx(b, rel=1e-9, abs=1e-9)
    assert fast.evaluate(np.array([0.01, 0.9, 0.01])).log_likelihood == -np.inf
