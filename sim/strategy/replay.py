"""Replay: takes the actions of a given schedule, found by their meaning."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sim.base.errors import DivergenceError
from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.canonical import Canonical
from sim.world.address import MESSAGE_VERBS, Address, parse_address


class Replay:
    """Takes the actions that `schedule` describes, in this order; then ends, or goes on as usual (in the
    canonical order) to quiescence.

    Raises `DivergenceError` at the first item that is not enabled: at which step, why, and what is
    enabled instead.
    """

    name = "replay"
    seed = 0
    now_ms = None

    def __init__(self, schedule: Sequence[str | Address], *, then_usual: bool = False) -> None:
        self.schedule = [parse_address(item) if isinstance(item, str) else item for item in schedule]
        self._usual = Canonical() if then_usual else None

    def begin(self, graph: Graph) -> Start:
        self._graph = graph
        self._at = 0
        start = self._start()
        self._sent = list(start.sends)
        if self._usual is not None:
            self._usual.begin(graph, start)
        return start

    def _start(self) -> Start:
        starts = self._graph.starts()
        first = self.schedule[0] if self.schedule else None
        if first is None or first.verb != "start":
            return starts[0]
        self._at = 1
        for start in starts:
            if first.fits(start.address):
                return start
        ways = "; ".join(str(start.address) for start in starts)
        raise DivergenceError(f"step 1: {first} is no way to begin; there are: {ways}", 0)

    def pick(self, state: State) -> Action | None:
        if self._at >= len(self.schedule):
            return self._usual.pick(state) if self._usual is not None else None
        pattern = self.schedule[self._at]
        enabled = self._graph.enabled(state)
        found = [action for action in enabled if self._means(pattern, action)]
        if not found:
            raise DivergenceError(self._divergence(state, pattern, enabled), self._at)
        found = self._oldest(found)
        exact = [action for action in found if action.address.under == pattern.under]
        found = exact or found  # a fault without a hint means the one that has none, if there is one
        if len(found) > 1:
            ways = "; ".join(sorted(str(action.address) for action in found))
            raise DivergenceError(f"step {self._at + 1}: {pattern} may mean several actions: {ways}", self._at)
        self._at += 1
        return found[0]

    def took(self, action: Action) -> None:
        if action.delivered:
            self._sent += action.sends
        if self._usual is not None:
            self._usual.took(action)

    def _means(self, pattern: Address, action: Action) -> bool:
        if not pattern.fits(action.address):
            return False
        return pattern.ordinal is None or self._ordinal(pattern) == action.envelope_id

    def _ordinal(self, pattern: Address) -> int:
        """The envelope that is the n-th send of this description in the run, or -1."""
        fitting = [e for e in self._sent if pattern.describes(self._describe(e))]
        number = pattern.ordinal or 1
        return fitting[number - 1] if 0 < number <= len(fitting) else -1

    def _describe(self, envelope: int) -> Address:
        return self._graph.tables.address_of(envelope)

    def _oldest(self, found: list[Action]) -> list[Action]:
        """Of actions on several envelopes those on the one that was sent first."""
        if len(found) < 2 or found[0].envelope_id < 0:
            return found
        sent = {e: at for at, e in reversed(list(enumerate(self._sent)))}
        oldest = min(found, key=lambda action: sent.get(action.envelope_id, len(sent))).envelope_id
        return [action for action in found if action.envelope_id == oldest]

    def _divergence(self, state: State, pattern: Address, enabled: list[Action]) -> str:
        where = f"step {self._at + 1}: {pattern} does not fit here"
        texts = sorted(str(action.address) for action in enabled)
        close = difflib.get_close_matches(str(pattern), texts, n=3, cutoff=0.3) or texts[:3]
        instead = f"; enabled instead: {'; '.join(close)}" if close else "; nothing is enabled any more"
        return f"{where}: {self._reason(state, pattern)}{instead}"

    def _reason(self, state: State, pattern: Address) -> str:
        if pattern.verb in MESSAGE_VERBS:
            return self._message_reason(state, pattern)
        if pattern.process and pattern.process not in self._graph.system.processes:
            return f"there is no process {pattern.process}"
        if pattern.process:
            view = self._graph.view(state, pattern.process)
            timers = f" with timers {', '.join(view.timers) or 'none'}" if pattern.verb == "fire" else ""
            return f"{pattern.process} is in state {view.state}{timers}"
        return "it is not enabled"

    def _message_reason(self, state: State, pattern: Address) -> str:
        flying = [e for e in self._graph.network.every(state.net) if pattern.describes(self._describe(e))]
        if not flying:
            sent = any(pattern.describes(self._describe(e)) for e in self._sent)
            return "no such message is in flight " + ("any more" if sent else "(none was sent yet)")
        for envelope in flying:
            why = self._graph.deferred(state, envelope)
            if why is not None:
                return f"it is in flight, but {why}"
        return "it is in flight, but not in this way"
