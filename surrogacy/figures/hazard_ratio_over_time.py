"""OS hazard ratio over time of calibrated models, and the crude rate ratios of the numbers at risk.

A fit to the numbers at risk is drawn only up to the last count with at least 10 patients at risk in both arms. The axis
ends with the year of that count, or at the longest follow-up if that is earlier or the numbers at risk are not known.
The curves of the calibrated models extend to the end of the axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.pps.at_risk import AtRiskComparison, CrudeRatio, supported_until
from surrogacy.pps.calibration import Calibration
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.format import percent
from surrogacy.survival.hazard_ratios import hazard_ratio_over_time

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
STEP = 0.25  # months
YEAR = 12.0
JUST = 1e-6
REACH = (0.3, 3.0)


def hazard_ratio_over_time_data(
    calibrations: Sequence[Calibration], until: float, comparison: AtRiskComparison | None = None
) -> pd.DataFrame:
    """Return the data of the curves: ``model``, ``months``, ``hazard_ratio``.

    Parameters
    ----------
    calibrations : sequence of Calibration
    until : float
        Months.
    comparison : AtRiskComparison, optional
        Adds its piecewise fit, as long as 10 patients are at risk in both arms.
    """
    times = np.arange(0.0, until + STEP / 2, STEP)
    curves = [
        _curve(f"{calibration.name}: {calibration.words}", times, hazard_ratio_over_time(*calibration.arms, times))
        for calibration in calibrations
    ]
    if comparison is not None:
        varying = comparison.fits[-1]
        end = min(until, comparison.supported_until)
        # the hazard is discontinuous at the cuts: the curve ends before each cut and starts again there
        cuts = np.array([cut for cut in varying.cuts if cut < end])
        supported = np.sort(np.concatenate([times[times <= end], cuts - JUST]))
        name = f"PPS hazard {varying.name}"
        gaps = _curve(name, cuts - JUST / 2, np.full(len(cuts), np.nan))
        curves.append(
            pd.concat([_curve(name, supported, varying.hazard_ratio(supported)), gaps]).sort_values(
                "months", kind="stable"
            )
        )
    return pd.concat(curves, ignore_index=True)


def _curve(name: str, months: FloatArray, hazard_ratio: FloatArray) -> pd.DataFrame:
    return pd.DataFrame({"model": name, "months": months, "hazard_ratio": hazard_ratio})


def plot_hazard_ratio_over_time(
    inputs: TrialSummary,
    calibrations: Sequence[Calibration],
    comparison: AtRiskComparison | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the OS hazard ratio of the models over time, the printed hazard ratio, and the crude ratios by interval.

    Parameters
    ----------
    inputs : TrialSummary
    calibrations : sequence of Calibration
        At most four, with different names.
    comparison : AtRiskComparison, optional
        Crude ratios and piecewise fit.
    ax : Axes, optional
        Default: a new figure of 140 mm.
    """
    if not 1 <= len(calibrations) <= len(COLOURS) - 1 or len({c.name for c in calibrations}) < len(calibrations):
        raise UsageError(f"give 1 to {len(COLOURS) - 1} calibrations with different names")
    until = inputs.follow_up.value[1] if inputs.follow_up.value else 3.0 * inputs.median_os[0].value
    if inputs.at_risk is not None:
        # at least a year, for trials in which no arm had 10 patients at risk
        until = min(until, max(supported_until(inputs.at_risk), YEAR))
    until = YEAR * np.ceil(until / YEAR)
    data = hazard_ratio_over_time_data(calibrations, until, comparison)
    if ax is None:
        ax = style.new_figure(140, 96).add_axes((0.105, 0.135, 0.87, 0.775))
    handles = []
    for colour, (name, curve) in zip(COLOURS, data.groupby("model", sort=False), strict=False):
        ax.plot(curve["months"], np.log(curve["hazard_ratio"]), color=colour, lw=1.4, zorder=3)
        handles.append(Line2D([], [], color=colour, lw=1.4, label=str(name)))
    printed = float(np.log(inputs.hr_os.value))
    ax.plot([0, until], [printed] * 2, color=style.LINE_COLOUR, lw=1.0, ls="--", zorder=2)
    handles.append(
        Line2D([], [], color=style.LINE_COLOUR, lw=1.0, ls="--", label=f"OS HR as printed, {inputs.hr_os.value:g}")
    )
    if comparison is not None and comparison.crude:
        for crude in comparison.crude:
            _crude(ax, crude)
        level = comparison.crude[0].level
        label = f"crude rate ratio of the numbers at risk ({percent(level)})"
        handles.append(Line2D([], [], color=style.INK, marker="o", ms=3.5, lw=1.0, label=label))
    style.hazard_ratio_axis(ax, "y", float(np.log(REACH[0])), float(np.log(REACH[1])))
    ax.axhline(0, color="0.4", lw=0.6, zorder=0)
    ax.set_xlim(0, until)
    ax.set_xticks(np.arange(0, until + 1, YEAR if until <= 12 * YEAR else 2 * YEAR))
    ax.set_xlabel("Months since randomisation")
    ax.set_ylabel("Hazard ratio, OS   (↓ favours experimental)")
    ax.legend(handles=handles, loc="lower right", fontsize="small", handlelength=1.8, labelspacing=0.3)
    ax.set_title(f"{inputs.name}: OS hazard ratio over time", fontsize="medium", fontweight="bold", loc="left")
    structure = calibrations[0].structure.label
    ax.text(0.01, 0.985, structure, transform=ax.transAxes, va="top", fontsize="small", color="0.35")
    style.clear_spines(ax)
    return ax


def _crude(ax: Axes, crude: CrudeRatio) -> None:
    """Crude ratio of an interval of time, with its limits, which are cut at the axis."""
    value = float(np.log(crude.value))
    low, high = np.clip(np.log([crude.low, crude.high]), np.log(REACH[0]), np.log(REACH[1]))
    middle = 0.5 * (crude.start + crude.stop)
    ax.plot([crude.start, crude.stop], [value] * 2, color=style.INK, lw=1.0, zorder=4)
    ax.plot([middle] * 2, [low, high], color=style.INK, lw=1.0, zorder=4)
    ax.plot(middle, value, "o", color=style.INK, ms=3.5, zorder=4)
