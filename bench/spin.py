"""Two-phase commit in Spin and here, side by side: the same states, the same transitions, states per second.

`python -m bench.spin` prints the table. It needs Spin and a C compiler (`apt-get install spin gcc`). The Promela
is generated so that one transition is one action here: a manager takes what was sent as often as it likes, each
option is one `d_step`, and there is one process with one control location, so that a state is the variables
alone. Spin counts the initial state among its transitions, as `generated` does here: both counts agree.

Times are processor time of one core, the best of several runs in turn: of `pan` as a whole, and of a whole
`check` once our code is made, handlers and predicates included. To Spin's verifier belongs its own making, by
`spin -a` and the C compiler, once for each model; ours needs none, and the time of both is printed too.
"""

from __future__ import annotations

import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from models.two_phase_commit import system
from sim import check

SIZES = {7: (5, (20, 22)), 8: (3, (22, 24)), 9: (1, (24,))}
"""Resource managers -> how often each way is run, and the sizes of Spin's hash table (`-w`) that are tried."""
PLAIN = 7
"""Resource managers with which the plain engine is run too, once; with more it takes minutes."""
TOOLS = ("spin", "gcc")
EXACT = ("-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-DNOCLAIM", "-DMEMLIM=4096", "-w")
"""What every build has: safety alone, no partial-order reduction (it would change the counts), no claim."""
BUILDS = (
    ("-O2",),
    ("-O3", "-march=native"),
    ("-O2", "-DSFH"),
    ("-O3", "-march=native", "-DSFH"),
    ("-O2", "-DSFH", "-DNOBOUNDCHECK"),
    ("-O2", "-DCOLLAPSE"),
)
"""The builds that are tried, all of them exact: another hash, no checks of array bounds, states compressed."""


ROUNDED = 1e-5
"""Spin prints a large count of transitions with six digits."""


class Counts(NamedTuple):
    """What an exhaustive walk counts, the processor time it took, and what making the verifier took."""

    states: int
    transitions: int
    seconds: float
    making: float = 0.0


def promela(managers: int) -> str:
    """Two-phase commit as `models.two_phase_commit` has it, for 1 to 31 resource managers.

    Bit i of `sent`: Prepared of manager i is in the network; of `noted`: the transaction manager has taken it.
    `rm[i]` is 0 while it works, then 1 prepared, 2 committed, 3 aborted.
    """
    everyone, every = range(managers), (1 << managers) - 1
    options = []
    for i in everyone:
        options += [
            f"rm[{i}] == 0 -> rm[{i}] = 1; sent = sent | {1 << i}",  # prepares
            f"rm[{i}] == 0 -> rm[{i}] = 3",  # gives up
            f"commit == 1 -> rm[{i}] = 2",  # is told so, again and again
            f"abort == 1 -> rm[{i}] = 3",
            f"commit == 0 && abort == 0 && (sent & {1 << i}) != 0 -> noted = noted | {1 << i}",
        ]
    options += [
        f"commit == 0 && abort == 0 && noted == {every} -> commit = 1",
        "commit == 0 && abort == 0 -> abort = 1",
    ]
    committed, aborted = (" || ".join(f"rm[{i}] == {end}" for i in everyone) for end in (2, 3))
    options.append(f"({committed}) && ({aborted}) -> assert(false)")
    body = "\n".join(f"    :: d_step {{ {option} }}" for option in options)
    mask = "byte" if managers <= 8 else "int"
    return f"""{mask} sent, noted;
bit commit, abort;
byte rm[{managers}];

active proctype all() {{
end:
    do
{body}
    od
}}
"""


