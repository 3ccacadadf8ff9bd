"""Weighted regression and a new trial: its own sampling errors, its size, and the true effect that is refused."""

import json

import numpy as np
import pytest
from scipy.stats import t

from surrogacy import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial_prediction import predict_new
from surrogacy.fit import main
from surrogacy.models import WeightedRegression
from surrogacy.models.prediction import predict_by_regression, predict_final
from surrogacy.stats.predictive import ObservedEffects
from tests.support.pinned_tables import PINNED

TRUE_ROOT = np.linalg.cholesky([[0.10, 0.047], [0.047, 0.026]])  # of the true effects: slope 0.47, R2 0.85
RHO = 0.5


def simulated(generator, n, surrogate_error=1.0):
    """Comparisons of ``n`` patients; standard errors 2.2 and 2.4 over the root of n."""
    true = generator.standard_normal((len(n), 2)) @ TRUE_ROOT.T + [-0.4, -0.15]
    first, second = generator.standard_normal((2, len(n)))
    se = np.column_stack([surrogate_error * 2.2 / np.sqrt(n), 2.4 / np.sqrt(n)])
    errors = np.column_stack([first, RHO * first + np.sqrt(1 - RHO**2) * second])
    return Effects.from_arrays(true + se * errors, se, RHO, n)


def coverage(surrogate_error, sets=1500):
    """Share of new trials of 558 patients within the 95 % interval, with own errors and by the residual variance
    alone.
    """
    generator = np.random.default_rng(5)
    inside = np.zeros(2)
    for _ in range(sets):
        n = np.exp(generator.uniform(np.log(150), np.log(1200), 16)).round()
        result = WeightedRegression(new_n=558).fit(simulated(generator, n))
        new = simulated(generator, np.array([558.0]), surrogate_error)
        trial = ObservedEffects(*new.log_hr[0, :1], new.se[0, 0], np.nan, new.se[0, 1], RHO, 558.0)
        for i, prediction in enumerate((predict_by_regression(result, trial), predict_final(result, trial))):
            low, high = prediction.interval(0.95)
            inside[i] += low <= new.log_hr[0, 1] <= high
    return inside / sets


@pytest.mark.slow
@pytest.mark.parametrize(
    ("surrogate_error", "least_ordinary", "most_ordinary"),
    [(1.0, 0.925, 0.965), (3.0, 0.87, 0.92)],  # three times the usual error: 0.90 in 20,000 sets
)
def test_coverage_of_new_trials(surrogate_error, least_ordinary, most_ordinary):
    """The 95 % interval holds 0.95 to 0.97 of 20,000 new trials, whatever their surrogate error; 3 binomial errors
    allowed.
    """
    own, ordinary = coverage(surrogate_error)
    assert 0.935 <= own <= 0.985
    assert least_ordinary <= ordinary <= most_ordinary


@pytest.fixture(scope="module")
def llovet(trials):
    return trials.analysis_set("llovet-2019-pfs")


def test_formula(llovet):
    """Residual variance of 558 patients, less what sampling errors of the set account for, plus those of the new
    trial.
    """
    result = WeightedRegression().fit(llovet)
    log_hr, se, n = np.log(0.6), np.log(0.8 / 0.45) / 2 / 1.959964, float(llovet.n.mean())
    x, y = llovet.log_hr.T
    design = np.column_stack([np.ones_like(x), x])
    root = np.sqrt(llovet.n)[:, None]
    a, b = np.linalg.lstsq(root * design, root[:, 0] * y, rcond=None)[0]
    scale = float(llovet.n @ (y - a - b * x) ** 2) / (len(x) - 2)
    s1, s2 = llovet.se.T
    typical = np.mean(llovet.n * (s2**2 + b**2 * s1**2 - 2 * b * 0.5 * s1 * s2)) / n
    se_final = np.sqrt(np.mean(llovet.n * s2**2) / n)
    at = np.array([1.0, log_hr])
    parameters = at @ np.linalg.inv(design.T @ (llovet.n[:, None] * design)) @ at * scale
    own = se_final**2 + b**2 * se**2 - 2 * b * 0.5 * se * se_final
    total = parameters + max(scale / n - typical, 0) + own
    assert typical < scale / n  # the floor is not reached here
    (record,) = predict_new([(llovet, [result])], (0.6, 0.45, 0.8), 0.5, None)
    law = t(len(x) - 2, a + b * log_hr, np.sqrt(total))
    assert np.log([record.low_95, record.high_95]) == pytest.approx(law.ppf([0.025, 0.975]), abs=1e-6)
    assert record.p_below_1 == pytest.approx(law.cdf(0), abs=1e-6)


