"""What a fuzz finds in a program with one version of its library: `found_in` asks a process that has that version."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bench.public_races.places import ROOT, install
from bench.public_races.table import PublicRace
from sim import fuzz


@dataclass(frozen=True)
class Found:
    """What a fuzz of one seed says: the schedule that finds it, counted from 1, and what is wrong; nothing if it is ok."""

    schedules: int
    property: str = ""
    message: str = ""
    departs: tuple[str, ...] = ()
    deviations: int = 0


def found_in(race: PublicRace, version: str, *, seeds: range, schedules: int) -> list[Found]:
    """What the default fuzz finds, in a process of its own."""
    said = [f"--seeds={seeds.start}", f"--to={seeds.stop}", f"--schedules={schedules}"]
    paths = os.pathsep.join(str(path) for path in (install(race.pins(version)), ROOT, ROOT / "sim" / "beside"))
    done = subprocess.run(
        [sys.executable, "-m", "bench.public_races.measure", race.target, *said],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{race.target} with {race.library} {version}:\n{done.stderr}")
    return [Found(**{**one, "departs": tuple(one["departs"])}) for one in json.loads(done.stdout.splitlines()[-1])]


def one_fuzz(target: str, seed: int, schedules: int) -> dict[str, Any]:
    """As plain data; here, with the library that this process has."""
    result = fuzz(importlib.import_module(target).system(), schedules=schedules, seed=seed)
    if not result.found:
        assert result.verdict == "ok"
        return {"schedules": result.schedules, "departs": ()}
    first = result.found[0]
    return {
        "schedules": first.number + 1,
        "property": first.property,
        "message": first.message,
        "departs": first.schedule,
        "deviations": first.counterexample.deviations,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    for name in ("--seeds", "--to", "--schedules"):
        parser.add_argument(name, type=int, required=True)
    given = parser.parse_args()
    print(json.dumps([one_fuzz(given.target, seed, given.schedules) for seed in range(given.seeds, given.to)]))


if __name__ == "__main__":
    main()
