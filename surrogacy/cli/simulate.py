"""Command line: ``surrogacy simulate SCENARIO.toml --backend loky|dask``."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.cli.chunk_progress import chunk_progress
from surrogacy.cli.options import new_command
from surrogacy.cli.shared_options import add_information
from surrogacy.cli.streams import raise_if_stopped, result_stream, warn
from surrogacy.cli.terminal import run_command
from surrogacy.errors import ExitCode, OutputError, Stopped, UsageError

if TYPE_CHECKING:
    from surrogacy.simulation.study import Chunk

EXAMPLES = {
    "study.toml --workers 2": "simulate the scenarios of a file with two processes",
    "threshold --chunks 1": "repeat a part of docs/validation.md",
    "study.toml --backend dask --address tcp://scheduler:8786": "the same on a cluster",
}


def parser(program: str = "surrogacy simulate") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = new_command(
        program,
        "STUDY [OPTION ...]",
        "Simulates trials with known true effects, and reports bias, coverage and width of every model and interval. "
        "A stopped run goes on where it ended: finished chunks are kept in OUT/chunks.",
        EXAMPLES,
        "0 success, 1 workers or files failed, 2 wrong arguments.",
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


def _run(options: argparse.Namespace, _: Sequence[str]) -> int:
    _check(options)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread per worker
    from surrogacy.simulation.study import read_study

    study, out = read_study(options.study, options.chunks), Path(options.out)
    try:
        if options.backend == "dask":
            import distributed  # noqa: F401 - missing without the extra, like the libraries of the next imports
        from surrogacy.output.new_files import write_whole
        from surrogacy.simulation.chunk_files import unfinished
        from surrogacy.simulation.execution import simulate_chunks
        from surrogacy.simulation.report import as_csv, as_lines, study_performance
        from surrogacy.simulation.study_folder import PERFORMANCE, study_folder
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: python -m pip install 'surrogacy[simulate]'") from error

    chunks = study.every_chunk()
    try:
        with study_folder(out) as folder:
            left = len(unfinished(folder, chunks))
            if left < len(chunks) and not options.quiet:
                warn(f"{len(chunks) - left} of {len(chunks)} chunks are finished already")
            with chunk_progress(left, quiet=options.quiet) as step:

                def finished(_: Chunk) -> None:
                    raise_if_stopped()
                    step()

                simulate_chunks(
                    chunks,
                    folder,
                    backend=options.backend,
                    workers=options.workers or os.cpu_count() or 1,
                    address=options.address,
                    finished=finished,
                )
            rows = tuple(study_performance(study, folder))
            write_whole(out / PERFORMANCE, as_csv(rows).encode())
    except OSError as error:
        raise OutputError(
            f"--out {out}: cannot write {error.filename or 'there'} ({error.strerror or error}); finished chunks are "
            "kept, and the same command goes on with the others"
        ) from error
    except KeyboardInterrupt as stop:
        warn(f"interrupted; finished chunks are kept in {folder}, and the same command goes on with the others")
        return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)
    with result_stream():
        if not options.quiet:
            print("\n".join(as_lines(rows)))
        print(f"Files  {out / PERFORMANCE}, {folder}/")
    return ExitCode.OK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other.

    Raises
    ------
    UsageError
    """
    if options.address is not None and options.backend != "dask":
        raise UsageError(f"--address {options.address}: this is a Dask scheduler; add --backend dask")
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers {options.workers}: at least 1 is needed")
    if options.workers is not None and options.address is not None:
        raise UsageError(
            f"--workers {options.workers}: the cluster at --address {options.address} has its own workers; leave out "
            "--workers"
        )
