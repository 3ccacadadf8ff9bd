"""Factorised normal likelihood of the sampled models in PyMC, in blocks of comparisons that share a control arm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects

ENDPOINTS = ("surrogate", "final")
Arrays = dict[str, FloatArray | IntArray]  # by the name of their ``pm.Data``


@dataclass(frozen=True, eq=False)
class Layout:
    """``g`` blocks with estimates of the same endpoints in the same order.

    Parameters
    ----------
    cells : tuple of (member, endpoint)
        Comparison within the block, and endpoint, of each estimate.
    rows : (g, members) array
        Indices of the comparisons of each block.
    y : (g, m) array
        Estimates.
    sampling : (g, m, m) array
        Covariance of the sampling errors.
    endpoints : int
        Number of endpoints that a comparison can have.
    """

    cells: tuple[tuple[int, int], ...]
    rows: IntArray
    y: FloatArray
    sampling: FloatArray
    endpoints: int

    @property
    def suffix(self) -> str:
        """Suffix of the variables of this layout; empty for single comparisons with all endpoints."""
        if self.cells == tuple((0, endpoint) for endpoint in range(self.endpoints)):
            return ""
        return "_" + "_".join(f"{member + 1}{'abc'[endpoint]}" for member, endpoint in self.cells)

    def data(self, *, rows: bool) -> Arrays:
        """Arrays of the ``pm.Data`` of this layout."""
        arrays: Arrays = {f"y{self.suffix}": self.y, f"sampling{self.suffix}": self.sampling}
        return arrays | ({f"rows{self.suffix}": self.rows} if rows else {})


def layouts_of(
    y: FloatArray, groups: Iterable[IntArray], covariance: Callable[[int, int], FloatArray]
) -> tuple[Layout, ...]:
    """Group estimates into blocks with the same layout.

    Parameters
    ----------
    y : (k, q) array
        NaN = not reported.
    groups : iterable of index arrays
        Comparisons whose sampling errors are correlated.
    covariance : callable
        ``covariance(i, j)``: (q, q) covariance of the sampling errors of comparisons i and j.
    """
    by_cells: dict[tuple[tuple[int, int], ...], list[tuple[IntArray, FloatArray, FloatArray]]] = {}
    for group in groups:
        members = np.array([i for i in group if not np.isnan(y[i]).all()], dtype=np.intp)
        cells = tuple((m, e) for m, i in enumerate(members) for e in range(y.shape[1]) if not np.isnan(y[i, e]))
        if cells:
            values = np.array([y[members[m], e] for m, e in cells])
            matrix = np.array(
                [[covariance(int(members[m]), int(members[n]))[e, f] for n, f in cells] for m, e in cells]
            )
            by_cells.setdefault(cells, []).append((members, values, matrix))
    stacked = []
    for cells, blocks in sorted(by_cells.items()):
        rows, values, matrices = (np.stack(arrays) for arrays in zip(*blocks, strict=True))
        stacked.append(Layout(cells, rows, values, matrices, y.shape[1]))
    return tuple(stacked)


def layouts(effects: Effects) -> tuple[Layout, ...]:
    """Blocks of paired effects; comparisons that share a control arm are in one block."""
    return layouts_of(effects.log_hr, effects.dependent_groups(), effects.covariance_between)


def observe(
    blocks: Sequence[Layout],
    mean: Sequence[Any],
    between: Mapping[tuple[int, int], Any],
    *,
    names: Sequence[str] = ENDPOINTS,
    by_comparison: bool = False,
    sampling: Callable[[Layout, Any], Any] | None = None,
) -> None:
    """Add the likelihood to the PyMC model of the current context.

    Parameters
    ----------
    blocks : sequence of Layout
    mean : sequence of q variables
        Mean of the true effects on each endpoint.
    between : mapping of (e, f), e <= f, to variables
        Covariance of the true effects.
    names : sequence of str
        Endpoints.
    by_comparison : bool
        Whether means and covariances may be vectors over the comparisons.
    sampling : callable, optional
        Function of a layout and its sampling covariance that returns another covariance (for an unknown within-trial
        correlation).
    """
    for block in blocks:
        data = {name: pm.Data(name, value) for name, value in block.data(rows=by_comparison).items()}
        y, within = data[f"y{block.suffix}"], data[f"sampling{block.suffix}"]
        within = within if sampling is None else sampling(block, within)
        rows = data.get(f"rows{block.suffix}")

        def of(value: Any, member: int, rows: Any = rows) -> Any:
            return value if rows is None or getattr(value, "ndim", 0) == 0 else value[rows[:, member]]

        means = [of(mean[endpoint], member) for member, endpoint in block.cells]
        covariance = {}
        for a, (member, endpoint) in enumerate(block.cells):
            for b, (earlier, second) in enumerate(block.cells[: a + 1]):
                covariance[a, b] = within[:, a, b]
                if member == earlier:  # true effects of different comparisons are independent
                    covariance[a, b] += of(between[min(endpoint, second), max(endpoint, second)], member)

        factor: dict[tuple[int, int], Any] = {}
        standardised: list[Any] = []
        for a, (member, endpoint) in enumerate(block.cells):  # mean and SD of each estimate given those before it
            for b in range(a):
                rest = covariance[a, b] - sum(factor[a, c] * factor[b, c] for c in range(b))
                factor[a, b] = rest / factor[b, b]
            factor[a, a] = pt.sqrt(covariance[a, a] - sum(factor[a, c] ** 2 for c in range(a)))
            centre = means[a] + sum(factor[a, b] * standardised[b] for b in range(a))
            label = f"{names[endpoint]}{block.suffix}" + (f"_of_{member + 1}" if block.suffix else "")
            value = pm.Normal(f"y_{label}", centre, factor[a, a], observed=y[:, a])
            standardised.append((value - centre) / factor[a, a])


def data_of(blocks: Sequence[Layout], *, by_comparison: bool = False) -> Arrays:
    """Arrays of the ``pm.Data`` that `observe` creates."""
    return {name: value for block in blocks for name, value in block.data(rows=by_comparison).items()}


def covariance_line(mean: Sequence[Any], tau1: Any, tau2: Any, rho: Any) -> dict[tuple[int, int], Any]:
    """Covariance of the true effects from SDs and correlation; adds slope, intercept, sigma_cond and r2_trial."""
    slope = pm.Deterministic("slope", rho * tau2 / tau1)
    pm.Deterministic("intercept", mean[1] - slope * mean[0])
    pm.Deterministic("sigma_cond", tau2 * pt.sqrt(1 - rho**2))
    pm.Deterministic("r2_trial", rho**2)
    return {(0, 0): tau1**2, (0, 1): rho * tau1 * tau2, (1, 1): tau2**2}


def regression_line(slope: Any, sigma: Any, tau_surrogate: Any) -> dict[tuple[int, int], Any]:
    """Covariance of the true effects if the final effect is linear in the surrogate effect, with residual SD sigma."""
    variance = tau_surrogate**2
    return {(0, 0): variance, (0, 1): slope * variance, (1, 1): slope**2 * variance + sigma**2}
