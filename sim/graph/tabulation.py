"""Tabulation: every handler runs once per distinct (local value, input); its outcomes become actions
made of small integers. The idea is LTSmin's caching of local transitions (Blom, van de Pol, Weber:
"LTSmin: distributed and symbolic reachability", CAV 2010), taken to handlers in plain Python.

Integers are handed out in the order in which things are met; nothing that a trace can see, and no pick,
depends on them.
"""

from __future__ import annotations

from typing import Any

from sim.base.errors import ModelError, unknown
from sim.base.interner import Interner
from sim.base.values import Emission, Fault, Names
from sim.faults import RateLimited
from sim.faults.plan import FaultEntry
from sim.graph.action import Action, Effect, Kind
from sim.graph.debts import debts_of
from sim.graph.hearing import Listening
from sim.machine.handler import Handler, Local, Outcome, is_unhandled
from sim.machine.ledgers import Crashed, Received, Restarted
from sim.machine.outputs import Arm, Emit, Output, Send, sends_of, writes_of
from sim.machine.process import View
from sim.machine.table import DOWN, FAILED, GONE, OFF
from sim.system.declaration import Declaration
from sim.system.network import KIND_BITS, NETWORKS, Envelope
from sim.system.persisted import coming_again
from sim.system.properties import STUCK
from sim.world.address import Address
from sim.world.finding import Debt


