"""Performance of a study as a table: CSV and lines for a screen."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import surrogacy
from surrogacy.simulation.chunk_files import chunk_path, from_parquet
from surrogacy.simulation.performance import Performance, summarise
from surrogacy.simulation.scenarios import Scenario
from surrogacy.simulation.study import Chunk, Study

DIGITS = "{:.6g}"


@dataclass(frozen=True)
class ScenarioPerformance:
    """Performance of every procedure in a scenario."""

    scenario: Scenario
    performance: tuple[Performance, ...]


def study_performance(study: Study, folder: Path) -> Iterator[ScenarioPerformance]:
    """Summarise the finished chunks of each scenario, in the order of their seeds."""
    for scenario in study.scenarios:
        files = [chunk_path(folder, Chunk(scenario, seed)) for seed in range(study.chunks)]
        yield ScenarioPerformance(scenario, summarise(map(from_parquet, files)))


def as_csv(rows: Iterable[ScenarioPerformance]) -> str:
    """Return one line per scenario, procedure and target; numbers have six digits."""
    records = [
        {
            "scenario": row.scenario.name,
            "k": row.scenario.k,
            **asdict(performance),
            "version": surrogacy.__version__,
        }
        for row in rows
        for performance in row.performance
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow(
            {name: DIGITS.format(value) if isinstance(value, float) else value for name, value in record.items()}
        )
    return file.getvalue()


def as_lines(rows: Iterable[ScenarioPerformance]) -> Iterator[str]:
    """Return the coverage with its Monte Carlo error, the median width and the bias, target by target."""
    for row in rows:
        first = row.performance[0]
        yield f"{row.scenario.name}, k = {row.scenario.k}: {first.data_sets:,} data sets"
        for target in dict.fromkeys(performance.target for performance in row.performance):
            yield f"  {target:<58}{'coverage':>15}{'width':>8}{'bias':>8}{'none':>6}"
            for performance in row.performance:
                if performance.target == target:
                    yield _line(performance)


def _line(performance: Performance) -> str:
    coverage = "no interval"
    if not math.isnan(performance.coverage):
        coverage = f"{performance.coverage:.3f} ± {performance.coverage_error:.3f}"
    numbers = [
        "" if math.isnan(value) else f"{value:.2f}".replace("inf", "∞")
        for value in (performance.median_width, performance.bias)
    ]
    none = f"{performance.failures:.0%}" if performance.failures else ""
    return f"    {performance.procedure:<56}{coverage:>15}{numbers[0]:>8}{numbers[1]:>8}{none:>6}".rstrip()
