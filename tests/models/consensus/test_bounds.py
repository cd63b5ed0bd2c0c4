"""Every schedule within stated bounds: the coordinator holds, and every row of its tables is taken by something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from bench.consensus import FOLDER, outcome_of
from models.consensus import system
from sim import DEFER, Action, CheckResult, Graph, Uniform, check, simulate

ALL = "duplicate:1,drop:1,crash:1@coordinator"
"""With a retry and a repetition of each request, and a stop at any time: all budgets."""
BOUNDS: dict[str, tuple[Mapping[str, Any], str, int]] = {
    "cancelled or stopped": ({"agents": 1, "retries": 0, "cancel": True}, ALL, 218_861),
    "a sequential stage": ({"stages": ("plan",), "stop": False}, ALL, 446_742),
    "two stages": ({"stages": ("plan", "validate"), "retries": 0, "stop": False}, "duplicate:1", 34_722),
    "updates and a full queue": (
        {"agents": 1, "retries": 0, "updates": 2, "queue": 1},
        "duplicate:1,crash:1@coordinator",
        353_768,
    ),
    "a countdown and a crash of the consumer": (
        {"agents": 1, "retries": 0, "countdown": 1, "stop": False},
        "duplicate:1,crash:1@coordinator,crash:1@consumer",
        252_143,
    ),
    "a countdown and all that may be lost": (
        {"agents": 1, "retries": 0, "resends": 2, "countdown": 1, "stop": False},
        "drop:1,crash:1@store,crash:1@consumer",
        322_590,
    ),
    "a clock that forgets": (
        {"agents": 1, "retries": 0, "countdown": 2, "resends": 2, "stop": False},
        "drop:1,crash:1@clock",
        82_887,
    ),
    "what a former run left": (
        {
            "agents": 1,
            "retries": 0,
            "former": ("Response", "Stored", "AckDecision", "Decision", "Tick"),
            "countdown": 1,
        },
        "none",
        334_998,
    ),
    "every answer": ({"answers": ("ok", "conflict", "invalid", "empty"), "stop": False}, "drop:1", 122_495),
    "every domain fault": (
        {"stop": False},
        "agent_timeout:1,rate_limited:1,consensus_fail:1,empty_response:1,disconnect:1",
        60_285,
    ),
    "a wait beyond the budget": ({"agents": 2, "budget_ms": 30_000, "stop": False}, "rate_limited:1,disconnect:1", 626),
}


@cache
def checked(name: str) -> CheckResult:
    config, faults, _ = BOUNDS[name]
    return check(system(**config).with_(faults=faults))


@pytest.mark.parametrize("name", BOUNDS)
def test_every_schedule_holds_within_small_bounds(name: str) -> None:
    result = checked(name)
    print(f"{name}: {result.states:,} states")
    assert (result.verdict, result.complete) == ("ok", True), result.finding
    assert result.states == BOUNDS[name][2]


def test_two_agents_one_round_and_all_budgets() -> None:
    result = check(system(agents=2).with_(faults=ALL))
    print(f"2 agents, 1 round, all budgets: {result.states:,} states")
    assert (result.verdict, result.complete, result.states) == ("ok", True, 2_143_995)


LARGE: dict[str, tuple[Mapping[str, Any], str]] = {
    "3 agents, 1 round, all budgets": ({"agents": 3}, ALL),
    "1 agent, 2 rounds, all budgets": ({"agents": 1, "rounds": 2}, ALL),
    "2 agents, 2 rounds, a drop": ({"agents": 2, "rounds": 2, "answers": ("ok", "conflict"), "stop": False}, "drop:1"),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", LARGE)
def test_every_schedule_holds_within_large_bounds(name: str) -> None:
    config, faults = LARGE[name]
    result = check(system(**config).with_(faults=faults), max_states=200_000_000)
    print(f"{name}: {result.states:,} states, {result.generated:,} generated, {result.seconds:.0f} s")
    assert (result.verdict, result.complete) == ("ok", True), result.finding


Rows = dict[tuple[str, int], str]
REFERENCES: tuple[tuple[Mapping[str, Any], str], ...] = (
    (
        {"profile": "fork", "agents": 1, "stages": ("implement", "validate"), "former": ("Stored", "AckDecision")},
        "duplicate:2@Response",
    ),
    ({"profile": "upstream", "agents": 1, "cancel": True}, "consensus_fail:1,duplicate:1"),
)
"""What only a coordinator does that is blocked or gone, walked at random: a check ends where it is stuck."""


def declared_and_taken(graph: Graph, actions: Iterable[Action]) -> tuple[Rows, set[tuple[str, int]]]:
    """Rows as (class, number), those declared with their text; one that defers is never taken."""
    kinds = {name: type(process) for name, process in graph.system.processes.items()}
    declared = {
        (kind.__name__, row.index): f"{kind.__name__}  {row} {row.conditions} {row.unless}"
        for kind in kinds.values()
        for row in kind.table.rows
        if row.dest is not DEFER
    }
    return declared, {(kinds[a.process].__name__, a.row.index) for a in actions if a.row is not None}


def test_every_row_of_every_machine_is_taken_by_a_scenario_or_a_check() -> None:
    declared: Rows = {}
    taken: set[tuple[str, int]] = set()
    graphs = [(result.graph, result.graph.met()) for result in map(checked, BOUNDS) if result.graph is not None]
    runs = [outcome_of(path).run.trace for path in sorted(FOLDER.rglob("*.yaml"))]
    for config, faults in REFERENCES:
        graph = Graph(system(**config).with_(faults=faults, monitors={}, properties=()))
        for seed in range(400):
            simulate(graph, Uniform(seed))
        graphs.append((graph, graph.met()))
    for graph, actions in [*graphs, *((trace.graph, [action for _, action in trace.steps]) for trace in runs)]:
        rows, met = declared_and_taken(graph, actions)
        declared |= rows
        taken |= met
    never = {text for row, text in declared.items() if row not in taken}
    print(f"{len(declared) - len(never)} of {len(declared)} rows taken")
    assert never == set(), "\n".join(sorted(never))
