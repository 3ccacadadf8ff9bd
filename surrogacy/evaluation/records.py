"""Flat records of estimates, for ``results.json`` and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from surrogacy.results.estimate import Estimate, ThresholdEffect

Record = dict[str, bool | int | float | str | None]
Estimates = Mapping[str, Estimate | ThresholdEffect]


def estimate_values(estimates: Estimates) -> Record:
    """Return the value of every estimate, and the hazard ratio and status of every threshold effect.

    Examples
    --------
    >>> from surrogacy.results.estimate import Estimate
    >>> estimate_values({"slope": Estimate(0.5), "slope_delta": Estimate(0.5)})
    {'slope': 0.5}
    """
    values: Record = {}
    for name, estimate in estimates.items():
        if isinstance(estimate, ThresholdEffect):
            values |= {name: estimate.hr, f"{name}_status": estimate.status}
        elif not name.endswith(("_delta", "_bootstrap")):
            values[name] = estimate.value
    return values


def interval_limits(estimates: Estimates, names: Iterable[str]) -> Record:
    """Return the interval limits of the named estimates; estimates that a model does not have are left out.

    Examples
    --------
    >>> from surrogacy.results.estimate import Estimate
    >>> interval_limits({"r": Estimate(0.5, low=0.2, high=0.7)}, ["r", "slope"])
    {'r_low': 0.2, 'r_high': 0.7}
    """
    limits: Record = {}
    for name in names:
        estimate = estimates.get(name)
        if isinstance(estimate, Estimate):
            limits |= {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return limits
