"""Virtual time: every envelope gets a latency, every timer a due time, every spontaneous move a delay;
the earliest comes next, ties by the order in which they were scheduled. Time decides the order of
actions and nothing else, so a timed run is one of those that are possible without a clock."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.base.mixer import between, derive, stream
from sim.strategy.base import base_of, choose_start, least
from sim.world.choice import CUT, MESSAGE, RESTART, Choice, Pending, Start, Subject
from sim.world.slowdown import Slowdown
from sim.world.timing import Range, Timing
from sim.world.world import AnyWorld

if TYPE_CHECKING:
    from sim.strategy.eager import Eager
    from sim.strategy.slowdowns import Slowdowns

RESUME = "end of a pause"
"""The end of a pause: what is pending then is the process itself."""
_BY_OTHERS = (RESTART, CUT, RESUME)
"""What happens to a process although it pauses."""


class Due(NamedTuple):
    """Something that is due. Ties break by the order of scheduling."""

    due_ms: int
    order: int
    pending: Pending
    may_be_struck: bool
    """Whether the plan may still strike it."""


class VirtualTime:
    """Picks what is due next on a virtual clock, striking the fault plan at its first opportunities.

    `timing` overrides that of the world. What is due but deferred (or held, or addressed to a process
    that is down) waits until it is enabled.
    """

    name = "virtual_time"

    def __init__(self, seed: int = 0, timing: Timing | None = None) -> None:
        self.seed = seed
        self._timing = timing
        self._draws = derive(seed, self.name)
        self.now_ms = 0

    def begin(self, world: AnyWorld, start: Start[Any] | None = None) -> Start[Any]:
        self._world = world
        self.timing = self._timing or world.timing
        self.now_ms = 0
        self._heap: list[Due] = []
        self._order = count()
        self._drawn = 0
        self._step = 0
        self._waiting: dict[str, list[Due]] = {}
        """What is due and deferred, by the process whose next step may enable it."""
        self._orders: dict[Subject, int] = {}
        """Of all that is pending besides messages, the order of scheduling; another order is void."""
        self._own: dict[str, dict[Subject, None]] = {}
        self._delays: dict[Subject, Range | None] = {}
        self._messages: dict[Subject, Pending] = {}
        self._eager = self._striker(world)
        self._slow = self._slower(world)
        self.slowdowns: list[Slowdown] = self._slow.struck if self._slow is not None else []
        self._paused: dict[str, list[Due]] = {}
        start = start or self._start()
        self._note(world.due(start, start.place))
        return start

    def _striker(self, world: AnyWorld) -> Eager | None:
        """Strikes as the plan says. Without a plan it is not even imported."""
        if not world.faults:
            return None
        from sim.strategy.eager import Eager

        return Eager(world)

    def _slower(self, world: AnyWorld) -> Slowdowns | None:
        """Slows down as the plan says. Without a delay or a pause it is not even imported."""
        if not self._slows(world):
            return None
        from sim.strategy.slowdowns import Slowdowns

        return Slowdowns(world)

    def _slows(self, world: AnyWorld) -> bool:
        """Whether anything of the plan slows this run down."""
        return bool(world.slow_faults)

    def _start(self) -> Start[Any]:
        return choose_start(self._world, self.seed)

    # --- picking ------------------------------------------------------------------------------------

    def pick(self, at: Any) -> Choice | None:
        heap = self._heap
        while heap:
            event = heappop(heap)
            if self._paused and self._holds(event):
                continue
            ways = self._look(at, event)
            if not ways:
                if ways is not None:
                    self._waiting.setdefault(event.pending.owner, []).append(event)
                continue
            if event.due_ms > self.now_ms:
                self.now_ms = event.due_ms
            if self._slow is not None and self._pauses(self._slow, event):
                continue
            choice = ways[0] if len(ways) == 1 else self._choose(ways)
            self._step += 1
            if event.may_be_struck and self._world.may_strike(at):
                choice = self._strike(at, event, choice)
            return choice
        return None

    def _pauses(self, slow: Slowdowns, event: Due) -> bool:
        """Whether the plan pauses the process where `event` is due; the event is held then."""
        if event.pending.subject[0] in _BY_OTHERS:
            return False
        process = event.pending.owner
        lasts_ms = slow.pause(process, self.now_ms, self._step)
        if lasts_ms:
            self._paused[process] = [event]
            self._schedule((lasts_ms, lasts_ms), Pending((RESUME, 0, process), process))
        return lasts_ms > 0

    def _holds(self, event: Due) -> bool:
        """Whether a pause keeps `event` from happening now. At the end of a pause what was held comes in
        the order in which it was due."""
        kind, process = event.pending.subject[0], event.pending.owner
        if kind == RESUME:
            self.now_ms = max(self.now_ms, event.due_ms)
            for held in self._paused.pop(process):
                heappush(self._heap, held)
            return True
        if kind in _BY_OTHERS or process not in self._paused:
            return False
        self._paused[process].append(event)
        return True

    def _choose(self, ways: Sequence[Choice]) -> Choice:
        """One of the outcome paths of one event."""
        return least(ways, base_of(self._draws, self._step))

    def _look(self, at: Any, event: Due) -> Sequence[Choice] | None:
        """The ways of what is due: none while it has to wait, None if it is void."""
        subject = event.pending.subject
        if subject[0] != MESSAGE and self._orders.get(subject) != event.order:
            return None
        return self._world.ways(at, subject)

    def _strike(self, at: Any, event: Due, choice: Choice) -> Choice:
        """The plan's fault for this opportunity in place of `choice`, if it has one."""
        fault = self._fault(at, choice)
        if fault is None:
            return choice
        if fault.retries:
            self._post(self._messages[fault.takes], may_be_struck=False)  # the message takes that long once more
        elif fault.takes != choice.takes or not fault.ends:
            heappush(self._heap, event._replace(may_be_struck=False))  # it is still to come
        return fault

    def _fault(self, at: Any, usual: Choice) -> Choice | None:
        """What strikes instead of `usual`, if anything does."""
        return self._eager.strike(at, usual) if self._eager is not None else None

    # --- following ----------------------------------------------------------------------------------

    def took(self, choice: Choice, at: Any) -> None:
        if self._eager is not None:
            self._eager.took(choice)
        if choice.ends:
            self._orders.pop(choice.takes, None)
        due = self._world.due(choice, at)
        for mover in choice.movers:
            if mover in self._own:
                self._forget(mover, due)
        self._note(due)
        if self._waiting:
            self._wake(choice.owner)

    def _forget(self, process: str, due: Sequence[Pending]) -> None:
        """What a process has no longer pending; what it still has keeps its due time."""
        still = {pending.subject for pending in due}
        known = self._own[process]
        for subject in [subject for subject in known if subject not in still]:
            del known[subject]
            self._orders.pop(subject, None)

    def _note(self, due: Sequence[Pending]) -> None:
        """Schedules what is pending and was not, or counts anew."""
        for pending in due:
            subject = pending.subject
            if subject[0] == MESSAGE:
                self._post(pending)
            elif pending.again or subject not in self._orders:
                delay = self._delay(pending)
                if delay is not None:
                    self._orders[subject] = self._schedule(delay, pending)
                    self._own.setdefault(pending.owner, {})[subject] = None

    def _wake(self, process: str) -> None:
        """What waited for this process may be enabled now; after what concerns no process, everything may."""
        for name in [process] if process else list(self._waiting):
            for event in self._waiting.pop(name, ()):
                heappush(self._heap, event)

    def _post(self, message: Pending, *, may_be_struck: bool = True) -> None:
        self._messages[message.subject] = message
        delay = self._delay(message)
        assert delay is not None  # every message takes a time
        if self._slow is not None:
            more_ms = self._slow.delay(message, self.now_ms, self._step)
            delay = (delay[0] + more_ms, delay[1] + more_ms)
        self._schedule(delay, message, may_be_struck=may_be_struck)

    def _delay(self, pending: Pending) -> Range | None:
        """How long something takes from when it is pending; None is forever."""
        if pending.delay_ms is not None:
            return pending.delay_ms
        if pending.subject not in self._delays:
            self._delays[pending.subject] = pending.delay(self.timing)
        return self._delays[pending.subject]

    def _schedule(self, delay: Range, pending: Pending, *, may_be_struck: bool = True) -> int:
        low, high = delay
        if high > low:
            low = between(stream(self._draws, self._drawn), low, high)
            self._drawn += 1
        order = next(self._order)
        heappush(self._heap, Due(self.now_ms + low, order, pending, may_be_struck))
        return order
