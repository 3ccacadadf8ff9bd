"""Files that are written together, none of which may replace another file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from surrogacy.errors import OutputError, UsageError
from surrogacy.output.locks import signals_deferred, sync

PARTIAL = ".partial"


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, such as the stage of a replacement.

    Parameters
    ----------
    folder : Path
    contents : mapping of str to bytes
        Content by name; a name may contain a folder.
    """
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as a whole, in place of an earlier one: a process that is stopped leaves no part of it.

    Parameters
    ----------
    path : Path
        What a stopped process has written has this name with the ending ``.partial``.
    content : bytes
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    partial.write_bytes(content)
    partial.replace(path)


def write_new_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write several files, all or none, and replace no file.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    texts : mapping of str to str
        Text by file name.

    Raises
    ------
    UsageError
        If a file of one of these names exists, or the folder cannot be written to.
    OutputError
        If a file cannot be written (full disk).
    """
    for name in texts:
        if os.path.lexists(folder / name):
            raise UsageError(f"--out {folder / name}: it exists already; move it away, or give another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".surrogacy-", dir=folder))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"--out {folder}: cannot write there ({reason}); give another folder") from error
    written: list[Path] = []
    try:
        write_files(stage, {name: text.encode() for name, text in texts.items()})
        with signals_deferred():
            for name in texts:
                sync(stage / name)
                (stage / name).replace(folder / name)
                written.append(folder / name)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise OutputError(f"--out {folder}: cannot write ({error.strerror or error}); nothing was written") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
