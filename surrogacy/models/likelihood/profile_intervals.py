"""Profile-likelihood intervals of the bivariate model.

The model is parametrised so that the quantity is a coordinate. With the quantity fixed at a value ``v`` the likelihood
is maximised over the other parameters; the interval contains every ``v`` with ``2 (l_max - l(v)) <= chi2(level, 1
df)``. All limits are sought together (`surrogacy.models.likelihood.profile_limits`). With few comparisons the
likelihood at a limit is also maximised from other starts, and the search continues if one of them has a higher maximum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.batch import BatchMaximum
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.maximum import MANY_COMPARISONS
from surrogacy.models.likelihood.profile_coordinates import QUANTITIES, Coordinates
from surrogacy.models.likelihood.profile_limits import LimitSearch
from surrogacy.models.likelihood.profile_search import ProfilePoints, climb
from surrogacy.results.estimate import Estimate

# Number of maxima at a limit, each higher than the one before, after which the search ends.
MOST_MAXIMA = 5
# Gain in log-likelihood for which another maximum at a limit is preferred.
HIGHER = 1e-7
# Starts beside the one that follows the profile: factors of the SDs (rho_between) or variances of the maximum.
STARTS = ((1.0, 1.0), (0.3, 1.0), (1.0, 0.3))
# A further start at a limit has this value, in its unit, of a coordinate that is 0 at the limit.
BESIDE_ZERO = 0.5
# Smallest unit of a variance, as share of the variance of the effects.
SMALLEST_UNIT = 1e-2
RIGHT_ANGLE = np.pi / 2
# Angles that end the range of each quantity, and whether the profile is defined there.
RANGES = {
    "rho_between": (-RIGHT_ANGLE, RIGHT_ANGLE),
    "slope": (-RIGHT_ANGLE, RIGHT_ANGLE),
    "intercept": (-RIGHT_ANGLE, RIGHT_ANGLE),
    "sigma_cond": (0.0, RIGHT_ANGLE),
}
BOUNDS = (("rho_between", -1), ("rho_between", 1), ("sigma_cond", -1))  # a finite end of the range, and its side
Side = tuple[str, int]  # name of a quantity, and -1 for its lower or 1 for its upper limit


@dataclass(frozen=True, eq=False)
class _Profile:
    """Profiles of one data set.

    Parameters
    ----------
    data : BatchLikelihood
        One data set.
    maximum : float
        Maximum of the log-likelihood.
    units : dict of str to float
        Units of the quantities, see `Coordinates`.
    values : dict of str to float
        Estimates.
    starts : dict of str to (n, 3) array
        Other coordinates at the maximum, and at further starts.
    scales : dict of str to (3,) array
        Units of the other coordinates.
    """

    data: BatchLikelihood
    maximum: float
    units: Mapping[str, float]
    values: Mapping[str, float]
    starts: Mapping[str, FloatArray]
    scales: Mapping[str, FloatArray]

    def coordinates(self, names: Sequence[str]) -> Coordinates:
        """Coordinates of one point for each name; points of the same quantity are neighbours."""
        data = self.data.take(np.zeros(len(names), dtype=np.intp))
        first = {name: names.index(name) for name in dict.fromkeys(names)}
        rows = {name: slice(start, start + names.count(name)) for name, start in first.items()}
        return Coordinates(data, rows, self.units, self.values["intercept"])

    def angle(self, name: str, value: float) -> float:
        """Coordinate of a value of a quantity."""
        if name == "rho_between":
            return float(np.arcsin(np.clip(value, -1.0, 1.0)))
        return float(np.arctan((value - (self.values[name] if name == "intercept" else 0.0)) / self.units[name]))

    def value(self, name: str, angle: float) -> float:
        """Value of a quantity at a coordinate."""
        if name == "rho_between":
            return float(np.sin(angle))
        return (self.values[name] if name == "intercept" else 0.0) + self.units[name] * float(np.tan(angle))

    @property
    def number(self) -> int:
        """Number of starts of a search for the highest point."""
        return len(self.starts["slope"])

    def search(self, names: Sequence[str], target: float) -> LimitSearch:
        """Return a search for one limit for each name."""
        scale, ranges = np.stack([self.scales[name] for name in names]), np.array([RANGES[name] for name in names])
        return LimitSearch(self.coordinates(names), scale, ranges, self.maximum, target)

    def highest(
        self, names: Sequence[str], angles: FloatArray, sought: float, beside: FloatArray | None = None
    ) -> ProfilePoints:
        """Highest points at values of quantities from several starts; a search ends if it reaches what is sought.

        Parameters
        ----------
        names : sequence of str
            Quantities.
        angles : (n,) array
            Their values.
        sought : float
            Log-likelihood.
        beside : (n, 3) array, optional
            Other coordinates at a further start for each quantity.
        """
        starts = [self.starts[name] for name in names]
        if beside is not None:
            starts = [np.vstack([start, further]) for start, further in zip(starts, beside, strict=True)]
        number = len(starts[0])
        every = [name for name in names for _ in range(number)]
        start = np.column_stack([np.repeat(angles, number), np.concatenate(starts)])
        scale = np.stack([self.scales[name] for name in every])
        ends = climb(self.coordinates(every), start, scale, sought=np.full(len(every), sought))
        place = ends.log_likelihood.reshape(-1, number).argmax(axis=1) + number * np.arange(len(names))
        return ends.take(place)


def profile_intervals(
    data: BatchLikelihood, variance: FloatArray, best: BatchMaximum, delta: Mapping[str, Estimate], level: float
) -> dict[str, tuple[float | None, float | None]]:
    """Profile intervals of rho_between, slope, intercept and sigma_cond.

    Parameters
    ----------
    data : BatchLikelihood
        One data set.
    variance : (2,) array
        Variances of the effects.
    best : BatchMaximum
        Of this data set.
    delta : mapping of str to Estimate
        Point estimates, and standard errors for the first step of the search.
    level : float

    Returns
    -------
    dict of (low, high)
        (None, None) if the interval is the whole real line; quantities that are not defined at the maximum are
        omitted.
    """
    boundary = str(best.boundary[0])
    if boundary in ("both", "tau_surrogate"):
        return {}
    target = float(ndtri(0.5 + level / 2))
    profile = _profile(data, variance, best, delta)
    names = [name for name in QUANTITIES if not (boundary == "tau_final" and name == "rho_between")]
    bounds = [end for end in BOUNDS if end[0] in names]
    ends, least = [*bounds, ("slope", 1)], profile.maximum - 0.5 * target**2
    at_ends = profile.highest([name for name, _ in ends], np.array([_end(*end) for end in ends]), least)
    *plausible, no_spread = (at_ends.log_likelihood >= least).tolist()
    limits: dict[Side, float | None] = {
        (name, side): profile.value(name, _end(name, side))
        for (name, side), holds in zip(bounds, plausible, strict=True)
        if holds
    }
    if no_spread:  # the likelihood region includes tau_surrogate = 0, and with it any slope and intercept
        limits |= {(name, side): None for name in ("slope", "intercept") for side in (-1, 1)}
    sought = [(name, side) for name in names for side in (-1, 1) if (name, side) not in limits]
    limits |= dict(zip(sought, _limits(profile, sought, target), strict=True))
    return {name: (limits[name, -1], limits[name, 1]) for name in names}


def _end(name: str, side: int) -> float:
    """Angle that ends the range of a quantity."""
    return RANGES[name][side > 0]


def _profile(
    data: BatchLikelihood, variance: FloatArray, best: BatchMaximum, delta: Mapping[str, Estimate]
) -> _Profile:
    """Choose units and starts."""
    t11, t12, t22 = map(float, best.psi[0])
    var1, var2 = (max(t, SMALLEST_UNIT * float(v)) for t, v in zip((t11, t22), variance, strict=True))
    values = {name: float(delta[name].value or 0.0) for name in QUANTITIES}
    steep = float(np.sqrt(var2 / t11))
    units = {
        "rho_between": 1.0,
        "slope": steep,
        "intercept": 2.0 * (delta["intercept"].se or float(np.sqrt(var2))),
        "sigma_cond": max(values["sigma_cond"], 0.5 * float(np.sqrt(var2))),
    }
    tau1, tau2, angle = np.sqrt(t11), np.sqrt(t22), np.arctan(t12 / t11 / steep)
    p, q = t11 / np.cos(angle) ** 2, max(t22 - t12 * t12 / t11, 0.0)
    second, sd1, sd2 = max(q, 0.5 * var2), np.sqrt(var1), np.sqrt(var2)
    many = int(data.singles.reported[1].sum()) >= MANY_COMPARISONS and not best.boundary[0]
    factors = np.array(STARTS[:1] if many else STARTS)  # several maxima occur only with few comparisons
    first_q = np.where(np.arange(len(factors)) == 0, q, second * factors[:, 1])
    zero = np.zeros(len(factors))
    starts = {
        "rho_between": np.column_stack([tau1 * factors[:, 0], tau2 * factors[:, 1], zero]),
        "slope": np.column_stack([p * factors[:, 0], first_q, zero]),
        "intercept": np.column_stack([zero + angle, p * factors[:, 0], first_q]),
        "sigma_cond": np.column_stack([tau1 * factors[:, 0], t12 / tau1 * factors[:, 1], zero]),
    }
    spread = var1 / np.cos(angle) ** 2
    scales = {
        "rho_between": np.array([sd1, sd2, 1.0]),
        "slope": np.array([spread, var2, 1.0]),
        "intercept": np.array([0.5, spread, var2]),
        "sigma_cond": np.array([sd1, sd2, 1.0]),
    }
    return _Profile(data, float(best.log_likelihood[0]), units, values, starts, scales)


def _limits(profile: _Profile, sought: Sequence[Side], target: float) -> list[float]:
    """Values at which the signed-root statistic of the profile reaches ``target``."""
    if not sought:
        return []
    names = [name for name, _ in sought]
    outside = np.array([_end(name, side) for name, side in sought])
    inside = np.array([profile.angle(name, profile.values[name]) for name in names])
    best = np.column_stack([inside, np.stack([profile.starts[name][0] for name in names])])
    search = profile.search(names, target)
    at, rows = search.limits(search.starts(best, outside), inside, outside), np.arange(len(names))
    for _ in range(MOST_MAXIMA if profile.number > 1 else 0):
        some, least = [names[i] for i in rows], search.least + HIGHER
        beside = np.where(at[rows, 1:] == 0.0, BESIDE_ZERO * search.scale[rows], at[rows, 1:])
        further = profile.highest(some, at[rows, 0], least, beside)
        higher = np.flatnonzero(further.log_likelihood > least)
        rows = rows[higher]
        if not len(rows):
            break
        beyond = profile.search([some[i] for i in higher], target)
        at[rows] = beyond.limits(further.at[higher], at[rows, 0], outside[rows])
    return [profile.value(name, float(angle)) for name, angle in zip(names, at[:, 0], strict=True)]
