"""What workers bring, and what a chunk costs the campaign that hands it out.

`python -m bench.test_campaign_speed` prints the figures that docs/campaigns.md computes with. Two workers and
one are measured in turn, in one run. What a chunk costs is measured with outcomes that are there already: all
that is left is to pickle and unpickle, to record and to merge. That is work of one process, whoever runs the
chunks, so it says where more workers stop helping.
"""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from sim.campaign import sessions
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.code import code_of
from sim.campaign.dispatch import Campaign
from sim.campaign.engines import Engine, started
from sim.campaign.store import CampaignStore
from sim.campaign.worker import ChunkOutcome, ChunkRequest, ready, run_chunk
from sim.sessions.git import GitPlace

MODEL = "models.consensus"
SCHEDULES, CHUNK = 2_000_000, 10_000
WARM = 100_000
"""Schedules before a worker is measured: enough for the compiled walk to be made and loaded."""
CHUNKS, SIZES = 20, (1_000, 10_000, 100_000)
"""Chunks that are measured, and of how many schedules."""
ROUNDS = 3
CORES = 16
"""Of the machines that the table has."""


class Prepared(Executor):
    """Has all outcomes already, as the bytes that a worker would send."""

    def __init__(self, outcomes: dict[int, bytes]) -> None:
        self.outcomes = outcomes

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        request = pickle.loads(pickle.dumps((fn, args, kwargs)))[1][0]
        future.set_result(pickle.loads(self.outcomes[request.first]))
        return future


class Costs(NamedTuple):
    """Of one chunk: seconds of the campaign's own process, seconds of its worker, bytes of its outcome."""

    own_s: float
    worker_s: float
    outcome_bytes: int
    schedules: int


def plan(chunk: int, schedules: int) -> CampaignPlan:
    return CampaignPlan(
        MODEL, MODEL, None, (), None, "--faults", (), 0, "portfolio", schedules, None, True, chunk, 10_000
    )  # fmt: skip


def campaign(folder: Path, chunk: int, schedules: int) -> Campaign:
    store = CampaignStore(folder / "sessions.sqlite")
    wanted = plan(chunk, schedules)
    target = wanted.load()
    session = sessions.begin(store, "", wanted, target, GitPlace())
    code = code_of(MODEL)
    return Campaign(store, session, sessions.go_on(store, session.id, "0", code, GitPlace()), target, code, folder)


def seconds_with(workers: int) -> float:
    """A whole campaign, from the moment all workers are warm."""
    with tempfile.TemporaryDirectory() as folder, started("local", workers) as engine:
        one = campaign(Path(folder), CHUNK, SCHEDULES)
        warming = [ChunkRequest(one.session.plan, one.code, SCHEDULES, WARM, "warm")] * workers
        for future in [engine.executor.submit(run_chunk, request) for request in warming]:
            future.result()  # each has had one
        begun = time.perf_counter()
        answer = one.run(engine)
        assert answer.schedules == SCHEDULES
        return time.perf_counter() - begun


def two_against_one() -> tuple[float, float]:
    """Schedules a second with one worker and with two: the medians of rounds in turn."""
    rounds = [(seconds_with(1), seconds_with(2)) for _ in range(ROUNDS)]
    return tuple(SCHEDULES / median(column) for column in zip(*rounds, strict=True))  # type: ignore[return-value]


