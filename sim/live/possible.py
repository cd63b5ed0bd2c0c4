"""What may happen where an execution stands: what is usual, then what faults may do there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from sim.base.durations import show_duration
from sim.faults.catalogue import HTTP_KINDS
from sim.faults.plan import FaultEntry
from sim.live.addressing import link_of
from sim.live.execution import CANCEL, CRASH, CUT, HEAL, MIDST, RESET, RESTART, STOP, TURN, Execution
from sim.live.handles import task_of
from sim.live.live_choice import Doing, doing
from sim.live.live_task import LiveTask
from sim.live.naming import code_of, is_named, is_own
from sim.live.net.addresses import covers
from sim.live.net.channel import CONNECT, Incoming
from sim.live.net.exchange import CHOOSING
from sim.live.threads.live_thread import LiveThread
from sim.live.went import RESUME, WORK
from sim.world.address import FOR_GOOD
from sim.world.choice import FIRE, Subject

THE_TURN = doing(TURN, "", (TURN, 0, ""))
THE_REST = doing(RESUME, "callbacks", (RESUME, 0, "callbacks"))
"""Callbacks that belong to no task, in their order."""
ON_ARRIVALS = ("drop", "duplicate", "split", "refuse", *HTTP_KINDS)
"""Faults that happen to what arrives."""

Left = tuple[int | None, ...]
"""What is left of each entry of a fault budget."""


class Possible:
    """What may happen under this fault budget."""

    def __init__(self, faults: Sequence[FaultEntry], order: str) -> None:
        self._any_order = order == "any"
        self._entries = list(enumerate(faults))
        self._on_arrivals = [(i, entry) for i, entry in self._entries if entry.kind in ON_ARRIVALS]
        self._others = [(i, entry) for i, entry in self._entries if entry.kind in _OTHERS]

    def all(self, run: Execution, left: Left) -> Iterator[Doing]:
        """All of it, the usual first."""
        return chain(self.usual(run), self.struck(run, left))

    def forced(self, run: Execution, left: Left) -> Subject | None:
        """What has to come next, where nothing can but that the loop goes on."""
        threads = run.threads.alive
        if not run.kernel.traffic.is_idle or ((run.loop.has_timers or threads) and run.timer() is not None):
            return None
        if self._entries and self._may_strike(run, left):
            return None
        if not self._any_order and run.loop.queue and not threads and not run.cuts and not run.servers.any_down:
            return THE_TURN.subject
        usual = self.usual(run)
        first = next(usual, None)
        if first is None or first.verb not in (TURN, RESUME, WORK) or next(usual, None) is not None:
            return None
        return first.subject

    def _may_strike(self, run: Execution, left: Left) -> bool:
        return next(self.struck(run, left), None) is not None

    def usual(self, run: Execution) -> Iterator[Doing]:
        """What happens without a fault. Who waits by asking again and again leaves a turn to others now and then, as on a machine
        that has more to do than that."""
        found = self._usual(run)
        if not run.spins:
            return found
        others = sorted(found, key=lambda one: (one.verb == FIRE and not run.time_is_due, run.went.last(one.subject)))
        return iter(others[:1])

    def _usual(self, run: Execution) -> Iterator[Doing]:
        """A thread that is in the middle of something, what is ready, what arrives in the order sent, threads in the order started,
        what comes back, the next timer."""
        threads = run.threads.runnable()
        yield from _goes_on(threads, is_underway=True)
        if self._any_order:
            for task in run.loop.lanes():
                yield THE_REST if task is None else doing(RESUME, task.called, (RESUME, task.number, task.called))
        elif run.phase == MIDST or run.loop.ready():
            yield THE_TURN
        if run.phase <= 1:
            for arrival in run.kernel.arrivals():
                verb = CONNECT if arrival.what == CONNECT else "deliver"
                for choice in arrival.choices or ("",):
                    yield doing(verb, _ends(arrival), arrival.subject, choice and f"{CHOOSING}{choice}")
        yield from _goes_on(threads, is_underway=False)
        if run.phase == 0 and not run.over:
            for server in run.servers.down() if run.servers.any_down else ():
                yield doing(RESTART, server.name, (RESTART, 0, server.name))
            for source, target in run.cuts:
                yield doing(HEAL, f"{source}->{target}", (HEAL, 0, f"{source}->{target}"))
        timer = run.timer() if run.phase != MIDST and (run.loop.has_timers or run.threads.alive) else None
        if timer is not None and not (getattr(timer, "is_last", False) and self._is_busy(run)):
            left_s = repr(timer.when() - run.loop.now_s)
            yield doing(FIRE, f"{timer.owner}.{timer.called}", (FIRE, timer.number, timer.called), left_s)

    def _is_busy(self, run: Execution) -> bool:
        """Whether something happens here without time passing."""
        return bool(run.threads.any_runnable() or run.loop.ready() or run.kernel.arrivals())

    def hidden(self, run: Execution) -> Iterator[Subject]:
        """What is on its way, and comes after the next turn at the earliest, as something has come that is later in a poll."""
        if run.phase > 1:
            yield from (arrival.subject for arrival in run.kernel.arrivals())

    def struck(self, run: Execution, left: Left) -> Iterator[Doing]:
        """What the faults that are left may do."""
        if run.over:
            return
        if self._on_arrivals and run.phase <= 1:
            for arrival in run.kernel.arrivals():
                possible = arrival.faults
                for i, entry in self._on_arrivals:
                    if left[i] != 0 and entry.kind in possible and _meets(entry.target, arrival.source, arrival.target):
                        how = entry.kind if entry.hint_ms is None else f"{entry.kind}({show_duration(entry.hint_ms)})"
                        yield doing(_verb(entry.kind), _ends(arrival), arrival.subject, how, (i,), (entry.kind,))
        if run.phase:
            return
        for i, entry in self._others:
            if left[i] != 0:
                yield from _OTHERS[entry.kind](run, i, entry)


def _goes_on(threads: Sequence[LiveThread], *, is_underway: bool) -> Iterator[Doing]:
    for thread in threads:
        if thread.is_underway is is_underway:
            yield doing(WORK, thread.called, (WORK, thread.number, thread.called))


def _ends(arrival: Incoming) -> str:
    return f"{arrival.source}->{arrival.target}"


def _verb(kind: str) -> str:
    return "deliver" if kind in HTTP_KINDS else kind


def _meets(pattern: str | None, source: str, target: str) -> bool:
    """Whether an entry of this target strikes between these two: a link, or one of its ends."""
    if pattern is None:
        return True
    one, arrow, other = pattern.partition("->")
    return covers(one, source) and covers(other, target) if arrow else covers(one, source) or covers(one, target)


def _cancels(run: Execution, i: int, entry: FaultEntry) -> Iterator[Doing]:
    moved = _moved(run)
    for task in run.tasks:
        if not task.done() and not task.gone:
            if entry.target is None:
                code = code_of(task.get_coro())
                strikes = task is not run.main and task.root not in run.servers and code is not None and is_own(code)
            else:
                strikes = is_named(task.called, entry.target)
            if strikes:
                subject = (CANCEL, task.number, task.called)
                yield doing(CANCEL, task.called, subject, "", (i,), (CANCEL,), task in moved)


def _moved(run: Execution) -> set[LiveTask]:
    """The tasks that will go on because a task has done something, such as to wake them, and that do not know it yet."""
    found = set()
    for handle in run.loop.queue:
        task = task_of(handle)
        if task is not None and task.stepped and getattr(handle, "by", None) is not None:
            found.add(task)
    return found


def _stops(_: Execution, i: int, __: FaultEntry) -> Iterator[Doing]:
    yield doing(STOP, "main", (STOP, 0, "main"), "", (i,), (STOP,))


def _crashes(run: Execution, i: int, entry: FaultEntry) -> Iterator[Doing]:
    for server in run.servers.up():
        if entry.target is None or is_named(server.name, entry.target):
            how = FOR_GOOD if entry.for_good else ""
            yield doing(CRASH, server.name, (CRASH, 0, server.name), how, (i,), (CRASH,))


def _resets(run: Execution, i: int, entry: FaultEntry) -> Iterator[Doing]:
    for one in run.kernel.connections():
        if _meets(entry.target, one.source, one.target) or _meets(entry.target, one.target, one.source):
            yield doing(RESET, link_of(one), (RESET, one.ordinal, link_of(one)), "", (i,), (RESET,))


def _cuts(run: Execution, i: int, entry: FaultEntry) -> Iterator[Doing]:
    if entry.target is not None and "->" in entry.target:
        links = [entry.target]
    else:
        links = [link_of(one) for one in run.kernel.connections() if _meets(entry.target, one.source, one.target)]
    for link in dict.fromkeys(links):
        source, _, target = link.partition("->")
        if (source, target) not in run.cuts:
            how = FOR_GOOD if entry.for_good else ""
            yield doing(CUT, link, (CUT, 0, link), how, (i,), (CUT,))


_OTHERS = {CANCEL: _cancels, STOP: _stops, CRASH: _crashes, RESET: _resets, CUT: _cuts}
"""Faults that happen to tasks, servers and connections, by their kinds."""
