"""The earlier result stays until the new one is complete, and only files of this program are removed."""

import errno
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from surrogacy.errors import UsageError
from surrogacy.output import replacement
from surrogacy.output.earlier_run import changed_files, earlier_files, sha256
from surrogacy.output.replacement import recover, staging

EARLIER = {"results.json": "1", "tables/a.csv": "a1", "figures/old.svg": "old"}
NEW = {"results.json": "2", "tables/a.csv": "a2", "figures/new.svg": "new", "draws/x.nc": "x"}


def write(out, files, **record):
    with staging(out) as stage:
        for name, text in files.items():
            path = stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        sums = {name: sha256(stage / name) for name in files}
        (stage / "run.json").write_text(
            json.dumps({"program": "surrogacy", "files": list(files), "sha256": sums, **record})
        )


def content(out):
    return {
        path.relative_to(out).as_posix(): path.read_text()
        for path in out.rglob("*")
        if path.is_file() and path.name not in ("run.json", "thesis.txt")
    }


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    write(folder, EARLIER)
    (folder / "thesis.txt").write_text("mine")
    return folder


@pytest.fixture
def moves(monkeypatch):
    """Let the k-th move fail: ``moves(k, error)``."""
    move = replacement._move

    def fail_at(k, error):
        count = 0

        def moved(*arguments):
            nonlocal count
            count += 1
            if count == k:
                raise error
            move(*arguments)

        monkeypatch.setattr(replacement, "_move", moved)

    return fail_at


class Killed(BaseException):
    """Stands for SIGKILL: nothing is tidied up."""


