"""TACTICS: its authors explain the OS result by dilution through long post-progression survival. Which OS effect did
the other trials predict from its PFS effect?
"""

import surrogacy
from surrogacy.evaluation.placement import focus_comparisons, place, placement_record, shown_placements
from surrogacy.figures import plot_placement
from surrogacy.models import BivariateBayes
from surrogacy.results.labels import POSITIONS

trials = surrogacy.read_trials()
model = BivariateBayes()
sets = [
    (effects, [model.fit(effects)])
    for effects in map(trials.analysis_set, ("intermediate", "llovet-2019-pfs", "advanced"))
]
(focus,) = focus_comparisons(trials, [effects for effects, _ in sets], "tactics")
placements = place(focus, [model], sets)
for placement in shown_placements(placements):
    print(
        f"{placement.set} ({placement.fitted}, k = {placement.k}), PFS HR {placement.hr_surrogate:.2f} "
        f"({placement.cut}): OS HR 0.861 observed -> "
        f"{placement.predicted:.2f} ({placement.low_95:.2f} to {placement.high_95:.2f}) predicted; P(0.861 or more) = "
        f"{placement.p_at_or_above:.2f}, {POSITIONS[placement.position]}"
    )
figure = plot_placement(
    focus, [sets[0][1][0], sets[1][1][0]], [placement_record(placement) for placement in placements]
).get_figure(root=True)
