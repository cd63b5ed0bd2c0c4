"""What a step costs: our simulated run, with trace, digest and properties, beside SimPy's Store.

The ratio is the figure to quote: `python -m bench.test_simulate` prints it, both sides measured in turn in
one process.
"""

from __future__ import annotations

import time
from statistics import median

import pytest

from bench.ring import ring, run_ours, run_simpy, seconds

MESSAGES = 20_000
ROUNDS = 9


@pytest.mark.benchmark(group="messages through a ring of processes")
def test_simulated_run_with_trace_digest_and_property(benchmark) -> None:  # type: ignore[no-untyped-def]
    graph = ring()
    run_ours(graph, 100)
    digest = benchmark(run_ours, graph, MESSAGES)
    assert len(digest) == 64


@pytest.mark.benchmark(group="messages through a ring of processes")
def test_simpy_store(benchmark) -> None:  # type: ignore[no-untyped-def]
    received = benchmark(run_simpy, MESSAGES)
    assert received >= MESSAGES


def main() -> None:
    graph = ring()
    run_ours(graph, 100)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: run_ours(graph, MESSAGES), time.perf_counter))
        theirs.append(seconds(lambda: run_simpy(MESSAGES), time.perf_counter))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    per_message = [median(times) / MESSAGES * 1e6 for times in (ours, theirs)]
    print(f"roundsim {per_message[0]:.2f} us a message, SimPy {per_message[1]:.2f} us; ratio {median(ratios):.2f}")


if __name__ == "__main__":
    main()
