"""OS effect that a PFS effect predicts in each trial if post-progression survival is equal in both arms.

m_i(d1) is the log of the Cox limit of the OS hazard ratio under the follow-up of trial i, by an illness-death model
with a `TransitionStructure`. By default hazards are constant, and treatment has the PFS hazard ratio on deaths without
progression:

    control      lam = ln 2 / median PFS,  h02 = q lam,  h01 = (1 - q) lam,  h12 from the PPS
    experimental exp(d1) h01, exp(d1) h02, the same h12

With ``definition="model"``, h12 reproduces the median OS of the control arm. If the surrogate effect is on TTP, which
censors deaths, exp(d1) is the hazard ratio of progression. The trial then contains no information on the effect on
deaths without progression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.moderation import COEFFICIENTS, Moderation
from surrogacy.pps.arms import ArmPps
from surrogacy.pps.moderators import control_arms, control_medians, pps_sensitivity
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, ASSUMED_FOLLOW_UP
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.table_rows import typed_tables
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.results.endpoint_names import SURROGATE, endpoint_of
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.trials import TrialSet

DERIVATIVE_STEP = 1e-3  # of a log, for numerical derivatives
MAX_LOG_HR = 5.0  # larger |log HR| are set to this value, a hazard ratio of 0.007


class Expectation(Protocol):
    """Expected OS effects of comparisons, as functions of the surrogate effects."""

    def log_hr(self, surrogate: FloatArray) -> FloatArray:
        """(n, k) expected log hazard ratios at (n, k) surrogate log hazard ratios."""
        ...

    def control_sensitivity(self, surrogate: FloatArray) -> FloatArray:
        """(k, 3) derivatives by the surrogate effect and by the logs of the control arm's median PFS and OS."""
        ...


@dataclass(frozen=True, eq=False)
class ExpectedEffects:
    """OS effects that dilution predicts from PFS effects, in k comparisons.

    Parameters
    ----------
    median_pfs, direct_death, post_progression : (k,) arrays
        Control arms: median PFS in months, share of PFS events that are deaths, hazard of death after progression per
        month.
    follow_up : (k, 2) array
        Shortest and longest administrative follow-up, months, uniform in between; infinite for complete follow-up.
    allocation : (k, 2) array
        Patients in the control and in the experimental arm.
    pps_sensitivity : (k, 2) array
        Derivatives of the log of the PPS by the logs of the control arm's median PFS and OS; 0 if the PPS does not
        depend on them.
    deaths_censored : (k,) bool array
        Comparisons whose surrogate effect is on TTP.
    structure : TransitionStructure
    words : str
        Definition of PPS, type of follow-up and structure of the hazards.
    assumed : tuple of str
        Assumptions for values that no source states.
    """

    median_pfs: FloatArray
    direct_death: FloatArray
    post_progression: FloatArray
    follow_up: FloatArray
    allocation: FloatArray
    pps_sensitivity: FloatArray
    deaths_censored: BoolArray
    structure: TransitionStructure = DEFAULT_STRUCTURE
    words: str = ""
    assumed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.median_pfs)

    def control_sensitivity(self, surrogate: FloatArray) -> FloatArray:
        """Derivatives of the expected log hazard ratios.

        Parameters
        ----------
        surrogate : (k,) array
            Log hazard ratios.

        Returns
        -------
        (k, 3) array
            Derivatives by the surrogate effect and by the logs of the control arm's median PFS and OS.
        """
        derivatives = np.empty((len(self), 3))
        at = surrogate[None] + DERIVATIVE_STEP * np.array([[1.0], [-1.0]])
        up, down = self.log_hr(at)
        derivatives[:, 0] = (up - down) / (2 * DERIVATIVE_STEP)
        for column in (0, 1):
            ends = []
            for step in (DERIVATIVE_STEP, -DERIVATIVE_STEP):
                pfs = self.median_pfs * np.exp(step) if column == 0 else self.median_pfs
                moved = replace(
                    self,
                    median_pfs=pfs,
                    post_progression=self.post_progression * np.exp(-step * self.pps_sensitivity[:, column]),
                )
                ends.append(moved.log_hr(surrogate[None])[0])
            derivatives[:, 1 + column] = (ends[0] - ends[1]) / (2 * DERIVATIVE_STEP)
        return derivatives

    def log_hr(self, surrogate: FloatArray) -> FloatArray:
        """Expected OS log hazard ratios.

        Parameters
        ----------
        surrogate : (n, k) array
            Log hazard ratios of PFS, or of TTP: n values (rows) for each of k comparisons (columns).

        Returns
        -------
        (n, k) array
        """
        expected = np.empty(surrogate.shape)
        for i in range(len(self)):
            values, position = np.unique(surrogate[:, i], return_inverse=True)
            expected[:, i] = self._log_hr_of(i, values)[position]
        return expected

    def _log_hr_of(self, i: int, surrogate: FloatArray) -> FloatArray:
        """Expected OS log hazard ratios of comparison i at (m,) surrogate effects."""
        structure, pfs, q = self.structure, self.median_pfs[i], self.direct_death[i]
        hazard_ratio = np.exp(np.clip(surrogate, -MAX_LOG_HR, MAX_LOG_HR))
        experimental_pfs = structure.experimental_pfs(
            pfs, hazard_ratio, q, deaths_censored=bool(self.deaths_censored[i])
        )
        # below a PFS hazard ratio of hr_direct_death q, all PFS events are deaths
        share = np.minimum(structure.experimental_direct_death(pfs, experimental_pfs, q), 1.0)
        control = structure.arm(pfs, q, self.post_progression[i])
        experimental = structure.arm(experimental_pfs, share, self.post_progression[i])
        shortest, longest = map(float, self.follow_up[i])
        follow_up = (shortest, longest) if np.isfinite(longest) else None
        patients = float(self.allocation[i, 0]), float(self.allocation[i, 1])
        return np.asarray(np.log(cox_hazard_ratio(control, experimental, follow_up, patients)))


