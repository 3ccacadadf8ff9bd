"""Sensitivity to the prior: trial-level R2, slope and threshold by prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.evaluation.records import Record
from surrogacy.figures import _style as style
from surrogacy.results.format import number, percent
from surrogacy.results.labels import PRIOR_SETS

ROW = 4.2  # mm
SLOPES = (-2.0, 3.0)
NO_THRESHOLD = ("none", "benefit-without-surrogate-effect")
MARKS = {
    "two-sided": ("‡", "two-sided"),
    "outside-data": ("*", "outside the data"),
    "benefit-without-surrogate-effect": (" §", "benefit predicted without a surrogate effect"),
}


def prior_sensitivity_data(records: Sequence[Record]) -> pd.DataFrame:
    """Return the rows of the figure; priors without a fit are left out."""
    frame = pd.DataFrame([record for record in records if "problem" not in record])
    columns = ["prior", "r2_trial", "r2_trial_low", "r2_trial_high", "slope", "slope_low", "slope_high"]
    return frame[[*columns, "ste_prediction", "ste_prediction_status", "prior_overlap"]]


def plot_prior_sensitivity(
    records: Sequence[Record],
    name: str = "",
    ax: tuple[Axes, Axes] | None = None,
    *,
    unverified: bool = False,
) -> tuple[Axes, Axes]:
    """Draw posterior medians and intervals by prior.

    Parameters
    ----------
    records : sequence of mapping
        Records of `surrogacy.evaluation.refits.prior_sensitivity`.
    name : str
        Name of the set.
    ax : two Axes, optional
        Default: a new figure of 173 mm, as high as the rows need.
    unverified : bool
        True if the data include hazard ratios that were not verified.

    Returns
    -------
    two Axes
        R2 and slope.
    """
    rows = prior_sensitivity_data(records)
    if ax is None:
        height = ROW * len(rows) + 23
        figure = style.new_figure(173, height)
        bottom, tall = 12 / height, 1 - 21 / height
        ax = figure.add_axes((0.24, bottom, 0.27, tall)), figure.add_axes((0.56, bottom, 0.27, tall))
    left, right = ax
    y = np.arange(len(rows))
    for axes, quantity, label, ends in (
        (left, "r2_trial", "Trial-level R² (95% interval)", (0.0, 1.0)),
        (right, "slope", "Slope (95% interval)", SLOPES),
    ):
        low, high = (rows[f"{quantity}_{side}"].clip(*ends) for side in ("low", "high"))
        axes.hlines(y, low, high, color=style.INK, lw=0.9)
        axes.scatter(
            rows[quantity].clip(*ends),
            y,
            s=16,
            color=[style.LINE_COLOUR] + [style.POSTERIOR] * (len(rows) - 1),
            zorder=3,
        )
        for i, (beyond_low, beyond_high) in enumerate(
            zip(rows[f"{quantity}_low"] < ends[0], rows[f"{quantity}_high"] > ends[1], strict=True)
        ):
            for beyond, x, marker in ((beyond_low, ends[0], "<"), (beyond_high, ends[1], ">")):
                if beyond:
                    axes.plot(x, i, marker, color=style.INK, ms=3, clip_on=False)
        axes.axvline(float(rows[quantity].iloc[0]), color=style.LINE_COLOUR, lw=0.5, ls=":", zorder=0)
        axes.set(xlim=ends, ylim=(len(rows) - 0.4, -0.6), xlabel=label, yticks=[])
        style.clear_spines(axes)
        axes.spines["left"].set_visible(False)
    right.axvline(0, color="0.4", lw=0.6, zorder=0)
    place = left.get_yaxis_transform()
    for axes, x, heading in ((left, -0.84, "Prior"), (right, 1.08, "STE"), (right, 1.36, "Overlap")):
        at = axes.get_yaxis_transform()
        axes.text(x, -1.15, heading, transform=at, fontweight="bold", fontsize="small", va="center")
    for i, row in enumerate(rows.to_dict("records")):
        left.text(-0.84, i, PRIOR_SETS.get(row["prior"], row["prior"]), transform=place, va="center", fontsize="small")
        status = row["ste_prediction_status"]
        threshold = "–" if status in NO_THRESHOLD else number(row["ste_prediction"])
        threshold += MARKS.get(status, ("", ""))[0]
        right.text(1.08, i, threshold, transform=right.get_yaxis_transform(), va="center", fontsize="small")
        right.text(
            1.36, i, percent(row["prior_overlap"]), transform=right.get_yaxis_transform(), va="center", fontsize="small"
        )
    left.set_title(
        f"{name}{' †' if unverified else ''}: sensitivity to the prior",
        fontsize="medium",
        fontweight="bold",
        loc="left",
        x=-0.84,
        pad=13,
    )
    marks = ["† includes unverified hazard ratios"] if unverified else []
    marks += [
        f"{mark.strip()} {words}"
        for status, (mark, words) in MARKS.items()
        if (rows["ste_prediction_status"] == status).any()
    ]
    if marks:
        left.text(-0.84, len(rows) + 0.9, "; ".join(marks), transform=place, va="top", fontsize="small")
    return left, right
