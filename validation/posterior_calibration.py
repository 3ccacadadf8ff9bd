"""Simulation-based calibration of the exact posterior: ranks of the true values among 99 draws.

2,000 data sets are simulated with 6 trials, and 2,000 with 21. The parameters are drawn from the priors: SDs of the
true effects half-normal(0.5), between-trial correlation uniform(-1, 1), means normal(0, 1). Standard errors are
uniform(0.1, 0.3), the within-trial correlation is 0.5. The ranks are uniform if the posterior is correct (Talts et
al. 2018, arXiv:1804.06788). ``python validation/posterior_calibration.py`` takes half a minute and draws
posterior_calibration.png in this folder.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom, chisquare

from surrogacy.effects import Effects
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import QUANTITIES, posteriors
from surrogacy.models.priors import Normal

SETS, DRAWS, BINS = 2000, 99, 20


def simulate(generator: np.random.Generator, k: int) -> tuple[dict[str, float], Effects]:
    tau, rho, mu = np.abs(generator.normal(0, 0.5, 2)), generator.uniform(-1, 1), generator.normal(0, 1, 2)
    slope = rho * tau[1] / tau[0]
    truth = dict(
        zip(
            QUANTITIES,
            (*mu, *tau, rho, rho**2, mu[1] - slope * mu[0], slope, tau[1] * np.sqrt(1 - rho**2)),
            strict=True,
        )
    )
    se = generator.uniform(0.1, 0.3, (k, 2))
    theta = generator.multivariate_normal(mu, np.outer(tau, tau) * [[1, rho], [rho, 1]], k)
    errors = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    return truth, Effects.from_arrays(theta + se * errors, se, 0.5)


def ranks(k: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(k)
    truths, data = zip(*(simulate(generator, k) for _ in range(SETS)), strict=True)
    ranks_by_name: dict[str, list[int]] = {name: [] for name in QUANTITIES}
    for i, posterior in enumerate(posteriors(data, BivariateBayes(mu=Normal(0.0, 1.0)).priors)):
        draws = posterior.draw(DRAWS, seed=i)
        for name in QUANTITIES:
            ranks_by_name[name].append(int((draws[name] < truths[i][name]).sum()))
    return {name: np.array(values) for name, values in ranks_by_name.items()}


figure = Figure(figsize=(11, 4.2), layout="constrained")
axes = figure.subplots(2, len(QUANTITIES), sharex=True, sharey=True)
band = binom.ppf([0.005, 0.995], SETS, 1 / BINS)
for row, k in enumerate((6, 21)):
    for column, (name, values) in enumerate(ranks(k).items()):
        counts = np.bincount(values * BINS // (DRAWS + 1), minlength=BINS)
        p = chisquare(counts).pvalue
        print(f"k = {k:2d}  {name:14} chi-square p = {p:.3f}{'' if p > 0.001 else '   NOT UNIFORM'}")
        panel = axes[row, column]
        panel.axhspan(*band, color="0.9")
        panel.stairs(counts, np.linspace(0, 1, BINS + 1), fill=True, color="#4C78A8", alpha=0.7)
        panel.set_title(f"{name}\np = {p:.2f}" if row == 0 else f"p = {p:.2f}", fontsize=8)
        panel.tick_params(labelsize=7)
    axes[row, 0].set_ylabel(f"k = {k}", fontsize=9)
figure.supxlabel("rank of the true value among 99 posterior draws (grey: 99% band of a uniform count)", fontsize=9)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=130)
