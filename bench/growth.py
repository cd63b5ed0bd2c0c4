"""What `sim check` costs as the consensus model grows: seconds and bytes a state, by agents, rounds and budgets.

`python -m bench.growth` prints the table. Each row is a process of its own, which first checks the smallest
row so that code is loaded; memory is what the process held at its peak beyond what it held before the check.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sim import check
from sim.scenario import load_target

MODEL = "models.consensus"
BASE = {"agents": "1", "rounds": "1", "retries": "0", "faults": "none"}
GROWING = {
    "agents": ("2", "3"),
    "rounds": ("2", "3", "4"),
    "retries": ("1", "2", "3"),
    "faults": ("drop:1", "drop:1,duplicate:1", "drop:1,duplicate:1,crash:1@coordinator"),
}
TOGETHER = (
    {"agents": "2", "retries": "1"},
    {"agents": "2", "retries": "1", "faults": "drop:1,duplicate:1"},
    {"agents": "2", "retries": "1", "faults": "drop:1,duplicate:1,crash:1@coordinator"},
)
"""Several at once; the last is what the model has if nothing is set."""
STATES_MAX = 20_000_000
KIB = 1024


class Cost(NamedTuple):
    """What one check took."""

    states: int
    generated: int
    seconds: float
    peak_bytes: int
    complete: bool


def rows() -> Iterator[dict[str, str]]:
    """The configurations, each beside `BASE`; the first is that alone."""
    yield {}
    for key, values in GROWING.items():
        yield from ({key: value} for value in values)
    yield from TOGETHER


def measure(config: Mapping[str, str]) -> Cost:
    """One check in this process, which has done no other that is larger. Warmed by both engines."""
    for engine in ("plain", "compiled"):
        check(_system({}), engine=engine)  # type: ignore[arg-type]
    before = _held_bytes()
    result = check(_system(config), max_states=STATES_MAX)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    return Cost(result.states, result.generated, result.seconds, max(peak - before, 0), result.complete)


def _system(config: Mapping[str, str]):  # type: ignore[no-untyped-def]
    settings = {**BASE, **config}
    faults = settings.pop("faults")
    return load_target(MODEL, settings, faults=faults).system


def _held_bytes() -> int:
    """What this process holds now; where that cannot be read, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    return pages * resource.getpagesize()


def in_a_fresh_process(config: Mapping[str, str]) -> Cost:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "bench.growth", json.dumps(config)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], check=True, capture_output=True, text=True)
    return Cost(*json.loads(done.stdout))


def line(config: Mapping[str, str], cost: Cost) -> str:
    """A line of the table."""
    settings = {**BASE, **config}
    cells = [settings[key].replace(",", ", ") for key in BASE]
    states = f"{cost.states:,}" if cost.complete else f"> {cost.states:,}"
    rest = f"{cost.seconds:.2f} | {1e6 * cost.seconds / cost.states:.1f} | {cost.peak_bytes / cost.states:,.0f}"
    return f"| {' | '.join(cells)} | {states} | {cost.generated:,} | {rest} |"


def main() -> None:
    print(f"| {' | '.join(BASE)} | states | generated | seconds | µs a state | bytes a state |")
    print(f"|{'---|' * (len(BASE) + 5)}")
    for config in rows():
        print(line(config, in_a_fresh_process(config)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    else:
        main()
