"""The part of an explanation on which nothing that comes can change anything: it is kept in a file where it is long."""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.conform.lanes import LaneLine, lane_line
from sim.conform.logged import LogLine

STEPS_MAX = 1_000_000
"""So many steps of an explanation are kept."""
MEMORY_MAX = 1 << 18
"""Bytes that are kept in memory; where there are more all are in a file."""


class SettledStep(NamedTuple):
    """A step, and the lines that it explains."""

    address: str
    lines: tuple[LaneLine, ...]


class Settled:
    """Steps in their order. `is_whole` is false where there were too many to keep."""

    def __init__(self) -> None:
        file = tempfile.SpooledTemporaryFile(MEMORY_MAX, "w+", encoding="utf-8")  # noqa: SIM115
        weakref.finalize(self, file.close)
        self._file = file
        self.count = 0

    @property
    def is_whole(self) -> bool:
        return self.count <= STEPS_MAX

    def add(self, address: str, lines: Sequence[LogLine]) -> None:
        """One more step."""
        self.count += 1
        if self.is_whole:
            self._file.write(json.dumps([address, *map(lane_line, lines)]) + "\n")

    def steps(self) -> Iterator[SettledStep]:
        """All that were kept."""
        self._file.seek(0)
        for text in self._file:
            address, *lines = json.loads(text)
            yield SettledStep(address, tuple(LaneLine(*line) for line in lines))
        self._file.seek(0, 2)
