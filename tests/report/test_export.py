"""Exports say of a run what the run was."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sim.cli.options import EXPORTS, files_of
from sim.errors import ConfigError
from sim.process import Send
from sim.report.export import FORMATS, exported
from sim.report.html import page
from sim.report.outcome import Outcome
from sim.report.write import write_report
from tests.report.runs import LATE, ROOT, faulty, outcome_of

ROUND = ROOT / "scenarios/consensus/round.yaml"
CRASHES = ROOT / "scenarios/device_login/interrupted-ours.yaml"


@pytest.fixture(params=[LATE, ROUND, CRASHES, None], ids=lambda path: path.stem if path else "faulty")
def outcome(request: pytest.FixtureRequest, tmp_path: Path) -> Outcome:
    return outcome_of(request.param) if request.param is not None else faulty(tmp_path)


def test_the_formats_of_the_option_are_those_there_are() -> None:
    assert tuple(FORMATS) == EXPORTS


def test_json_lines_have_every_step_with_its_address_and_every_state(outcome: Outcome) -> None:
    trace = outcome.run.trace
    lines = [json.loads(line) for line in exported(outcome, "jsonl").splitlines()]
    head, *steps, end = lines
    assert (head["record"], end["record"]) == ("run", "end")
    assert [step["action"] for step in steps[1:]] == [str(action.address) for _, action in trace.steps]
    assert end["digest"] == outcome.run.digest
    states = dict(head["states"])
    for step, state in zip(steps, trace.states(), strict=True):
        states |= step["changed"]
        assert {name: known["state"] for name, known in states.items()} == {
            name: trace.graph.view(state, name).state for name in trace.graph.names
        }


def test_mermaid_has_an_arrow_for_each_delivery(outcome: Outcome) -> None:
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


SHIVIZ = re.compile(r"(?P<host>\S*) (?P<clock>{.*})\n(?P<event>.*)")
"""The expression by which ShiViz reads a log unless it is told another."""


def _events(text: str) -> list[tuple[str, dict[str, int], str]]:
    return [(m["host"], json.loads(m["clock"]), m["event"]) for m in SHIVIZ.finditer(text)]


def _before(one: dict[str, int], other: dict[str, int]) -> bool:
    return one != other and all(ticks <= other.get(host, 0) for host, ticks in one.items())


def test_the_clocks_of_a_log_order_what_caused_what(outcome: Outcome) -> None:
    trace = outcome.run.trace
    names = list(trace.graph.system.processes)
    events = _events(exported(outcome, "shiviz"))
    assert len(events) == len(names) + outcome.run.steps
    ticks: dict[str, int] = {}
    for host, clock, _ in events:
        ticks[host] = ticks.get(host, 0) + 1
        assert clock[host] == ticks[host], "each host counts its own events from 1"
    first = {host: clock for host, clock, _ in events[: len(names)]}
    senders: dict[str, list[dict[str, int]]] = {}
    for name, outputs in trace.start.outputs:
        for output in outputs:
            if isinstance(output, Send):
                senders.setdefault(f"{name}->{output.target} {output.message!r}", []).append(first[name])
    for (_, action), (_, clock, _) in zip(trace.steps, events[len(names) :], strict=True):
        if action.envelope is not None and action.delivered:
            key = f"{action.envelope.source}->{action.envelope.target} {action.envelope.message!r}"
            assert any(_before(sent, clock) for sent in senders[key]), key
        for output in action.outputs:
            if isinstance(output, Send):
                senders.setdefault(f"{action.process}->{output.target} {output.message!r}", []).append(clock)


def test_what_has_nothing_to_do_with_each_other_is_not_ordered() -> None:
    events = _events(exported(outcome_of(LATE), "shiviz"))
    asked = [clock for _, clock, event in events if "Ask" in event]
    assert not _before(asked[0], asked[1])
    assert not _before(asked[1], asked[0])


def test_a_trace_for_perfetto_has_states_without_gaps_and_flows_inside_them(outcome: Outcome) -> None:
    trace = outcome.run.trace
    data = json.loads(exported(outcome, "perfetto"))
    events: list[dict[str, Any]] = data["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert list(names.values()) == list(trace.graph.system.processes)
    slices = [e for e in events if e["ph"] == "X"]
    for track in names:
        own = [e for e in slices if e["tid"] == track]
        assert own[0]["ts"] == 0
        for one, other in itertools.pairwise(own):
            assert one["ts"] + one["dur"] == other["ts"]
            assert one["name"] != other["name"]
    flows = [e for e in events if e["ph"] in "sf"]
    for flow in flows:
        assert any(e["tid"] == flow["tid"] and e["ts"] <= flow["ts"] <= e["ts"] + e["dur"] for e in slices)
    pairs = [(s, f) for s in flows if s["ph"] == "s" for f in flows if f["ph"] == "f" and f["id"] == s["id"]]
    assert len(pairs) * 2 == len(flows)
    assert all(s["ts"] < f["ts"] for s, f in pairs)
    assert sum(e["ph"] == "i" and "cat" in e for e in events) == outcome.run.steps


@pytest.mark.parametrize(
    ("html", "given", "scenarios", "line"),
    [
        (None, ("mermad=x",), 1, "--export 'mermad=x' is no FORMAT=FILE (did you mean 'mermaid'?); formats are"),
        (None, ("mermaid",), 1, "--export 'mermaid' is no FORMAT=FILE"),
        (None, ("mermaid=",), 1, "--export 'mermaid=' is no FORMAT=FILE"),
        (None, ("mermaid=a", "mermaid=b"), 1, "--export mermaid=... is given twice; give it once"),
        ("a", ("mermaid=a",), 1, "a is to be written twice; name another file"),
        ("a", (), 2, "--html and --export hold one run, and 2 scenarios are given; give one"),
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
        assert "sim: written as a page to" in capsys.readouterr().err
