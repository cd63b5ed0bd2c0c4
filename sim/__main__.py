"""`python -m sim` is the console script: it too ends in one line where it is interrupted while everything is being loaded."""

import _signal  # type: ignore[import-not-found]
import os


def _interrupted(*_: object) -> None:
    try:
        os.write(2, b"sim: interrupted\n")
    finally:  # standard error may be closed
        os._exit(130)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _interrupted)

from sim.cli import main  # noqa: E402

main()
