"""Weighted Pearson correlation of the log hazard ratios (and Spearman's, unweighted).

    r = sum w (x - mx)(y - my) / sqrt( sum w (x - mx)^2  sum w (y - my)^2 )

``x``, ``y`` are the log hazard ratios of the surrogate and the final endpoint, ``mx``, ``my`` their weighted means.
Both are *estimates*: r mixes the between-trial correlation with the within-trial correlation of the sampling errors.
The bivariate model separates the two.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np

from surrogacy.effects import Effects
from surrogacy.models import Capability
from surrogacy.models.weights import SHARED_CONTROL, part_with_weights, requirements_of, weights_of
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.format import interval
from surrogacy.results.labels import ComparisonWeights, Weights, weights_in_words
from surrogacy.results.levels import LEVEL, settle_level
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import Result
from surrogacy.stats import correlation
from surrogacy.stats.bootstrap import percentiles, resampled_r
from surrogacy.stats.scatter import scatter_caveat
from surrogacy.stats.trial_numbers import FisherRule, TrialNumber, check_rule, trial_number


@dataclass(frozen=True)
class WeightedPearson:
    """Weighted Pearson correlation with a Fisher and a bootstrap interval.

    Parameters
    ----------
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
    level : float
        Level of the intervals.
    bootstrap : int
        Number of bootstrap samples of whole trials; 0 for none.
    seed : int
        Seed of the bootstrap.
    fisher : {"automatic", "effective", "trials"}
        Number of trials for Fisher's z. ``effective``: Kish's effective number; ``trials``: the number of trials, as in
        published analyses; ``automatic``: Kish's number if it is smaller than the number of comparisons by more than 1.

    Raises
    ------
    UsageError
        If the level is impossible, or there is no such rule for Fisher's z.

    Examples
    --------
    >>> from surrogacy import Effects
    >>> from surrogacy.models import WeightedPearson
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> result = WeightedPearson(bootstrap=0).fit(effects)
    >>> round(result["r"].value, 2)
    0.98
    """

    weights: Weights = "n"
    level: float = LEVEL
    bootstrap: int = 5000
    seed: int = 0
    fisher: FisherRule = "automatic"
    name = "weighted-pearson"
    fewest: ClassVar[int] = 3
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REFITS})

    @property
    def requires(self) -> frozenset[Requirement]:
        """Both effects, and the quantities that the weights need."""
        return requirements_of(self.weights)

    def __post_init__(self) -> None:
        settle_level(self)
        check_rule(self.fisher)

    def fit(self, effects: Effects) -> Result:
        """Compute the correlations and their intervals.

        Raises
        ------
        FitError
            With fewer than three complete comparisons.
        MissingDataError
            If too few comparisons have what the weights need.
        """
        part = part_with_weights(effects, self.weights, self.fewest)
        data = part.effects
        weights, weight_caveats = weights_of(data, self.weights)
        x, y = data.log_hr.T
        r = float(correlation.weighted_pearson(x, y, weights))
        trials, number = len(data.trials), trial_number(weights, data.trial, self.fisher)
        low, high = correlation.fisher_interval(r, number.counted, self.level)
        rank_r = correlation.spearman(x, y)
        rank_low, rank_high = correlation.fisher_interval(rank_r, trials, self.level, 1.0 + rank_r**2 / 2.0)
        square_low, square_high = correlation.square_interval(low, high)
        words = weights_in_words(self.weights, data)
        fisher, rank_fisher = number.method_words(), TrialNumber(float(trials), trials, False).method_words()
        estimates = {
            "r": Estimate(r, None, low, high, self.level, f"{fisher}; weights: {words}"),
            "r2_trial": Estimate(r**2, None, square_low, square_high, self.level, f"square of r ({fisher})"),
            "spearman": Estimate(
                rank_r, None, rank_low, rank_high, self.level, f"{rank_fisher}, variance 1 + r^2/2; unweighted"
            ),
        }
        caveats = part.caveats + weight_caveats
        if np.isfinite(r):
            slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights))
            consequence = "r is closer to 1 or -1, and its interval narrower, than the sampling errors allow"
            caveats += scatter_caveat(data, float(intercept), float(slope), consequence)
        if self.bootstrap:
            estimates["r_bootstrap"], degenerate = self._bootstrap(data, weights, r)
            if degenerate:
                text = f"{degenerate} of {self.bootstrap} bootstrap samples have no correlation and were left out"
                caveats += (Caveat(CaveatCode.NOT_DEFINED, text),)
        if trials < 10:
            defined = low is not None and high is not None
            limits = f"the interval of r is {interval(low, high)}" if defined else "r has no interval"
            text = f"only {trials} trials: {limits}, and a bootstrap interval over trials is too narrow"
            caveats += (Caveat(CaveatCode.FEW_TRIALS, text),)
        if any(len(group) > 1 for group in data.dependent_groups()):
            caveats += (SHARED_CONTROL,)
        if not np.isfinite(r):
            text = "one of the two effects does not vary: the correlation is not defined"
            caveats += (Caveat(CaveatCode.NOT_DEFINED, text),)
        caveats = effects.caveats + caveats
        shown = ComparisonWeights(self.weights, weights)
        result = Result(self.name, asdict(self), data, estimates, weights=shown, caveats=caveats)
        return replace(result, requires=self.requires, left_out=part.left_out)

    def _bootstrap(self, effects: Effects, weights: np.ndarray, r: float) -> tuple[Estimate, int]:
        """Percentile interval over resampled trials, and the number of samples without a correlation."""
        sample = resampled_r(effects, weights, self.bootstrap, np.random.default_rng(self.seed))
        sample = sample[np.isfinite(sample)]
        kind = f"percentile bootstrap over {len(effects.trials)} trials, {self.bootstrap} samples"
        degenerate = self.bootstrap - len(sample)
        if not len(sample):
            return Estimate(r, None, None, None, self.level, kind), degenerate
        return Estimate(r, float(sample.std(ddof=1)), *percentiles(sample, self.level), self.level, kind), degenerate
