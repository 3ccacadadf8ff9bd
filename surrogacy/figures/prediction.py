"""Final effect predicted for a new trial by every line: true effect and observed effect, with 80% and 95% intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial_prediction import TRUE_EFFECT, NewTrialPrediction
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    HEADING,
    INDENT,
    Cell,
    Column,
    favours,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
)
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import capitalised, value_and_interval
from surrogacy.results.labels import model_label

NARROW_ROW = 1.6  # height of a row of two lines, in rows
KEY, HEADING_ROOM, AXIS = 4.5, 4.0, 14.0  # mm
LABEL = 10.0  # points between ticks and label, for the words
WIDEST = (0.2, 3.0)  # hazard ratios beyond which an interval ends in an arrow


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
    before, after = _columns(data, page)
    if ax is None:
        height = rows_height(page, rows) * (NARROW_ROW if page.is_narrow else 1)
        (ax,) = row_panels(page, height, (KEY + HEADING_ROOM, AXIS), [before], [[after]])
    style.hazard_ratio_axis(ax, "x", *(float(np.log(limit)) for limit in _limits(data)))
    row_axis(ax, rows)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    for y, row in zip(_rows(data), data.to_dict("records"), strict=True):
        _draw_row(ax, y, row, style.LINE_COLOUR if row["quoted"] else style.INK)
    ax.set_xlabel(f"Predicted hazard ratio for {final}", labelpad=LABEL)
    favours([ax], shared=page.is_narrow)
    left = write_columns([ax], [before], [[after]])
    place = ax.get_position()
    width = page.width * place.width
    ax.legend(
        handles=_key(),
        loc="lower left",
        bbox_to_anchor=(-left / width, 1.0, 1.0, 0.0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, HEADING_ROOM * style.MM, ax.figure.dpi_scale_trans),
        ncols=3,
        fontsize="small",
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0,
        borderpad=0,
    )
    return ax


def _rows(data: pd.DataFrame) -> list[int]:
    """Row of each prediction: each set has a heading above its predictions."""
    headings = (data["set"] != data["set"].shift()).cumsum()
    return [place + int(number) for place, number in enumerate(headings)]


def _columns(data: pd.DataFrame, page: PageStyle) -> tuple[Column, Column]:
    """Names before the panel, in two lines if the page is narrow, and values behind it."""
    names, values = [], [Cell(HEADING, "HR (95% interval)", bold=True)]
    largest = data.groupby("set")["k"].max()
    separator = ",\n" if page.is_narrow else ", "
    previous = None
    for y, row in zip(_rows(data), data.to_dict("records"), strict=True):
        if row["set"] != previous:
            names.append(Cell(y - 1, f"{set_label(row['set'])} (k = {largest[row['set']]})", bold=True, spans=True))
            previous = row["set"]
        model = model_label(row["model"])
        label = f"{capitalised(model)}{separator}{row['target']}"
        shown = value_and_interval(row["predicted"], row["low_95"], row["high_95"])
        names.append(Cell(y, label, bold=row["quoted"], indent=INDENT))
        values.append(Cell(y, f"{shown} †" if row["beyond_data"] else shown, bold=row["quoted"]))
    return Column(tuple(names)), Column(tuple(values))


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
