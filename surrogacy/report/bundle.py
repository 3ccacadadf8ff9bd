"""One ZIP file of a folder; the same files give the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

BUNDLE = "bundle.zip"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of the ZIP format, so that the time of the run does not change the file


def write_bundle(folder: Path) -> None:
    """Write ``bundle.zip`` into a folder, with all files that are there, in the order of their names.

    Parameters
    ----------
    folder : Path
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(folder / BUNDLE, "w") as bundle:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST)
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
