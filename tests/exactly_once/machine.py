"""The stateful test of exactly-once: rules in the words of the domain, judged by the ledger after every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from models.consensus.messages import (
    AckDecision,
    Ask,
    Cancel,
    Countdown,
    Decision,
    NotStored,
    Response,
    Stop,
    StopAck,
    Store,
    Stored,
    Tick,
    Update,
)
from sim import Action, Finding, Graph, State, System, SystemMachine
from tests.exactly_once.beside import Broken
from tests.exactly_once.ledger import Ledger

DISPATCH, ANSWER, PERSIST, ACKNOWLEDGE, STOP, RETRY = "dispatch", "answer", "persist", "acknowledge", "stop", "retry"
LATE, UPDATE, COUNT = "turn_up", "update", "count_down"
MESSAGES: dict[type, str] = {
    Ask: DISPATCH,
    Response: ANSWER,
    Store: PERSIST,
    Stored: PERSIST,
    NotStored: PERSIST,
    Decision: ACKNOWLEDGE,
    AckDecision: ACKNOWLEDGE,
    Stop: STOP,
    StopAck: STOP,
    Cancel: STOP,
    Update: UPDATE,
    Countdown: COUNT,
    Tick: COUNT,
}
MOVES = {
    "boot": DISPATCH,
    "stop": STOP,
    "cancel_run": STOP,
    "patience": RETRY,
    "backoff": RETRY,
    "resend": RETRY,
    "turn_up": LATE,
    "update": UPDATE,
    "second": COUNT,
    "resume": COUNT,
}
PICKS = st.integers(0, 255)


def taking(name: str) -> Callable[..., Any]:
    """A rule that takes one of the enabled actions of this name."""

    def take(self: ExactlyOnce, pick: int) -> None:
        actions = self.enabled[name]
        self.take(actions[pick % len(actions)])

    take.__name__ = name
    return precondition(lambda self: name in self.enabled)(rule(pick=PICKS)(take))


class Unowed(Graph):
    """Leaves to the ledger what is owed: hot states are the model's own word."""

    def rest(self, state: State) -> Finding | None:
        return None


class ExactlyOnce(SystemMachine):
    """A consensus run under the rules below. Messages of a kind are delivered oldest first, but by `reorder`."""

    dispatch = taking(DISPATCH)  # the coordinator (re)starts, or a question reaches its agent
    answer = taking(ANSWER)  # an answer reaches the coordinator
    persist = taking(PERSIST)  # a decision reaches the store, or its confirmation the coordinator
    acknowledge = taking(ACKNOWLEDGE)  # a decision reaches the consumer, or its acknowledgement the coordinator
    stop = taking(STOP)  # the user stops or cancels the run, the coordinator learns of it, or the user of that
    retry = taking(RETRY)  # patience or a wait ends, or a request is sent again
    time_out = taking("under_agent_timeout")
    break_off = taking("under_disconnect")
    update = taking(UPDATE)  # the conversation goes on, or the coordinator learns of it
    count_down = taking(COUNT)  # a countdown begins, a second of it goes, or the consumer learns of that
    turn_up = taking(LATE)  # a message of a former run comes after all
    reorder = taking("reorder")
    duplicate = taking("duplicate")
    drop = taking("drop")
    crash = taking("crash")
    restart = taking("restart")

    def begin(self, start: int) -> None:
        processes = self.world.system.processes
        coordinator, store, consumer = (processes[name] for name in ("coordinator", "store", "consumer"))
        self.ledger = Ledger(
            coordinator.run,
            coordinator.stages,
            coordinator.rounds,
            coordinator.retries,
            held=store.applied,
            done=coordinator.journal.seq,
            queue_max=coordinator.queue_max,
            counts_down=consumer.ticks > 0,
            budget_ms=coordinator.budget_ms,
            patience_ms=coordinator.patience_ms,
        )
        self.flying = list(self.world.starts()[start].sends)
        super().begin(start)

    def observe(self, action: Action) -> None:
        held = self.world.view(self.walk.at, "store").applied
        self._held_against(lambda: self.ledger.step(action, held))
        if action.effect.consumed >= 0:
            self.flying.remove(action.effect.consumed)
        self.flying += action.effect.sends

    def at_rest(self) -> None:
        self._held_against(self.ledger.rest)

    def _held_against(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Broken as broken:
            self.violated(str(broken))

    def family(self, action: Action) -> str:
        usual = super().family(action)
        if usual == "deliver" and action.envelope is not None:
            kind = MESSAGES[type(action.envelope.message)]
            return "reorder" if self._is_overtaking(action, kind) else kind
        return MOVES[action.subject] if usual in ("fire", "move") else usual

    def _is_overtaking(self, action: Action, kind: str) -> bool:
        """Whether an older message of the same kind is still in flight."""
        things = self.world.tables.envelopes.things
        older = self.flying[: self.flying.index(action.number)]
        return any(MESSAGES[type(things[e].message)] == kind for e in older)


def machine(system: System) -> type[ExactlyOnce]:
    """The machine for one system, which keeps none of the model's own monitors and properties."""
    world = Unowed(system.with_(monitors={}, properties=()))
    return type("ExactlyOnce", (ExactlyOnce,), {"world": world})