def cost_of_chunks(chunk: int, chunks: int = CHUNKS, warm: int = WARM) -> Costs:
    """What a chunk of so many schedules costs, on average over the first ones of a campaign, by a worker that was warmed
    by `warm` schedules."""
    with tempfile.TemporaryDirectory() as folder:
        one = campaign(Path(folder), chunk, chunk * chunks)
        outcomes: dict[int, bytes] = {}
        worker_s = 0.0
        run_chunk(
            ChunkRequest(one.session.plan, one.code, chunk * chunks, warm, "warm")
        )  # loads the model, and makes the code
        for first in range(0, chunk * chunks, chunk):
            begun = time.perf_counter()
            outcome: ChunkOutcome = run_chunk(ChunkRequest(one.session.plan, one.code, first, chunk, "costs", first))
            worker_s += time.perf_counter() - begun
            outcomes[first] = pickle.dumps(outcome)
        begun = time.perf_counter()
        one.run(Engine("prepared", Prepared(outcomes), 1, ()))
        own_s = time.perf_counter() - begun
    size = sum(map(len, outcomes.values())) // chunks
    return Costs(own_s / chunks, worker_s / chunks, size, chunk)


def limit(costs: Costs) -> int:
    """How many workers keep the campaign's process busy; more bring nothing."""
    return max(1, int(costs.worker_s / costs.own_s))


def scaled(costs: Costs, workers: int) -> float:
    """Schedules a second with so many workers, computed: as many chunks as they run, or as the campaign takes in."""
    return costs.schedules * min(workers / costs.worker_s, 1 / costs.own_s)


def table(measured: list[Costs]) -> Iterator[str]:
    """What so many workers would do, with chunks of each size: lines of a table."""
    heads = " | ".join(f"chunks of {costs.schedules:,}" for costs in measured)
    yield f"| workers | machines of {CORES} cores | {heads} |"
    yield f"|{'---|' * (2 + len(measured))}"
    limits = [limit(costs) for costs in measured]
    for workers in sorted({1, CORES, 10 * CORES, *limits}):
        cells = [
            f"{scaled(costs, workers) / 1e6:.2f} million schedules/s{': here it stops' if workers == most else ''}"
            for costs, most in zip(measured, limits, strict=True)
        ]
        yield f"| {workers} | {-(-workers // CORES)} | {' | '.join(cells)} |"


def round_trip_s() -> float:
    """From handing a task to a process to its answer, without any work."""
    with started("local", 1) as engine:
        begun = time.perf_counter()
        for _ in range(200):
            engine.executor.submit(ready).result()
        return (time.perf_counter() - begun) / 200


@pytest.mark.benchmark(group="campaign, two workers against one")
@pytest.mark.parametrize("workers", [1, 2])
def test_schedules_a_second(benchmark: BenchmarkFixture, workers: int) -> None:
    seconds = benchmark.pedantic(seconds_with, args=(workers,), rounds=1)
    benchmark.extra_info["schedules_per_second"] = round(SCHEDULES / seconds)


@pytest.mark.benchmark(group="campaign, what a chunk costs")
@pytest.mark.parametrize("chunk", SIZES)
def test_cost_of_a_chunk(benchmark: BenchmarkFixture, chunk: int) -> None:
    costs = benchmark.pedantic(cost_of_chunks, args=(chunk, 10), rounds=1)
    benchmark.extra_info["own_ms"] = round(1e3 * costs.own_s, 2)
    benchmark.extra_info["worker_ms"] = round(1e3 * costs.worker_s, 1)
    benchmark.extra_info["outcome_kib"] = round(costs.outcome_bytes / 1024)
    benchmark.extra_info["workers_at_which_it_stops"] = limit(costs)


def main() -> None:
    one, two = two_against_one()
    print(f"workers     1: {one:,.0f} schedules/s, 2: {two:,.0f} schedules/s, {two / one:.2f} times as many")
    print(f"round trip  {1e3 * round_trip_s():.2f} ms for a task without work")
    measured = [cost_of_chunks(chunk) for chunk in SIZES]
    for costs in measured:
        print(
            f"chunk       {costs.schedules:>7,} schedules: {1e3 * costs.worker_s:,.0f} ms of a worker, "
            f"{1e3 * costs.own_s:.1f} ms of the campaign, {costs.outcome_bytes / 1024:,.0f} KiB"
        )
    print(*table(measured), sep="\n")


if __name__ == "__main__":
    main()
