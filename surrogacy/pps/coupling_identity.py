"""Identity that links the correlations of OS with PPS and of OS with PFS, if OS is the sum of PFS and PPS.

The standard deviations of OS, PFS and PPS are the sides of a triangle, and the cosines of its angles are their
correlations. Two angles determine the third and the ratio of the sides, so a published pair of correlations carries no
more information than these quantities:

    corr(PFS, PPS)    = r1 r2 - sqrt((1 - r1^2)(1 - r2^2))             r1 = r(OS, PPS), r2 = r(OS, PFS)
    SD(PPS) / SD(PFS) = k = sqrt((1 - r2^2) / (1 - r1^2))              law of sines
    unrelated parts     r1 = k / sqrt(1 + k^2), r2 = 1 / sqrt(1 + k^2), so that r1^2 + r2^2 = 1

    share of PPS in Var(OS), Shapley       (r1^2 + 1 - r2^2) / 2       mean of PPS entered first and entered last
                             covariance    cov(OS, PPS) / Var(OS) = r1 k / (r1 k + r2)

The shares of PFS are 1 minus those of PPS. The identity is exact for Pearson correlations with one set of weights, and
approximate for Spearman correlations.

References
----------
Lindeman, Merenda, Gold (1980); Groemping (2006), doi:10.18637/jss.v017.i01 (Shapley share of R2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.errors import UsageError


@dataclass(frozen=True)
class Coupling:
    """Implications of a pair of correlations if OS = PFS + PPS; see the module for the formulas.

    Parameters
    ----------
    r_os_pps, r_os_pfs : float
        Pair of correlations.
    corr_pfs_pps : float
        Implied correlation of PFS and PPS.
    sd_ratio : float
        SD of PPS over SD of PFS.
    sum_of_squares : float
        ``r1^2 + r2^2``: 1 if PFS and PPS are uncorrelated, above 1 if their correlation is positive.
    shapley_share, covariance_share : float
        Shares of PPS in the variance of OS.
    if_unrelated : tuple of float
        Pair of correlations that this SD ratio implies for uncorrelated PFS and PPS.
    """

    r_os_pps: float
    r_os_pfs: float
    corr_pfs_pps: float
    sd_ratio: float
    sum_of_squares: float
    shapley_share: float
    covariance_share: float
    if_unrelated: tuple[float, float]


def coupling_identity(r_os_pps: float, r_os_pfs: float) -> Coupling:
    """Derive the implications of a published pair of correlations; see the module for the formulas.

    Parameters
    ----------
    r_os_pps, r_os_pfs : float
        Pearson correlations over the same arms with the same weights, PPS being OS - PFS in every arm.

    Returns
    -------
    Coupling

    Raises
    ------
    UsageError
        If no PFS and PPS have these correlations: a value outside -1 to 1, or a sum of 0 or less.

    Examples
    --------
    >>> coupling = coupling_identity(r_os_pps=0.834, r_os_pfs=0.546)
    >>> round(coupling.corr_pfs_pps, 3), round(coupling.sd_ratio, 2)
    (-0.007, 1.52)
    """
    r1, r2 = float(r_os_pps), float(r_os_pfs)
    for name, r in (("r(OS, PPS)", r1), ("r(OS, PFS)", r2)):
        if not -1.0 < r < 1.0:
            raise UsageError(
                f"{name} = {r:g}: the identity needs a correlation between -1 and 1; give r, not r2 in percent"
            )
    if r1 + r2 <= 0:  # two angles of a triangle have a sum below 180 degrees
        raise UsageError(
            f"r(OS, PPS) = {r1:g} and r(OS, PFS) = {r2:g} are impossible if OS = PFS + PPS, "
            "because their sum is then above 0; check the signs, and that PPS is the difference of the same medians"
        )
    ratio = float(np.sqrt((1 - r2**2) / (1 - r1**2)))
    return Coupling(
        r_os_pps=r1,
        r_os_pfs=r2,
        corr_pfs_pps=float(r1 * r2 - np.sqrt((1 - r1**2) * (1 - r2**2))),
        sd_ratio=ratio,
        sum_of_squares=r1**2 + r2**2,
        shapley_share=(r1**2 + 1 - r2**2) / 2,
        covariance_share=r1 * ratio / (r1 * ratio + r2),
        if_unrelated=(float(ratio / np.hypot(1, ratio)), float(1 / np.hypot(1, ratio))),
    )
