"""Logs: JSON Lines, read into runs. Whatever is wrong with one is told with its file and line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from sim.base.errors import ConfigError, brief, unknown
from sim.base.files import unplain
from sim.conform.log_schema import HEADER, LINE, RawLine

LINE_MAX = 1 << 20
"""Bytes of one line."""
STANDARD_INPUT = "-"
PACKED = b"\x1f\x8b"
"""How gzip begins."""


def too_long(place: str) -> ConfigError:
    """What is said of a line without end."""
    return ConfigError(f"{place}: is longer than {LINE_MAX} bytes; is this a log of JSON Lines?")


@dataclass(frozen=True, eq=False)
class LogLine:
    """One line: where it stands, what it says. Equal to nothing but itself."""

    place: str
    number: int
    process: str
    said: Mapping[str, Any]
    """`input`, `outputs`, `state`, `fields` as they are written; what is left out is not there."""
    at: int | None = None
    id: str | None = None
    causes: tuple[str, ...] = ()


@dataclass
class LoggedRun:
    """The lines of one run: of each process in its order."""

    name: str
    lines: list[LogLine] = field(default_factory=list)
    observed: Mapping[str, str] = field(default_factory=dict)
    """Who is observed beside those that have a line, and where it is said."""


@dataclass
class Logged:
    """What some files say: the model they name, and their runs in the order in which they begin."""

    place: str = ""
    """The first file."""
    model: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    """Who is observed beside those that have a line, and where it is said."""
    runs: dict[str, LoggedRun] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return sum(len(run.lines) for run in self.runs.values())


class LogReader:
    """Takes the lines of logs as they are read, the header of each file first."""

    def __init__(self) -> None:
        self.logged = Logged()

    def take(self, path: str, number: int, text: bytes) -> tuple[str, LogLine] | None:
        """The run and the line that this text says; None if it is the header, or blank. Raises `ConfigError`."""
        place = f"{path}:{number}"
        self.logged.place = self.logged.place or path
        if number == 1:
            _take_header(self.logged, place, text)
            return None
        if not text.strip():
            return None
        raw = _line(place, text)
        return raw.run or "", _said(place, number, raw)


def read_logs(paths: Sequence[str]) -> Logged:
    """The runs in these files; lines of one run may be spread over several. Raises `ConfigError`."""
    reader = LogReader()
    logged = reader.logged
    for path in paths:
        for number, text in _texts(path):
            if (taken := reader.take(path, number, text)) is not None:
                logged.runs.setdefault(taken[0], LoggedRun(taken[0])).lines.append(taken[1])
    for run in logged.runs.values():
        run.observed = logged.observed
        check_run(run)
    if not logged.lines:
        raise ConfigError(f"{', '.join(paths)}: no line after the header, so nothing was observed; record something")
    return logged


def _texts(path: str) -> Iterator[tuple[int, bytes]]:
    if mistake := "" if path == STANDARD_INPUT else unplain(path):
        raise ConfigError(mistake)
    number = 0
    try:
        with _opened(path) as file:
            while text := file.readline(LINE_MAX + 1):
                number += 1
                if len(text) > LINE_MAX:
                    raise too_long(f"{path}:{number}")
                yield number, text
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise ConfigError(f"{path}: {what}; name a log{' that is whole' if error.errno is None else ''}") from None
    except (EOFError, zlib.error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}; name a log that is whole") from None
    if not number:
        raise ConfigError(f'{path}: is empty; the first line of a log is {{"roundsim_log": 1}}')


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with Path(path).open("rb") if path != STANDARD_INPUT else open(0, "rb", closefd=False) as file:
        packed = file.peek(2)[:2] == PACKED
        if packed:
            with gzip.GzipFile(fileobj=file) as inside:
                yield inside  # type: ignore[misc]
        else:
            yield file


def _json(place: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ConfigError(f"{place}: is nested too deep; the values of a model are at most 64 deep") from None
    except ValueError as error:
        if not isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            raise ConfigError(f"{place}: has an integer of too many digits; those of a model have 2,048 bits") from None
        cut = "" if text.endswith(b"\n") else "; the file ends in the middle of it"
        raise ConfigError(f"{place}: is not a JSON object{cut}; write one object per line") from None


def _take_header(logged: Logged, place: str, text: bytes) -> None:
    data = _json(place, text)
    if not isinstance(data, dict) or "roundsim_log" not in data:
        raise ConfigError(f'{place}: there is no header; the first line of a log is {{"roundsim_log": 1}}')
    try:
        header = HEADER.validate_python(data)
    except ValidationError as error:
        raise ConfigError(f"{place}: {_complaint(error)}") from None
    if header.model is not None and logged.model not in (None, header.model):
        raise ConfigError(
            f"{place}: the model is {header.model}, in another file {logged.model}; give logs of one model"
        )
    logged.model = header.model or logged.model
    logged.config |= header.config or {}
    for name in header.processes or ():
        logged.observed.setdefault(name, place)


def _line(place: str, text: bytes) -> RawLine:
    data = _json(place, text)
    if not isinstance(data, dict):
        raise ConfigError(f"{place}: is not a JSON object; write one object per line")
    given = data.get("input")
    if isinstance(given, dict):
        for key in given:
            if key not in _INPUTS and key not in _STRUCK:
                raise ConfigError(f"{place}: {unknown('input', key, _INPUTS)}")
    try:
        line = LINE.validate_python(data)
    except ValidationError as error:
        raise ConfigError(f"{place}: {_complaint(error)}") from None
    if (mistake := _mistake(line)) is not None:
        raise ConfigError(f"{place}: {mistake}")
    return line


_INPUTS = ("deliver", "fire", "move", "fault", "start", "crash", "restart")
_STRUCK = ("from", "message", "fields")


def _mistake(line: RawLine) -> str | None:
    given = [name for name in _INPUTS if getattr(line.input, name) is not None]
    inside = len(given) == 2 and "crash" in given and "start" not in given
    if len(given) != 1 and not inside:
        return f"input says {', '.join(given) or 'nothing'}; write exactly one of {', '.join(_INPUTS)}"
    struck = (line.input.source, line.input.message, line.input.fields)
    if "fault" not in given and any(one is not None for one in struck):
        return "input has from, message or fields beside it; write them inside of deliver"
    for put in line.outputs or ():
        if (put.send is None) == (put.emit is None):
            return "an output is neither a send nor an emit; write one of them"
    return None


def _complaint(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][:6])
    got = "" if first["type"] == "missing" else f", not {brief(repr(first['input']))}"
    return f"{where or 'the line'}: {first['msg'][:1].lower()}{first['msg'][1:]}{got}"


def _said(place: str, number: int, raw: RawLine) -> LogLine:
    data = raw.model_dump(by_alias=True, exclude_none=False, exclude_unset=True)
    said = {key: data[key] for key in ("input", "outputs", "state", "fields") if data.get(key) is not None}
    causes = (raw.cause,) if isinstance(raw.cause, str) else tuple(raw.cause or ())
    return LogLine(place, number, raw.process, said, raw.at, raw.id, causes)


def check_run(run: LoggedRun) -> None:
    """Refuses clocks that go back, ids that stand twice, causes that are nowhere."""
    last: dict[str, LogLine] = {}
    ids: dict[str, LogLine] = {}
    for line in run.lines:
        before = last.get(line.process)
        if line.at is not None:
            if before is not None and before.at is not None and line.at < before.at:
                what = f"at {line.at} comes after at {before.at} of {brief(before.place)}"
                raise ConfigError(f"{line.place}: the clock of {line.process} goes back: {what}; use a steady clock")
            last[line.process] = line
        if line.id is not None:
            if line.id in ids:
                raise ConfigError(
                    f"{line.place}: id {brief(line.id)} stands in {ids[line.id].place} too; give each its own"
                )
            ids[line.id] = line
    for line in run.lines:
        for cause in line.causes:
            if cause not in ids:
                raise ConfigError(
                    f"{line.place}: the cause {brief(cause)} is not an id of a line of this run; log that one too"
                )
