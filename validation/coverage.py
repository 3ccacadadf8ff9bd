"""Coverage of the intervals by simulation: validation/coverage/TOPIC.csv and docs/validation.md.

``python validation/coverage.py correlation prediction`` simulates topics (4 chunks of 500 data sets per scenario) as
``surrogacy simulate`` does, and writes their summaries; ``--chunks N`` simulates N chunks. A stopped run goes on where
it ended. It then writes docs/validation.md from all summaries; without a topic, that is all it does. Explanations are
in validation/coverage.toml.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import datetime
import math
import sys
import time
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import surrogacy
from surrogacy.simulation.chunk_files import unfinished
from surrogacy.simulation.chunks import TOPICS
from surrogacy.simulation.execution import simulate_chunks
from surrogacy.simulation.performance import Performance
from surrogacy.simulation.report import study_performance
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS
from surrogacy.simulation.study import Chunk, read_study

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "coverage"
DOCUMENT = HERE.parent / "docs" / "validation.md"
CHUNKS = 4
DIGITS = "{:.6g}"
TEXT_COLUMNS = ("scenario", "procedure", "target", "version", "date")


@dataclass(frozen=True)
class Row:
    """Row of a summary: a scenario, a number of trials, and the performance of a procedure."""

    scenario: str
    k: int
    performance: Performance
    version: str
    date: str


def simulate(topic: str, chunks: int, folder: Path, workers: int) -> list[Row]:
    """Simulate every scenario of a topic; chunks that the folder contains already are not repeated."""
    study, start = read_study(topic, chunks), time.monotonic()
    today, every = datetime.datetime.now(tz=datetime.UTC).date().isoformat(), study.every_chunk()
    folder.mkdir(parents=True, exist_ok=True)

    def finished(chunk: Chunk) -> None:
        left = len(unfinished(folder, every))
        print(f"{chunk.label}: {left} of {len(every)} left, {time.monotonic() - start:.0f} s", file=sys.stderr)

    simulate_chunks(every, folder, workers=workers, finished=finished)
    return [
        Row(row.scenario.name, row.scenario.k, performance, surrogacy.__version__, today)
        for row in study_performance(study, folder)
        for performance in row.performance
    ]


def write_rows(topic: str, rows: Iterable[Row]) -> None:
    """Write the summaries of a topic, which replace those of an earlier simulation; numbers have six digits."""
    records = [
        {"scenario": row.scenario, "k": row.k, **asdict(row.performance), "version": row.version, "date": row.date}
        for row in rows
    ]
    with (FOLDER / f"{topic}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        writer.writeheader()
        for record in records:
            writer.writerow(
                {name: DIGITS.format(value) if isinstance(value, float) else value for name, value in record.items()}
            )


def read_rows(topic: str) -> list[Row]:
    """Read the summaries of a topic; none if it has not been simulated."""
    path = FOLDER / f"{topic}.csv"
    if not path.exists():
        return []
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for record in csv.DictReader(file):
            values = {
                field.name: record[field.name] if field.name in TEXT_COLUMNS else float(record[field.name])
                for field in fields(Performance)
            }
            values["data_sets"] = int(float(record["data_sets"]))
            rows.append(
                Row(record["scenario"], int(record["k"]), Performance(**values), record["version"], record["date"])
            )
    return rows


def document() -> str:
    """Return the text of docs/validation.md."""
    with (HERE / "coverage.toml").open("rb") as file:
        texts = tomllib.load(file)
    parts = [texts["introduction"].strip()]
    for topic in TOPICS:
        rows = read_rows(topic)
        if rows:
            largest, words = max(row.performance.data_sets for row in rows), texts["topics"][topic]
            parts.append(f"## {words['title']}\n\n{words['text'].strip()}")
            parts.append(
                f"Simulated by `python validation/coverage.py {topic}` (version {rows[0].version}, {rows[0].date});\n"
                f"{largest:,} data sets per cell unless stated. `validation/coverage/{topic}.csv` also\n"
                "contains mean widths, bias and its Monte Carlo error."
            )
            targets = dict.fromkeys(row.performance.target for row in rows)
            for target in targets:
                parts.append(_table(target, [row for row in rows if row.performance.target == target], largest))
    return "\n\n".join(parts) + "\n"


def _table(target: str, rows: list[Row], largest: int) -> str:
    """Return the table of a target: a row per scenario and procedure, a column per number of trials."""
    lines = [
        f"**{target[0].upper()}{target[1:]}**\n",
        "| Scenario | Procedure | " + " | ".join(f"k = {k}" for k in NUMBERS_OF_TRIALS) + " |",
        "|---|---|" + "---|" * len(NUMBERS_OF_TRIALS),
    ]
    keys = dict.fromkeys((row.scenario, row.performance.procedure) for row in rows)
    cells = {(row.scenario, row.performance.procedure, row.k): row.performance for row in rows}
    for scenario, procedure in keys:
        values = " | ".join(_cell(cells.get((scenario, procedure, k)), largest) for k in NUMBERS_OF_TRIALS)
        lines.append(f"| {scenario} | {procedure} | {values} |")
    return "\n".join(lines)


def _cell(performance: Performance | None, largest: int) -> str:
    """Return coverage with its Monte Carlo error, median width, the share without an interval, and a smaller number."""
    if performance is None:
        return ""
    if performance.failures == 1.0:
        return "no interval"
    width = "" if math.isnan(performance.median_width) else f"; {performance.median_width:.2f}".replace("inf", "∞")
    absent = f"; {performance.failures:.0%} none" if performance.failures >= 0.005 else ""
    fewer = f"; {performance.data_sets:,} data sets" if performance.data_sets < largest else ""
    return f"{performance.coverage:.3f} ± {performance.coverage_error:.3f}{width}{absent}{fewer}"


def main() -> None:
    """Simulate the topics of the command line, and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", help=f"{', '.join(TOPICS)}")
    parser.add_argument("--chunks", type=int, default=CHUNKS, help="chunks of 500 data sets per scenario")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=Path("out/coverage"), help="folder of the chunks, which are kept")
    options = parser.parse_args()
    for topic in options.topics:
        write_rows(topic, simulate(topic, options.chunks, options.out / topic, options.workers))
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
