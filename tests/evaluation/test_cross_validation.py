"""Leave-one-trial-out prediction: against closed forms, the exact posterior, simulation and the shipped sets."""

import numpy as np
import pytest
from scipy.stats import norm, t
from statsmodels.regression.linear_model import WLS

from surrogacy.effects import Effects, concatenate
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.cross_validation import CrossValidation, comparison_record, cross_validate, predict_comparison
from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression, create
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise, parameter_covariance

WITH_LINE = ("weighted-regression", "bivariate-reml", "bivariate-ml", "bivariate-bayes", "daniels-hughes")


def simulated(k, seed, rho_between=0.8, tau=(0.3, 0.2), se=(0.15, 0.18), rho_within=0.5):
    generator = np.random.default_rng(seed)
    psi = np.outer(tau, tau) * np.array([[1, rho_between], [rho_between, 1]])
    s = np.outer(se, se) * np.array([[1, rho_within], [rho_within, 1]])
    y = generator.multivariate_normal([-0.3, -0.1], psi + s, size=k)
    return Effects.from_arrays(y, np.tile(se, (k, 1)), rho_within, n=generator.integers(100, 900, k), name="simulated")


@pytest.fixture(scope="module")
def llovet(trials):
    return trials.analysis_set("llovet-2019-pfs")


def test_weighted_regression_is_the_prediction_interval_of_statsmodels(llovet):
    found = cross_validate(WeightedRegression(), llovet)
    for i, record in enumerate(found.records):
        kept = np.arange(len(llovet)) != i
        x, y = llovet.log_hr[kept].T
        fit = WLS(y, np.column_stack([np.ones_like(x), x]), weights=llovet.n[kept]).fit()
        band = fit.get_prediction([[1.0, llovet.log_hr[i, 0]]], weights=llovet.n[i])
        low, high = band.conf_int(obs=True, alpha=0.05)[0]
        assert (record["low"], record["high"]) == pytest.approx((low, high), rel=1e-9)
        assert (record["low_80"], record["high_80"]) == pytest.approx(band.conf_int(obs=True, alpha=0.2)[0], rel=1e-9)
        assert record["predicted"] == pytest.approx(band.predicted_mean[0], rel=1e-9)
        assert record["percentile"] == pytest.approx(t.cdf(record["residual"], 13), rel=1e-9)
        assert record["k"] == 15


def test_weighted_regression_takes_the_line_s_own_prediction(llovet):
    record = cross_validate(WeightedRegression(weights="sqrt-n"), llovet).records[3]
    line = WeightedRegression(weights="sqrt-n").fit(llovet.without_trial(llovet.trial[3])).line
    expected = line.predict(llovet.log_hr[3, 0], n=llovet.n[3])
    assert (record["predicted"], record["low"], record["high"]) == pytest.approx(
        [float(v) for v in expected], rel=1e-12
    )


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_bivariate_is_the_plug_in_with_the_delta_method(llovet, method):
    """E and Var of the observed y2 given y1, and their uncertainty from that of (mu, T), written out here once more."""
    records = cross_validate(BivariateRandomEffects(method, prediction="plug-in"), llovet).records
    for i in (0, 3, 7, 12):
        rest = llovet.without_trial(llovet.trial[i])
        likelihood = Likelihood(make_blocks(rest), method)
        best = maximise(likelihood, rest, 3)
        (t11, t12, t22), (mu1, mu2) = best.psi, best.at.beta
        (y1, _), (s1, s2) = llovet.log_hr[i], llovet.se[i]
        total, both = t11 + s1**2, t12 + llovet.rho_within[i] * s1 * s2
        mean = mu2 + both / total * (y1 - mu1)
        assert records[i]["predicted"] == pytest.approx(mean, abs=1e-6)
        variance = t22 + s2**2 - both**2 / total
        away = (y1 - mu1) / total
        gradient = np.array([-both / total, 1.0, -both / total * away, away, 0.0])
        variance += gradient @ parameter_covariance(likelihood, best, full=False) @ gradient
        assert records[i]["sd"] == pytest.approx(np.sqrt(variance), rel=1e-6)
        z = norm.ppf(0.975)
        assert records[i]["high"] - records[i]["low"] == pytest.approx(2 * z * records[i]["sd"], rel=1e-9)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_bivariate_without_heterogeneity_of_the_line_is_daniels_hughes_formula(method):
    """Large trials: no shrinkage and no pull, so Var = sigma_cond^2 + slope^2 s1^2 + s2^2 and the parameters."""
    effects = simulated(200, 4, se=(0.01, 0.01), rho_within=0.0)
    model = BivariateRandomEffects(method, interval="delta", prediction="plug-in")
    record = cross_validate_one(model, effects, 0)
    fitted = model.fit(effects.take(np.arange(1, 200)))
    x = effects.log_hr[0, 0]
    variance = fitted["sigma_cond"].value ** 2 + (fitted["slope"].value ** 2 + 1) * 0.01**2
    variance += np.array([1, x]) @ fitted.line.covariance @ np.array([1, x])
    assert record["sd"] == pytest.approx(np.sqrt(variance), rel=1e-3)
    assert record["predicted"] == pytest.approx(float(fitted.line.predict(x)[0]), abs=1e-3)


