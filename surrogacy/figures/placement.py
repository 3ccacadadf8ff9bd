"""A trial in focus: surrogacy lines, the final effect that each of them predicts, and the observed effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.evaluation.placement import Focus
from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.figures.labels import Label, Symbol, place_labels, symbol_radius
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.endpoint_names import endpoint_of, surrogate_names
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

LINE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
RING = 70.0  # points squared
APART = 0.018  # of two intervals at the same effect, log HR


def placement_data(results: Sequence[Result], records: Sequence[Record], comparison: str | None = None) -> pd.DataFrame:
    """Return the predictions of the lines shown, from fits without the trial, at its within-trial correlation.

    Parameters
    ----------
    results : sequence of Result
        Lines shown, of the same model.
    records : sequence of mapping
        Records of `surrogacy.evaluation.placement.place`.
    comparison : str, optional
        Default: the comparison of the first record.
    """
    sets = [result.effects.name for result in results]
    frame = pd.DataFrame(list(records))
    frame = frame[frame["comparison"] == (frame["comparison"].iloc[0] if comparison is None else comparison)]
    reported = frame["rho_within"] == frame["rho_within"].iloc[0]
    chosen = frame[
        reported & (frame["fitted"] != "with it") & (frame["model"] == results[0].model) & frame["set"].isin(sets)
    ]
    return pd.DataFrame(chosen).assign(line=[sets.index(name) for name in chosen["set"]]).reset_index(drop=True)


def plot_placement(
    focus: Focus,
    results: Sequence[Result],
    records: Sequence[Record],
    ax: Axes | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw the lines with their prediction bands, the observed effect (ring) and its prediction intervals.

    Parameters
    ----------
    focus : Focus
    results : sequence of Result
        Lines of a model on at most four sets.
    records : sequence of mapping
        Records of `surrogacy.evaluation.placement.place`.
    ax : Axes, optional
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.
    """
    data = placement_data(results, records, focus.comparison)
    if ax is None:
        ax = style.new_figure(page.width, 108).add_axes((0.105, 0.115, 0.87, 0.80))
    low = (
        min(
            float(np.log(data["hr_surrogate"].min())), *(result.line.data_range[0] for result in results if result.line)
        )
        - 0.08
    )
    high = max(0.1, *(result.line.data_range[1] for result in results if result.line)) + 0.05
    handles = []
    for colour, result in zip(LINE_COLOURS, results, strict=False):
        if result.line is None:
            continue
        x = np.linspace(
            *result.line.data_range, 30
        )  # the curves are smooth, and a posterior of many nodes takes its time
        middle, below, above = result.line.predict(x)
        ax.fill_between(x, below, above, color=colour, alpha=0.13, lw=0)
        for edge in (below, above):
            ax.plot(x, edge, color=colour, lw=0.6, ls="--")
        ax.plot(x, middle, color=colour, lw=1.3)
        label = f"{result.effects.name} (k = {result.size})"
        handles.append(Line2D([], [], color=colour, lw=1.3, label=label))
    cuts = list(dict.fromkeys(data["cut"]))
    predicted = []
    for row in data.to_dict("records"):
        x = np.log(row["hr_surrogate"]) + APART * (row["line"] - (len(results) - 1) / 2)
        colour = LINE_COLOURS[row["line"]]
        ax.plot([x, x], np.log([row["low_95"], row["high_95"]]), color=colour, lw=1.1, zorder=4)
        ax.plot([x, x], np.log([row["low_80"], row["high_80"]]), color=colour, lw=3.0, zorder=4, solid_capstyle="butt")
        ax.plot(x, np.log(row["predicted"]), "s", color="white", mec=colour, mew=1.0, ms=4, zorder=5)
        predicted.append(Symbol(x, float(np.log(row["predicted"])), symbol_radius(16.0, "s", outline=1.0)))
    final = float(focus.effects.log_hr[0, 1])
    observed = []
    for name in cuts:
        at = float(np.log(data.loc[data["cut"] == name, "hr_surrogate"].iloc[0]))
        ax.scatter(at, final, s=RING, facecolor="none", edgecolor=style.LINE_COLOUR, lw=1.3, zorder=6)
        ax.scatter(at, final, s=14, color=style.LINE_COLOUR, zorder=6)
        observed.append(Symbol(at, final, symbol_radius(RING, outline=1.3)))
    handles += [
        Line2D([], [], color=style.LINE_COLOUR, marker="o", ms=4, lw=0, label=f"{focus.label}, observed"),
        Line2D(
            [],
            [],
            color="0.35",
            marker="s",
            mfc="white",
            lw=1.1,
            ms=4,
            label="predicted by other trials, 95%, 80% (thick)",
        ),
    ]
    bottom = float(np.log(data["low_95"].min())) - 0.12
    style.hazard_ratio_axis(ax, "x", low, high)
    style.hazard_ratio_axis(
        ax, "y", min(bottom, float(np.log(0.4))), float(np.log(max(data["high_95"].max(), 1.3))) + 0.15
    )
    ax.axhline(0, color="0.4", lw=0.6, zorder=0)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    surrogates = {
        name
        for effects in (focus.effects, *(result.effects for result in results))
        for name in surrogate_names(effects)
    }
    ax.set_xlabel(
        f"Hazard ratio, {surrogates.pop() if len(surrogates) == 1 else 'surrogate'}   (← favours experimental)"
    )
    ax.set_ylabel(f"Hazard ratio, {endpoint_of(focus.effects, 0, 'final')}   (← favours experimental)")
    ax.legend(
        handles=handles,
        loc="lower right",
        fontsize="small",
        handlelength=1.8,
        frameon=True,
        framealpha=0.9,
        edgecolor="none",
    )
    labels = [Label(name, symbol, colour=style.LINE_COLOUR) for name, symbol in zip(cuts, observed, strict=True)]
    place_labels(ax, labels, [*observed, *predicted])
    title = f"{focus.label} and the lines by the {model_label(results[0].model)}"
    ax.set_title(title, fontsize="medium", fontweight="bold", loc="left")
    if any(result.unverified for result in results):
        ax.set_title("† a line includes unverified hazard ratios", fontsize="small", loc="right")
    style.clear_spines(ax)
    return ax
