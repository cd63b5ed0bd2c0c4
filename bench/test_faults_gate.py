"""What an injection point behind a closed gate costs, beside the same code without one.

The ratio is the figure to quote: `python -m bench.test_faults_gate` prints it, both sides measured in turn
in one process. The operation is as cheap as anything that fails remotely can be: the answer is read from
JSON. `nothing` is the worst case: a function that does no work at all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median

import pytest

from sim.faults import close_gate, next_fault

CALLS = 20_000
ROUNDS = 15
ANSWER = json.dumps({"agent": "gemini", "round": 1, "answer": "ok", "work_breakdown": ["a", "b", "c"] * 20})


def read() -> object:
    return json.loads(ANSWER)


def read_with_point() -> object:
    fault = next_fault("spec_kit", "gemini")
    if fault is not None:
        raise fault
    return json.loads(ANSWER)


def nothing() -> object:
    return None


def nothing_with_point() -> object:
    fault = next_fault("spec_kit", "gemini")
    if fault is not None:
        raise fault
    return None


def calls(operation: Callable[[], object]) -> None:
    for _ in range(CALLS):
        operation()


PAIRS = {"reading an answer": (read_with_point, read), "nothing": (nothing_with_point, nothing)}


@pytest.mark.benchmark(group="an injection point behind a closed gate")
@pytest.mark.parametrize("operation", [read_with_point, read, nothing_with_point, nothing], ids=lambda f: f.__name__)
def test_calls_with_and_without_an_injection_point(benchmark, operation) -> None:  # type: ignore[no-untyped-def]
    close_gate()
    benchmark(calls, operation)


def main() -> None:
    close_gate()
    for name, pair in PAIRS.items():
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for operation, found in zip(pair, times, strict=True):
                began = time.perf_counter()
                calls(operation)
                found.append(time.perf_counter() - began)
        ratio = median(a / b for a, b in zip(*times, strict=True))
        cost = (median(times[0]) - median(times[1])) / CALLS * 1e9
        print(f"{name}: {cost:.0f} ns an injection point, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
