"""Does the surrogacy line differ between immunotherapy and other systemic therapy in advanced disease?"""

import numpy as np

import surrogacy
from surrogacy.figures import plot_bubble
from surrogacy.models import BivariateBayes

trials = surrogacy.read_trials()
immuno = trials.analysis_set("advanced-immunotherapy")
advanced = trials.analysis_set("advanced")
other = advanced.take(np.array([trial not in immuno.trial for trial in advanced.trial]))
results = {"immunotherapy": BivariateBayes().fit(immuno), "other systemic therapy": BivariateBayes().fit(other)}
for treatment, result in results.items():
    slope, intercept = result["slope"], result["intercept"]
    print(
        f"{treatment} (k = {len(result.effects)}): not published -> slope {slope.value:.2f} ({slope.low:.2f} to "
        f"{slope.high:.2f}), intercept {intercept.value:.2f} ({intercept.low:.2f} to {intercept.high:.2f}), "
        f"trial-level R2 {result['r2_trial'].value:.2f}"
    )
draws = [result.posterior.draw(20_000, seed=i) for i, result in enumerate(results.values())]
prior = results["immunotherapy"].posterior.prior_distribution("slope", draws[1]["slope"])
# the prior of the intercept is wide and symmetric about 0, hence a prior probability of 0.50
for name, statement, prior_probability in (
    ("slope", "lower slope", prior.mean()),
    ("intercept", "larger OS benefit at a PFS HR of 1", 0.5),
):
    p = float((draws[0][name] < draws[1][name]).mean())
    print(
        f"{statement} with immunotherapy: not published -> posterior probability {p:.2f}, without these trials "
        f"{prior_probability:.2f}"
    )
for treatment, result in results.items():
    print(f"{treatment}, threshold: not published -> {result['ste_prediction']}")
figure = plot_bubble(results["immunotherapy"]).get_figure(root=True)
