"""Exports say of a run what the run was."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.cli.options import EXPORTS, files_of
from sim.machine.outputs import Send
from sim.report.export import FORMATS, exported
from sim.report.html import page
from sim.report.outcome import JudgedRun
from sim.report.write import write_report
from tests.report.runs import LATE, ROOT, faulty, outcome_of
from tests.report.viewers import clock_complaints, pasted, trace_complaints, uploaded

ROUND = ROOT / "scenarios/consensus/round.yaml"
CRASHES = ROOT / "scenarios/device_login/interrupted-ours.yaml"


@pytest.fixture(params=[LATE, ROUND, CRASHES, None], ids=lambda path: path.stem if path else "faulty")
def outcome(request: pytest.FixtureRequest, tmp_path: Path) -> JudgedRun:
    return outcome_of(request.param) if request.param is not None else faulty(tmp_path)


def test_the_formats_of_the_option_are_those_there_are() -> None:
    assert tuple(FORMATS) == EXPORTS


def test_json_lines_have_every_step_with_its_address_and_every_state(outcome: JudgedRun) -> None:
    trace = outcome.run.trace
    lines = [json.loads(line) for line in exported(outcome, "jsonl").splitlines()]
    head, *steps, end = lines
    assert (head["record"], end["record"]) == ("run", "end")
    assert [step["action"] for step in steps[1:]] == [str(action.address) for _, action in trace.steps]
    assert end["digest"] == outcome.run.digest
    states = dict(head["states"])
    for step, state in zip(steps, trace.places(), strict=True):
        states |= step["changed"]
        assert {name: known["state"] for name, known in states.items()} == {
            name: trace.world.view(state, name).state for name in trace.world.names
        }


def test_mermaid_has_an_arrow_for_each_delivery(outcome: JudgedRun) -> None:
    text = exported(outcome, "mermaid")
    lines = text.splitlines()
    assert lines[0] == "sequenceDiagram"
    grammar = r"    (participant p\d+ as [\w.-]+|p\d+(-\)|--x)p\d+: [^;<>]+|Note over p\d+(,p\d+)?: [^;<>]+)"
    loose = [line for line in lines[1:] if not re.fullmatch(grammar, re.sub(r"#\w+;", "", line))]
    assert loose == []
    on_the_way = [action for _, action in outcome.run.trace.steps if action.envelope is not None]
    arrows = [line for line in lines if re.match(r"    p\d+(-\)|--x)", line)]
    taken = [action for action in on_the_way if action.kind.value != "duplicate"]
    assert len(arrows) == len(taken)
    assert ("VIOLATED" in text) == (outcome.run.finding is not None)


def _before(one: dict[str, int], other: dict[str, int]) -> bool:
    return one != other and all(ticks <= other.get(host, 0) for host, ticks in one.items())


def test_the_clocks_of_a_log_order_what_caused_what(outcome: JudgedRun) -> None:
    trace = outcome.run.trace
    names = list(trace.world.system.processes)
    log = exported(outcome, "shiviz")
    events = uploaded(log)
    assert pasted(log) == events
    assert [*clock_complaints(events)] == []
    told = [" ".join(event.text.split()) for event in outcome.story.events[1:]]
    assert [event.event for event in events] == ["start"] * len(names) + told
    first = {event.host: event.clock for event in events[: len(names)]}
    senders: dict[str, list[dict[str, int]]] = {}
    for name, outputs in trace.start.outputs:
        for output in outputs:
            if isinstance(output, Send):
                senders.setdefault(f"{name}->{output.target} {output.message!r}", []).append(first[name])
    for (_, action), (_, host, clock) in zip(trace.steps, events[len(names) :], strict=True):
        assert host == (action.process or "(network)")
        if action.envelope is not None and action.effect.delivered:
            key = f"{action.envelope.source}->{action.envelope.target} {action.envelope.message!r}"
            assert any(_before(sent, clock) for sent in senders[key]), key
        for output in action.outputs:
            if isinstance(output, Send):
                senders.setdefault(f"{action.process}->{output.target} {output.message!r}", []).append(clock)


def test_what_has_nothing_to_do_with_each_other_is_not_ordered() -> None:
    events = uploaded(exported(outcome_of(LATE), "shiviz"))
    asked = [happened.clock for happened in events if "Ask" in happened.event]
    assert not _before(asked[0], asked[1])
    assert not _before(asked[1], asked[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: re.sub(r"(.*)\n(\S* {.*})", r"\2\n\1", text),  # first the host, then what happened
        lambda text: re.sub(r'(\n\w+) {"(\w+)": 1}', r'\1 {"\2": 2}', text, count=1),
        lambda text: re.sub(r'"claude": \d+, ', "", text, count=1),
        lambda text: text.replace('"claude": 1', '"nobody": 1', 1),
        lambda text: text.replace('"claude": 2', '"claude": 9'),
    ],
)
def test_a_log_that_shiviz_refuses_is_caught(spoil: Callable[[str], str]) -> None:
    log = exported(outcome_of(LATE), "shiviz")
    assert spoil(log) != log
    assert [*clock_complaints(uploaded(spoil(log)))]


def test_a_trace_for_perfetto_is_one(outcome: JudgedRun) -> None:
    trace = outcome.run.trace
    data = json.loads(exported(outcome, "perfetto"))
    assert [*trace_complaints(data)] == []
    events: list[dict[str, Any]] = data["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert list(names.values()) == list(trace.world.system.processes)
    for track in names:
        own = [e for e in events if e["ph"] == "X" and e["tid"] == track]
        assert own[0]["ts"] == 0
        for one, other in itertools.pairwise(own):
            assert one["ts"] + one["dur"] == other["ts"], "states have no gaps"
            assert one["name"] != other["name"]
    assert sum(e["ph"] == "s" for e in events) == sum(j.ended is not None for j in outcome.story.journeys)


def test_the_times_of_a_trace_are_microseconds(outcome: JudgedRun) -> None:
    events = json.loads(exported(outcome, "perfetto"))["traceEvents"]
    at = [e["ts"] for e in events if e["ph"] == "i" and e["cat"] != "finding"]
    assert len(at) == outcome.run.steps
    last = 0
    for (time_ms, _), number, when in zip(outcome.run.trace.steps, itertools.count(1), at, strict=False):
        assert when == max((number if time_ms is None else time_ms) * 1000, last + 1)
        last = when


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e[0].pop("args"),
        lambda e: e.pop(0),  # the name of the process
        lambda e: e.pop(1),  # the name of a thread
        lambda e: e[-1].update(s="x"),
        lambda e: e[-1].update(tid=0),
        lambda e: e[-1].update(ts=0.5),
        lambda e: e[-1].update(ph="?"),
        lambda e: next(one for one in e if one["ph"] == "X").pop("dur"),
        lambda e: next(one for one in e if one["ph"] == "X").update(dur=10**9),
        lambda e: next(one for one in e if one["ph"] == "f").update(id=99),
        lambda e: next(one for one in e if one["ph"] == "f").update(cat="other"),
        lambda e: next(one for one in e if one["ph"] == "f").update(ts=0),
        lambda e: next(one for one in e if one["ph"] == "f").update(ts=10**9),
        lambda e: next(one for one in e if one["ph"] == "f").pop("bp"),
    ],
)
def test_a_trace_that_is_none_is_caught(spoil: Callable[[list[dict[str, Any]]], object]) -> None:
    data = json.loads(exported(outcome_of(LATE), "perfetto"))
    spoil(data["traceEvents"])
    assert [*trace_complaints(data)]


@pytest.mark.parametrize(
    ("html", "given", "scenarios", "line"),
    [
        (None, ("mermad=x",), 1, "--export 'mermad=x': unknown format 'mermad' (did you mean 'mermaid'?): use"),
        (None, ("mermaid",), 1, "--export 'mermaid': write --export mermaid=FILE"),
        (None, ("mermaid=",), 1, "--export 'mermaid=': write --export mermaid=FILE"),
        (None, ("mermaid=a", "mermaid=b"), 1, "--export mermaid=... is given twice; give it once"),
        ("a", ("mermaid=a",), 1, "a would be written twice; name another file"),
        ("a", (), 2, "--html and --export write one run, but 2 scenarios are given; give one"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    html: str | None, given: tuple[str, ...], scenarios: int, line: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        files_of(html, given, scenarios)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(line)


def test_the_command_writes_what_is_asked_for_and_nothing_by_halves(tmp_path: Path, capsys: Any) -> None:
    from sim.cli import call

    paths = {form: tmp_path / form for form in EXPORTS}
    shown = tmp_path / "page.html"
    exports = [word for form, path in paths.items() for word in ("--export", f"{form}={path}")]
    assert call(["run", str(LATE), "--html", str(shown), *exports, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 7
    assert shown.read_text().startswith("<!doctype html>")
    assert all(path.read_text() for path in paths.values())
    assert call(["run", str(LATE), "--html", str(tmp_path / "page.html" / "x.html")]) == 2
    assert "--html" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["page.html", *EXPORTS])


def test_a_name_with_half_a_character_is_written_all_the_same(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff.yaml")
    odd.write_bytes(LATE.read_bytes())
    outcome = outcome_of(odd)
    write_report(str(tmp_path / "page.html"), page(outcome), "--html")
    write_report(str(tmp_path / "lines"), exported(outcome, "jsonl"), "--export")
    assert "odd\\udcff.yaml" in (tmp_path / "page.html").read_text()
    first = (tmp_path / "lines").read_text().splitlines()[0]
    assert json.loads(first)["scenario"].endswith("odd\udcff.yaml")


def test_a_counterexample_gets_a_page_beside_it(tmp_path: Path, capsys: Any) -> None:
    from sim.cli import call

    for command in ("check", "fuzz"):
        out = tmp_path / command
        assert call([command, "models.consensus", "--set", "sequencing=false", "--html", "--out", str(out)]) == 1
        kinds = sorted(path.suffix for path in out.iterdir())
        assert kinds == [".html", ".yaml"]
        assert "sim: page written to" in capsys.readouterr().err