def missing() -> str:
    """What is not installed, and how to get it; empty if nothing is missing."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"{' and '.join(lacking)} not found: apt-get install {' '.join(lacking)}" if lacking else ""


def built(source: str, folder: Path, options: tuple[str, ...]) -> tuple[Path, float]:
    """The verifier that Spin generates from `source`, compiled with `options`; the seconds this took."""
    folder.mkdir()
    (folder / "model.pml").write_text(source)
    _, generating = spent(["spin", "-a", "model.pml"], folder)
    _, compiling = spent(["gcc", *EXACT, *options, "-o", "pan", "pan.c"], folder)
    return folder / "pan", generating + compiling


def spent(command: list[str], folder: Path) -> tuple[str, float]:
    """What a command prints, and the processor time it takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def run_spin(pan: Path, hash_bits: int) -> tuple[Counts, int]:
    """One exhaustive search; what it counted, and its errors."""
    said, seconds = spent([str(pan), "-m100000", f"-w{hash_bits}"], pan.parent)
    patterns = (r"(\S+) states, stored", r"(\S+) transitions", r"errors: (\d+)")
    states, transitions, errors = (int(float(re.findall(pattern, said)[0])) for pattern in patterns)
    return Counts(states, transitions, seconds), errors


def _counted(pan: Path, making: float, hash_bits: int) -> Counts:
    counts, errors = run_spin(pan, hash_bits)
    assert not errors
    return counts._replace(making=making)


def run_ours(managers: int, engine: str, exact: bool = False) -> Counts:
    """The same by `sim.check`."""
    began = time.process_time()
    result = check(system(managers), engine=engine, exact=exact)  # type: ignore[arg-type]
    assert result.verdict == "ok"
    return Counts(result.states, result.generated, time.process_time() - began)


def measured(managers: int, folder: Path) -> dict[str, Counts]:
    """Every way once in each round, for all rounds (the plain walk, which is slow, in one); the fastest run of
    each, by its name."""
    source = promela(managers)
    runs, sizes = SIZES[managers]
    ways: dict[str, Callable[[], Counts]] = {}
    for options in BUILDS:
        pan, making = built(source, folder / "".join(options), options)
        for bits in sizes:
            ways[f"Spin, gcc {' '.join(options)}, pan -w{bits}"] = partial(_counted, pan, making, bits)
    for name, exact in (("ours, compiled", False), ("ours, compiled, `--exact`", True)):
        ways[name] = partial(run_ours, managers, "compiled", exact)
    best = {"ours, plain": run_ours(managers, "plain")} if managers == PLAIN else {}
    for _ in range(runs):
        for name, run in ways.items():
            counts = run()
            if name not in best or counts.seconds < best[name].seconds:
                best[name] = counts
    return best


def table(managers: int, best: dict[str, Counts]) -> Iterator[str]:
    """The best build of Spin and our engines, by speed: lines of one table for all sizes."""
    spin = min((name for name in best if name.startswith("Spin")), key=lambda name: best[name].seconds)
    rows = [spin, *(name for name in best if name.startswith("ours"))]
    for name in sorted(rows, key=lambda name: best[name].seconds):
        one = best[name]
        assert one.states == best[spin].states
        assert abs(one.transitions - best[spin].transitions) <= one.transitions * ROUNDED
        rate, ratio = one.states / one.seconds, best[spin].seconds / one.seconds
        yield (
            f"| {managers} | {name} | {one.states:,} | {one.making:.2f} | {one.seconds:.2f} "
            f"| {rate / 1000:,.0f} thousand | {ratio:.2f} |"
        )


def versions() -> str:
    """What was measured with."""
    spin, gcc = (
        subprocess.run([tool, flag], check=True, capture_output=True, text=True).stdout.splitlines()[0]
        for tool, flag in (("spin", "-V"), ("gcc", "--version"))
    )
    return f"{spin}; {gcc}; Python {platform.python_version()}"


def main() -> int:
    lacks = missing()
    if lacks:
        print(f"bench.spin: {lacks}", file=sys.stderr)
        return 2
    print(versions())
    for exact in (False, True):
        run_ours(PLAIN - 2, "compiled", exact)  # loads the code
    print("| resource managers | engine | states | making it, seconds | checking, seconds | states/s | to Spin |")
    print("|---|---|---|---|---|---|---|")
    for managers in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            print("\n".join(table(managers, measured(managers, Path(folder)))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
