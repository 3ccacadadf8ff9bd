"""Paired treatment effects of a set of comparisons, and the covariance of their estimates.

A *comparison* is an experimental arm against a control arm; the comparisons of a *trial* may share a control arm.
Columns 0 and 1 of every array are the surrogate and the final endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntFlag, auto
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from surrogacy.arrays import BoolArray, FloatArray, IntArray, broadcast, counts, names, numbers, read_only
from surrogacy.errors import Caveat, FitError, UsageError

SIDES = ("surrogate", "final")


class Provenance(IntFlag):
    """Evidence level of an effect and derivation of its standard error; 0 for effects from arrays."""

    AS_GIVEN = auto()
    PRIMARY = auto()
    SECONDARY = auto()
    UNVERIFIED = auto()
    LIMITS = auto()
    SE = auto()
    P = auto()
    EVENTS = auto()
    IMPRECISE = auto()

    @property
    def evidence(self) -> str:
        """Evidence in words: ``primary``, ``secondary``, ``unverified``, ``as given``."""
        return self._word(Provenance.AS_GIVEN | Provenance.PRIMARY | Provenance.SECONDARY | Provenance.UNVERIFIED)

    @property
    def se_method(self) -> str:
        """Derivation of the standard error: ``limits``, ``se``, ``p`` or ``events``; empty without one."""
        return self._word(Provenance.LIMITS | Provenance.SE | Provenance.P | Provenance.EVENTS)

    def _word(self, among: Provenance) -> str:
        return ((self & among).name or "").lower().replace("_", " ")


@dataclass(frozen=True, eq=False)
class Effects:
    """Paired log hazard ratios of ``k`` comparisons, ready to be modelled.

    Parameters
    ----------
    log_hr : (k, 2) array
        Log hazard ratios, surrogate then final; a value below 0 favours the experimental arm. NaN = not reported.
    se : (k, 2) array
        Standard errors on the log scale; NaN = not known. Models that need a standard error leave the comparison out.
    rho_within : (k,) array
        Within-trial correlation: correlation of the sampling errors of the two estimates of a comparison.
    n : (k,) array
        Patients in the comparison (both arms); NaN = not known.
    trial, comparison, labels : tuple of str, length k
        ``labels`` are the names in figures.
    rho_known : (k,) bool array
        True where ``rho_within`` was reported, False where it is an assumption.
    control_group : tuple of str, length k
        Comparisons with the same non-empty name share a control arm.
    control_share : (k, 2) array
        Share of each sampling variance that the control arm contributes.
    events : (k,) array
        Events of the final endpoint; NaN = not reported.
    covariates : mapping of str to tuple of str
        Further columns (endpoints, class, stage, year and others), each of length k.
    provenance : (k, 2) array of Provenance
        Default: 0, source not known.
    name : str
        Name of the set.
    caveats : tuple of Caveat
        Caveats that every result inherits.
    """

    log_hr: FloatArray
    se: FloatArray
    rho_within: FloatArray
    n: FloatArray
    trial: tuple[str, ...]
    comparison: tuple[str, ...]
    rho_known: BoolArray
    control_group: tuple[str, ...]
    control_share: FloatArray
    events: FloatArray
    labels: tuple[str, ...]
    covariates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provenance: IntArray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.intp))
    name: str = ""
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.provenance):
            object.__setattr__(self, "provenance", np.zeros((len(self.comparison), 2), dtype=np.intp))
        for name in ("log_hr", "se", "rho_within", "n", "rho_known", "control_share", "events", "provenance"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @classmethod
    def from_arrays(
        cls,
        log_hr: npt.ArrayLike,
        se: npt.ArrayLike | None = None,
        rho_within: npt.ArrayLike = 0.5,
        n: npt.ArrayLike | None = None,
        trial: Sequence[str] | None = None,
        comparison: Sequence[str] | None = None,
        *,
        control_group: Sequence[str] | None = None,
        control_share: npt.ArrayLike = 0.5,
        events: npt.ArrayLike | None = None,
        labels: Sequence[str] | None = None,
        name: str = "",
    ) -> Effects:
        """Build effects from plain arrays.

        Parameters
        ----------
        log_hr, se : (k, 2) array-like
            Surrogate, then final. NaN in ``log_hr``: not reported; NaN in ``se`` (or no ``se``): not known.
        rho_within : scalar or (k,) array-like, in [-1, 1]
        n : (k,) array-like, optional
            Patients, above 0; NaN = not known (it is not replaced by ``4 / se_final^2``).
        trial, comparison, control_group, labels : sequence of str, optional
            Default: one trial per comparison, numbered from 1; no shared control arms.
        control_share : scalar, (2,) or (k, 2) array-like, between 0 and 1
            One share for all, one per endpoint, or one per endpoint and comparison.
        events : (k,) array-like, optional
            0 or more; NaN = not known.
        name : str

        Raises
        ------
        UsageError
            If a length or shape is wrong, a value is not a number, a standard error or number of patients is not above
            0, a number of events is negative, rho_within lies outside [-1, 1] or a control share outside (0, 1).
        """
        y = numbers("log_hr", log_hr)
        s = np.full(y.shape, np.nan) if se is None else numbers("se", se)
        if y.ndim != 2 or y.shape[1] != 2 or s.shape != y.shape:
            raise UsageError(f"log_hr and se must both have shape (k, 2); got {y.shape} and {s.shape}")
        k = len(y)
        observed = ~np.isnan(y)
        stated = s[observed & ~np.isnan(s)]
        if not np.all(stated > 0) or not np.all(np.isfinite(stated)):
            raise UsageError("a standard error must be above 0 and finite, or NaN where it is not known")
        if np.isinf(y).any():
            raise UsageError("a log hazard ratio is infinite")
        rho = broadcast("rho_within", rho_within, (k,))
        if not np.all(np.abs(rho) <= 1):
            raise UsageError(f"rho_within must lie in [-1, 1]; got {rho.min():g} to {rho.max():g}")
        share = broadcast("control_share", control_share, (k, 2))
        if not np.all((share > 0) & (share < 1)):
            raise UsageError(f"control_share must lie between 0 and 1; got {share.min():g} to {share.max():g}")
        numbered = tuple(str(i + 1) for i in range(k))
        trials = names("trial", trial, k, numbered)
        comparisons = names("comparison", comparison, k, trials if len(set(trials)) == k else numbered)
        return cls(
            log_hr=y,
            se=np.where(observed, s, np.nan),
            rho_within=rho,
            n=counts("n", n, k, "a number of patients is finite and above 0", least=np.nextafter(0.0, 1.0)),
            trial=trials,
            comparison=comparisons,
            rho_known=np.zeros(k, dtype=np.bool_),
            control_group=names("control_group", control_group, k, ("",) * k),
            control_share=share,
            events=counts("events", events, k, "a number of events is finite and 0 or more", least=0.0),
            labels=names("labels", labels, k, comparisons),
            name=name,
        )

    def __len__(self) -> int:
        return len(self.comparison)

    @property
    def problems(self) -> tuple[str, ...]:
        """Texts of the caveats; deprecated, use ``caveats``."""
        return tuple(caveat.text for caveat in self.caveats)

    @property
    def factors(self) -> Mapping[str, tuple[str, ...]]:
        """Covariates, with evidence and standard errors in words; deprecated, use ``covariates`` and ``provenance``."""
        return self.described_columns

    @property
    def described_columns(self) -> dict[str, tuple[str, ...]]:
        """Covariates, and the provenance of both effects in words, for tables: (k,) each."""
        columns = dict(self.covariates)
        for side, values in zip(SIDES if self.provenance.any() else (), self.provenance.T, strict=False):
            flags = list(map(Provenance, values.tolist()))
            columns[f"{side}_evidence"] = tuple(flag.evidence for flag in flags)
            columns[f"{side}_se_method"] = tuple(flag.se_method for flag in flags)
            columns[f"{side}_se_imprecise"] = tuple("yes" if Provenance.IMPRECISE in flag else "" for flag in flags)
        side_of = {name: 1 + SIDES.index(side) for name in columns for side in SIDES if name.startswith(side)}
        return {name: columns[name] for name in sorted(columns, key=lambda name: side_of.get(name, 0))}

    @property
    def unverified(self) -> BoolArray:
        """(k, 2) True where an effect was not verified in any source."""
        return np.asarray(self.provenance & Provenance.UNVERIFIED, dtype=np.bool_)

    @property
    def trials(self) -> tuple[str, ...]:
        """Distinct trials, in order of appearance."""
        return tuple(dict.fromkeys(self.trial))

    @property
    def complete(self) -> BoolArray:
        """(k,) True where both endpoints were reported."""
        return ~np.isnan(self.log_hr).any(axis=1)

    @property
    def has_standard_errors(self) -> BoolArray:
        """(k,) True where every reported effect has a standard error."""
        return (np.isnan(self.log_hr) | np.isfinite(self.se)).all(axis=1)

    @cached_property
    def cov(self) -> FloatArray:
        """(k, 2, 2) covariance of the two estimates within each comparison."""
        (s1, s2), cross = self.se.T, self.rho_within * self.se[:, 0] * self.se[:, 1]
        return read_only(np.stack([s1**2, cross, cross, s2**2], axis=1).reshape(-1, 2, 2))

    @property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """(k, 2) lower and upper 95 % limits of the log hazard ratios, from the standard errors."""
        half = float(ndtri(0.975)) * self.se
        return self.log_hr - half, self.log_hr + half

    def covariance_between(self, i: int, j: int) -> FloatArray:
        """Return the (2, 2) covariance of the estimates of comparisons ``i`` and ``j``.

        Two log hazard ratios with a shared control arm covary by the variance that this arm contributes: the share
        ``control_share`` of the sampling variance. If a comparison uses a part of the arm, or does not report an
        endpoint, the smaller, or the reported, contribution is the shared one.
        """
        if i == j:
            return np.asarray(self.cov[i])
        if not self.control_group[i] or self.control_group[i] != self.control_group[j]:
            return np.zeros((2, 2))
        contribution = self.control_share * self.se**2
        common = np.fmin(contribution[i], contribution[j])
        cross = self._control_correlation(self.control_group[i]) * float(np.sqrt(common[0] * common[1]))
        return np.array([[common[0], cross], [cross, common[1]]])

    def sampling_covariance(self, members: Sequence[int] | IntArray) -> FloatArray:
        """Return the (2 m, 2 m) covariance of the estimates of ``m`` comparisons, surrogate and final of each in turn.

        Parameters
        ----------
        members : sequence of int
            Indices of the comparisons, such as a group of `dependent_groups`.
        """
        return np.block([[self.covariance_between(int(i), int(j)) for j in members] for i in members])

    def _control_correlation(self, group: str) -> float:
        """Correlation of the two estimates within a shared control arm.

        It is the mean correlation of the comparisons (with both endpoints, if any), moved to the nearest value for
        which the correlation of every experimental arm lies within [-1, 1]: ``rho_i s0 s1 = rho c_i + rho_e e_i``, with
        the parts ``c_i`` and ``e_i`` of ``s0 s1`` of the two arms.
        """
        members = np.array([name == group for name in self.control_group])
        members = members & self.complete if (members & self.complete).any() else members
        shares = 1.0, self.control_share, 1.0 - self.control_share
        whole, control, rest = ((share * self.se**2)[members].prod(axis=1) ** 0.5 for share in shares)
        rho = self.rho_within[members]
        low = float(np.fmax.reduce((rho * whole - rest) / control, initial=-1.0))  # ignores NaN
        high = float(np.fmin.reduce((rho * whole + rest) / control, initial=1.0))
        if low > high + 1e-9:
            raise FitError(
                f"{', '.join(self.take(members).comparison)} share a control arm, but their within-trial correlations "
                f"({', '.join(f'{r:g}' for r in rho)}) contradict each other"
            )
        return float(np.clip(rho.mean(), low, max(low, high)))

    @property
    def n_patients(self) -> float:
        """Total number of patients, a shared control arm counted once; NaN if a comparison does not state it."""
        total = float(self.n.sum())
        for group in self.dependent_groups():
            control = self.n[group] * (1.0 - self.control_share[group, 1])
            total -= float(control.sum() - control.max())
        return float(np.round(total))

    @property
    def patients(self) -> float:
        """Total number of patients; deprecated, use ``n_patients``."""
        return self.n_patients

    def dependent_groups(self) -> Iterator[IntArray]:
        """Yield index arrays of comparisons whose estimates covary; most contain a single comparison."""
        groups: dict[str, list[int]] = {}
        for index, group in enumerate(self.control_group):
            groups.setdefault(group or f"\0{index}", []).append(index)
        for members in groups.values():
            yield np.array(members, dtype=np.intp)

    def take(self, mask: npt.ArrayLike) -> Effects:
        """Return the comparisons selected by a boolean mask or an index array, in its order."""
        index = np.arange(len(self))[np.asarray(mask)]
        places = index.tolist()

        def pick(values: Any) -> Any:
            return values[index] if isinstance(values, np.ndarray) else tuple([values[i] for i in places])

        chosen = {name: pick(getattr(self, name)) for name in PER_COMPARISON}
        return replace(self, **chosen, covariates={name: pick(values) for name, values in self.covariates.items()})

    def without_trial(self, trial: str) -> Effects:
        """Return the effects without the comparisons of a trial."""
        return self.take(np.array([name != trial for name in self.trial]))

    def with_rho_within(self, rho_within: npt.ArrayLike) -> Effects:
        """Return the effects with another within-trial correlation (scalar or (k,)) where it is assumed."""
        return replace(self, rho_within=np.where(self.rho_known, self.rho_within, rho_within))


# Fields with one entry per comparison.
PER_COMPARISON = tuple(field.name for field in fields(Effects) if field.name not in ("covariates", "name", "caveats"))


def unit_variance(effects: Effects) -> float:
    """Return the mean sampling variance of the final log hazard ratio of one patient; NaN without patients."""
    information = effects.n * effects.se[:, 1] ** 2
    return float(np.nanmean(information)) if np.isfinite(information).any() else float("nan")


def concatenate(first: Effects, second: Effects) -> Effects:
    """Return the comparisons of both; a covariate that one of them does not have is empty there."""

    def both(name: str) -> Any:
        values, further = getattr(first, name), getattr(second, name)
        return values + further if isinstance(values, tuple) else np.concatenate([values, further])

    covariates = {
        name: first.covariates.get(name, ("",) * len(first)) + second.covariates.get(name, ("",) * len(second))
        for name in dict.fromkeys([*first.covariates, *second.covariates])
    }
    return replace(first, **{name: both(name) for name in PER_COMPARISON}, covariates=covariates)
