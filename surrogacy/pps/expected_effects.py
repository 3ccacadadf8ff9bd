"""The OS effect that a PFS effect should leave in each trial if post-progression survival is equal in both arms.

    m_i(d1) = log of the Cox limit of the OS hazard ratio of an illness-death model with constant hazards:
    control      lam = ln 2 / median PFS,  h02 = q lam,  h01 = (1 - q) lam,  h12 from the PPS
    experimental exp(d1) h01, exp(d1) h02, the same h12

under the follow-up of the trial. With ``definition="model"`` h12 is the one that gives the control arm's median OS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.moderation import COEFFICIENTS, Moderation
from surrogacy.pps.dilution import equal_pps_hazard_ratio
from surrogacy.pps.moderators import control_arms, pfs_of, pps_sensitivity
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, ASSUMED_FOLLOW_UP
from surrogacy.pps.table_rows import typed_tables
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.trials import TrialSet

DERIVATIVE_STEP = 1e-3  # of a log, for derivatives
MAX_LOG_HR = 5.0  # |log HR| beyond which an effect is held: a hazard ratio of 0.007


class Expectation(Protocol):
    """Expected OS effect of every comparison at given surrogate effects."""

    def log_hr(self, surrogate: FloatArray) -> FloatArray:
        """(n, k) expected log hazard ratios at (n, k) surrogate log hazard ratios."""
        ...

    def control_sensitivity(self, surrogate: FloatArray) -> FloatArray:
        """(k, 3) derivatives by the surrogate effect, and by the logs of the control arm's median PFS and OS."""
        ...


@dataclass(frozen=True, eq=False)
class ExpectedEffects:
    """OS effects that dilution leaves of PFS effects in a number of comparisons.

    Parameters
    ----------
    median_pfs, direct_death, post_progression : (k,) arrays
        Of the control arms: median PFS in months, share of PFS events that are deaths, hazard of death after
        progression per month.
    follow_up : (k, 2) array
        Shortest and longest administrative follow-up, months, uniform in between; infinite for complete follow-up.
    allocation : (k, 2) array
        Patients, control and experimental.
    pps_sensitivity : (k, 2) array
        Derivatives of the log of the PPS by the logs of the control arm's median PFS and OS; 0 where it was not made
        from them.
    words : str
        Definition of PPS and kind of follow-up.
    assumed : tuple of str
        Values that no source states.
    """

    median_pfs: FloatArray
    direct_death: FloatArray
    post_progression: FloatArray
    follow_up: FloatArray
    allocation: FloatArray
    pps_sensitivity: FloatArray
    words: str = ""
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.median_pfs)
        for name in _COLUMNS[1:]:
            shape = (k,) if name in ("direct_death", "post_progression") else (k, 2)
            if np.shape(getattr(self, name)) != shape:
                raise UsageError(
                    f"{name} must have shape {shape}, as median_pfs has {k} values; got {np.shape(getattr(self, name))}"
                )

    def __len__(self) -> int:
        return len(self.median_pfs)

    def take(self, index: BoolArray | IntArray) -> ExpectedEffects:
        """Some of the comparisons."""
        median_pfs, direct_death, post_progression, follow_up, allocation, sensitivity = (
            getattr(self, name)[index] for name in _COLUMNS
        )
        return ExpectedEffects(
            median_pfs,
            direct_death,
            post_progression,
            follow_up,
            allocation,
            sensitivity,
            self.words,
            self.assumed,
        )

    def control_sensitivity(self, surrogate: FloatArray) -> FloatArray:
        """Differentiate the expected log hazard ratios.

        Parameters
        ----------
        surrogate : (k,) array
            Log hazard ratios.

        Returns
        -------
        (k, 3) array
            Derivatives by the surrogate effect, and by the logs of the control arm's median PFS and OS.
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
            Log hazard ratios of PFS, n a comparison.

        Returns
        -------
        (n, k) array
        """
        hazard_ratio = np.exp(np.clip(surrogate, -MAX_LOG_HR, MAX_LOG_HR))
        expected = np.empty_like(hazard_ratio)
        for i in range(len(self)):
            shortest, longest = map(float, self.follow_up[i])
            expected[:, i] = np.log(
                equal_pps_hazard_ratio(
                    (self.median_pfs[i], self.median_pfs[i] / hazard_ratio[:, i]),
                    self.post_progression[i],
                    self.direct_death[i],
                    (shortest, longest) if np.isfinite(longest) else None,
                    (float(self.allocation[i, 0]), float(self.allocation[i, 1])),
                )
            )
        return expected


