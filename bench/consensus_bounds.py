"""The bounds within which every schedule of the consensus model is checked: what the tests check, and what
`docs/consensus.md` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.consensus import system
from sim import DEFER, Action, Graph, Process, System, Uniform, check, simulate
from sim.strategy import make_strategy

ALL = "duplicate:1,drop:1,crash:1@coordinator"
"""With a retry and a repetition of each request, and a stop at any time: all budgets."""


@dataclass(frozen=True)
class Bound:
    """What a check is bounded by, and how many states there are; `seconds` is how long a large one took."""

    name: str
    states: int
    config: Mapping[str, Any]
    faults: str = ALL
    seconds: int = 0

    def system(self) -> System:
        return system(**self.config).with_(faults=self.faults)


ONE: Mapping[str, Any] = {"agents": 1, "retries": 0}
SMALL = (
    Bound("2 agents, 1 round, all budgets", 2_400_840, {"agents": 2}),
    Bound("1 agent without a retry, cancelled or stopped", 218_861, {**ONE, "cancel": True}),
    Bound("2 agents, a sequential stage, no stop", 496_299, {"stages": ("plan",), "stop": False}),
    Bound(
        "2 agents without a retry, two stages, no stop",
        34_711,
        {"stages": ("plan", "validate"), "retries": 0, "stop": False},
        "duplicate:1",
    ),
    Bound(
        "1 agent without a retry, two updates, a queue of one",
        353_768,
        {**ONE, "updates": 2, "queue": 1},
        "duplicate:1,crash:1@coordinator",
    ),
    Bound(
        "1 agent without a retry, a countdown, no stop",
        252_143,
        {**ONE, "countdown": 1, "stop": False},
        "duplicate:1,crash:1@coordinator,crash:1@consumer",
    ),
    Bound(
        "the same, requests sent twice again",
        322_590,
        {**ONE, "resends": 2, "countdown": 1, "stop": False},
        "drop:1,crash:1@store,crash:1@consumer",
    ),
    Bound(
        "the same, a clock that forgets, two ticks",
        82_887,
        {**ONE, "resends": 2, "countdown": 2, "stop": False},
        "drop:1,crash:1@clock",
    ),
    Bound(
        "1 agent without a retry, a countdown, what a former run left",
        334_998,
        {**ONE, "countdown": 1, "former": ("Response", "Stored", "AckDecision", "Decision", "Tick")},
        "none",
    ),
    Bound(
        "2 agents with every answer, no stop",
        144_855,
        {"answers": ("ok", "conflict", "invalid", "empty"), "stop": False},
        "drop:1",
    ),
    Bound(
        "1 agent without a retry, every answer, no stop",
        498,
        {**ONE, "answers": ("ok", "conflict", "invalid", "empty"), "stop": False},
        "drop:1",
    ),
    Bound(
        "1 agent without a retry, a guardrail, a stage launched twice, no stop",
        282_653,
        {**ONE, "guardrail": True, "relaunches": 1, "stop": False},
    ),
    Bound(
        "2 agents, an aggregator, every answer, no stop",
        111_086,
        {"aggregator": True, "answers": ("ok", "conflict", "invalid", "empty", "keyless"), "stop": False},
        "none",
    ),
    Bound(
        "1 agent without a retry, a gate and a person, no stop",
        358_420,
        {**ONE, "stages": ("plan",), "gates": True, "answers": ("ok", "conflict"), "stop": False},
        "crash:1@coordinator",
    ),
    Bound(
        "2 agents, every domain fault, no stop",
        64_573,
        {"stop": False},
        "agent_timeout:1,rate_limited:1,consensus_fail:1,empty_response:1,disconnect:1",
    ),
    Bound(
        "2 agents, a wait beyond the budget, no stop",
        626,
        {"budget_ms": 30_000, "stop": False},
        "rate_limited:1,disconnect:1",
    ),
)
"""Checked by `make test`."""

TWO: Mapping[str, Any] = {"agents": 2, "rounds": 2}
THREE: Mapping[str, Any] = {"agents": 3, "rounds": 2, "retries": 0}
DROP_CRASH = "drop:1,crash:1@coordinator"
LARGE = (
    Bound("3 agents, 1 round, all budgets", 35_508_128, {"agents": 3}, seconds=199),
    Bound("1 agent, 2 rounds, all budgets", 26_349_801, {"agents": 1, "rounds": 2}, seconds=79),
    Bound(
        "2 agents, 2 rounds, without a retry, cancelled or stopped",
        17_848_443,
        {**TWO, "retries": 0, "cancel": True},
        seconds=87,
    ),
    Bound("2 agents, 2 rounds", 34_653_490, TWO, "duplicate:1", seconds=111),
    Bound("2 agents, 2 rounds, no stop", 10_587_365, {**TWO, "stop": False}, "crash:1@coordinator", seconds=68),
    Bound("3 agents, 2 rounds, without a retry", 10_854_722, THREE, DROP_CRASH, seconds=45),
    Bound("3 agents, 2 rounds, without a retry", 8_777_823, THREE, "duplicate:1,drop:1", seconds=22),
)
"""Checked by `make soak`."""


def rows() -> Iterator[str]:
    """The lines of the page's table."""
    for bound in (*SMALL, *LARGE):
        where = f"`make soak`, {bound.seconds} s" if bound in LARGE else "`make test`"
        yield f"| {bound.name} | {bound.faults.replace(',', ', ')} | {bound.states:,} | {where} |"


