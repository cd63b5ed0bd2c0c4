"""The graph of a system as a world: the definition, and everything else that the door asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from sim.base.values import encode
from sim.faults.plan import FaultEntry
from sim.graph.action import Action, Kind
from sim.graph.budget import is_struck
from sim.graph.definition import Definition
from sim.graph.judge import Evaluated, Judge
from sim.graph.pending import Pendings
from sim.graph.state import GraphStart, State
from sim.graph.why import why_not
from sim.machine.table import DEFER
from sim.system.properties import Property
from sim.world.address import Address
from sim.world.choice import CUT, MESSAGE, RESTART, Pending, Start, Subject, addresses
from sim.world.fairness import Fairness
from sim.world.finding import Debt, Finding
from sim.world.slowdown import Slowdown
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.world.story import Story


class Graph(Definition):
    """The graph of a system, to be walked; a `sim.world.world.World`, where each method is explained."""

    places_are_values = True

    def world(self) -> Graph:
        return self

    def walking(self) -> AbstractContextManager[None]:
        return nullcontext()

    @property
    def verbs(self) -> list[str]:
        versions = (*self.system.processes.values(), *self.system.updates.values())
        tables = [type(process).table for process in versions]
        fires, moves = any(t.timers for t in tables), any(t.must or t.may for t in tables)
        return [Kind.DELIVER.value, *[Kind.FIRE.value] * fires, *[Kind.MOVE.value] * moves]

    def stays(self, subject: Subject) -> bool:
        what, number, _ = subject
        return what == MESSAGE and self.tables.kind[number] == "set"

    @property
    def scenario_keys(self) -> dict[str, Any]:
        return self.system.scenario_keys

    @property
    def timing(self) -> Timing:
        return self.system.timing

    @property
    def faults(self) -> list[FaultEntry]:
        return self.budget.entries

    @property
    def slow_faults(self) -> tuple[FaultEntry, ...]:
        return self.system.timed_faults

    @property
    def judged(self) -> list[str]:
        always = [str(prop) for prop in self.system.properties if prop.kind == "always"]
        return always + [f"monitor {name}" for name in self.system.monitors]

    def judged_within(self, state: State) -> bool:
        """Whether a check looks at what comes after this state."""
        return self._judge.within is None or self._judge.within(state.locals, state.net)

    @property
    def fairness(self) -> Fairness:
        return self.system.fairness

    @cached_property
    def goals(self) -> list[Property]:
        return [*(one.property for one in self._judge.sometimes), *(one.property for one in self._judge.ends)]

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self)

    @cached_property
    def _goal_of(self) -> dict[str, Evaluated]:
        ends = {end.name: end.holds for end in self._judge.ends if end.holds is not None}
        return {goal.name: goal for goal in self._judge.sometimes} | ends

    @cached_property
    def _premise_of(self) -> dict[str, Evaluated]:
        return {end.name: end.begins for end in self._judge.ends if end.begins is not None}

    @cached_property
    def _pending(self) -> Pendings:
        return Pendings(self.tables, self.machines)

    def judge(self, state: State) -> Finding | None:
        return self._judge.judge(state)

    def rest(self, state: State) -> Finding | None:
        return self._judge.judge_quiescent(state)

    def holds(self, goal: str, state: State) -> bool:
        return self._goal_of[goal](state.locals, state.net)

    def begins(self, goal: str, state: State) -> bool:
        return self._premise_of[goal](state.locals, state.net)

    def owed(self, state: State) -> dict[Debt, int]:
        return self._judge.owed(state)

    @property
    def ripens(self) -> bool:
        return False

    def may_strike(self, state: State) -> bool:
        return self.budget.endless or any(state.budgets)

    def due(self, taken: Start[State] | Action, state: State) -> Sequence[Pending]:  # noqa: ARG002  an action says it all
        return (
            self._pending.after(taken) if isinstance(taken, Action) else self._pending.of_start(cast(GraphStart, taken))
        )

    def ways(self, state: State, subject: Subject) -> Sequence[Action] | None:
        what, number, name = subject
        if what == MESSAGE:
            return self._deliveries(state, number)
        if what == CUT:
            return (self.tables.cutting(Kind.HEAL, number),) if number in state.cuts else None
        if what == RESTART and name:
            return self.machines.restart(name, self.machines.mine(name, state.locals)) or None
        return self._pending.ways(state.locals[number], subject)

    def _deliveries(self, state: State, envelope: int) -> Sequence[Action] | None:
        found = self.tables.delivery(state.locals[self.tables.target[envelope]], envelope)
        if self.network.name == "any" and not state.cuts:
            return found if envelope in state.net else None
        if envelope not in self.network.every(state.net):
            return None
        return () if found and self.deferred(state, envelope) is not None else found

    def is_struck(self, entry: FaultEntry, fault: Action, usual: Action, last: Action | None) -> bool:
        return is_struck(entry, fault, usual, last, self.tables.pair)

    def usual(self, state: State) -> None:  # noqa: ARG002
        return None

    def covered(self, state: State) -> tuple[State]:
        return (state,)

    def schedule(self, start: Start[State], choices: Iterable[Action]) -> list[str]:
        return addresses(start, choices)

    def only_messages(self) -> bool:
        tables = [type(process).table for process in self.system.processes.values()]
        alone = not any(table.timers or table.must or table.may for table in tables)
        taken = not any(row.dest is DEFER for table in tables for row in table.rows)
        return alone and taken and self.network.name == "any" and not self.faults and len(self.starts()) == 1

    def record(self, state: State) -> bytes:
        return encode(self.value(state))

    def why_not(self, state: State, address: Address) -> str:
        return why_not(self, state, address)

    # --- what is told of it -------------------------------------------------------------------------

    def states(self, state: State) -> dict[str, str]:
        """The state of every process and monitor, by name."""
        return {name: self.tables.view(local).state for name, local in zip(self.names, state.locals, strict=True)}

    def tell(
        self, start: Start[State], steps: Iterable[tuple[int | None, Action]], slowdowns: Sequence[Slowdown] = ()
    ) -> Story:
        """The story of the run that began with `start` and took these steps, each with its virtual time."""
        from sim.graph.teller import tell  # most runs of a fuzz are never told

        return tell(self, cast(GraphStart, start), steps, slowdowns)
