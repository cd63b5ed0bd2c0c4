"""What the viewers of others require of a file, in our words: each function says what its viewer would object to.

ShiViz: its page of input, and what its parser and the model of its graph refuse
(https://github.com/DistributedClocks/shiviz: js/shiviz.js, js/model). The trace event format: its definition
(https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), and what Perfetto makes of it when it
reads it (https://github.com/google/perfetto: src/trace_processor/importers/json).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

DEFAULT = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"
"""The expression by which ShiViz reads a log unless it is told another."""


class Happened(NamedTuple):
    """What ShiViz reads of an event."""

    event: str
    host: str
    clock: dict[str, int]


def uploaded(text: str) -> list[Happened]:
    """A log as ShiViz reads a file: by the expression in its first line, divided by the one in its second."""
    expression, delimiter, log = text.split("\n", 2)
    assert not delimiter.strip(), "one execution needs no delimiter"
    return _read(log, f"^{expression}$" if expression.strip() else DEFAULT)


def pasted(text: str) -> list[Happened]:
    """A log as ShiViz reads what is pasted, without a word on how."""
    return _read(text, DEFAULT)


def _read(log: str, expression: str) -> list[Happened]:
    assert not re.search("[\r\u2028\u2029]", log), "JavaScript ends lines there"
    pattern = re.compile(expression.replace("(?<", "(?P<"), re.M)
    return [Happened(m["event"], m["host"], json.loads(m["clock"])) for m in pattern.finditer(log.strip())]


def clock_complaints(events: list[Happened]) -> Iterator[str]:
    """What is no vector clock: each host counts its own events from 1, names only events that are there and came
    before, and knows just what they knew."""
    at: dict[tuple[str, int], dict[str, int]] = {}
    count: dict[str, int] = defaultdict(int)
    for event, host, clock in events:
        count[host] += 1
        if clock.get(host) != count[host]:
            yield f"{event}: the {count[host]}. event of {host} has {clock.get(host)}"
        known = dict(at.get((host, count[host] - 1), {}))
        for other, ticks in clock.items():
            if other != host and (other, ticks) not in at:
                yield f"{event}: nothing before is event {ticks} of {other}"
            for name, heard in at.get((other, ticks), {}).items():
                known[name] = max(known.get(name, 0), heard)
        known[host] = count[host]
        if known != clock:
            yield f"{event}: {clock} should be {known}"
        at[host, count[host]] = clock


REQUIRED = {
    "M": {"args"},
    "X": {"cat", "ts", "dur"},
    "i": {"cat", "ts", "s"},
    "s": {"cat", "ts", "id"},
    "f": {"cat", "ts", "id", "bp"},
}
"""Phase -> the keys that an event of it has beside name, ph, pid and tid."""
METADATA = {"process_name": "name", "thread_name": "name", "thread_sort_index": "sort_index"}


def trace_complaints(data: dict[str, Any]) -> Iterator[str]:
    """What is no trace, or what Perfetto would leave out of it."""
    if data.get("displayTimeUnit") not in ("ms", "ns"):
        yield f"displayTimeUnit is {data.get('displayTimeUnit')}"
    events: list[dict[str, Any]] = data["traceEvents"]
    malformed = [complaint for event in events for complaint in _event_complaints(event)]
    yield from malformed
    if malformed:
        return
    named = {(e["name"], e["pid"], e["tid"]) for e in events if e["ph"] == "M"}
    processes = {pid for name, pid, _ in named if name == "process_name"}
    for event in events:
        if event["pid"] not in processes:
            yield f"{event['name']}: process {event['pid']} has no name"
        if ("thread_name", event["pid"], event["tid"]) not in named:
            yield f"{event['name']}: thread {event['tid']} has no name"
    yield from _slice_complaints(events)
    yield from _flow_complaints(events)


def _event_complaints(event: dict[str, Any]) -> Iterator[str]:
    phase = event.get("ph")
    if phase not in REQUIRED:
        yield f"{event}: no such phase"
        return
    missing = {"name", "pid", "tid", *REQUIRED[phase]} - {*event}
    if missing:
        yield f"{event}: without {missing}"
        return
    if not event["name"]:
        yield f"{event}: has an empty name"
    if any(type(event.get(key, 0)) is not int or event.get(key, 0) < 0 for key in ("pid", "tid", "ts", "dur", "id")):
        yield f"{event}: not in whole numbers"
    if event["tid"] == 0:
        yield f"{event}: is of the idle thread"
    if phase == "i" and event["s"] not in ("g", "p", "t"):
        yield f"{event}: no such scope"
    if phase == "f" and event["bp"] != "e":
        yield f"{event}: ends at the next slice, not in the one it is in"
    if phase == "M" and METADATA.get(event["name"]) not in event["args"]:
        yield f"{event}: tells nothing"


def _slice_complaints(events: list[dict[str, Any]]) -> Iterator[str]:
    ends: dict[int, int] = defaultdict(int)
    for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: e["ts"]):
        if event["ts"] < ends[event["tid"]]:
            yield f"{event}: begins before the one before it has ended"
        if event["dur"] < 1:
            yield f"{event}: cannot be seen"
        ends[event["tid"]] = event["ts"] + event["dur"]


def _flow_complaints(events: list[dict[str, Any]]) -> Iterator[str]:
    """A flow is known by category, name and number; each of its ends is in the slice that is open on its track."""
    flows: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["ph"] in ("s", "f"):
            flows[event["cat"], event["name"], event["id"]].append(event)
            is_open = any(
                e["ph"] == "X" and e["tid"] == event["tid"] and e["ts"] <= event["ts"] < e["ts"] + e["dur"]
                for e in events
            )
            if not is_open:
                yield f"{event}: is in no slice"
    for key, ends in flows.items():
        if [end["ph"] for end in ends] != ["s", "f"]:
            yield f"flow {key}: is not one start and one end"
        elif ends[0]["ts"] >= ends[1]["ts"]:
            yield f"flow {key}: arrives before it is sent"
