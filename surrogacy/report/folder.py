"""The folder of a run: results.json, tables, figures with captions, run.json."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surrogacy.analysis import Run, examine_all
from surrogacy.report.document import document, dumps
from surrogacy.report.drawing import draw_bubble, draw_forest
from surrogacy.report.manifest import manifest
from surrogacy.report.tables import report_tables
from surrogacy.report.writer import staging, write_tables


@dataclass(frozen=True)
class Drawing:
    """How figures are drawn: by whom, in which formats, for which journal, which trial ringed."""

    workers: Executor
    formats: tuple[str, ...]
    preset: str
    focus: str | None


def write_run(
    run: Run,
    out: str | Path,
    drawing: Drawing,
    *,
    seed: int,
    arguments: Sequence[str],
    exit_code: int,
    step: Callable[[], None] = lambda: None,
) -> Run:
    """Examine a fitted run and write all of it, or nothing.

    The figures are drawn by the workers while this process does leave-one-out and the grid.

    Parameters
    ----------
    run : Run
        Fitted.
    out : path-like
    drawing : Drawing
    seed : int
    arguments : sequence of str
        Of the command line, for the record.
    exit_code : int
    step : callable
        Called after each model examined.

    Returns
    -------
    Run
        With grid and leave-one-out.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with staging(Path(out)) as stage:
        figures = stage / "figures"
        figures.mkdir()
        jobs = _draw(run, figures, drawing)
        run = examine_all(run, step)
        examined = time.perf_counter()
        (stage / "results.json").write_text(dumps(document(run, seed=seed)), encoding="utf-8")
        write_tables(report_tables(run), stage / "tables")
        written = time.perf_counter()
        for job in jobs:
            job.result()
        stages = {"examine": examined - clock, "tables": written - examined, "figures": time.perf_counter() - written}
        record = manifest(
            arguments, started=started, stages=stages, inputs=run.trials.files, seed=seed,
            data_version=run.trials.data_version, warnings=[str(found) for found in run.trials.faults], exit_code=exit_code,
        )  # fmt: skip
        (stage / "run.json").write_text(dumps(record), encoding="utf-8")
    return run


def _draw(run: Run, folder: Path, drawing: Drawing) -> list[Future[Any]]:
    """Hand every figure to the workers: per set the regression as a bubble plot, the effects as a forest plot."""
    jobs = []
    how = folder, drawing.formats, drawing.preset, drawing.focus
    for one in sorted(run.analyses, key=lambda one: -len(one.effects)):  # the slowest figures first
        if not one.results:
            continue
        lines = [result for result in one.results if result.line is not None]
        pooled = [result for result in one.results if "mu_surrogate" in result.estimates]
        jobs.append(drawing.workers.submit(draw_forest, (pooled or list(one.results))[-1], *how))
        jobs.append(drawing.workers.submit(draw_bubble, (lines or list(one.results))[0], *how))
    return jobs
