"""Figures as files: each is drawn by a worker process as soon as a run holds what it shows."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

from surrogacy.analysis.stages import Execute, Task, in_order
from surrogacy.errors import FigureError, UsageError
from surrogacy.report.escaping import slug, unique_slug
from surrogacy.report.section import Drawing

MISSING_SIGN = "Glyph .* missing from font"
SIGNS_AS_BOXES = " Some signs in the names are not in the font of the figure and are drawn as boxes."


@dataclass(frozen=True)
class FigureOptions:
    """Processes that draw, formats and journal."""

    workers: Executor
    formats: tuple[str, ...]
    preset: str


class Figures:
    """Figures of a run in the making.

    Parameters
    ----------
    folder : Path
    options : FigureOptions
    """

    def __init__(self, folder: Path, options: FigureOptions) -> None:
        folder.mkdir()
        self._folder, self._options = folder, options
        self._submitted: dict[str, Future[list[str]]] = {}
        self._files: list[str] = []
        self._drawn: dict[str, Drawing] = {}

    def submit(self, drawings: Iterable[Drawing]) -> None:
        """Hand on those figures that were not handed on before."""
        options = self._options
        for drawing in drawings:
            if drawing.name not in self._submitted:
                file = unique_slug(drawing.name, self._files)
                self._files.append(file)
                named = replace(drawing, name=file)
                job = options.workers.submit(draw, named, self._folder, options.formats, options.preset)
                self._submitted[drawing.name] = job
                self._drawn[file] = drawing

    @property
    def drawn(self) -> Mapping[str, Drawing]:
        """Figures by file name without ending, in the order in which they were handed on."""
        return self._drawn

    def undrawn(self, execute: Execute = in_order) -> tuple[FigureError, ...]:
        """Wait for all figures; return those that could not be drawn.

        Parameters
        ----------
        execute : callable
            Executor in this process, which may show how many figures are still to be drawn.
        """
        waits = [Task(f"figure {name}", _problem, (job,)) for name, job in self._submitted.items()]
        problems = [problem for problem in execute(waits) if problem is not None]
        self._options.workers.shutdown(wait=False)
        return tuple(problems)


def _problem(job: Future[list[str]]) -> FigureError | None:
    """Wait for a figure; return the reason if it could not be drawn."""
    try:
        job.result()
    except FigureError as error:
        return error
    return None


def draw(drawing: Drawing, folder: Path, formats: tuple[str, ...], preset: str) -> list[str]:
    """Draw in the style of a journal, save, and write the caption beside it; return the file names.

    Raises
    ------
    FigureError
        If the figure cannot be drawn; none of its files is left then.
    OSError
        If the files cannot be written.
    """
    from surrogacy.figures import _style as style

    name, caption = slug(drawing.name), drawing.caption
    module, _, function = drawing.plot.partition(":")
    try:
        with style.style(style.preset(preset)), warnings.catch_warnings(record=True) as caught:
            warnings.filterwarnings("always", message=MISSING_SIGN)
            axes = getattr(importlib.import_module(module), function)(*drawing.arguments, **drawing.keywords)
            first = axes[0] if isinstance(axes, list | tuple) else axes
            files = style.save(first.get_figure(root=True), folder / name, formats)
    except (OSError, UsageError):
        raise
    except Exception as error:
        for ending in formats:
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
        raise FigureError(name, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
    if any(re.match(MISSING_SIGN, str(warning.message)) for warning in caught):
        caption += SIGNS_AS_BOXES
    (folder / f"{name}.caption.md").write_text(caption, encoding="utf-8")
    return [*files, f"{name}.caption.md"]
