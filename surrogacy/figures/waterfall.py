"""Waterfall from the PFS effect of a trial to its OS effect: the parts of the gap with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.pps.decomposition import Decomposition
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import percent, share_with_interval, value_and_interval, with_interval

COLOURS = {"dilution": "#0072B2", "imbalance": "#E69F00", "residual": "#999999"}
STEPS = {
    "pfs": "{endpoint} effect",
    "dilution": "Dilution by the length of PPS",
    "imbalance": "Imbalance of PPS between arms",
    "residual": "Residual",
    "observed": "OS effect observed",
}
MOST = 4
REACH = (float(np.log(0.3)), float(np.log(2.0)))  # an interval beyond these limits is cut, with an arrow


@dataclass(frozen=True)
class Step:
    """Step of the waterfall.

    Parameters
    ----------
    name : {"pfs", "dilution", "imbalance", "residual", "observed"}
    start, end : float
        Log hazard ratios.
    low, high : float
        Limits of ``end``, with ``start`` fixed; NaN if not known.
    words : str
        Text beside the step.
    """

    name: str
    start: float
    end: float
    low: float
    high: float
    words: str


def waterfall_data(decomposition: Decomposition) -> list[Step]:
    """Return the steps from the PFS effect to the observed OS effect.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    list of Step
    """
    steps = [_total("pfs", decomposition.hazard_ratios["pfs"])]
    for name, share in decomposition.shares.items():
        effect, start = decomposition.effects[name], steps[-1].end
        of_gap = "no gap" if share.value is None else share_with_interval(share)
        value, low, high = _limits(effect)
        words = f"{with_interval(effect)}\n{of_gap}"
        steps.append(Step(name, start, start + value, start + low, start + high, words))
    return [*steps, _total("observed", decomposition.hazard_ratios["observed"])]


def _total(name: str, hazard_ratio: Estimate) -> Step:
    """Step from no effect to a hazard ratio."""
    value, low, high = (float(np.log(limit)) for limit in _limits(hazard_ratio))
    return Step(name, 0.0, value, low, high, f"HR {value_and_interval(*_limits(hazard_ratio))}")


def _limits(estimate: Estimate) -> tuple[float, float, float]:
    value, low, high = (
        float("nan") if limit is None else limit for limit in (estimate.value, estimate.low, estimate.high)
    )
    return value, low, high


def plot_waterfall(
    decompositions: Decomposition | Sequence[Decomposition],
    axes: Sequence[Axes] | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> list[Axes]:
    """Draw a panel per decomposition, with the steps from top to bottom and hazard ratios on a log axis.

    Parameters
    ----------
    decompositions : Decomposition or sequence of Decomposition
        At most four, of one trial: scenarios or calibrations.
    axes : sequence of Axes, optional
        One per panel. Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    list of Axes
    """
    several = [decompositions] if isinstance(decompositions, Decomposition) else list(decompositions)
    if not 1 <= len(several) <= MOST:
        raise UsageError(f"a waterfall has 1 to {MOST} panels; got {len(several)} decompositions")
    panels = [waterfall_data(decomposition) for decomposition in several]
    if axes is None:
        height = 12.0 + 47.0 * len(several)
        figure = style.new_figure(page.width, height)
        panel = 1.0 / len(several)
        axes = [
            figure.add_axes((0.235, 1 - panel * (i + 1) + 12.5 / height, 0.50, panel - 19.0 / height))
            for i in range(len(several))
        ]
    if len(axes) != len(several):
        raise UsageError(f"{len(several)} decompositions need as many axes; got {len(axes)}")
    # the same scale in all panels, so that bars can be compared
    ends = [(step.low, step.end, step.high) for steps in panels for step in steps]
    low, high = max(REACH[0], float(np.nanmin(ends)) - 0.06), min(REACH[1], max(0.06, float(np.nanmax(ends))) + 0.06)
    for ax, decomposition, steps in zip(axes, several, panels, strict=True):
        _panel(ax, decomposition, steps, (low, high))
    axes[-1].set_xlabel("Hazard ratio   (← favours experimental)")
    return list(axes)


def _panel(ax: Axes, decomposition: Decomposition, steps: Sequence[Step], limits: tuple[float, float]) -> None:
    style.hazard_ratio_axis(ax, "x", *limits)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    for y, step in enumerate(steps):
        if step.name in COLOURS:
            length, colour = step.end - step.start, COLOURS[step.name]
            ax.barh(y, length, left=step.start, height=0.56, color=colour, alpha=0.85, lw=0, zorder=2)
        else:
            ax.plot(step.end, y, "D", color=style.INK, ms=4.5, zorder=4)
        _whisker(ax, step, y, limits)
        if y + 1 < len(steps):
            ax.plot([step.end] * 2, [y, y + 1], color="0.45", lw=0.6, ls=(0, (2, 2)), zorder=1)
        ax.text(1.03, y, step.words, transform=beside, va="center", ha="left", fontsize="small")
    endpoint, calibration = decomposition.inputs.endpoint, decomposition.calibration
    ax.set_yticks(range(len(steps)), [STEPS[step.name].format(endpoint=endpoint) for step in steps])
    ax.set_ylim(len(steps) - 0.45, -0.6)
    ax.tick_params(axis="y", length=0)
    title = (
        f"{decomposition.inputs.name}: {endpoint} effect by {calibration.scenario}; "
        f"{calibration.words} ({calibration.name})"
    )
    ax.set_title(title, fontsize="medium", fontweight="bold", loc="left", x=-0.46)
    level = decomposition.effects["gap"].level or 0.0
    scenario = f"calibration {calibration.name}, {calibration.scenario}"
    head = f"HR; log HR and share of the gap\n({scenario}; {percent(level)} intervals)"
    ax.text(1.03, -0.62, head, transform=beside, va="bottom", ha="left", fontsize="small", color="0.35")
    structure = calibration.structure.label.replace(", ", ",\n")
    ax.text(1.03, -0.17, structure, transform=ax.transAxes, va="top", ha="left", fontsize="small", color="0.35")
    if not decomposition.identified:
        ax.text(
            1.03,
            -0.045,
            "The split is not identified.",
            transform=ax.transAxes,
            va="top",
            fontsize="small",
            color=style.LINE_COLOUR,
        )
    style.clear_spines(ax)
    ax.spines["left"].set_visible(False)


def _whisker(ax: Axes, step: Step, y: int, limits: tuple[float, float]) -> None:
    """Interval of the end of a step; an arrow if a limit lies beyond the axis."""
    low, high = max(step.low, limits[0]), min(step.high, limits[1])
    ax.plot([low, high], [y, y], color=style.INK, lw=0.9, zorder=3)
    for end, cut, marker in ((low, step.low < limits[0], "<"), (high, step.high > limits[1], ">")):
        ax.plot(end, y, marker if cut else "|", color=style.INK, ms=3.5 if cut else 5, mew=0.9, zorder=3, clip_on=False)
