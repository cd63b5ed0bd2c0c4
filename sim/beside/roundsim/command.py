"""The command `sim`. An interrupt ends it in one line also while it is being loaded, which takes longest: so this is
begun before anything of it is imported."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Entry point of the console script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    from sim.cli import main as run

    run()


def _interrupted(*_: object) -> None:
    os.write(2, b"sim: interrupted\n")
    os._exit(130)
