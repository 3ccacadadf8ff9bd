"""TACTICS: 0.56 over six TACE-combination trials "against 0.84" in advanced HCC. Is the intermediate-stage association
weaker?
"""

import surrogacy
from surrogacy.evaluation.differences import compare_sets, fisher_difference
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedRegression
from surrogacy.stats.power import detectable, trials_needed

z, p = fisher_difference(0.56, 6, 0.84, 16)
print(
    f"0.56 (k = 6) against 0.84 (k = 16), Fisher z: weaker -> difference of z {z.value:.2f} ({z.low:.2f} to "
    f"{z.high:.2f}), p = {p:.2f}: holds 0"
)
weakest = detectable(6, 0.84, 16)
print(
    "difference from 0.84 that six against sixteen trials would find with 80% power: not published -> "
    f"{weakest - 0.84:.2f}, a true r of {weakest:.2f} or less"
)
print(
    f"trials in each set that would find a true 0.56 against 0.84 with 80% power: not published -> "
    f"{trials_needed(0.56, 0.84)}"
)
trials = surrogacy.read_trials()
for one, other in (("tactics-2022", "llovet-2019-pfs"), ("intermediate", "advanced")):
    found = compare_sets(trials.analysis_set(one), trials.analysis_set(other), seed=1)
    print(f"{one} against {other}: weaker -> {found.sentence}")
    for name in ("r2_trial", "slope"):
        contrast = found.contrasts[name]
        print(
            f"  {name}, exact posteriors: {contrast.first:.2f} and {contrast.second:.2f}, difference "
            f"{contrast.difference.value:.2f} "
            f"({contrast.difference.low:.2f} to {contrast.difference.high:.2f}); P(smaller in {one}) = "
            f"{contrast.probability_first_smaller:.2f}, {contrast.probability_no_data:.2f} without its trials "
            f"(odds ratio {contrast.odds_ratio_no_data:.1f})"
        )
figure = plot_bubble(WeightedRegression().fit(trials.analysis_set("all"))).get_figure(root=True)
