"""The folder of a run on post-progression survival."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.errors import ExitCode, FigureError
from surrogacy.output.replacement import staging
from surrogacy.report.document import dumps
from surrogacy.report.folder import Drawing, undrawn
from surrogacy.report.manifest import manifest
from surrogacy.report.pps_document import document
from surrogacy.report.pps_drawing import draw_arms, draw_map, draw_moderated, draw_over_time, draw_waterfall
from surrogacy.report.pps_tables import pps_tables
from surrogacy.report.writer import write_tables


def write_pps(
    work: Callable[[], PpsRun], out: str | Path, drawing: Drawing, *, seed: int, arguments: Sequence[str]
) -> tuple[PpsRun, tuple[FigureError, ...]]:
    """Analyse and write all of a run, or nothing.

    Parameters
    ----------
    work : callable
        Does the analysis.
    out : path-like
    drawing : Drawing
    seed : int
    arguments : sequence of str
        Of the command line, for the record.

    Returns
    -------
    PpsRun
    tuple of FigureError
        Figures that could not be drawn; everything else is written.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with staging(Path(out)) as stage:
        figures = stage / "figures"
        figures.mkdir()
        run = work()
        stages = {"analyse": time.perf_counter() - clock}
        jobs = _draw(run, figures, drawing)
        (stage / "results.json").write_text(dumps(document(run, seed=seed)), encoding="utf-8")
        write_tables(pps_tables(run), stage / "tables")
        if run.main is not None:
            (stage / "decomposition.md").write_text(f"{run.main.words}\n", encoding="utf-8")
        problems = undrawn(jobs, drawing)
        stages["write"] = time.perf_counter() - clock - stages["analyse"]
        record = manifest(
            arguments,
            started=started,
            stages=stages,
            inputs=run.trials.files,
            seed=seed,
            data_version=run.trials.data_version,
            warnings=[str(found) for found in run.trials.faults],
            command="python -m surrogacy.pps",
            exit_code=ExitCode.NOT_CONVERGED if problems else ExitCode.OK,
            folder=stage,
            figure_problems=problems,
        )
        (stage / "run.json").write_text(dumps(record), encoding="utf-8")
    return run, problems


def _draw(run: PpsRun, folder: Path, drawing: Drawing) -> list[Future[Any]]:
    """Hand the figures to the workers."""
    how = folder, drawing.formats, drawing.preset
    submit = drawing.workers.submit
    jobs = [submit(draw_map, run.map, run.points, drawing.focus or "", *how)]
    jobs += [submit(draw_arms, audit, drawing.focus, *how) for audit in run.audits[:1]]
    jobs += [submit(draw_moderated, one.line, *how) for one in run.moderations[:1]]
    shown = [one for one in run.decompositions if one.calibration.pfs == "hazard-ratio"]
    if shown:
        jobs += [submit(draw_waterfall, shown[:4], *how), submit(draw_over_time, shown[:2], run.at_risk, *how)]
    return jobs
