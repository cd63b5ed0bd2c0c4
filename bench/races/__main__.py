"""`python -m bench.races` writes `docs/live_races.md`: what goes wrong in each, and what it takes to find it."""

from __future__ import annotations

from pathlib import Path
from statistics import median_low
from textwrap import fill

from bench.races.table import RACES, Race
from sim import fuzz

DOCUMENT = Path(__file__).parents[2] / "docs" / "live_races.md"
SEEDS = 5
SCHEDULES_MAX = 2_000

HEAD = """\
# Races in asyncio code

{count} known shapes of races, each as an asyncio program of a page with its fixed twin: `bench/races/`, one file each.
They are of our own writing; where the same shape was reported in public is said with each. `sim fuzz bench.races.slot`
finds the race, `sim fuzz bench.races.slot --set fixed=true` does not accuse the twin. None of them shows in the usual
order, which is what a test on the stock loop sees.

How many schedules it takes is the median of {seeds} seeds (0 to {last}) of the default fuzz, up to and with the one that
finds it. What must deviate from the usual order is the minimised counterexample of seed 0, as its scenario file keeps
it. This page is written by `python -m bench.races`.
"""


def section(race: Race) -> str:
    """The paragraph of a race, with what was measured."""
    found = [fuzz(race.racy(), schedules=SCHEDULES_MAX, seed=seed).found for seed in range(SEEDS)]
    numbers = [one[0].number + 1 if one else SCHEDULES_MAX + 1 for one in found]
    took = median_low(numbers)
    many = f"more than {SCHEDULES_MAX:,} schedules" if took > SCHEDULES_MAX else schedules(took)
    lines = [head(race), f"Found as `{race.prop}` in {many}:", ""]
    lines += [f"    {address}" for address in (found[0][0].schedule if found[0] else ())]
    return "\n".join(lines)


def schedules(count: int) -> str:
    return "1 schedule" if count == 1 else f"{count:,} schedules"


def head(race: Race) -> str:
    """What is said of a race that is not measured."""
    said = fill(f"`{race.target}`: {race.what} Reported in public: {race.seen}.", 120, break_on_hyphens=False)
    return f"## {race.name}\n\n{said}\n"


def page() -> str:
    """All of it."""
    intro = HEAD.format(count=len(RACES), seeds=SEEDS, last=SEEDS - 1)
    return "\n".join([intro, *(f"{section(race)}\n" for race in RACES)])


if __name__ == "__main__":
    DOCUMENT.write_text(page(), encoding="utf-8")
