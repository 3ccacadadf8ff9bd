"""Processes that draw figures while the main process computes, and that never outlive it.

They are started by ``forkserver`` (``spawn`` on Windows): pandas starts a thread when it is imported, and a process with threads cannot be forked
safely. The server loads the plotting library once, while this process loads its own libraries, and has one thread when it forks.

A worker that finds its parent dead, for whatever reason, replaces itself by a short program that settles the folder of the run.
"""

from __future__ import annotations

import _thread
import gc
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from surrogacy.errors import ProcessError

WORKERS = 2
PRELOADED = "surrogacy.report.drawing_libraries"
RUN_PROCESS = "SURROGACY_RUN_PROCESS"  # variable that tells the server which process it works for
SECONDS_TO_END = 3.0
ENDED = "a process that draws the figures ended before its time (killed, or out of memory); the folder is as it was"


def start_server() -> None:
    """Start the process that workers are forked from; it loads the plotting library in the meantime.

    Raises
    ------
    ProcessError
        If the system starts no process.
    """
    if sys.platform == "win32":
        return
    from multiprocessing import forkserver

    # the memory allocator of Arrow, which pandas loads, would start a thread
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    os.environ[RUN_PROCESS] = str(os.getpid())
    try:
        forkserver.set_forkserver_preload([PRELOADED])
        forkserver.ensure_running()
    except OSError as error:
        raise ProcessError(f"cannot start a process to draw the figures ({error.strerror or error})") from error
    finally:
        os.environ.pop(RUN_PROCESS, None)


class FigureWorkers(Executor):
    """Two processes that draw.

    Parameters
    ----------
    out : Path
        Folder of the run, which a worker settles if this process dies.

    Raises
    ------
    ProcessError
        If the system starts no process.
    """

    def __init__(self, out: Path) -> None:
        self.broken = False
        self._finished = threading.Event()
        self._processes: list[BaseProcess] = []
        self._idle: queue.SimpleQueue[connection.Connection] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(WORKERS)
        context = _context()
        main = sys.modules["__main__"]
        # workers need nothing of the script that called us, and must not run it again
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            for _ in range(WORKERS):
                near, far = context.Pipe()
                process = context.Process(target=serve, args=(far, str(out.absolute())), daemon=True)
                process.start()
                far.close()
                self._processes.append(process)
                self._idle.put(near)
        except (OSError, EOFError) as error:
            self.end()
            raise ProcessError(f"cannot start a process to draw the figures ({error or type(error).__name__})") from error
        except BaseException:
            self.end()
            raise
        finally:
            sys.modules["__main__"] = main
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a call to the next process that is free."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; from here on a process may end."""
        self._finished.set()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        self.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(SECONDS_TO_END)
            if process.is_alive():
                process.kill()

    def _call(self, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        task = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        pipe = self._idle.get()
        try:
            pipe.send_bytes(task)
            answer = pipe.recv_bytes()
        except (EOFError, ConnectionError) as error:
            raise ProcessError(ENDED) from error
        finally:
            self._idle.put(pipe)
        done, value = pickle.loads(answer)
        if not done:
            raise value
        return value

    def _watch(self) -> None:
        """Stop the main thread when a process ends before its time, so that a long fit does not go on in vain."""
        connection.wait([process.sentinel for process in self._processes])
        if not self._finished.is_set():
            self.broken = True
            _thread.interrupt_main()


def _context() -> SpawnContext | ForkServerContext:
    return multiprocessing.get_context("spawn") if sys.platform == "win32" else multiprocessing.get_context("forkserver")


def serve(pipe: connection.Connection, out: str) -> None:
    """Answer calls until the parent ends or has no more; runs in a worker."""
    import surrogacy.report.drawing_libraries  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent ends this one
    threading.Thread(target=_outlive, args=(out,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the fits come first: the next figures wait for them
    gc.disable()  # a worker lives for seconds; collecting what its figures leave behind costs a tenth of its time
    while True:
        try:
            task = pipe.recv_bytes()
        except (EOFError, OSError):
            _settle(out)
        answer = _answer(task)
        try:
            pipe.send_bytes(answer)
        except OSError:
            _settle(out)


def _answer(task: bytes) -> bytes:
    """Carry out a call; return what it returns or the error, or the words of an error that cannot be sent."""
    try:
        function, args, kwargs = pickle.loads(task)
        return pickle.dumps((True, function(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)
        except Exception:
            answer = pickle.dumps((False, ProcessError(f"{type(error).__name__}: {error}")))
        return answer


def _outlive(out: str) -> None:
    """Wait for the end of the parent, also while a figure is being drawn."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        _settle(out)


def _settle(out: str) -> None:
    """Become the program that completes or undoes a replacement in the folder and removes the remains."""
    if sys.platform == "win32":
        os._exit(1)
    root = str(Path(__file__).resolve().parents[2])
    program = "import sys; sys.path.insert(0, sys.argv[1]); from surrogacy.report.settling import settle; settle(sys.argv[2])"
    try:
        os.execv(sys.executable, [sys.executable, "-I", "-c", program, root, out])
    finally:
        os._exit(1)
