"""`python -m bench.public_races` writes `docs/live_public_races.md`: what is found in which version, and how soon."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from statistics import median_low
from textwrap import fill

from bench.public_races.measure import Found, found_in
from bench.public_races.table import RACES, PublicRace

DOCUMENT = Path(__file__).parents[2] / "docs" / "live_public_races.md"
SEEDS = 30
SCHEDULES_MAX = 2_000

HEAD = """\
# Races in released libraries

{count} races in asyncio libraries, as they were released, unmodified: `bench/public_races/` has a program for each, of a
page, which uses the library as its documentation says. The programs know nothing of the race: a few clients, a cancellation
or none, and what must hold. `make test-public-races` installs each version in a folder of its own and runs them.

How many schedules it takes is that of the default fuzz, up to and with the one that finds it, over {seeds} seeds. What must
deviate from the usual order is the minimised counterexample of seed 0. In the version that has it fixed {schedules:,}
schedules find nothing. Where there is none, the newest version has it; those of aiohttp and anyio were tried on an unchanged
loop with real sockets as well: they show there if the cancellation comes where the schedule says. This page is written by
`python -m bench.public_races`.
"""
TABLE = """
| library | race | schedules, median | most | deviations | fixed in | there, in {schedules:,} |
|---|---|---|---|---|---|---|
"""


def section(race: PublicRace, found: list[Found]) -> str:
    """The paragraph of a race, with what was measured."""
    first = found[0]
    message = re.sub(r" \(/\S+\)", "", first.message)
    lines = [head(race), f"`{first.property}`: {message}", ""]
    return "\n".join([*lines, *(f"    {address}" for address in first.departs), ""])


def head(race: PublicRace) -> str:
    """What is said of a race that is not measured."""
    what = race.what.partition(": ")[2]
    said = f"`{race.target}`, {race.library} {race.version}: {what} Reported in public: {race.seen}."
    return f"## {title(race)}\n\n{fill(said, 120, break_on_hyphens=False)}\n"


def title(race: PublicRace) -> str:
    return f"{race.library}: {race.what.partition(': ')[0].lower()}"


def row(race: PublicRace, found: list[Found], mended: list[Found]) -> str:
    """What was measured, on a line."""
    took = [one.schedules if one.property else SCHEDULES_MAX + 1 for one in found]
    deviations = sorted({one.deviations for one in found if one.property})
    many = " to ".join(str(number) for number in dict.fromkeys((deviations[0], deviations[-1])))
    there = ("ok" if not mended[0].property else f"VIOLATED {mended[0].property}") if mended else ""
    cells = (f"{race.library} {race.version}", title(race).partition(": ")[2], median_low(took), max(took), many)
    return "| " + " | ".join(str(cell) for cell in (*cells, race.mended or "not yet", there)) + " |"


def page() -> str:
    """All of it."""
    rows, sections = [], []
    for race in RACES:
        found = found_in(race, race.version, seeds=range(SEEDS), schedules=SCHEDULES_MAX)
        mended = found_in(race, race.mended, seeds=range(1), schedules=SCHEDULES_MAX) if race.mended else []
        others = {one.property for one in found} - {*race.props}
        assert not others, f"{race.module}: {others}"
        rows.append(row(race, found, mended))
        print(rows[-1], flush=True)
        sections.append(section(race, found))
    intro = HEAD.format(count=len(RACES), seeds=SEEDS, schedules=SCHEDULES_MAX)
    return "\n".join([intro + TABLE.format(schedules=SCHEDULES_MAX) + "\n".join(rows), "", *sections])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    DOCUMENT.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
