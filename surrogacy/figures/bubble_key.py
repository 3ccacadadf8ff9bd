"""Key of the bubble plot: classes, stages, sizes, bands and marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from surrogacy.figures import _style as style
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import percent
from surrogacy.results.labels import CLASSES, model_label
from surrogacy.results.result import Result

LARGEST_BUBBLE = 260.0  # points squared


def key_lines(result: Result, data: pd.DataFrame, marks: Sequence[Line2D]) -> int:
    """Number of lines of the key."""
    return sum(1 + handle.get_label().count("\n") for handle in _handles(result, data, marks))


def _handles(result: Result, data: pd.DataFrame, marks: Sequence[Line2D]) -> list[Any]:
    """Entries of the key: classes, stages, sizes, line and bands, and the marks that the figure adds."""
    handles: list[Any] = []

    def heading(text: str) -> None:
        if handles:
            handles.append(Line2D([], [], lw=0, label=" "))
        handles.append(Line2D([], [], lw=0, label=text))

    def marker(text: str, **look: Any) -> None:
        look = {"marker": "o", "mfc": "0.85", "mec": style.INK, "mew": 0.6, "ms": 5.5, **look}
        handles.append(Line2D([], [], lw=0, label=text, **look))

    classes = [name for name in style.CLASS_COLOURS if name in set(data["class"])]
    if classes != [""]:
        heading("Class (colour)")
        for name in classes:
            marker(CLASSES[name], mfc=style.CLASS_COLOURS[name])
    stages = [name for name in style.STAGE_MARKERS if name and name in set(data["stage"])]
    if stages:
        heading("Stage (shape)")
        for name in stages:
            marker(name, marker=style.STAGE_MARKERS[name])
    known = data["n"].dropna()
    if result.shown_weights.name == "n" and len(known):
        heading("Patients (area)")
        shape = style.STAGE_MARKERS.get(data["stage"].mode()[0], "o")
        for size in _three_sizes(known):
            marker(f"{size:,.0f}", marker=shape, ms=np.sqrt(LARGEST_BUBBLE * size / known.max()))
            if size > known.max() / 4:  # a large symbol is higher than its line
                handles.append(Line2D([], [], lw=0, label=""))
        handles.append(Line2D([], [], lw=0, label=" "))  # the largest circle is higher than its line
    elif result.shown_weights.name != "none":
        heading("Weight (area)")
        for share in (0.1, 0.4, 1.0):
            marker(f"{percent(share)} of the largest", ms=np.sqrt(LARGEST_BUBBLE * share))
        handles.append(Line2D([], [], lw=0, label=" "))
    if result.line is not None:
        threshold: ThresholdEffect = result["ste_prediction"]
        heading("Line and bands (95%)")
        handles.append(Line2D([], [], color=style.LINE_COLOUR, lw=1.3, label=model_label(result.model)))
        handles.append(Patch(facecolor=style.LINE_COLOUR, alpha=0.25, lw=0, label="confidence band (mean)"))
        new = threshold.new_trial
        handles.append(
            Patch(
                facecolor="#F7E8EA",
                edgecolor=style.LINE_COLOUR,
                ls="--",
                lw=0.7,
                label=f"prediction band, new trial:\n{new}",
            )
        )
        if threshold.hr is not None and threshold.status != "two-sided":
            handles.append(Patch(facecolor="0.5", alpha=0.12, lw=0, label="beyond the threshold (STE)"))
    handles.append(Line2D([], [], color="0.6", lw=0.6, ls=":", label="equal effects"))
    handles += marks
    if data["unverified"].any():
        heading("Dashed outline")
        handles.append(Line2D([], [], lw=0, label="a number not verified\nin any source"))
    return handles


def draw_key(ax: Axes, result: Result, data: pd.DataFrame, marks: Sequence[Line2D]) -> None:
    """Draw the key on the right."""
    legend = ax.legend(
        handles=_handles(result, data, marks),
        loc="upper left",
        bbox_to_anchor=(1.015, 1.01),
        borderaxespad=0,
        handlelength=1.6,
        labelspacing=0.42,
    )
    for text in legend.get_texts():
        if text.get_text().strip() in (
            "Class (colour)",
            "Stage (shape)",
            "Patients (area)",
            "Line and bands (95%)",
            "Dashed outline",
        ):
            text.set_fontweight("bold")
            text.set_x(-16)


def _three_sizes(n: pd.Series) -> list[float]:
    """Three round numbers that span the data."""
    least, most = float(n.min()), float(n.max())
    step = 10.0 ** np.floor(np.log10(most / 4))
    sizes = [max(round(value / step) * step, step) for value in (max(least, most / 8), most / 2.5, most)]
    return sorted(set(sizes))
