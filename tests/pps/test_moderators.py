"""Moderators from the tables: the PPS ratio of control arms, later therapy, factors."""

import numpy as np
import pytest

from surrogacy.errors import FitError
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderator import factor_moderator
from surrogacy.pps.arms import arm_pps
from surrogacy.pps.moderators import control_arms, later_therapy, pps_ratio, pps_sensitivity
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.trials.paired_effects import part_of


def test_pps_ratio_is_that_of_the_control_arm(trials, sets):
    """TACTICS: 30.8 and 13.5 months; a difference of 17.3, while the model's median is 13.5 (q 13/134)."""
    effects = sets["all"]
    i = effects.comparison.index("tactics")
    difference, model, reported = (pps_ratio(trials, effects, d) for d in ("median-difference", "model", "reported"))
    assert difference.values[i] == pytest.approx(np.log(17.3 / 13.5))
    assert model.values[i] == pytest.approx(np.log(13.5 / 13.5), abs=0.005)
    assert reported.values[i] == pytest.approx(np.log(17.3 / 13.5))
    assert any("equals median OS" in caveat.text for caveat in reported.caveats)
    assert "model" in model.words
    assert "PPS median OS minus median PFS" in difference.words
    # comparisons with one control arm have one value
    shared = [j for j, group in enumerate(effects.control_group) if group == "himalaya/himalaya:sorafenib"]
    assert len(shared) == 2
    assert np.ptp(difference.values[shared]) == 0


def test_sensitivities_are_derivatives(trials):
    arm = next(arm for arm in arm_pps(trials, draws=2) if (arm.comparison, arm.arm) == ("tactics", "ctl"))
    assert pps_sensitivity([arm], "median-difference")[0] == pytest.approx([-13.5 / 17.3, 30.8 / 17.3])
    assert pps_sensitivity([arm], "reported")[0] == pytest.approx([0, 0])
    q, h = arm.direct_death.value, 1e-4
    by_os = [np.log(IllnessDeath.from_medians(13.5, 30.8 * np.exp(s), q).median_pps) for s in (h, -h)]
    by_pfs = [np.log(IllnessDeath.from_medians(13.5 * np.exp(s), 30.8, q).median_pps) for s in (h, -h)]
    expected = (np.subtract(*by_pfs) / (2 * h), np.subtract(*by_os) / (2 * h))
    assert pps_sensitivity([arm], "model")[0] == pytest.approx(expected, rel=1e-4)
    # medians in other units, the same ratio: the two derivatives of log(PPS / PFS) cancel
    assert pps_sensitivity([arm], "model").sum() == pytest.approx(1, abs=1e-5)


def test_other_moderators(trials, sets):
    effects = sets["all"]
    line = factor_moderator(effects, "line")
    assert line.levels == ("first", "second")
    assert np.isnan(line.values[effects.comparison.index("tactics")])
    found = ModeratedLine().fit(effects, line)
    first, second = found.at_quantiles()
    change = second.slope.value - first.slope.value
    assert change == pytest.approx(found["slope_difference"].value, abs=0.3 * found["slope_difference"].se)
    assert any("are left out because line of treatment or" in problem for problem in found.result.problems)
    years = factor_moderator(effects, "year")
    assert not years.levels
    therapy = later_therapy(trials, effects)
    assert therapy.values[effects.comparison.index("tactics")] == pytest.approx(7.63)
    if therapy.known(effects).sum() < 5:
        with pytest.raises(FitError, match="a moderated line needs 5"):
            ModeratedLine().fit(effects, therapy)


def test_left_out_comparisons_are_counted(trials, sets, moderation):
    effects = sets["all"]
    kept = sum(arm is not None and arm.has("model") for arm in control_arms(trials, effects))
    assert len(moderation.posterior.effects) == kept
    assert any(
        f"{len(effects) - kept} of {len(effects)} comparisons" in problem for problem in moderation.result.problems
    )
    assert any("sampling errors of the control arm" in problem for problem in moderation.result.problems)
    used = [arm is not None and arm.has("model") for arm in control_arms(trials, effects)]
    said = part_of(effects, used).problems  # of those that are in the fit, not of the whole set
    assert set(said) <= set(moderation.result.problems)
    assert not set(effects.problems) <= set(moderation.result.problems)
    assert "SPACE OS from p" in " ".join(effects.problems)
    assert "SPACE OS from p" not in " ".join(said)


def test_a_time_to_progression_is_scaled_to_pfs(trials, sets):
    effects = sets["all"]
    arm = next(arm for arm in control_arms(trials, effects) if arm is not None and arm.comparison == "sharp")
    assert arm.pfs_endpoint == "TTP"
    value = pps_ratio(trials, effects).values[effects.comparison.index("sharp")]
    assert value == pytest.approx(
        np.log(arm.pps("model").months / (0.9 * arm.median_pfs.value))
    )  # 10 % of PFS events are deaths
