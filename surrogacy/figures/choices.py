"""Sensitivity analysis: trial-level R2 and slope of a set for each choice of the analysis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.results.labels import CHOICE_VALUES, CHOICES, choice_heading

ROW = 4.2  # mm
SLOPES = (-2.0, 3.0)


def choices_data(records: Sequence[Record]) -> pd.DataFrame:
    """Return the rows of the figure, from the records of `surrogacy.evaluation.sensitivity.vary_one_choice`.

    Choices that do not change the data are left out, except weights and within-trial correlations.
    """
    kept = [
        record
        for record in records
        if "problem" in record or record["varied"] in ("base", "rho_within", "weights") or not record["same_data"]
    ]
    frame = pd.DataFrame(kept)
    for name in ("r2_trial", "slope"):
        for column in (name, f"{name}_low", f"{name}_high"):
            if column not in frame:
                frame[column] = np.nan
    used = frame["fitted"] if "fitted" in frame else frame["k"]  # comparisons with the quantities that the model needs
    return frame.assign(used=used, fitted=frame["r2_trial"].notna())


def plot_choices(records: Sequence[Record], name: str = "", ax: tuple[Axes, Axes] | None = None) -> tuple[Axes, Axes]:
    """Draw the estimates and their intervals for each choice.

    Parameters
    ----------
    records : sequence of mapping
        Records of `surrogacy.evaluation.sensitivity.vary_one_choice` for a model.
    name : str
        Name of the set.
    ax : two Axes, optional
        Default: a new figure of 173 mm, as high as the rows need.

    Returns
    -------
    two Axes
        Trial-level R2 and slope.
    """
    rows = choices_data(records)
    groups = [key for key in CHOICES if (rows["varied"] == key).any()]
    places, headings, y = np.empty(len(rows)), [], 0.0
    for key in groups:
        headings.append((y, choice_heading(key)))
        members = np.flatnonzero(rows["varied"] == key)
        start = y if key == "base" else y + 1
        places[members] = start + np.arange(len(members))
        y = start + len(members) + 0.4
    if ax is None:
        height = ROW * y + 22
        figure = style.new_figure(173, height)
        bottom, tall = 12 / height, 1 - 21 / height
        ax = figure.add_axes((0.27, bottom, 0.30, tall)), figure.add_axes((0.63, bottom, 0.30, tall))
    left, right = ax
    for axes, quantity, label, ends in (
        (left, "r2_trial", "Trial-level R² (95% interval)", (0.0, 1.0)),
        (right, "slope", "Slope (95% interval)", SLOPES),
    ):
        for at, row in zip(places, rows.to_dict("records"), strict=True):
            colour = style.LINE_COLOUR if row["varied"] == "base" else style.POSTERIOR
            low, high = row[f"{quantity}_low"], row[f"{quantity}_high"]
            if row["fitted"] and low == low and high == high:
                axes.plot(np.clip([low, high], *ends), [at, at], color=style.INK, lw=0.9)
                for beyond, x, marker in ((low < ends[0], ends[0], "<"), (high > ends[1], ends[1], ">")):
                    if beyond:
                        axes.plot(x, at, marker, color=style.INK, ms=3, clip_on=False)
            if row["fitted"] and row[quantity] == row[quantity]:
                face = "white" if row.get("boundary") is True else colour
                axes.plot(np.clip(row[quantity], *ends), at, "o", color=colour, mfc=face, ms=4, zorder=3)
            elif axes is left:
                axes.text(0.0, at, "not fitted", fontsize="small", color="0.4", va="center")
        base = rows.loc[rows["varied"] == "base", quantity]
        if base.notna().all() and len(base):
            axes.axvline(float(base.iloc[0]), color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
        axes.set(xlim=ends, ylim=(y - 0.4, -0.8), xlabel=label, yticks=[])
        style.clear_spines(axes)
        axes.spines["left"].set_visible(False)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    place = left.get_yaxis_transform()
    for top, heading in headings:
        left.text(-0.85, top, heading, transform=place, va="center", fontsize="small", fontweight="bold")
    for at, row in zip(places, rows.to_dict("records"), strict=True):
        value = "" if row["varied"] == "base" else CHOICE_VALUES.get(str(row["value"]), str(row["value"]))
        left.text(-0.80, at, value, transform=place, va="center", fontsize="small")
        used = f"{row['used']:.0f}/" if row["used"] < row["k"] else ""
        left.text(-0.06, at, f"{used}{row['k']:.0f}", transform=place, va="center", ha="right", fontsize="small")
    left.text(-0.06, -1.0, "k", transform=place, va="center", ha="right", fontsize="small", fontweight="bold")
    left.set_title(
        f"{name}: one choice varied at a time", fontsize="medium", fontweight="bold", loc="left", x=-0.85, pad=10
    )
    return left, right
