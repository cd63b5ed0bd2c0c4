"""A run of the simulation as the log that its processes would have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.base.errors import ModelError
from sim.base.printing import json_text
from sim.conform.log_schema import FORMAT
from sim.conform.log_values import written, written_fields
from sim.graph.action import Action, Kind
from sim.graph.definition import Definition
from sim.graph.state import GraphStart
from sim.machine.outputs import Emit, Output, Send, puts_in
from sim.machine.table import DOWN, FAILED, GONE, OFF
from sim.run.trace import Trace
from sim.system.declaration import Declaration


def log_text(trace: Trace, model: str | None, config: Mapping[str, Any], run: str | None = None) -> str:
    """The whole log of a run, every process observed whole."""
    head = {"roundsim_log": FORMAT, "model": model, "config": dict(config)}
    return "".join(json_text(line) + "\n" for line in (head, *lines_of(trace, run)))


def refuse_what_no_line_says(system: Declaration) -> None:
    """Raises ModelError for a system in which several processes crash at once, or one comes back as another: a line of
    a log is of one process, which stays what it is."""
    for what, given in (("machines", system.machines), ("updates", system.updates)):
        if given:
            raise ModelError(
                f"{what} of a system have no lines in a log; leave them out of the system that judges logs"
            )


def lines_of(trace: Trace, run: str | None = None) -> Iterator[dict[str, Any]]:
    """The lines. What no process notices (a loss, a copy, a cut) is not among them."""
    graph, start = trace.world, trace.start
    if not isinstance(graph, Definition) or not isinstance(start, GraphStart):
        raise ModelError("only a run of a model can be written as a log")
    refuse_what_no_line_says(graph.system)
    beside = {} if run is None else {"run": run}
    outputs = dict(start.outputs)
    for index, name in enumerate(graph.names[: graph.width]):
        given = {"process": name, "input": {"start": True}}
        yield {**given, **_after(graph, index, start.place.locals[index], outputs.get(name, ())), **beside}
    for time, choice in trace.steps:
        assert isinstance(choice, Action)
        if choice.process:
            index, local = choice.effect.process, choice.effect.local
            line = {"process": choice.process, "input": _input(choice)}
            line |= _after(graph, index, local, choice.outputs)
            yield {**line, **({} if time is None else {"at": time}), **beside}


def _input(action: Action) -> dict[str, Any]:
    inside = {"crash": True} if action.window is not None else {}
    if action.envelope is not None:
        message = action.envelope.message
        arrival = {"from": action.envelope.source, "message": type(message).__name__, "fields": written_fields(message)}
        given = {"deliver": arrival} if action.fault is None else {"fault": action.fault.kind, **arrival}
        return {**given, **inside}
    if action.kind in (Kind.FIRE, Kind.MOVE):
        return {action.kind.value: action.subject, **inside}
    return {action.kind.value: True, **inside}


def _after(graph: Definition, index: int, local: int, outputs: tuple[Output, ...]) -> dict[str, Any]:
    """What it put out, and what it became. Of a machine that is down nobody can say what it is."""
    puts = [_put(output) for output in puts_in(outputs)]
    value = graph.tables.locals.things[local][1]
    if value.state in (DOWN, FAILED, GONE, OFF):
        return {"outputs": puts}
    fields = dict(zip(graph.tables.handlers[index].fields, map(written, value.fields), strict=True))
    return {"outputs": puts, "state": value.state, "fields": fields}


def _put(output: Send | Emit) -> dict[str, Any]:
    if isinstance(output, Send):
        message = output.message
        return {"send": {"to": output.target, "message": type(message).__name__, "fields": written_fields(message)}}
    return {"emit": {"name": type(output.emission).__name__, "fields": written_fields(output.emission)}}
