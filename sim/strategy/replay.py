"""Replay: takes the actions of a given schedule, found by their meaning."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sim.base.errors import DivergenceError
from sim.strategy.canonical import Canonical
from sim.strategy.departing import Departing
from sim.world.address import Address, parse_address
from sim.world.choice import MESSAGE, Choice, Pending, Start, Subject
from sim.world.world import NOT_IN_FLIGHT, AnyWorld


class Replay:
    """Takes the actions that `schedule` describes, in this order; then ends, or continues in the canonical order to
    quiescence. Where places say what is usual, the schedule is what departs from that (`Departing`), and it goes on unless
    `then_usual` is False.

    Raises `DivergenceError` at the first item that is not enabled: at which step, why, and what is
    enabled instead.
    """

    name = "replay"
    seed = 0
    now_ms = None

    def __init__(self, schedule: Sequence[str | Address], *, then_usual: bool | None = None) -> None:
        self.schedule = [parse_address(item) if isinstance(item, str) else item for item in schedule]
        self._then_usual = then_usual
        self._usual = Canonical() if then_usual else None

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._at = 0
        start = self._start()
        self._departing: Departing | None = None
        if world.usual(start.place) is not None:
            goes_on = (
                self._then_usual is not False
            )  # a schedule of departures says nothing of what comes after the last
            self._departing = Departing(world, self.schedule[self._at :], then_usual=goes_on)
            return start
        self._sent = _messages(world.due(start, start.place))
        if self._usual is not None:
            self._usual.begin(world, start)
        return start

    def _start(self) -> Start[Any]:
        starts = self._world.starts()
        first = self.schedule[0] if self.schedule else None
        if first is None or first.verb != "start":
            return starts[0]
        self._at = 1
        for start in starts:
            if first.fits(start.address):
                return start
        ways = "; ".join(str(start.address) for start in starts)
        raise DivergenceError(f"step 1: {first} is not a way to start; use: {ways}", 0)

    def pick(self, at: Any) -> Choice | None:
        if self._departing is not None:
            return self._departing.pick(at)
        if self._at >= len(self.schedule):
            return self._usual.pick(at) if self._usual is not None else None
        pattern = self.schedule[self._at]
        enabled = self._world.enabled(at)
        found = [choice for choice in enabled if self._means(pattern, choice)]
        if not found:
            raise DivergenceError(self._divergence(at, pattern, enabled), self._at)
        found = self._oldest(found)
        exact = [choice for choice in found if choice.address.under == pattern.under]
        found = exact or found  # a fault without a hint means the one that has no hint, if it exists
        alike = replace(found[0].address, paid=None)
        if all(replace(choice.address, paid=None) == alike for choice in found):
            found = [min(found, key=lambda choice: choice.pays)]  # which entry pays may be left open
        if len(found) > 1:
            ways = "; ".join(sorted(str(choice.address) for choice in found))
            raise DivergenceError(f"step {self._at + 1}: {pattern} may mean several actions: {ways}", self._at)
        self._at += 1
        return found[0]

    def took(self, choice: Choice, at: Any) -> None:
        if self._departing is not None:
            return
        if choice.address.verb != "duplicate":  # a copy is no send
            self._sent += _messages(self._world.due(choice, at))
        if self._usual is not None:
            self._usual.took(choice, at)

    def _means(self, pattern: Address, choice: Choice) -> bool:
        if not pattern.fits(choice.address):
            return False
        return pattern.ordinal is None or self._numbered(pattern) == choice.takes

    def _numbered(self, pattern: Address) -> Subject | None:
        """The message that is the n-th send of this description in the run."""
        fitting = [subject for subject, address in self._sent if pattern.describes(address)]
        number = pattern.ordinal or 1
        return fitting[number - 1] if 0 < number <= len(fitting) else None

    def _oldest(self, found: list[Choice]) -> list[Choice]:
        """Of choices about several messages those about the one that was sent first."""
        if len(found) < 2 or found[0].takes[0] != MESSAGE:
            return found
        sent = {subject: number for number, (subject, _) in reversed(list(enumerate(self._sent)))}
        oldest = min(found, key=lambda choice: sent.get(choice.takes, len(sent))).takes
        return [choice for choice in found if choice.takes == oldest]

    def _divergence(self, at: Any, pattern: Address, enabled: Sequence[Choice]) -> str:
        where = f"step {self._at + 1}: {pattern} does not fit here"
        texts = sorted(str(choice.address) for choice in enabled)
        close = difflib.get_close_matches(str(pattern), texts, n=3, cutoff=0.3) or texts[:3]
        instead = f"; enabled instead: {'; '.join(close)}" if close else "; nothing is enabled"
        return f"{where}: {self._reason(at, pattern)}{instead}"

    def _reason(self, at: Any, pattern: Address) -> str:
        reason = self._world.why_not(at, pattern)
        if reason != NOT_IN_FLIGHT:
            return reason
        sent = any(pattern.describes(address) for _, address in self._sent)
        return f"{reason} {'any more' if sent else '(none was sent yet)'}"


def _messages(due: Sequence[Pending]) -> list[tuple[Subject, Address]]:
    return [(pending.subject, pending.address) for pending in due if pending.address is not None]
