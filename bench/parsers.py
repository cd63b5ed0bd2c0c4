"""Fuzz every parser with coverage guidance: `make fuzz-parsers`, or `python -m bench.parsers [NAME...] --seconds N`.

Each reader of `tests/readers.py` runs in a process of its own, one after another, for an equal share of the time; atheris
changes what it is given towards code that was not reached. What a reader may raise is fine; anything else ends its
process, is shown, and its input is kept in `.parsers/NAME/found`. A corpus that has grown is kept for the next time.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path(".parsers")


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one reader in this process; atheris ends it."""
    import atheris

    with atheris.instrument_imports(include=["sim", "tomllib", "ruamel", "json"]):
        from tests.readers import READERS, SAID
    reader, good = READERS[name]
    corpus, found = HOME / name / "corpus", HOME / name / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(good):
        (corpus / f"good-{number}").write_bytes(text)

    def one(data: bytes) -> None:
        with contextlib.suppress(SAID):
            reader(data)

    limits = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=20000",
        "-print_final_stats=1",
    ]
    atheris.Setup([name, *limits, f"-artifact_prefix={found}/", str(corpus)], one)
    atheris.Fuzz()


def main() -> int:
    options: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="readers; all by default")
    options.add_argument("--seconds", type=int, default=600, help="in all")
    options.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        fuzz(given.names[0], given.seconds)
        return 0
    from tests.readers import READERS

    names = given.names or list(READERS)
    share = max(1, given.seconds // len(names))
    failed = []
    for name in names:
        command = [sys.executable, "-m", "bench.parsers", name, "--here", "--seconds", str(share)]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        told = ended.stderr + ended.stdout
        runs = next((line.split()[-1] for line in told.splitlines() if "number_of_executed_units" in line), "?")
        print(f"{name:16} {share} s, {runs} inputs: {'clean' if ended.returncode == 0 else 'FAILED'}", flush=True)
        if ended.returncode:
            failed.append(name)
            print(told[-3_000:], flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
