"""Writes logs from ordinary code; nothing of the simulation is imported.

    recorder = Recorder("run.jsonl", model="models.consensus")
    me = recorder.process("coordinator")
    me.received("gemini", "Response", {"round": 1}, cause=id_that_came_with_it)
    id_ = me.sent("store", "Store", {"round": 1})       # travels with the message
    me.became("storing")

What a process is given begins a line; what it sends, emits and becomes belongs to it. The line is written, whole, when
the process is given the next thing, by `flush`, by `close`, and when the program exits. A program that is killed loses
the line that is begun; call `flush` where a process is done with what it was given. Several threads may share a
recorder, and tasks too: each process has a line of its own. An operating system process that was forked writes a file
of its own, `run-PID.jsonl`; `sim conform` takes them all. Without a path nothing is recorded.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import threading
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

Fields = Mapping[str, Any]


def _printed(value: object) -> str:
    """What JSON does not have is written as it prints, without its address, which would differ from run to run."""
    try:
        return re.sub(" at 0x[0-9a-fA-F]+", "", str(value))
    except Exception:
        return f"{type(value).__name__} that cannot be written"


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_printed).encode
_DEPTH = 5
"""Of what is sent: line, outputs, output, send, fields."""


def line_text(part: Any, depth: int = 0) -> str:
    """A line as JSON. A value that cannot be written is named by its class: what is recorded must not fail for it."""
    try:
        return _encode(part)
    except (ValueError, TypeError, RecursionError):
        pass  # too many digits, itself inside of itself, odd keys, too deep
    if depth < _DEPTH and isinstance(part, dict):
        pairs = (
            f"{_encode(key if isinstance(key, str) else _printed(key))}:{line_text(one, depth + 1)}"
            for key, one in part.items()
        )
        return f"{{{','.join(pairs)}}}"
    if depth < _DEPTH and isinstance(part, list):
        return f"[{','.join(line_text(one, depth + 1) for one in part)}]"
    return _encode(f"{type(part).__name__} that cannot be written")


class Recorder:
    """A log that is being written; `path` None records nothing. `run` tells several runs of one file apart, `processes`
    says who is observed, if not just those that have a line: who has none did nothing."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        model: str | None = None,
        config: Fields | None = None,
        processes: Iterable[str] | None = None,
        run: str | None = None,
    ) -> None:
        self._path = None if path is None else Path(path)
        header: dict[str, Any] = {"roundsim_log": 1}
        header |= {} if model is None else {"model": model}
        header |= {} if config is None else {"config": dict(config)}
        self._header = header if processes is None else {**header, "processes": list(processes)}
        self.run = run
        self._lock = threading.Lock()
        self._processes: dict[str, RecordedProcess] = {}
        self._file: BinaryIO | None = None
        self._begun_ns = 0
        self._is_forked = False
        if self._path is not None:
            self._open(self._path)
            self._begun_ns = self._path.stat().st_mtime_ns
            _RECORDERS.add(self)

    @property
    def on(self) -> bool:
        """Whether anything is recorded."""
        return self._path is not None

    @property
    def paths(self) -> list[str]:
        """The files written so far, also by processes that were forked; not those of an earlier run."""
        if self._path is None:
            return []
        beside = self._path.parent.glob(f"{self._path.stem}-[0-9]*{self._path.suffix}")
        ours = (str(path) for path in beside if path.stat().st_mtime_ns >= self._begun_ns)
        return [str(self._path), *sorted(ours)]

    def process(self, name: str) -> RecordedProcess:
        """The process of the model that this part of the program is. Asked for again it is the same."""
        with self._lock:
            found = self._processes.get(name)
            if found is None:
                found = self._processes[name] = RecordedProcess(self, name)
            return found

    def flush(self) -> None:
        """Write the lines that are begun."""
        for process in list(self._processes.values()):
            process.flush()

    def close(self) -> None:
        """Write the lines that are begun, and close the file."""
        self.flush()
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._put(self._header)

    def _put(self, line: Fields) -> None:
        """One line by one call of the system, so that nobody who is killed leaves half of it."""
        assert self._file is not None
        left = memoryview((line_text(line) + "\n").encode())
        while left:
            left = left[self._file.write(left) :]

    def write(self, line: Fields) -> None:
        """One line, whole."""
        with self._lock:
            if self._file is None or self._path is None:
                return
            if self._is_forked:
                self._is_forked = False
                self._open(self._path.with_name(f"{self._path.stem}-{os.getpid()}{self._path.suffix}"))
            self._put(line)

    def after_fork(self) -> None:
        """In a process that was forked: what is begun is the parent's, and so is who held a lock."""
        self._lock = threading.Lock()
        self._is_forked = True
        for process in self._processes.values():
            process.after_fork()


