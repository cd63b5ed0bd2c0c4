"""`python -m bench.live [--seconds S]`: every tool on every program, each in a process of its own, one after the other."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from bench.live.programs import COUNT, PROGRAMS
from bench.live.tools import TOOLS

FIRST = 16
"""Schedules of the first try, which is not counted: it imports, compiles and fills caches."""


def measured(tool: str, program: str, seconds: float) -> dict[str, float]:
    """Twice as many schedules each time, until they take `seconds`; the last time counts. Seconds are those of the
    processor, so that it matters little what else the machine does."""
    run = TOOLS[tool](program)
    run(FIRST)
    schedules = FIRST
    while True:
        COUNT.clear()
        began = time.process_time()
        run(schedules)
        took = time.process_time() - began
        if took >= seconds or COUNT.ended < schedules:  # fewer: it has run out of schedules
            rates = {"schedules": COUNT.ended / took, "steps": COUNT.steps / took}
            return {**rates, "orders": len(COUNT.orders), "of": COUNT.ended}
        schedules *= 2


def elsewhere(tool: str, program: str, seconds: float) -> dict[str, float] | str:
    """The same in a process of its own, with a hash seed of its own; or why there is nothing."""
    command = [sys.executable, "-m", "bench.live", "--one", tool, program, "--seconds", str(seconds)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60 + 20 * seconds
        )
    except subprocess.TimeoutExpired:
        return "does not come to an end"
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]
    last = (done.stderr.strip().splitlines() or ["?"])[-1]
    return "missing: it is not installed" if last.startswith("ModuleNotFoundError") else f"fails: {last[:80]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="processor time for each tool and program")
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "PROGRAM"))
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(*given.one, given.seconds)))
        return
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; seconds are those of the processor")
    print(f"{'program':<10} {'tool':<18} {'schedules/s':>12} {'steps/s':>10} {'distinct orders':>18}")
    for program in PROGRAMS:
        for tool in TOOLS:
            found = elsewhere(tool, program, given.seconds)
            if isinstance(found, str):
                print(f"{program:<10} {tool:<18} {found}")
                continue
            orders = f"{found['orders']:,.0f} of {found['of']:,.0f}"
            print(
                f"{program:<10} {tool:<18} {found['schedules']:>12,.0f} {found['steps']:>10,.0f} {orders:>18}",
                flush=True,
            )


if __name__ == "__main__":
    main()
