"""Folder of a study: one run at a time, and no empty folder is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from surrogacy.errors import UsageError
from surrogacy.output.locks import hold
from surrogacy.output.replacement import check_folder

PERFORMANCE, CHUNKS, LOCK = "performance.csv", "chunks", ".simulation.lock"


@contextmanager
def study_folder(out: Path) -> Iterator[Path]:
    """Create the folder of a study, and lock it until the block ends.

    Parameters
    ----------
    out : Path

    Yields
    ------
    Path
        Folder of the chunks. If the block writes nothing, the folders that were created here are removed.

    Raises
    ------
    UsageError
        If the folder cannot be written to, or another run writes there.
    """
    check_folder(out)
    folder, table = out / CHUNKS, out / PERFORMANCE
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {out}: {folder} is a file; move it away, or give another folder")
    if table.is_dir():
        raise UsageError(f"--out {out}: {table} is a folder; move it away, or give another folder")
    created = [path for path in (folder, out, *out.absolute().parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = hold(out / LOCK)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot write there ({error.strerror}); give another folder") from error
    if lock is None:
        raise UsageError(f"--out {out}: another simulation writes there; wait for its end, or give another folder")
    try:
        yield folder
    finally:
        (out / LOCK).unlink(missing_ok=True)
        os.close(lock)
        with suppress(OSError):  # a folder that is not empty
            for path in created:
                path.rmdir()
