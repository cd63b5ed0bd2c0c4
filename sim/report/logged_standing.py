"""How a log stands, by itself: what it holds, and what it says was used. Whether it is right only a model can say."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sim.base.durations import show_duration
from sim.base.errors import listing
from sim.conform.logged import Logged, read_logs
from sim.report.standing import NOTHING, Standing


def log_standing(path: str) -> Standing:
    """Raises `ConfigError` for what is not a log."""
    logged = read_logs([path])
    rejected = Counter(_rejections(logged))
    wasted = ", ".join(f"{reason} {count:,}" for reason, count in sorted(rejected.items()))
    model = logged.model or "TARGET"
    said = " (the log names no model)" if logged.model is None else ""
    return Standing(
        f"{path}: a log{'' if logged.model is None else f' of {logged.model}'}",
        _stands(logged),
        _cost(logged),
        f"{_plural(rejected.total(), 'input')} rejected: {wasted}" if rejected else NOTHING,
        tuple(_wrong(logged)),
        (f"is it a path of the model: sim conform {shlex.quote(path)} --model {model}{said}",),
    )


def _stands(logged: Logged) -> str:
    runs = logged.runs.values()
    names = dict.fromkeys(line.process for run in runs for line in run.lines)
    clocks = [line.at for run in runs for line in run.lines if line.at is not None]
    lasts = f", over {show_duration(max(clocks) - min(clocks))}" if clocks else ""
    told = f"{_plural(logged.lines, 'line')} of {_plural(len(logged.runs), 'run')}{lasts}"
    states = {line.process: line.said.get("state") for run in runs for line in run.lines if line.said.get("state")}
    if len(logged.runs) == 1 and states:
        return f"{told}; in the end {listing([f'{name} {state}' for name, state in states.items()], 'and')}"
    return f"{told}; {_plural(len(names), 'process', 'es')}"


def _emitted(logged: Logged) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What was emitted: its name, and its fields."""
    for run in logged.runs.values():
        for line in run.lines:
            for put in line.said.get("outputs") or ():
                emit = put.get("emit") if isinstance(put, Mapping) else None
                if isinstance(emit, Mapping):
                    fields = emit.get("fields")
                    yield str(emit.get("name")), fields if isinstance(fields, Mapping) else {}


def _cost(logged: Logged) -> str:
    turns = [fields for name, fields in _emitted(logged) if name == "Used"]
    if not turns:
        return "unknown: no line emits Used"
    counts = [fields.get(key) for fields in turns for key in ("input_tokens", "output_tokens")]
    known = sum(count for count in counts if type(count) is int)
    least = "" if all(type(count) is int for count in counts) else "at least "
    return f"{least}{known:,} tokens in {_plural(len(turns), 'turn')}; a log has no prices"


def _rejections(logged: Logged) -> Iterator[str]:
    return (str(fields.get("reason", "for no reason")) for name, fields in _emitted(logged) if name == "Rejected")


def _wrong(logged: Logged) -> Iterator[str]:
    crashes = Counter(line.process for run in logged.runs.values() for line in run.lines if _crashed(line.said))
    yield from (f"{name} crashed{'' if count == 1 else f' {count:,} times'}" for name, count in crashes.items())


def _crashed(said: Mapping[str, Any]) -> bool:
    given = said.get("input")
    return isinstance(given, Mapping) and bool(given.get("crash"))


def _plural(count: int, noun: str, ending: str = "s") -> str:
    return f"{count:,} {noun}{ending if count != 1 else ''}"
