"""IQWiG A10-05: a high correlation alone suffices; a threshold effect is asked for only where validity is unclear."""

import numpy as np
import pytest

from surrogacy.evaluation.criteria import all_verdicts, iqwig_trial
from surrogacy.evaluation.criteria_text import wordings
from surrogacy.evaluation.grades import SurrogateEffect
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.result import Result
from surrogacy.stats.lines import Line


@pytest.fixture(scope="module")
def effects(trials):
    return trials.analysis_set("llovet-2019-pfs")


def fit(effects, low, high, line=None, caveats=()):
    estimates = {"r": Estimate(0.93, None, low, high, 0.95, "made up"), "slope": Estimate(0.1, None, -0.5, 0.9, 0.95)}
    return Result("made-up", {}, effects, estimates, line, caveats=caveats)


def wide_line():
    """So much scatter that no band has a threshold."""
    return Line(0.0, 0.1, np.zeros((2, 2)), 3.0, float("nan"), 1.0, None, None, (-1.0, 0.5))


@pytest.mark.parametrize(
    ("low", "high", "upper", "value"),
    [
        (0.86, 0.98, 0.90, "proof"),
        (0.85, 0.98, 0.99, "proof"),
        (0.86, 0.98, 1.00, "not shown"),
        (0.86, 0.98, 1.20, "not shown"),
        (0.84, 0.98, 0.90, "not beyond"),  # unclear: the threshold effect decides, and there is none
        (0.20, 0.70, 0.90, "not open"),
    ],
)
def test_the_grade_decides_first(effects, low, high, upper, value):
    verdict = iqwig_trial(fit(effects, low, high, wide_line()), SurrogateEffect("NEW", 0.7, 0.6, upper))
    assert verdict.value == value
    assert verdict.status == "auto"  # the slope, whose interval contains 0, concerns the threshold alone


def test_no_line_is_needed_where_the_grade_is_high(effects):
    new = SurrogateEffect("NEW", 0.7, 0.6, 0.9)
    assert iqwig_trial(fit(effects, 0.86, 0.98), new).value == "proof"
    assert iqwig_trial(fit(effects, 0.80, 0.98), new).value == "not gradable"


def test_a_doubtful_fit_stays_doubtful(effects):
    new = SurrogateEffect("NEW", 0.7, 0.6, 0.9)
    assert (
        iqwig_trial(fit(effects, 0.86, 0.98, caveats=(Caveat(CaveatCode.BOUNDARY, "made up"),)), new).status
        == "doubtful"
    )
    inside = iqwig_trial(fit(effects, 0.86, 0.98), SurrogateEffect("REACH", 0.7, 0.6, 0.9))
    assert inside.status == "doubtful"
    assert "leave it out" in inside.words


def test_neutral_words_hold_the_numbers_alone(effects):
    found = iqwig_trial(fit(effects, 0.86, 0.98), SurrogateEffect("NEW", 0.7, 0.6, 0.9), style="neutral")
    assert found.words == "NEW: upper 95% limit of the surrogate effect HR 0.90; lower 95% limit of R 0.86."


def test_each_scheme_names_the_source_of_each_limit(effects):
    limits = {scheme.name: scheme.limits for scheme in wordings().schemes.values()}
    expected = {
        "IQWiG A10-05": ("0.85", "0.70", "95%", "80%", "10.1186/s12916-017-0902-9", "10.3205/25gmds035"),
        "Daniels-Hughes, NICE DSU TSD 20": ("Intercept", "slope", "residual SD", "no number"),
        "BSES3, statistical domain": ("0.2", "0.4", "0.6", "PMC10401605"),
        "classes of frailtypack": ("0.49", "0.72", "summary.jointSurroPenal", "10.1371/journal.pone.0228098"),
    }
    assert set(limits) == set(expected)
    for name, parts in expected.items():
        for part in parts:
            assert part in limits[name]
    for verdict in all_verdicts(fit(effects, 0.86, 0.98)):
        assert verdict.limits == limits[verdict.scheme]
