"""Writes `docs/bugs.md`: what it takes to find each planted bug."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from bench.bugs.cells import (
    CELL_SECONDS_MAX,
    EXAMPLES_MAX,
    MACHINE_SEEDS,
    MACHINES,
    SCHEDULES_MAX,
    SEEDS,
    STRATEGIES,
    Cell,
    checked,
    fuzzed,
    tried,
)
from bench.bugs.table import BUGS, CONSENSUS, OUTSIDE, Bug
from sim import Graph, check

DOCUMENT = Path(__file__).parents[2] / "docs" / "bugs.md"


def described(bug: Bug) -> str:
    """A line of the table of bugs: what is wrong, the bounds, what the check says."""
    found, sound = check(bug.planted()), check(bug.sound())
    assert found.finding is not None
    faults = ", ".join(str(entry) for entry in bug.planted().budget) or "none"
    model = f"`{bug.target.removeprefix('bench.bugs.')}`"
    counts = f"{found.finding.property} | {len(found.path)} | {found.states:,} | {sound.states:,}"
    return f"| {bug.name} | {bug.what} | {model} | {faults} | {counts} |"


def looked_for(bug: Bug) -> tuple[Cell, ...]:
    """Every way of looking for one bug, in the order of the columns."""
    graph = Graph(bug.planted())
    return (
        *(fuzzed(graph, strategy) for strategy in STRATEGIES),
        checked(bug),
        *(tried(graph, machine) for machine in MACHINES),
    )


def tries(cell: Cell) -> str:
    return f"{cell.tries:,}" if cell.found else f"> {cell.tries:,}"


def seconds(cell: Cell) -> str:
    return f"{cell.seconds:.2f}" if cell.found else "-"


def document(cells: dict[str, tuple[Cell, ...]]) -> Iterator[str]:
    """The lines of the document."""
    columns = [*STRATEGIES, "check", *MACHINES]
    heads = f"| bug | {' | '.join(columns)} |", f"|{'---|' * (len(columns) + 1)}"
    yield from f"""# Planted bugs

{len(BUGS)} bugs, and what it takes to find each: by `sim fuzz` with each of its strategies, by `sim check`, and by machines
of Hypothesis on the same model. {len(OUTSIDE)} are small models of their own (`bench/bugs/`, one file each), {len(CONSENSUS)} are planted in the
consensus model ([saboteurs.md](saboteurs.md) says what they are). Each has a sound twin that differs in one class, row or
field; the tests hold that the check and the fuzz accuse the one and not the other. This page is written by
`python -m bench.bugs`, in some minutes.

Each is a model for the command line, from a checkout: `sim fuzz bench.bugs.deadlock`, and its twin is
`sim check bench.bugs.deadlock --set planted=false`.

## The bugs outside of the consensus model

The bounds are the smallest that contain the bug. *Steps* is the length of the check's counterexample, which is a shortest
one; *states* what it had met by then, *sound* what the sound twin has, all of them checked.

| bug | what is wrong | model | fault budget | violated | steps | states | sound |
|---|---|---|---|---|---|---|---|""".split("\n")
    yield from map(described, OUTSIDE)
    yield from f"""
## How many schedules

Up to and with the one that finds it; the median of {SEEDS} seeds (0 to {SEEDS - 1}). `> {SCHEDULES_MAX:,}`: the median seed did not find it in
that many. *check* has states. `plain machine` and `state_machine` have examples, the median of {MACHINE_SEEDS} seeds, of at most
{EXAMPLES_MAX:,}: the first is what one writes who knows Hypothesis and nothing of schedules, one rule that takes any enabled action
(`bench/bugs/machine.py`); the second is `sim.state_machine` ([hypothesis.md](hypothesis.md)).

`timed` meets only what the model's times allow: a bug that needs an early timer or a very late message is not for it.
`portfolio`, the default, takes the others in turn. An `eventually` is judged where a schedule comes to rest, or goes round; the
livelock has workers that get tired, so that it rests.
""".split("\n")
    yield from heads
    for bug in BUGS:
        yield f"| {bug.name} | {' | '.join(map(tries, cells[bug.name]))} |"
    yield from f"""
## How many seconds

In the same runs: Python {platform.python_version()}, {os.cpu_count()} cores, of which one is used. A fuzz has its counterexample minimised by then; a machine of
Hypothesis has not begun to shrink. `-`: not found within the tries above, or {CELL_SECONDS_MAX:.0f} s for all seeds together.
""".split("\n")
    yield from heads
    for bug in BUGS:
        yield f"| {bug.name} | {' | '.join(map(seconds, cells[bug.name]))} |"


def main() -> None:
    looked_for(BUGS[0])  # imports and compiles
    DOCUMENT.write_text("\n".join(document({bug.name: looked_for(bug) for bug in BUGS})) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
