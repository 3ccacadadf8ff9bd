"""Posterior of a sampled model, with the interface of the exact posteriors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import gaussian_kde

from surrogacy.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class SampledPosterior:
    """Posterior represented by the draws of a sampler.

    Parameters
    ----------
    samples : DataTree
        With the group ``posterior``, and ``prior`` if draws from the prior were added.

    Examples
    --------
    >>> draws = xr.Dataset({"slope": (("chain", "draw"), np.array([[0.1, 0.2, 0.3]]))})
    >>> float(SampledPosterior(xr.DataTree.from_dict({"posterior": draws})).quantile("slope", 0.5))
    0.2
    """

    samples: xr.DataTree

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the scalar variables."""
        return self._scalars("posterior")

    def quantile(self, name: str, p: npt.ArrayLike) -> FloatArray:
        """Quantiles of the draws."""
        return np.asarray(np.quantile(self._values("posterior", name), np.asarray(p, dtype=np.float64)))

    def distribution(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Share of the draws below ``x``."""
        return _share_below(self._values("posterior", name), x)

    def density(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Gaussian kernel density of the draws."""
        at = np.asarray(x, dtype=np.float64)
        return np.asarray(gaussian_kde(self._values("posterior", name))(at.ravel())).reshape(at.shape)

    def prior_distribution(self, name: str, x: npt.ArrayLike) -> FloatArray | None:
        """Share of the draws from the prior below ``x``; None if there are none."""
        return _share_below(self._values("prior", name), x) if name in self._scalars("prior") else None

    def draw(self, n: int, seed: int = 0) -> dict[str, FloatArray]:
        """At most ``n`` of the draws, in random order."""
        size = self.samples["posterior"].sizes["chain"] * self.samples["posterior"].sizes["draw"]
        chosen = np.random.default_rng(seed).permutation(size)[:n]
        return {name: self._values("posterior", name)[chosen] for name in self.quantities}

    def true_effects(self) -> None:
        """Return None, because the true effects are integrated out."""
        return

    def _scalars(self, group: str) -> tuple[str, ...]:
        if group not in self.samples.children:
            return ()
        variables = self.samples[group].data_vars.items()
        return tuple(str(name) for name, values in variables if set(values.dims) == {"chain", "draw"})

    def _values(self, group: str, name: str) -> FloatArray:
        return np.asarray(self.samples[group][name], dtype=np.float64).ravel()


def _share_below(values: FloatArray, x: npt.ArrayLike) -> FloatArray:
    return np.searchsorted(np.sort(values), np.asarray(x, dtype=np.float64)) / len(values)
