"""Replacement of the results in a folder: the earlier results are kept until the new ones are complete.

A run writes into ``OUT/.surrogacy-<process>-<random>/new``, on the same file system as ``OUT``. Then it

1. checks every name that it will replace,
2. writes ``journal.json`` into its stage: names, SHA-256 sums, and the files that exist already,
3. renames each new file to its place, and keeps the earlier file in the stage,
4. removes the files of the earlier run that are no longer written,
5. renames run.json, which lists the SHA-256 of every file, and deletes the journal.

Renaming several files is not atomic. If the process dies between 2 and 5, the next run, or a figure worker that
outlives its parent, completes the replacement from the journal, or restores the earlier files if a new one is damaged.
Until then the sums in run.json do not match the files: see `surrogacy.output.earlier_run.changed_files`.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from surrogacy.errors import OutputError, Stopped, UsageError
from surrogacy.output.earlier_run import PROGRAM, RECORD, earlier_files, is_plain_name, sha256
from surrogacy.output.locks import folder_lock, hold, signals_deferred, sync

STAGE_NAME = re.compile(r"\.surrogacy-[0-9]+-[0-9a-z_]{8}")
JOURNAL = "journal.json"
FOLDERS = ("figures", "tables", "draws")
FILES = ("results.json", "report.html", "bundle.zip", RECORD)


@dataclass(frozen=True)
class Journal:
    """Plan of a replacement.

    Parameters
    ----------
    replace : tuple of str
        Names of the new files in order; run.json is last.
    remove : tuple of str
        Files of the earlier run that are not written again.
    existed : tuple of str
        Names in ``replace`` that exist already.
    folders : tuple of str
        Folders to be created.
    sums : dict of str to str
        SHA-256 of the new files.
    """

    replace: tuple[str, ...]
    remove: tuple[str, ...]
    existed: tuple[str, ...]
    folders: tuple[str, ...]
    sums: dict[str, str]


def check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written to.

    Raises
    ------
    UsageError
        If ``out`` is a file, if neither it nor its nearest existing parent is a writable folder, or if a file or folder
        in it has the name of a folder or file to be written.
    """
    try:
        if os.path.lexists(out) and not out.is_dir():
            kind = "a broken link" if out.is_symlink() and not out.exists() else "a file"
            raise UsageError(f"--out {out}: this is {kind}; give a folder")
        nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            raise UsageError(f"--out {out}: cannot write to {nearest}; give another folder")
        for name in FOLDERS:
            _check_target(out, f"{name}/-")
        for name in FILES:
            _check_target(out, name)
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links
        raise UsageError(f"--out {out}: {_reason(error)}; give another folder") from error


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Create a folder whose files replace those in ``out`` if the block ends without an error.

    Parameters
    ----------
    out : Path
        Created if it does not exist. Files of the same name are replaced, others are kept. Files that an earlier run of
        this program listed in its run.json are removed, so that no old figure remains.

    Yields
    ------
    Path
        Folder to write into; the block also writes run.json.

    Raises
    ------
    UsageError
        As `check_folder`, or if a file cannot be replaced; the earlier results are unchanged.
    OutputError
        If a file cannot be written (full disk).
    """
    check_folder(out)
    created = _make_folder(out)
    try:
        with folder_lock(out):
            _recover(out)
            stage = Path(tempfile.mkdtemp(prefix=f".surrogacy-{os.getpid()}-", dir=out))
            lock = hold(stage / "lock")
    except OSError as error:
        _remove_empty(created)
        raise UsageError(f"--out {out}: cannot write there ({_reason(error)}); give another folder") from error
    except BaseException:
        _remove_empty(created)
        raise
    try:
        (stage / "new").mkdir()
        yield stage / "new"
        _replace(out, stage)
    except OSError as error:
        raise OutputError(f"--out {out}: cannot write ({_reason(error)}); the folder is unchanged") from error
    finally:
        if lock is not None:
            os.close(lock)
        if not (stage / JOURNAL).exists():  # otherwise the next run needs the stage
            shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(created)


def recover(out: Path) -> None:
    """Complete or undo the replacements of interrupted runs in a folder, and remove their stages."""
    with suppress(OSError), folder_lock(out):
        _recover(out)


def _recover(out: Path) -> None:
    for stage in sorted(out.glob(".surrogacy-*")):
        if not STAGE_NAME.fullmatch(stage.name) or stage.is_symlink() or not stage.is_dir():
            continue
        lock = hold(stage / "lock")
        if lock is None:
            continue  # its run is alive
        try:
            _settle(out, stage)
        finally:
            os.close(lock)
        if not (stage / JOURNAL).exists():
            shutil.rmtree(stage, ignore_errors=True)


def _settle(out: Path, stage: Path) -> None:
    """Complete the replacement of an interrupted run; restore the earlier files if a new one is damaged."""
    journal = _read_journal(stage)
    if journal is None:
        return
    with signals_deferred():
        waiting = [name for name in journal.replace if os.path.lexists(stage / "new" / name)]
        try:
            if any(sha256(stage / "new" / name) != journal.sums[name] for name in waiting):
                _undo(out, stage, journal)
            else:
                _complete(out, stage, journal)
        except OSError:
            _undo(out, stage, journal)
        (stage / JOURNAL).unlink()


def _replace(out: Path, stage: Path) -> None:
    """Move the new files into place; on any error restore the earlier ones."""
    with folder_lock(out):
        journal = _plan(out, stage)
        try:
            with signals_deferred():
                _write_journal(stage, journal)
                try:
                    _complete(out, stage, journal)
                except OSError as error:
                    _undo(out, stage, journal)
                    (stage / JOURNAL).unlink()
                    where = error.filename2 or error.filename or out
                    raise UsageError(
                        f"--out {out}: cannot replace {where} ({_reason(error)}); the folder is unchanged"
                    ) from error
                (stage / JOURNAL).unlink()
        except Stopped as stop:
            stop.written = True
            raise


def _plan(out: Path, stage: Path) -> Journal:
    new = stage / "new"
    staged = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    names = [*(name for name in staged if name != RECORD), *(name for name in staged if name == RECORD)]
    for name in names:
        _check_target(out, name)
    for name in names:
        sync(new / name)
    folders = dict.fromkeys(parent for name in names for parent in _parents(name) if not (out / parent).is_dir())
    return Journal(
        replace=tuple(names),
        remove=tuple(name for name in earlier_files(out) if name not in staged),
        existed=tuple(name for name in names if os.path.lexists(out / name)),
        folders=tuple(folders),
        sums={name: sha256(new / name) for name in names},
    )


def _complete(out: Path, stage: Path, journal: Journal) -> None:
    """Carry out the remaining steps of a replacement."""
    for folder in journal.folders:
        (out / folder).mkdir(exist_ok=True)
    for name in journal.replace:
        if name == RECORD:
            _remove_earlier(out, stage, journal.remove)
        source, target, saved = stage / "new" / name, out / name, stage / "old" / name
        if not os.path.lexists(source):
            continue
        if name in journal.existed and not os.path.lexists(saved):
            saved.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(target, saved, follow_symlinks=False)  # so that the name always refers to a complete file
            except (OSError, NotImplementedError):
                if os.path.lexists(target):
                    _move(target, saved, stage.name)
        _move(source, target, stage.name)
    sync(out)


def _remove_earlier(out: Path, stage: Path, names: Sequence[str]) -> None:
    for name in names:
        if os.path.lexists(out / name):
            (stage / "old" / name).parent.mkdir(parents=True, exist_ok=True)
            _move(out / name, stage / "old" / name, stage.name)
    _remove_empty([out / parent for name in names for parent in reversed(_parents(name))])


def _undo(out: Path, stage: Path, journal: Journal) -> None:
    """Restore the earlier files."""
    for name in (*reversed(journal.replace), *journal.remove):
        saved, target = stage / "old" / name, out / name
        if os.path.lexists(saved):
            target.parent.mkdir(parents=True, exist_ok=True)
            _move(saved, target, stage.name)
        elif name in journal.sums and name not in journal.existed and not os.path.lexists(stage / "new" / name):
            target.unlink(missing_ok=True)
        target.with_name(f"{stage.name}.part").unlink(missing_ok=True)
    _remove_empty([out / folder for folder in reversed(journal.folders)])


def _move(source: Path, target: Path, stage: str) -> None:
    """Rename a file; if ``out`` links to another file system, copy it next to the target and rename it there."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f"{stage}.part")
        shutil.copy2(source, partial, follow_symlinks=False)
        sync(partial)
        partial.replace(target)
        source.unlink()