class Tabulation(Listening):
    """The rows of one system: local values, envelopes and emissions as integers, and the actions that
    each (local value, input) pair has."""

    def __init__(self, system: Declaration, handler: type[Handler] = Handler) -> None:
        super().__init__()
        self.system = system
        self.names = system.names
        self.handlers = [handler(name, p) for name, p in (*system.processes.items(), *system.monitors.items())]
        self.width = len(system.processes)
        updates = system.updates.items()
        self.handlers += [handler(name, process) for name, process in updates]
        self.called = (*self.names, *system.updates)
        """The names of handlers: of those for updated processes after all others."""
        self.place = [self.names.index(name) for name in self.called]
        """The place of each handler's process or monitor in a state."""
        self.updated = {self.names.index(name): len(self.names) + i for i, name in enumerate(system.updates)}
        """The handlers that updated processes have, by the place of the process."""
        self._may_be_stuck = system.judges(STUCK)
        self.index = {name: i for i, name in enumerate(self.names)}
        names = Names()
        self.locals: Interner[tuple[int, Local]] = Interner(lambda t: (t[0], *t[1]), names, self._met_local)
        self.envelopes: Interner[Envelope] = Interner(Envelope.value, names, self._met_envelope)
        self.emissions: Interner[Emission] = Interner(lambda emission: emission, names, self._met_emission)
        self.failed: dict[int, tuple[str, str, str]] = {}
        """Local values beyond their table: id -> (kind, machine, reason)."""
        self.hot: set[int] = set()
        """Local values in which nobody may come to rest."""
        self.owed: dict[int, tuple[Debt, ...]] = {}
        """What is owed in each local value in which anything is."""
        self.down: set[int] = set()
        """Local values of processes that are down, and come back."""
        self.gone: set[int] = set()
        """Local values of processes that crashed for good."""
        self.low: set[int] = set()
        """Both."""
        self.target: list[int] = []
        self.pair: list[int] = []
        self.kind: list[str] = []
        """Of each envelope the kind of its link."""
        self.order: list[int] = []
        """What envelopes in flight are sorted by: what is equal here is a queue, or copies of one message."""
        self._pairs: dict[tuple[str, str], int] = {}
        self._runs: dict[object, int] = {}
        self._listeners: dict[type, tuple[int, ...]] = {}
        self.deliveries: dict[tuple[int, int], tuple[Action, ...]] = {}
        self.own: dict[int, tuple[Action, ...]] = {}
        self._under: dict[tuple[int, int, str, int | None], tuple[Action, ...]] = {}
        self._updates: dict[int, tuple[Action, ...]] = {}
        self._windows: dict[tuple[Action, str], tuple[Action, ...]] = {}
        self._overtaking: dict[Action, Action] = {}
        self._crashes: dict[tuple[int, str], Action] = {}
        self._in_flight: dict[tuple[Kind, int], Action] = {}
        self._cutting: dict[tuple[Kind, int], Action] = {}
        self._views: dict[int, View] = {}

    @property
    def handler_calls(self) -> int:
        """How often handlers of processes and monitors have run."""
        return sum(handler.calls for handler in self.handlers)

    # --- interning ----------------------------------------------------------------------------------

    def local(self, process: int, local: Local) -> int:
        return self.locals((process, local))

    def _met_local(self, number: int, thing: tuple[int, Local]) -> None:
        process, local = thing
        if local.state == FAILED:
            self.failed[number] = (local.fields[0], self.called[process], local.fields[1])
        elif local.state in (DOWN, OFF):
            self.down.add(number)
            self.low.add(number)
        elif local.state == GONE:
            self.gone.add(number)
            self.low.add(number)
        elif self.place[process] >= self.width or self._may_be_stuck:
            who = self.names[self.place[process]]
            prop = who if self.place[process] >= self.width else STUCK
            owed = debts_of(self.handlers[process], who, prop, local)
            if owed:
                self.owed[number] = owed
            if owed or local.state in self.handlers[process].table.hot:
                self.hot.add(number)

    def _met_envelope(self, number: int, envelope: Envelope) -> None:
        self.target.append(self.index[envelope.target])
        pair = (envelope.source, envelope.target)
        self.pair.append(self._pairs.setdefault(pair, len(self._pairs)))
        kind = self.system.kind_of(*pair)
        self.kind.append(kind)
        runs: dict[str, object] = {"fifo": pair, "latest": (*pair, type(envelope.message))}
        run = self._runs.setdefault(runs.get(kind, number), len(self._runs))
        self.order.append(run << KIND_BITS | NETWORKS.index(kind))

    def _met_emission(self, _: int, emission: Emission) -> None:
        kind = type(emission)
        if kind not in self._listeners:
            self._listeners[kind] = tuple(
                i for i in range(self.width, len(self.names)) if kind in self.handlers[i].table.triggers
            )
        self._heard_by.append(self._listeners[kind])

    def view(self, local: int) -> View:
        """The local value as predicates see it."""
        view = self._views.get(local)
        if view is None:
            process, value = self.locals.things[local]
            names = ("kind", "reason") if value.state == FAILED else self.handlers[process].fields
            fields = dict(zip(names, value.fields, strict=True))
            view = self._views[local] = View(value.state, fields, value.timers, value.up, self.handlers[process].cls)
        return view

    def address_of(self, envelope: int) -> Address:
        """The description of an envelope, as the address of an action on it has it."""
        return self.in_flight(Kind.DROP, envelope).address

    # --- actions of one process ---------------------------------------------------------------------

    def initial(self) -> list[list[tuple[int, Outcome]]]:
        """For each process the outcomes of its start, as (local id, outcome)."""
        return [
            [(self.local(i, outcome.local), outcome) for outcome in self._start(name)]
            for i, name in enumerate(self.names)
        ]

    def _start(self, name: str) -> list[Outcome]:
        handler, begins = self.handlers[self.index[name]], self.system.begins
        one = begins.locals.get(name) if begins is not None else None
        if one is None:
            return handler.initial()
        return handler.goes_on(one.state, one.fields, [Arm(timer, *due) for timer, due in one.armed.items()], up=one.up)

    def flying(self) -> tuple[list[int], list[int]]:
        """What is in flight before anything starts, the oldest first; and what of it may come a second time."""
        begins = self.system.begins
        if begins is None:
            return [], []
        messages = begins.messages
        found = (messages, coming_again(self.system, messages))
        flying, again = ([self.envelopes(Envelope(*one[:3])) for one in some] for some in found)
        return flying, again

    def delivery(self, local: int, envelope: int) -> tuple[Action, ...]:
        """The actions that deliver this envelope to a target with this local value; none if deferred."""
        key = (local, envelope)
        found = self.deliveries.get(key)
        if found is None:
            found = self.deliveries[key] = self._deliver(local, envelope, None)
        return found

    def delivery_under(self, local: int, envelope: int, entry: FaultEntry) -> tuple[Action, ...]:
        """The actions that deliver under a domain fault; none where it has no opportunity."""
        key = (local, envelope, entry.kind, entry.hint_ms)
        found = self._under.get(key)
        if found is None:
            fault = self._fault(entry, envelope)
            found = self._under[key] = self._deliver(local, envelope, fault) if fault else ()
        return found

    def _fault(self, entry: FaultEntry, envelope: int) -> Fault | None:
        message = self.envelopes.things[envelope].message
        for fault, carriers in self.system.carriers.items():
            if fault.kind == entry.kind and isinstance(message, tuple(carriers)):
                hint: dict[str, Any] = {"reset_ms": entry.hint_ms} if issubclass(fault, RateLimited) else {}
                return fault(message, **hint)
        return None

    def _deliver(self, local: int, number: int, fault: Fault | None) -> tuple[Action, ...]:
        process, value = self.locals.things[local]
        if not value.up:
            return ()
        envelope = self.envelopes.things[number]
        given = fault or envelope.message
        outcomes = self.handlers[process].react(value, type(given), given, envelope.source)
        if outcomes is None or (fault and is_unhandled(outcomes[0].local)):
            return ()
        first = () if fault else (Received(self.called[process], envelope.message),)
        return tuple(
            self._action(
                Kind.DELIVER,
                process,
                local,
                outcome,
                first=first,
                envelope=number,
                consumed=not (fault and fault.survives),
                fault=fault,
                progress=fault is None,
            )
            for outcome in outcomes
        )

    def own_actions(self, local: int) -> tuple[Action, ...]:
        """What a process with this local value can do by itself: timers, spontaneous moves, restart."""
        found = self.own.get(local)
        if found is None:
            found = self.own[local] = self._own(local)
        return found

    def _own(self, local: int) -> tuple[Action, ...]:
        process, value = self.locals.things[local]
        handler = self.handlers[process]
        if value.state in (FAILED, GONE, OFF):
            return ()
        if value.state == DOWN:
            up = (Restarted(self.called[process]),)
            return self._own_kind(Kind.RESTART, "", local, handler.restart(value), progress=True, first=up)
        found: tuple[Action, ...] = ()
        for timer in value.timers:
            outcomes = handler.react(value, timer)
            found += self._own_kind(Kind.FIRE, timer, local, outcomes or [], progress=True)
        table = handler.table
        for move in (*table.must, *table.may):
            outcomes = handler.react(value, move)
            found += self._own_kind(Kind.MOVE, move, local, outcomes or [], progress=move in table.must)
        return found

    def _own_kind(
        self,
        kind: Kind,
        subject: str,
        local: int,
        outcomes: list[Outcome],
        *,
        progress: bool,
        first: tuple[Emission, ...] = (),
    ) -> tuple[Action, ...]:
        process = self.locals.things[local][0]
        return tuple(
            self._action(kind, process, local, outcome, first=first, subject=subject, progress=progress)
            for outcome in outcomes
        )

    def update(self, local: int) -> tuple[Action, ...]:
        """The stop of a process with this local value and its start as its other version, if it has one still."""
        found = self._updates.get(local)
        if found is None:
            place, value = self.locals.things[local]
            process = self.updated.get(place, -1) if value.up else -1
            outcomes = self.handlers[process].updated(self.handlers[place], value) if process >= 0 else []
            first = (Crashed(self.called[place]), Restarted(self.called[place]))
            found = self._updates[local] = tuple(
                self._action(Kind.UPDATE, process, local, outcome, first=first) for outcome in outcomes
            )
        return found

    def crash(self, local: int, state: str = DOWN) -> Action:
        """The crash of a process with this local value, which leaves it in this state."""
        found = self._crashes.get((local, state))
        if found is None:
            process, value = self.locals.things[local]
            down = Outcome(self.handlers[process].down(value.fields, state), (), (), (), None)
            last = (Crashed(self.called[process]),)
            found = self._action(Kind.CRASH, process, local, down, last=last, for_good=state == GONE)
            self._crashes[local, state] = found
        return found

    def in_flight(self, kind: Kind, envelope: int) -> Action:
        """The loss (`DROP`) or duplication (`DUPLICATE`) of an envelope."""
        found = self._in_flight.get((kind, envelope))
        if found is None:
            lost = kind is Kind.DROP
            effect = Effect(consumed=envelope if lost else -1, sends=() if lost else (envelope,))
            thing = self.envelopes.things[envelope]
            sure = self._is_used_up(effect)
            found = Action(kind=kind, effect=effect, envelope=thing, number=envelope, always_changes=sure)
            self._in_flight[kind, envelope] = found
        return found

    def cutting(self, kind: Kind, cut: int) -> Action:
        """A cut that takes effect (`CUT`) or is healed (`HEAL`). Those for good have the numbers after all others."""
        found = self._cutting.get((kind, cut))
        if found is None:
            names = list(self.system.cuts)
            good = cut >= len(names)
            subject, effect = names[cut % len(names)], Effect(cut=cut)
            found = Action(kind=kind, effect=effect, subject=subject, progress=kind is Kind.HEAL, for_good=good)
            self._cutting[kind, cut] = found
        return found

    def overtaking(self, action: Action) -> Action:
        """The same delivery, ahead of what stands before it."""
        found = self._overtaking.get(action)
        if found is None:
            found = self._overtaking[action] = self._variant(action, reordered=True, window=None)
        return found

    def windows(self, action: Action, state: str = DOWN) -> tuple[Action, ...]:
        """The handler of `action` struck by a crash after each prefix of its outputs, the empty and the
        whole one included."""
        found = self._windows.get((action, state))
        if found is None:
            found = self._windows[action, state] = tuple(
                self._variant(action, reordered=action.reordered, window=n, state=state)
                for n in range(len(action.outputs) + 1)
            )
        return found

    def _variant(self, action: Action, *, reordered: bool, window: int | None, state: str = DOWN) -> Action:
        """The same handler call, overtaking others or struck by a crash."""
        process, before = self.locals.things[action.before]
        name, outputs = action.process, action.all_outputs[:window]
        first: tuple[Emission, ...] = ()
        if action.kind is Kind.UPDATE:
            first, old = (Crashed(name), Restarted(name)), self.handlers[process]
            process = self.updated[process]
            before = self.handlers[process].taken_over(old, before)
        elif action.kind is Kind.DELIVER and action.fault is None and action.envelope is not None:
            first = (Received(name, action.envelope.message),)
        elif action.kind is Kind.RESTART:
            first = (Restarted(name),)
        move = action.subject if action.kind is Kind.MOVE else ""
        after = Local(*action.after) if window is None else self.struck(process, before, outputs, state, move)
        outcome = Outcome(after, action.all_outputs, action.arms, action.choices, action.row)
        return self._action(
            action.kind,
            process,
            action.before,
            outcome,
            first=first,
            last=() if window is None else (Crashed(name),),
            envelope=action.number,
            consumed=action.effect.consumed >= 0,
            subject=action.subject,
            fault=action.fault,
            reordered=reordered,
            window=window,
            for_good=window is not None and state == GONE,
        )

    def struck(self, process: int, before: Local, outputs: tuple[Output, ...], state: str, move: str = "") -> Local:
        """What is left after a crash that followed these outputs: the durable writes among them hold, and that the move
        was made."""
        handler = self.handlers[process]
        fields = dict(zip(handler.fields, handler.begun(before.fields, move) or before.fields, strict=True))
        fields |= {write.field: write.value for output in outputs for write in writes_of(output)}
        return handler.down(tuple(fields.values()), state)

    def _action(
        self,
        kind: Kind,
        process: int,
        before: int,
        outcome: Outcome,
        *,
        first: tuple[Emission, ...] = (),
        last: tuple[Emission, ...] = (),
        envelope: int = -1,
        consumed: bool = False,
        subject: str = "",
        fault: Fault | None = None,
        reordered: bool = False,
        window: int | None = None,
        for_good: bool = False,
        progress: bool = False,
    ) -> Action:
        """The action of a handler call, with its effect as integers. Monitors hear `first`, what it emits, `last`."""
        name, outputs = self.called[process], outcome.outputs[:window]
        effect = Effect(
            process=self.place[process],
            local=self.local(process, outcome.local),
            consumed=envelope if consumed else -1,
            delivered=True,
            sends=self.sends(name, outputs),
            heard=self.heard(first, outputs, last),
        )
        return Action(
            kind=kind,
            effect=effect,
            process=name,
            subject=subject,
            envelope=self.envelopes.things[envelope] if envelope >= 0 else None,
            number=envelope,
            fault=fault,
            reordered=reordered,
            choices=outcome.choices,
            all_outputs=outcome.outputs,
            window=window,
            for_good=for_good,
            arms=outcome.arms if window is None else (),
            row=outcome.row,
            progress=progress,
            updated=process >= len(self.names),
            before=before,
            after=tuple(outcome.local),
            always_changes=self._is_used_up(effect),
        )

    def _is_used_up(self, effect: Effect) -> bool:
        """Whether a message is gone for good, so that every state is changed in which this may happen."""
        return effect.consumed >= 0 and self.kind[effect.consumed] != "set" and effect.consumed not in effect.sends

    def sends(self, source: str, outputs: tuple[Output, ...]) -> tuple[int, ...]:
        """The envelopes among these outputs, in the order written."""
        return tuple(self._envelope(source, send) for output in outputs for send in sends_of(output))

    def heard(
        self, first: tuple[Emission, ...], outputs: tuple[Output, ...], last: tuple[Emission, ...] = ()
    ) -> tuple[int, ...]:
        """The emissions among these that some monitor listens to, in their order."""
        emitted = (*first, *(o.emission for o in outputs if isinstance(o, Emit)), *last)
        numbers = [self.emissions(emission) for emission in emitted]
        return tuple(number for number in numbers if self._heard_by[number])

    def _envelope(self, source: str, send: Send) -> int:
        if send.target not in self.system.processes:
            what = unknown("process", send.target, self.system.processes)
            raise ModelError(f"{source} sends {type(send.message).__name__}: {what}")
        return self.envelopes(Envelope(source, send.target, send.message))