_COLUMNS = ("median_pfs", "direct_death", "post_progression", "follow_up", "allocation", "pps_sensitivity")


def expected_effects(
    trials: TrialSet,
    effects: Effects,
    definition: PpsDefinition = "model",
    *,
    complete_follow_up: bool = False,
    min_evidence: str = "secondary",
    direct_death: float = ASSUMED_DIRECT_DEATH,
    assumed_follow_up: tuple[float, float] = ASSUMED_FOLLOW_UP,
) -> tuple[ExpectedEffects, BoolArray]:
    """Derive the expected OS effect of every comparison from the arm table.

    Parameters
    ----------
    trials : TrialSet
    effects : Effects
    definition : {"model", "median-difference", "reported", "area"}
        Of the control arm's PPS.
    complete_follow_up : bool
        Follow everyone to the event; else as in the tables, or from once to three times the control's median OS.
    min_evidence : {"primary", "secondary", "unverified"}
    direct_death : float
        Share of PFS events that are deaths, where the tables do not count them.
    assumed_follow_up : (float, float)
        Administrative follow-up where the tables do not hold it, in median OS of the control arm.

    Returns
    -------
    expected : ExpectedEffects
        Of the comparisons that have control-arm medians and both effects with standard errors.
    known : (k,) bool array
        Mask of these in ``effects``.

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
    pfs, os, q, hazard = (np.empty(len(used)) for _ in range(4))
    follow_up, allocation = np.empty((len(used), 2)), np.ones((len(used), 2))
    sensitivity, not_held = np.empty((len(used), 2)), 0
    names = [name for name, keep in zip(effects.comparison, known, strict=True) if keep]
    for i, (name, arm) in enumerate(zip(names, used, strict=True)):
        row, q[i], os[i] = rows[name], arm.direct_death.value, arm.median_os.value
        pfs[i] = pfs_of(arm)
        hazard[i] = np.log(2.0) / arm.pps(definition).months
        sensitivity[i] = pps_sensitivity(arm, definition)
        if row.follow_up is not None:
            follow_up[i] = row.follow_up
        else:
            follow_up[i] = np.multiply(assumed_follow_up, os[i])
            not_held += 1
        if row.n_ctl > 0 and row.n_exp > 0:
            allocation[i] = row.n_ctl, row.n_exp
    if complete_follow_up:
        follow_up[:] = np.inf
    period = "complete" if complete_follow_up else "administrative"
    words = f"equal PPS in both arms, by definition: {definition}; {period} follow-up"
    assumed = []
    counted = sum(not arm.direct_death.assumed for arm in used)
    if counted < len(used):
        share = next(arm.direct_death.value for arm in used if arm.direct_death.assumed)
        assumed.append(f"{share:.0%} of PFS events taken as deaths in {len(used) - counted} of {len(used)} comparisons")
    if not_held and not complete_follow_up:
        assumed.append(
            f"follow-up taken as uniform from {assumed_follow_up[0]:g} to {assumed_follow_up[1]:g} control median OS "
            f"in {not_held} of {len(used)}"
        )
    return ExpectedEffects(pfs, q, hazard, follow_up, allocation, sensitivity, words, tuple(assumed)), known


def expected_coefficients(moderation: Moderation, expectation: Expectation) -> dict[str, float]:
    """Coefficients that dilution alone would give: of the effects that an illness-death model expects.

    Weighted least squares on (1, z, x, z x), weights of the moderated line.

    Parameters
    ----------
    moderation : Moderation
    expectation : Expectation
        Of the same comparisons, such as `ExpectedEffects`.
    """
    x = moderation.posterior.effects.log_hr[:, 0]
    columns, weight = moderation.weighted_design()
    expected = expectation.log_hr(x[None])[0]
    coefficients = np.linalg.lstsq(np.sqrt(weight)[:, None] * columns, np.sqrt(weight) * expected, rcond=None)[0]
    return dict(zip(COEFFICIENTS, map(float, coefficients), strict=True))
