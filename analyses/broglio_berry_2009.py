"""Broglio, Berry 2009 (doi:10.1093/jnci/djp369): median PFS of 6 and 9 months and the same survival post progression
(SPP) in both arms. How large is the effect on OS?
"""

import surrogacy
from surrogacy.figures.dilution_map import plot_dilution_map
from surrogacy.pps.dilution_map import dilution_map, dilution_points
from surrogacy.pps.planning import plan
from surrogacy.survival.trial_design import Design

PFS = (6.0, 9.0)
print(
    "design: accrual and follow-up could not be read -> 18 months of uniform accrual and 6 of follow-up, chosen "
    "because they reproduce the numbers of patients; exponential PFS and SPP, no deaths before progression"
)
plans = {spp: plan(Design(PFS, (spp, spp), accrual=18, follow_up=6), power=0.8) for spp in (2, 12, 24)}
print(f"patients for 80% power, PFS: 280 -> {plans[2]['n_pfs'].value:.0f} ({plans[2]['n_pfs'].method})")
for spp, published in ((2, 350), (24, 2440)):
    print(f"patients for 80% power, OS at SPP {spp}: {published} -> {plans[spp]['n_os'].value:.0f}")
complete = {spp: plan(Design(PFS, (spp, spp), follow_up=float("inf"))) for spp in (2, 24)}
sizes = (complete[2]["n_pfs"], complete[2]["n_os"], complete[24]["n_os"])
print(
    f"  all three with follow-up of every patient to death: 280 / 350 / 2440 -> "
    f"{' / '.join(f'{size.value:.0f}' for size in sizes)}: the first two exclude this design"
)
for spp, probability, median in ((2, "0.70", "0.013"), (12, "0.24", "0.199"), (24, "not published", "0.322")):
    planned = plans[spp]
    print(
        f"SPP {spp}, {planned.n} patients (80% power for PFS): P(OS significant) {probability} -> "
        f"{planned['power_os'].value:.2f}; "
        f"median p of OS {median} -> {planned['median_p_os'].value:.3f}; expected OS HR not published -> "
        f"{planned['hr_os'].value:.3f}"
    )
for spp, published in ((2, "above 0.90"), (24, "below 0.20")):
    print(
        f"P(OS significant | p of PFS = 0.001), SPP {spp}: {published} -> {plans[spp].power_os_given_p_pfs(0.001):.2f}"
    )
print(f"P(OS significant | PFS significant), SPP 24: not published -> {plans[24]['power_os_given_pfs'].value:.2f}")
checked = plan(Design(PFS, (24, 24)), n=plans[24].n, simulations=4000, seed=1)
for name, label in (
    ("power_os", "P(OS significant)"),
    ("power_os_given_pfs", "P(OS significant | PFS significant)"),
    ("median_p_os", "median p of OS"),
):
    simulated = checked.simulated[name]
    print(
        f"  {label}, SPP 24: {checked[name].value:.3f} by formula -> {simulated.value:.3f} ({simulated.low:.3f} to "
        f"{simulated.high:.3f}; {simulated.method})"
    )
spps = (2, 4, 6, 8, 10, 12, 18, 24, 48)
limits = [plan(Design(PFS, (spp, spp), follow_up=float("inf")))["hr_os"].value for spp in spps]
print(
    f"OS HR with follow-up of every patient to death, SPP {'/'.join(map(str, spps))}: not published -> "
    f"{'/'.join(f'{hr:.3f}' for hr in limits)}"
)
trials = surrogacy.read_trials()
figure = plot_dilution_map(dilution_map(hr_pfs=6 / 9, direct_death=0.0), dilution_points(trials), "tactics")[
    0
].get_figure(root=True)
