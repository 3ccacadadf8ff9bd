"""Command line: ``surrogacy simulate SCENARIO.toml --backend loky|dask``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.cli.options import new_command
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import result_stream, warn
from surrogacy.cli.terminal import progress, run_command
from surrogacy.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from surrogacy.simulation.study import Chunk

EXAMPLES = {
    "study.toml --workers 2": "simulate the scenarios of a file with two processes",
    "threshold --chunks 1": "repeat a part of docs/validation.md",
    "study.toml --backend dask --address tcp://scheduler:8786": "the same on a cluster",
}
PERFORMANCE, CHUNKS = "performance.csv", "chunks"


def parser(program: str = "surrogacy simulate") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "STUDY [OPTION ...]",
        "Simulates trials with known true effects, and reports bias, coverage and width of every model and interval. "
        "A stopped run goes on where it ended: finished chunks are kept in OUT/chunks.",
        EXAMPLES,
        "0 success, 1 unexpected error, 2 wrong arguments, 4 workers or files failed.",
    )
    group = command.add_argument_group("What to simulate")
    group.add_argument(
        "study",
        metavar="STUDY",
        help="a TOML file (docs/simulation.md), or a topic: models, correlation, prediction, threshold, "
        "meta-regression, two-sets",
    )
    group.add_argument("--chunks", type=int, metavar="N", help="chunks per scenario (default: of the file, or 4)")
    group = command.add_argument_group("Where to compute")
    group.add_argument(
        "--backend",
        default="loky",
        choices=("loky", "dask"),
        help="processes of this machine (loky, the default), or a Dask cluster",
    )
    group.add_argument("--workers", type=int, metavar="N", help="processes on this machine (default: its cores)")
    group.add_argument("--address", metavar="URL", help="scheduler of a Dask cluster (default: one on this machine)")
    group = command.add_argument_group("Output")
    group.add_argument("--out", default="out/simulation", metavar="DIR", help="folder (default out/simulation)")
    group.add_argument("--quiet", action="store_true", help="print no progress and no table")
    add_information(group)
    return command


def main(arguments: Sequence[str] | None = None, program: str = "surrogacy simulate") -> int:
    """Run the command line, and return the exit code; see `surrogacy.cli.fit.main` for the parameters."""
    return run_command(parser(program), _run, arguments)


def _run(options: argparse.Namespace, _: Sequence[str]) -> ExitCode:
    if options.address is not None and options.backend != "dask":
        raise UsageError("--address is that of a Dask scheduler: add --backend dask")
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers}: at least 1 is needed")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread per worker
    from surrogacy.simulation.study import read_study

    study = read_study(options.study, options.chunks)
    try:
        from surrogacy.output.new_files import write_whole
        from surrogacy.simulation.chunk_files import unfinished
        from surrogacy.simulation.execution import simulate_chunks
        from surrogacy.simulation.report import as_csv, as_lines, study_performance
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: python -m pip install 'surrogacy[simulate]'") from error

    chunks, folder = study.every_chunk(), Path(options.out) / CHUNKS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {options.out}: cannot write there ({error.strerror}); give another folder") from error
    left = unfinished(folder, chunks)
    if len(left) < len(chunks) and not options.quiet:
        warn(f"{len(chunks) - len(left)} of {len(chunks)} chunks are finished already")
    with progress(len(left), f"{len(left)} chunks", quiet=options.quiet) as step:

        def finished(chunk: Chunk) -> None:
            step(1)

        simulate_chunks(
            chunks,
            folder,
            backend=options.backend,
            workers=options.workers or os.cpu_count() or 1,
            address=options.address,
            finished=finished,
        )
    rows = tuple(study_performance(study, folder))
    path = Path(options.out) / PERFORMANCE
    write_whole(path, as_csv(rows).encode())
    with result_stream():
        if not options.quiet:
            print("\n".join(as_lines(rows)))
        print(f"Files  {path}, {folder}/")
    return ExitCode.OK
