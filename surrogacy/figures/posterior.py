"""Posterior of a Bayesian model: trial-level R2 and slope with their priors, and draws of the line."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, percent
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

BINS = 40
DRAWS = 1500
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
    result: Result, ax: tuple[Axes, Axes, Axes] | None = None, *, page: PageStyle = DEFAULT_PAGE
) -> tuple[Axes, Axes, Axes]:
    """Draw the posterior of the trial-level R2, of the slope and of the line.

    Parameters
    ----------
    result : Result
        Result of a Bayesian model.
    ax : three Axes, optional
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    three Axes
    """
    data = posterior_data(result)
    if ax is None:
        figure = style.new_figure(page.width, 66)
        ax = (
            figure.add_axes((0.085, 0.17, 0.24, 0.64)),
            figure.add_axes((0.405, 0.17, 0.24, 0.64)),
            figure.add_axes((0.735, 0.17, 0.25, 0.64)),
        )
    left, middle, right = ax
    for axes, name, label in ((left, "r2_trial", "Trial-level R²"), (middle, "slope", "Slope")):
        axes.set_xlabel(label)
        if name in data:
            _histogram(axes, data[name], result.estimate(name))
        else:
            axes.text(0.5, 0.5, "not part of this model", transform=axes.transAxes, ha="center", color=style.INK)
            axes.set_yticks([])
    left.set_ylabel("Probability per bin")
    if "prior_overlap" in result.estimates:
        medians = (
            f"median: prior {number(result['r2_trial_prior'].value)}, posterior {number(result['r2_trial'].value)}"
        )
        overlap = f"overlap with the prior {percent(result['prior_overlap'].value)}\n{medians}"
        left.set_title(overlap, fontsize="small", loc="right", pad=3)
    if "p_slope_positive" in result.estimates:
        middle.set_title(
            f"P(slope > 0) {_probability(result['p_slope_positive'].value)}", fontsize="small", loc="right", pad=3
        )
    middle.axvline(0, color="0.4", lw=0.6, zorder=0)
    middle.legend(
        loc="lower right", bbox_to_anchor=(1.02, 1.08), ncols=2, fontsize="small", handlelength=1.4, columnspacing=1.0
    )
    line = data["line"]
    ends = data["slope"]["low"].iloc[0], data["slope"]["high"].iloc[-1]
    shown = line[line["slope"].between(*ends)]
    right.scatter(shown["slope"], shown["intercept"], s=2.5, color=style.POSTERIOR, alpha=0.35, lw=0, rasterized=True)
    right.axhline(0, color="0.4", lw=0.6, zorder=0)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    right.plot(result["slope"].value, result["intercept"].value, "+", color=style.INK, ms=7, mew=1.2)
    right.set(xlabel="Slope", ylabel="Intercept (log HR)")
    for column, limit in (("slope", right.set_xlim), ("intercept", right.set_ylim)):
        span = np.quantile(shown[column], [0.005, 0.995])
        limit(*(span + np.array([-0.12, 0.12]) * np.ptp(span)))
    for axes in ax:
        style.clear_spines(axes)
    title = f"{result.effects.name or 'effects'}: {model_label(result.model)}, {result.size} comparisons"
    left.annotate(
        title,
        (0, 1),
        (-18, 18),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize="medium",
        fontweight="bold",
    )
    if result.unverified:
        right.set_title("† includes unverified hazard ratios", fontsize="small", loc="right", pad=3)
    return left, middle, right


def _histogram(axes: Axes, bins: pd.DataFrame, estimate: Estimate) -> None:
    """Posterior (filled), prior (outline), and above them the median with its interval."""
    edges = np.append(bins["low"], bins["high"].iloc[-1])
    axes.stairs(bins["posterior"], edges, fill=True, color=style.POSTERIOR, alpha=0.55, lw=0, label="posterior")
    if bins["prior"].notna().all():
        axes.stairs(bins["prior"], edges, color=style.INK, lw=0.9, label="prior")
    top = float(bins["posterior"].max())
    # a prior density can be nearly infinite at an end: the posterior sets the scale
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top * 1.28))
    if estimate.value is not None and estimate.low is not None and estimate.high is not None:
        limits = np.clip([estimate.low, estimate.high], edges[0], edges[-1])
        axes.plot(limits, [top * 1.1] * 2, color=style.LINE_COLOUR, lw=1.2)
        axes.plot(estimate.value, top * 1.1, "o", color=style.LINE_COLOUR, ms=3.5)


def _probability(value: float) -> str:
    return "> 0.999" if value > 0.999 else f"= {number(value, 2 if value < 0.995 else 3)}"
