"""Comparisons that share a control arm as blocks of one normal likelihood in PyMC."""

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


@dataclass(frozen=True, eq=False)
class Layout:
    """``g`` blocks with estimates of the same endpoints in the same order.

    Parameters
    ----------
    cells : tuple of (member, endpoint)
        What the estimates are: which comparison of the block, which endpoint.
    rows : (g, members) array
        The comparisons of each block.
    y : (g, m) array
        Estimates.
    sampling : (g, m, m) array
        Covariance of their errors.
    endpoints : int
        Endpoints that a comparison can have.
    """

    cells: tuple[tuple[int, int], ...]
    rows: IntArray
    y: FloatArray
    sampling: FloatArray
    endpoints: int

    @property
    def suffix(self) -> str:
        """Tells the variables of this layout apart; empty for one comparison with all its endpoints."""
        if self.cells == tuple((0, endpoint) for endpoint in range(self.endpoints)):
            return ""
        return "_" + "_".join(f"{member + 1}{'abc'[endpoint]}" for member, endpoint in self.cells)

    def data(self, *, rows: bool) -> dict[str, Any]:
        """Arrays by the name of their ``pm.Data``."""
        arrays = {f"y{self.suffix}": self.y, f"sampling{self.suffix}": self.sampling}
        return arrays | ({f"rows{self.suffix}": self.rows} if rows else {})


def layouts_of(
    y: FloatArray, groups: Iterable[IntArray], covariance: Callable[[int, int], FloatArray]
) -> tuple[Layout, ...]:
    """Sort estimates into blocks of like layout.

    Parameters
    ----------
    y : (k, q) array
        NaN = not reported.
    groups : iterable of index arrays
        Comparisons whose errors covary.
    covariance : callable
        ``covariance(i, j)``: (q, q) covariance of the errors of comparisons i and j.
    """
    found: dict[tuple[tuple[int, int], ...], list[tuple[IntArray, FloatArray, FloatArray]]] = {}
    for group in groups:
        seen = np.array([i for i in group if not np.isnan(y[i]).all()], dtype=np.intp)
        cells = tuple((m, e) for m, i in enumerate(seen) for e in range(y.shape[1]) if not np.isnan(y[i, e]))
        if cells:
            values = np.array([y[seen[m], e] for m, e in cells])
            matrix = np.array([[covariance(int(seen[m]), int(seen[n]))[e, f] for n, f in cells] for m, e in cells])
            found.setdefault(cells, []).append((seen, values, matrix))
    stacked = []
    for cells, blocks in sorted(found.items()):
        members = np.stack([block[0] for block in blocks])
        values, matrices = np.stack([block[1] for block in blocks]), np.stack([block[2] for block in blocks])
        stacked.append(Layout(cells, members, values, matrices, y.shape[1]))
    return tuple(stacked)


def layouts(effects: Effects) -> tuple[Layout, ...]:
    """Blocks of paired effects, those of a shared control arm together."""
    return layouts_of(effects.log_hr, effects.dependent_groups(), effects.covariance_between)


def conditional_moments(
    mean: Sequence[Any],
    covariance: Mapping[tuple[int, int], Any],
    values: Callable[[int, Any, Any], Any],
    root: Any = np.sqrt,
) -> None:
    """Walk through the estimates of a block: conditional mean and SD of each, given those before it.

    Parameters
    ----------
    mean : sequence of m arrays
    covariance : mapping of (a, b), b <= a, to arrays
        Lower triangle; the arithmetic is elementwise, so arrays of NumPy and of PyTensor will do.
    values : callable
        ``values(a, mean, sd)`` is told the conditional mean and SD and returns the value of estimate ``a``.
    root : callable
        Square root.
    """
    factor: dict[tuple[int, int], Any] = {}
    standardised: list[Any] = []
    for a in range(len(mean)):
        for b in range(a):
            rest = covariance[a, b] - sum(factor[a, c] * factor[b, c] for c in range(b))
            factor[a, b] = rest / factor[b, b]
        factor[a, a] = root(covariance[a, a] - sum(factor[a, c] ** 2 for c in range(a)))
        centre = mean[a] + sum(factor[a, b] * standardised[b] for b in range(a))
        standardised.append((values(a, centre, factor[a, a]) - centre) / factor[a, a])


def observe(
    blocks: Sequence[Layout],
    mean: Sequence[Any],
    between: Mapping[tuple[int, int], Any],
    *,
    names: Sequence[str] = ENDPOINTS,
    by_comparison: bool = False,
    sampling: Callable[[Layout, Any], Any] | None = None,
) -> None:
    """Add the likelihood to the model in whose context it is called.

    Parameters
    ----------
    blocks : sequence of Layout
    mean : sequence of q variables
        Mean of the true effects on each endpoint.
    between : mapping of (e, f), e <= f, to variables
        Their covariance.
    names : sequence of str
        Endpoints.
    by_comparison : bool
        Means and covariances may be vectors over the comparisons.
    sampling : callable, optional
        Changes the covariance of the errors (unknown rho_within).
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
            for b, (other, second) in enumerate(block.cells[: a + 1]):
                covariance[a, b] = within[:, a, b]
                if member == other:  # true effects of different comparisons are independent
                    covariance[a, b] += of(between[min(endpoint, second), max(endpoint, second)], member)

        def observed(a: int, centre: Any, sd: Any, block: Layout = block, y: Any = y) -> Any:
            member, endpoint = block.cells[a]
            label = f"{names[endpoint]}{block.suffix}" + (f"_of_{member + 1}" if block.suffix else "")
            return pm.Normal(f"y_{label}", centre, sd, observed=y[:, a])

        conditional_moments(means, covariance, observed, pt.sqrt)


def data_of(blocks: Sequence[Layout], *, by_comparison: bool = False) -> dict[str, Any]:
    """Arrays that `observe` holds as ``pm.Data``."""
    return {name: value for block in blocks for name, value in block.data(rows=by_comparison).items()}


def covariance_line(mean: Sequence[Any], tau1: Any, tau2: Any, rho: Any) -> dict[tuple[int, int], Any]:
    """Covariance matrix of SDs and correlation; adds slope, intercept, sigma_cond and r2_trial to the model."""
    slope = pm.Deterministic("slope", rho * tau2 / tau1)
    pm.Deterministic("intercept", mean[1] - slope * mean[0])
    pm.Deterministic("sigma_cond", tau2 * pt.sqrt(1 - rho**2))
    pm.Deterministic("r2_trial", rho**2)
    return {(0, 0): tau1**2, (0, 1): rho * tau1 * tau2, (1, 1): tau2**2}


def regression_line(slope: Any, sigma: Any, tau_surrogate: Any) -> dict[tuple[int, int], Any]:
    """Covariance of the true effects if the final one is a line of the surrogate one, plus an error."""
    variance = tau_surrogate**2
    return {(0, 0): variance, (0, 1): slope * variance, (1, 1): slope**2 * variance + sigma**2}
