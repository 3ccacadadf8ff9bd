"""Posterior densities of trial-level R2 and slope with their priors, and draws of the line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.figures.rows import MARGIN, lines_height, note_lines, write_notes
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, percent
from surrogacy.results.result import Result

BINS = 80
DRAWS = 1500
ENDS = 3  # bins at each end that do not set the scale
LABELS = {"r2_trial": "Trial-level R²", "slope": "Slope"}
ABOVE, TALL = 5.0, 32.0  # mm above the panels, and their height
AXIS, KEY = 10.0, 3.4  # mm below the panels for ticks and labels, and for the key
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
    left_out = [f"{result.size} comparisons."] if result.left_out else []
    unverified = ["Includes unverified hazard ratios."] if result.unverified else []
    notes = note_lines(page, [*left_out, *unverified])
    below = AXIS + KEY + lines_height(page, notes) + MARGIN
    panels = _panels(page, len(densities) + (not page.is_narrow), below) if ax is None else tuple(ax)
    for axes, name in zip(panels, densities, strict=False):
        _density(axes, data[name], result.estimate(name))
        axes.set_xlabel(LABELS[name])
        axes.xaxis.set_major_locator(MaxNLocator(4 if page.is_narrow else 5))
    remarks = _remarks(result)
    for axes, name in zip(panels, densities, strict=False):
        if name in remarks:
            axes.set_title(remarks[name], fontsize="small", loc="left", pad=4.5)
    panels[len(densities) - 1].axvline(0, color="0.4", lw=0.6, zorder=0)
    if len(panels) > len(densities):
        _draws_of_line(panels[-1], data, result)
    for axes in panels:
        style.clear_spines(axes)
    _key(panels[0])
    write_notes(panels[0], notes, SIDE - MARGIN, AXIS + KEY)
    return panels


def _panels(page: PageStyle, count: int, below: float) -> tuple[Axes, ...]:
    """Return panels of equal width; the last has a scale on the left, if it shows draws of the line."""
    scale = 0.0 if page.is_narrow else SCALE
    width = (page.width - 2 * SIDE * count - scale) / count
    height = ABOVE + TALL + below
    figure = style.new_figure(page.width, height)
    panels = []
    for i in range(count):
        left = SIDE + i * (width + 2 * SIDE) + (scale if i == count - 1 else 0.0)
        panels.append(figure.add_axes((left / page.width, below / height, width / page.width, TALL / height)))
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
    middles = (0.5 * (bins["low"] + bins["high"])).to_numpy()
    places = np.concatenate([bins["low"].iloc[:1], middles, bins["high"].iloc[-1:]])
    posterior, prior = (np.pad(bins[name], 1, mode="edge") for name in ("posterior", "prior"))
    axes.fill_between(places, posterior, color=style.POSTERIOR, alpha=0.45, lw=0)
    axes.plot(places, posterior, color=style.POSTERIOR, lw=1.0)
    # a density can be nearly infinite at an end: the posterior between the ends sets the scale
    top = float(bins["posterior"].iloc[ENDS:-ENDS].max())
    limit = top * 1.3
    axes.set(xlim=(bins["low"].iloc[0], bins["high"].iloc[-1]), ylim=(0, limit), yticks=[])
    if np.isfinite(prior).all():
        axes.plot(places, prior, color=style.INK, lw=0.9, ls=PRIOR_DASHES)
    for density, colour, size in ((posterior, style.POSTERIOR, 6.0), (prior, style.INK, 3.5)):
        for side in (places < middles.mean(), places >= middles.mean()):
            beyond = side & (density > limit)
            if beyond.any():
                axes.plot(places[beyond].mean(), limit, "^", color=colour, ms=size, mew=0, clip_on=False)
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
    axes.set_title("Draws of the line", fontsize="small", loc="left", pad=4.5)
    axes.locator_params(nbins=5)
    for column, limit in (("slope", axes.set_xlim), ("intercept", axes.set_ylim)):
        span = np.quantile(shown[column], [0.005, 0.995])
        limit(*(span + np.array([-0.12, 0.12]) * np.ptp(span)))


def _key(axes: Axes) -> None:
    """Key below the first panel, from the left edge of the figure."""
    handles: list[Patch | Line2D] = [
        Patch(facecolor=style.POSTERIOR, alpha=0.45, label="posterior"),
        Line2D([], [], color=style.INK, marker="o", ms=3.5, lw=1.2, label="median, 95% interval"),
        Line2D([], [], color=style.INK, lw=0.9, ls=PRIOR_DASHES, label="prior"),
    ]
    figure = axes.get_figure(root=True)
    assert figure is not None
    corner = ScaledTranslation((MARGIN - SIDE) * style.MM, -AXIS * style.MM, figure.dpi_scale_trans)
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=axes.transAxes + corner,
        ncols=3,
        fontsize="small",
        handlelength=1.6,
        columnspacing=1.2,
        borderaxespad=0.0,
        borderpad=0.0,
    )


def _probability(value: float) -> str:
    return "> 0.999" if value > 0.999 else f"= {number(value, 2 if value < 0.995 else 3)}"
