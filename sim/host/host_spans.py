"""What a host does, as spans of OpenTelemetry: one for each input, and in it one for each call of an adapter.

A span of an input says what a line of the log says, by the attributes that `sim.conform.spans` reads back; it is within the
span of the input that sent the message. A session of a journal is one trace, also after the host was stopped. What came
over a link has a link to the trace of the host that sent it. It needs the extra `otel`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from sim.base.errors import ConfigError
from sim.host.adapter import Adapter, Reply
from sim.host.host_log import log_line
from sim.host.journal import Journal
from sim.host.journal_records import Entry, Line, Mail

try:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError:
    raise ConfigError("the OpenTelemetry SDK is not installed; pip install 'roundsim[otel]'") from None

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext, Tracer

PREFIX = "roundsim."
EXPORTERS = "OTEL_TRACES_EXPORTER"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
KNOWN_MAX = 10_000
"""Of so many inputs it is known which span they have."""
NS = 1_000_000
"""Nanoseconds of a millisecond."""


@dataclass(frozen=True)
class _Call:
    """A call that has ended; times in nanoseconds since 1970."""

    name: str
    began: int
    ended: int
    said: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class HostSpans:
    """Makes spans of what it is told. With `texts` a span of a call has the answer, too; without, no payload is in any."""

    def __init__(self, tracer: Tracer, *, texts: bool = False, provider: TracerProvider | None = None) -> None:
        self._tracer, self._texts, self._provider = tracer, texts, provider
        self._known: dict[str, SpanContext] = {}
        self._calls: dict[int, list[_Call]] = {}
        self._mail: dict[int, tuple[Journal, Mail]] = {}

    def kept(self, journal: Journal, entry: Entry) -> None:
        calls = [] if entry.taken is None else self._calls.pop(entry.taken.id, [])
        if entry.taken is not None:
            self._mail.pop(entry.taken.id, None)
        for line in entry.lines:
            if "input" in line.said:
                self._line(
                    journal, line, calls if entry.taken is not None and line.process == entry.taken.target else []
                )

    async def asking(self, journal: Journal, mail: Mail, adapter: Adapter, answer: Awaitable[Reply]) -> Reply:
        began = time.time_ns()
        try:
            reply = await answer
        except BaseException as error:
            self._keep(journal, mail, self._failed(mail, adapter, began, type(error).__name__))
            self._let_go(mail.id)
            raise
        self._keep(journal, mail, self._answered(mail, adapter, began, reply))
        return reply

    def close(self) -> None:
        for number in [*self._calls]:
            self._let_go(number)
        if self._provider is not None:
            self._provider.shutdown()

    # --- inputs -----------------------------------------------------------------------------------------

    def _line(self, journal: Journal, line: Line, calls: Sequence[_Call]) -> None:
        said = log_line(journal, line)
        cause = str(line.said.get("cause", ""))
        name, given = _given(said["input"])
        attributes = {
            "process": line.process,
            **given,
            "session": line.session,
            "id": said["id"],
            **({"cause": cause} if cause else {}),
            **({"state": said["state"]} if "state" in said else {}),
            **({"became": _json(said["fields"])} if "fields" in said else {}),
        }
        head = journal.id[:8]
        elsewhere = cause.rpartition("/")[0] not in ("", head)
        links = (
            [trace.Link(_root(cause.rpartition("/")[0], line.session), {f"{PREFIX}cause": cause})] if elsewhere else []
        )
        at = max(line.at_ms * NS, *(call.ended for call in calls), 0)
        span = self._tracer.start_span(
            f"{line.process} {name}",
            self._within(head, line.session, cause),
            trace.SpanKind.CONSUMER if "from" in given else trace.SpanKind.INTERNAL,
            {f"{PREFIX}{key}": value for key, value in attributes.items()},
            links,
            min([at, *(call.began for call in calls)]),
        )
        for put in said["outputs"]:
            ((kind, inner),) = put.items()
            event = {key: _json(value) if key == "fields" else value for key, value in inner.items()}
            span.add_event(f"{PREFIX}{kind}", event, at)
        for call in calls:
            self._call(call, trace.set_span_in_context(span))
        span.end(at)
        self._known[said["id"]] = span.get_span_context()
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]

    def _within(self, head: str, session: str, cause: str) -> Context:
        """The span of the input that led to this one; else the session as a whole."""
        above = self._known.get(cause) or _root(head, session)
        return trace.set_span_in_context(trace.NonRecordingSpan(above))

    # --- calls ------------------------------------------------------------------------------------------

    def _answered(self, mail: Mail, adapter: Adapter, began: int, reply: Reply) -> _Call:
        said: dict[str, Any] = {}
        if reply.model:
            said["gen_ai.response.model"] = reply.model
        if reply.usage is not None:
            said["gen_ai.usage.input_tokens"] = reply.usage.input_tokens
            said["gen_ai.usage.output_tokens"] = reply.usage.output_tokens
        if self._texts and reply.text is not None:
            part = {"role": "assistant", "parts": [{"type": "text", "content": reply.text}], "finish_reason": "stop"}
            said["gen_ai.output.messages"] = _json([part])
        said |= {key: value for key, value in reply.facts.items() if isinstance(value, str | int | float | bool)}
        error = "" if reply.failure is None else reply.failure.kind.name.lower()
        return _call_of(mail, adapter, began, said, error)

    def _failed(self, mail: Mail, adapter: Adapter, began: int, error: str) -> _Call:
        return _call_of(mail, adapter, began, {}, error)

    def _keep(self, journal: Journal, mail: Mail, call: _Call) -> None:
        self._calls.setdefault(mail.id, []).append(call)
        self._mail[mail.id] = journal, mail

    def _let_go(self, number: int) -> None:
        """Nothing was kept of what these calls came to: they are within the input that led to them."""
        journal, mail = self._mail.pop(number)
        for call in self._calls.pop(number):
            self._call(call, self._within(journal.id[:8], mail.session, mail.cause))

    def _call(self, call: _Call, within: Context) -> None:
        span = self._tracer.start_span(call.name, within, trace.SpanKind.CLIENT, call.said, start_time=call.began)
        if call.error:
            span.set_status(trace.StatusCode.ERROR, call.error)
        span.end(call.ended)


def _call_of(mail: Mail, adapter: Adapter, began: int, said: Mapping[str, Any], error: str) -> _Call:
    asked = said.get("gen_ai.request.model") or getattr(adapter, "model", None) or said.get("gen_ai.response.model")
    model = {"gen_ai.request.model": asked} if isinstance(asked, str) else {}
    failed = {"error.type": error} if error else {}
    names = {"gen_ai.operation.name": "chat", "gen_ai.agent.name": mail.target, "gen_ai.conversation.id": mail.session}
    name = f"chat {asked}" if model else f"chat {mail.target}"
    return _Call(name, began, time.time_ns(), {**names, **model, **said, **failed}, error)


def _given(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a process was given: for a name of a span, and as attributes."""
    if "deliver" in given:
        arrival = given["deliver"]
        said = {"deliver": arrival["message"], "from": arrival["from"], "fields": _json(arrival["fields"])}
        return f"handle {arrival['message']}", said
    if "fault" in given:
        said = {**{key: given[key] for key in ("fault", "message", "from")}, "fields": _json(given["fields"])}
        return f"handle {given['message']} {given['fault']}", said
    ((kind, what),) = given.items()
    return kind if what is True else f"{kind} {what}", {kind: what}


