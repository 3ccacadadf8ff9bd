"""Llovet 2019: a PFS hazard ratio of 0.6 or less "is proposed as a potential surrogate" of OS. Which OS effect does a
PFS hazard ratio of 0.6 predict in each analysis set?
"""

import numpy as np

import surrogacy
from surrogacy.figures import plot_bubble
from surrogacy.models import BivariateBayes

trials = surrogacy.read_trials()
for name in ("llovet-2019-pfs", "advanced", "advanced-immunotherapy", "intermediate", "tactics-2022"):
    result = BivariateBayes().fit(trials.analysis_set(name))
    median, low, high = (float(np.exp(value)) for value in result.line.predict(np.log(0.6)))
    below = float(result.line.probability_below(np.log(0.6)))
    print(
        f"{name} (k = {len(result.effects)}): a true PFS HR of 0.6 suffices -> true OS HR {median:.2f} "
        f"({low:.2f} to {high:.2f}), P(OS HR < 1) = {below:.2f}; threshold: {result['ste_prediction']}"
    )
figure = plot_bubble(BivariateBayes().fit(trials.analysis_set("advanced"))).get_figure(root=True)
