"""The folder of a run: results.json, tables, figures with captions, material for a paper, report.html, run.json."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.fit_stages import MODEL_STAGES, TABLE_STAGES
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.analysis.pps_stages import PPS_STAGES
from surrogacy.analysis.stages import Execute, Stage, StagedRun, Task, in_order
from surrogacy.effects import Effects
from surrogacy.errors import FigureError
from surrogacy.output.new_files import write_files
from surrogacy.output.replacement import staging
from surrogacy.report.bundle import write_bundle
from surrogacy.report.document import FIT_SCHEMA, PPS_SCHEMA, document, dumps
from surrogacy.report.escaping import slug
from surrogacy.report.figures import FigureOptions, Figures
from surrogacy.report.journal_tables import fit_journal_tables
from surrogacy.report.journal_tables.files import write_journal_tables
from surrogacy.report.journal_tables.layout import JournalTable
from surrogacy.report.manifest import manifest
from surrogacy.report.page.page import REPORT, Link, PageInput, write_page
from surrogacy.report.paper.material import PaperMaterial
from surrogacy.report.paper.word import write_paper_documents
from surrogacy.report.section import Drawing, Section
from surrogacy.report.sections import fit_drawings, fit_sections, pps_drawings, pps_sections
from surrogacy.report.tables import write_tables
from surrogacy.trials.analysis_set import SurrogateOnly


def no_comparisons(run: StagedRun) -> tuple[SurrogateOnly, ...]:
    """Return no comparisons."""
    return ()


def no_material(run: StagedRun) -> PaperMaterial:
    """Return no texts."""
    return PaperMaterial()


def no_journal_tables(run: StagedRun, numbers: Mapping[str, int]) -> tuple[JournalTable, ...]:
    """Return no tables: those of a paper are about the fits."""
    return ()


def fit_material(run: FitRun, answers: Mapping[str, str] | None = None) -> PaperMaterial:
    """Return the texts for a paper, with the answers of the author; their libraries are loaded here."""
    from surrogacy.report.paper.files import paper_material

    return paper_material(run, answers)


@dataclass(frozen=True)
class Command[R: StagedRun]:
    """Parts in which the two commands differ.

    Parameters
    ----------
    name, schema : str
    table_stages, stages : sequence of Stage
        Stages that read the tables, and those that compute the results.
    drawings : callable
        Figures of a run, as far as it has come.
    sections : callable
        Sections of a complete run.
    effects : callable
        Effects whose sources the report lists.
    predicted : callable
        Comparisons whose final effect is predicted; the report lists their sources as well.
    material : callable
        Texts, references and checklists for a paper, of a complete run.
    journal_tables : callable
        Tables of a paper of a complete run, from the run and the numbers of the references.
    other_report : Link, optional
        Report of the other command in its usual folder, seen from the folder of this one.
    """

    name: str
    schema: str
    table_stages: Sequence[Stage[R]]
    stages: Sequence[Stage[R]]
    drawings: Callable[[R], Iterable[Drawing]]
    sections: Callable[[R], Sequence[Section]]
    effects: Callable[[R], Sequence[Effects]]
    predicted: Callable[[R], Sequence[SurrogateOnly]] = no_comparisons
    material: Callable[[R], PaperMaterial] = no_material
    journal_tables: Callable[[R, Mapping[str, int]], Sequence[JournalTable]] = no_journal_tables
    other_report: Link | None = None

    def document(self, run: R, sections: Sequence[Section]) -> str:
        """Return the text of results.json."""
        return dumps(document(self.schema, run.trials, sections, seed=run.settings.seed))

    def other_reports(self, folder: Path) -> tuple[Link, ...]:
        """Return the report of the other command if it exists, seen from a folder."""
        link = self.other_report
        return () if link is None or not (folder / link.file).exists() else (link,)


FIT = Command[FitRun](
    "python -m surrogacy.fit",
    FIT_SCHEMA,
    TABLE_STAGES,
    MODEL_STAGES,
    fit_drawings,
    fit_sections,
    lambda run: [fit.effects for fit in run.sets],
    predicted=lambda run: [entry.comparison for entry in run.surrogate_only],
    material=fit_material,
    journal_tables=fit_journal_tables,
    other_report=Link(f"pps/{REPORT}", "Report on post-progression survival"),
)
PPS = Command[PpsRun](
    "python -m surrogacy.pps",
    PPS_SCHEMA,
    PPS_STAGES[:1],
    PPS_STAGES[1:],
    pps_drawings,
    pps_sections,
    lambda run: [] if run.effects is None else [run.effects],
    other_report=Link(f"../{REPORT}", "Report on trial-level surrogacy"),
)


@dataclass(frozen=True, eq=False)
class WrittenRun[R: StagedRun]:
    """Complete run whose folder is written.

    Parameters
    ----------
    run : FitRun or PpsRun
    sections : sequence of Section
    undrawn : tuple of FigureError
        Figures that could not be drawn; everything else is written.
    """

    run: R
    sections: Sequence[Section]
    undrawn: tuple[FigureError, ...]


def _write_section(section: Section, stage: Path) -> None:
    """Write prose as ``<key>.md`` and draws as netCDF, one file a set and model."""
    if section.prose:
        (stage / f"{section.key}.md").write_text(section.prose, encoding="utf-8")
    if section.draws:
        (stage / "draws").mkdir(exist_ok=True)
    for name, draws in section.draws.items():
        draws.to_netcdf(stage / "draws" / f"{slug(name)}.nc")


@dataclass(frozen=True, eq=False)
class WrittenTexts:
    """Sections of a run, and the tables and Word documents that workers are still writing."""

    sections: Sequence[Section]
    unfinished: Sequence[Future[None]]


def _write_texts[R: StagedRun](
    command: Command[R], run: R, stage: Path, workers: Executor, *, quick: bool
) -> WrittenTexts:
    """Write results.json, tables and texts."""
    sections = command.sections(run)
    (stage / "results.json").write_text(command.document(run, sections), encoding="utf-8")
    write_tables([table for section in sections for table in section.tables], stage / "tables")
    paper = [] if quick else _write_paper(command, run, stage, workers)
    for section in sections:
        _write_section(section, stage)
    return WrittenTexts(sections, paper)


def _write_paper[R: StagedRun](command: Command[R], run: R, stage: Path, workers: Executor) -> list[Future[None]]:
    """Write the texts for a paper; return the tables and Word documents that the workers are writing."""
    material = command.material(run)
    write_files(stage, {name: text.encode() for name, text in material.files.items()})
    tables = write_journal_tables(command.journal_tables(run, material.numbers), stage, workers)
    return [files for files in (tables, write_paper_documents(material, stage, workers)) if files is not None]


def write_run[R: StagedRun](
    command: Command[R],
    runs: Iterable[R],
    out: str | Path,
    options: FigureOptions,
    *,
    arguments: Sequence[str],
    strict: bool = False,
    quick: bool = False,
    bundle: bool = False,
    wait: Execute = in_order,
) -> WrittenRun[R]:
    """Write all of a run, or nothing.

    The workers draw each figure as soon as its results are available, while this process computes the next stage.

    Parameters
    ----------
    command : Command
        `FIT` or `PPS`.
    runs : iterable of FitRun or PpsRun
        The run after each of its stages, computed as it is asked for; the last one is complete.
    out : path-like
    options : FigureOptions
    arguments : sequence of str
        Of the command line, for the record.
    strict : bool
        Whether a warning leads to an error as exit code, for the record.
    quick : bool
        Whether report.html, the tables of a paper and its texts are left out.
    bundle : bool
        Whether all files but run.json are also written into one ZIP file.
    wait : callable
        Executor in this process that waits for the figures.

    Returns
    -------
    WrittenRun

    Raises
    ------
    UsageError
        If a figure that was asked for is not known.
    """
    started = datetime.now(UTC)
    with staging(Path(out)) as stage:
        figures = Figures(stage / "figures", options)
        for run in runs:
            figures.submit(command.drawings(run))
        figures.check_names()
        clock = time.perf_counter()
        write = partial(_write_texts, quick=quick)
        [texts] = wait([Task("tables and texts", write, (command, run, stage, options.workers))])
        written = time.perf_counter()
        problems = figures.undrawn(wait)
        for files in texts.unfinished:
            files.result()
        seconds = {**run.seconds, "tables": written - clock, "figures": time.perf_counter() - written}
        if not quick:
            clock = time.perf_counter()
            others = () if bundle else command.other_reports(Path(out))  # a bundle has no folders beside it
            page = PageInput(
                run.trials,
                command.effects(run),
                texts.sections,
                figures.drawn,
                stage,
                command.name,
                others,
                command.predicted(run),
            )
            list(wait([Task("report", write_page, (page, stage / REPORT))]))
            seconds["report"] = time.perf_counter() - clock
        if bundle:
            write_bundle(stage)
        record = manifest(
            arguments,
            started=started,
            stages=seconds,
            inputs=run.trials.files,
            seed=run.settings.seed,
            data_version=run.trials.data_version,
            warnings=[*map(str, run.trials.faults), *run.notices],
            exit_code=run.exit_code(strict=strict, undrawn=bool(problems)),
            folder=stage,
            figure_problems=problems,
            command=command.name,
        )
        (stage / "run.json").write_text(dumps(record), encoding="utf-8")
    return WrittenRun(run, texts.sections, problems)
