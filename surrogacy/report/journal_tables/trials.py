"""Table 1: the comparisons of all sets, by stage and line of therapy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table, sentence
from surrogacy.results.format import ABSENT, number
from surrogacy.results.labels import CLASSES

NOT_READ = ("", "NR", "nan", "<NA>", "None")
TEXT_COLUMNS = ("experimental", "control", "phase", "masking", "region")


def trials_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return the characteristics of every comparison in a fit, each once."""
    footnotes, groups = Footnotes(), dict[str, list[Row]]()
    trials = run.trials.trials.set_index("comparison")
    for comparison, (fit, i) in _fitted(run).items():
        if comparison in trials.index:
            record = trials.loc[comparison]
            groups.setdefault(_stage(record), []).append(_row(run, record, fit, i, footnotes))
    rows = [Rows(heading if len(groups) > 1 else "", rows) for heading, rows in sorted(groups.items(), reverse=True)]
    return journal_table("trials", rows, footnotes=footnotes.all)


def _fitted(run: FitRun) -> dict[str, tuple[SetFit, int]]:
    """Return each comparison with the first set that includes it, and its place there; large sets are left out."""
    places: dict[str, tuple[SetFit, int]] = {}
    for fit in run.sets:
        for i, comparison in enumerate(() if fit.large else fit.effects.comparison):
            places.setdefault(comparison, (fit, i))
    return places


def _stage(record: pd.Series) -> str:
    """Return stage and line as a heading; the line is part of the stage in combinations with TACE."""
    stage, line = _text(record, "stage"), _text(record, "line")
    words = f"{stage} stage" if stage != ABSENT else "stage not stated"
    return sentence(words if line in (ABSENT, "tace-combination") else f"{words}, {line} line").rstrip(".")


def _row(run: FitRun, record: pd.Series, fit: SetFit, i: int, footnotes: Footnotes) -> Row:
    crossover = _text(record, "crossover")
    label = fit.effects.labels[i]
    mark = () if crossover == ABSENT else (footnotes.mark("crossover", f"Crossover, {label}: {crossover}."),)
    arms = [_whole(record, arm) for arm in ("n_exp", "n_ctl")]
    return {
        "label": Cell(label, mark),
        "year": _whole(record, "year"),
        "class": CLASSES.get(_text(record, "class"), ABSENT),
        "patients": " / ".join(arms) if ABSENT not in arms else ABSENT,
        "surrogate": _surrogate(run, fit, i),
        "follow_up": _range(_whole(record, "follow_up_low"), _whole(record, "follow_up_high")),
        "later_therapy": _later_therapy(run, str(record.name)),
    } | {column: _text(record, column) for column in TEXT_COLUMNS}


def _text(record: pd.Series, column: str) -> str:
    text = str(record.get(column, ""))
    return ABSENT if text in NOT_READ else text


def _whole(record: pd.Series, column: str) -> str:
    value = record.get(column)
    return ABSENT if value is None or pd.isna(value) else number(float(value), 0)


def _range(low: str, high: str) -> str:
    return ABSENT if ABSENT in (low, high) else low if low == high else f"{low} to {high}"


def _surrogate(run: FitRun, fit: SetFit, i: int) -> str:
    """Return the endpoint of the fit, its response criteria and who assessed progression."""
    columns = fit.effects.covariates
    endpoint = columns["surrogate"][i] if "surrogate" in columns else ""
    identifier = columns["surrogate_effect"][i] if "surrogate_effect" in columns else ""
    details = next(
        ((effect.criteria, effect.review) for effect in run.trials.reported if effect.effect_id == identifier), ()
    )
    read = [re.sub(r"(?<=RECIST)(?=\d)", " ", text) for text in details if text not in NOT_READ]
    return f"{endpoint}: {', '.join(read)}" if read else endpoint or ABSENT


def _later_therapy(run: FitRun, comparison: str) -> str:
    shares = [share for arm in ("exp", "ctl") for share in _later_therapy_of(run, comparison, arm)]
    return " / ".join(shares) if len(shares) == 2 else ABSENT


def _later_therapy_of(run: FitRun, comparison: str, arm: str) -> Iterator[str]:
    """Return the percentage of an arm with later systemic therapy, if a row of the arm reports it."""
    arms = run.trials.arms
    values = arms.loc[(arms["comparison"] == comparison) & (arms["arm"] == arm), "post_systemic_pct"].dropna()
    if len(values):
        yield number(float(values.iloc[0]), 0)
