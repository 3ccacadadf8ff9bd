"""Terashima 2016 (Hepatol Res 46:650): r(OS, PPS) = 0.834 and r(OS, PFS) = 0.546 in 56 reports of sorafenib, with
PPS = median OS - median PFS.
"""

import surrogacy
from surrogacy.figures.pps_arms import plot_pps_arms
from surrogacy.pps.arms import arm_pps
from surrogacy.pps.coupling import coupling_audit
from surrogacy.pps.coupling_identity import coupling_identity
from surrogacy.pps.coupling_nulls import no_variation_null

# study, statistic, r(OS, PPS), r(OS, PFS); the root of a published r2
PAIRS = (
    ("Terashima 2016, HCC, sorafenib", "weighted r", 0.834, 0.546),
    ("Terashima 2019, HCC, TTP", "weighted r", 0.78, 0.50),
    ("Tajiri, HCC, regorafenib", "r", 0.854, 0.467),
    ("Tajiri, HCC, ramucirumab", "r", 0.894, 0.140),
    ("Tajiri, HCC, cabozantinib", "r", 0.925, 0.973),
    ("Hotta 2011, lung", "root of r2", 0.8917**0.5, 0.2563**0.5),
    ("Hayashi 2012, lung", "r", 0.82, 0.43),
    ("Petrelli 2013, colorectal", "Spearman, approximate", 0.88, 0.64),
    ("Petrelli 2013, colorectal", "root of R2", 0.80**0.5, 0.43**0.5),
    ("Pancreas 2017", "r", 0.844, 0.623),
    ("Shimokawa 2015, ovary", "r", 0.94, 0.83),
    ("Shimokawa 2018, ovary", "r", 0.88, 0.72),
    ("Shitara 2012, stomach, patients", "Spearman, approximate", 0.87, 0.75),
    ("Imai 2016, small-cell lung, patients", "Spearman, approximate", 0.90, 0.72),
    ("Kawakami 2013, stomach, recent trials", "r", 0.85, 0.282),
)


def with_limits(estimate):
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


print("r(OS, PPS) / r(OS, PFS) -> implied correlation and SD ratio of PPS and PFS if PPS = OS - PFS")
for study, statistic, r_os_pps, r_os_pfs in PAIRS:
    implied = coupling_identity(r_os_pps, r_os_pfs)
    print(
        f"{study} ({statistic}): {r_os_pps:.3f} / {r_os_pfs:.3f} -> corr(PFS, PPS) {implied.corr_pfs_pps:.3f}, SD "
        f"ratio {implied.sd_ratio:.2f}; "
        f"uncorrelated PFS and PPS would give {implied.if_unrelated[0]:.3f} / {implied.if_unrelated[1]:.3f}"
    )
chance = no_variation_null([100] * 56, median_pfs=4.0, median_pps=6.0).mean
print(
    f"56 arms of 100 patients of one population (PFS 4, PPS 6 months): 0.834 / 0.546 -> {chance[0]:.2f} / "
    f"{chance[1]:.2f} on average"
)
arms = arm_pps(surrogacy.read_trials())
audit = coupling_audit(arms)
print(
    f"{len(audit.arms)} arms of {len(audit.trials)} randomised trials in the tables, all treatments: 0.834 / 0.546 -> "
    f"{with_limits(audit['r_os_pps'])} / {with_limits(audit['r_os_pfs'])}, {audit['r_os_pps'].method}"
)
print(
    f"  corr(PFS, PPS): -0.007 -> {with_limits(audit['r_pfs_pps'])}; SD ratio: 1.52 -> {with_limits(audit['sd_ratio'])}"
)
print(
    f"  share of PPS in the variance of OS: 0.70 -> {with_limits(audit['shapley_share'])} Shapley, "
    f"{with_limits(audit['covariance_share'])} covariance"
)
for null in audit.nulls:
    print(f"  {null.name}: not published -> {null.mean[0]:.2f} / {null.mean[1]:.2f} on average")
model = coupling_audit(arms, definition="model")
print(f"  r(OS, PPS) with the median PPS of the model: not published -> {with_limits(model['r_os_pps'])}")
trend = " / ".join(with_limits(audit.trend[name]) for name in ("median_pps", "median_pfs"))
print(f"  change of median PPS / PFS in months per year of publication: not published -> {trend}")
print(f"! {audit.problems[0]}")
figure = plot_pps_arms(audit, focus="tactics")[0].get_figure(root=True)
