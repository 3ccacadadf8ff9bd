"""Kill runs that replace an earlier result, and look at what is left (Linux).

``python -m tests.fuzz.kill [MOMENTS]`` sends KILL and TERM at so many random moments each (default 50), and KILL after
each
single file replacement. After at most five seconds the folder must hold the earlier or the new result as a whole, no
temporary file and no process. The counts are printed; the exit code is 1 if there was a fault.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from surrogacy.output.earlier_run import changed_files, sha256

MODEL = ["tactics-2022", "--model", "weighted-pearson", "--quiet"]
EARLIER = [*MODEL, "--format", "svg"]
NEW = [*MODEL, "--format", "png", "--seed", "1"]
SECONDS_LEFT = 5.0
SUBREAPER = 36  # of prctl: orphans become children of this process, so that it can count them
# the k-th file is moved, then the process kills itself
KILL_AFTER = """
import os, signal, sys
from surrogacy.fit import main
from surrogacy.output import replacement
move, last, count = replacement._move, int(sys.argv.pop(1)), 0
def moved(*arguments):
    global count
    move(*arguments)
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)
replacement._move = moved
sys.exit(main(sys.argv[1:]))
"""


def content(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but run.json, which has times in it."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def seconds_until_gone(process: subprocess.Popen[bytes]) -> float:
    """Wait for the process and then for its orphans; infinite if some are left after the deadline."""
    process.wait()
    begin = time.monotonic()
    while time.monotonic() - begin < SECONDS_LEFT:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            return time.monotonic() - begin
    return float("inf")


def commands_of_children() -> list[str]:
    pids = Path("/proc/thread-self/children").read_text().split()
    return [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids]


class Campaign:
    """Earlier and new result, and the outcomes so far."""

    def __init__(self, base: Path) -> None:
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self.base = base
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.slowest = 0.0
        for name, arguments in (("earlier", EARLIER), ("new", NEW)):
            process = start("-m", "surrogacy.fit", *arguments, "--out", str(base / name))
            assert process.wait() == 0, process.communicate()
            seconds_until_gone(process)
        self.earlier, self.new = content(base / "earlier"), content(base / "new")
        assert set(self.earlier) != set(self.new)

    def duration(self) -> float:
        """Seconds that a run takes now: the load of the machine changes."""
        begin = time.monotonic()
        assert start("-m", "surrogacy.fit", *NEW, "--out", str(self.folder())).wait() == 0
        return time.monotonic() - begin

    def folder(self) -> Path:
        out = self.base / "out"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.base / "earlier", out)
        (out / "thesis.txt").write_text("mine")
        return out

    def judge(self, what: str, process: subprocess.Popen[bytes], out: Path) -> str:
        seconds = seconds_until_gone(process)
        faults = (
            [] if seconds < SECONDS_LEFT else [f"a process remains: {command}" for command in commands_of_children()]
        )
        self.slowest = max(self.slowest, seconds)
        faults += [f"{path.name} remains" for path in out.rglob("*") if path.name.startswith(".surrogacy-")]
        found = content(out)
        faults += [] if found.pop("thesis.txt", "") else ["the file of the user is gone"]
        state = "earlier" if found == self.earlier else "new" if found == self.new else "mixed"
        faults += ["mixed"] if state == "mixed" else []
        faults += [f"{name} differs from run.json" for name in changed_files(out)]
        message = process.stderr.read().decode() if process.stderr else ""
        faults += [message] if "Traceback" in message else []
        self.counts[f"{what}: {state}, exit {process.returncode}"] += 1
        self.faults += [f"{what}, exit {process.returncode}: {fault}" for fault in faults]
        return state

    def signal_at(self, number: signal.Signals, seconds: float) -> None:
        out = self.folder()
        process = start("-m", "surrogacy.fit", *NEW, "--out", str(out))
        time.sleep(seconds)
        ended = process.poll() is not None
        process.send_signal(number)
        self.judge(number.name, process, out)
        allowed = {-number, 128 + number}
        if process.returncode not in allowed and not (process.returncode == 0 and ended):
            self.faults.append(f"{number.name} after {seconds:.2f} s: exit {process.returncode}")

    def kill_after(self, last: int) -> bool:
        """Kill after so many replacements; tell if there were so many."""
        out = self.folder()
        process = start("-c", KILL_AFTER, str(last), *NEW, "--out", str(out))
        process.wait()
        if process.returncode == 0:
            seconds_until_gone(process)
            return False
        assert process.returncode == -signal.SIGKILL, process.communicate()
        self.judge("KILL after a replacement", process, out)
        return True


def main(moments: int) -> int:
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as base:
        campaign = Campaign(Path(base))
        last = 1
        while campaign.kill_after(last):
            last += 1
        print(
            f"KILL after each of {last - 1} replacements",
            dict(campaign.counts),
            f"{len(campaign.faults)} faults",
            flush=True,
        )
        for number in (signal.SIGKILL, signal.SIGTERM):
            for moment in range(moments):
                if moment % 10 == 0:
                    duration = campaign.duration()
                campaign.signal_at(number, draw.uniform(0, duration))
        print(f"{moments} moments each; the last process ended after {campaign.slowest:.2f} s at most")
        for outcome, count in sorted(campaign.counts.items()):
            print(f"{outcome}: {count}")
        print(f"{len(campaign.faults)} faults", *campaign.faults, sep="\n")
        return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 50))