def expected_effects(
    trials: TrialSet,
    effects: Effects,
    definition: PpsDefinition = "model",
    *,
    complete_follow_up: bool = False,
    min_evidence: str = "secondary",
    direct_death: float = ASSUMED_DIRECT_DEATH,
    assumed_follow_up: tuple[float, float] = ASSUMED_FOLLOW_UP,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> tuple[ExpectedEffects, BoolArray]:
    """Derive the expected OS effects of comparisons from the arm table.

    Parameters
    ----------
    trials : TrialSet
    effects : Effects
    definition : {"model", "median-difference", "reported", "area"}
        Definition of the PPS of the control arm.
    complete_follow_up : bool
        Complete follow-up. Default: follow-up from the tables, or ``assumed_follow_up``.
    min_evidence : {"primary", "secondary", "unverified"}
        Lowest accepted level of evidence of the row of the arm.
    direct_death : float
        Share of PFS events that are deaths, assumed for trials without counts in the tables.
    assumed_follow_up : (float, float)
        Administrative follow-up of trials without follow-up in the tables, in median OS of the control arm.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from the progression-free state.

    Returns
    -------
    expected : ExpectedEffects
        For the comparisons with control-arm medians and with standard errors of both effects.
    known : (k,) bool array
        Mask of these comparisons in ``effects``.

    Raises
    ------
    FitError
        If no comparison has control-arm medians and effects with standard errors.

    Examples
    --------
    >>> import surrogacy
    >>> trials = surrogacy.read_trials()
    >>> expected, known = expected_effects(trials, trials.analysis_set("all"))
    >>> len(expected) == known.sum()
    np.True_
    """
    arms = control_arms(trials, effects, min_evidence, direct_death)
    known = (
        np.array([arm is not None and arm.has(definition) for arm in arms])
        & effects.complete
        & effects.has_standard_errors
    )
    used = [arm for arm, keep in zip(arms, known, strict=True) if keep and arm is not None]
    if not used:
        raise FitError(
            f"{effects.name or 'these effects'}: no comparison has control-arm medians "
            f"and a PPS by definition {definition}"
        )
    rows = typed_tables(trials).trials
    trial_rows = [rows[name] for name, keep in zip(effects.comparison, known, strict=True) if keep]
    follow_up = np.array(
        [
            row.follow_up or np.multiply(assumed_follow_up, arm.median_os.value)
            for row, arm in zip(trial_rows, used, strict=True)
        ]
    )
    if complete_follow_up:
        follow_up[:] = np.inf
    sizes = [(row.n_ctl, row.n_exp) if row.n_ctl > 0 and row.n_exp > 0 else (1.0, 1.0) for row in trial_rows]
    period = "complete" if complete_follow_up else "administrative"
    ttp = np.array(
        [endpoint_of(effects, i, SURROGATE) == "TTP" for i, keep in enumerate(known) if keep], dtype=np.bool_
    )
    assumed = _direct_death_assumptions(used, ttp, structure)
    not_stated = sum(row.follow_up is None for row in trial_rows)
    if not_stated and not complete_follow_up:
        assumed.append(
            f"follow-up taken as uniform from {assumed_follow_up[0]:g} to {assumed_follow_up[1]:g} control median OS "
            f"in {not_stated} of {len(used)}"
        )
    median_pfs, _, shares = control_medians(used, structure)
    expected = ExpectedEffects(
        median_pfs=median_pfs,
        direct_death=shares,
        post_progression=_post_progression(used, definition, structure),
        follow_up=follow_up,
        allocation=np.array(sizes, dtype=np.float64),
        pps_sensitivity=pps_sensitivity(used, definition, structure),
        deaths_censored=ttp,
        structure=structure,
        words=f"equal PPS in both arms, by definition: {definition}; {period} follow-up; {structure.words}",
        assumed=tuple(assumed),
    )
    return expected, known


def _post_progression(arms: Sequence[ArmPps], definition: PpsDefinition, structure: TransitionStructure) -> FloatArray:
    """(k,) hazards of death after progression, fitted to the medians under the structure if the PPS is the model's."""
    if definition != "model" or structure.shape == 1.0:
        return np.asarray(np.log(2.0) / np.array([arm.pps(definition).months for arm in arms]))
    return structure.post_progression_hazard(*control_medians(arms, structure))


def _direct_death_assumptions(arms: Sequence[ArmPps], ttp: BoolArray, structure: TransitionStructure) -> list[str]:
    """Assumptions on the share of deaths without progression, and on the effect on them in trials that report TTP."""
    assumed = []
    counted = sum(not arm.direct_death.assumed for arm in arms)
    if counted < len(arms):
        share = next(arm.direct_death.value for arm in arms if arm.direct_death.assumed)
        assumed.append(f"{share:.0%} of PFS events taken as deaths in {len(arms) - counted} of {len(arms)} comparisons")
    if ttp.any():
        ratio = structure.hr_direct_death
        taken = "the hazard ratio of TTP" if ratio is None else f"a hazard ratio of {ratio:g}"
        assumed.append(
            f"{ttp.sum()} of {len(arms)} comparisons report only TTP, which censors deaths; they contain no "
            f"information on the effect on deaths without progression, for which {taken} is assumed"
        )
    return assumed


def expected_coefficients(moderation: Moderation, expectation: Expectation) -> dict[str, float]:
    """Coefficients of a moderated line if dilution alone determined the OS effects.

    Weighted least squares of the expected OS effects on (1, z, x, z x), with the weights of the moderated line.

    Parameters
    ----------
    moderation : Moderation
    expectation : Expectation
        Expected effects of the same comparisons.
    """
    x = moderation.posterior.effects.log_hr[:, 0]
    columns, weight = moderation.weighted_design()
    expected = expectation.log_hr(x[None])[0]
    coefficients = np.linalg.lstsq(np.sqrt(weight)[:, None] * columns, np.sqrt(weight) * expected, rcond=None)[0]
    return dict(zip(COEFFICIENTS, map(float, coefficients), strict=True))