def _check_target(out: Path, name: str) -> None:
    """Refuse a file name that is a folder, or a folder name that is a file."""
    for parent in _parents(name):
        folder = out / parent
        if os.path.lexists(folder) and not folder.is_dir():
            raise UsageError(f"--out {out}: {parent} exists and is not a folder; move it away, or give another folder")
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"--out {out}: cannot write to {parent}; give another folder")
    if (out / name).is_dir() and not (out / name).is_symlink():
        raise UsageError(f"--out {out}: {name} exists and is a folder; move it away, or give another folder")


def _parents(name: str) -> list[str]:
    """Return the parent folders of a file, outermost first."""
    return [parent.as_posix() for parent in reversed(PurePosixPath(name).parents) if parent.parts]


def _write_journal(stage: Path, journal: Journal) -> None:
    draft = stage / f"{JOURNAL}.draft"
    draft.write_text(json.dumps({"program": PROGRAM, **asdict(journal)}), encoding="utf-8")
    sync(draft)
    draft.replace(stage / JOURNAL)
    sync(stage)


def _read_journal(stage: Path) -> Journal | None:
    """Read the journal of a stage; None if this program wrote none."""
    try:
        record = json.loads((stage / JOURNAL).read_text(encoding="utf-8"))
        if record.pop("program") != PROGRAM:
            return None
        sums = record.pop("sums")
        lists = {key: tuple(names) for key, names in record.items()}
        names = [name for key in lists for name in lists[key]]
        if not all(map(is_plain_name, names)) or set(sums) != set(lists["replace"]):
            return None
        return Journal(sums=sums, **lists)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _make_folder(out: Path) -> list[Path]:
    """Create a folder and its parents; return those that were created, innermost first."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        raise UsageError(f"--out {out}: cannot write there ({_reason(error)}); give another folder") from error
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in dict.fromkeys(folders):
        with suppress(OSError):
            folder.rmdir()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
