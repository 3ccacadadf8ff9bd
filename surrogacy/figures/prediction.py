"""Final effect predicted for a new trial by every line: true effect and observed effect, with 80% and 95% intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.figures import _style as style
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import value_and_interval
from surrogacy.results.labels import model_label

ROW = 4.4  # mm
WIDEST = (0.2, 3.0)  # hazard ratios beyond which an interval ends in an arrow
TRUE_EFFECT = "true effect"


def prediction_data(predictions: Sequence[NewTrialPrediction], quoted: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per set, model and target; those of the model to quote come first in their set.

    Parameters
    ----------
    predictions : sequence of NewTrialPrediction
    quoted : mapping of str to str
        Model to quote, by set.

    Raises
    ------
    UsageError
        Without a prediction.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.evaluation.new_trial_prediction import predict_new
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> fits = [surrogacy.models.WeightedRegression().fit(effects)]
    >>> predictions = predict_new([(effects, fits)], (0.6, 0.45, 0.8), 0.5, None)
    >>> prediction_data(predictions, {})["target"].tolist()
    ['n = 558']
    """
    if not predictions:
        raise UsageError("no line predicts the new trial: nothing to draw")
    frame = pd.DataFrame([asdict(prediction) for prediction in predictions])
    frame["quoted"] = [quoted.get(row.set) == row.model for row in predictions]
    frame["place"] = frame["set"].map({name: place for place, name in enumerate(dict.fromkeys(frame["set"]))})
    ordered = frame.sort_values(["place", "quoted"], ascending=[True, False], kind="stable")
    return ordered.drop(columns="place").reset_index(drop=True)


def plot_prediction(
    predictions: Sequence[NewTrialPrediction],
    quoted: Mapping[str, str],
    final: str = "OS",
    ax: Axes | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw the predicted final hazard ratio with its 80 % (thick) and 95 % interval, a row per set, model and target.

    Parameters
    ----------
    predictions : sequence of NewTrialPrediction
    quoted : mapping of str to str
        Model to quote, by set; its rows are red.
    final : str
        Name of the final endpoint.
    ax : Axes, optional
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out.

    Raises
    ------
    UsageError
        Without a prediction.
    """
    data = prediction_data(predictions, quoted)
    rows = len(data) + data["set"].nunique()
    if ax is None:
        height = ROW * (rows + 1) + 20
        ax = style.new_figure(page.width, height).add_axes((0.385, 12 / height, 0.395, 1 - 20 / height))
    low, high = (float(np.log(limit)) for limit in _limits(data))
    style.hazard_ratio_axis(ax, "x", low, high)
    ax.set_ylim(rows - 0.4, -0.9)
    ax.set_yticks([])
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    y, place = 0, ax.get_yaxis_transform()
    for name, group in data.groupby("set", sort=False):
        sets = f"{set_label(str(name))} (k = {group['k'].max()})"
        ax.text(-0.965, y, sets, transform=place, va="center", fontsize="small", fontweight="bold")
        for row in group.to_dict("records"):
            y += 1
            colour = style.LINE_COLOUR if row["quoted"] else style.INK
            weight = "bold" if row["quoted"] else "normal"
            label = f"{model_label(row['model'])}, {row['target']}"
            shown = value_and_interval(row["predicted"], row["low_95"], row["high_95"])
            shown += " †" if row["beyond_data"] else ""
            for x, words in ((-0.93, label), (1.03, shown)):
                ax.text(x, y, words, transform=place, va="center", fontsize="small", fontweight=weight, color=colour)
            _draw_row(ax, y, row, colour)
        y += 1
    ax.text(1.03, -0.8, "HR (95% interval)", transform=place, va="center", fontsize="small", fontweight="bold")
    ax.set_xlabel(f"Predicted hazard ratio, {final}   (← favours experimental)")
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.legend(handles=_key(), loc="lower left", bbox_to_anchor=(-0.98, 1.0), ncols=3, fontsize="small", borderaxespad=0)
    return ax


def _limits(data: pd.DataFrame) -> tuple[float, float]:
    low, high = min(data["low_95"].min() * 0.94, 0.9), max(data["high_95"].max() * 1.06, 1.1)
    return max(low, WIDEST[0]), min(high, WIDEST[1])


def _draw_row(ax: Axes, y: float, row: Mapping[Any, Any], colour: str) -> None:
    """Draw both intervals and the median: filled for the true effect, open for an observed effect."""
    low, high = ax.get_xlim()
    for level, width in ((95, 1.0), (80, 3.0)):
        ends = np.clip(np.log([row[f"low_{level}"], row[f"high_{level}"]]), low, high)
        ax.hlines(y, ends[0], ends[1], colors=colour, lw=width, zorder=2)
    for end, beyond, marker in ((low, row["low_95"] < np.exp(low), "<"), (high, row["high_95"] > np.exp(high), ">")):
        if beyond:
            ax.plot(end, y, marker=marker, color=colour, ms=4, mew=0, clip_on=False, zorder=3)
    face = colour if row["target"] == TRUE_EFFECT else "white"
    ax.plot(np.log(row["predicted"]), y, "D", mfc=face, mec=colour, mew=1.0, ms=4.2, zorder=4)


def _key() -> list[Line2D]:
    look: dict[str, Any] = {"marker": "D", "mec": style.INK, "mew": 1.0, "ms": 4.2, "lw": 0}
    return [
        Line2D([], [], label="true effect", mfc=style.INK, **look),
        Line2D([], [], label="observed effect", mfc="white", **look),
        Line2D([], [], label="to quote", color=style.LINE_COLOUR, lw=3.0),
    ]
