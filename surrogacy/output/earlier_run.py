"""Record of an earlier run in a folder: the files of this program, and those that have changed since."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

PROGRAM = "surrogacy"
RECORD = "run.json"
MAX_RECORD_BYTES = 64 * 2**20


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_plain_name(name: object) -> bool:
    """Return whether this is a relative name in normal form, without ``..``; the program writes no others.

    Parameters
    ----------
    name : object
        Entry of a JSON document.
    """
    if not isinstance(name, str) or not name or any(sign in name for sign in "\0\\:"):
        return False
    path = PurePosixPath(name)
    return path.as_posix() == name and not path.is_absolute() and not {".", ".."} & set(path.parts)


def read_record(out: Path) -> Mapping[str, object]:
    """Read run.json if this program wrote it; an empty mapping otherwise.

    The key ``program`` marks it. Version 0.3.0 and earlier did not write that key: their ``command`` identifies them.
    """
    path = out / RECORD
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_RECORD_BYTES:  # reading a pipe would block
            return {}
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(record, dict):
        return {}
    command = record.get("command")
    by_command = "version" in record and isinstance(command, str) and command.startswith("python -m surrogacy")
    ours = record["program"] == PROGRAM if "program" in record else by_command
    return record if ours else {}


def earlier_files(out: Path) -> list[str]:
    """List the files that an earlier run wrote in a folder and that are unchanged since.

    A file whose content differs from the recorded SHA-256 now belongs to the user and is not listed.
    """
    record = read_record(out)
    names, sums = record.get("files"), record.get("sha256")
    if not isinstance(names, list):
        return []
    sums = sums if isinstance(sums, dict) else {}
    return [name for name in dict.fromkeys(filter(is_plain_name, names)) if _is_ours(out, name, sums.get(name))]


def _is_ours(out: Path, name: str, recorded: object) -> bool:
    path = out / name
    try:
        inside = path.parent.resolve().is_relative_to(out.resolve())
        return inside and stat.S_ISREG(path.lstat().st_mode) and recorded in (None, sha256(path))
    except (OSError, ValueError):
        return False


def changed_files(out: Path) -> list[str]:
    """List the files that are missing or differ from the record: empty for a complete result of one run.

    Parameters
    ----------
    out : Path
        Folder of a run.

    Returns
    -------
    list of str
        ``["run.json"]`` if there is no record with SHA-256 sums.
    """
    sums = read_record(out).get("sha256")
    if not isinstance(sums, dict):
        return [RECORD]
    return [
        name
        for name, recorded in sums.items()
        if not is_plain_name(name) or not (out / name).is_file() or sha256(out / name) != recorded
    ]
