"""Virtual time: every envelope gets a latency, every timer a due time, every spontaneous move a delay;
the earliest comes next, ties by the order in which they were scheduled. Time decides the order of
actions and nothing else, so a timed run is a path of the same graph as any other."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from sim.base.mixer import between, derive, stream
from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, Start, State
from sim.machine.process import Arm
from sim.strategy.base import base_of, choose_start, least
from sim.strategy.events import subject
from sim.system.timing import Range, Timing
from sim.world.slowdown import Slowdown

if TYPE_CHECKING:
    from sim.strategy.eager import Eager
    from sim.strategy.slowdowns import Slowdowns

DELIVER, FIRE, MOVE, RESTART, HEAL, RESUME = range(6)
_OF_A_PROCESS = (DELIVER, FIRE, MOVE)
"""What a process that pauses does not do."""
_KINDS = {FIRE: Kind.FIRE, MOVE: Kind.MOVE, RESTART: Kind.RESTART}


DueEvent = tuple[int, int, int, int, str, bool]
"""Something that is due: due time in milliseconds, order of scheduling (ties break by it), what it is, the
envelope, process or cut concerned, the timer or move, and whether the plan may still strike it."""


class VirtualTime:
    """Picks what is due next on a virtual clock, striking the fault plan at its first opportunities.

    `timing` overrides the system's own. What is due but deferred (or held, or addressed to a process
    that is down) waits until it is enabled.
    """

    name = "virtual_time"

    def __init__(self, seed: int = 0, timing: Timing | None = None) -> None:
        self.seed = seed
        self._timing = timing
        self._draws = derive(seed, self.name)
        self.now_ms = 0

    def begin(self, graph: Graph, start: Start | None = None) -> Start:
        self._graph = graph
        self._tables = graph.tables
        self.timing = self._timing or graph.system.timing
        self.now_ms = 0
        self._heap: list[DueEvent] = []
        self._order = count()
        self._drawn = 0
        self._step = 0
        self._waiting: dict[int, list[DueEvent]] = {}
        self._timer_orders: dict[tuple[int, str], int] = {}
        self._move_orders: dict[int, dict[str, int]] = {}
        self._latencies: dict[int, Range] = {}
        self._eager = self._striker(graph)
        self._slow = self._slower(graph)
        self.slowdowns: list[Slowdown] = self._slow.struck if self._slow is not None else []
        self._paused: dict[int, list[DueEvent]] = {}
        self._unordered = graph.network.name == "any"
        start = start or self._start()
        for envelope in start.sends:
            self._post(envelope)
        for process, arm in start.arms:
            self._arm(process, arm)
        for process in range(graph.width):
            self._watch_moves(process, start.state.locals[process])
        return start

    def _striker(self, graph: Graph) -> Eager | None:
        """What strikes by the plan. Without one it is not even imported."""
        if not graph.budget.entries:
            return None
        from sim.strategy.eager import Eager

        return Eager(graph)

    def _slower(self, graph: Graph) -> Slowdowns | None:
        """What slows down by the plan. Without a delay or a pause in it, it is not even imported."""
        if not self._slows(graph):
            return None
        from sim.strategy.slowdowns import Slowdowns

        return Slowdowns(graph)

    def _slows(self, graph: Graph) -> bool:
        """Whether anything of the plan slows this run down."""
        return bool(graph.system.timed_faults)

    def _start(self) -> Start:
        return choose_start(self._graph, self.seed)

    def _delay(self, action: Action) -> Range | None:
        """How long a spontaneous move takes from when it is enabled; None is for ever."""
        usual = (0, 0) if action.progress else self.timing.may_ms
        return self.timing.moves.get(f"{action.process}.{action.subject}", usual)

    # --- picking ------------------------------------------------------------------------------------

    def pick(self, state: State) -> Action | None:
        heap = self._heap
        while heap:
            event = heappop(heap)
            if self._paused and self._holds(event):
                continue
            actions = self._look(state, event)
            if not actions:
                if actions is not None:
                    self._waiting.setdefault(self._waits_for(event), []).append(event)
                continue
            if event[0] > self.now_ms:
                self.now_ms = event[0]
            if self._slow is not None and self._pauses(event):
                continue
            action = actions[0] if len(actions) == 1 else self._choose(actions)
            self._step += 1
            if self._graph.has_budget(state) and event[5]:
                action = self._strike(state, event, action)
            return action
        return None

    def _pauses(self, event: DueEvent) -> bool:
        """Whether the plan pauses the process where `event` is due; the event is held then."""
        if self._slow is None or event[2] not in _OF_A_PROCESS:
            return False
        process = self._waits_for(event)
        lasts_ms = self._slow.pause(self._graph.names[process], self.now_ms, self._step)
        if lasts_ms:
            self._paused[process] = [event]
            self._schedule((lasts_ms, lasts_ms), RESUME, process)
        return lasts_ms > 0

    def _holds(self, event: DueEvent) -> bool:
        """Whether a pause keeps `event` from happening now. At the end of a pause what was held comes in
        the order in which it was due."""
        if event[2] == RESUME:
            self.now_ms = max(self.now_ms, event[0])
            for held in self._paused.pop(event[3]):
                heappush(self._heap, held)
            return True
        process = self._waits_for(event)
        if event[2] not in _OF_A_PROCESS or process not in self._paused:
            return False
        self._paused[process].append(event)
        return True

    def _choose(self, actions: tuple[Action, ...]) -> Action:
        """One of the outcome paths of one event."""
        return least(list(actions), base_of(self._draws, self._step))

    def _look(self, state: State, event: DueEvent) -> tuple[Action, ...] | None:
        """The actions of what is due: none while it has to wait, None if it is void."""
        _, order, what, process, name, _ = event
        if what == DELIVER:
            return self._deliveries(state, event)
        if what == HEAL:
            return (self._tables.cutting(Kind.HEAL, process),) if process in state.cuts else None
        if what == MOVE and self._move_orders.get(process, {}).get(name) != order:
            return None
        if what == FIRE and self._timer_orders.get((process, name)) != order:
            return None
        kind = _KINDS[what]
        own = self._tables.own_actions(state.locals[process])
        found = tuple(a for a in own if a.kind is kind and a.subject == name)
        waits = what == FIRE and name in self._timers(state, process)
        return found if found or waits else None

    def _waits_for(self, event: DueEvent) -> int:
        """The process whose next change may enable what is deferred."""
        return self._tables.target[event[3]] if event[2] == DELIVER else event[3]

    def _timers(self, state: State, process: int) -> tuple[str, ...]:
        return self._tables.locals.things[state.locals[process]][1].timers

    def _deliveries(self, state: State, event: DueEvent) -> tuple[Action, ...] | None:
        envelope = event[3]
        tables = self._tables
        locals_, net, _, cuts = state
        local = locals_[tables.target[envelope]]
        found = tables.deliveries.get((local, envelope))
        if found is None:
            found = tables.delivery(local, envelope)
        if self._unordered and not cuts:
            if envelope not in net:
                return None  # delivered or lost by other means
        elif envelope not in self._graph.network.every(net):
            return None
        elif found and self._graph.deferred(state, envelope) is not None:
            return ()
        return found

    def _strike(self, state: State, event: DueEvent, action: Action) -> Action:
        """The plan's fault for this opportunity in place of `action`, if it has one."""
        fault = self._fault(state, action)
        if fault is None:
            return action
        if fault.fault is not None and fault.fault.survives:
            self._post(fault.envelope_id, may_be_struck=False)  # the message itself takes that long once more
            return fault
        uses_up = fault.consumed >= 0 or (fault.delivered and event[2] != DELIVER)
        if subject(fault) != subject(action) or not uses_up:
            heappush(self._heap, (*event[:5], False))  # it is still to come
        return fault

    def _fault(self, state: State, action: Action) -> Action | None:
        """What strikes instead of `action`, if anything does."""
        return self._eager.strike(state, action) if self._eager is not None else None

    # --- following ----------------------------------------------------------------------------------

    def took(self, action: Action) -> None:
        if self._eager is not None:
            self._eager.took(action)
        for envelope in action.sends:
            self._post(envelope)
        process = action.process_index
        if process >= 0:
            if action.kind is Kind.FIRE:
                self._timer_orders.pop((process, action.subject), None)
            elif action.kind is Kind.MOVE:
                self._move_orders.get(process, {}).pop(action.subject, None)
            for arm in action.arms:
                self._arm(process, arm)
            if action.local != action.before or action.kind is Kind.MOVE:
                self._watch_moves(process, action.local)
        if action.kind is Kind.CUT:
            self._schedule(self.timing.heal_ms, HEAL, action.cut_index)
        if self._waiting:
            self._wake(action)

    def _wake(self, action: Action) -> None:
        """What waited for this process may be enabled now; after a heal, everything may."""
        if action.kind is Kind.HEAL:
            woken = list(self._waiting)
        else:
            target = action.process_index if action.process_index >= 0 else self._tables.target[action.envelope_id]
            woken = [target] if action.kind is not Kind.CUT else []
        for process in woken:
            for event in self._waiting.pop(process, ()):
                heappush(self._heap, event)

    def _post(self, envelope: int, *, may_be_struck: bool = True) -> None:
        latency = self._latencies.get(envelope)
        if latency is None:
            thing = self._tables.envelopes.things[envelope]
            latency = self._latencies[envelope] = self.timing.link(thing.source, thing.target)
        if self._slow is not None:
            more_ms = self._slow.delay(envelope, self.now_ms, self._step)
            latency = (latency[0] + more_ms, latency[1] + more_ms)
        self._schedule(latency, DELIVER, envelope, may_be_struck=may_be_struck)

    def _arm(self, process: int, arm: Arm) -> None:
        order = self._schedule((arm.low_ms, arm.high_ms), FIRE, process, arm.timer)
        self._timer_orders[process, arm.timer] = order

    def _watch_moves(self, process: int, local: int) -> None:
        """Schedules the spontaneous moves (and the restart) that have become enabled; a move that was
        enabled before keeps its due time, one that is not any more is forgotten."""
        known = self._move_orders.get(process, {})
        now: dict[str, int] = {}
        for action in self._tables.own_actions(local):
            if action.kind is Kind.RESTART:
                self._schedule(self.timing.restart_ms, RESTART, process)
                break
            if action.kind is not Kind.MOVE or action.subject in now:
                continue
            if action.subject in known:
                now[action.subject] = known[action.subject]
                continue
            delay = self._delay(action)
            if delay is not None:
                now[action.subject] = self._schedule(delay, MOVE, process, action.subject)
        if now or known:
            self._move_orders[process] = now

    def _schedule(self, delay: Range, what: int, subject: int, name: str = "", *, may_be_struck: bool = True) -> int:
        low, high = delay
        if high > low:
            low = between(stream(self._draws, self._drawn), low, high)
            self._drawn += 1
        order = next(self._order)
        heappush(self._heap, (self.now_ms + low, order, what, subject, name, may_be_struck))
        return order
