"""A span processor of OpenTelemetry that records: a span in which a process of the model handles one input is a line of
a log. It needs the extra `otel`; nothing of the simulation is imported.

    provider = TracerProvider()
    provider.add_span_processor(RecordingSpanProcessor(Recorder("run.jsonl", model="shop")))

    with tracer.start_as_current_span("pay", attributes={
        "roundsim.process": "bank", "roundsim.deliver": "Pay",
        "roundsim.from": "customer", "roundsim.fields": '{"order": 1}',
    }) as span:
        span.add_event("roundsim.send", {"message": "Paid", "to": "customer", "fields": '{"order": 1}'})
        span.set_attribute("roundsim.state", "open")

What a span is given is one of the attributes `roundsim.deliver`, `.fault` (with `.message`), `.fire`, `.move` (texts),
`.start`, `.crash`, `.restart` (true); `roundsim.from` and `roundsim.fields` say more of a message. What comes of it are events
`roundsim.send` and `roundsim.emit` (with `name`), and the attributes `roundsim.state` and `roundsim.became` (fields).
Fields are JSON texts, as attributes have no other way to hold them. A span whose parent, or a link of which, is such a
span comes after it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sim.conform.recorder import Recorder

if TYPE_CHECKING:
    from opentelemetry.context import Context

PREFIX = "roundsim."
TEXTS = ("deliver", "fault", "fire", "move")
FLAGS = ("start", "crash", "restart")
SPANS_MAX = 100_000
"""Of so many spans it is known that they are recorded."""


class RecordingSpanProcessor(SpanProcessor):
    """Records the spans that say of which process they are. With `by_trace` each trace is a run of its own. A span that
    cannot be understood is left out; `mistakes` says why, for the last ones."""

    def __init__(self, recorder: Recorder, *, by_trace: bool = False) -> None:
        self.recorder, self.by_trace = recorder, by_trace
        self.mistakes: list[str] = []
        self._spans: dict[int, int] = {}
        self._clocks: dict[str, int] = {}
        self._lock = threading.Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - as the SDK calls it
        if PREFIX + "process" not in (span.attributes or {}) or span.context is None:
            return
        with self._lock:
            self._spans[span.context.span_id] = span.context.trace_id
            if len(self._spans) > SPANS_MAX:
                del self._spans[next(iter(self._spans))]

    def on_end(self, span: ReadableSpan) -> None:
        attributes = {
            key.removeprefix(PREFIX): value for key, value in (span.attributes or {}).items() if key.startswith(PREFIX)
        }
        if "process" not in attributes or not self.recorder.on:
            return
        try:
            with self._lock:
                self.recorder.write(self._line(span, attributes))
        except ValueError as error:
            if span.context is not None:
                self._spans.pop(span.context.span_id, None)
            self.mistakes = [*self.mistakes[-9:], f"span {span.name}: {error}"]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - as the SDK calls it
        self.recorder.flush()
        return True

    def shutdown(self) -> None:
        self.recorder.flush()

    def _is_line(self, span_id: int, trace_id: int) -> bool:
        """Whether a span is a line of the same run."""
        return span_id in self._spans and (not self.by_trace or self._spans[span_id] == trace_id)

    def _line(self, span: ReadableSpan, said: Mapping[str, Any]) -> dict[str, Any]:
        process = str(said["process"])
        line: dict[str, Any] = {"process": process, "input": _input(said)}
        line["outputs"] = [
            _output(event.name.removeprefix(PREFIX), event.attributes or {})
            for event in span.events
            if event.name in (PREFIX + "send", PREFIX + "emit")
        ]
        if "state" in said:
            line["state"] = said["state"]
        if "became" in said:
            line["fields"] = _fields("roundsim.became", said["became"])
        if span.end_time is not None:  # a clock that somebody sets back is held: a process has one time
            at = line["at"] = max(span.end_time // 1_000_000, self._clocks.get(process, 0))
            self._clocks[process] = at
        if span.context is not None:
            line["id"] = f"{span.context.span_id:016x}"
            before = [one.span_id for one in (span.parent, *(link.context for link in span.links)) if one is not None]
            causes = [f"{one:016x}" for one in before if self._is_line(one, span.context.trace_id)]
            line |= {"cause": causes} if causes else {}
            if self.by_trace:
                line["run"] = f"{span.context.trace_id:032x}"
        if self.recorder.run is not None and not self.by_trace:
            line["run"] = self.recorder.run
        return line


def _input(said: Mapping[str, Any]) -> dict[str, Any]:
    given = [key for key in (*TEXTS, *FLAGS) if key in said]
    if len(given) != 1:
        options = ", ".join(PREFIX + key for key in (*TEXTS, *FLAGS))
        raise ValueError(f"says {', '.join(given) or 'nothing'} of what it was given; set one of {options}")
    (kind,) = given
    if kind in FLAGS:
        return {kind: True}
    if kind in ("fire", "move"):
        return {kind: str(said[kind])}
    arrival: dict[str, Any] = {"from": said["from"]} if "from" in said else {}
    if "fields" in said:
        arrival["fields"] = _fields("roundsim.fields", said["fields"])
    if kind == "deliver":
        if "from" not in said:
            raise ValueError("does not say from whom; set roundsim.from")
        return {"deliver": {**arrival, "message": str(said["deliver"])}}
    message = {"message": str(said["message"])} if "message" in said else {}
    return {"fault": str(said["fault"]), **arrival, **message}


def _output(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    key = "message" if kind == "send" else "name"
    if key not in said:
        raise ValueError(f"an event {PREFIX}{kind} has no {key}; give it one")
    one: dict[str, Any] = {key: str(said[key])}
    if kind == "send" and "to" in said:
        one["to"] = str(said["to"])
    if "fields" in said:
        one["fields"] = _fields(f"fields of {PREFIX}{kind}", said["fields"])
    return {kind: one}


def _fields(what: str, text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{what} is {text!r}; write a JSON object")
    return found
