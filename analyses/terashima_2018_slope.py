"""Terashima 2019 (Liver Cancer 8:130, doi:10.1159/000489505, online 2018): 24 trials launched 2009-2016, R = 0.73,
slope 0.48 (TTP and OS hazard ratios).
"""

import surrogacy
from surrogacy.figures import plot_bubble
from surrogacy.models import BivariateBayes, WeightedRegression

trials = surrogacy.read_trials()
select = {"stage": ("advanced",), "class": ("not locoregional",)}
effects = trials.pair(surrogate="TTP", select=select, name="advanced, TTP")
result = WeightedRegression().fit(effects)
r2, slope = result["r2_trial"], result["slope"]
print(f"number of trials (not the same trials): 24 -> {len(effects)} comparisons with a TTP and an OS hazard ratio")
print(f"R: 0.73 -> {r2.value**0.5:.2f} (square root of the weighted R2 {r2.value:.2f}, {r2.low:.2f} to {r2.high:.2f})")
print(f"slope: 0.48 -> {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}, {slope.method}; log hazard ratios)")
bayes = BivariateBayes().fit(effects)["slope"]
print(
    f"slope of the true effects: not published -> {bayes.value:.2f} ({bayes.low:.2f} to {bayes.high:.2f}, exact "
    f"posterior, within-trial correlation 0.5)"
)
figure = plot_bubble(result).get_figure(root=True)
