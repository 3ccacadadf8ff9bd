"""What published schemes say of a result."""

import json
import re
import string
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.evaluation.criteria import all_verdicts, bses3, daniels_hughes, frailtypack, iqwig
from surrogacy.evaluation.criteria_text import wordings
from surrogacy.evaluation.grades import SurrogateEffect, class_r2, grade_correlation, grade_r2, surrogate_effect
from surrogacy.models import create
from surrogacy.results.estimate import CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.result import Result
from surrogacy.stats.lines import Line

JUDGEMENTS = (
    r"\b(valid|validity|proof|proves|hint|high|low|medium|poor|fair|good|excellent|unclear|met|verdict|judged|graded)\b"
)


@pytest.fixture(scope="module")
def sets(trials):
    return {name: trials.analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs", "advanced")}


@pytest.fixture(scope="module")
def reml(sets):
    return {name: create("bivariate-reml").fit(effects) for name, effects in sets.items()}


def result_with(effects, line=None, caveats=(), converged=True, **estimates):
    return Result("made-up", {}, effects, estimates, line, caveats=caveats, converged=converged)


def straight(slope=1.0, intercept=0.0, sigma=0.05, data_range=(-1.0, 0.5)):
    return Line(intercept, slope, np.zeros((2, 2)), sigma, float("nan"), 1.0, None, None, data_range)


def item(verdicts, name):
    return next(verdict for verdict in verdicts if verdict.item == name)


@pytest.mark.parametrize(
    ("low", "high", "grade"),
    [
        (0.85, 0.95, "high"),
        (0.849, 0.95, "unclear"),
        (0.2, 0.70, "low"),
        (0.2, 0.701, "unclear"),
        (-0.9, -0.2, "low"),
        (None, None, "none"),
    ],
)
def test_grade_of_a_correlation(low, high, grade):
    assert grade_correlation(low, high) == grade


def test_ranks_and_classes():
    assert [grade_r2(r2) for r2 in (0.19, 0.2, 0.4, 0.6)] == ["poor", "fair", "good", "excellent"]
    assert [class_r2(low) for low in (None, 0.49, 0.5, 0.719, 0.72)] == ["none", "low", "medium", "medium", "high"]


def test_iqwig_needs_the_r_that_its_number_of_trials_needs(sets):
    verdicts = iqwig(create("weighted-pearson").fit(sets["llovet-2019-pfs"]))
    assert item(verdicts, "correlation").value == "unclear"
    assert item(verdicts, "needed_r").value == "0.954"
    needed = np.tanh(np.arctanh(0.85) + 1.959964 / np.sqrt(13.152802 - 3))  # Kish's number with weights n
    assert item(verdicts, "needed_r").numbers["needed"] == pytest.approx(needed, abs=1e-6)
    assert "13.2 effective trials of 16" in item(verdicts, "needed_r").words
    published = iqwig(create("weighted-pearson", fisher="trials").fit(sets["llovet-2019-pfs"]))
    assert item(published, "needed_r").value == "0.947"
    assert "With 16 trials" in item(published, "needed_r").words
    assert item(verdicts, "threshold").status == "not gradable"
    assert item(verdicts, "correlation").source == "10.1186/s12916-017-0902-9"
    few = result_with(sets["llovet-2019-pfs"].take([0, 1, 2]), r=Estimate(0.99))
    assert item(iqwig(few), "needed_r").value == "out of reach"
    assert item(iqwig(few), "correlation").status == "not gradable"


def test_correlation_high_and_low(sets):
    effects = sets["llovet-2019-pfs"]
    high = item(iqwig(result_with(effects, r=Estimate(0.95, None, 0.86, 0.98, 0.95, "Fisher z"))), "correlation")
    assert (high.value, high.status) == ("high", "auto")
    assert "counts as valid" in high.words
    low = iqwig(
        result_with(
            effects, straight(), r=Estimate(0.3, None, -0.2, 0.6, 0.95), slope=Estimate(1.0, None, 0.9, 1.1, 0.95)
        ),
        trial=SurrogateEffect("NEW", 0.5, 0.4, 0.6),
    )
    assert item(low, "correlation").value == "low"
    assert item(low, "trial").value == "not open"  # the threshold effect is not asked where validity is lacking


def test_regression_has_the_signed_root_of_its_r2(sets):
    regression = create("weighted-regression", fisher="trials").fit(sets["llovet-2019-pfs"])
    numbers = item(iqwig(regression), "correlation").numbers
    assert (numbers["r"], numbers["low"], numbers["high"]) == pytest.approx((0.85270, 0.61836, 0.94779), abs=1e-5)
    numbers = item(iqwig(create("weighted-regression").fit(sets["llovet-2019-pfs"])), "correlation").numbers
    half = 1.959964 / np.sqrt(13.152802 - 3)
    limits = np.tanh(np.arctanh(0.852698) + np.array([-half, half]))
    assert (numbers["low"], numbers["high"]) == pytest.approx(limits, abs=1e-5)


def test_threshold_by_hand_and_a_named_trial(sets):
    # line y = x with sigma 0.05 known exactly: thresholds exp(-1.96 * 0.05), exp(-1.2816 * 0.05)
    estimates = {"r": Estimate(0.8, None, 0.6, 0.9, 0.95), "slope": Estimate(1.0, None, 0.9, 1.1, 0.95)}
    result = result_with(sets["llovet-2019-pfs"], straight(), **estimates)
    found = item(iqwig(result), "threshold")
    assert found.numbers["ste95"] == pytest.approx(np.exp(-1.959964 * 0.05), abs=1e-6)
    assert found.numbers["ste80"] == pytest.approx(np.exp(-1.281552 * 0.05), abs=1e-6)
    assert found.status == "auto"
    for upper, value in ((0.90, "proof"), (0.92, "hint"), (0.95, "not beyond")):
        verdict = item(iqwig(result, trial=SurrogateEffect("NEW", 0.7, 0.6, upper)), "trial")
        assert verdict.value == value, upper  # the limit decides, not the estimate
        assert verdict.status == "auto"
    inside = item(iqwig(result, trial=SurrogateEffect("REACH", 0.7, 0.6, 0.8)), "trial")
    assert inside.status == "doubtful"
    assert "leave it out" in inside.words


def test_a_two_sided_threshold_needs_the_whole_interval(sets):
    two = {
        "ste_prediction": ThresholdEffect(0.7, "two-sided", "prediction", 0.95, None, 0.4),
        "ste_prediction_80": ThresholdEffect(0.8, "two-sided", "prediction", 0.8, None, 0.3),
    }
    result = result_with(sets["llovet-2019-pfs"], slope=Estimate(0.5, None, 0.1, 0.9, 0.95), **two)
    assert item(iqwig(result, trial=SurrogateEffect("NEW", 0.5, 0.45, 0.6)), "trial").value == "proof"
    assert item(iqwig(result, trial=SurrogateEffect("NEW", 0.5, 0.35, 0.6)), "trial").value == "hint"
    assert item(iqwig(result, trial=SurrogateEffect("NEW", 0.5, 0.2, 0.6)), "trial").value == "not beyond"
    assert item(iqwig(result), "threshold").status == "doubtful"


def test_thresholds_that_do_not_exist_or_are_doubtful(sets, reml):
    assert item(iqwig(reml["tactics-2022"]), "threshold").value == "none"
    llovet = item(iqwig(reml["llovet-2019-pfs"]), "threshold")
    assert (llovet.value, llovet.status) == ("0.61 (proof), 0.72 (hint)", "auto")
    plug_in = create("bivariate-reml", prediction="plug-in").fit(sets["llovet-2019-pfs"])
    narrow = item(iqwig(plug_in), "threshold")
    assert (narrow.value, narrow.status) == ("0.65 (proof), 0.72 (hint)", "doubtful")
    assert item(iqwig(reml["advanced"]), "threshold").status == "auto"
    effects, slope = sets["advanced"], Estimate(1.0, None, -0.1, 2.0, 0.95)
    flat = item(iqwig(result_with(effects, straight(), slope=slope)), "threshold")
    assert "slope includes 0" in flat.words
    beyond = result_with(effects, straight(data_range=(0.0, 0.5)), slope=replace(slope, low=0.5))
    assert "extrapolation" in item(iqwig(beyond), "threshold").words
    hint = {
        "ste_prediction": ThresholdEffect(None, "none", "prediction", 0.95),
        "ste_prediction_80": ThresholdEffect(0.6, "exists", "prediction", 0.8),
    }
    assert item(iqwig(result_with(effects, **hint)), "threshold").value == "none (proof), 0.60 (hint)"
    only = result_with(effects, ste_prediction=ThresholdEffect(0.6, "exists", "prediction", 0.95))
    assert item(iqwig(only), "threshold").value == "0.60 (proof)"


def test_daniels_hughes_criteria(sets, reml):
    posterior = create("daniels-hughes").fit(sets["llovet-2019-pfs"])
    verdicts = daniels_hughes(posterior)
    assert [verdict.value for verdict in verdicts[:2]] == ["met", "met"]
    sigma = item(verdicts, "sigma_cond")
    assert sigma.numbers["factor"] == pytest.approx(np.exp(1.959964 * posterior["sigma_cond"].value), abs=1e-6)
    assert "states no limit for this SD" in sigma.words
    regression = daniels_hughes(create("weighted-regression").fit(sets["llovet-2019-pfs"]))
    assert item(regression, "intercept").value == "not met"
    below = result_with(sets["advanced"], slope=Estimate(-0.5, None, -0.9, -0.1, 0.95), sigma_cond=Estimate(0.1))
    assert [verdict.value for verdict in daniels_hughes(below)] == ["not gradable", "not met", "0.100"]


def test_bses3_is_not_gradable_from_aggregate_data(reml):
    verdicts = bses3(reml["advanced"])
    assert item(verdicts, "r2_trial").value == "excellent by the trial-level R² alone"
    assert (item(verdicts, "domain").value, item(verdicts, "domain").status) == ("not gradable", "not gradable")
    assert item(bses3(reml["advanced"], r2_individual=0.45), "domain").value == "at most good"
    assert item(bses3(reml["advanced"], r2_individual=0.1), "domain").value == "poor"
    with pytest.raises(UsageError, match="individual-level"):
        bses3(reml["advanced"], r2_individual=1.2)


def test_frailtypack_and_a_negative_association(sets, reml):
    assert frailtypack(reml["advanced"]).value == "low"
    squared = result_with(
        sets["advanced"],
        rho_between=Estimate(-0.95, None, -0.99, -0.9, 0.95),
        r2_trial=Estimate(0.9, None, 0.81, 0.98, 0.95),
    )
    verdict = frailtypack(squared)
    assert (verdict.value, verdict.status) == ("high", "doubtful")
    assert "negative" in verdict.words


def test_boundary_and_failed_diagnostics_are_said(sets, reml):
    assert reml["tactics-2022"].has_caveat(CaveatCode.BOUNDARY)
    trial = SurrogateEffect("NEW", 0.5, 0.4, 0.6)
    for style, said in (("verdict", "must not be used as it stands"), ("neutral", "lies on the boundary")):
        for verdict in all_verdicts(reml["tactics-2022"], trial=trial, style=style):
            assert verdict.caveats == reml["tactics-2022"].caveats
            if verdict.item != "needed_r":
                assert verdict.status != "auto"
                assert said in verdict.words
    failed = result_with(sets["advanced"], converged=False, r=Estimate(0.95, None, 0.9, 0.99, 0.95))
    assert item(iqwig(failed), "correlation").status == "doubtful"
    assert "diagnostics of this fit failed" in item(iqwig(failed), "correlation").words


@pytest.mark.parametrize(
    "model", ["weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes", "daniels-hughes"]
)
def test_neutral_style_holds_no_judgement(sets, model):
    trial = SurrogateEffect("NEW", 0.5, 0.4, 0.6)
    for effects in (sets["tactics-2022"], sets["llovet-2019-pfs"]):
        result = create(model).fit(effects)
        for verdict in all_verdicts(result, trial=trial, r2_individual=0.7, style="neutral"):
            assert not re.search(JUDGEMENTS, f"{verdict.value} {verdict.words}", re.IGNORECASE), verdict


def test_words_are_complete_and_neutral_ones_hold_no_judgement():
    texts = wordings()
    assert {style for _, style in texts.doubts} == {"verdict", "neutral"}
    assert len(texts.doubts) == 2 * len({doubt for doubt, _ in texts.doubts})
    assert {scheme for scheme, *_ in texts.verdicts} == set(texts.schemes)
    outcomes = {key[:3] for key in texts.verdicts}
    assert set(texts.verdicts) == {(*outcome, style) for outcome in outcomes for style in ("verdict", "neutral")}
    known = {
        "r",
        "low",
        "high",
        "made",
        "trials",
        "trials_in_words",
        "needed",
        "ste95",
        "ste80",
        "trial",
        "trial_low",
        "trial_high",
        "thresholds",
        "value",
        "factor",
        "factor_high",
        "r2",
        "r2_individual",
        "intercept",
    }
    for (*outcome, style), wording in texts.verdicts.items():
        if style == "neutral":
            assert not re.search(JUDGEMENTS, re.sub(r"{.*?}", "", " ".join(wording)), re.IGNORECASE), outcome
            named = {field for text in wording for _, field, _, _ in string.Formatter().parse(text) if field}
            assert named <= known


def test_records_are_json(reml):
    verdicts = all_verdicts(reml["advanced"], trial=SurrogateEffect("NEW", 0.5, 0.4, 0.6))
    records = json.loads(json.dumps([verdict.record for verdict in verdicts], allow_nan=False))
    assert [record["item"] for record in records] == [verdict.item for verdict in verdicts]
    assert set(records[0]) >= {
        "scheme",
        "version",
        "item",
        "status",
        "value",
        "numbers",
        "words",
        "model",
        "source",
        "limits",
        "problems",
    }


def test_surrogate_effect_of_a_trial(sets):
    found = surrogate_effect(sets["advanced"], "IMbrave150")
    assert found.hr == pytest.approx(0.65)
    assert found.low < found.hr < found.high
    left_out = create("bivariate-reml").fit(sets["advanced"].without_trial("imbrave150"))
    assert item(iqwig(left_out, trial=found), "trial").status == "auto"
    index = sets["advanced"].trial.index("himalaya")
    twice = sets["advanced"].take([index, index])
    for name in ("NO SUCH TRIAL", "himalaya"):  # none, or several comparisons
        with pytest.raises(UsageError, match="comparisons have the name"):
            surrogate_effect(twice, name)


def test_wrong_questions(reml, sets):
    with pytest.raises(UsageError, match="style"):
        all_verdicts(reml["advanced"], style="iqwig")
    with pytest.raises(UsageError, match="95%"):
        iqwig(create("weighted-pearson", level=0.9).fit(sets["advanced"]))
    with pytest.raises(UsageError, match="between its limits"):
        SurrogateEffect("NEW", 0.5, 0.6, 0.7)


def test_words_are_read_as_a_resource_of_the_package():
    script = (
        "from importlib.resources import files; "
        "print(files('surrogacy.evaluation').joinpath('criteria.toml').is_file())"
    )
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        == "True"
    )
