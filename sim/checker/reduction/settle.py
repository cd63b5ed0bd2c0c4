"""Messages whose delivery makes no difference to what else may happen: they are taken at once, or forgotten.

An envelope e to a process p **settles** if, for every local value that p may come to before it takes e,
whatever it is sent by whomever:

1. e can be delivered, in one way, without a failure; no monitor hears of it; no fault of what is left of the budget
   can strike e, nor p;
2. whatever else p does there it can do after e as well, with the same outputs, and comes to the same as if
   it took e afterwards; and e has the same outputs then;
3. no property sees it: p's value stays as it is, or no property reads p, nor a process that p is alike to.

A state x is then replaced by the state y in which e was taken. *Why nothing is lost*: say that y is ahead of
x if it is x but for such envelopes, taken in y and still in flight in x. Let an action a lead from x to x'. If a
takes one of these envelopes, y is ahead of x'. If a is not p's, it changes neither p's value nor these envelopes
(1), and y can do the same. If it is p's, y can do the same by (2), applied once for each envelope. So y comes to
a y' that is ahead of x', or stays where it is and is ahead of x'; and each schedule of x has one of y along
states that no property tells from its own (3). Where x comes to rest it has nothing left to take (what cannot be
delivered because of a cut is owed its healing), so y is x: what is stuck is found. In y, a real state,
nothing is wrong that is not wrong in the system. And y is expanded in full, so nothing is put off forever.

In a network `any` an envelope is **dead** if it is deferred for every local value that p may come to, and no
fault can strike it or p. It is forgotten: a state with it and one without it do the same forever. (In `fifo` it
holds up its queue; in `set` what was sent stays in flight forever, even when it is useless.)

{e} is a persistent set (Godefroid: "Partial-order methods for the verification of concurrent systems", 1996);
replacing states by where confluent steps lead is from Blom and van de Pol ("State space reduction by proving
confluence", CAV 2002). What p "may come to" is looked up in the `Universe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sim.checker.reduction.universe import Universe, struck, usual
from sim.graph.action import Action
from sim.graph.enabled import Enabled
from sim.graph.graph import Graph
from sim.graph.state import State

STEPS_MAX = 1_000
"""Deliveries taken at once, one after the other; it ends what would bring forth another forever."""


class Settling:
    """Finds what settles and what is dead. `seen` are the processes that properties read."""

    def __init__(self, universe: Universe, seen: Iterable[int]) -> None:
        self._universe = universe
        self._graph: Graph = universe.graph
        self._seen = set(seen)
        self._network = self._graph.system.network
        self.used = False
        """Whether anything was taken at once or forgotten so far."""
        self._settling: dict[tuple[Enabled, int], set[int]] = {}
        self._dead: dict[tuple[Enabled, int], set[int]] = {}
        self._steps_to: dict[tuple[Enabled, int], dict[int, list[int]]] = {}

    def is_of_use(self) -> bool:
        """Whether anything settles or is dead where nothing is left of the budget; else it never does."""
        here = self._universe.at(tuple(0 for _ in self._graph.budget.full))
        envelopes = [e for of_one in self._universe.envelopes for e in of_one]
        return any(self._from_where_it_settles(here, e) or self._from_where_it_is_dead(here, e) for e in envelopes)

    def __call__(self, state: State) -> State:
        """The state after all deliveries that settle, without what is dead."""
        for after in self.steps(state):
            state, self.used = after, True
        return self.forget(state)

    def steps(self, state: State) -> Iterator[State]:
        """The states after each delivery that settles."""
        for _ in range(STEPS_MAX):
            action = self.next(state)
            if action is None:
                break
            state = self._graph.apply(state, action)
            yield state

    def next(self, state: State) -> Action | None:
        """The first delivery that settles in this state."""
        found = (self.taken(state, e) for e in self._graph.network.heads(state.net))
        return next((action for action in found if action is not None), None)

    def forget(self, state: State) -> State:
        """The state without what is dead."""
        dead = [e for e in self._graph.network.distinct(state.net) if self.is_dead(state, e)]
        if not dead:
            return state
        self.used = True
        return state._replace(net=tuple(e for e in state.net if e not in dead))

    def taken(self, state: State, envelope: int) -> Action | None:
        """The delivery of this envelope, if it settles in this state and can happen now."""
        local = state.locals[self._graph.tables.target[envelope]]
        if local not in self._from_where_it_settles(self._universe.at(state.budgets), envelope):
            return None
        row = self._graph.around(state).head(local, envelope)
        return row[0] if row else None  # else a cut holds it

    def is_dead(self, state: State, envelope: int) -> bool:
        """Whether nothing will ever come of this envelope."""
        local = state.locals[self._graph.tables.target[envelope]]
        return local in self._from_where_it_is_dead(self._universe.at(state.budgets), envelope)

    # --- for every local value to come --------------------------------------------------------------

    def _from_where_it_settles(self, here: Enabled, envelope: int) -> set[int]:
        found = self._settling.get((here, envelope))
        if found is None:
            found = self._settling[here, envelope] = self._find(here, envelope, self._settles)
        return found

    def _from_where_it_is_dead(self, here: Enabled, envelope: int) -> set[int]:
        found = self._dead.get((here, envelope))
        if found is None:
            any_order = self._network == "any"
            found = self._dead[here, envelope] = self._find(here, envelope, self._lies_dead) if any_order else set()
        return found

    def _find(self, here: Enabled, envelope: int, holds: Callable[[Enabled, int, int], bool]) -> set[int]:
        """The local values of the target from which on `holds` stays true. Cuts only delay, so none is in force."""
        process = self._graph.tables.target[envelope]
        spoilt = [
            local
            for local in self._universe.locals[process]
            if self._can_be_struck(here, local, envelope) or not holds(here, local, envelope)
        ]
        before, left = self._before(here, process), set(self._universe.locals[process])
        while spoilt:
            local = spoilt.pop()
            if local in left:
                left.remove(local)
                spoilt += before[local]
        return left

    def _before(self, here: Enabled, process: int) -> dict[int, list[int]]:
        """For each local value those from which one step leads there."""
        known = self._steps_to.get((here, process))
        if known is None:
            known = self._steps_to[here, process] = {local: [] for local in self._universe.locals[process]}
            for local in self._universe.locals[process]:
                for other in self._inputs(process):
                    for action in usual(here, local, other):
                        if action.effect.local in known:
                            known[action.effect.local].append(local)
        return known

    def _inputs(self, process: int) -> list[int]:
        return [-1, *self._universe.envelopes[process]]

    def _can_be_struck(self, here: Enabled, local: int, envelope: int) -> bool:
        """Whether a fault can strike the envelope, or the process whatever it does."""
        process = self._graph.tables.target[envelope]
        if not (here.strikes_head or here.strikes_behind or here.strikes_process):
            return False
        return bool(struck(here, local, envelope)) or any(
            action.effect.local >= 0 for other in self._inputs(process) for action in struck(here, local, other)
        )

    def _lies_dead(self, here: Enabled, local: int, envelope: int) -> bool:
        return not usual(here, local, envelope)

    def _settles(self, here: Enabled, local: int, envelope: int) -> bool:
        """Whether 1, 2 and 3 hold in this local value."""
        taking = self._taking(here, local, envelope)
        process = self._graph.tables.target[envelope]
        if taking is None or (taking.effect.local != local and process in self._seen):
            return False
        if self._network == "set" and taking.effect.local == local:
            return False  # it may change nothing, and then is nothing to take
        return all(self._commutes(here, local, other, taking) for other in self._inputs(process) if other != envelope)

    def _commutes(self, here: Enabled, local: int, other: int, taking: Action) -> bool:
        """Whether all that is done with `other` (-1: by itself) can be done after `taking` as well."""
        failed = self._graph.tables.failed
        later = {self._effect(action, action.effect.local) for action in usual(here, taking.effect.local, other)}
        for action in usual(here, local, other):
            if action.effect.local in failed:
                return False
            after = self._taking(here, action.effect.local, taking.number)
            if after is None or sorted(after.effect.sends) != sorted(taking.effect.sends):
                return False
            if self._effect(action, after.effect.local) not in later:
                return False
        return True

    def _taking(self, here: Enabled, local: int, envelope: int) -> Action | None:
        """The delivery, if there is one way of it, without failure and unheard; in order, without sending."""
        failed = self._graph.tables.failed
        row = usual(here, local, envelope)
        if (
            len(row) != 1
            or row[0].effect.heard
            or row[0].effect.local in failed
            or (self._network == "fifo" and row[0].effect.sends)
        ):
            return None
        return row[0]

    def _effect(self, action: Action, local: int) -> tuple[Any, ...]:
        """What an action does, if it leads to this local value."""
        sends = action.effect.sends if self._network == "fifo" else tuple(sorted(action.effect.sends))
        return local, action.effect.consumed, action.effect.delivered, sends, action.effect.heard, action.progress
