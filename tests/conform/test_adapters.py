"""What `logging` and OpenTelemetry are told becomes a log; a bug planted in a program is given away by it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, Tracer, set_span_in_context

from sim.conform.conformance import JudgedLog, Judging
from sim.conform.log_handler import RecordingHandler
from sim.conform.recorder import Recorder
from sim.conform.spans import RecordingSpanProcessor
from tests.conform.judged import judged, system

ASKS = 2


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


# --- logging ----------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.Logger("shop")
    yield logger
    for handler in list(logger.handlers):
        handler.close()


def run_with_logging(log: logging.Logger, bug: bool) -> None:
    def tell(words: str, **said: Any) -> None:
        log.info(words, extra={"roundsim": said})

    log.info("a record that says nothing of the model")
    for number in range(1, ASKS + 1):
        tell("asks", process="client", moved="ask", sent=("server", "Ask", {"number": number}), became="waiting")
        tell("asked", process="server", received=("client", "Ask", {"number": number}))
        tell("serves", process="server", emitted={"name": "Served", "fields": {"number": number}})
        given = number + bug
        tell("replies", process="server", sent=("client", "Reply", {"number": given}))
        tell("done", process="client", received=("server", "Reply", {"number": given}))


def with_logging(log: logging.Logger, path: Path, bug: bool) -> JudgedLog:
    with Recorder(path) as recorder:
        log.handlers[:] = [RecordingHandler(recorder)]
        run_with_logging(log, bug)
        log.handlers[0].flush()
        return judged(Judging(system(ASKS)), [str(path)])


def test_what_a_program_logs_conforms_and_gives_a_bug_away(log: logging.Logger, tmp_path: Path) -> None:
    fine = with_logging(log, tmp_path / "fine.jsonl", False)
    assert (fine.verdict, fine.lines) == ("ok", 3 * ASKS)
    bad = with_logging(log, tmp_path / "bad.jsonl", True)
    assert (bad.verdict, bad.process) == ("violated", "server")
    assert bad.differs[0]["what"] == "output 2 field number"


def test_records_in_other_words_are_read(log: logging.Logger, tmp_path: Path) -> None:
    def read(record: logging.LogRecord) -> dict[str, Any] | None:
        return {"process": "client", "moved": str(record.args[0])} if record.args else None

    with Recorder(tmp_path / "a.jsonl") as recorder:
        log.addHandler(RecordingHandler(recorder, read))
        log.info("moves %s", "ask")
        log.info("nothing")
    (line,) = lines_of(tmp_path / "a.jsonl")
    assert line["input"] == {"move": "ask"}


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"process": "client", "move": "ask"}, "unknown key 'move' (did you mean 'moved'?): use process, started, "),
        ({"moved": "ask"}, "process is None; name a process of the model"),
        ({"process": "client", "moved": "ask", "fired": "t"}, "given one thing at a time"),
        ({"process": "client", "sent": ("server", "Ask")}, "client was given nothing yet"),
    ],
)
def test_a_record_that_cannot_be_understood_ends_nothing(
    said: dict[str, Any], what: str, log: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recorder(tmp_path / "a.jsonl") as recorder:
        log.addHandler(RecordingHandler(recorder))
        log.info("goes on", extra={"roundsim": said})
    assert lines_of(tmp_path / "a.jsonl") == []
    assert what in capsys.readouterr().err


# --- OpenTelemetry ----------------------------------------------------------------------------------


def traced(processor: RecordingSpanProcessor) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider.get_tracer("shop")


def run_with_spans(tracer: Tracer, bug: bool) -> None:
    with tracer.start_as_current_span("a span that says nothing of the model"):
        for number in range(1, ASKS + 1):
            fields = json.dumps({"number": number})
            moved = {"roundsim.process": "client", "roundsim.move": "ask"}
            with tracer.start_as_current_span("ask", attributes=moved) as asking:
                asking.add_event("roundsim.send", {"to": "server", "message": "Ask", "fields": fields})
                asking.set_attribute("roundsim.state", "waiting")
            came = {"roundsim.process": "server", "roundsim.deliver": "Ask", "roundsim.from": "client"}
            with tracer.start_as_current_span(
                "serve", set_span_in_context(asking), attributes={**came, "roundsim.fields": fields}
            ) as serving:
                serving.add_event("roundsim.emit", {"name": "Served", "fields": fields})
                given = json.dumps({"number": number + bug})
                serving.add_event("roundsim.send", {"to": "client", "message": "Reply", "fields": given})
            back = {"roundsim.process": "client", "roundsim.deliver": "Reply", "roundsim.from": "server"}
            with tracer.start_as_current_span(
                "take", attributes=back, links=[Link(serving.get_span_context())]
            ) as taking:
                taking.set_attribute("roundsim.became", json.dumps({"asked": number}))


def with_spans(path: Path, bug: bool) -> JudgedLog:
    with Recorder(path) as recorder:
        processor = RecordingSpanProcessor(recorder)
        run_with_spans(traced(processor), bug)
        assert processor.mistakes == []
    return judged(Judging(system(ASKS), skew_ms=60_000), [str(path)])


def test_the_spans_of_a_program_conform_and_give_a_bug_away(tmp_path: Path) -> None:
    fine = with_spans(tmp_path / "fine.jsonl", False)
    assert (fine.verdict, fine.lines) == ("ok", 3 * ASKS)
    ask, serve, take = lines_of(tmp_path / "fine.jsonl")[:3]
    assert (serve["cause"], take["cause"]) == ([ask["id"]], [serve["id"]])
    assert ask["at"] <= serve["at"] <= take["at"]
    bad = with_spans(tmp_path / "bad.jsonl", True)
    assert (bad.verdict, bad.process) == ("violated", "server")
    assert bad.differs[0]["what"] == "output 2 field number"


def test_each_trace_may_be_a_run(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.jsonl") as recorder:
        tracer = traced(RecordingSpanProcessor(recorder, by_trace=True))
        first = tracer.start_span("ask", attributes={"roundsim.process": "client", "roundsim.move": "ask"})
        first.end()
        links = [Link(first.get_span_context())]
        tracer.start_span("ask", attributes={"roundsim.process": "client", "roundsim.move": "ask"}, links=links).end()
    one, other = lines_of(tmp_path / "a.jsonl")
    assert one["run"] != other["run"]
    assert "cause" not in other  # it is of another run


@pytest.mark.parametrize(
    ("attributes", "event", "what"),
    [
        ({}, None, "span x: says nothing of what it was given; set one of roundsim.deliver, "),
        ({"roundsim.move": "ask", "roundsim.start": True}, None, "says move, start of what it was given"),
        ({"roundsim.deliver": "Ask"}, None, "does not say from whom; set roundsim.from"),
        ({"roundsim.start": True, "roundsim.became": "[1]"}, None, "roundsim.became is '[1]'; write a JSON object"),
        ({"roundsim.start": True}, "roundsim.send", "an event roundsim.send has no message"),
    ],
)
def test_a_span_that_cannot_be_understood_is_left_out_and_said(
    attributes: dict[str, Any], event: str | None, what: str, tmp_path: Path
) -> None:
    with Recorder(tmp_path / "a.jsonl") as recorder:
        processor = RecordingSpanProcessor(recorder)
        span = traced(processor).start_span("x", attributes={"roundsim.process": "client", **attributes})
        if event is not None:
            span.add_event(event, {})
        span.end()
    assert lines_of(tmp_path / "a.jsonl") == []
    (mistake,) = processor.mistakes
    assert what in mistake


def test_a_recorder_that_is_off_records_no_span() -> None:
    run_with_spans(traced(RecordingSpanProcessor(Recorder())), False)


@pytest.mark.parametrize("module", ["log_handler", "spans"])
def test_an_adapter_imports_nothing_of_the_simulation(module: str) -> None:
    told = f"import sys, sim.conform.{module}; print(sorted(m for m in sys.modules if m.startswith('sim.')))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == f"['sim.conform', 'sim.conform.{module}', 'sim.conform.recorder']\n".replace(
        "'sim.conform.spans', 'sim.conform.recorder'", "'sim.conform.recorder', 'sim.conform.spans'"
    )