def test_a_wider_interval_of_the_new_trial_makes_the_prediction_less_certain(capsys):
    shown = {}
    for limits in (("0.45", "0.8"), ("0.2", "1.8")):
        arguments = [
            "llovet-2019-pfs",
            "--model",
            "weighted-regression",
            "--predict",
            "0.6",
            *limits,
            "--json",
            *PINNED,
        ]
        assert main(arguments) == 0
        (shown[limits],) = json.loads(capsys.readouterr().out)["predictions"]
    narrow, wide = shown.values()
    assert narrow["predicted"] == wide["predicted"]
    assert wide["low_95"] < narrow["low_95"] < narrow["high_95"] < wide["high_95"]
    assert narrow["p_below_1"] == pytest.approx(0.928, abs=5e-4)
    assert wide["p_below_1"] == pytest.approx(0.752, abs=5e-4)


def test_trials_on_a_straight_line_do_not_make_a_new_trial_certain():
    """Without any residual the new trial still has its sampling errors."""
    x = np.linspace(-0.8, 0.1, 8)
    effects = Effects.from_arrays(np.column_stack([x, 0.5 * x]), np.full((8, 2), 0.15), 0.5, np.full(8, 300.0))
    prediction = predict_by_regression(
        WeightedRegression().fit(effects), ObservedEffects(-0.4, 0.2, np.nan, 0.16, 0.5, 300.0)
    )
    assert prediction.variance == pytest.approx(0.16**2 + 0.25 * 0.2**2 - 0.5 * 0.2 * 0.16, abs=1e-12)


@pytest.mark.parametrize("weights", ["n", "events", "inverse-variance", "sqrt-n", "none"])
def test_a_trial_like_those_of_the_set_has_the_ordinary_interval(weights):
    """Equal sizes and errors: what is taken away is added again, under every weighting, with or without a stated
    size.
    """
    generator = np.random.default_rng(3)
    effects = simulated(generator, np.full(12, 400.0))
    result = WeightedRegression(weights=weights).fit(effects)
    se, se_final = effects.se[0]
    ordinary = predict_final(result, ObservedEffects(-0.5, se, np.nan, se_final, RHO, 400.0))
    for n, final in ((400.0, se_final), (np.nan, np.nan)):
        own = predict_by_regression(result, ObservedEffects(-0.5, se, np.nan, final, RHO, n))
        assert own.variance == pytest.approx(ordinary.variance, rel=1e-9)
        assert own.interval(0.95) == pytest.approx(ordinary.interval(0.95), rel=1e-9)


def test_a_true_effect_is_refused(llovet):
    for refused in (
        lambda: WeightedRegression(new_n=np.inf),
        lambda: WeightedRegression().fit(llovet).line.predict(-0.5, n=np.inf),
        lambda: WeightedRegression(weights="none").fit(llovet).line.predict(-0.5, n=np.inf),
    ):
        with pytest.raises(UsageError, match="does not estimate the between-trial variance"):
            refused()
    assert (
        WeightedRegression().fit(llovet).line.predict(-0.5, n=np.inf, band="confidence")[0] < 0
    )  # the mean has no size


@pytest.mark.slow
def test_infinite_size_on_the_command_line(capsys):
    """Asked for by name it stops the run; as a default model it keeps the mean size, and says so."""
    arguments = ["tactics-2022", "--new-n", "inf", "--predict", "0.6", "0.45", "0.8", "--json", *PINNED]
    assert main([*arguments, "--model", "weighted-regression", "bivariate-reml"]) == 2
    assert "give a number of patients, or use a bivariate model" in capsys.readouterr().err
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "--new-n inf does not apply to the weighted regression" in printed.err
    document = json.loads(printed.out)
    thresholds = {fit["model"]: fit["estimates"].get("ste_prediction") for fit in document["fits"]}
    assert thresholds["weighted-regression"]["new_trial"] == "n = 438"
    assert thresholds["bivariate-bayes"]["new_trial"] == "its true effect"
    targets = [(record["model"], record["target"]) for record in document["predictions"]]
    assert targets == [
        ("weighted-regression", "n = 438"),
        ("meta-regression", "true effect"),
        ("bivariate-reml", "true effect"),
        ("bivariate-bayes", "true effect"),
    ]


def test_a_size_beyond_the_largest_trial_has_a_caveat(llovet):
    largest = llovet.n.max()
    for n, said in ((largest, False), (largest + 1, True)):
        problems = WeightedRegression(new_n=n).fit(llovet).problems
        assert (
            any(f"larger than every trial of the set (at most {largest:.0f})" in problem for problem in problems)
            is said
        )
    assert not any(
        "larger than" in problem for problem in WeightedRegression(weights="none", new_n=1e6).fit(llovet).problems
    )
