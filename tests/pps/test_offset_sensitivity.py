"""Regression on dilution under other structures of the hazards, and the conclusion over them."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.pps.dilution_regression import FEWER_NODES, OffsetModel
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.moderators import control_arms
from surrogacy.pps.offset_sensitivity import (
    ASSUMPTIONS,
    Assumption,
    AssumptionKind,
    DilutionConclusion,
    OffsetScenario,
    conclusion_on_dilution,
    of_kind,
    offset_sensitivity,
)
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.results.estimate import Estimate
from surrogacy.trials import read_trials
from tests.support.pinned_tables import preferred_arms


@pytest.fixture(scope="module")
def preferred(tmp_path_factory):
    """Tables 2026.11 with the preferred rows of arms.csv alone: 45 comparisons."""
    return read_trials(preferred_arms(tmp_path_factory.mktemp("tables") / "trials-2026.11"))


def rounded(share):
    return tuple(round(value, 2) for value in (share.value, share.low, share.high))


def test_shares_of_another_implementation(preferred):
    """Independent values, computed on commit 9bd36b6: to the printed digits.

    They convert a median TTP to PFS by 1 - q at every shape. With Weibull exits the factor is (1 - q)^(1 / p), which
    the package uses; 8 of the 45 medians are TTP, and the shares then differ by 0.01.
    """
    effects = preferred.analysis_set("all")

    def share(structure, *, scaled_by_share=False):
        expected, known = expected_effects(preferred, effects, structure=structure)
        if scaled_by_share:
            arms = [arm for arm, keep in zip(control_arms(preferred, effects), known, strict=True) if keep]
            q = expected.direct_death
            factor = np.array([1 - arm.direct_death.value if arm.pfs_endpoint == "TTP" else 1.0 for arm in arms])
            pfs, os = factor * [arm.median_pfs.value for arm in arms], [arm.median_os.value for arm in arms]
            hazard = structure.post_progression_hazard(pfs, os, q)
            expected = replace(expected, median_pfs=pfs, post_progression=hazard)
        assert len(expected) == 45
        return rounded(OffsetModel(nodes=FEWER_NODES).posterior(effects.take(known), expected).estimates["share"])

    assert share(TransitionStructure()) == (0.97, 0.74, 1.21)
    assert share(TransitionStructure(hr_direct_death=1.0)) == (1.20, 0.89, 1.53)
    assert share(TransitionStructure(shape=0.8), scaled_by_share=True) == (0.80, 0.61, 1.00)
    assert share(TransitionStructure(shape=1.3), scaled_by_share=True) == (1.25, 0.92, 1.60)
    assert share(TransitionStructure(shape=0.8)) == (0.81, 0.61, 1.01)
    assert share(TransitionStructure(shape=1.3)) == (1.24, 0.92, 1.59)


def test_comparisons_that_report_only_ttp_are_left_out(preferred):
    effects = preferred.analysis_set("all")
    rows = [row for row in ASSUMPTIONS if row.kind in {AssumptionKind.ANALYSIS, AssumptionKind.ENDPOINT}]
    whole, without = offset_sensitivity(preferred, effects, assumptions=rows)
    assert (whole.comparisons, without.comparisons) == (45, 38)
    kept = [name != "TTP" for name in effects.covariates["surrogate"]]
    assert without.share == offset_sensitivity(preferred, effects.take(np.array(kept)), assumptions=rows[:1])[0].share
    assert without.record["kind"] == "endpoint"
    assert without.record["k"] == 38


def test_structures_differ_from_that_of_the_analysis(preferred):
    """With another structure in the analysis, the default is one of the alternatives."""
    effects = preferred.analysis_set("all")
    rows = [row for row in ASSUMPTIONS if row.kind in {AssumptionKind.ANALYSIS, AssumptionKind.STRUCTURE}]
    chosen = TransitionStructure(hr_direct_death=1.0)
    scenarios = offset_sensitivity(preferred, effects, chosen, rows[:3])
    assert [scenario.structure for scenario in scenarios] == [chosen, DEFAULT_STRUCTURE]
    assert [rounded(scenario.share)[0] for scenario in scenarios] == [1.20, 0.97]


def scenario(low, high, kind=AssumptionKind.STRUCTURE):
    return OffsetScenario(Assumption("", kind), DEFAULT_STRUCTURE, share=Estimate((low + high) / 2, low=low, high=high))


def test_the_conclusion_is_that_of_all_assumptions():
    including, below, above = Estimate(0.95, low=0.7, high=1.2), scenario(0.5, 0.9), scenario(1.1, 1.6)
    assert conclusion_on_dilution(including, [scenario(0.6, 1.01), scenario(0.9, 1.6)]) is DilutionConclusion.NOT_SHOWN
    assert conclusion_on_dilution(including, [below]) is DilutionConclusion.DEPENDS
    assert conclusion_on_dilution(below.share, [scenario(0.4, 0.99)]) is DilutionConclusion.EXCLUDED
    assert conclusion_on_dilution(below.share, [above]) is DilutionConclusion.DEPENDS
    others = [scenario(0.5, 0.9, AssumptionKind.VALUE), scenario(0.5, 0.9, AssumptionKind.ENDPOINT)]
    assert all(conclusion_on_dilution(including, [other]) is DilutionConclusion.DEPENDS for other in others)
    # an assumption without a result does not count
    failed = OffsetScenario(Assumption("", AssumptionKind.STRUCTURE), DEFAULT_STRUCTURE, problem="no comparison")
    assert conclusion_on_dilution(including, [failed]) is DilutionConclusion.NOT_SHOWN
    assert of_kind([below, *others], AssumptionKind.STRUCTURE) == (below,)


@pytest.mark.parametrize(
    ("structure", "below"), [(TransitionStructure(hr_direct_death=1.0), True), (TransitionStructure(shape=0.8), False)]
)
def test_another_structure_looks_like_another_share(preferred, structure, below):
    """OS effects under dilution alone and another structure: a share of 1 there, and another share by default.

    Without sampling error of OS, by least squares. The structures are therefore not separable from incomplete dilution.
    """
    effects = preferred.analysis_set("all")
    (default, known), (other, _) = (
        expected_effects(preferred, effects, structure=chosen) for chosen in (DEFAULT_STRUCTURE, structure)
    )
    x = effects.log_hr[None, known, 0]
    share, _ = np.polyfit(default.log_hr(x)[0], other.log_hr(x)[0], 1)
    assert share < 0.9 if below else share > 1.1
    residual = other.log_hr(x)[0] - share * default.log_hr(x)[0]
    assert residual.std() < 0.05  # half of the scatter of the true OS effects about the line, 0.10
