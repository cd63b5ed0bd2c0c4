"""One graph: every simulated run is a path of the graph that the check walks, and every counterexample of
the check replays in the simulator to the same finding.

That the random systems cover every primitive is a test beside the reference, in tests/core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from models import consensus, paxos, two_phase_commit
from sim import Graph, Replay, Run, State, Strategy, System, Uniform, VirtualTime, check, simulate
from sim.faults import FaultEntry
from sim.strategy import Canonical
from tests.counts import examples
from tests.persisting import begun
from tests.systems import systems, walk

STATES_MAX = 1_500
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
STRATEGIES: list[Callable[[int], Strategy]] = [VirtualTime, Uniform, lambda _: Canonical()]


def values_and_edges(system: System) -> tuple[set[bytes], set[tuple[bytes, bytes, bytes]]] | None:
    """The states of a system and its labelled edges, as values: comparable between graphs."""
    graph = Graph(system)
    found = walk(graph, STATES_MAX)
    if found is None:
        return None
    name = {state: repr(graph.value(state)).encode() for state in found}
    return set(name.values()), {(name[s], a.code, name[to]) for s, steps in found.items() for a, to in steps}


def path_of(run: Run) -> tuple[list[bytes], list[bytes]]:
    """The states of a run and the codes of its actions."""
    states: list[State] = run.trace.places()
    return [repr(run.trace.world.value(s)).encode() for s in states], [a.code for _, a in run.trace.steps]


def strays(run: Run, states: set[bytes], edges: set[tuple[bytes, bytes, bytes]]) -> list[int]:
    """The steps of a run that are no edges of the graph (0 is the start)."""
    values, codes = path_of(run)
    found = [0] if values[0] not in states else []
    return found + [i for i, code in enumerate(codes, 1) if (values[i - 1], code, values[i]) not in edges]


@given(st.one_of(systems(), begun()), st.sampled_from(STRATEGIES), st.integers(0, 2**64 - 1))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_every_simulated_run_is_a_path_of_the_checked_graph(
    system: System, strategy: Callable[[int], Strategy], seed: int
) -> None:
    known = values_and_edges(system)
    assume(known is not None)
    assert known is not None
    run = simulate(system, strategy(seed), max_steps=200)
    assert strays(run, *known) == []


def test_a_run_that_leaves_the_graph_is_caught() -> None:
    system = two_phase_commit.system(2)
    known = values_and_edges(system)
    assert known is not None
    run = simulate(system, Uniform(1))
    assert strays(run, *known) == []
    states, edges = known
    _, codes = path_of(run)
    values = path_of(run)[0]
    assert strays(run, states, edges - {(values[2], codes[2], values[3])}) == [3]
    assert strays(run, states - {values[0]}, edges) == [0]
    del run.trace.steps[0]  # the second action is now said to follow the start
    assert strays(run, *known) != []


@given(st.one_of(systems(), begun()))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
def test_every_counterexample_of_the_check_replays_in_the_simulator(system: System) -> None:
    result = check(system, max_states=STATES_MAX)
    assume(result.finding is not None and result.begin is not None)
    assert result.begin is not None
    run = replayed(system, [str(result.begin.address)] if result.begin.choices else [], result.path)
    assert run.finding == result.finding
    assert run.steps == len(result.path)


def replayed(system: System, start: list[str], path: list) -> Run:  # type: ignore[type-arg]
    """A path as a scenario file would replay it: by addresses, with a budget that the schedule itself gives."""
    struck = {(kind, a.fault.reset_ms if hasattr(a.fault, "reset_ms") else None) for a in path for kind in a.strikes}
    entries = tuple(
        FaultEntry(kind, None, hint_ms=hint if kind == "rate_limited" else None)
        for kind, hint in sorted(struck, key=repr)
    )
    unique = tuple(dict.fromkeys(replace(entry) for entry in entries))
    return simulate(
        system.with_(faults=unique),
        Replay([*start, *(str(action.address) for action in path)]),
        max_steps=len(path) + 1,
    )


@pytest.mark.parametrize(
    "system",
    [consensus.system(sequencing=False), consensus.system(retries=0, resends=0).with_(faults="drop:2")],
    ids=["duplicate counted", "nobody resends"],
)
def test_counterexamples_of_the_consensus_model_replay(system: System) -> None:
    result = check(system)
    assert result.finding is not None
    assert replayed(system, [], result.path).finding == result.finding


def test_a_counterexample_with_a_step_missing_does_not_replay() -> None:
    result = check(consensus.system(sequencing=False))
    with pytest.raises(Exception, match="does not fit here"):
        replayed(consensus.system(sequencing=False), [], [result.path[0], *result.path[2:]])


def test_a_timed_run_of_each_model_ends_in_a_state_of_its_checked_graph() -> None:
    for system in (two_phase_commit.system(3), paxos.system(1)):
        known = values_and_edges(system)
        assert known is not None
        for seed in range(20):
            assert strays(simulate(system, VirtualTime(seed)), *known) == []