def cross_validate_one(model, effects, i):
    return comparison_record(predict_comparison(model.fit(effects.without_trial(effects.trial[i])), effects, i))


def test_bayes_is_the_exact_prediction_of_the_posterior(llovet):
    model = BivariateBayes(check_grid=False)
    records = cross_validate(model, llovet).records
    for i in (0, 5, 12):
        posterior = model.posterior(llovet.without_trial(llovet.trial[i]))
        (y1, _), (s1, s2) = llovet.log_hr[i], llovet.se[i]
        for level, tag in ((0.95, ""), (0.8, "_80")):
            expected = posterior.predict(y1, s1, llovet.rho_within[i], s2, level).observed
            assert records[i][f"low{tag}"] == pytest.approx(expected.low, abs=1e-4)
            assert records[i][f"high{tag}"] == pytest.approx(expected.high, abs=1e-4)
        assert records[i]["predicted"] == pytest.approx(expected.value, abs=1e-4)
        assert records[i]["sd"] == pytest.approx(expected.se, rel=1e-4)


@pytest.mark.slow
def test_bayes_covers_at_its_level_in_simulation():
    """60 data sets drawn of the model, the last trial predicted from the nine others: 0.95 and 0.80 within three Monte
    Carlo SEs.
    """
    records = [cross_validate_one(BivariateBayes(check_grid=False), simulated(10, seed), 9) for seed in range(60)]
    covered = np.mean([record["covered"] for record in records])
    covered_80 = np.mean([record["covered_80"] for record in records])
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 60))
    assert covered_80 == pytest.approx(0.80, abs=3 * np.sqrt(0.8 * 0.2 / 60))
    percentile = np.array([record["percentile"] for record in records])
    assert np.abs(np.sort(percentile) - (np.arange(60) + 0.5) / 60).max() < 1.63 / np.sqrt(
        60
    )  # Kolmogorov-Smirnov, 1 %


@pytest.mark.slow
def test_regression_and_reml_cover_at_their_level_in_simulation():
    for name in ("weighted-regression", "bivariate-reml"):
        found = [cross_validate(create(name), simulated(25, seed, se=(0.05, 0.18))) for seed in range(6)]
        covered, k = np.sum([one.coverage for one in found], axis=0)
        assert covered / k == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / k)), name


