"""Coverage of Fisher's interval with several numbers of trials, for the sizes and shared control arms of curated sets.

Kish's effective number can be computed over comparisons, or over trials with the weights of their comparisons summed.
The true effects of two comparisons of one trial are independent, or the same; the estimates have the standard errors of
the set, and errors of comparisons with a shared control arm are correlated. ``python validation/effective_number.py``
takes half a minute and prints, for each set and kind of true effects, the coverage of 95% intervals in 20,000 data sets
with a correlation of 0.8 of the true effects.
"""

from __future__ import annotations

import numpy as np

import surrogacy
from surrogacy.models.likelihood.batch import draw_many
from surrogacy.models.weights import usable_comparisons
from surrogacy.stats.correlation import fisher_limits, weighted_pearson
from surrogacy.stats.trial_numbers import effective_number

TAU, RHO, DATA_SETS = np.array([0.25, 0.15]), 0.8, 20_000
BETWEEN = np.outer(TAU, TAU) * np.array([[1.0, RHO], [RHO, 1.0]])

generator = np.random.default_rng(1)
trials = surrogacy.read_trials()
for name in ("tactics-2022", "intermediate", "llovet-2019-pfs", "advanced"):
    effects, _ = usable_comparisons(trials.analysis_set(name), "n")
    n, trial = effects.n, list(effects.trial)
    summed = [float(n[[other == label for other in trial]].sum()) for label in dict.fromkeys(trial)]
    numbers = {
        "comparisons": float(len(effects)),
        "trials": float(len(effects.trials)),
        "effective, over comparisons": effective_number(n),
        "effective, over trials": effective_number(summed),
    }
    estimates = BETWEEN + np.average(effects.cov, axis=0, weights=n)
    target = estimates[0, 1] / np.sqrt(estimates[0, 0] * estimates[1, 1])
    for same in (False, True):
        true = generator.multivariate_normal([0.0, 0.0], BETWEEN, (DATA_SETS, len(effects)))
        if same:
            true = true[:, [trial.index(label) for label in trial]]
        log_hr = true + draw_many(effects, np.zeros(2), np.zeros((2, 2)), DATA_SETS, generator)
        r = np.array([weighted_pearson(values[:, 0], values[:, 1], n) for values in log_hr])
        print(f"{name}, true effects of a trial {'the same' if same else 'independent'}:")
        for words, number in numbers.items():
            low, high = fisher_limits(r, number)
            print(f"  {words} ({number:.1f}): {np.mean((low <= target) & (target <= high)):.3f}", flush=True)
