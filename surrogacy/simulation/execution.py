"""Simulation of the chunks of a study by the processes of this machine, or of a Dask cluster.

A chunk is a pure function of its scenario and seed and uses one thread, so that neither the number of workers nor the
backend changes a byte of its file. The main process writes each chunk as soon as a worker returns it; a folder that all
machines can read is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import threadpool_limits

import surrogacy
from surrogacy.errors import ProcessError
from surrogacy.simulation.chunk_files import to_parquet, unfinished, write_chunk
from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.study import Chunk

type Backend = Literal["loky", "dask"]
BACKENDS: tuple[Backend, ...] = ("loky", "dask")
RESTARTS = 3  # in a row in which no chunk is finished


def simulated_file(chunk: Chunk, version: str) -> tuple[Chunk, bytes]:
    """Return a chunk with its Parquet file; this function runs in a worker.

    Raises
    ------
    ProcessError
        If the worker has another version of the package, whose results would differ.
    """
    if version != surrogacy.__version__:
        raise ProcessError(f"a worker has surrogacy {surrogacy.__version__}, this process {version}; install the same")
    with threadpool_limits(1):
        return chunk, to_parquet(simulate_chunk(chunk.scenario, chunk.seed))


def simulate_chunks(
    chunks: Sequence[Chunk],
    folder: Path,
    *,
    backend: Backend = "loky",
    workers: int = 1,
    address: str | None = None,
    finished: Callable[[Chunk], None] = lambda chunk: None,
) -> None:
    """Simulate the chunks that have no file yet, and write each as soon as it is finished.

    If a worker is killed, the others are restarted with the remaining chunks.

    Parameters
    ----------
    chunks : sequence of Chunk
    folder : Path
        Folder of the Parquet files; it exists.
    backend : {"loky", "dask"}
        Processes of this machine, or a Dask cluster.
    workers : int
        Number of processes on this machine.
    address : str, optional
        Scheduler of a Dask cluster; default: a cluster on this machine.
    finished : callable
        Called after a chunk is written.

    Raises
    ------
    ProcessError
        If workers end early again and again, or cannot be reached.
    """
    with _workers(backend, workers, address):
        restarts = 0
        while (left := unfinished(folder, chunks)) and restarts <= RESTARTS:
            restarts += 1
            for chunk, content in _results(left):
                write_chunk(folder, chunk, content)
                finished(chunk)
                restarts = 0
        if left:
            raise ProcessError(
                f"workers ended early {RESTARTS} times, last before {left[0].label} was finished (is the memory "
                "sufficient?); finished chunks are kept, and the same command goes on with the others"
            )


def _results(chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
    """Results as they are finished; they end early if a worker is killed."""
    jobs = (joblib.delayed(simulated_file)(chunk, surrogacy.__version__) for chunk in chunks)
    try:
        yield from joblib.Parallel(return_as="generator_unordered", pre_dispatch="all", batch_size=1)(jobs)
    except TerminatedWorkerError:
        return


@contextmanager
def _workers(backend: Backend, workers: int, address: str | None) -> Iterator[None]:
    """Processes of a backend; those of this machine end with the block."""
    if backend == "loky":
        with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
            yield
        return
    from distributed import Client, LocalCluster

    if address is not None:
        try:
            client = Client(address, timeout="20s")
        except OSError as error:
            raise ProcessError(f"--address {address}: no Dask scheduler answers there ({error})") from error
        with client, joblib.parallel_config("dask"):
            yield
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        yield
