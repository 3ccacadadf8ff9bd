"""Values as flat records, under the keys of results.json and of the tables in CSV."""

from __future__ import annotations

from surrogacy.results.estimate import Estimate

Record = dict[str, float | str | None]


def with_limits(name: str, estimate: Estimate) -> Record:
    """Return value and limits of an estimate as ``name``, ``name_low`` and ``name_high``.

    Examples
    --------
    >>> with_limits("share", Estimate(0.3, low=0.1, high=0.5))
    {'share': 0.3, 'share_low': 0.1, 'share_high': 0.5}
    """
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
