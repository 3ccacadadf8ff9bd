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
from surrogacy.results.labels import ESTIMATES
from surrogacy.results.levels import LEVEL, confidence_level

R_HAT_MAX = 1.01
ESS_MIN = 400
BFMI_MIN = 0.3
# Share of divergent transitions: one or two in 20,000 occur by chance, with draws that agree with the exact posterior
DIVERGENT_MAX = 0.0005


def diagnose(tree: xr.DataTree, variables: Sequence[str] | None = None) -> tuple[Caveat, ...]:
    """Caveats on failed diagnostics of a run; empty if none fails.

    R-hat and effective sample size are checked for ``variables``, by default for all.
    """
    posterior = tree["posterior"].to_dataset()
    posterior = posterior[list(variables)] if variables is not None else posterior
    constant = [str(name) for name, values in posterior.items() if float(values.std()) == 0]
    texts = [f"all draws of {', '.join(constant)} are equal"] if constant else []
    posterior = posterior.drop_vars(constant)
    divergent = int(tree["sample_stats"]["diverging"].sum())
    total = tree["sample_stats"]["diverging"].size
    if divergent > DIVERGENT_MAX * total:
        texts.append(f"{divergent} of {total} transitions diverged; raise target_accept")
    if tree["posterior"].sizes["chain"] < 2:
        texts.append("convergence cannot be assessed with a single chain")
    else:
        words = f"R-hat {{value:.3f}} of {{name}} (limit {R_HAT_MAX}): the chains do not agree"
        texts += _worst(az.rhat(posterior), words, R_HAT_MAX)
    for method in ("bulk", "tail"):
        words = f"{method} effective sample size {{value:.0f}} of {{name}} (at least {ESS_MIN})"
        texts += _worst(az.ess(posterior, method=method), words, ESS_MIN, below=True)
    with np.errstate(invalid="ignore"):  # a chain with constant energy
        energy = float(az.bfmi(tree)["energy"].min())
    if energy < BFMI_MIN:
        texts.append(f"energy (BFMI) {energy:.2f} (at least {BFMI_MIN}): the tails are poorly explored")
    return tuple(Caveat(CaveatCode.SAMPLING, f"sampling: {text}") for text in texts)


def _worst(values: xr.Dataset, words: str, limit: float, *, below: bool = False) -> list[str]:
    """Sentence on the worst variable beyond the limit and the number of others; empty if there is none."""
    worst = {str(name): float(array.min() if below else array.max()) for name, array in values.items()}
    bad = {name: value for name, value in worst.items() if (value < limit if below else value > limit)}
    if not bad:
        return []
    name = (min if below else max)(bad, key=lambda key: bad[key])
    more = f", and of {len(bad) - 1} more" if len(bad) > 1 else ""
    label = ESTIMATES[name].name("final endpoint") if name in ESTIMATES else name
    return [words.format(name=label, value=bad[name]) + more]


def quantile_errors(draws: FloatArray, level: float = LEVEL) -> tuple[float, float, float]:
    """Monte Carlo standard errors of the lower limit, the median and the upper limit of (chain, draw) draws."""
    level = confidence_level(level)
    probabilities = (0.5 - level / 2, 0.5, 0.5 + level / 2)
    low, median, high = (float(az.mcse(draws, method="quantile", prob=p)) for p in probabilities)
    return low, median, high
