"""How many schedules each strategy takes to find each planted fault of the consensus model.

`python -m bench.saboteurs` counts, and writes `docs/saboteurs.md`. The counts depend on nothing but seeds, so
a test holds the document to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median_high
from typing import Any

from sim import CheckResult, Graph, check, simulate
from sim.fuzzer.fuzz import schedule_seed
from sim.strategy import make_strategy
from tests.saboteurs.consensus import SABOTEURS
from tests.saboteurs.planted import SMALL, Saboteur

STRATEGIES = ("uniform", "pctcp", "pos", "swarm", "timed", "portfolio")
SEEDS = 20
SCHEDULES_MAX = 500
DOCUMENT = Path(__file__).parents[1] / "docs" / "saboteurs.md"


def needed(graph: Graph, strategy: str, seed: int) -> int:
    """Schedules up to and with the first that finds something, as `sim fuzz --seed` runs them; one more
    than `SCHEDULES_MAX` if none does."""
    for number in range(SCHEDULES_MAX):
        picking = make_strategy(strategy, schedule_seed(seed, number), number=number)
        if simulate(graph, picking).finding is not None:
            return number + 1
    return SCHEDULES_MAX + 1


def cell(saboteur: Saboteur, strategy: str) -> str:
    """The median over all seeds. Of an even number of counts it is the higher middle one: a whole number."""
    graph = Graph(saboteur.small())
    middle = median_high(needed(graph, strategy, seed) for seed in range(SEEDS))
    return str(middle) if middle <= SCHEDULES_MAX else f"> {SCHEDULES_MAX}"


def settings(config: Mapping[str, Any]) -> str:
    """A configuration as `--set` would have it."""

    def text(value: Any) -> str:
        listed = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        return listed.lower() if isinstance(value, bool) else listed

    return ", ".join(f"{key}={text(value)}" for key, value in config.items())


def fault_row(saboteur: Saboteur, found: CheckResult, sound: CheckResult) -> str:
    """A line of the table of faults: what is changed, the bounds, what the check says there of it and of the
    sound model."""
    assert found.finding is not None
    config = settings(saboteur.config) or "-"
    what = (saboteur.fault.__doc__ or "").split("\n")[0]
    counts = f"{found.finding.property} | {len(found.path)} | {sound.states:,}"
    return f"| {saboteur.name} | {what} | {config} | {saboteur.faults} | {counts} |"


def matrix_row(saboteur: Saboteur) -> str:
    """A line of the matrix."""
    return f"| {saboteur.name} | {' | '.join(cell(saboteur, strategy) for strategy in STRATEGIES)} |"


def document() -> Iterator[str]:
    """The lines of the document."""
    small = settings({key: value for key, value in SMALL.items() if key != "former"})
    yield from f"""# Saboteurs

A check that cannot fail proves nothing. So {len(SABOTEURS)} faults are planted in the consensus model, each one small
change (`tests/saboteurs/`, a module a theme), and each is caught by `check`, by `fuzz`, by the stateful Hypothesis test of
exactly-once (`tests/test_exactly_once.py`) and by whole schedules drawn by Hypothesis (`sim.schedules`). The sound model
is caught by none of them. This page is written by `python -m bench.saboteurs`.

## The faults

The bounds are the smallest that contain the fault: with any one of them less it cannot show, or the sound model would
not hold either. What a row does not name is {small}. In all of them a former run has left its artifact in the
store, and late messages in the network. *Steps* is the length of the check's (shortest) counterexample, *states* what
the same bounds have around the sound model, all of them checked.

| fault | what is wrong | configuration | fault budget | violated | steps | states |
|---|---|---|---|---|---|---|""".split("\n")
    yield from (fault_row(one, check(one.small()), check(one.bounds())) for one in SABOTEURS)
    yield from f"""
## Strategies by saboteurs

Schedules until the fault is found, median of {SEEDS} seeds (0 to {SEEDS - 1}), in the bounds above. `timed` draws times
as the model states them: what needs an answer that takes longer than the coordinator's patience, or a message of a
former run just then, it may not meet at all. That is what the other strategies, and the portfolio, are for.

| fault | {" | ".join(STRATEGIES)} |
|{"---|" * (len(STRATEGIES) + 1)}""".split("\n")
    yield from map(matrix_row, SABOTEURS)


def write() -> None:
    DOCUMENT.write_text("\n".join(document()) + "\n")


if __name__ == "__main__":
    write()
