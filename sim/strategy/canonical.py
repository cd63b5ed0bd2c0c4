"""The canonical schedule: what counts as usual, for minimised counterexamples and for what follows a
given schedule."""

from __future__ import annotations

from heapq import heapify
from weakref import WeakKeyDictionary

from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, Start, State
from sim.strategy.virtual_time import DELIVER, FIRE, HEAL, MOVE, RESTART, DueEvent, VirtualTime
from sim.system.timing import Range, Timing

_OF_PROCESS = {Kind.FIRE: FIRE, Kind.MOVE: MOVE, Kind.RESTART: RESTART}


class Canonical(VirtualTime):
    """The canonical schedule: first in, first out; timers only where nothing else is due, shortest
    first; the first outcome of every choice; no fault; the environment does nothing.

    It can also follow a run that does otherwise (`follow`), and say what would be usual there (`due`).
    """

    name = "canonical"

    def __init__(self) -> None:
        super().__init__(0, Timing(latency_ms=(0, 0), restart_ms=(0, 0), heal_ms=(0, 0)))

    def due(self, state: State) -> list[tuple[Action, ...]]:
        """What is due and enabled, the next first; each as the outcome paths it has, the usual first."""
        looked = (self._look(state, event) for event in self._events())
        return [actions for actions in looked if actions]

    def follow(self, state: State, action: Action) -> None:
        """`action` was taken in `state`, whether it was due next or not."""
        events = self._events()
        event = next((event for event in events if _is(event, action)), None)
        if event is not None:
            first = next((other for other in events if self._look(state, other)), None)
            if event == first:
                self.now_ms = max(self.now_ms, event[0])  # an early timer does not hurry the others
            for queue in (self._heap, *self._waiting.values()):
                if event in queue:
                    queue.remove(event)
            heapify(self._heap)
        self.took(action)

    def _events(self) -> list[DueEvent]:
        return sorted([*self._heap, *(event for queue in self._waiting.values() for event in queue)])

    def _striker(self, graph: Graph) -> None:  # noqa: ARG002
        return None

    def _slows(self, graph: Graph) -> bool:  # noqa: ARG002
        return False

    def _start(self) -> Start:
        return self._graph.starts()[0]

    def _choose(self, actions: tuple[Action, ...]) -> Action:
        return actions[0]

    def _strike(self, state: State, event: DueEvent, action: Action) -> Action:  # noqa: ARG002
        return action

    def _delay(self, action: Action) -> Range | None:
        return (0, 0) if action.progress else None

    def _schedule(self, delay: Range, what: int, subject: int, name: str = "", *, may_be_struck: bool = True) -> int:
        return super()._schedule((delay[0], delay[0]), what, subject, name, may_be_struck=may_be_struck)


LENGTH_MAX = 1_000
_lengths: WeakKeyDictionary[Graph, int] = WeakKeyDictionary()


def usual_length(graph: Graph) -> int:
    """Steps of the canonical schedule, 1 to 1000: a measure of a system by which strategies scale."""
    known = _lengths.get(graph)
    if known is None:
        usual = Canonical()
        state = usual.begin(graph).state
        known = 0
        while known < LENGTH_MAX and (action := usual.pick(state)) is not None:
            state = graph.apply(state, action)
            usual.took(action)
            known += 1
        known = _lengths[graph] = max(1, known)
    return known


def _is(event: DueEvent, action: Action) -> bool:
    """Whether `action` is what `event` stands for, or puts an end to it."""
    _, _, what, subject, name, _ = event
    if action.consumed >= 0:
        return what == DELIVER and subject == action.consumed
    if action.kind is Kind.HEAL:
        return what == HEAL and subject == action.cut_index
    return (what, subject, name) == (_OF_PROCESS.get(action.kind), action.process_index, action.subject)
