"""One ZIP file of a folder; the same files give the same bytes."""

from __future__ import annotations

from pathlib import Path

from surrogacy.output.archive import archive

BUNDLE = "bundle.zip"


def write_bundle(folder: Path) -> None:
    """Write ``bundle.zip`` into a folder, with all files that are there, in the order of their names.

    Parameters
    ----------
    folder : Path
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    content = archive((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)
    (folder / BUNDLE).write_bytes(content)
