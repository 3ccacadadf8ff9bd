"""Mutated tables that ``--check`` accepts, through the whole command (Linux).

``python -m tests.fuzz.commands [TABLES]`` (default 300) fits each table, draws its figures and counts exit codes and
CPU
time, processes that draw included. A fault is a traceback, an exit code other than 0, 3 or 4, a folder that is half
written, or more than three times the CPU time of the table without mutations. The exit code is 1 if there was a fault.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surrogacy.errors import ExitCode
from surrogacy.fit import main as fit
from surrogacy.output.earlier_run import changed_files
from tests.fuzz.kill import SUBREAPER, seconds_until_gone
from tests.fuzz.mutations import TEMPLATES, as_csv, csv_files, workbook_files

CPU_FACTOR = 3.0
ALLOWED = (ExitCode.OK, ExitCode.DATA, ExitCode.NOT_CONVERGED)


class Enough(BaseException):
    """As many tables as were asked for have been tried; no failure of the property that Hypothesis tests."""


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(table: Path, out: Path) -> tuple[int, float, str]:
    """Exit code, CPU seconds and messages of the whole command."""
    before = cpu_seconds()
    command = [sys.executable, "-m", "surrogacy.fit", "--pairs", str(table), "--out", str(out), "--quiet"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        seconds_until_gone(process)
        errors.seek(0)
        return process.returncode, cpu_seconds() - before, errors.read().decode(errors="replace")


def faults_of(code: int, errors: str, out: Path) -> list[str]:
    """Faults of a run other than its time."""
    faults = [] if code in ALLOWED else [f"exit {code}"]
    faults += [errors] if "Traceback" in errors else []
    if out.exists():
        faults += [f"{path.name} remains" for path in out.rglob(".surrogacy-*")]
        faults += (
            ["no run.json"] if code in (ExitCode.OK, ExitCode.NOT_CONVERGED) and not (out / "run.json").exists() else []
        )
        faults += (
            [f"{name} differs from run.json" for name in changed_files(out)] if (out / "run.json").exists() else []
        )
    return faults


def accepted(table: Path) -> bool:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return fit(["--check", "--pairs", str(table)]) == 0


def main(tables: int) -> int:
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    times: list[float] = []
    seen: set[bytes] = set()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        reference = 0.0
        for number, template in enumerate(TEMPLATES):
            table = base / f"sound-{number}.csv"
            table.write_bytes(as_csv([list(row) for row in template], ",", quote=False, encoding="utf-8"))
            run(table, base / "warm")
            reference = max(reference, run(table, base / f"sound-{number}")[1])

        @settings(
            max_examples=1_000_000,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            content=st.one_of(csv_files.map(lambda raw: (raw, "csv")), workbook_files.map(lambda raw: (raw, "xlsx")))
        )
        def try_one(content: tuple[bytes, str]) -> None:
            raw, ending = content
            table = base / f"own.{ending}"
            table.write_bytes(raw)
            if raw in seen or not accepted(table):
                return
            seen.add(raw)
            out = base / f"out-{len(seen)}"
            code, seconds, errors = run(table, out)
            times.append(seconds)
            counts[f"exit {code}"] += 1
            problems = faults_of(code, errors, out)
            problems += [f"{seconds:.1f} s of CPU"] if seconds > CPU_FACTOR * reference else []
            if problems:
                kept = Path(tempfile.gettempdir()) / f"surrogacy-fault-{len(faults)}.{ending}"
                kept.write_bytes(raw)
                faults.extend(f"{kept}: {problem}" for problem in problems)
                print(*faults[-len(problems) :], sep="\n", flush=True)
            if len(seen) == tables:
                raise Enough

        with contextlib.suppress(Enough):
            try_one()
    print(f"{len(seen)} accepted tables through the whole command:", dict(counts))
    print(f"CPU {max(times):.1f} s at most, {reference:.1f} s without mutations: {max(times) / reference:.2f} times")
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 300))
