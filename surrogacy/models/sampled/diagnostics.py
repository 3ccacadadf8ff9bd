"""Diagnostics of a run of NUTS: convergence, effective sample size, divergences and Monte Carlo errors.

References
----------
Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), R-hat and effective sample size, doi:10.1214/20-BA1221.
"""

from __future__ import annotations

from collections.abc import Sequence

import arviz as az
import numpy as np
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.results.estimate import Caveat, CaveatCode
from surrogacy.results.levels import LEVEL, confidence_level

R_HAT_MAX = 1.01
ESS_MIN = 400
BFMI_MIN = 0.3
# Of the transitions: one or two in 20,000 come up by chance, and draws then still agree with the exact posterior
DIVERGENT_MAX = 0.0005


def diagnose(tree: xr.DataTree, variables: Sequence[str] | None = None) -> tuple[Caveat, ...]:
    """Return what is wrong with a run; nothing if all is well.

    ``variables`` are those whose R-hat and effective sample size are judged; default: all.
    """
    posterior = tree["posterior"].to_dataset()
    posterior = posterior[list(variables)] if variables is not None else posterior
    still = [str(name) for name, values in posterior.items() if float(values.std()) == 0]
    texts = [f"{', '.join(still)} did not move at all"] if still else []
    posterior = posterior.drop_vars(still)
    divergent = int(tree["sample_stats"]["diverging"].sum())
    total = tree["sample_stats"]["diverging"].size
    if divergent > DIVERGENT_MAX * total:
        texts.append(f"{divergent} of {total} transitions diverged; raise target_accept")
    if tree["posterior"].sizes["chain"] < 2:
        texts.append("a single chain: whether it converged cannot be told")
    else:
        texts += _judged(
            az.rhat(posterior), "R-hat {value:.3f} of {name} (limit 1.01): the chains do not agree", R_HAT_MAX
        )
    for method in ("bulk", "tail"):
        words = f"{method} effective sample size {{value:.0f}} of {{name}} (at least {ESS_MIN})"
        texts += _judged(az.ess(posterior, method=method), words, ESS_MIN, below=True)
    with np.errstate(invalid="ignore"):  # of a chain that never moved
        energy = float(az.bfmi(tree)["energy"].min())
    if energy < BFMI_MIN:
        texts.append(f"energy (BFMI) {energy:.2f} (at least {BFMI_MIN}): the tails are poorly explored")
    return tuple(Caveat(CaveatCode.SAMPLING, f"sampling: {text}") for text in texts)


def _judged(values: xr.Dataset, words: str, limit: float, *, below: bool = False) -> list[str]:
    """The worst variable beyond the limit, and how many others are."""
    worst = {str(name): float(array.min() if below else array.max()) for name, array in values.items()}
    bad = {name: value for name, value in worst.items() if (value < limit if below else value > limit)}
    if not bad:
        return []
    name = (min if below else max)(bad, key=lambda key: bad[key])
    more = f", and of {len(bad) - 1} more" if len(bad) > 1 else ""
    return [words.format(name=name, value=bad[name]) + more]


def quantile_errors(draws: FloatArray, level: float = LEVEL) -> tuple[float, float, float]:
    """Monte Carlo standard errors of the lower limit, the median and the upper limit of (chain, draw) draws."""
    level = confidence_level(level)
    probabilities = (0.5 - level / 2, 0.5, 0.5 + level / 2)
    low, middle, high = (float(az.mcse(draws, method="quantile", prob=p)) for p in probabilities)
    return low, middle, high
