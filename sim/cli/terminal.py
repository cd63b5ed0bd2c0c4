"""The terminal on which output is shown: how wide it is, and whether it has colours."""

from __future__ import annotations

import os
import shutil
import sys


def width_of_output() -> int | None:
    """Characters of a line on standard output; None if lines may be of any length. In a pipe they may: there a line is
    what other programs look for, unless `COLUMNS` says otherwise."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdecimal() and 0 < len(given) < 6 and int(given):
        return int(given)
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def can_redraw() -> bool:
    """Whether a terminal understands more than lines one after the other."""
    return os.environ.get("TERM", "dumb") not in ("dumb", "")


def wants_colour() -> bool:
    """Whether a terminal would be shown colours: it has them, and nobody said that they are not wanted
    (https://no-color.org)."""
    return can_redraw() and not os.environ.get("NO_COLOR")
