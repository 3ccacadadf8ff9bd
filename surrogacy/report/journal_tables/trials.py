"""Table 1: the comparisons of all sets, by stage and line of therapy."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.journal_tables.caveats import shared_control_remarks
from surrogacy.report.journal_tables.layout import LAYOUTS, Cell, Footnotes, JournalTable, Row, Rows, journal_table
from surrogacy.results.format import ABSENT, number
from surrogacy.results.labels import CLASSES
from surrogacy.trials.columns import LINES, STAGES
from surrogacy.trials.frames import ReportedEffect

NOT_READ = ("", "NR", "nan", "<NA>", "None")
LINE_WORDS: dict[str, str] = LAYOUTS["words"]["lines"]
REGIONS: dict[str, str] = LAYOUTS["words"]["regions"]
TEXT_COLUMNS = ("experimental", "control", "phase", "masking", "region")


def trials_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return the characteristics of every comparison in a fit, each once."""
    footnotes, groups = Footnotes(), dict[str, list[Row]]()
    trials, places = run.trials.trials.set_index("comparison"), _fitted(run)
    later_therapy = _later_therapy(run)
    reported = {effect.effect_id: effect for effect in run.trials.reported}
    fitted = [record for name, record in trials.iterrows() if name in places]
    for record in sorted(fitted, key=_order):
        groups.setdefault(_stage(record), []).append(
            _row(record, *places[str(record.name)], footnotes, later_therapy, reported)
        )
    rows = [Rows(heading if len(groups) > 1 else "", rows) for heading, rows in groups.items()]
    remarks = shared_control_remarks(fit for fit in run.sets if not fit.large)
    return journal_table("trials", rows, footnotes=footnotes.all, remarks=remarks)


def _order(record: pd.Series) -> tuple[int, int, float]:
    """Return the place of a comparison: by stage, line and year."""
    stage, line = (
        values.index(text) if (text := _text(record, column)) in values else len(values)
        for column, values in (("stage", STAGES), ("line", LINES))
    )
    year = record["year"]
    return stage, line, float("inf") if pd.isna(year) else float(year)


def _fitted(run: FitRun) -> dict[str, tuple[SetFit, int]]:
    """Return each comparison with the first set that includes it, and its place there; large sets are left out."""
    places: dict[str, tuple[SetFit, int]] = {}
    for fit in run.sets:
        for i, comparison in enumerate(() if fit.large else fit.effects.comparison):
            places.setdefault(comparison, (fit, i))
    return places


def _stage(record: pd.Series) -> str:
    """Return stage and line as a heading."""
    stage, line = _text(record, "stage"), _text(record, "line")
    words = f"{stage.capitalize()} stage" if stage != ABSENT else "Stage not stated"
    return words if line == ABSENT else f"{words}, {LINE_WORDS[line]}"


def _row(
    record: pd.Series,
    fit: SetFit,
    i: int,
    footnotes: Footnotes,
    later_therapy: Mapping[tuple[str, str], str],
    reported: Mapping[str, ReportedEffect],
) -> Row:
    crossover = _text(record, "crossover")
    label, kind = fit.effects.labels[i], _text(record, "class")
    mark = () if crossover == ABSENT else (footnotes.mark("crossover", f"{crossover}.", label),)
    arms = [_whole(record, arm) for arm in ("n_exp", "n_ctl")]
    shares = [later_therapy.get((str(record.name), arm), ABSENT) for arm in ("exp", "ctl")]
    return {
        "label": Cell(label, mark),
        "year": _whole(record, "year"),
        "class": "" if kind == _text(record, "line") else CLASSES.get(kind, ABSENT),
        "patients": " / ".join(arms) if ABSENT not in arms else ABSENT,
        "surrogate": _surrogate(fit, i, reported),
        "follow_up": _range(_whole(record, "follow_up_low"), _whole(record, "follow_up_high")),
        "later_therapy": " / ".join(shares) if ABSENT not in shares else ABSENT,
        **{column: REGIONS.get(text := _text(record, column), text) for column in TEXT_COLUMNS},
    }


def _text(record: pd.Series, column: str) -> str:
    text = str(record.get(column, ""))
    return ABSENT if text in NOT_READ else text


def _whole(record: pd.Series, column: str) -> str:
    value = record.get(column)
    return ABSENT if value is None or pd.isna(value) else number(float(value), 0)


def _range(low: str, high: str) -> str:
    return ABSENT if ABSENT in (low, high) else low if low == high else f"{low} to {high}"


def _surrogate(fit: SetFit, i: int, reported: Mapping[str, ReportedEffect]) -> str:
    """Return the endpoint of the fit, its response criteria and who assessed progression."""
    columns = fit.effects.covariates
    endpoint = columns["surrogate"][i] if "surrogate" in columns else ""
    identifier = columns["surrogate_effect"][i] if "surrogate_effect" in columns else ""
    effect = reported.get(identifier)
    details = () if effect is None else (effect.criteria, effect.review)
    read = [re.sub(r"(?<=RECIST)(?=\d)", " ", text) for text in details if text not in NOT_READ]
    return f"{endpoint}: {', '.join(read)}" if read else endpoint or ABSENT


def _later_therapy(run: FitRun) -> dict[tuple[str, str], str]:
    """Return the percentage of each arm with later systemic therapy, from the first row of the arm that reports it."""
    arms = run.trials.arms.dropna(subset=["post_systemic_pct"]).drop_duplicates(["comparison", "arm"])
    columns = (arms[name] for name in ("comparison", "arm", "post_systemic_pct"))
    return {
        (str(comparison), str(arm)): number(float(share), 0) for comparison, arm, share in zip(*columns, strict=True)
    }
