"""Surrogacy lines of many data sets at once, and their threshold effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.stats.lines import FLATTEST, ROUNDING, STRONGEST_HR


@dataclass(frozen=True, eq=False)
class LineBatch:
    """Surrogacy lines of ``b`` data sets; NaN for a data set without a line.

    Parameters
    ----------
    intercept, slope : (b,) arrays
    covariance : (b, 3) array
        Variance of the intercept, covariance, variance of the slope.
    variance : (b,) array
        Variance of the final effects about the line: of the true effects in a bivariate model, of an observation of
        weight 1 in a regression.
    """

    intercept: FloatArray
    slope: FloatArray
    covariance: FloatArray
    variance: FloatArray

    def __len__(self) -> int:
        return len(self.slope)

    def take(self, index: BoolArray) -> LineBatch:
        """Part of the data sets."""
        return LineBatch(self.intercept[index], self.slope[index], self.covariance[index], self.variance[index])

    def thresholds(self, quantile: float, variance: FloatArray) -> FloatArray:
        """Surrogate threshold effects, found as in `surrogacy.stats.lines.Line.threshold`.

        Parameters
        ----------
        quantile : float
            Two-sided quantile of the prediction band.
        variance : (b,) array
            Variance of the final effect of a new trial about the line.

        Returns
        -------
        (b,) array
            Surrogate log hazard ratios: -inf if no surrogate effect is strong enough, inf if a benefit is predicted
            even at a surrogate hazard ratio of 1. For a two-sided region, its weaker end.

        Examples
        --------
        >>> lines = LineBatch(np.zeros(2), np.array([0.5, -0.1]), np.zeros((2, 3)), np.full(2, 0.01))
        >>> np.exp(lines.thresholds(1.96, lines.variance)).round(2)
        array([0.68, 0.  ])
        """
        q2, strongest = quantile**2, np.log(STRONGEST_HR)
        c11, c12, c22 = np.moveaxis(self.covariance, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            quadratic = self.slope**2 - q2 * c22
            linear = 2.0 * (self.intercept * self.slope - q2 * c12)
            constant = self.intercept**2 - q2 * (c11 + variance)
            discriminant = linear**2 - 4.0 * quadratic * constant
            discriminant = np.where(np.abs(discriminant) < 1e-12 * linear**2, 0.0, discriminant)
            root = np.sqrt(discriminant)
            ends = np.sort(np.stack([-linear - root, -linear + root]) / (2.0 * quadratic), axis=0)
            ends = np.where(np.abs(ends) < ROUNDING, 0.0, ends)
            inside = self.intercept + self.slope * ends < ROUNDING
            # a half-line ends at the stronger valid root; a bounded region needs both roots and ends at the weaker one
            half_line = np.where(inside[0], ends[0], np.where(inside[1], ends[1], -np.inf))
            bounded = (quadratic < 0) & inside.all(axis=0) & (ends[0] <= 0)
            threshold = np.where(bounded, ends[1], np.where(quadratic > 0, half_line, -np.inf))
        exists = (self.slope >= FLATTEST) & (discriminant >= 0) & (threshold >= strongest)
        return np.where(exists, np.where(threshold > 0, np.inf, threshold), -np.inf)


def weighted_lines(log_hr: FloatArray, weights: FloatArray) -> LineBatch:
    """Weighted least squares of the final on the surrogate effects of many data sets with the same weights.

    Parameters
    ----------
    log_hr : (b, k, 2) array
    weights : (k,) array

    Examples
    --------
    >>> log_hr = np.array([[[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]])
    >>> weighted_lines(log_hr, np.ones(4)).slope.round(2)
    array([0.7])
    """
    x, y = log_hr[..., 0], log_hr[..., 1]
    total = weights.sum()
    mean_x, mean_y = x @ weights / total, y @ weights / total
    centred = x - mean_x[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        square = centred**2 @ weights
        slope = (centred * (y - mean_y[:, None])) @ weights / square
        residuals = y - mean_y[:, None] - slope[:, None] * centred
        scale = residuals**2 @ weights / (len(weights) - 2)
        slope_variance = scale / square
    covariance = np.stack(
        [scale / total + mean_x**2 * slope_variance, -mean_x * slope_variance, slope_variance], axis=1
    )
    return LineBatch(mean_y - slope * mean_x, slope, covariance, scale)
