"""The command `sim`. An interrupt ends it in one line also while it is being loaded, which takes longest: so this is
begun before anything of it is imported, by the part of `signal` that needs no loading."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os


def main() -> None:
    """Entry point of the console script."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _interrupted)
    from sim.cli import main as run

    run()


def _interrupted(*_: object) -> None:
    try:
        os.write(2, b"sim: interrupted\n")
    finally:  # standard error may be closed
        os._exit(130)
