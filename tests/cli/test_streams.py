"""Standard streams, environment and names as they occur: one line, the right exit code, never a traceback."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest

from surrogacy.analysis.stages import Task, in_order
from surrogacy.cli.pps import main as pps
from surrogacy.cli.streams import screen_width, signals_as_exceptions
from surrogacy.cli.terminal import with_progress
from surrogacy.errors import Stopped
from surrogacy.fit import main
from surrogacy.trials import files
from tests.conftest import ROOT

FIT = [sys.executable, "-m", "surrogacy.fit"]
SMALL = ["tactics-2022", "--model", "weighted-pearson", "--format", "svg"]


def shell(redirection, *arguments, **environment):
    """Run a command of this package with its streams redirected by a shell."""
    command = ["bash", "-c", f'"$@" {redirection}; echo "exit ${{PIPESTATUS[0]}}" >&2', "-", *FIT, *arguments]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env={**usual, **environment}, check=False)
    lines = [line for line in done.stderr.decode().splitlines() if not line.startswith("still running after")]
    assert "Traceback" not in done.stderr.decode()
    return done.stdout.decode(), lines[:-1], int(lines[-1].removeprefix("exit "))


@pytest.mark.parametrize("option", ["--pairs", "--add", "--trials", "--out", "--focus"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_name_is_a_usage_error(option, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([option, value]) == 2
    assert f"error: {option}: the name is empty" in capsys.readouterr().err
    if option != "--pairs":
        assert pps([option, value]) == 2
        assert f"error: {option}: the name is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [main, pps])
def test_a_negative_seed_is_a_usage_error(command, capsys):
    assert command(["--seed", "-1"]) == 2
    assert capsys.readouterr().err == "error: --seed -1: give a whole number, 0 or more\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "words"), [(">&-", "standard output is closed"), (">/dev/full", "cannot write to standard output")]
)
def test_a_result_that_cannot_be_shown_is_an_error_of_one_line(redirection, words):
    for arguments in (["--check"], ["tactics-2022", "--model", "weighted-pearson", "--json"]):
        _, lines, code = shell(redirection, *arguments)
        assert code == 1
        (line,) = lines
        assert line.startswith("error: ")
        assert words in line


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    shown, lines, code = shell("| head -1", *SMALL, "--out", str(tmp_path / "out"))
    assert (shown.count("\n"), lines, code) == (1, [], 0)
    assert (tmp_path / "out" / "run.json").exists()


@pytest.mark.slow
def test_a_closed_error_stream_leaves_the_document_alone():
    shown, _, code = shell("2>&-", "tactics-2022", "--model", "weighted-pearson", "--json")
    assert code == 0
    assert json.loads(shown)["schema"] == "surrogacy.results/1"


@pytest.mark.parametrize("columns", ["", "wide", "-5", "0", "\u00b2", "9" * 30])
def test_columns_that_are_not_a_number(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert screen_width() == 120


@pytest.mark.slow
def test_a_home_that_cannot_be_written_to_and_a_name_in_latin_1(tmp_path):
    out = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    _, lines, code = shell("", *SMALL, "--out", out, HOME="/dev/null", COLUMNS="wide")
    assert (lines, code) == ([], 0)
    record = json.loads((tmp_path / out / "run.json").read_text(encoding="utf-8"))
    assert record["arguments"][-1] == out


def test_a_name_of_300_letters_is_a_usage_error(tmp_path, capsys):
    for command in (main, pps):
        assert command(["--out", str(tmp_path / ("a" * 300))]) == 2
        assert "File name too long" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_nothing_is_a_usage_error(tmp_path, capsys):
    (tmp_path / "out").symlink_to(tmp_path / "nothing")
    assert main(["--out", str(tmp_path / "out")]) == 2
    assert "a broken link" in capsys.readouterr().err


@pytest.mark.slow
def test_no_program_is_run_in_the_users_folder(tmp_path):
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    witness = tmp_path / "git"
    witness.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    witness.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    subprocess.run([*FIT, *SMALL, "--quiet", "--out", "out"], cwd=repository, env=environment, check=True)
    assert not (tmp_path / "called").exists()
    assert "git" not in json.loads((repository / "out" / "run.json").read_text())


@pytest.mark.slow
def test_every_file_is_the_same_for_any_hash_seed(tmp_path):
    contents = []
    for seed in ("0", "1"):
        out = tmp_path / seed
        subprocess.run(
            [*FIT, *SMALL, "--quiet", "--out", str(out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        files = (path for path in out.rglob("*") if path.is_file() and path.name != "run.json")
        contents.append({path.relative_to(out).as_posix(): path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert {"tables/flow.csv", "tables/flow.md", "tables/tables.html"} < set(contents[0])


def test_a_closed_standard_input_is_no_table():
    _, lines, code = shell("<&-", "--check", "--pairs", "-")
    assert code == 3
    assert lines == ["standard input: E001 error: standard input is closed. Fix: give a file, or < FILE."]


@pytest.mark.slow
def test_settings_of_the_plotting_library_change_nothing(tmp_path):
    assert shell("", *SMALL, "--quiet", "--out", str(tmp_path / "a"))[2] == 0
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nlines.linewidth: 9\n")
    settings = {"MPLBACKEND": "nosuch", "MATPLOTLIBRC": str(tmp_path)}
    assert shell("", *SMALL, "--quiet", "--out", str(tmp_path / "b"), **settings)[2] == 0
    for path in (tmp_path / "a" / "figures").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "figures" / path.name).read_bytes()


def test_memory_that_is_used_up_is_one_line(monkeypatch, capsys):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(files, "read_bytes", fail)
    assert main(["--check"]) == 1
    assert capsys.readouterr().err.startswith("error: the memory is used up")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--endpoints", ","], "no endpoint is named"),
        (["all", "--endpoints", "PFS;TTP"], "unknown endpoint"),
        (["all", "--focus", "nosuch"], "--focus nosuch"),
    ],
)
def test_the_check_refuses_options_that_the_fit_refuses(arguments, words, capsys):
    for check in (["--check"], ["--json", "--model", "weighted-pearson"]):
        assert main([*arguments, *check]) == 2
        assert words in capsys.readouterr().err


def test_a_signal_that_a_library_swallows_stops_the_run_at_the_next_task():
    def swallow():
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException:  # what an import of a foreign library may do
            return 1

    with pytest.raises(Stopped) as caught, signals_as_exceptions(), with_progress(in_order, quiet=True) as execute:
        list(execute([Task("swallow", swallow, ())]))
    assert caught.value.number == signal.SIGTERM


def test_a_signal_while_an_extension_module_is_loaded_is_told_as_one(monkeypatch, capsys):
    def load(options):
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped as stop:
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr("surrogacy.cli.fit.fit_settings", load)
    assert main(["tactics-2022", "--json"]) == 143
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