@pytest.mark.parametrize(
    ("name", "covered", "outside"),
    [
        ("weighted-regression", 14, {"sun1170", "search"}),
        ("bivariate-reml", 15, {"search"}),
        ("bivariate-ml", 15, {"search"}),
        ("bivariate-bayes", 16, set()),
        ("daniels-hughes", 15, {"search"}),  # the 15 of 16 of an independent JAGS run of this model
    ],
)
def test_llovet_2019(llovet, name, covered, outside):
    found = cross_validate(create(name), llovet)
    assert found.coverage == (covered, 16)
    assert set(found.outside) == outside
    assert found.sign_agreement == (11, 16)
    assert found.rmse == pytest.approx(0.1125, abs=0.0015)
    search = next(record for record in found.records if record["trial"] == "search")
    assert search["percentile"] < 0.04  # the worst predicted trial by every model
    assert search["percentile"] == min(record["percentile"] for record in found.records)


@pytest.mark.parametrize("name", WITH_LINE)
def test_summaries_follow_from_the_records(trials, name):
    found = cross_validate(create(name), trials.analysis_set("intermediate"))
    assert isinstance(found, CrossValidation)
    records = found.records
    assert len(found.predicted) == len(records)
    assert len(found.records) == 9
    assert found.mean_width == pytest.approx(np.mean([r["high"] - r["low"] for r in records]))
    assert found.rmse == pytest.approx(np.sqrt(np.mean([(r["observed"] - r["predicted"]) ** 2 for r in records])))
    multipliers = [(r["high"] - r["low"]) / 2 / norm.ppf(0.975) / r["se_final"] for r in records]
    assert found.baker_kramer_multiplier == pytest.approx(np.exp(np.mean(np.log(multipliers))))
    assert found.coverage_80[0] <= found.coverage[0] <= found.coverage[1] == len(records)
    for record in records:
        assert record["low"] < record["low_80"] < record["predicted"] < record["high_80"] < record["high"]
        assert record["same_sign"] == (record["predicted"] * record["observed"] > 0)
        assert record["covered"] == (0.025 <= record["percentile"] <= 0.975)
    x, y, sd = np.array([(r["predicted"], r["observed"], r["sd"]) for r in records]).T
    calibration = WLS(y, np.column_stack([np.ones_like(x), x]), weights=sd**-2).fit().params
    assert found.calibration == pytest.approx(calibration, rel=1e-8)
    summary = found.summary()
    assert summary["k"] == len(records)
    assert summary["covered"] == found.coverage[0]


def test_comparisons_of_one_trial_leave_together(trials):
    effects = trials.analysis_set("intermediate")
    double = next(trial for trial in effects.trials if effects.trial.count(trial) == 2)
    records = [r for r in cross_validate(WeightedRegression(), effects).records if r["trial"] == double]
    assert [record["k"] for record in records] == [7, 7]
    assert [r["comparison"] for r in cross_validate(WeightedRegression(), effects).records] == list(effects.comparison)


def test_what_cannot_be_predicted_is_a_record_with_a_problem():
    four = simulated(4, 1)
    lost = Effects.from_arrays([[-0.2, np.nan]], [[0.1, np.nan]], n=[100], trial=["lost"])
    records = cross_validate(WeightedRegression(), concatenate(four, lost)).records
    assert "not reported" in records[4]["problem"]
    assert all("problem" not in record for record in records[:4])
    few = cross_validate(WeightedRegression(), simulated(3, 1))
    assert few.coverage == (0, 0)
    assert all("3 are needed" in record["problem"] for record in few.records)
    assert np.isnan([few.mean_width, few.rmse, few.baker_kramer_multiplier]).all()
    assert few.calibration is None
    assert few.summary()["not_predicted"] == 3


def test_errors(llovet):
    with pytest.raises(UsageError, match="no line"):
        cross_validate(WeightedPearson(), llovet)
    with pytest.raises(FitError):
        cross_validate(WeightedRegression(), llovet.take(np.arange(2)))


def test_surrogates_that_do_not_differ_leave_no_line():
    effects = Effects.from_arrays(
        [[-0.2 + d, -0.1 + 4 * d] for d in (-0.02, -0.01, 0, 0.01, 0.02)], np.full((5, 2), 0.3), n=[100] * 5
    )
    found = cross_validate(create("bivariate-reml"), effects)
    assert all("no line" in record["problem"] for record in found.records)
