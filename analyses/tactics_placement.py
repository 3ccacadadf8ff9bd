"""TACTICS: its authors say that long post-progression survival diluted OS. What did the lines expect of it before any
such reason?
"""

import surrogacy
from surrogacy.evaluation.placement import POSITIONS, focus_comparisons, place, shown_records
from surrogacy.figures import plot_placement
from surrogacy.models import BivariateBayes

trials = surrogacy.read_trials()
model = BivariateBayes()
sets = [
    (effects, [model.fit(effects)])
    for effects in map(trials.analysis_set, ("intermediate", "llovet-2019-pfs", "advanced"))
]
(focus,) = focus_comparisons(trials, [effects for effects, _ in sets], "tactics")
records = place(focus, [model], sets)
for record in shown_records(records):
    print(
        f"{record['set']} ({record['fitted']}, k = {record['k']}), PFS HR {record['hr_surrogate']:.2f} "
        f"({record['cut']}): OS HR 0.861 observed -> "
        f"{record['predicted']:.2f} ({record['low_95']:.2f} to {record['high_95']:.2f}) predicted; P(0.861 or more) = "
        f"{record['p_at_or_above']:.2f}, {POSITIONS[record['position']]}"
    )
figure = plot_placement(focus, [sets[0][1][0], sets[1][1][0]], records).get_figure(root=True)