@contextmanager
def sudden_death(monkeypatch):
    """End a block as KILL does: no undo, no removal of the stage."""
    with monkeypatch.context() as patch:
        patch.setattr(replacement.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            yield


def test_a_new_result_replaces_the_earlier_one_and_nothing_else(out):
    write(out, NEW)
    assert content(out) == NEW
    assert (out / "thesis.txt").read_text() == "mine"
    assert changed_files(out) == []
    assert not list(out.glob(".surrogacy-*"))


def test_a_mixed_folder_is_detected(out):
    (out / "tables" / "a.csv").write_text("a2")
    assert changed_files(out) == ["tables/a.csv"]
    (out / "run.json").unlink()
    assert changed_files(out) == ["run.json"]


@pytest.mark.parametrize("k", range(1, 7))
def test_an_error_at_any_replacement_restores_the_earlier_result(out, moves, k):
    moves(k, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(UsageError, match="Input/output error"):
        write(out, NEW)
    assert content(out) == EARLIER
    assert changed_files(out) == []
    assert not (out / "draws").exists()
    assert not list(out.glob(".surrogacy-*"))


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("damaged", [False, True])
def test_the_next_run_settles_what_a_dead_one_left(out, moves, monkeypatch, k, damaged):
    moves(k, Killed())
    with sudden_death(monkeypatch):
        write(out, NEW)
    monkeypatch.undo()
    (stage,) = out.glob(".surrogacy-*")
    assert (stage / "journal.json").exists()
    if damaged:  # a new file that was lost with the power
        (stage / "new" / "run.json").write_text("")
    recover(out)
    assert content(out) == (EARLIER if damaged else NEW)
    assert changed_files(out) == []
    assert not list(out.glob(".surrogacy-*"))
    assert (out / "thesis.txt").read_text() == "mine"


def test_without_hard_links_the_earlier_files_are_moved_aside(out, moves, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    moves(4, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(UsageError):
        write(out, NEW)
    assert content(out) == EARLIER
    moves(99, OSError())
    write(out, NEW)
    assert content(out) == NEW


def test_the_stage_of_a_living_run_stays(out):
    with staging(out) as stage:
        recover(out)
        assert stage.is_dir()
        write(out, NEW)  # a second run into the same folder
        assert stage.is_dir()
        (stage / "results.json").write_text("3")
        (stage / "run.json").write_text('{"program": "surrogacy", "files": ["results.json"]}')
    assert content(out) == {"results.json": "3"}


@pytest.mark.parametrize(
    ("name", "is_folder"), [("figures", False), ("tables", False), ("results.json", True), ("run.json", True)]
)
def test_a_target_of_the_wrong_kind_is_refused_before_any_work(tmp_path, name, is_folder):
    target = tmp_path / name
    target.mkdir() if is_folder else target.write_text("mine")
    with pytest.raises(UsageError, match=name), staging(tmp_path):
        pytest.fail("work was begun")
    assert target.is_dir() == is_folder
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_target_of_the_wrong_kind_that_appears_later_leaves_everything(out):
    (out / "draws").write_text("mine")
    with pytest.raises(UsageError, match="draws"):
        write(out, NEW)
    assert content(out) == {**EARLIER, "draws": "mine"}


@pytest.mark.parametrize("link_in", ["out", "figures"])
@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system")
def test_a_link_to_another_file_system(tmp_path, link_in):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if Path(elsewhere).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("no second file system")
        out = tmp_path / "out"
        if link_in == "out":
            out.symlink_to(elsewhere)
        else:
            out.mkdir()
            (out / "figures").symlink_to(elsewhere)
        write(out, {"results.json": "1", "figures/a.svg": "a1"})
        write(out, {"results.json": "2", "figures/a.svg": "a2"})
        assert (out / "figures" / "a.svg").read_text() == "a2"
        assert changed_files(out) == []
        assert not [path for path in Path(elsewhere).rglob("*") if "surrogacy-" in path.name]


@pytest.mark.parametrize(
    "record",
    [
        '{"files": ["thesis.txt"]}',
        '{"program": "another", "command": "python -m surrogacy.fit", "version": "1", "files": ["thesis.txt"]}',
        '{"command": "make", "version": "1", "files": ["thesis.txt"]}',
        '["thesis.txt"]',
        '{"program": "surrogacy", "files": "thesis.txt"}',
        '{"program": "surrogacy", "files": {"thesis.txt": 1}}',
        '{"program": "surrogacy", "files": [1, null, ["thesis.txt"], "figures", ".", "", "../beside.txt", '
        '"figures/../thesis.txt"]}',
        '{"program": "surrogacy", "files": ["\\u0000", "linked/beside.txt", "ABSOLUTE", "link.txt"]}',
        '{"program": "surrogacy", "files": ["thesis.txt"], "sha256": {"thesis.txt": "0"}}',
        "[" * 100000,
        "not JSON",
    ],
)
def test_a_record_of_another_program_or_with_odd_names_removes_nothing(tmp_path, record):
    out = tmp_path / "out"
    (out / "figures").mkdir(parents=True)
    (tmp_path / "beside.txt").write_text("mine")
    (out / "linked").symlink_to(tmp_path)
    (out / "link.txt").symlink_to(tmp_path / "beside.txt")
    (out / "thesis.txt").write_text("mine")
    (out / "run.json").write_text(record.replace("ABSOLUTE", str(out / "thesis.txt")))
    assert earlier_files(out) == []
    write(out, NEW)
    assert (out / "thesis.txt").read_text() == (tmp_path / "beside.txt").read_text() == "mine"
    assert (out / "link.txt").is_symlink()
    assert (out / "figures" / "new.svg").exists()


def test_a_record_of_version_0_3_0_is_known_by_its_command(tmp_path):
    (tmp_path / "old.svg").write_text("old")
    record = {"command": "python -m surrogacy.fit", "version": "0.3.0", "files": ["old.svg", "run.json"]}
    (tmp_path / "run.json").write_text(json.dumps(record))
    write(tmp_path, NEW)
    assert not (tmp_path / "old.svg").exists()


def test_a_file_that_the_user_has_changed_is_not_removed(out):
    (out / "figures" / "old.svg").write_text("edited")
    write(out, NEW)
    assert (out / "figures" / "old.svg").read_text() == "edited"


def test_a_pipe_named_run_json_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "run.json")
    assert earlier_files(tmp_path) == []


def test_a_folder_that_was_made_for_a_failed_run_is_gone(tmp_path):
    def fail():
        with staging(tmp_path / "a" / "b"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
