"""ZIP archives whose bytes depend on their content alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from io import BytesIO

EARLIEST = (1980, 1, 1, 0, 0, 0)  # of the ZIP format, so that the time of the run does not change the file


def archive(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a ZIP archive with a constant time and mode for every entry.

    Parameters
    ----------
    entries : iterable of (str, bytes)
        Names and contents, in their order.

    Examples
    --------
    >>> archive([("a.txt", b"a")]) == archive([("a.txt", b"a")])
    True
    """
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()
