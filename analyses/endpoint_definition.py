"""Does the correlation with OS depend on the progression endpoint? TTP, PFS and TTUP in the trials that report them."""

import surrogacy
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedPearson

trials = surrogacy.read_trials()
for stage in ("advanced", "intermediate"):
    select = {"stage": (stage,), "class": ("not locoregional",)}
    for endpoint in ("PFS", "TTP"):
        effects = trials.pair(surrogate=endpoint, select=select, name=f"{stage}, {endpoint}")
        if len(set(effects.trial)) < 4:
            print(f"{stage}, {endpoint}: not published -> {len(set(effects.trial))} trials, too few")
            continue
        r = WeightedPearson(fisher="trials").fit(effects)["r"]
        print(
            f"{stage}, {endpoint}: not published -> r {r.value:.2f} ({r.low:.2f} to {r.high:.2f}, Fisher z), "
            f"{len(effects)} comparisons"
        )
for name, endpoints in (
    ("tactics-2022", "endpoints as in the report (4 TTP, 1 PFS, 1 TACE-PFS)"),
    ("tactics-2022-ttup", "SPACE by TTUP and BRISK-TA by TTDP"),
):
    r = WeightedPearson(fisher="trials").fit(trials.analysis_set(name))["r"]
    print(f"six trials of TACTICS, {endpoints}: 0.56 -> {r.value:.2f} ({r.low:.2f} to {r.high:.2f})")
figure = plot_bubble(WeightedPearson().fit(trials.analysis_set("tactics-2022-ttup")), focus="tactics").get_figure(
    root=True
)
