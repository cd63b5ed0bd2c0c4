"""Every schedule within stated bounds: the coordinator holds, and every row of its tables is taken by something."""

from __future__ import annotations

import pytest

from bench.consensus import FOLDER, outcome_of
from bench.consensus_bounds import LARGE, SMALL, Bound, Rows, declared_and_taken, walked
from sim import check


def name_of(bound: Bound) -> str:
    return f"{bound.name}, {bound.faults}"


@pytest.mark.parametrize("bound", SMALL, ids=name_of)
def test_every_schedule_holds_within_small_bounds(bound: Bound) -> None:
    result = check(bound.system())
    print(f"{bound.name}, {bound.faults}: {result.states:,} states")
    assert (result.verdict, result.complete) == ("ok", True), result.finding
    assert result.states == bound.states


@pytest.mark.soak
@pytest.mark.parametrize("bound", LARGE, ids=name_of)
def test_every_schedule_holds_within_large_bounds(bound: Bound) -> None:
    result = check(bound.system())
    figures = f"{result.states:,} states, {result.generated:,} generated, {result.seconds:.0f} s"
    print(f"{bound.name}, {bound.faults}: {figures}")
    assert (result.verdict, result.complete) == ("ok", True), result.finding
    assert result.states == bound.states


def test_every_row_of_every_process_is_taken_by_a_scenario_or_a_check() -> None:
    declared: Rows = {}
    taken: set[tuple[str, int]] = set()
    runs = [outcome_of(path).run.trace for path in sorted(FOLDER.rglob("*.yaml"))]
    for graph, actions in [*walked(), *((trace.world, [action for _, action in trace.steps]) for trace in runs)]:
        rows, met = declared_and_taken(graph, actions)
        declared |= rows
        taken |= met
    never = {text for row, text in declared.items() if row not in taken}
    print(f"{len(declared) - len(never)} of {len(declared)} rows taken")
    assert never == set(), "\n".join(sorted(never))
