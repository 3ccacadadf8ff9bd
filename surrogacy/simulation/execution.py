"""Simulation of the chunks of a study by the processes of this machine, or of a Dask cluster.

A chunk is a pure function of its scenario and seed and uses one thread, so that neither the number of workers nor the
backend changes a byte of its file. The main process writes each chunk as soon as a worker returns it; a folder that all
machines can read is not needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import threadpool_limits

import surrogacy
from surrogacy.errors import ProcessError
from surrogacy.simulation.chunk_files import to_parquet, unfinished, write_chunk
from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.study import Chunk

if TYPE_CHECKING:
    from distributed import Client

type Backend = Literal["loky", "dask"]
type Simulated = Callable[[Sequence[Chunk]], Iterator[tuple[Chunk, bytes]]]
BACKENDS: tuple[Backend, ...] = ("loky", "dask")
GOES_ON = "finished chunks are kept, and the same command goes on with the others"
PATIENCE = 20.0  # seconds until a scheduler answers, and until it has a worker
RESTARTS = 3  # in a row in which no chunk is finished
# Warnings of Dask about chunks that are given up when a run ends; another warning, such as one about a worker that
# died, is shown.
ABOUT_THE_END = {
    "distributed.nanny": "Worker process still alive",
    "distributed.worker.state_machine": "ended with CancelledError",
}


def simulated_file(chunk: Chunk, version: str) -> tuple[Chunk, bytes]:
    """Return a chunk with its Parquet file; this function runs in a worker.

    Raises
    ------
    ProcessError
        If the worker has another version of the package, whose results would differ.
    """
    if version != surrogacy.__version__:
        raise ProcessError(f"a worker has surrogacy {surrogacy.__version__}, this process {version}; install the same")
    # no warnings about one of thousands of data sets: an overflow in a search, a division by a residual SD of 0
    with threadpool_limits(1), np.errstate(over="ignore", divide="ignore"):
        try:
            return chunk, to_parquet(simulate_chunk(chunk.scenario, chunk.seed))
        except Exception as error:
            error.add_note(f"in {chunk.label}")
            raise


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
    simulated = _by_cluster(workers, address) if backend == "dask" else _by_processes(workers)
    restarts = 0
    while (left := unfinished(folder, chunks)) and restarts <= RESTARTS:
        first = restarts * workers % len(left)  # those that may have killed a worker come last
        restarts += 1
        for chunk, content in simulated(left[first:] + left[:first]):
            write_chunk(folder, chunk, content)
            finished(chunk)
            restarts = 0
    if left:
        raise ProcessError(
            f"workers ended early {RESTARTS} times, last before {left[0].label} was finished (is the memory "
            f"sufficient?); {GOES_ON}"
        )


def _by_processes(workers: int) -> Simulated:
    """Processes of this machine. If one of them is killed, the results end early."""

    def simulated(chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        jobs = (joblib.delayed(simulated_file)(chunk, surrogacy.__version__) for chunk in chunks)
        with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1), suppress(TerminatedWorkerError):
            yield from joblib.Parallel(return_as="generator_unordered", pre_dispatch="all", batch_size=1)(jobs)

    return simulated


def _by_cluster(workers: int, address: str | None) -> Simulated:
    """Dask cluster at an address, or of this machine. It repeats a chunk whose worker dies, but not without end.

    The client of Dask is used itself: the backend of joblib waits for ever for a chunk that the scheduler has given up.
    """
    from distributed import Client, KilledWorker, LocalCluster, as_completed
    from distributed.client import FutureCancelledError

    def simulated(chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        with ExitStack() as stack:
            if address is None:
                silence_the_end()
                cluster = stack.enter_context(
                    LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
                )
                client = stack.enter_context(Client(cluster))
                client.run(silence_the_end)
            else:
                client = stack.enter_context(_client(address))
            try:
                for future in as_completed(
                    client.map(simulated_file, chunks, version=surrogacy.__version__, pure=False)
                ):
                    with suppress(KilledWorker):
                        yield future.result()
            except FutureCancelledError as error:
                where = "of this machine" if address is None else f"at --address {address}"
                raise ProcessError(f"the Dask scheduler {where} has ended; start it again: {GOES_ON}") from error

    return simulated


def _client(address: str) -> Client:
    """Client of a scheduler that has a worker."""
    from distributed import Client

    try:
        client = Client(address, timeout=f"{PATIENCE:g}s")
    except (OSError, ValueError) as error:
        raise ProcessError(
            f"--address {address}: no Dask scheduler answers there ({error}); start one (dask scheduler), or give "
            "another address, such as tcp://host:8786"
        ) from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        client.close()
        raise ProcessError(
            f"--address {address}: the scheduler has no worker after {PATIENCE:g} s; start some (dask worker {address})"
        ) from error
    return client


def silence_the_end() -> None:
    """Keep `ABOUT_THE_END` off the screen; for every process of a Dask cluster on this machine."""
    for logger in ABOUT_THE_END:
        logging.getLogger(logger).addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a warning states more than that the run ends."""
    return ABOUT_THE_END[record.name] not in record.getMessage()
