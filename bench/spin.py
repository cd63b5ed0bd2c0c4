"""Two-phase commit in Spin and here, side by side: the same states, the same transitions, states per second.

`python -m bench.spin` prints the table. It needs Spin and a C compiler (`apt-get install spin gcc`). The Promela
is generated so that one transition is one action here: a manager takes what was sent as often as it likes, each
option is one `d_step`, and there is one process with one control location, so that a state is the variables
alone. Spin counts the initial state among its transitions, as `generated` does here: both counts agree.

Times are processor time of one core, the best of several runs in turn: of `pan` as a whole, and of a whole
`check` once it is compiled.
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

MANAGERS = 7
RUNS = 5
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
HASH_BITS = (20, 22)
"""Sizes of Spin's hash table (`-w`) that are tried."""


class Counts(NamedTuple):
    """What an exhaustive walk counts, and the processor time it took."""

    states: int
    transitions: int
    seconds: float


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


def built(source: str, folder: Path, options: tuple[str, ...]) -> Path:
    """The verifier that Spin generates from `source`, compiled with `options`."""
    folder.mkdir()
    (folder / "model.pml").write_text(source)
    subprocess.run(["spin", "-a", "model.pml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", *EXACT, *options, "-o", "pan", "pan.c"], cwd=folder, check=True)
    return folder / "pan"


def run_spin(pan: Path, hash_bits: int = HASH_BITS[0]) -> tuple[Counts, int]:
    """One exhaustive search; what it counted, and its errors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [pan, "-m100000", f"-w{hash_bits}"], cwd=pan.parent, check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    patterns = (r"(\d+) states, stored", r"(\d+) transitions", r"errors: (\d+)")
    states, transitions, errors = (int(re.findall(pattern, done.stdout)[0]) for pattern in patterns)
    return Counts(states, transitions, seconds), errors


def _counted(pan: Path, hash_bits: int) -> Counts:
    counts, errors = run_spin(pan, hash_bits)
    assert not errors
    return counts


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
    ways: dict[str, Callable[[], Counts]] = {}
    for options in BUILDS:
        pan = built(source, folder / "".join(options), options)
        for bits in HASH_BITS:
            ways[f"Spin, gcc {' '.join(options)}, pan -w{bits}"] = partial(_counted, pan, bits)
    for name, exact in (("ours, compiled", False), ("ours, compiled, `--exact`", True)):
        ways[name] = partial(run_ours, managers, "compiled", exact)
        ways[name]()  # compiles
    best = {"ours, plain": run_ours(managers, "plain")}
    for _ in range(RUNS):
        for name, run in ways.items():
            counts = run()
            if name not in best or counts.seconds < best[name].seconds:
                best[name] = counts
    return best


def table(best: dict[str, Counts]) -> Iterator[str]:
    """The best build of Spin and our engines, by speed."""
    spin = min((name for name in best if name.startswith("Spin")), key=lambda name: best[name].seconds)
    rows = [spin, *(name for name in best if name.startswith("ours"))]
    assert len({best[name][:2] for name in best}) == 1, best
    yield "| engine | states | transitions | seconds | states/s | to Spin |"
    yield "|---|---|---|---|---|---|"
    for name in sorted(rows, key=lambda name: best[name].seconds):
        one = best[name]
        rate, ratio = one.states / one.seconds, best[spin].seconds / one.seconds
        yield (
            f"| {name} | {one.states:,} | {one.transitions:,} | {one.seconds:.2f} "
            f"| {rate / 1000:,.0f} thousand | {ratio:.2f} |"
        )


def versions() -> str:
    """What was measured with."""
    import numba

    spin, gcc = (
        subprocess.run([tool, flag], check=True, capture_output=True, text=True).stdout.splitlines()[0]
        for tool, flag in (("spin", "-V"), ("gcc", "--version"))
    )
    return f"{spin}; {gcc}; Python {platform.python_version()}, numba {numba.__version__}"


def main() -> int:
    lacks = missing()
    if lacks:
        print(f"bench.spin: {lacks}", file=sys.stderr)
        return 2
    print(versions())
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(measured(MANAGERS, Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