# Which rows of the tables are taken -------------------------------------------------------------------------

Rows = dict[tuple[str, int], str]
LOOK_MAX = 10_000
"""States of each of the bounds that are enough to have every row taken that is taken at all."""
REFERENCES: tuple[tuple[Mapping[str, Any], str], ...] = (
    (
        {"profile": "fork", "agents": 1, "stages": ("implement", "validate"), "former": ("Stored", "AckDecision")},
        "duplicate:2@Response",
    ),
    (
        {
            **ONE,
            "rounds": 2,
            "cancel": True,
            "updates": 2,
            "guardrail": True,
            "relaunches": 2,
            "former": ("AckDecision",),
        },
        "consensus_fail:1,duplicate:1@Response,duplicate:1@Stored,duplicate:1@NotStored",
    ),
    (
        {**ONE, "stages": ("plan",), "gates": True, "answers": ("conflict",), "updates": 2, "former": ("AckDecision",)},
        "consensus_fail:1,duplicate:1@Response,duplicate:1@Stored,duplicate:1@NotStored,duplicate:1@Ruling",
    ),
    (
        {**ONE, "stages": ("plan",), "gates": True, "guardrail": True, "answers": ("conflict",), "cancel": True},
        "none",
    ),
    (
        {"profile": "upstream", "agents": 1, "stages": ("plan",), "gates": True, "answers": ("conflict",)},
        "duplicate:1@Ruling",
    ),
    (
        {"profile": "fork", "agents": 1, "stages": ("implement", "validate"), "guardrail": True, "relaunches": 2},
        "duplicate:2@Response",
    ),
    (
        {"profile": "upstream", "agents": 1, "cancel": True, "countdown": 1, "former": ("Tick",)},
        "consensus_fail:1,duplicate:1",
    ),
)
"""What only a coordinator does that is blocked or gone, or that waits for a launch or a person, and a consumer that is inactive, walked at
random: a check ends where it is stuck."""


def walked() -> Iterator[tuple[Graph, Iterable[Action]]]:
    """The beginnings of all small bounds, and the references at random: each graph with what was taken in it."""
    for bound in SMALL:
        graph = check(bound.system(), max_states=LOOK_MAX, engine="plain").graph
        assert graph is not None
        yield graph, graph.met()
    for config, faults in REFERENCES:
        graph = Graph(system(**config).with_(faults=faults, monitors={}, properties=()))
        for seed in range(400):
            simulate(graph, Uniform(seed))
            simulate(graph, make_strategy("pctcp", seed, number=seed))  # what lingers on its way for long
        yield graph, graph.met()


def declared_and_taken(graph: Graph, actions: Iterable[Action]) -> tuple[Rows, set[tuple[str, int]]]:
    """Rows as (class, number), those declared with their text; one that defers is never taken. What a reference has
    from ours is not its own: that is for ours to take."""
    kinds = {name: type(process) for name, process in graph.system.processes.items()}
    declared = {
        (kind.__name__, row.index): f"{kind.__name__}  {row} {row.conditions} {row.unless}"
        for kind in kinds.values()
        for row in kind.table.rows
        if row.dest is not DEFER and not _is_inherited(kind, row.index)
    }
    return declared, {(kinds[a.process].__name__, a.row.index) for a in actions if a.row is not None}


def _is_inherited(kind: type[Process], number: int) -> bool:
    row = kind.transitions[number - 1]
    return any(row is other for base in kind.__mro__[1:] for other in getattr(base, "transitions", ()))
