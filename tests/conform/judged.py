"""A client and a server whose programs are recorded, and a judge that tries every path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim import Message, Monitor, Process, System
from sim.base.values import Emission
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.log_of_run import lines_of
from sim.conform.logged import LoggedRun, read_logs
from sim.conform.search import Search
from sim.graph.action import Action, Kind
from sim.graph.graph import Graph
from sim.graph.state import State
from sim.run.simulation import simulate
from sim.run.trace import Trace
from sim.strategy import Uniform

WHOLE = ("outputs", "state", "fields")
"""What a line may say beside its process and input."""


class Ask(Message):
    number: int


class Reply(Message):
    number: int


class Served(Emission):
    number: int


class Client(Process):
    """Asks once for each number, and takes a reply only to what it asked last."""

    states = ("idle", "waiting", "done")
    must = ("ask",)
    transitions = (
        {"trigger": "ask", "source": "idle", "dest": "waiting", "after": "tell"},
        {"trigger": Reply, "source": "waiting", "dest": "done", "conditions": "is_last"},
        {"trigger": Reply, "source": "waiting", "dest": "idle", "unless": "is_last"},
    )
    asks: int = 3
    asked: int = 0

    def tell(self) -> None:
        self.asked += 1
        self.send("server", Ask(self.asked))

    def is_last(self, reply: Reply) -> bool:
        return self.asked == self.asks


class Server(Process):
    """Replies to each."""

    states = ("up",)
    transitions = ({"trigger": Ask, "source": "up", "dest": None, "after": "reply"},)

    def reply(self, ask: Ask) -> None:
        self.emit(Served(ask.number))
        self.send("client", Reply(ask.number))


class ServedOnce(Monitor):
    """No number is served twice."""

    states = ("watching",)
    transitions = ({"trigger": Served, "source": "watching", "dest": None, "after": "note"},)
    served: frozenset[int] = frozenset()

    def note(self, served: Served) -> None:
        if served.number in self.served:
            self.violate(f"{served.number} is served twice")
        self.served |= {served.number}


def system(asks: int = 3) -> System:
    return System(
        processes={"client": Client(asks=asks), "server": Server()},
        monitors={"served_once": ServedOnce()},
        network="any",
    )


def trace_of(graph: Graph, seed: int, steps: int = 16) -> Trace:
    return simulate(graph, Uniform(seed), max_steps=steps).trace


def log_file(path: Path, lines: Iterable[Mapping[str, Any]], header: Mapping[str, Any] | None = None) -> str:
    """These lines as a log."""
    texts = [json.dumps(line) for line in ({"roundsim_log": 1, **(header or {})}, *lines)]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(path)


def run_of(path: Path, lines: Iterable[Mapping[str, Any]]) -> LoggedRun:
    return next(iter(read_logs([log_file(path, lines)]).runs.values()))


def observed(trace: Trace, processes: Sequence[str] | None, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of these processes (None: of all), with these keys beside process and input."""
    kept = ("process", "input", *keys)
    lines = (line for line in lines_of(trace) if processes is None or line["process"] in processes)
    return [{key: value for key, value in line.items() if key in kept} for line in lines]


def judged(judging: Judging, paths: Sequence[str]) -> JudgedLog:
    (run,) = read_logs(paths).runs.values()
    return judging.judge(run)


def verdict(graph: Graph, run: LoggedRun) -> str:
    return Search(graph, run).result(explain=False).verdict


def brute_force(graph: Graph, run: LoggedRun) -> bool:
    """Whether one of all paths writes these lines: a step fits if the line that it would write says at least as much.
    It shares nothing with the search but the graph."""
    queues: dict[str, list[Mapping[str, Any]]] = {}
    for line in run.lines:
        queues.setdefault(line.process, []).append({"process": line.process, **line.said})
    for start in graph.starts():
        begun = [line for line in lines_of(Trace(graph, start)) if "start" in line["input"]]
        left = {name: list(queue) for name, queue in queues.items()}
        for line in begun:
            queue = left.get(line["process"])
            if queue and "start" in queue[0]["input"]:
                if not _says(queue[0], line):
                    break
                queue.pop(0)
        else:
            if _explains(graph, start.place, {name: tuple(queue) for name, queue in left.items()}, start, frozenset()):
                return True
    return False


def _explains(
    graph: Graph, state: State, left: Mapping[str, tuple[Any, ...]], start: Any, passed: frozenset[Any]
) -> bool:
    if not any(left.values()):
        return True
    here = (state, tuple(map(len, left.values())))
    if here in passed:
        return False
    for action in graph.enabled(state):
        after = graph.apply(state, action)
        who = action.process
        silent = who not in left or (_is_crash(action) and _comes_back(left[who]))
        if silent and _explains(graph, after, left, start, passed | {here}):
            return True
        if left.get(who):
            line = [one for one in lines_of(Trace(graph, start, [(None, action)])) if "start" not in one["input"]][-1]
            if _says(left[who][0], line) and _explains(
                graph, after, {**left, who: left[who][1:]}, start, passed | {here}
            ):
                return True
    return False


def _is_crash(action: Action) -> bool:
    return action.kind is Kind.CRASH or action.window is not None


def _comes_back(queue: Sequence[Any]) -> bool:
    """Whether a program that was killed may have written this next: nothing, or that it is up again."""
    return not queue or not {"restart", "start"}.isdisjoint(queue[0]["input"])


def _says(said: Mapping[str, Any], line: Mapping[str, Any]) -> bool:
    """Whether the model's line says what is said. Of a crash in the middle of something no more need be said."""
    given, real = said["input"], line["input"]
    if ("crash" in given) != ("crash" in real):
        return False
    as_start = "start" in given and "restart" in real
    if not as_start and given != {"crash": True} and not _within(given, real):
        return False
    return all(key in line and _within(said[key], line[key]) for key in ("outputs", "state", "fields") if key in said)


def _within(said: Any, real: Any) -> bool:
    """Whether one JSON value says no more than another, and nothing else; a list is said whole."""
    if isinstance(said, dict):
        return isinstance(real, dict) and all(key in real and _within(said[key], real[key]) for key in said)
    if isinstance(said, list):
        return isinstance(real, list) and len(said) == len(real) and all(map(_within, said, real))
    return type(said) is type(real) and said == real
