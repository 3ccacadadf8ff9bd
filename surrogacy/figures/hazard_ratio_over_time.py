"""OS hazard ratio over time of calibrated models, and the crude rate ratios of the numbers at risk.

The data end with the last count of at least 10 patients at risk in both arms, or with the longest follow-up if that is
earlier or the numbers at risk are not known. A fit to the numbers at risk ends there. The axis continues to the end of
the year; the curves of the calibrated models are extrapolated in these months, which are shaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.figures.rows import wrapped
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.pps.at_risk import AtRiskComparison, CrudeRatio, supported_until
from surrogacy.pps.calibration import Calibration
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.format import percent
from surrogacy.survival.hazard_ratios import hazard_ratio_over_time

# colours and dashes, so that the curves differ in grey
LINES: tuple[tuple[str, Any], ...] = (
    ("#0072B2", "-"),
    ("#D55E00", (0, (5, 1.5))),
    ("#009E73", (0, (1.5, 1))),
    ("#7A4E8A", (0, (6, 1.5, 1.5, 1.5))),
    ("#444444", "-"),
)
SHADE = "0.90"
ABOVE, LABELS = 2.0, 11.0  # mm above the panel, and for ticks and label below it
KEY_LEFT = 10.0  # mm left and right of the words of an entry of the key
KEY_LINE = 1.5  # height of a line of the key, in the size of its text
STEP = 0.25  # months
YEAR = 12.0
JUST = 1e-6
REACH, PAD = (0.3, 3.0), 0.06  # widest limits, hazard ratio, and log HR beyond the data


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
    *,
    page: PageStyle = DEFAULT_PAGE,
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
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.
    """
    if not 1 <= len(calibrations) <= len(LINES) - 1 or len({c.name for c in calibrations}) < len(calibrations):
        raise UsageError(f"give 1 to {len(LINES) - 1} calibrations with different names")
    end = inputs.follow_up.value[1] if inputs.follow_up.value else 3.0 * inputs.median_os[0].value
    if inputs.at_risk is not None:
        end = min(end, supported_until(inputs.at_risk))
    until = YEAR * (np.floor(end / YEAR) + 1)
    data = hazard_ratio_over_time_data(calibrations, until, comparison)
    room = page.width / (1 if page.is_narrow else 2) - KEY_LEFT
    handles: list[Line2D | Patch] = []
    fitted = list(dict.fromkeys(data["model"]))[len(calibrations) :]
    for (colour, dashes), name in zip(LINES, [*(each.words for each in calibrations), *fitted], strict=False):
        handles.append(Line2D([], [], color=colour, lw=1.4, ls=dashes, label="\n".join(wrapped(name, room))))
    printed = f"OS HR as reported, {inputs.hr_os.value:g}"
    handles.append(Line2D([], [], color=style.LINE_COLOUR, lw=1.0, ls=":", label=printed))
    crude = comparison.crude if comparison is not None else ()
    if crude:
        label = f"crude rate ratio of the numbers at risk ({percent(crude[0].level)})"
        handles.append(Line2D([], [], color=style.INK, marker="o", ms=3.5, lw=1.0, label=label))
    reason = "fewer than 10 at risk" if inputs.at_risk is not None else "beyond the follow-up"
    handles.append(Patch(facecolor=SHADE, label=f"extrapolated ({reason})"))
    if ax is None:
        ax = _new_axes(page, [1 + str(handle.get_label()).count("\n") for handle in handles])
    ax.axvspan(end, until, color=SHADE, lw=0, zorder=0)
    for (colour, dashes), (_, curve) in zip(LINES, data.groupby("model", sort=False), strict=False):
        ax.plot(curve["months"], np.log(curve["hazard_ratio"]), color=colour, lw=1.4, ls=dashes, zorder=3)
    ax.plot([0, until], [np.log(inputs.hr_os.value)] * 2, color=style.LINE_COLOUR, lw=1.0, ls=":", zorder=2)
    style.hazard_ratio_axis(ax, "y", *_limits(data, inputs, crude))
    ax.axhline(0, color="0.4", lw=0.6, zorder=0)
    for ratio in crude:
        _crude(ax, ratio)
    ax.set_xlim(0, until)
    ax.set_xticks(np.arange(0, until + 1, YEAR if until <= 12 * YEAR and not page.is_narrow else 2 * YEAR))
    ax.set_xlabel("Months since randomisation")
    ax.set_ylabel("OS hazard ratio" if page.is_narrow else "OS hazard ratio   (↓ favours experimental)")
    style.corner_key(ax, handles, 1 if page.is_narrow else 2, handlelength=2.2, labelspacing=0.3)
    style.clear_spines(ax)
    return ax


def _limits(data: pd.DataFrame, inputs: TrialSummary, crude: Sequence[CrudeRatio]) -> tuple[float, float]:
    """Limits of the axis that hold the curves, the ratios with their intervals, and 1, up to a maximum; log HR."""
    ends = [end for ratio in crude for end in (ratio.low, ratio.high)]
    values = np.array([*data["hazard_ratio"].dropna(), inputs.hr_os.value, *ends, 1.0])
    low, high = np.log(np.clip([values.min(), values.max()], *REACH))
    return float(low) - PAD, float(high) + PAD


def _new_axes(page: PageStyle, entries: Sequence[int]) -> Axes:
    """Axes of a new figure, with room below for a key of entries with these numbers of lines."""
    column = len(entries) if page.is_narrow else -(-len(entries) // 2)
    lines = max(sum(entries[:column]), sum(entries[column:]))
    below = LABELS + lines * KEY_LINE * page.small_size * style.POINT
    height = (55.0 if page.is_narrow else 72.0) + below + ABOVE
    left, right = 12.0 / page.width, 1 - 4.0 / page.width
    return style.new_figure(page.width, height).add_axes(
        (left, below / height, right - left, 1 - (below + ABOVE) / height)
    )


def _crude(ax: Axes, crude: CrudeRatio) -> None:
    """Crude ratio of an interval of time, with its limits, which are cut at the axis."""
    value = float(np.log(crude.value))
    low, high = np.clip(np.log([crude.low, crude.high]), *ax.get_ylim())
    middle = 0.5 * (crude.start + crude.stop)
    ax.plot([crude.start, crude.stop], [value] * 2, color=style.INK, lw=1.0, zorder=4)
    ax.plot([middle] * 2, [low, high], color=style.INK, lw=1.0, zorder=4)
    ax.plot(middle, value, "o", color=style.INK, ms=3.5, zorder=4)
