"""Comparisons that share a control arm: all with their covariance, the first one, or pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from surrogacy.arrays import IntArray
from surrogacy.effects import Effects
from surrogacy.errors import DataError, FitError, UsageError
from surrogacy.trials.rows import Row, fault

SharedControl = Literal["cov", "first", "combine"]


def resolve_shared_controls(effects: Effects, method: SharedControl) -> Effects:
    """Resolve comparisons that share a control arm.

    Parameters
    ----------
    effects : Effects
    method : {"cov", "first", "combine"}
        ``cov`` keeps all, with the covariance of their estimates; ``first`` keeps the first of each shared control arm;
        ``combine`` pools them by generalised least squares. Pooling needs standard errors: comparisons without them are
        dropped if others of the group have them; if none has, the first one is kept.

    Returns
    -------
    Effects

    Raises
    ------
    UsageError
        For another method.
    """
    if method not in get_args(SharedControl):
        raise UsageError(f"shared-control must be one of {', '.join(get_args(SharedControl))}; got {method!r}")
    groups = list(effects.dependent_groups())
    if method == "cov" or all(len(group) == 1 for group in groups):
        return effects
    if method == "first":
        return effects.take(np.sort(np.array([_first(effects, group) for group in groups])))
    return _pool(effects, [_poolable(effects, group) for group in groups])


def _first(effects: Effects, group: IntArray) -> int:
    """Return the first comparison of a group with both endpoints and standard errors, else with both endpoints."""
    complete = [int(i) for i in group if effects.complete[i]] or [int(group[0])]
    return next((i for i in complete if effects.has_standard_errors[i]), complete[0])


def _poolable(effects: Effects, group: IntArray) -> IntArray:
    """Return the comparisons of a group that can be pooled; keeping others would count the control arm twice."""
    if effects.has_standard_errors[group].all():
        return group
    usable = group[(effects.complete & effects.has_standard_errors)[group]]
    return usable if len(usable) else np.array([_first(effects, group)], dtype=np.intp)


def _pool(effects: Effects, groups: list[IntArray]) -> Effects:
    """Pool each group into one comparison, by generalised least squares per endpoint over the arms that report it."""
    pooled = effects.take(np.array([group[0] for group in groups]))
    log_hr, se, n, rho = pooled.log_hr.copy(), pooled.se.copy(), pooled.n.copy(), pooled.rho_within.copy()
    share, events, labels = pooled.control_share.copy(), pooled.events.copy(), list(pooled.labels)
    for row, group in enumerate(groups):
        if len(group) == 1:
            continue
        control = effects.n[group] * (1.0 - effects.control_share[group, 1])
        n[row] = np.sum(effects.n[group] - control) + np.max(control)
        share[row] = 1.0 - np.max(control) / n[row] if np.isfinite(n[row]) else 0.5
        labels[row] = " + ".join(effects.labels[i] for i in group)
        events[row] = np.nan  # the sum would count the control arm twice; the standard error implies the events instead
        blocks = np.array(
            [[effects.cov[i] if i == j else effects.covariance_between(i, j) for j in group] for i in group]
        )
        weight = np.zeros((2, len(group)))
        for endpoint in (0, 1):
            reported = ~np.isnan(effects.log_hr[group, endpoint])
            if not reported.any():
                continue
            raw = np.linalg.solve(blocks[np.ix_(reported, reported)][:, :, endpoint, endpoint], np.ones(reported.sum()))
            weight[endpoint, reported] = raw / raw.sum()
            log_hr[row, endpoint] = weight[endpoint, reported] @ effects.log_hr[group, endpoint][reported]
            se[row, endpoint] = raw.sum() ** -0.5
        if weight.any(axis=1).all():
            cross = np.nan_to_num(blocks[:, :, 0, 1])
            rho[row] = weight[0] @ cross @ weight[1] / (se[row, 0] * se[row, 1])
    return replace(
        pooled,
        log_hr=log_hr,
        se=se,
        n=n,
        rho_within=rho,
        control_share=share,
        events=events,
        labels=tuple(labels),
        control_group=("",) * len(pooled),
    )


def refuse_impossible_covariance(effects: Effects, places: Sequence[Row]) -> None:
    """Refuse comparisons with one control arm whose standard errors and correlations allow no joint covariance (E131).

    Parameters
    ----------
    effects : Effects
    places : sequence of Row
        Where each comparison stands.

    Raises
    ------
    DataError
        With the place of the first comparison of each group.
    """
    faults = []
    for members in effects.dependent_groups():
        if len(members) > 1 and not _has_covariance(effects, members):
            names = ", ".join(effects.comparison[i] for i in members)
            rule = f"{names} share a control arm, but their standard errors and correlations contradict each other"
            fix = "correct the standard errors or patients, or pass --shared-control first or combine"
            faults.append(fault("E131", places[members[0]], "", rule, fix))
    if faults:
        raise DataError(faults)


def _has_covariance(effects: Effects, members: IntArray) -> bool:
    """Return whether the covariance of the estimates of a group is positive definite, as far as it is known."""
    try:
        covariance = effects.sampling_covariance(members)
    except FitError:
        return False
    known = np.isfinite(np.diag(covariance))
    return bool(np.linalg.eigvalsh(covariance[np.ix_(known, known)])[0] > 0) if known.any() else True
