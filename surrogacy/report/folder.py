"""The folder of a run: results.json, tables, figures with captions, run.json."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.errors import FigureError
from surrogacy.evaluation.placement import Focus, shown_placements
from surrogacy.evaluation.placement_text import in_words
from surrogacy.output.replacement import staging
from surrogacy.report.document import document, dumps
from surrogacy.report.drawing import (
    draw_bubble,
    draw_choices,
    draw_class_slopes,
    draw_cross_validation,
    draw_forest,
    draw_placement,
    draw_posterior,
    draw_prior_sensitivity,
)
from surrogacy.report.left_out_table import left_out_table
from surrogacy.report.manifest import manifest
from surrogacy.report.robustness_tables import robustness_tables
from surrogacy.report.tables import flow_table, result_tables
from surrogacy.report.writer import write_draws, write_tables


@dataclass(frozen=True)
class Drawing:
    """How figures are drawn: by whom, in which formats, for which journal, which trial ringed."""

    workers: Executor
    formats: tuple[str, ...]
    preset: str
    focus: str | None


def write_run(
    fit: Callable[[Callable[[SetFit], None]], Run],
    examine: Callable[[Run], Run],
    compare: Callable[[Run], Run],
    out: str | Path,
    drawing: Drawing,
    *,
    seed: int,
    arguments: Sequence[str],
    exit_code: Callable[[Run, Sequence[FigureError]], int],
) -> tuple[Run, tuple[FigureError, ...]]:
    """Fit, examine, compare and write all of a run, or nothing.

    The workers draw a set's figures as soon as it is fitted, while this process goes on.

    Parameters
    ----------
    fit : callable
        Does the fitting; hands each set on when it is ready.
    examine : callable
        How far each result can be trusted.
    compare : callable
        The comparisons in focus, and the sets against one another.
    out : path-like
    drawing : Drawing
    seed : int
    arguments : sequence of str
        Of the command line, for the record.
    exit_code : callable
        What the run will return to the shell, from the run and the figures that could not be drawn.

    Returns
    -------
    Run
    tuple of FigureError
        Figures that could not be drawn; everything else is written.
    """
    started, clock, stages = datetime.now(UTC), time.perf_counter(), {}

    def lap(stage: str) -> None:
        nonlocal clock
        stages[stage] = time.perf_counter() - clock
        clock = time.perf_counter()

    with staging(Path(out)) as stage:
        figures = stage / "figures"
        figures.mkdir()
        jobs: list[Future[Any]] = []
        run = fit(lambda one: jobs.extend(_draw(one, figures, drawing)))
        lap("fit")
        run = examine(run)
        for one in run.analyses:
            jobs += _draw_robustness(one, figures, drawing)
        lap("examine")
        run = compare(run)
        if run.placements:
            for focus in run.focuses:
                jobs += _draw_placement(run, focus, figures, drawing)
            paragraphs = [in_words(focus, run.placements) for focus in run.focuses]
            paragraphs += [f"Not placed: {entry['label']} ({entry['why']})." for entry in run.not_placed]
            (stage / "placement.md").write_text("\n\n".join(filter(None, paragraphs)) + "\n", encoding="utf-8")
        lap("compare")
        write_draws(run, stage)
        (stage / "results.json").write_text(dumps(document(run, seed=seed)), encoding="utf-8")
        left_out = left_out_table(run.analyses)
        write_tables([*result_tables(run), *left_out, *robustness_tables(run), flow_table(run)], stage / "tables")
        lap("tables")
        problems = undrawn(jobs, drawing)
        lap("figures")
        record = manifest(
            arguments,
            started=started,
            stages=stages,
            inputs=run.trials.files,
            seed=seed,
            data_version=run.trials.data_version,
            warnings=[
                *map(str, run.trials.faults),
                *(
                    f"{one.name}: {entry}"
                    for one in run.analyses
                    for entry in (*one.not_fitted, *filter(None, [one.omitted]))
                ),
            ],
            exit_code=exit_code(run, problems),
            folder=stage,
            figure_problems=problems,
        )
        (stage / "run.json").write_text(dumps(record), encoding="utf-8")
    return run, problems


def undrawn(jobs: Sequence[Future[Any]], drawing: Drawing) -> tuple[FigureError, ...]:
    """Wait for all figures; return those that could not be drawn."""
    problems = []
    for job in jobs:
        try:
            job.result()
        except FigureError as error:
            problems.append(error)
    drawing.workers.shutdown(wait=False)
    return tuple(problems)


def _draw_robustness(one: SetFit, folder: Path, drawing: Drawing) -> list[Future[Any]]:
    """What ``--sensitivity`` shows: prediction of each trial from the others, and the estimates by every choice."""
    if not one.robustness.choices:
        return []
    how = folder, drawing.formats, drawing.preset
    predicted = [found for found in one.robustness.cross_validation if found.predicted]
    fits = [(found, result) for found in predicted[-1:] if (result := one.result(found.model)) is not None]
    jobs = [drawing.workers.submit(draw_cross_validation, found, result, *how) for found, result in fits]
    model = one.robustness.choices[-1]["model"]
    records = [record for record in one.robustness.choices if record["model"] == model]
    return [*jobs, drawing.workers.submit(draw_choices, one.name, model, records, *how)]


def _draw_placement(run: Run, focus: Focus, folder: Path, drawing: Drawing) -> list[Future[Any]]:
    """A comparison in focus between the first line that holds its trial and the first that does not."""
    shown = [placement for placement in shown_placements(run.placements) if placement.comparison == focus.comparison]
    if not shown:
        return []
    found = [one.result(shown[0].model) for one in run.analyses]
    results = [result for result in found if result is not None and result.line is not None]
    inside = [result for result in results if focus.trial in result.effects.trial]
    outside = [result for result in results if focus.trial not in result.effects.trial]
    how = folder, drawing.formats, drawing.preset
    name = focus.trial if len(run.focuses) == 1 else focus.comparison
    return [drawing.workers.submit(draw_placement, name, focus, [*inside[:1], *outside[:1]], run.placement, *how)]


def _draw(one: SetFit, folder: Path, drawing: Drawing) -> list[Future[Any]]:
    """Hand the figures of a set to the workers: the effects as a forest plot, the first line as a bubble plot."""
    if not one.results:
        return []
    how = folder, drawing.formats, drawing.preset, drawing.focus
    lines = [result for result in one.results if result.line is not None]
    if one.omitted:
        return [drawing.workers.submit(draw_bubble, (lines or list(one.results))[0], *how)]
    pooled = [result for result in one.results if "loglik" in result.estimates]
    jobs = [
        drawing.workers.submit(draw_forest, (pooled or list(one.results))[-1], *how),
        drawing.workers.submit(draw_bubble, (lines or list(one.results))[0], *how),
    ]
    jobs += [drawing.workers.submit(draw_posterior, result, *how) for result in one.results if result.draws is not None]
    by_class = [result for result in one.results if any(name.startswith("slope[") for name in result.estimates)]
    jobs += [
        drawing.workers.submit(draw_class_slopes, result, *how)
        for result in by_class
        if "exchangeability" in result.settings
    ]
    if one.prior_sensitivity:
        unverified = any(result.unverified for result in one.results)
        jobs.append(drawing.workers.submit(draw_prior_sensitivity, one.name, one.prior_sensitivity, unverified, *how))
    return jobs
