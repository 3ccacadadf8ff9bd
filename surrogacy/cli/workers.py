"""Processes that draw figures and share the computations of the main process. They end with the main process.

They are started by ``forkserver`` (``spawn`` on Windows), because pandas starts a thread when it is imported, and a
process with threads cannot be forked safely. The server loads the plotting library once, while this process loads its
own libraries. It has one thread when it forks.

A worker whose parent has ended replaces itself by a short program that settles the folder of the run.
"""

from __future__ import annotations

import _thread
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from surrogacy.errors import ProcessError

WORKERS = 2
PRELOADED = "surrogacy.cli.drawing_libraries"
# environment variables for the server: the process that it works for, the folder to settle after its end, and further
# libraries to load, separated by commas
RUN_PROCESS, RUN_FOLDER, LIBRARIES = "SURROGACY_RUN_PROCESS", "SURROGACY_RUN_FOLDER", "SURROGACY_LIBRARIES"
SECONDS_TO_END = 3.0
ENDED = (
    "a process that draws the figures ended early (it was killed, or memory is used up); the folder is unchanged; run "
    "the command again, with more memory if need be"
)


def start_server(out: Path, libraries: Sequence[str] = ()) -> None:
    """Start the process from which the workers are forked; it loads the plotting library.

    Parameters
    ----------
    out : Path
        Folder of the run; the server settles it if this process ends before there is a worker.
    libraries : sequence of str
        Further modules that it loads.

    Raises
    ------
    ProcessError
        If the system cannot start a process.
    """
    if sys.platform == "win32":
        return
    from multiprocessing import forkserver

    # the memory allocator of Arrow, which pandas loads, would start a thread
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    os.environ |= {RUN_PROCESS: str(os.getpid()), RUN_FOLDER: str(out.absolute()), LIBRARIES: ",".join(libraries)}
    try:
        forkserver.set_forkserver_preload([PRELOADED])
        forkserver.ensure_running()
    except OSError as error:
        raise ProcessError(f"cannot start a process to draw the figures ({error.strerror or error})") from error
    finally:
        for name in (RUN_PROCESS, RUN_FOLDER, LIBRARIES):
            os.environ.pop(name, None)


class IdleProcesses:
    """Processes that wait for a call. Fits go before figures: the main process waits for them, and then goes on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pipes: list[connection.Connection] = []
        self._fits = 0  # calls that wait for a process
        self._released = False

    def add(self, pipe: connection.Connection) -> None:
        """Add a process by its pipe."""
        with self._changed:
            self._pipes.append(pipe)
            self._changed.notify_all()

    def take(self, *, figure: bool) -> connection.Connection | None:
        """Wait for a process and remove it; None after the release."""
        with self._changed:
            self._fits += not figure
            self._changed.wait_for(lambda: self._released or (self._pipes and not (figure and self._fits)))
            self._fits -= not figure
            self._changed.notify_all()
            return None if self._released else self._pipes.pop(0)

    def release(self) -> None:
        """Release all calls that wait for a process."""
        with self._changed:
            self._released = True
            self._changed.notify_all()


class FigureExecutor(Executor):
    """Workers as an executor of figures, which take a process only if no fit waits for one.

    Parameters
    ----------
    call : callable
        Function that sends a function and its arguments to a process.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._threads = ThreadPoolExecutor(WORKERS)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to the next idle process for which no fit waits."""
        return self._threads.submit(self._call, fn, args, kwargs, figure=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more calls."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)


class FigureWorkers(Executor):
    """Two processes that fit models and draw figures.

    Parameters
    ----------
    out : Path
        Folder of the run; a worker settles it if this process dies.

    Attributes
    ----------
    figures : FigureExecutor
        Executor of figures in these processes.
    problem : ProcessError or None
        Reason for interrupting the main thread: a process could not be started, or ended early.
    """

    def __init__(self, out: Path) -> None:
        self.problem: ProcessError | None = None
        self._out = str(out.absolute())
        self._finished = threading.Event()
        self._ended = threading.Event()
        self._processes: list[BaseProcess] = []
        self._idle = IdleProcesses()
        self._threads = ThreadPoolExecutor(WORKERS)
        self.figures = FigureExecutor(self._call)
        # the server answers after it has loaded the plotting library; this process continues meanwhile
        self._starter = threading.Thread(target=self._start, daemon=True)
        self._starter.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call to the next idle process."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more calls; from here on a process may end."""
        self._finished.set()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        self.figures.shutdown(wait=wait, cancel_futures=cancel_futures)

    def end(self) -> None:
        """End the processes at once."""
        self.shutdown(wait=False, cancel_futures=True)
        self._ended.set()
        self._idle.release()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(SECONDS_TO_END)
            if process.is_alive():
                process.kill()

    def _start(self) -> None:
        """Start the processes, and wait for the end of any of them."""
        context = _context()
        try:
            for _ in range(WORKERS):
                near, far = context.Pipe()
                process = context.Process(target=serve, args=(far, self._out), daemon=True)
                with _no_main_module():
                    process.start()
                far.close()
                self._processes.append(process)
                if self._ended.is_set():  # the list may have been read before
                    process.terminate()
                self._idle.add(near)
        except (OSError, EOFError) as error:
            reason = error or type(error).__name__
            self._stop(ProcessError(f"cannot start a process to draw the figures ({reason})"))
            return
        connection.wait([process.sentinel for process in self._processes])
        self._stop(ProcessError(ENDED))

    def _stop(self, problem: ProcessError) -> None:
        """Interrupt the main thread, so that a long fit does not continue without use."""
        if not self._finished.is_set():
            self.problem = problem
            self._idle.release()
            _thread.interrupt_main()

    def _call(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, object], *, figure: bool = False
    ) -> Any:
        task = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        pipe = self._idle.take(figure=figure)
        if pipe is None:
            raise self.problem or ProcessError(ENDED)
        try:
            pipe.send_bytes(task)
            answer = pipe.recv_bytes()
        except (EOFError, ConnectionError) as error:
            raise ProcessError(ENDED) from error
        finally:
            self._idle.add(pipe)
        succeeded, value = pickle.loads(answer)
        if not succeeded:
            raise value
        return value


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide the calling script: workers do not need it and must not run it again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _context() -> SpawnContext | ForkServerContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    return multiprocessing.get_context("forkserver")


def serve(pipe: connection.Connection, out: str) -> None:
    """Answer calls in a worker until the parent ends or closes the pipe."""
    importlib.import_module(PRELOADED)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent ends this one
    threading.Thread(target=_outlive, args=(out,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # fits have priority: the next figures need them
    while True:
        try:
            task = pipe.recv_bytes()
        except (EOFError, OSError):
            become_settler(out)
        answer = _answer(task)
        try:
            pipe.send_bytes(answer)
        except OSError:
            become_settler(out)


def _answer(task: bytes) -> bytes:
    """Return the pickled result of a call or its error; an error that cannot be pickled is sent as its message."""
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
    """Wait for the end of the parent, in a thread beside the drawing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        become_settler(out)


def become_settler(out: str) -> None:
    """Replace this process by a program that completes or undoes a replacement in the folder and removes the stage."""
    if sys.platform == "win32":
        os._exit(1)
    root = str(Path(__file__).resolve().parents[2])
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from surrogacy.output.settling import settle; settle(sys.argv[2])"
    )
    try:
        os.execv(sys.executable, [sys.executable, "-I", "-c", program, root, out])
    finally:
        os._exit(1)
