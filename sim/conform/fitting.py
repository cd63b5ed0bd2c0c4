"""Whether a step of the model is what a line of a log says, and in what they differ if not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sim.base.values import is_record, show
from sim.conform.log_values import fits, written
from sim.conform.logged import LogLine
from sim.graph.action import Action, Kind
from sim.graph.definition import Definition
from sim.machine.outputs import Emit, Output, Send, puts_in


class Disagreement(NamedTuple):
    """Something that the log and the model say differently. `weight`: how far that sets them apart."""

    what: str
    log: str
    model: str
    weight: int


class Fitting:
    """Lines held against the actions of one graph. What was found is remembered."""

    def __init__(self, graph: Definition) -> None:
        self.graph = graph
        self._known: dict[tuple[LogLine, Action], bool] = {}

    def forget(self) -> None:
        """Another log begins."""
        self._known.clear()

    def fits(self, line: LogLine, action: Action) -> bool:
        """Whether the action is what the line says."""
        key = (line, action)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = next(self.differences(line.said, action), None) is None
        return known

    def starts(self, said: Mapping[str, Any], process: int, local: int, outputs: Sequence[Output]) -> bool:
        """Whether a process that begins like this is what the line says."""
        return next(self.start_differences(said, process, local, outputs), None) is None

    def start_differences(
        self, said: Mapping[str, Any], process: int, local: int, outputs: Sequence[Output]
    ) -> Iterator[Disagreement]:
        """What the line says otherwise than a process that begins like this."""
        return self._after(said, process, local, outputs)

    def differences(self, said: Mapping[str, Any], action: Action) -> Iterator[Disagreement]:
        """What the line says otherwise than the action; nothing if it fits."""
        yield from _inputs(said["input"], action)
        yield from self._after(said, action.effect.process, action.effect.local, action.outputs)

    def _after(
        self, said: Mapping[str, Any], process: int, local: int, outputs: Sequence[Output]
    ) -> Iterator[Disagreement]:
        if "outputs" in said:
            yield from _puts(said["outputs"], outputs)
        if "state" not in said and not said.get("fields"):
            return
        value = self.graph.tables.locals.things[local][1]
        if "state" in said and said["state"] != value.state:
            yield Disagreement("state", said["state"], value.state, 8)
        known = dict(zip(self.graph.tables.handlers[process].fields, value.fields, strict=False))
        for name, pattern in (said.get("fields") or {}).items():
            if name not in known:
                yield Disagreement(f"field {name}", value_text(pattern), "there is none", 4)
            else:
                yield from _apart(f"field {name}", pattern, known[name])


def _apart(what: str, pattern: Any, value: Any) -> Iterator[Disagreement]:
    """Where a pattern and a value part: in a record the fields in which they do."""
    if fits(pattern, value):
        return
    if isinstance(pattern, dict) and is_record(value) and all(hasattr(value, name) for name in pattern):
        for name, inner in pattern.items():
            yield from _apart(f"{what}.{name}", inner, getattr(value, name))
    else:
        yield Disagreement(what, value_text(pattern), value_text(written(value)), 4)


def value_text(value: Any) -> str:
    """A value of a log in words."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {value_text(one)}" for name, one in value.items()) + "}"
    return "[" + ", ".join(map(value_text, value)) + "]" if isinstance(value, list) else str(value)


def _inputs(given: Mapping[str, Any], action: Action) -> Iterator[Disagreement]:
    kind = next((name for name in given if name != "crash"), "crash")
    if kind in ("from", "message", "fields"):
        kind = "fault"
    if ("crash" in given) != _crashes(action):
        yield Disagreement("crash", "it crashed" if "crash" in given else "it did not", "otherwise", 32)
    if kind == "crash":  # whoever is killed in the middle of something says no more than that
        return
    theirs = "fault" if action.fault is not None else action.kind.value
    if kind == "start" and action.kind is Kind.RESTART:
        return
    if kind != theirs:
        yield Disagreement("input", input_text(given), str(action.address), 64)
    elif kind in ("fire", "move"):
        if given[kind] != action.subject:
            yield Disagreement("input", given[kind], action.subject, 32)
    elif kind in ("deliver", "fault"):
        yield from _arrivals(given["deliver"] if kind == "deliver" else given, action)


def _crashes(action: Action) -> bool:
    return action.kind is Kind.CRASH or action.window is not None


def _arrivals(given: Mapping[str, Any], action: Action) -> Iterator[Disagreement]:
    envelope = action.envelope
    assert envelope is not None
    name = type(envelope.message).__name__
    if "fault" in given and action.fault is not None and given["fault"] != action.fault.kind:
        yield Disagreement("fault", given["fault"], action.fault.kind, 16)
    if given.get("message") not in (None, name):
        yield Disagreement("message", given["message"], name, 32)
        return
    if given.get("from") not in (None, envelope.source):
        yield Disagreement("sender", given["from"], envelope.source, 16)
    yield from _fields("message", given.get("fields"), envelope.message)


def _fields(what: str, given: Mapping[str, Any] | None, record: Any) -> Iterator[Disagreement]:
    for name, pattern in (given or {}).items():
        if not hasattr(record, name):
            yield Disagreement(f"{what} field {name}", value_text(pattern), "there is none", 4)
        else:
            yield from _apart(f"{what} field {name}", pattern, getattr(record, name))


def _puts(given: Sequence[Mapping[str, Any]], outputs: Sequence[Output]) -> Iterator[Disagreement]:
    real = list(puts_in(outputs))
    if len(given) != len(real):
        log, model = ", ".join(map(put_text, given)) or "nothing", ", ".join(map(_real, real)) or "nothing"
        yield Disagreement("outputs", log, model, 8)
        return
    for number, (one, output) in enumerate(zip(given, real, strict=True), 1):
        wanted = one.get("send") if isinstance(output, Send) else one.get("emit")
        record = output.message if isinstance(output, Send) else output.emission
        name = type(record).__name__
        if wanted is None or (wanted.get("message") or wanted.get("name")) != name:
            yield Disagreement(f"output {number}", put_text(one), _real(output), 8)
            continue
        if isinstance(output, Send) and wanted.get("to") not in (None, output.target):
            yield Disagreement(f"output {number} to", wanted["to"], output.target, 8)
        yield from _fields(f"output {number}", wanted.get("fields"), record)


def _real(output: Send | Emit) -> str:
    return f"{show(output.message)} to {output.target}" if isinstance(output, Send) else show(output.emission)


def put_text(put: Mapping[str, Any]) -> str:
    """An output of a log in words."""
    one = put.get("send") or put.get("emit") or {}
    to = f" to {one['to']}" if one.get("to") else ""
    return f"{one.get('message') or one.get('name')}{_inner(one.get('fields'))}{to}"


def input_text(given: Mapping[str, Any]) -> str:
    """An input of a log in words."""
    inside = " and crash" if "crash" in given and len(given) > 1 else ""
    if "deliver" in given:
        one = given["deliver"]
        return f"deliver {one['message']}{_inner(one.get('fields'))} from {one['from']}{inside}"
    if "fault" in given:
        return f"fault {given['fault']} on {given.get('message') or 'a message'}{_inner(given.get('fields'))}{inside}"
    kind = next((name for name in given if name != "crash"), "crash")
    return f"{kind}{'' if given[kind] is True else ' ' + given[kind]}{inside}"


def _inner(fields: Mapping[str, Any] | None) -> str:
    return "(" + ", ".join(f"{name}={value_text(value)}" for name, value in fields.items()) + ")" if fields else ""
