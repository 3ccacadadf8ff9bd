"""Protocol of a posterior distribution, for figures and reports of any Bayesian model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy.typing as npt

from surrogacy.arrays import FloatArray

if TYPE_CHECKING:
    import xarray as xr


class Posterior(Protocol):
    """Joint posterior distribution of the quantities of a model, tabulated or sampled."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the scalar quantities of the posterior."""
        ...

    @property
    def samples(self) -> xr.DataTree | None:
        """Draws of a sampler, for netCDF; None for a posterior that was not sampled."""
        ...

    def quantile(self, name: str, p: npt.ArrayLike) -> FloatArray:
        """Quantiles of a quantity at probabilities ``p``."""
        ...

    def distribution(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior distribution function of a quantity at ``x``."""
        ...

    def density(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior density of a quantity at ``x``."""
        ...

    def prior_distribution(self, name: str, x: npt.ArrayLike) -> FloatArray | None:
        """Prior distribution function at ``x``; None if it is neither tabulated nor sampled."""
        ...

    def draw(self, n: int, seed: int = 0) -> dict[str, FloatArray]:
        """Draw every quantity ``n`` times, or as often as the sampler did if that is less."""
        ...

    def true_effects(self) -> tuple[FloatArray, FloatArray] | None:
        """Mean (k, 2) and covariance (k, 2, 2) of the true effects; None if they are not computed."""
        ...
