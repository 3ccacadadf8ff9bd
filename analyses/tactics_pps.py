"""TACTICS final report (Kudo 2022): median PPS is 17.3 (TACE alone) and 13.4 months (TACE plus sorafenib), and long
PPS diluted OS after 48 months.
"""

import surrogacy
from surrogacy.figures.waterfall import plot_waterfall
from surrogacy.pps.at_risk import compare_at_risk
from surrogacy.pps.decomposition import decompose, decompose_all
from surrogacy.pps.gap_scenarios import by_direct_death
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.results.format import share_with_interval

# the report quotes the medians of the primary analysis: "25.2 vs. 13.5 months"
tactics = read_inputs(surrogacy.read_trials(), "tactics").with_medians("primary", control=13.5, experimental=25.2)
main = decompose(tactics, "M")
control, experimental = main.calibration.median_pps
print(
    f"median PPS: 17.3 and 13.4, equal to median OS - median PFS -> {control:.1f} and {experimental:.1f} "
    f"(calibrated to the OS medians)"
)
hr, needed = main.hazard_ratios, main.equal_pps
print(
    f"PFS HR 0.661, OS HR expected with equal PPS: not published -> {hr['equal'].value:.3f} "
    f"({hr['equal'].low:.2f} to {hr['equal'].high:.2f}), Cox limit"
)
print(
    f"  with the calibrated PPS of each arm: not published -> {hr['model'].value:.3f} ({hr['model'].low:.2f} to "
    f"{hr['model'].high:.2f})"
)
print(
    f"OS HR in the limit of PPS 0, infinite (same follow-up), infinite (follow-up to death): not published -> "
    f"{needed.none:.3f}, {needed.endless:.3f}, {needed.endless_complete:.3f}"
)
print(f"OS HR 0.861: diluted by long PPS -> {main.parts_in_words}")
for order in main.model.orderings:
    print(
        f"  reference PPS of the {order.reference} arm: dilution {order.dilution:.3f}, imbalance "
        f"{order.imbalance:.3f} (log HR)"
    )
print(f"p-value of the residual (two-sided): not published -> {main.p_residual:.2f}")
print(
    f"P(OS HR of 0.861 or above) if the true OS HR is {hr['model'].value:.3f}: not published -> "
    f"{main.resampling.p_hazard_ratio:.2f}"
)
for scenario in decompose_all(tactics):
    shares = ", ".join(share_with_interval(share) for share in scenario.shares.values())
    months = f"{scenario.equal_pps.needed:.0f}" if scenario.equal_pps.needed else "no"
    print(
        f"  {scenario.calibration.scenario}, {scenario.calibration.name}: equal PPS "
        f"{scenario.hazard_ratios['equal'].value:.3f}, model {scenario.hazard_ratios['model'].value:.3f}; {shares}; "
        f"{months} months of PPS in both arms would give the observed OS HR"
    )
for record in by_direct_death(tactics, (0.0, 0.05, 0.2, 0.3), "medians"):
    print(
        f"  deaths {record.direct_death:.0%} of PFS events (medians, M): equal PPS {record.equal:.3f}, dilution "
        f"{record.dilution_of_model:.0%} of the attenuation in the model"
    )
timing = compare_at_risk(tactics, main.calibration)
early, late = timing.crude
print(
    f'dilution "after 48 months" -> the curves meet at {timing.meeting[0]:.0f} to {timing.meeting[1]:.0f} '
    f"months; crude rate ratio {early.value:.2f} before 24 months, {late.value:.2f} from 24 to 48 (p "
    f"{timing.p_change:.2f})"
)
print(
    f"constant PPS hazard: not published -> deviance {timing.fits[1].deviance:.1f}, with changes at 24 and "
    f"48 months {timing.fits[2].deviance:.1f} (p {timing.p:.2f}, 4 df)"
)
for problem in (*main.problems, *timing.problems):
    print(f"! {problem}")
figure = plot_waterfall([main, decompose(tactics, "L")]).get_figure(root=True)
