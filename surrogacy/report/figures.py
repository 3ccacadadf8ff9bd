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
from surrogacy.output.page_style import PageStyle
from surrogacy.report.escaping import slug, unique_slug
from surrogacy.report.section import Drawing

MISSING_SIGN = "Glyph .* missing from font"
SIGNS_AS_BOXES = " Some signs in the names are not in the font of the figure and are drawn as boxes."


KINDS = (
    "bubble",
    "forest",
    "posterior",
    "class-slopes",
    "placement",
    "prediction",
    "cross-validation",
    "prior-sensitivity",
    "choices",
    "added",
    "moderated-lines",
    "dilution-map",
    "waterfall",
    "hazard-ratio-over-time",
    "pps-arms",
)
FILES = ("priors", "moderated", "arms")  # beginnings of file names that are no kinds


def check_figure_names(names: Iterable[str]) -> None:
    """Check before a run that each name begins as that of a figure: the sets and trials are known later.

    Raises
    ------
    UsageError
        If a name does not.

    Examples
    --------
    >>> check_figure_names(["bubble", "forest-advanced-1", "priors-intermediate"])
    """
    for name in names:
        if not any(name == start or name.startswith(f"{start}-") for start in (*KINDS, *FILES)):
            kinds = ", ".join(KINDS)
            raise UsageError(
                f"--figures {name}: there is no such figure; choose from {kinds}, or give the name of a file, such as "
                "bubble-advanced (an analysis set stands before the options)"
            )


@dataclass(frozen=True)
class FigureOptions:
    """Processes that draw, formats, page, and names of the figures to draw.

    Parameters
    ----------
    workers : Executor
    drawing : Executor
        The same processes for figures, which give way to fits.
    formats : tuple of {"pdf", "svg", "png", "tiff"}
    page : PageStyle
    names : tuple of str
        Kinds or file names of figures; all figures if there is none.
    """

    workers: Executor
    drawing: Executor
    formats: tuple[str, ...]
    page: PageStyle
    names: tuple[str, ...] = ()

    def select(self, drawing: Drawing) -> bool:
        """Return whether a figure is to be drawn."""
        return not self.names or bool({drawing.name, drawing.kind} & set(self.names))


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
        self._offered: dict[str, str] = {}
        self._drawn: dict[str, Drawing] = {}

    def submit(self, drawings: Iterable[Drawing]) -> None:
        """Hand on those figures that were not handed on before."""
        options = self._options
        for drawing in drawings:
            self._offered[drawing.name] = drawing.kind
            if drawing.name not in self._submitted and options.select(drawing):
                file = unique_slug(drawing.name, self._files)
                self._files.append(file)
                named = replace(drawing, name=file)
                job = options.drawing.submit(draw, named, self._folder, options.formats, options.page)
                self._submitted[drawing.name] = job
                self._drawn[file] = drawing

    @property
    def drawn(self) -> Mapping[str, Drawing]:
        """Figures by file name without ending, in the order in which they were handed on."""
        return self._drawn

    def check_names(self) -> None:
        """Check that every name that was asked for is that of a figure of the run.

        Raises
        ------
        UsageError
            If a name is not known.
        """
        known = {*self._offered, *self._offered.values()}
        for name in self._options.names:
            if name not in known:
                names = ", ".join(dict.fromkeys([*self._offered.values(), *self._offered]))
                raise UsageError(f"--figures {name}: this run has no such figure; choose from {names}")

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


def draw(drawing: Drawing, folder: Path, formats: tuple[str, ...], page: PageStyle) -> list[str]:
    """Draw for a page, save, and write caption and alternative text beside it; return the file names.

    Parameters
    ----------
    drawing : Drawing
    folder : Path
    formats : tuple of {"pdf", "svg", "png", "tiff"}
    page : PageStyle

    Raises
    ------
    FigureError
        If the figure cannot be drawn; none of its files is left then.
    OSError
        If the files cannot be written.
    """
    from surrogacy.figures import _style as style
    from surrogacy.figures.saving import save

    name, caption = slug(drawing.name), drawing.caption
    module, _, function = drawing.plot.partition(":")
    try:
        with style.style(page), warnings.catch_warnings(record=True) as caught:
            warnings.filterwarnings("always", message=MISSING_SIGN)
            axes = getattr(importlib.import_module(module), function)(*drawing.arguments, page=page, **drawing.keywords)
            first = axes[0] if isinstance(axes, list | tuple) else axes
            files = save(first.get_figure(root=True), folder / name, formats)
    except (OSError, UsageError):
        raise
    except Exception as error:
        for ending in formats:
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
        raise FigureError(name, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
    if any(re.match(MISSING_SIGN, str(warning.message)) for warning in caught):
        caption = f"{caption.rstrip()}{SIGNS_AS_BOXES}\n"
    texts = {f"{name}.caption.md": caption, f"{name}.alt.txt": f"{drawing.alternative}\n"}
    for file, words in texts.items():
        (folder / file).write_text(words, encoding="utf-8")
    return [*files, *texts]
