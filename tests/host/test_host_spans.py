"""What a host does, as spans: read back they are the log, and calls say what was paid."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from models.consensus import system
from sim.base.errors import ConfigError
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.conform.recorder import Recorder
from sim.conform.spans import RecordingSpanProcessor
from sim.consensus import ErrorKind, Failure
from sim.host import Beside, Host, Question, Reply, host_spans
from sim.host.configuration import Hosting, read_hosting
from sim.host.host_log import faults_of
from sim.host.host_spans import HostSpans, spans_from_environment
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Entry
from sim.metrics import TokenUsage
from sim.scenario import load_target
from tests.host.small_council import AGENTS, NAME, Agents, host_of, over

SECRET = "what was really said"


class Spans:
    """Where spans go; `observer` makes them."""

    def __init__(self, recorder: Recorder | None = None, *, texts: bool = False, by_trace: bool = False) -> None:
        self._found = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._found))
        if recorder is not None:
            self.processor = RecordingSpanProcessor(recorder, by_trace=by_trace)
            provider.add_span_processor(self.processor)
        self.observer = HostSpans(provider.get_tracer("test"), texts=texts)

    @property
    def all(self) -> Sequence[ReadableSpan]:
        return self._found.get_finished_spans()

    @property
    def inputs(self) -> list[ReadableSpan]:
        return [span for span in self.all if "roundsim.process" in (span.attributes or {})]

    @property
    def calls(self) -> list[ReadableSpan]:
        return [span for span in self.all if "gen_ai.operation.name" in (span.attributes or {})]


class Moody(Agents):
    """Fails the first time."""

    failed = False

    async def ask(self, question: Question) -> Reply:
        if self.failed:
            return await super().ask(question)
        self.failed = True
        return Reply(failure=Failure(ErrorKind.TIMEOUT), model="gpt-4o", facts={"gen_ai.system": "openai"})


def killed_and_resumed(journal: Path, observers: Sequence[Any], agents: Agents) -> None:
    """Two hosts, one after the other: the second goes on."""

    async def live() -> None:
        async with host_of(journal, agents, observer=observers[0]) as host:
            await host.start(NAME, agents=2, rounds=2, retries=2)
            while host.journal.lines < 12:
                await asyncio.sleep(0.01)
        agents.allow(2)
        async with host_of(journal, agents, observer=observers[1]) as host:
            await host.until_over(NAME)

    asyncio.run(live())


def judged(journal: Path, log: Path) -> tuple[str, int]:
    """The verdict on a log, with the faults that struck; and how many lines it has."""
    with open_journal(str(journal), fresh=False) as opened:
        config = {key: str(value) for key, value in opened.sessions()[NAME][0].items()}
        plan = faults_of(opened.trace(NAME))
    target = load_target("models.consensus", config, faults=plan)
    (run,) = read_logs([str(log)]).runs.values()
    return Judging(target.system, hints=False).judge(run).verdict, len(run.lines)


def with_recorder(tmp_path: Path, *, by_trace: bool) -> tuple[str, int]:
    journal, log = tmp_path / "j.db", tmp_path / "spans.jsonl"
    with Recorder(log) as recorder:
        spans = [Spans(recorder, by_trace=by_trace) for _ in range(2)]
        killed_and_resumed(journal, [one.observer for one in spans], Moody(1))
        assert [one.processor.mistakes for one in spans] == [[], []]
    return judged(journal, log)


@pytest.mark.parametrize("by_trace", [False, True])
def test_the_spans_of_a_session_conform_also_over_a_stop(tmp_path: Path, by_trace: bool) -> None:
    verdict, lines = with_recorder(tmp_path, by_trace=by_trace)
    assert verdict == "ok"
    with open_journal(str(tmp_path / "j.db"), fresh=False) as opened:
        assert lines == len([*opened.trace(NAME)]), "one span an input, none is missing"


def test_a_span_that_says_what_was_not_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = host_spans.log_line

    def wrong(journal: Journal, line: Any, before: int = 0) -> dict[str, Any]:
        said = real(journal, line, before)
        return {**said, "state": "asking"} if said.get("state") == "storing" else said

    monkeypatch.setattr(host_spans, "log_line", wrong)
    assert with_recorder(tmp_path, by_trace=False)[0] == "violated"


def test_a_session_is_one_trace_also_over_a_stop(tmp_path: Path) -> None:
    spans = [Spans(), Spans()]
    killed_and_resumed(tmp_path / "j.db", [one.observer for one in spans], Agents(1))
    traces = [{span.context.trace_id for span in one.all if span.context} for one in spans]
    assert traces[0] == traces[1]
    assert len(traces[0]) == 1
    other = Spans()
    over(tmp_path / "other.db", observer=other.observer)
    assert {span.context.trace_id for span in other.all if span.context}.isdisjoint(traces[0])


def test_a_span_is_within_the_one_that_led_to_it(tmp_path: Path) -> None:
    spans = Spans()
    over(tmp_path / "j.db", observer=spans.observer)
    by_id = {span.context.span_id: span.name for span in spans.all if span.context}
    within = {span.name: by_id.get(span.parent.span_id) for span in spans.all if span.parent}
    assert within["gemini handle Ask"] == "coordinator move boot"
    assert within["coordinator handle Response"] in {f"{name} handle Ask" for name in AGENTS}
    assert within["store handle Store"] == "coordinator handle Response"
    assert within["chat gpt-4o"] in {f"{name} handle Ask" for name in AGENTS}
    assert within["coordinator start"] is None


def test_a_call_says_who_was_asked_and_what_it_cost(tmp_path: Path) -> None:
    spans = Spans()
    over(tmp_path / "j.db", rounds=2, text=SECRET, observer=spans.observer)
    assert len(spans.calls) == 4
    for call in spans.calls:
        said = dict(call.attributes or {})
        assert said["gen_ai.operation.name"] == "chat"
        assert (said["gen_ai.request.model"], said["gen_ai.response.model"]) == ("gpt-4o", "gpt-4o")
        assert said["gen_ai.agent.name"] in AGENTS
        assert TokenUsage.from_otel(call) == TokenUsage(100, 10)
        assert call.status.is_ok or call.status.is_unset
        assert call.start_time is not None
        assert call.end_time is not None
        assert call.start_time <= call.end_time
    assert SECRET not in "".join(span.to_json() for span in spans.all)


def test_what_was_said_is_in_spans_only_if_it_is_asked_for(tmp_path: Path) -> None:
    spans = Spans(texts=True)
    over(tmp_path / "j.db", text=SECRET, observer=spans.observer)
    (message,) = json.loads(str((spans.calls[0].attributes or {})["gen_ai.output.messages"]))
    assert message["parts"][0]["content"].endswith(SECRET)


def test_an_attempt_that_failed_says_why(tmp_path: Path) -> None:
    spans = Spans()
    killed_and_resumed(tmp_path / "j.db", [spans.observer] * 2, Moody(1))
    failed = [span for span in spans.calls if not span.status.is_unset]
    first = dict(failed[0].attributes or {})
    assert (first["error.type"], first["gen_ai.system"]) == ("timeout", "openai")
    cut_off = {dict(span.attributes or {})["error.type"] for span in failed[1:]}
    assert cut_off <= {"CancelledError"}, "or the stop has cut it off"


def test_what_came_over_a_link_leads_to_the_trace_of_who_sent_it(tmp_path: Path) -> None:
    here, there = Spans(), Spans()
    mine = ("coordinator", *AGENTS)
    shared: dict[str, Any] = {"model": "models.consensus", "leaves": None}

    async def live() -> None:
        class Later:
            """The way to a host that is made after this one."""

            async def carry(self, parcels: Any) -> Any:
                return [other.receive(parcel) for parcel in parcels]

            async def close(self) -> None: ...

        theirs = [name for name in system(agents=2).processes if name not in mine]
        host = Host(
            system,
            journal=tmp_path / "a.db",
            here=["coordinator"],
            adapters=dict.fromkeys(AGENTS, Agents(1)),
            links=dict.fromkeys(theirs, Later()),
            until={"coordinator": ("done",)},
            observer=here.observer,
            **shared,
        )
        other = Host(
            system,
            journal=tmp_path / "b.db",
            here=theirs,
            links=dict.fromkeys(mine, Beside(host)),
            until={"consumer": ()},
            observer=there.observer,
            **shared,
        )
        async with host, other:
            await other.start(NAME, agents=2, rounds=1)
            await host.start(NAME, agents=2, rounds=1)
            await host.until_over(NAME)

    asyncio.run(live())
    (stored,) = [span for span in there.inputs if span.name == "store handle Store"]
    traces = {span.context.trace_id for span in here.all if span.context}
    assert {link.context.trace_id for link in stored.links} == traces
    cause = dict(stored.links[0].attributes or {})["roundsim.cause"]
    assert cause in {dict(span.attributes or {})["roundsim.id"] for span in here.inputs}
    assert all(not span.links for span in there.inputs if "from" not in str(span.attributes))


def test_an_observer_that_fails_ends_nothing(tmp_path: Path) -> None:
    class Broken(HostSpans):
        def kept(self, journal: Journal, entry: Entry) -> None:
            raise RuntimeError("no room")

    told: list[str] = []
    over(tmp_path / "j.db", observer=Broken(TracerProvider().get_tracer("x")), tell=told.append)
    assert told == ["nothing more is told to Broken: RuntimeError: no room"]


# --- the environment ----------------------------------------------------------------------------------


HOSTED = """
import os
from pathlib import Path
from sim.host.host_spans import spans_from_environment
from tests.host.small_council import over
over(Path("j.db"), text="{text}", observer=spans_from_environment(os.environ))
"""


def printed(tmp_path: Path, exporters: str) -> str:
    """What comes of a session whose spans go there."""
    where = {
        "OTEL_TRACES_EXPORTER": exporters,
        "OTEL_SERVICE_NAME": "my-council",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", HOSTED.format(text=SECRET)]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **where}, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_spans_go_where_the_environment_says(tmp_path: Path) -> None:
    told = printed(tmp_path, "console")
    assert '"name": "chat gpt-4o"' in told
    assert '"service.name": "my-council"' in told
    assert SECRET not in told


def test_spans_may_go_nowhere(tmp_path: Path) -> None:
    assert printed(tmp_path, "none") == ""


@pytest.mark.parametrize(
    ("exporters", "what"),
    [
        (None, "no exporter otlp for spans is installed; install opentelemetry-exporter-otlp, or set OTEL_TRACES_"),
        ("console,zipkin", "no exporter zipkin for spans is installed; install the package that brings it"),
    ],
)
def test_an_exporter_that_is_not_there_is_a_line(exporters: str | None, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        spans_from_environment({} if exporters is None else {"OTEL_TRACES_EXPORTER": exporters})


def test_without_the_extra_it_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "sim.host.host_spans")
    with pytest.raises(ConfigError, match=r"pip install 'roundsim\[otel\]'"):
        __import__("sim.host.host_spans")


def read(value: Any) -> tuple[Hosting, list[str]]:
    complaints: list[str] = []
    found = read_hosting({"otel": value}, lambda keys, text: complaints.append(f"{'.'.join(keys)} {text}"))
    return found, complaints


def test_the_key_of_the_configuration() -> None:
    for value, wanted in ((True, (True, False)), (False, (False, False)), ({"texts": True}, (True, True))):
        found, complaints = read(value)
        assert ((found.otel, found.otel_texts), complaints) == (wanted, [])
    for value in ("yes", 1, {"text": True}, {"texts": 1}, [True]):
        assert "expected true, or {texts: true}" in read(value)[1][0]
