"""Coverage: carried and merged, the same in whatever parts and order the schedules were run."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

import models.consensus
from sim import ConfigError, System
from sim.fuzzer.coverage import Coverage
from sim.fuzzer.fuzz import FuzzResult, fuzz
from sim.graph.graph import Graph
from tests.fuzzed import relay
from tests.systems import systems

SCHEDULES = 60


def covered(result: FuzzResult) -> tuple[object, ...]:
    coverage = result.coverage
    return coverage.data(), coverage.states, coverage.unseen, coverage.unreached, coverage.untaken


def in_parts(parts: list[range]) -> Coverage:
    """The coverage of these ranges of schedules, each run by a graph of its own."""
    whole = Coverage(Graph(models.consensus.system()))
    for part in parts:
        result = fuzz(models.consensus.system(), first=part.start, schedules=len(part))
        whole.merge(result.coverage.data())
    return whole


def test_the_parts_of_a_fuzz_come_to_the_same_coverage_as_the_whole() -> None:
    whole = fuzz(models.consensus.system(), schedules=SCHEDULES).coverage
    parts = [range(7), range(7, 40), range(40, SCHEDULES)]
    for order in (parts, parts[::-1]):
        merged = in_parts(order)
        assert merged.data() == whole.data()
        assert (merged.states, merged.unseen) == (whole.states, whole.unseen)
        assert (merged.unreached, merged.transitions) == (whole.unreached, whole.transitions)


def test_a_part_that_is_missing_or_comes_twice_shows() -> None:
    whole = fuzz(models.consensus.system(), schedules=SCHEDULES).coverage
    assert in_parts([range(40)]).data() != whole.data()
    twice = in_parts([range(40), range(40)])
    assert twice.unseen[0] == 0, "what was visited in both parts was visited more than once"
    assert twice.states == in_parts([range(40)]).states


def test_schedules_are_known_by_their_number_wherever_a_fuzz_begins() -> None:
    faulty = models.consensus.system(sequencing=False)
    whole = fuzz(faulty, schedules=30, keep_going=True, strategy="uniform")
    later = fuzz(faulty, first=10, schedules=20, keep_going=True, strategy="uniform")
    numbers = {found.number for found in later.found}
    assert numbers
    assert all(10 <= number < 30 for number in numbers)
    assert {found.number for found in whole.found if found.number >= 10} <= numbers
    with pytest.raises(ConfigError, match="first is -1"):
        fuzz(faulty, first=-1, schedules=1)


@given(systems())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_distinct_states_have_distinct_fingerprints(system: System) -> None:
    graph = Graph(system)
    seen = dict.fromkeys(graph.initial())
    waiting = list(seen)
    while waiting and len(seen) < 2_000:
        state = waiting.pop()
        for action in graph.enabled(state):
            after = graph.apply(state, action)
            if after not in seen:
                seen[after] = None
                waiting.append(after)
    assert len({graph.fingerprint(state) for state in seen}) == len(seen)


PRINTS = """
import models.two_phase_commit
from sim.graph.graph import Graph
graph = Graph(models.two_phase_commit.system(resource_managers=3))
if {backwards}:
    states = graph.initial()
    for state in states:
        states += [graph.apply(state, a) for a in graph.actions(state)[::-1]][: 300 - len(states)]
state = graph.initial()[0]
for _ in range(6):
    print(graph.fingerprint(state))
    state = graph.apply(state, graph.actions(state)[-1])
"""


def test_a_fingerprint_is_the_same_in_every_process_whatever_was_met_before() -> None:
    def printed(backwards: bool) -> str:
        script = PRINTS.format(backwards=backwards)
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert printed(backwards=False) == printed(backwards=True)
    assert len(set(printed(backwards=False).split())) > 3


def test_sizes_of_schedules_are_merged_and_two_of_them_leave_no_bound() -> None:
    system = relay(5, 9)
    whole = fuzz(system, strategy="pctcp", schedules=8)
    assert whole.bound is not None
    merged = Coverage(Graph(system))
    for first in (4, 0):
        merged.merge(fuzz(system, strategy="pctcp", first=first, schedules=4).coverage.data())
    assert merged.sizes.bound() == whole.bound
    another = merged.data()._replace(sizes=((2, 2),))
    for extra in (another, merged.data()._replace(uneven=True)):
        torn = Coverage(Graph(system))
        torn.merge(merged.data())
        torn.merge(extra)
        assert torn.sizes.bound() is None