def _root(head: str, session: str) -> SpanContext:
    """What stands for a session of a journal as a whole: the same whenever its host runs."""
    seed = sha256(f"{head}/{session}".encode()).digest()
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    ids = int.from_bytes(seed[:16], "big"), int.from_bytes(seed[16:24], "big")
    return trace.SpanContext(*ids, is_remote=True, trace_flags=sampled)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


# --- what the environment says ----------------------------------------------------------------------------


def spans_from_environment(environment: Mapping[str, str], *, texts: bool = False) -> HostSpans:
    """Spans that go where the environment says, by the variables of OpenTelemetry. Raises `ConfigError`."""
    given = trace.get_tracer_provider()
    if isinstance(given, TracerProvider):  # somebody has set it up, such as opentelemetry-instrument
        return HostSpans(given.get_tracer("roundsim"), texts=texts)
    provider = TracerProvider(shutdown_on_exit=False)
    for exporter in _exporters(environment):
        provider.add_span_processor(BatchSpanProcessor(exporter()))
    return HostSpans(provider.get_tracer("roundsim"), texts=texts, provider=provider)


def _exporters(environment: Mapping[str, str]) -> Iterator[Any]:
    names = [name.strip() for name in environment.get(EXPORTERS, "otlp").split(",")]
    there = {found.name: found for found in entry_points(group="opentelemetry_traces_exporter")}
    for name in names:
        if name in ("none", ""):
            continue
        known = [one for one in (name, *(_otlp(environment) if name == "otlp" else ())) if one in there]
        if not known:
            package = "opentelemetry-exporter-otlp" if name == "otlp" else "the package that brings it"
            raise ConfigError(f"no exporter {name} for spans is installed; install {package}, or set {EXPORTERS}")
        yield there[known[0]].load()


def _otlp(environment: Mapping[str, str]) -> tuple[str, ...]:
    protocol = environment.get(PROTOCOL.replace("OTLP_", "OTLP_TRACES_")) or environment.get(PROTOCOL)
    both = ("otlp_proto_http", "otlp_proto_grpc")
    return {"grpc": both[1:], "http/protobuf": both[:1]}.get(protocol or "", both)
