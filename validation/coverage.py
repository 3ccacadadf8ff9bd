"""Coverage of the intervals by simulation: validation/coverage/TOPIC.csv and docs/validation.md.

``python validation/coverage.py correlation prediction`` simulates topics as ``surrogacy simulate`` does (4 chunks of
500 data sets per scenario, of 100 for all models) and writes their summaries; ``--chunks N`` simulates N chunks. A
stopped run goes on where it ended. It then writes docs/validation.md from all summaries; without a topic, that is all
it does. Explanations are in validation/coverage.toml.
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
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path

from surrogacy.simulation.chunk_files import unfinished
from surrogacy.simulation.chunks import TOPICS
from surrogacy.simulation.execution import simulate_chunks
from surrogacy.simulation.performance import Performance
from surrogacy.simulation.report import as_csv, study_performance
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS, scenarios
from surrogacy.simulation.study import Chunk, read_study

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "coverage"
DOCUMENT = HERE.parent / "docs" / "validation.md"
CHUNKS = 4
TEXT_COLUMNS = ("scenario", "procedure", "target", "version", "date")


@dataclass(frozen=True)
class Row:
    """Row of a summary: a scenario, a number of trials, and the performance of a procedure."""

    scenario: str
    k: int
    performance: Performance
    version: str
    date: str


def simulate(topic: str, chunks: int, folder: Path, workers: int) -> None:
    """Simulate every scenario of a topic, and write its summary, which replaces that of an earlier simulation.

    Chunks that the folder contains already are not repeated.
    """
    study, start, done = read_study(topic, chunks), time.monotonic(), count(1)
    every = study.every_chunk()
    folder.mkdir(parents=True, exist_ok=True)
    left = len(unfinished(folder, every))

    def finished(chunk: Chunk) -> None:
        print(f"{chunk.label}: {next(done)} of {left}, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)

    simulate_chunks(every, folder, workers=workers, finished=finished)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    text = as_csv(study_performance(study, folder), {"date": today})
    (FOLDER / f"{topic}.csv").write_text(text, encoding="utf-8")


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
            command = f"python validation/coverage.py {topic}{_chunks_option(topic, largest)}"
            parts.append(
                f"Simulated by `{command}` (version {rows[0].version}, {rows[0].date});\n"
                f"{largest:,} data sets per cell unless stated. `validation/coverage/{topic}.csv` also\n"
                "contains mean widths, bias and its Monte Carlo error."
            )
            targets = dict.fromkeys(row.performance.target for row in rows)
            for target in targets:
                parts.append(_table(target, [row for row in rows if row.performance.target == target], largest))
    return "\n\n".join(parts) + "\n"


def _chunks_option(topic: str, largest: int) -> str:
    """Option that repeats a simulation with another number of chunks than the default."""
    chunks, rest = divmod(largest, scenarios(topic)[0].data_sets)
    return "" if rest or chunks == CHUNKS else f" --chunks {chunks}"


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
    parser.add_argument("--chunks", type=int, default=CHUNKS, help="chunks per scenario")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=Path("out/coverage"), help="folder of the chunks, which are kept")
    options = parser.parse_args()
    for topic in options.topics:
        simulate(topic, options.chunks, options.out / topic, options.workers)
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
