"""Simulation studies: cost of each topic, scaling from 1 to 2 workers, and an estimate for a cluster of 100 workers.

Run by hand from the project's folder, on a machine without other work: python benchmarks/simulation.py

It takes about two minutes and prints Markdown for benchmarks/README.md. The cost of a topic is the mean CPU time of its
chunks over the typical scenario with 6, 9, 16 and 45 trials, after the imports. Scaling is the wall time of the same
chunks with one and with two processes that are already running, relative to one another. The overhead of the scheduler
is the wall time per chunk of a Dask cluster of this machine that computes nothing: the file of a chunk travels to a
worker and back, and is written.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster, as_completed

from surrogacy.simulation.chunk_files import to_parquet, write_chunk
from surrogacy.simulation.chunks import TOPICS, simulate_chunk
from surrogacy.simulation.execution import BACKENDS, Backend, simulate_chunks
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS, Scenario, scenarios
from surrogacy.simulation.study import Chunk, Study

CELL = 10_000  # data sets per cell: a Monte Carlo error of 0.002 for a coverage of 0.95
CLUSTER = 100  # workers of the cluster of the estimate
# Data sets of the measured chunks; in the other topics those of a chunk, because their cost is not proportional.
SAMPLE = {"models": 20, "threshold": 60, "two-sets": 12}
TASKS = 500  # chunks without computation
SCALED = 12  # chunks whose wall time is measured with one and with two workers


@dataclass(frozen=True)
class Cost:
    """Cost of a topic.

    Parameters
    ----------
    topic : str
    cells : int
        Scenarios with a number of trials.
    data_sets : int
        In a chunk.
    seconds : float
        CPU time of a chunk.
    """

    topic: str
    cells: int
    data_sets: int
    seconds: float

    @property
    def chunks(self) -> int:
        """Chunks of the study with `CELL` data sets per cell."""
        return self.cells * math.ceil(CELL / self.data_sets)

    @property
    def total(self) -> float:
        """CPU seconds of the study."""
        return self.chunks * self.seconds

    def on_cluster(self, overhead: float) -> float:
        """Wall seconds with `CLUSTER` workers: whole rounds of chunks, or the scheduler if it takes longer."""
        return max(math.ceil(self.chunks / CLUSTER) * self.seconds, self.chunks * overhead)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def wall_seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def typical(topic: str) -> list[Scenario]:
    return [scenario for scenario in scenarios(topic) if scenario.name == "typical"]


def cost(topic: str) -> Cost:
    measured = []
    for scenario in typical(topic):
        size = SAMPLE.get(topic, scenario.data_sets)
        simulate_chunk(replace(scenario, data_sets=2), 0)  # imports
        seconds = cpu_seconds(lambda s=scenario, n=size: to_parquet(simulate_chunk(replace(s, data_sets=n), 1)))
        measured.append(seconds * scenario.data_sets / size)
    return Cost(topic, len(scenarios(topic)), scenario.data_sets, statistics.mean(measured))


def scaling(backend: Backend) -> tuple[float, float]:
    """Wall times with one and two workers; the start of the processes is not part of them."""
    scenario = replace(next(s for s in typical("models") if s.k == 16), data_sets=5)
    every = Study((scenario,), SCALED + 4).every_chunk()
    times = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            ends: list[float] = []
            finished = lambda _, ends=ends: ends.append(time.perf_counter())  # noqa: E731 - called after each chunk
            simulate_chunks(every, Path(name), backend=backend, workers=workers, finished=finished)
            times.append(ends[-1] - ends[3])  # the first chunks include the imports of the workers
    return times[0], times[1]


def of_size(chunk: Chunk, size: int) -> tuple[Chunk, bytes]:
    return chunk, np.random.default_rng(chunk.seed).bytes(size)


def overhead() -> tuple[float, int]:
    """Wall time per chunk without computation, and the size of its file."""
    scenario = replace(typical("models")[0], data_sets=10)
    size = 10 * len(to_parquet(simulate_chunk(scenario, 0)))  # about that of 100 data sets
    chunks = [Chunk(scenario, seed) for seed in range(TASKS)]
    with (
        tempfile.TemporaryDirectory() as name,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):

        def run(some: list[Chunk]) -> None:
            for future in as_completed(client.map(of_size, some, size=size, pure=False)):
                write_chunk(Path(name), *future.result())

        run(chunks[:100])
        return wall_seconds(lambda: run(chunks)) / TASKS, size


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def main() -> None:
    costs = []
    for topic in TOPICS:
        print(f"cost of {topic}", file=sys.stderr, flush=True)
        costs.append(cost(topic))
    ratios = {}
    for backend in BACKENDS:
        print(f"scaling with {backend}", file=sys.stderr, flush=True)
        one, two = scaling(backend)
        ratios[backend] = one / two
    per_task, size = overhead()
    milliseconds = f"{1000 * per_task:.1f} ms"
    sizes = ", ".join(map(str, NUMBERS_OF_TRIALS))
    text = f"""\
The wall time of {SCALED} chunks of topic `models` with one worker is {ratios["loky"]:.2f} times that with two (loky),
and {ratios["dask"]:.2f} times (Dask). A chunk of {size / 1000:.0f} kB without computation takes {milliseconds} of a
Dask scheduler, its client and two workers on this machine. CPU times are means of sets of {sizes} trials of
the typical scenario. With {CELL:,} data sets per cell, the Monte Carlo error of a coverage of 0.95 is 0.002.

| Topic | Cells | CPU per data set | Data sets a chunk | CPU a chunk | Chunks | CPU | 2 workers | {CLUSTER} workers |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""
    for each in costs:
        cells = (
            f"`{each.topic}`",
            f"{each.cells}",
            f"{1000 * each.seconds / each.data_sets:.1f} ms",
            f"{each.data_sets}",
            f"{each.seconds:.1f} s",
            f"{each.chunks:,}",
            duration(each.total),
            duration(each.total / ratios["loky"]),
            duration(each.on_cluster(per_task)),
        )
        text += f"| {' | '.join(cells)} |\n"
    text += f"""
Chunks and the last three columns are those of {CELL:,} data sets per cell. The last is an estimate for {CLUSTER}
workers like a core of this machine: whole rounds of chunks, or {milliseconds} per chunk if the scheduler takes longer.
It feeds {CLUSTER} workers if a chunk takes at least {CLUSTER * per_task:.1f} s; `data_sets` determines this time.
"""
    print(text)


if __name__ == "__main__":
    main()
