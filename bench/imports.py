"""How long it takes until roundsim is there: `python -m bench.imports`.

The fastest of several fresh processes each, over that of a bare interpreter, in milliseconds.
"""

from __future__ import annotations

import subprocess
import sys
import time

ROUNDS = 15
WHAT = {
    "bare Python": ["-c", "pass"],
    "import sim": ["-c", "import sim"],
    "import pytest": ["-c", "import pytest"],
    "import roundsim.pytest_plugin": ["-c", "import roundsim.pytest_plugin"],
    "sim --help": ["-m", "sim", "--help"],
}


def fastest_ms(arguments: list[str]) -> float:
    """The fastest of `ROUNDS` processes, in milliseconds."""
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        found.append(time.perf_counter() - started)
    return min(found) * 1000


def main() -> None:
    times = {what: fastest_ms(arguments) for what, arguments in WHAT.items()}
    bare = times["bare Python"]
    for what, taken in times.items():
        print(f"{what:<30} {taken:7.1f} ms  {taken - bare:7.1f} ms over bare Python")


if __name__ == "__main__":
    main()
