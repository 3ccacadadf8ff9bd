"""TACTICS: 0.56 over six TACE-combination trials "against 0.84" in advanced HCC. Is the intermediate-stage association weaker?"""

import surrogacy
from surrogacy.difference import compare, fisher_difference, power, trials_needed
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedRegression

z, p = fisher_difference(0.56, 6, 0.84, 16)
print(
    f"0.56 (k = 6) against 0.84 (k = 16), Fisher z: weaker -> difference of z {z.value:.2f} ({z.low:.2f} to {z.high:.2f}), p = {p:.2f}: holds 0"
)
print(f"power of six against sixteen trials to show 0.56 against 0.84: not published -> {power(6, 0.56, 16, 0.84):.2f}")
print(f"trials in each set that would show it with 80% power: not published -> {trials_needed(0.56, 0.84)}")
trials = surrogacy.read_trials()
for one, other in (("tactics-2022", "llovet-2019-pfs"), ("intermediate", "advanced")):
    found = compare(trials.analysis_set(one), trials.analysis_set(other), seed=1)
    print(f"{one} against {other}: weaker -> {found.sentence}")
    for name in ("r2_trial", "slope"):
        contrast = found.contrasts[name]
        print(
            f"  {name}, exact posteriors: {contrast.first:.2f} and {contrast.second:.2f}, difference {contrast.difference.value:.2f} "
            f"({contrast.difference.low:.2f} to {contrast.difference.high:.2f}); P(smaller in {one}) = {contrast.probability_first_smaller:.2f}"
        )
figure = plot_bubble(WeightedRegression().fit(trials.analysis_set("all"))).get_figure(root=True)
