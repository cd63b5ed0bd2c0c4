"""What `--reduce` leaves out, and what that costs, against a whole check in one run: the table of
docs/checking.md. Seconds are attached; they are measured, never asserted."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.plain_paxos import plain_paxos
from sim import System, check
from sim.scenario import load_target


def _model(name: str, **config: str) -> System:
    return load_target(name, config).system


CASES = {
    **{f"two-phase commit, {n}": _model("models.two_phase_commit", resource_managers=str(n)) for n in (3, 5, 7, 8)},
    "plain Paxos, 2 acceptors": plain_paxos(acceptors=2),
    "plain Paxos, 3 acceptors": plain_paxos(),
    "Paxos, 1 client": _model("models.paxos", clients="1"),
    "Paxos, 2 clients": _model("models.paxos", clients="2"),
}


@pytest.mark.benchmark(group="check, reduced and whole")
@pytest.mark.parametrize("name", CASES)
def test_a_reduced_check_against_a_whole_one(benchmark: BenchmarkFixture, name: str) -> None:
    system = CASES[name]
    whole = check(system)
    without_symmetry = check(system.with_(interchangeable=()), reduce=True)
    result = benchmark.pedantic(check, args=(system,), kwargs={"reduce": True}, rounds=1)
    assert result.verdict == whole.verdict == without_symmetry.verdict
    benchmark.extra_info["states"] = whole.states
    benchmark.extra_info["states_partial_order"] = without_symmetry.states
    benchmark.extra_info["states_reduced"] = result.states
    benchmark.extra_info["seconds_whole"] = round(whole.seconds, 2)
    benchmark.extra_info["seconds_reduced"] = round(result.seconds, 2)
