"""Calibration and Cox limit of many trials at once, against SciPy one trial at a time; the whole command; ratios in one
run.
"""

import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

import surrogacy
from surrogacy.pps import IllnessDeath, cox_hazard_ratio
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.read_summaries import read_inputs

TRIALS, PEER = 10_000, 20
CENSORING = (52.0, 113.0)


def seconds(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def one_by_one(pfs, os):
    """What a script with brentq and quad does for one trial of two arms, q = 0."""
    arms = []
    for m, total in zip(pfs, os, strict=True):
        lam = np.log(2) / m

        def alive(t, h, lam=lam):
            return (
                np.exp(-lam * t) + lam * t * np.exp(-lam * t)
                if abs(h - lam) < 1e-9
                else (h * np.exp(-lam * t) - lam * np.exp(-h * t)) / (h - lam)
            )

        h12 = brentq(lambda h, total=total, alive=alive: alive(total, h) - 0.5, 1e-6, 1e3)
        arms.append((lam, h12, alive))

    def parts(t):
        alive = [of(t, h) for lam, h, of in arms]
        dying = [h * (s - np.exp(-lam * t)) for (lam, h, _), s in zip(arms, alive, strict=True)]
        return alive, dying

    def score(b):
        def integrand(t):
            (sc, se), (fc, fe) = parts(t)
            share = np.exp(b) * se / (np.exp(b) * se + sc)
            kept = min(1.0, (CENSORING[1] - t) / (CENSORING[1] - CENSORING[0]))
            return kept * (fe * (1 - share) - fc * share)

        return quad(integrand, 0, CENSORING[1], points=[CENSORING[0]], limit=200)[0]

    return float(np.exp(brentq(score, -3, 3)))


generator = np.random.default_rng(0)
pfs = np.exp(generator.normal(np.log([13.5, 20.4]), 0.15, (TRIALS, 2)))
os = pfs * np.exp(generator.uniform(0.3, 1.2, (TRIALS, 2)))


def together():
    control, experimental = (IllnessDeath.from_medians(pfs[:, i], os[:, i]) for i in (0, 1))
    return cox_hazard_ratio(control, experimental, CENSORING)


ours, found = seconds(together)
peer, expected = seconds(lambda: [one_by_one(pfs[i], os[i]) for i in range(PEER)])
print(f"largest difference of {PEER} hazard ratios: {np.abs(found[:PEER] - expected).max():.1e}")
print(
    f"{TRIALS} calibrations with their Cox limits: {ours:.2f} s; SciPy, one at a time: "
    f"{peer / PEER * TRIALS:.0f} s; ratio {peer / PEER * TRIALS / ours:.0f} x"
)
inputs = read_inputs(surrogacy.read_trials(), "tactics")
bootstrap, _ = seconds(lambda: decompose(inputs, resamples=10_000))
print(f"decomposition of TACTICS with 10,000 resampled trials: {bootstrap:.2f} s (limit 5 s)")
with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "surrogacy.pps", "--quiet", "--out", f"{folder}/out"]
    whole, _ = seconds(lambda: subprocess.run(command, check=True))
    imports, _ = seconds(
        lambda: subprocess.run([sys.executable, "-c", "import pandas, scipy.stats, matplotlib.pyplot"], check=True)
    )
print(
    f"python -m surrogacy.pps: {whole:.1f} s (limit 10 s), {whole / imports:.1f} x the import of pandas, SciPy "
    f"and Matplotlib"
)
