"""Differences between the exact posterior and 20,000 NUTS draws on every shipped set, in Monte Carlo standard errors.

``python validation/exact_against_nuts.py`` takes half a minute.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from surrogacy import read_trials
from surrogacy.models import create
from surrogacy.models.sampled.agreement import agreement, disagreements, sample_twins
from tests.support.shipped_sets import SHIPPED_SETS

trials = read_trials()
data = [trials.analysis_set(name) for name in SHIPPED_SETS]
for model in (create("bivariate-bayes"), create("daniels-hughes")):
    for effects, sampled in zip(data, sample_twins(model, data), strict=True):
        records = agreement(model.fit(effects), sampled)
        worst = max(records, key=lambda record: abs(record["difference"]))
        wrong = "; ".join(map(str, disagreements(records, sampled)))
        print(
            f"{model.name:16} {effects.name:24} largest of {len(records)} differences {abs(worst['difference']):.1f} "
            f"({worst['estimate']}, {worst['summary']}) {wrong}"
        )
