"""Calibration and Cox limit of many trials at once, against SciPy one trial at a time; decomposition; whole command.

``python benchmarks/pps.py`` from the project's folder (a minute).
"""

import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

import surrogacy
from surrogacy.pps import IllnessDeath, cox_hazard_ratio
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.read_summaries import read_inputs

TRIALS, PEER = 10_000, 20
CENSORING = (52.0, 113.0)


def seconds(calculation):
    """Wall time of one call, and its value."""
    start = time.perf_counter()
    value = calculation()
    return time.perf_counter() - start, value


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


def hazard_ratios(pfs, os):
    control, experimental = (IllnessDeath.from_medians(pfs[:, arm], os[:, arm]) for arm in (0, 1))
    return cox_hazard_ratio(control, experimental, CENSORING)


def whole_command() -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "surrogacy.pps", "--quiet", "--out", f"{folder}/out"]
        return seconds(partial(subprocess.run, command, check=True))[0]


def main() -> None:
    generator = np.random.default_rng(0)
    pfs = np.exp(generator.normal(np.log([13.5, 20.4]), 0.15, (TRIALS, 2)))
    os = pfs * np.exp(generator.uniform(0.3, 1.2, (TRIALS, 2)))
    together, batch = seconds(partial(hazard_ratios, pfs, os))
    peer, expected = seconds(lambda: [one_by_one(pfs[trial], os[trial]) for trial in range(PEER)])
    singly = peer / PEER * TRIALS
    print(f"largest difference of {PEER} hazard ratios: {np.abs(batch[:PEER] - expected).max():.1e}")
    print(f"{TRIALS} calibrations with Cox limits: {together:.2f} s, one at a time with SciPy {singly:.0f} s")
    inputs = read_inputs(surrogacy.read_trials(), "tactics")
    bootstrap, _ = seconds(partial(decompose, inputs, resamples=10_000))
    print(f"decomposition of TACTICS with 10,000 resampled trials: {bootstrap:.2f} s (limit 5 s)")
    print(f"python -m surrogacy.pps: {whole_command():.1f} s (limit 10 s)")


if __name__ == "__main__":
    main()
