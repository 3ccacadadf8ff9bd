"""The folder of a run on post-progression survival."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.errors import ExitCode, FigureError
from surrogacy.output.replacement import staging
from surrogacy.report.document import dumps
from surrogacy.report.folder import Drawing, Figure, Figures
from surrogacy.report.manifest import manifest
from surrogacy.report.pps_document import document
from surrogacy.report.pps_drawing import draw_arms, draw_map, draw_moderated, draw_over_time, draw_waterfall
from surrogacy.report.pps_tables import pps_tables
from surrogacy.report.writer import write_tables


def write_pps(
    runs: Iterable[PpsRun], out: str | Path, drawing: Drawing, *, seed: int, arguments: Sequence[str]
) -> tuple[PpsRun, tuple[FigureError, ...]]:
    """Write all of a run, or nothing.

    Parameters
    ----------
    runs : iterable of PpsRun
        The run after each of its stages, computed as it is asked for; the last one is complete.
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
    started = datetime.now(UTC)
    with staging(Path(out)) as stage:
        figures = Figures(stage / "figures", drawing)
        for run in runs:
            figures.submit(figures_of(run, drawing.focus))
        clock = time.perf_counter()
        (stage / "results.json").write_text(dumps(document(run, seed=seed)), encoding="utf-8")
        write_tables(pps_tables(run), stage / "tables")
        if run.main is not None:
            (stage / "decomposition.md").write_text(f"{run.main.words}\n", encoding="utf-8")
        problems = figures.undrawn()
        record = manifest(
            arguments,
            started=started,
            stages={**run.seconds, "write": time.perf_counter() - clock},
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


def figures_of(run: PpsRun, focus: str | None) -> Iterator[Figure]:
    """Figures of what a run holds so far, ringed the trial of that name."""
    if run.map is not None:
        yield Figure("dilution-map", draw_map, (run.map, run.points, focus or ""))
    for audit in run.arms[:1]:
        yield Figure("arms", draw_arms, (audit, focus))
    for one in run.moderated[:1]:
        yield Figure("moderated", draw_moderated, (one.line,))
    shown = [one for one in run.decompositions if one.calibration.pfs == "hazard-ratio"]
    if shown:
        yield Figure("waterfall", draw_waterfall, (shown[:4],))
    if shown and not run.awaits_at_risk:
        yield Figure("hazard-ratio-over-time", draw_over_time, (shown[:2], run.at_risk))
