"""Write a run into its folder: all of it, or nothing."""

from __future__ import annotations

import html
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from surrogacy.analysis import Run
from surrogacy.errors import UsageError
from surrogacy.report.tables import ReportTable

PAGE_STYLE = (
    "body{font:10pt Arial,sans-serif;margin:2em}table{border-collapse:collapse;margin:.4em 0 .2em}"
    "th,td{padding:2px 8px;text-align:left;vertical-align:top}th{border-bottom:1px solid #222}"
    "table{border-top:1.5px solid #222;border-bottom:1.5px solid #222}.note{font-size:8.5pt;max-width:60em}"
)


def check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written to, before any work is done.

    Raises
    ------
    UsageError
        If ``out`` is a file, or neither it nor its nearest existing parent is a folder that can be written to.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: there is a file of that name; give a folder")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise UsageError(f"--out {out}: cannot write to {nearest}; give another folder")


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` whose files move into ``out`` only if the block ends well.

    Parameters
    ----------
    out : Path
        Made if need be; files of the same name are replaced, others are left alone.

    Files that an earlier run listed in its run.json are removed, so that no old figure stays behind.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    UsageError
        As `check_folder`.
    """
    check_folder(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise UsageError(f"--out {out}: cannot write there ({error.strerror}); give another folder") from error
    try:
        yield stage
        for name in _files_of_earlier_run(out):
            (out / name).unlink(missing_ok=True)
        for path in sorted(stage.rglob("*")):
            target = out / path.relative_to(stage)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _files_of_earlier_run(out: Path) -> list[str]:
    """Files of ours in ``out``, as its run.json lists them; none if there is no such list."""
    try:
        names = json.loads((out / "run.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


def write_draws(run: Run, folder: Path) -> list[str]:
    """Write what was sampled as netCDF, one file a set and model, into ``draws/``; nothing if nothing was.

    Returns
    -------
    list of str
        File names.
    """
    sampled = run.sampled
    if sampled:
        (folder / "draws").mkdir()
    names = [f"{result.effects.name}-{result.model}.nc" for result in sampled]
    for result, name in zip(sampled, names, strict=True):
        result.draws.to_netcdf(folder / "draws" / name)
    return names


def write_tables(tables: Sequence[ReportTable], folder: Path) -> list[str]:
    """Write each table as CSV (numbers) and Markdown (for print), and all of them as one HTML page for Word.

    Returns
    -------
    list of str
        File names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names, page = [], []
    for table in tables:
        table.numbers.to_csv(folder / f"{table.name}.csv", index=False, float_format="%.12g", lineterminator="\n")
        note = f"\n\n{table.note}" if table.note else ""
        text = f"# {table.title}\n\n{table.words.to_markdown(index=False, disable_numparse=True)}{note}\n"
        (folder / f"{table.name}.md").write_text(text, encoding="utf-8")
        page.append(f"<h2>{html.escape(table.title)}</h2>{table.words.to_html(index=False, border=0, na_rep='–')}")
        page.append(f'<p class="note">{html.escape(table.note)}</p>')
        names += [f"{table.name}.csv", f"{table.name}.md"]
    document = (
        f"<!doctype html><meta charset=utf-8><title>surrogacy: tables</title><style>{PAGE_STYLE}</style>{''.join(page)}\n"
    )
    (folder / "tables.html").write_text(document, encoding="utf-8")
    return [*names, "tables.html"]
