"""Number of trials that Fisher's z counts if trials have unequal weights.

Kish's effective number of units with weights ``w`` is

    (sum w)^2 / sum w^2

the number of equally weighted units with the same variance of a mean. It is computed over comparisons and limited to
the number of trials, because comparisons of the same trial are not independent. Sums of the weights of each trial would
treat its comparisons as one result, which is too cautious: with shared control arms the interval covered 97% to 99%
instead of 96% to 97% (``validation/effective_number.py``).

In simulations with the sizes of the curated sets, Fisher's interval of a weighted correlation covered 91% to 95% with
the number of trials, and 95% to 98% with the effective number, which is conservative with fewer than 10 trials
(docs/validation.md).

References
----------
Kish (1965), Survey Sampling, Wiley, New York; Kish (1992), Weighting for unequal Pi, Journal of Official Statistics
8:183-200.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from surrogacy.errors import UsageError

FisherRule = Literal["automatic", "effective", "trials"]
# Difference between number and effective number of comparisons above which the effective number is the default.
TOLERATED = 1.0


@dataclass(frozen=True)
class TrialNumber:
    """Number of trials for Fisher's z.

    Parameters
    ----------
    counted : float
        Number that Fisher's z uses.
    trials : int
        Number of trials.
    effective : bool
        Whether the number is Kish's; not if Kish's number of comparisons exceeds the number of trials.
    """

    counted: float
    trials: int
    effective: bool

    @property
    def words(self) -> str:
        """Number in words.

        Examples
        --------
        >>> TrialNumber(4.69, 6, True).words, TrialNumber(6.0, 6, False).words
        ('4.7 effective trials of 6', '6 trials')
        """
        return f"{self.counted:.1f} effective trials of {self.trials}" if self.effective else f"{self.trials} trials"

    def method_words(self, method: str = "Fisher z") -> str:
        """Method of the interval and number of trials in words, or the reason why there is no interval.

        Examples
        --------
        >>> TrialNumber(16.0, 16, False).method_words()
        'Fisher z, 16 trials'
        >>> TrialNumber(2.6, 4, True).method_words()
        'no interval: Fisher z needs more than 3 trials; 2.6 effective trials of 4'
        """
        if self.counted > 3:
            return f"{method}, {self.words}"
        if self.effective:
            return f"no interval: Fisher z needs more than 3 trials; {self.words}"
        return "no interval: Fisher z needs 4 trials"


def effective_number(weights: npt.ArrayLike) -> float:
    """Compute Kish's effective number, ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> effective_number([1, 1, 1, 1]), effective_number([3, 1])
    (4.0, 1.6)
    """
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum())


def trial_number(weights: npt.ArrayLike, trial: Sequence[str], rule: FisherRule = "automatic") -> TrialNumber:
    """Choose the number of trials for Fisher's z.

    Parameters
    ----------
    weights : (k,) array
        Weights of the comparisons.
    trial : sequence of str, length k
        Trial of each comparison.
    rule : {"automatic", "effective", "trials"}
        ``effective``: Kish's number; ``trials``: the number of trials, as in published analyses; ``automatic``: Kish's
        number if it is smaller than the number of comparisons by more than 1.

    Raises
    ------
    UsageError
        If there is no such rule.

    Examples
    --------
    >>> trial_number([900, 300, 300, 100, 100, 100], list("abcdef")).words
    '3.2 effective trials of 6'
    """
    check_rule(rule)
    trials, effective = len(set(trial)), effective_number(weights)
    unequal = len(trial) - effective > TOLERATED
    if rule == "trials" or (rule == "automatic" and not unequal):
        return TrialNumber(float(trials), trials, False)
    return TrialNumber(min(effective, float(trials)), trials, effective <= trials)


def check_rule(rule: str) -> None:
    """Check the name of a rule.

    Raises
    ------
    UsageError
        If there is no such rule.
    """
    if rule not in get_args(FisherRule):
        raise UsageError(f"fisher must be one of {', '.join(get_args(FisherRule))}; got {rule!r}")
