"""Results of chunks as Parquet; the same chunk gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from surrogacy.errors import OutputError
from surrogacy.output.new_files import PARTIAL, write_whole
from surrogacy.simulation.performance import Outcome
from surrogacy.simulation.study import Chunk

NUMBERS = ("coverage", "width", "error")


def to_parquet(outcomes: Sequence[Outcome]) -> bytes:
    """Return the outcomes of a chunk as a Parquet file, one row per procedure, target and data set."""
    sizes = [len(outcome.coverage) for outcome in outcomes]
    columns = {
        "procedure": pa.array(np.repeat([outcome.procedure for outcome in outcomes], sizes)).dictionary_encode(),
        "target": pa.array(np.repeat([outcome.target for outcome in outcomes], sizes)).dictionary_encode(),
        "data_set": pa.array(np.concatenate([np.arange(size) for size in sizes])),
    }
    for name in NUMBERS:
        columns[name] = pa.array(np.concatenate([getattr(outcome, name) for outcome in outcomes]))
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def from_parquet(content: bytes | Path) -> tuple[Outcome, ...]:
    """Return the outcomes of a Parquet file, in their order.

    Raises
    ------
    OutputError
        If a file is damaged.
    """
    try:
        table = pq.read_table(io.BytesIO(content) if isinstance(content, bytes) else content)
    except pa.ArrowInvalid as error:
        raise OutputError(f"{content!s}: not a whole Parquet file; delete it, and repeat the command") from error
    procedure, target = (table[name].to_numpy(zero_copy_only=False) for name in ("procedure", "target"))
    starts = np.flatnonzero(table["data_set"].to_numpy() == 0)
    values = {name: table[name].to_numpy() for name in NUMBERS}
    pieces = zip(starts, [*starts[1:], table.num_rows], strict=True)
    return tuple(
        Outcome(str(procedure[a]), str(target[a]), *(values[name][a:b] for name in NUMBERS)) for a, b in pieces
    )


def chunk_path(folder: Path, chunk: Chunk) -> Path:
    """Return the file of a chunk."""
    return folder / f"{chunk.key}.parquet"


def write_chunk(folder: Path, chunk: Chunk, content: bytes) -> None:
    """Write the file of a chunk as a whole: a run that is stopped leaves no part of it."""
    write_whole(chunk_path(folder, chunk), content)


def unfinished(folder: Path, chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Return the chunks without a file; files that a stopped run left in part are removed."""
    for partial in folder.glob(f"*{PARTIAL}"):
        partial.unlink(missing_ok=True)
    return tuple(chunk for chunk in chunks if not chunk_path(folder, chunk).exists())
