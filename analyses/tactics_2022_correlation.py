"""TACTICS final report (Kudo 2022): the weighted correlation of the hazard ratios in six TACE-combination trials is
0.56.
"""

import surrogacy
from surrogacy.evaluation.refits import leave_one_out
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedPearson

trials = surrogacy.read_trials()
model = WeightedPearson(fisher="trials")


def r(name):
    return model.fit(trials.analysis_set(name))["r"]


report = r("tactics-2022")
print(
    f"weighted correlation, weights n: 0.56 -> {report.value:.3f} ({report.low:.2f} to {report.high:.2f}, "
    f"{report.method})"
)
effects = trials.analysis_set("tactics-2022")
unequal = WeightedPearson(fisher="effective").fit(effects)["r"]
print(
    f"  allowing for the unequal weights: not published -> {unequal.low:.2f} to {unequal.high:.2f} ({unequal.method})"
)
left_out = sorted((refit.estimates["r"].value, refit.value) for refit in leave_one_out(model, effects))
labels = dict(zip(effects.trial, effects.labels, strict=True))
low, high = left_out[0], left_out[-1]
print(
    f"leave-one-out: not published -> {low[0]:.2f} (without {labels[low[1]]}) to {high[0]:.2f} (without "
    f"{labels[high[1]]})"
)
print(f"updated TACTICS HR 0.661 instead of 0.59: not published -> {r('tactics-2022-updated').value:.3f}")
print(f"SPACE by TTUP, BRISK-TA by time to disease progression: not published -> {r('tactics-2022-ttup').value:.3f}")
for weights in ("inverse-variance", "sqrt-n", "none"):
    print(f"weights {weights}: not published -> {WeightedPearson(weights=weights).fit(effects)['r'].value:.3f}")
print(f"! {effects.problems[0]}")
figure = plot_bubble(model.fit(effects), focus="tactics").get_figure(root=True)
