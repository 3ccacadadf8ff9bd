"""Coverage of the components of the gap between PFS and OS effect, and of their shares, in simulated trials.

The true model has the follow-up of TACTICS, its share of deaths among PFS events and no residual. Its medians are
first those of TACTICS (PFS 13.5 and 22.8 months, OS 30.8 and 36.2), then those of smaller PFS effects, which leave a
smaller gap. Medians and hazard ratios of every simulated trial are calibrated (M) and resampled as for a published
trial. Three intervals are compared: 95% intervals of the components in log hazard ratios, Fieller sets of the shares,
and percentiles of the ratio if the interval of the gap excludes 0.
``python validation/share_coverage.py`` takes ten minutes.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.pps.calibration import calibrate
from surrogacy.pps.gap_components import PARTS, parts_of, resampled, steps_of
from surrogacy.pps.resampling import sampling_errors
from surrogacy.pps.shares import fieller_set
from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
from surrogacy.stats.bootstrap import percentiles

TRIALS, RESAMPLES = 400, 300


def inputs(pfs, os, hr_pfs, hr_os, n):
    return TrialSummary(
        comparison="simulated",
        n=n,
        cuts=(PfsCut("final", HazardRatio(hr_pfs), (Median(pfs[0]), Median(pfs[1]))),),
        median_os=(Median(os[0]), Median(os[1])),
        hr_os=HazardRatio(hr_os),
        direct_death=Sourced(13 / 134, "of TACTICS"),
        follow_up=Sourced((52.0, 113.0), "of TACTICS"),
    )


def parts(trial, chosen):
    point = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], trial)
    return parts_of(point, np.log([trial.hr_os.value]))


def report(n, pfs_medians, os_medians):
    hr_pfs = pfs_medians[0] / pfs_medians[1]
    truth = inputs(pfs_medians, os_medians, hr_pfs, 0.861, n)
    model = calibrate(truth)
    hr_os = next(target.model for target in model.targets if target.quantity == "HR OS")
    true_parts = {
        name: value.item() for name, value in parts(inputs(pfs_medians, os_medians, hr_pfs, hr_os, n), model).items()
    }
    errors = sampling_errors(truth, model, TRIALS, seed=20)
    rows = []
    for i in range(TRIALS):
        pfs, os_ = pfs_medians * np.exp(errors.median_pfs[i]), os_medians * np.exp(errors.median_os[i])
        try:
            seen = inputs(pfs, os_, hr_pfs * np.exp(errors.hr_pfs[i]), hr_os * np.exp(errors.hr_os[i]), n)
            chosen = calibrate(seen)
            draws = resampled(seen, chosen, sampling_errors(seen, chosen, RESAMPLES, seed=i))
        except UsageError:  # no model reproduces these medians, so the trial has no decomposition
            continue
        value, sample = parts(seen, chosen), draws.parts
        low, high = percentiles(sample["gap"])
        row = {"clear": low > 0 or high < 0, "gap": low <= true_parts["gap"] <= high}
        for name in PARTS:
            low, high = percentiles(sample[name])
            row[name] = low <= true_parts[name] <= high
            share = true_parts[name] / true_parts["gap"]
            row[f"fieller {name}"] = share in fieller_set(
                sample[name], sample["gap"], value[name].item() / value["gap"].item()
            )
            low, high = percentiles(sample[name] / sample["gap"])
            row[f"percentile {name}"] = low <= share <= high
        rows.append(row)
    clear = np.array([row["clear"] for row in rows])
    print(
        f"{n[0]} + {n[1]} patients, PFS {pfs_medians}, OS {os_medians} months, true gap {true_parts['gap']:.2f}: "
        f"{len(rows)} of {TRIALS} trials"
    )
    print(f"  the interval of the gap excludes 0 in {clear.mean():.0%}; residual part {true_parts['residual']:.3f}")
    for name in ("gap", *PARTS):
        covered = np.array([row[name] for row in rows])
        line = f"  {name:10s} log HR: {covered.mean():.3f}"
        if name in PARTS:
            fieller, percentile = (
                np.array([row[f"{method} {name}"] for row in rows]) for method in ("fieller", "percentile")
            )
            line += f"   share, Fieller set: {fieller.mean():.3f} (gap excludes 0: {fieller[clear].mean():.3f})"
            line += f"   percentiles if the gap excludes 0: {percentile[clear].mean():.3f}"
        print(line)


for pfs, os_ in (((13.5, 22.8), (30.8, 36.2)), ((13.5, 18.0), (30.8, 34.0)), ((13.5, 15.5), (30.8, 32.0))):
    report((76, 80), np.array(pfs), np.array(os_))
report((300, 300), np.array([13.5, 22.8]), np.array([30.8, 36.2]))
