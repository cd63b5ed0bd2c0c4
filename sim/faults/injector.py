"""The injector for ordinary code. It is imported only when the gate opens: see `sim.faults.gate`.

A fault is taken and its count lowered under one lock, so that neither threads nor asyncio tasks can take one twice, or
too many; a count never drops below zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from threading import Lock

from sim.base.errors import ConfigError, listing
from sim.faults.catalogue import ROWS
from sim.faults.plan import FaultEntry
from sim.faults.points import RAISED, FaultScope, point_of, read_scope
from sim.faults.raised import InjectedFault


class Injector:
    """Hands out the faults of one plan, for one scope, in order: the first entry that fits the call is used up before the
    next that does.

    Raises `ConfigError` for kinds that cannot strike ordinary code.
    """

    def __init__(self, entries: Iterable[FaultEntry], scope: str) -> None:
        self.entries = tuple(entries)
        self.scope = read_scope(scope)
        mistakes = [mistake for entry in self.entries for mistake in _mistakes(entry)]
        if mistakes:
            raise ConfigError(*mistakes)
        self._left = [entry.count for entry in self.entries]
        self._struck: Counter[str] = Counter()
        self._lock = Lock()

    def next_fault(
        self, scope: str | FaultScope, target: str | None = None, kinds: Iterable[str] | None = None
    ) -> InjectedFault | None:
        """The next fault for an attempt there, to be raised; None if none is planned. Raises `ConfigError` for kinds that
        cannot strike ordinary code."""
        point = point_of(scope, target, kinds)
        if not self.scope.covers(point):
            return None
        with self._lock:
            for index, entry in enumerate(self.entries):
                left = self._left[index]
                if left == 0 or entry.target not in (None, point.target):
                    continue
                if point.kinds is not None and entry.kind not in point.kinds:
                    continue
                if left is not None:
                    self._left[index] = left - 1
                self._struck[entry.kind] += 1
                error = ROWS[entry.kind].error
                assert error is not None
                return error(point.name, point.target, entry.hint_ms)
        return None

    def left(self) -> dict[str, int | None]:
        """What remains of each entry, by its text; None is unlimited."""
        with self._lock:
            return {str(entry): left for entry, left in zip(self.entries, self._left, strict=True)}

    def struck(self) -> dict[str, int]:
        """How many faults of each kind were handed out."""
        with self._lock:
            return dict(sorted(self._struck.items()))


def _mistakes(entry: FaultEntry) -> list[str]:
    if ROWS[entry.kind].error is None:
        return [f"fault {str(entry)!r}: {entry.kind} cannot strike ordinary code; use {listing(RAISED)}"]
    return []
