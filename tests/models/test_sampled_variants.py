"""Sampled models beyond the bivariate one: Student t, classes, moderators, two surrogates, missing endpoints."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Grid, Uniform
from surrogacy.models.sampled import diagnostics
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.class_exchangeable import ClassExchangeable
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.moderated_line import SampledModeratedLine
from surrogacy.models.sampled.product_normal import ProductNormal
from surrogacy.models.sampled.student_t import StudentT
from surrogacy.models.sampled.trivariate import Trivariate, triples
from tests.support.sampled import triple_effects

pytestmark = pytest.mark.nuts
RNG = np.random.default_rng(20)


@pytest.mark.slow
def test_student_t_with_many_degrees_of_freedom_is_normal(llovet):
    result, exact = StudentT(1e6).fit(llovet), BivariateBayes().fit(llovet)
    assert result.converged
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(result.posterior.samples["posterior"][name]))[1]
        assert abs(result[name].value - exact[name].value) < 4 * error + 2e-4, name


@pytest.mark.slow
def test_missing_endpoints_and_unknown_rho_within(llovet):
    y = llovet.log_hr.copy()
    y[3, 1] = y[5, 0] = np.nan
    effects = replace(llovet, log_hr=y)
    prior = Uniform(0, 0.95)
    result, exact = SampledBivariate(rho_within=prior).fit(effects), BivariateBayes(rho_within=prior).fit(effects)
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(result.posterior.samples["posterior"][name]))[1]
        assert abs(result[name].value - exact[name].value) < 4 * error + 2e-3, name
    assert 0.2 < result["rho_within"].value < 0.95


def by_class(slopes, size=14):
    """Simulated comparisons of classes with these slopes, no scatter about their lines."""
    rng = np.random.default_rng(1)
    names = tuple(name for name in slopes for _ in range(size))
    theta = rng.normal(-0.3, 0.4, len(names))
    final = np.array([slopes[name] for name in names]) * theta
    y = np.column_stack([theta, final]) + rng.normal(0, 0.04, (len(names), 2))
    effects = Effects.from_arrays(y, np.full((len(names), 2), 0.04), 0.0)
    return replace(effects, covariates={"class": names, "stage": names})


@pytest.mark.slow
@pytest.mark.parametrize("exchangeability", ["full", "partial"])
def test_class_slopes_are_recovered(exchangeability):
    slopes = {"one": 0.5, "two": 0.55, "three": 0.45, "apart": 1.5}
    settings = ClassExchangeable(exchangeability, draws=1000, tune=1000)
    result = settings.fit(by_class(slopes))
    for name, slope in slopes.items():
        estimate = result[f"slope[{name}]"]
        assert estimate.low < slope < estimate.high
        assert estimate.value == pytest.approx(slope, abs=0.12)
    assert result["slope"].se > 0
    if exchangeability == "partial":
        assert result["exchangeable[apart]"].value < 0.3 < result["exchangeable[one]"].value
        assert result.line is None  # a class that need not be exchangeable may be anything
        return
    # a new trial is one of a new class: far less certain than the line of a known one
    low, high = (values[0] for values in result.line.predict([-0.5])[1:])
    assert high - low > 0.2


@pytest.mark.slow
def test_moderated_slopes_are_recovered():
    result = SampledModeratedLine("stage").fit(by_class({"early": 0.4, "late": 1.0}))
    assert result.converged
    assert result["slope[early]"].value == pytest.approx(0.4, abs=0.1)
    assert result["slope[late]"].value == pytest.approx(1.0, abs=0.1)
    assert result["slope_difference"].low > 0.4
    assert result["slope"] == replace(result["slope[early]"])
    assert result.line is None


@pytest.mark.slow
def test_two_surrogates(trials):
    effects = triples(trials, min_evidence="unverified")
    assert effects.names == ("PFS", "TTP", "OS")
    assert (~np.isnan(effects.log_hr[:, 2])).all()
    result = Trivariate().fit(effects)
    assert result.converged
    assert result["r2_trial[PFS+TTP]"].value >= max(result["r2_trial[PFS]"].value, result["r2_trial[TTP]"].value)
    assert set(result.estimates) >= {"slope[PFS]", "slope[TTP]", "intercept", "sigma_cond", "tau[OS]", "rho_surrogates"}


def test_triples_keep_one_comparison_a_control_arm(trials):
    effects = triples(trials)
    assert len(set(effects.comparison)) == len(effects)
    shared = trials.pair("PFS")
    groups = [
        group
        for name, group in zip(shared.comparison, shared.control_group, strict=True)
        if name in effects.comparison and group
    ]
    assert len(groups) == len(set(groups))
    pair = effects.pair(1)
    assert np.array_equal(pair.log_hr, effects.log_hr[:, [1, 2]], equal_nan=True)


def test_what_cannot_be_fitted(llovet):
    with pytest.raises(FitError, match="needs 3"):
        SampledBivariate().fit(llovet.take([0, 1]))
    with pytest.raises(UsageError, match="cannot be sampled"):
        SampledBivariate(rho_within=Grid((0.2, 0.5)))
    with pytest.raises(UsageError, match="extends beyond"):
        SampledBivariate(rho_between=Uniform(-1, 2))
    with pytest.raises(UsageError, match="extends beyond"):
        SampledBivariate(tau_final=Uniform(-1, 2))
    with pytest.raises(UsageError, match="at least 1"):
        SampledBivariate(draws=0)
    with pytest.raises(UsageError, match="between 0 and 1"):
        SampledBivariate(target_accept=1.0)
    with pytest.raises(UsageError, match="priors_on"):
        ProductNormal("both")
    with pytest.raises(UsageError, match="above 2"):
        StudentT(1.0)
    with pytest.raises(UsageError, match="fixed_effect_sd"):
        SampledDanielsHughes(fixed_effect_sd=1e9)
    with pytest.raises(UsageError, match="'full' or 'partial'"):
        ClassExchangeable("none")
    one = replace(llovet, covariates={**llovet.covariates, "class": ("chemo",) * 16})
    with pytest.raises(FitError, match="two classes are needed"):
        ClassExchangeable().fit(one)
    with pytest.raises(UsageError, match="no column 'grade'"):
        ClassExchangeable(factor="grade").fit(llovet)
    with pytest.raises(FitError, match="in every comparison"):
        SampledModeratedLine("stage").fit(llovet)
    with pytest.raises(UsageError, match="no column 'grade'"):
        SampledModeratedLine("grade").fit(llovet)
    gap = replace(llovet, covariates={"line": ("", *llovet.covariates["line"][1:])})
    assert SampledModeratedLine("line").comparable(gap).problems[-1] == "left out because of their line: 1 not stated"
    two = SampledModeratedLine("class").comparable(llovet)
    assert len(set(two.covariates["class"])) == 2
    assert "left out because of their class" in two.problems[-1]
    few = triple_effects(RNG)
    few.log_hr[3:, 1] = np.nan
    with pytest.raises(FitError, match="report TTP"):
        Trivariate().fit(few)
    with pytest.raises(UsageError, match="correlation matrices"):
        replace(triple_effects(RNG), rho_within=np.full((3, 3), 2.0))
