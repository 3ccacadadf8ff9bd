"""Change of the prior of the trial-level R2 by the trials, in words."""

from __future__ import annotations

from typing import Literal

from surrogacy.results.estimate import Caveat, CaveatCode

PriorChange = Literal["hardly", "little", "clearly", "dominated-by-data"]
# Smallest overlap of prior and posterior of r2_trial for each grade of change. Two normal densities with the same SD
# whose means are d SD apart overlap by 2 Phi(-d / 2): 0.9 is a shift of 0.25 SD, 0.7 one of 0.77 SD, 0.5 one of 1.35
# SD. With equal means they overlap by 0.9 and 0.7 if the ratio of their SDs is 0.81 and 0.53. With an overlap of 0.9 or
# more the posterior is practically the prior; down to 0.7 it has moved by less than one SD of the prior; below 0.5 most
# of its mass is not shared with the prior.
PRIOR_CHANGES: tuple[tuple[float, PriorChange], ...] = ((0.9, "hardly"), (0.7, "little"), (0.5, "clearly"))


def prior_change(overlap: float) -> PriorChange:
    """Grade how far the trials have changed the prior by the overlap of prior and posterior.

    Examples
    --------
    >>> prior_change(0.95)
    'hardly'
    """
    return next((grade for least, grade in PRIOR_CHANGES if overlap >= least), "dominated-by-data")


def prior_caveat(overlap: float, prior: float, posterior: float, trials: int, prior_words: str) -> tuple[Caveat, ...]:
    """Caveat on a posterior of r2_trial that overlaps its prior by at least 50%; empty below that.

    Parameters
    ----------
    overlap : float
        Area shared by the prior and the posterior density of r2_trial.
    prior, posterior : float
        Prior and posterior median of r2_trial.
    trials : int
        Number of trials.
    prior_words : str
        Prior of the between-trial correlation.

    Examples
    --------
    >>> prior_caveat(0.3, 0.25, 0.8, 16, "uniform(-1, 1)")
    ()
    """
    prior_of = f"(between-trial correlation {prior_words})"
    sentences: dict[PriorChange, str] = {
        "hardly": f"hardly change the prior {prior_of}; another prior gives another answer",
        "little": f"change the prior {prior_of} only a little; another prior gives another answer",
        "clearly": f"change the prior {prior_of} clearly, but the posterior still depends on it",
    }
    grade = prior_change(overlap)
    if grade not in sentences:
        return ()
    medians = f"medians {prior:.2f} and {posterior:.2f}"
    shared = f"prior and posterior of trial-level R² overlap by {overlap:.0%} ({medians})"
    return (Caveat(CaveatCode.PRIOR_DOMINATES, f"{shared}: {trials} trials {sentences[grade]}"),)
