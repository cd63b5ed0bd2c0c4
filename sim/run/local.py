"""Workers on this machine: an executor of fresh Python processes, each of which may die on its own.

The pool of the standard library breaks as a whole when one of its processes is killed, and its processes wait forever
when their parent is. Here a process that dies fails only its own task, and is replaced; and a process whose parent is
gone notices at once that its standard input has ended.

What is worked on there may fail in every way that it may fail here: `guarded` makes it data, and `WorkEnded` says it here.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import IO, Any, NamedTuple, NoReturn, TypeVar

from sim.base import printing
from sim.base.errors import ConfigError, DefectError, ExitStatus, SimError
from sim.base.overdue import WATCH
from sim.base.unforeseen import told

T = TypeVar("T")

STARTS_MAX = 20
"""How often in a row a process may end before it is ready."""


class WorkerDied(Exception):
    """The process that ran a task ended before it had an answer."""


class WorkEnded(NamedTuple):
    """Why work has no answer, which is nothing that the model did wrong: as the command line would end, and a line."""

    status: ExitStatus
    why: str

    def tell(self) -> NoReturn:
        """Raises what ends the command line so."""
        if self.status is ExitStatus.INCOMPLETE:
            WATCH.end(self.why)
            raise KeyboardInterrupt
        raise DefectError(self.why) if self.status is ExitStatus.DEFECT else SimError(self.why)


def guarded(work: Callable[[], T], handler_limit_s: float | None = None) -> T | WorkEnded:
    """Work in a worker, which outlives whatever becomes of it. Raises `SimError` for what the model did wrong."""
    WATCH.ended = ""
    if handler_limit_s is not None:
        WATCH.start(handler_limit_s)
    try:
        answer = work()
    except SimError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        if not WATCH.ended:
            raise
    except BaseException as error:
        return WorkEnded(*told(error))
    return WorkEnded(ExitStatus.INCOMPLETE, WATCH.ended) if WATCH.ended else answer


class LocalExecutor(Executor):
    """Runs tasks in `workers` processes, first come first served. Functions and arguments are pickled; `loads` is a module
    that a process has loaded when it is ready."""

    def __init__(self, workers: int, loads: str = __name__) -> None:
        self._changed = threading.Condition()
        self._tasks: deque[tuple[Future[Any], bytes]] = deque()
        self._closed = False
        self._workers = [_Worker(loads) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(w,), daemon=True) for w in self._workers]
        for started, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError:
                del self._threads[started:]
                self.shutdown(cancel_futures=True)
                raise ConfigError(f"the system starts {started} threads, not {workers}; use fewer --workers") from None

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        task = pickle.dumps((fn, args, kwargs))
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the executor was shut down")
            self._tasks.append((future, task))
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """With `cancel_futures` running tasks are ended as well."""
        with self._changed:
            self._closed = True
            if cancel_futures:
                for future, _ in self._tasks:
                    future.cancel()
                self._tasks.clear()
            self._changed.notify_all()
        if cancel_futures:
            for worker in self._workers:
                worker.kill()
        if wait:
            for thread in self._threads:
                thread.join()

    @property
    def process_ids(self) -> list[int]:
        """The running processes."""
        return [pid for worker in self._workers if (pid := worker.process_id) is not None]

    def _serve(self, worker: _Worker) -> None:
        """The thread of one worker: hands it a task, waits for the answer, takes the next."""
        while True:
            worker.start()
            task = self._next()
            if task is None:
                break
            future, data = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                is_result, answer = worker.ask(data)
            except Exception as error:
                future.set_exception(error)
            else:
                (future.set_result if is_result else future.set_exception)(answer)
        worker.end()

    def _next(self) -> tuple[Future[Any], bytes] | None:
        with self._changed:
            while not self._tasks and not self._closed:
                self._changed.wait()
            return self._tasks.popleft() if self._tasks else None


class _Worker:
    """One process, started again after it died. It gets a task only after it has reported ready, so that dying before
    costs no task an attempt."""

    def __init__(self, loads: str) -> None:
        self._loads = loads
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._starting = threading.Lock()
        self._is_ready = False
        self._why = ""

    @property
    def process_id(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask(self, task: bytes) -> tuple[bool, Any]:
        """Whether there is a result, and the result or the exception. Raises `WorkerDied`."""
        process = self._process
        if process is None:
            raise WorkerDied(f"no worker process could be started: {self._why}; use fewer --workers")
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _write(process.stdin, task)
            answer: tuple[bool, Any] = pickle.loads(_read(process.stdout))  # noqa: S301  our own process wrote it
        except (OSError, EOFError):
            raise WorkerDied(f"a worker process {_how(self.end())}") from None
        return answer

    def start(self) -> None:
        """Ensure a process that is ready. If none can be started, `ask` says why."""
        for _ in range(STARTS_MAX):
            process = self._started()
            if process is None:
                return
            assert process.stdout is not None
            try:
                hindered = b"" if self._is_ready else _read(process.stdout)
                self._is_ready = not hindered
                if self._is_ready:
                    return
                self.end()
                self._why = hindered.decode(errors="replace")
            except (OSError, EOFError):
                self._why = f"it {_how(self.end())}"

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if self._killed:
                return None
            if self._process is None:
                try:
                    self._process = subprocess.Popen(  # noqa: S603  this very Python
                        [sys.executable, "-P", "-c", _MAIN, json.dumps(sys.path), self._loads],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        start_new_session=True,  # ctrl-C is for the campaign, which then ends its workers
                    )
                except OSError as error:  # for instance if there are too many of them
                    self._why = f"{error.strerror or error}"
            return self._process

    def kill(self) -> None:
        """End the process in the middle of its task, for good."""
        with self._starting:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def end(self) -> int | None:
        """Let the process end, and forget it."""
        process, self._process, self._is_ready = self._process, None, False
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # it died before we wrote
        return process.wait()


_MAIN = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from sim.run.local import serve; serve(sys.argv[2])"


def serve(loads: str) -> None:
    """The main function of a worker process: tasks on standard input, answers on standard output.

    Its own prints, and those of models, go to standard error, and a model that reads gets the end of the input. When
    the input ends, so does the process, if necessary in the middle of a task: nobody is waiting for the answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    WATCH.start()
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    try:
        hindered = _begun(loads, asked, tasks)
        _write(answers, hindered.encode())
        while not hindered:
            _write(answers, _answer(tasks.get()))
    except OSError:
        os._exit(0)  # nobody is waiting for an answer
    except BaseException as error:  # for instance if a model exits the process
        printing.err(f"sim: a worker process ends: {error!r}")
        os._exit(1)  # at once: Python aborts if it ends while another thread reads its input


def _begun(loads: str, asked: IO[bytes], tasks: SimpleQueue[bytes]) -> str:
    """Make ready for work; what hindered it, empty if nothing."""
    try:
        importlib.import_module(loads)
        threading.Thread(target=_listen, args=(asked, tasks), daemon=True).start()
    except Exception as error:
        return told(error)[1]
    return ""


def _listen(asked: IO[bytes], tasks: SimpleQueue[bytes]) -> None:
    try:
        while True:
            tasks.put(_read(asked))
    except (EOFError, OSError):
        os._exit(0)


def _answer(task: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(task)  # noqa: S301  our parent wrote it
        return pickle.dumps((True, function(*args, **kwargs)))
    except KeyboardInterrupt:  # nobody else can interrupt a worker
        return pickle.dumps(
            (False, SimError("the model raises KeyboardInterrupt, which is the user's; raise another exception"))
        )
    except Exception as error:
        return pickle.dumps((False, error))


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    size = int.from_bytes(_exactly(stream, 8), "big")
    return _exactly(stream, size)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        return f"was ended by signal {-status}"
    return f"ended with status {status}"
