"""TACTICS: a correlation of 0.56 in six TACE-combination trials "against 0.84" in advanced HCC. Is the association
weaker in the intermediate stage?
"""

import surrogacy
from surrogacy.evaluation.differences import compare_sets, fisher_difference
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedRegression
from surrogacy.stats.power import detectable, trials_needed

z, p = fisher_difference(0.56, 6, 0.84, 16)
print(
    f"0.56 (k = 6) against 0.84 (k = 16), Fisher z: weaker -> difference of z {z.value:.2f} ({z.low:.2f} to "
    f"{z.high:.2f}), p = {p:.2f}: the interval includes 0"
)
weakest = detectable(6, 0.84, 16)
print(
    "difference from 0.84 that 6 against 16 trials detect with 80% power: not published -> "
    f"{weakest - 0.84:.2f}, a true r of {weakest:.2f} or less"
)
print(
    f"trials per set that detect a true 0.56 against 0.84 with 80% power: not published -> {trials_needed(0.56, 0.84)}"
)
trials = surrogacy.read_trials()
for first, second in (("tactics-2022", "llovet-2019-pfs"), ("intermediate", "advanced")):
    difference = compare_sets(trials.analysis_set(first), trials.analysis_set(second), seed=1, fisher="trials")
    print(f"{first} against {second}: weaker -> {difference.sentence}")
    for name, label in (("r2_trial", "trial-level R2"), ("slope", "slope")):
        contrast = difference.contrasts[name]
        print(
            f"  {label}, exact posteriors: {contrast.first:.2f} and {contrast.second:.2f}, difference "
            f"{contrast.difference.value:.2f} "
            f"({contrast.difference.low:.2f} to {contrast.difference.high:.2f}); P(smaller in {first}) = "
            f"{contrast.probability_first_smaller:.2f}, {contrast.probability_no_data:.2f} without these trials "
            f"(odds ratio {contrast.odds_ratio_no_data:.1f})"
        )
figure = plot_bubble(WeightedRegression().fit(trials.analysis_set("all"))).get_figure(root=True)
