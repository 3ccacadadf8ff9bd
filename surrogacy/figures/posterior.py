"""Posterior densities of trial-level R2 and slope with their priors, and draws of the line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, percent
from surrogacy.results.result import Result

BINS = 80
DRAWS = 1500
ENDS = 3  # bins at each end that do not set the scale
LABELS = {"r2_trial": "Trial-level R²", "slope": "Slope"}
HEIGHT, ABOVE, BELOW = 54.0, 22.0, 17.0  # mm: figure; above and below the panels; below them
NARROW_KEY = 10.0  # mm, for a key of one column
SIDE, SCALE = 4.0, 10.0  # mm beside a panel, and for the scale of the last
PRIOR_DASHES = (0, (4, 2))
SLOPES = (-0.5, 1.5)  # smallest range of the panel; the largest holds 98 % of the posterior


def posterior_data(result: Result) -> dict[str, pd.DataFrame]:
    """Return the bins and draws of the figure.

    Parameters
    ----------
    result : Result
        Result of a Bayesian model.

    Returns
    -------
    dict of DataFrame
        ``r2_trial`` (only if the model has it) and ``slope``: low, high, posterior and prior probability of each bin
        (prior NaN if not known); ``line``: draws of intercept and slope.

    Raises
    ------
    UsageError
        If the result has no posterior.
    """
    posterior = result.posterior
    if posterior is None:
        raise UsageError(f"{result.model} has no posterior to draw")
    low, high = posterior.quantile("slope", [0.01, 0.99])
    ends = (float(np.clip(low, -3.0, SLOPES[0])), float(np.clip(high, SLOPES[1], 4.0)))
    frames = {}
    for name, edges in (("r2_trial", np.linspace(0, 1, BINS + 1)), ("slope", np.linspace(*ends, BINS + 1))):
        if name in posterior.quantities:
            mass, before = np.diff(posterior.distribution(name, edges)), posterior.prior_distribution(name, edges)
            prior = np.full(BINS, np.nan) if before is None else np.diff(before)
            frames[name] = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "posterior": mass, "prior": prior})
    draws = posterior.draw(DRAWS)
    frames["line"] = pd.DataFrame({name: draws[name] for name in ("intercept", "slope")})
    return frames


def plot_posterior(
    result: Result, ax: Sequence[Axes] | None = None, *, page: PageStyle = DEFAULT_PAGE
) -> tuple[Axes, ...]:
    """Draw the posterior densities of the trial-level R2, if the model has it, and of the slope, with their priors.

    Parameters
    ----------
    result : Result
        Result of a Bayesian model.
    ax : sequence of Axes, optional
        One per panel. Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out. With more than one column the last panel shows draws of the line.

    Returns
    -------
    tuple of Axes
    """
    data = posterior_data(result)
    densities = [name for name in LABELS if name in data]
    panels = _panels(page, len(densities) + (not page.is_narrow)) if ax is None else tuple(ax)
    for axes, name in zip(panels, densities, strict=False):
        _density(axes, data[name], result.estimate(name))
        axes.set_xlabel(LABELS[name])
        axes.xaxis.set_major_locator(MaxNLocator(4 if page.is_narrow else 5))
    remarks = _remarks(result)
    for axes, name in zip(panels, densities, strict=False):
        if name in remarks:
            axes.set_title(remarks[name], fontsize="small", loc="left", pad=4)
    panels[len(densities) - 1].axvline(0, color="0.4", lw=0.6, zorder=0)
    if len(panels) > len(densities):
        _draws_of_line(panels[-1], data, result)
    for axes in panels:
        style.clear_spines(axes)
    _key(panels[0], result, page)
    return panels


def _panels(page: PageStyle, count: int) -> tuple[Axes, ...]:
    """Return panels of equal width; the last has a scale on the left, if it shows draws of the line."""
    scale = 0.0 if page.is_narrow else SCALE
    width = (page.width - 2 * SIDE * count - scale) / count
    extra = NARROW_KEY if page.is_narrow else 0.0
    height = HEIGHT + extra
    figure = style.new_figure(page.width, height)
    panels, below, tall = [], (BELOW + extra) / height, 1 - (ABOVE + extra) / height
    for i in range(count):
        left = SIDE + i * (width + 2 * SIDE) + (scale if i == count - 1 else 0.0)
        panels.append(figure.add_axes((left / page.width, below, width / page.width, tall)))
    return tuple(panels)


def _remarks(result: Result) -> dict[str, str]:
    """Return a remark on a panel by the name of its quantity."""
    remarks = {}
    if "prior_overlap" in result.estimates:
        remarks["r2_trial"] = f"Overlap with the prior {percent(result['prior_overlap'].value)}"
    if "p_slope_positive" in result.estimates:
        remarks["slope"] = f"P(slope > 0) {_probability(result['p_slope_positive'].value)}"
    return remarks


def _density(axes: Axes, bins: pd.DataFrame, estimate: Estimate) -> None:
    """Posterior (filled), prior (dashed), arrowheads where they leave the axis, and the median with its interval."""
    middles = 0.5 * (bins["low"] + bins["high"])
    axes.fill_between(middles, bins["posterior"], color=style.POSTERIOR, alpha=0.45, lw=0)
    axes.plot(middles, bins["posterior"], color=style.POSTERIOR, lw=1.0)
    # a density can be nearly infinite at an end: the posterior between the ends sets the scale
    top = float(bins["posterior"].iloc[ENDS:-ENDS].max())
    limit = top * 1.3
    axes.set(xlim=(bins["low"].iloc[0], bins["high"].iloc[-1]), ylim=(0, limit), yticks=[])
    if bins["prior"].notna().all():
        axes.plot(middles, bins["prior"], color=style.INK, lw=0.9, ls=PRIOR_DASHES)
    beyond = bins[["posterior", "prior"]].max(axis=1) > limit
    for side in (middles < middles.mean(), middles >= middles.mean()):
        if (beyond & side).any():
            axes.plot(middles[beyond & side].mean(), limit, "^", color=style.INK, ms=4, mew=0, clip_on=False)
    if estimate.value is not None and estimate.low is not None and estimate.high is not None:
        limits = np.clip([estimate.low, estimate.high], *axes.get_xlim())
        axes.plot(limits, [top * 1.12] * 2, color=style.INK, lw=1.2, solid_capstyle="butt")
        axes.plot(estimate.value, top * 1.12, "o", color=style.INK, ms=3.5)


def _draws_of_line(axes: Axes, data: dict[str, pd.DataFrame], result: Result) -> None:
    """Joint posterior of intercept and slope."""
    line = data["line"]
    ends = data["slope"]["low"].iloc[0], data["slope"]["high"].iloc[-1]
    shown = line[line["slope"].between(*ends)]
    axes.scatter(shown["slope"], shown["intercept"], s=2.5, color=style.POSTERIOR, alpha=0.35, lw=0, rasterized=True)
    axes.axhline(0, color="0.4", lw=0.6, zorder=0)
    axes.axvline(0, color="0.4", lw=0.6, zorder=0)
    axes.plot(result["slope"].value, result["intercept"].value, "+", color=style.INK, ms=7, mew=1.2)
    axes.set(xlabel="Slope", ylabel="Intercept (log HR)")
    axes.locator_params(nbins=5)
    for column, limit in (("slope", axes.set_xlim), ("intercept", axes.set_ylim)):
        span = np.quantile(shown[column], [0.005, 0.995])
        limit(*(span + np.array([-0.12, 0.12]) * np.ptp(span)))


def _key(axes: Axes, result: Result, page: PageStyle) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=style.POSTERIOR, alpha=0.45, label="posterior"),
        Line2D([], [], color=style.INK, marker="o", ms=3.5, lw=1.2, label="median, 95% interval"),
        Line2D([], [], color=style.INK, lw=0.9, ls=PRIOR_DASHES, label="prior"),
    ]
    if result.unverified:
        handles.append(Line2D([], [], lw=0, label="† includes unverified hazard ratios"))
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=1 if page.is_narrow else 4,
        fontsize="small",
        handlelength=1.6,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def _probability(value: float) -> str:
    return "> 0.999" if value > 0.999 else f"= {number(value, 2 if value < 0.995 else 3)}"
