"""Llovet 2019 (doi:10.1016/j.jhep.2019.01.028): R = 0.84 between PFS and OS, 0.83 between TTP and OS, in phase III
trials of advanced HCC.
"""

import surrogacy
from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.figures import plot_bubble
from surrogacy.models import BivariateBayes, BivariateRandomEffects, DanielsHughes, WeightedPearson, WeightedRegression
from surrogacy.results.labels import model_label

trials = surrogacy.read_trials()
for endpoint, published in (("pfs", 0.84), ("ttp", 0.83)):
    effects = trials.analysis_set(f"llovet-2019-{endpoint}")
    correlations = {
        weights: WeightedPearson(weights=weights, fisher="trials").fit(effects)["r"]
        for weights in ("inverse-variance", "n")
    }
    r = correlations["inverse-variance"]
    print(
        f"R between {endpoint.upper()} and OS ({len(effects)} comparisons): {published} -> {r.value:.3f} (weights "
        f"1 / variance; {r.low:.2f} to {r.high:.2f}, Fisher z)"
    )
    print(f"  with weights n, as in the TACTICS report: {published} -> {correlations['n'].value:.3f}")
effects = trials.analysis_set("llovet-2019-pfs")
bayes = BivariateBayes().fit(effects)["r2_trial"]
print(
    f"trial-level R2, PFS: not published -> {bayes.value:.2f} ({bayes.low:.2f} to {bayes.high:.2f}, "
    f"exact posterior, within-trial correlation 0.5)"
)
for model in (DanielsHughes(), BivariateRandomEffects(interval="delta"), BivariateBayes()):
    validated = cross_validate(model, effects)
    outside = ", ".join(effects.labels[effects.comparison.index(name)] for name in validated.outside) or "none"
    print(
        f"leave-one-out prediction of OS, {model_label(model.name)}: not published -> {validated.coverage[0]} of "
        f"{validated.coverage[1]} in the 95% prediction interval, outside: {outside}"
    )
figure = plot_bubble(WeightedRegression().fit(effects)).get_figure(root=True)