_RECORDERS: weakref.WeakSet[Recorder] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    for recorder in list(_RECORDERS):
        recorder.flush()


def _after_fork() -> None:
    for recorder in list(_RECORDERS):
        recorder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class RecordedProcess:
    """One process of the model, as its program sees it."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder, self._name = recorder, name
        self._lock = threading.Lock()
        self._line: dict[str, Any] | None = None
        self._count = 0

    def started(self) -> None:
        """It begins."""
        self._begin({"start": True})

    def received(self, source: str, message: str, fields: Fields | None = None, *, cause: str | None = None) -> None:
        """It takes a message; `cause` is what `sent` returned where it was sent."""
        arrival: dict[str, Any] = {"from": source, "message": message}
        self._begin({"deliver": arrival if fields is None else {**arrival, "fields": dict(fields)}}, cause)

    def fired(self, timer: str) -> None:
        """A timer of it ends."""
        self._begin({"fire": timer})

    def moved(self, move: str) -> None:
        """It does something by itself."""
        self._begin({"move": move})

    def failed(self, fault: str, source: str, message: str, fields: Fields | None = None) -> None:
        """Instead of a message it gets a fault, such as agent_timeout."""
        given: dict[str, Any] = {"fault": fault, "from": source, "message": message}
        self._begin(given if fields is None else {**given, "fields": dict(fields)})

    def restarted(self) -> None:
        """It begins again after a crash."""
        self._begin({"restart": True})

    def sent(self, target: str, message: str, fields: Fields | None = None) -> str:
        """It sends a message. What is returned travels with it, for `received(cause=...)`."""
        one: dict[str, Any] = {"to": target, "message": message}
        return self._put({"send": one if fields is None else {**one, "fields": dict(fields)}})

    def emitted(self, name: str, fields: Fields | None = None) -> None:
        """It emits something that monitors hear."""
        one: dict[str, Any] = {"name": name}
        self._put({"emit": one if fields is None else {**one, "fields": dict(fields)}})

    def became(self, state: str | None = None, fields: Fields | None = None) -> None:
        """Its state afterwards, or some of its fields."""
        if not self._recorder.on:
            return
        with self._lock:
            line = self._open_line()
            if state is not None:
                line["state"] = state
            if fields is not None:
                line["fields"] = {**line.get("fields", {}), **fields}

    def flush(self) -> None:
        """Write the line that is begun; what comes before the next input is lost to it."""
        with self._lock:
            self._write()

    def _begin(self, given: Fields, cause: str | None = None) -> None:
        if not self._recorder.on:
            return
        with self._lock:
            self._write()
            self._count += 1
            id_ = f"{self._name}/{os.getpid()}/{self._count}"
            self._line = {"process": self._name, "input": given, "outputs": [], "id": id_}
            if cause:
                self._line["cause"] = cause
            if self._recorder.run is not None:
                self._line["run"] = self._recorder.run

    def _put(self, output: Fields) -> str:
        if not self._recorder.on:
            return ""
        with self._lock:
            line = self._open_line()
            line["outputs"].append(output)
            id_: str = line["id"]
            return id_

    def _open_line(self) -> dict[str, Any]:
        if self._line is None:
            what = f"{self._name} was given nothing yet: call started, received, fired or moved before what comes of it"
            raise RuntimeError(what)
        return self._line

    @property
    def begun(self) -> dict[str, Any] | None:
        """The line that is not written yet."""
        return self._line

    def after_fork(self) -> None:
        """The line that is begun is the parent's."""
        self._lock = threading.Lock()
        self._line = None

    def _write(self) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            self._recorder.write(line)
