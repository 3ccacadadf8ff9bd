"""Lee, Jang 2016 (PMC5104893): Spearman 0.73, R2 0.57, "minimum TTP effect to predict a treatment effect on OS" 0.63,
nine trials.
"""

import csv
from pathlib import Path

import numpy as np

from surrogacy.effects import Effects
from surrogacy.figures import plot_bubble
from surrogacy.models import WeightedPearson, WeightedRegression
from surrogacy.trials.standard_errors import standard_error_from_interval

with (Path(__file__).parent.parent / "tests" / "reference" / "data" / "jang2016_pairs.csv").open(
    encoding="utf-8"
) as file:
    rows = list(csv.DictReader(file))
log_hr = np.log([[float(row["hr_s"]), float(row["hr_t"])] for row in rows])
se = [
    [standard_error_from_interval(float(row[f"{e}_low"]), float(row[f"{e}_high"])) for e in ("hr_s", "hr_t")]
    for row in rows
]
n = [float(row["n_exp"]) + float(row["n_ctl"]) for row in rows]
effects = Effects.from_arrays(log_hr, se, 0.5, n=n, trial=[row["trial"] for row in rows], name="jang-2016")

result = WeightedRegression().fit(effects)
print(f"Spearman: 0.73 -> {WeightedPearson().fit(effects)['spearman'].value:.3f}")
print(f"R2, weights n: 0.57 -> {result['r2_trial'].value:.3f}")
print(
    f"minimum TTP effect: 0.63 -> {result['ste_confidence'].hr:.3f} by the confidence band of the mean, which "
    f"is not a prediction interval"
)
print(f"  by the prediction interval of a trial of average size: 0.63 -> {result['ste_prediction']}")
print(
    f"  by the prediction interval of a trial with one patient (predict.lm of R): 0.63 -> "
    f"{WeightedRegression(new_n=1).fit(effects)['ste_prediction']}"
)
figure = plot_bubble(result).get_figure(root=True)
