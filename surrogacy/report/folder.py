"""The folder of a run: results.json, tables, figures with captions, run.json."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.errors import FigureError
from surrogacy.evaluation.placement import Focus, in_words, shown_records
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


class Figure(NamedTuple):
    """A figure that a run makes possible: its name, and the call that draws it, up to where and how."""

    name: str
    draw: Callable[..., list[str]]
    arguments: tuple[Any, ...]


class Figures:
    """Figures of a run in the making: each is handed to the workers as soon as the run holds what it shows.

    Parameters
    ----------
    folder : Path
    drawing : Drawing
    """

    def __init__(self, folder: Path, drawing: Drawing) -> None:
        folder.mkdir()
        self._how = folder, drawing.formats, drawing.preset
        self._workers = drawing.workers
        self._submitted: dict[str, Future[Any]] = {}

    def submit(self, figures: Iterable[Figure]) -> None:
        """Hand on those figures that were not handed on before."""
        for figure in figures:
            if figure.name not in self._submitted:
                job = self._workers.submit(figure.draw, *figure.arguments, *self._how)
                self._submitted[figure.name] = job

    def undrawn(self) -> tuple[FigureError, ...]:
        """Wait for all figures; return those that could not be drawn."""
        problems = []
        for job in self._submitted.values():
            try:
                job.result()
            except FigureError as error:
                problems.append(error)
        self._workers.shutdown(wait=False)
        return tuple(problems)


def write_run(
    runs: Iterable[FitRun],
    out: str | Path,
    drawing: Drawing,
    *,
    seed: int,
    arguments: Sequence[str],
    strict: bool,
) -> tuple[FitRun, tuple[FigureError, ...]]:
    """Write all of a run, or nothing.

    The workers draw a figure as soon as a run holds what it shows, while this process computes the next.

    Parameters
    ----------
    runs : iterable of FitRun
        The run after each of its stages, computed as it is asked for; the last one is complete.
    out : path-like
    drawing : Drawing
    seed : int
    arguments : sequence of str
        Of the command line, for the record.
    strict : bool
        Whether any warning makes the exit code one of an error, for the record.

    Returns
    -------
    FitRun
        The complete one.
    tuple of FigureError
        Figures that could not be drawn; everything else is written.
    """
    started = datetime.now(UTC)
    with staging(Path(out)) as stage:
        figures = Figures(stage / "figures", drawing)
        for run in runs:
            figures.submit(figures_of(run, drawing.focus))
        clock = time.perf_counter()
        if run.placement:
            paragraphs = [in_words(focus, run.placement) for focus in run.focuses]
            paragraphs += [f"Not placed: {entry['label']} ({entry['why']})." for entry in run.not_placed]
            (stage / "placement.md").write_text("\n\n".join(filter(None, paragraphs)) + "\n", encoding="utf-8")
        write_draws(run, stage)
        (stage / "results.json").write_text(dumps(document(run, seed=seed)), encoding="utf-8")
        left_out = left_out_table(run.sets)
        write_tables([*result_tables(run), *left_out, *robustness_tables(run), flow_table(run)], stage / "tables")
        written = time.perf_counter()
        problems = figures.undrawn()
        seconds = {**run.seconds, "tables": written - clock, "figures": time.perf_counter() - written}
        record = manifest(
            arguments,
            started=started,
            stages=seconds,
            inputs=run.trials.files,
            seed=seed,
            data_version=run.trials.data_version,
            warnings=[
                *map(str, run.trials.faults),
                *(
                    f"{one.name}: {entry}"
                    for one in run.sets
                    for entry in (*one.not_fitted, *filter(None, [one.omitted]))
                ),
            ],
            exit_code=run.exit_code(strict=strict, undrawn=bool(problems)),
            folder=stage,
            figure_problems=problems,
        )
        (stage / "run.json").write_text(dumps(record), encoding="utf-8")
    return run, problems


def figures_of(run: FitRun, focus: str | None) -> Iterator[Figure]:
    """Figures of what a run holds so far, ringed the trial of that name."""
    for one in run.sets:
        yield from _fit_figures(one, focus)
    for one in run.sets:
        yield from _robustness_figures(one)
    if run.placement:
        for placed in run.focuses:
            yield from _placement_figures(run, placed)


def _robustness_figures(one: SetFit) -> Iterator[Figure]:
    """What ``--sensitivity`` shows: prediction of each trial from the others, and the estimates by every choice."""
    if not one.choices:
        return
    predicted = [found for found in one.cross_validation if found.predicted]
    for found in predicted[-1:]:
        if (result := one.result(found.model)) is not None:
            yield Figure(f"cross-validation-{one.name}", draw_cross_validation, (found, result))
    model = one.choices[-1]["model"]
    records = [record for record in one.choices if record["model"] == model]
    yield Figure(f"choices-{one.name}", draw_choices, (one.name, model, records))


def _placement_figures(run: FitRun, focus: Focus) -> Iterator[Figure]:
    """A comparison in focus between the first line that holds its trial and the first that does not."""
    shown = [record for record in shown_records(run.placement) if record["comparison"] == focus.comparison]
    if not shown:
        return
    found = [one.result(shown[0]["model"]) for one in run.sets]
    results = [result for result in found if result is not None and result.line is not None]
    inside = [result for result in results if focus.trial in result.effects.trial]
    outside = [result for result in results if focus.trial not in result.effects.trial]
    name = focus.trial if len(run.focuses) == 1 else focus.comparison
    arguments = name, focus, [*inside[:1], *outside[:1]], run.placement
    yield Figure(f"placement-{name}", draw_placement, arguments)


def _fit_figures(one: SetFit, focus: str | None) -> Iterator[Figure]:
    """What a fitted set shows: the effects as a forest plot, the first line as a bubble plot, posteriors, slopes, priors."""
    if not one.results:
        return
    lines = [result for result in one.results if result.line is not None]
    bubble = Figure(f"bubble-{one.name}", draw_bubble, ((lines or list(one.results))[0], focus))
    if one.omitted:
        yield bubble
        return
    pooled = [result for result in one.results if "loglik" in result.estimates]
    yield Figure(f"forest-{one.name}", draw_forest, ((pooled or list(one.results))[-1], focus))
    yield bubble
    for result in one.results:
        if result.draws is not None:
            yield Figure(f"posterior-{one.name}-{result.model}", draw_posterior, (result,))
    for result in one.results:
        if "exchangeability" in result.settings and any(name.startswith("slope[") for name in result.estimates):
            yield Figure(f"class-slopes-{one.name}-{result.model}", draw_class_slopes, (result,))
    if one.prior_sensitivity:
        unverified = any(result.unverified for result in one.results)
        yield Figure(f"priors-{one.name}", draw_prior_sensitivity, (one.name, one.prior_sensitivity, unverified))
