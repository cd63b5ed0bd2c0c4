"""A second opinion: the Semantics of the design, as naively as they can be written.

No tabulation, no integers, no `transitions` library: states are deep values, and every handler is called
anew at every step, on a stand-in that shares nothing with `sim.machine.process` but the user's own methods. It
defines what `sim.graph.graph` must agree with, state by state; it is slow, and that is fine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sim import DEFER, IGNORE, Crashed, Fault, Message, RateLimited, Received, Restarted, System
from sim.base.values import encode, show

DOWN, GONE, OFF, FAILED = "(down)", "(gone)", "(off)", "(failed)"


class Local(NamedTuple):
    state: str
    fields: tuple[Any, ...]
    timers: tuple[str, ...] = ()
    updated: bool = False


class State(NamedTuple):
    locals: tuple[Local, ...]
    net: tuple[Any, ...]
    """All links any or all set: envelopes, sorted; else runs of those that are kept together (queues, copies, the newest
    of a class), sorted. An envelope is (source, target, message)."""
    budgets: tuple[int, ...]
    cuts: tuple[str, ...]


class Step(NamedTuple):
    """One action and where it leads. `what` tells actions of one state apart."""

    what: tuple[Any, ...]
    after: State
    progress: bool


class More(Exception):
    """A choice the script does not decide yet, of so many outcomes."""

    def __init__(self, width: int) -> None:
        self.width = width


class Violated(Exception):
    pass


class Unhandled(Exception):
    def __init__(self, machine: str, local: Local, trigger: Any, given: Any) -> None:
        what = f"timer {trigger}" if isinstance(trigger, str) else trigger.__name__
        shown = f": {show(given)}" if given is not None else ""
        reason = f"unhandled {what} in state {local.state} of {machine}{shown}"
        self.local = Local(FAILED, ("unhandled", reason), updated=local.updated)


class Self:
    """What the user's methods get as `self`."""

    def __init__(self, machine: Machine, local: Local, sender: str, script: list[int]) -> None:
        self.__dict__.update(zip(machine.fields, local.fields, strict=True))
        self.__dict__.update(_machine=machine, name=machine.name, state=local.state, sender=sender)
        self.__dict__.update(_timers={*local.timers}, _script=script, outputs=[], choices=[])

    def __getattr__(self, name: str) -> Any:
        for cls in self._machine.cls.__mro__:
            if name in vars(cls):
                return vars(cls)[name].__get__(self)
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._machine.durable and self.__dict__[name] != value:
            self.outputs.append(("write", name, value))
        self.__dict__[name] = value

    def send(self, target: str, message: Message) -> None:
        self.outputs.append(("send", target, message))

    def write(self, then: Any = (), **fields: Any) -> None:
        new = {name: value for name, value in fields.items() if self.__dict__[name] != value}
        self.__dict__.update(new)
        parts = [*(("write", *item) for item in new.items()), *(("send", *pair) for pair in then)]
        if parts:
            self.outputs.append(parts[0] if len(parts) == 1 else ("together", parts))

    def emit(self, emission: Any) -> None:
        self.outputs.append(("emit", emission))

    def choose(self, *outcomes: Any) -> Any:
        distinct = list(dict.fromkeys(outcomes))
        if len(self.choices) == len(self._script):
            raise More(len(distinct))
        self.choices.append(distinct[self._script[len(self.choices)]])
        return self.choices[-1]

    def arm(self, timer: str, duration_ms: Any) -> None:
        self._timers.add(timer)

    def cancel(self, timer: str) -> None:
        self._timers.discard(timer)

    def armed(self, timer: str) -> bool:
        return timer in self._timers

    def violate(self, why: str) -> None:
        raise Violated(why)


class Outcome(NamedTuple):
    local: Local
    outputs: tuple[Any, ...]
    choices: tuple[Any, ...]


class Machine:
    """One named process or monitor: its table as the class body wrote it."""

    def __init__(self, name: str, definition: Any, updated: bool = False) -> None:
        self.name, self.cls, self.updated = name, type(definition), updated
        self.fields = tuple(self.cls.table.fields)
        self.start = tuple(getattr(definition, f) for f in self.fields)
        self.states = [s if isinstance(s, str) else s["name"] for s in self.cls.states]
        self.initial = definition.state
        self.durable, self.hot = set(getattr(self.cls, "durable", ())), set(self.cls.hot)
        may = getattr(self.cls, "may", ())
        self.bounded = {move: f"{move} left" for move in may} if isinstance(may, dict) else {}
        self.durable |= {*self.bounded.values()}
        self.must, self.may = tuple(getattr(self.cls, "must", ())), tuple(getattr(self.cls, "may", ()))
        self.heard = {row["trigger"] for row in self.cls.transitions}

    def down(self, fields: tuple[Any, ...], state: str = DOWN) -> Local:
        kept = (v if f in self.durable else s for f, v, s in zip(self.fields, fields, self.start, strict=True))
        return Local(state, tuple(kept), updated=self.updated)

    def made(self, local: Local, move: Any) -> Local:
        """The local value when a move begins: of a bounded one there is one less left."""
        counted = self.bounded.get(move)
        fields = (v - 1 if f == counted else v for f, v in zip(self.fields, local.fields, strict=True))
        return local._replace(fields=tuple(fields))

    def react(self, local: Local, trigger: Any, given: Any = None, sender: str = "") -> list[Outcome]:
        """Every outcome of an input; none where it is not enabled. Raises Unhandled."""
        if trigger in self.bounded and local.fields[self.fields.index(self.bounded[trigger])] == 0:
            return []
        local = self.made(local, trigger)
        args = () if given is None else (given,)
        local = local._replace(timers=tuple(t for t in local.timers if t != trigger))
        row = self._row(local, trigger, args, sender)
        if row is None:
            raise Unhandled(self.name, local, trigger, given)
        if row["dest"] is DEFER:
            return []
        return list(self._paths(local, sender, [], lambda me: self._take(me, row, args)))

    def hook(self, name: str, fields: tuple[Any, ...]) -> list[Outcome]:
        method = [name] if hasattr(self.cls, name) else []
        return list(self._paths(Local(self.initial, fields), "", [], lambda me: self._call(me, method, ())))

    def _row(self, local: Local, trigger: Any, args: tuple[Any, ...], sender: str) -> dict[str, Any] | None:
        for row in self.cls.transitions:
            sources = self.states if row["source"] == "*" else _names(row["source"])
            if row["trigger"] != trigger or local.state not in sources:
                continue
            me = Self(self, local, sender, [])
            if all(self._ask(me, _names(row.get("conditions")), args)) and not any(
                self._ask(me, _names(row.get("unless")), args)
            ):
                return row
        return None

    def _call(self, me: Self, names: list[str], args: tuple[Any, ...]) -> list[Any]:
        return [getattr(me, name)(*args) for name in names]

    def _ask(self, me: Self, names: list[str], args: tuple[Any, ...]) -> list[Any]:
        """Guards: methods, fields, or attributes of the input."""
        flags = {name: me.__dict__[name] for name in names if name in me.__dict__}
        flags |= {name: getattr(args[0], name) for name in names if not hasattr(self.cls, name) and name not in flags}
        return [flags[name] if name in flags else getattr(me, name)(*args) for name in names]

    def _take(self, me: Self, row: dict[str, Any], args: tuple[Any, ...]) -> None:
        dest = row["dest"]
        self._call(me, _names(row.get("before")), args)
        if dest is not None and dest is not IGNORE:
            dest = me.state if dest == "=" else dest
            for hook, state in (("on_exit_", me.state), ("on_enter_", dest)):
                if hook == "on_enter_":
                    me.__dict__["state"] = dest
                if hasattr(self.cls, hook + state):
                    self._call(me, [hook + state], args)
        self._call(me, _names(row.get("after")), args)

    def _paths(self, local: Local, sender: str, script: list[int], act: Any) -> Iterator[Outcome]:
        me = Self(self, local, sender, script)
        try:
            act(me)
            after = Local(me.state, tuple(me.__dict__[f] for f in self.fields), tuple(sorted(me._timers)))
        except More as more:
            for index in range(more.width):
                yield from self._paths(local, sender, [*script, index], act)
            return
        except Violated as violated:
            after = Local(FAILED, ("violated", str(violated)))
        except Exception as error:
            reason = f"{self.name} in state {local.state}: {type(error).__name__}: {error}"
            after = Local(FAILED, ("exception", reason))
        yield Outcome(after._replace(updated=self.updated), tuple(me.outputs), tuple(me.choices))


def _names(given: Any) -> list[str]:
    return [] if given is None else [given] if isinstance(given, str) else list(given)


@dataclass
class Explored:
    """What an exhaustive walk found, whatever the properties say."""

    states: dict[State, int] = field(default_factory=dict)
    """State -> the length of a shortest schedule to it."""
    generated: int = 0
    depth: int = 0
    edges: dict[State, list[Step]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    """Kind of finding (`unhandled`, `exception`, `violated`, `stuck`, `waiting`) -> least length of a schedule."""


class Reference:
    """`actions` and `apply` in one: `steps(state)`."""

    def __init__(self, system: System, every_payer: bool = False) -> None:
        self.system = system
        self.every_payer = every_payer
        self.machines = [Machine(n, p) for n, p in (*system.processes.items(), *system.monitors.items())]
        self.width = len(system.processes)
        self.newer = {name: Machine(name, process, updated=True) for name, process in system.updates.items()}
        self.names = [m.name for m in self.machines]
        self.entries = [e for e in system.budget if e.count != 0]
        self.finite = [e for e in self.entries if e.count is not None]

    def _of(self, index: int, local: Local) -> Machine:
        """The machine that a local value is of."""
        return self.newer[self.names[index]] if local.updated else self.machines[index]

    # --- states ---------------------------------------------------------------------------------------------

    def initial(self) -> list[State]:
        starts: list[list[Outcome]] = [[]]
        for machine in self.machines:
            starts = [[*start, o] for start in starts for o in self._starts(machine)]
        states = []
        for start, flying in [(start, flying) for start in starts for flying in self._in_flight_before()]:
            state = State(tuple(o.local for o in start), (), tuple(e.count or 0 for e in self.finite), ())
            for envelope in flying:
                state = self._add(state, envelope)
            for index, outcome in enumerate(start):
                state = self._output(state, index, outcome.outputs)
            states.append(state)
        return list(dict.fromkeys(states))

    def _starts(self, machine: Machine) -> list[Outcome]:
        """How a process starts; one of which something was persisted goes on there."""
        begins = self.system.begins
        if begins is None or machine.name not in begins.locals:
            return machine.hook("on_start", machine.start)
        one = begins.locals[machine.name]
        fields = tuple(one.fields.get(f, s) for f, s in zip(machine.fields, machine.start, strict=True))
        if not one.up:
            return [Outcome(machine.down(fields), (), ())]
        return [Outcome(Local(one.state, fields, tuple(sorted(one.timers))), (), ())]

    def _in_flight_before(self) -> list[list[Any]]:
        """What may be in flight before anything starts: what may come again does so after all else, or not."""
        begins = self.system.begins
        if begins is None:
            return [[]]
        found = [[tuple(one[:3]) for one in begins.flying]]
        for envelope in [tuple(one[:3]) for one in begins.flying if one[3:] == (True,)]:
            if self._kind(envelope) in ("any", "fifo"):
                found += [[*flying, envelope] for flying in found]
        return found

    def _output(self, state: State, index: int, outputs: tuple[Any, ...], first: Any = None, last: Any = None) -> State:
        """After sends and emissions; writes are in the local value already."""
        for output in _flat(outputs):
            if output[0] == "send":
                state = self._add(state, (self.names[index], output[1], output[2]))
        emitted = [o[1] for o in outputs if o[0] == "emit"]
        for emission in [*([first] if first else []), *emitted, *([last] if last else [])]:
            state = self._hear(state, emission)
        return state

    def _hear(self, state: State, emission: Any) -> State:
        for index in range(self.width, len(self.machines)):
            machine, local = self.machines[index], state.locals[index]
            if type(emission) in machine.heard and local.state != FAILED:
                try:
                    (outcome,) = machine.react(local, type(emission), emission)
                    after = outcome.local
                except Unhandled as unhandled:
                    after = unhandled.local
                state = _put(state, index, after)
        return state

    # --- networks -------------------------------------------------------------------------------------------

    def _kind(self, envelope: Any) -> str:
        given, (source, target, _) = self.system.network, envelope
        if isinstance(given, str):
            return given
        links = [(f"{source}->{target}"), (f"{source}->*"), (f"*->{target}"), "*"]
        return [*(given[link] for link in links if link in given), "any"][0]

    def _is_flat(self) -> bool:
        """Whether `net` holds envelopes, and not runs of those that are kept together."""
        names = self.names[: self.width]
        return {self._kind((a, b, None)) for a in names for b in names} in ({"any"}, {"set"})

    def _run(self, envelope: Any) -> Any:
        """What is the same for those that are kept together."""
        whole = (*envelope[:2], type(envelope[2]))
        return {"fifo": envelope[:2], "latest": whole}.get(self._kind(envelope), envelope)

    def _runs(self, state: State) -> list[tuple[Any, ...]]:
        return [(e,) for e in state.net] if self._is_flat() else list(state.net)

    def _in_flight(self, state: State) -> list[Any]:
        """Every envelope in flight, copies too."""
        return [envelope for run in self._runs(state) for envelope in run]

    def _with_runs(self, state: State, runs: list[tuple[Any, ...]]) -> State:
        left = [run for run in runs if run]
        net = [e for run in left for e in run] if self._is_flat() else left
        return state._replace(net=tuple(sorted(net, key=encode)))

    def _add(self, state: State, envelope: Any) -> State:
        kind, runs = self._kind(envelope), self._runs(state)
        if kind == "set" and (envelope,) in runs:
            return state
        mine = [run for run in runs if self._run(run[0]) == self._run(envelope)]
        others = [run for run in runs if run not in mine]
        before = () if kind == "latest" else tuple(e for run in mine for e in run)
        return self._with_runs(state, [*others, (*before, envelope)])

    def _remove(self, state: State, envelope: Any) -> State:
        runs = self._runs(state)
        at = next(i for i, run in enumerate(runs) if envelope in run)
        run = runs[at]
        place = run.index(envelope)
        runs[at] = run[:place] + run[place + 1 :]
        return self._with_runs(state, runs)

    def _delivered(self, envelope: Any) -> Any:
        """What a delivery takes away."""
        return None if self._kind(envelope) == "set" else envelope

    def _flying(self, state: State) -> list[Any]:
        """Every message in flight, equal ones once."""
        return list(dict.fromkeys(e for run in self._runs(state) for e in run))

    def _heads(self, state: State) -> list[Any]:
        return list(dict.fromkeys(run[0] for run in self._runs(state)))

    def _held(self, state: State, envelope: Any) -> bool:
        for name in state.cuts:
            if name.endswith(" for good"):
                continue  # what it holds is not in flight
            cut = self.system.cuts[name]
            everybody = set(self.system.processes)
            other = everybody - cut.side if cut.other is None else cut.other
            ways = [(cut.side, other)] if cut.one_way else [(cut.side, other), (other, cut.side)]
            if any(envelope[0] in a and envelope[1] in b for a, b in ways):
                return True
        return False

    # --- steps ----------------------------------------------------------------------------------------------

    def steps(self, state: State) -> list[Step]:
        if any(local.state == FAILED for local in state.locals):
            return []
        handled = [*self._deliveries(state), *self._domain(state), *self._own(state)]
        found = [s for s, _ in handled]
        found += [s for _, windows in handled for s in windows]
        found += [*self._network_faults(state), *self._crashes(state), *self._cut_steps(state)]
        found += [*self._host_steps(state), *self._updates(state)]
        return [step._replace(after=self._arriving(step.after)) for step in found]

    def _arriving(self, state: State) -> State:
        """Without what can never arrive."""
        gone = {name for name, local in zip(self.names, state.locals, strict=True) if local.state == GONE}
        lasting = [name.removesuffix(" for good") for name in state.cuts if name.endswith(" for good")]
        for envelope in self._in_flight(state):
            if envelope[1] in gone or self._held(state._replace(cuts=tuple(lasting)), envelope):
                state = self._remove(state, envelope)
        return state

    def _handler(
        self,
        state: State,
        index: int,
        outcome: Outcome,
        what: tuple[Any, ...],
        *,
        progress: bool,
        consumed: Any = None,
        first: Any = None,
        spend: Any = None,
        message: str = "",
    ) -> tuple[Step, list[Step]]:
        """A handler's step, and the same step struck by a crash after each prefix of its outputs."""
        before = state.locals[index]
        base = self._spend(self._remove(state, consumed) if consumed else state, spend)
        what = (*what, outcome.choices)
        whole = self._output(_put(base, index, outcome.local), index, outcome.outputs, first)
        windows: list[Step] = []
        if outcome.local.state != FAILED:
            for n in range(len(outcome.outputs) + 1):
                back = before.state == DOWN
                begun = self._of(index, before).made(before, what[2]) if what[0] == "move" else before
                for entry in self._window_entries(base, self.names[index], outcome.outputs, n, message, back):
                    prefix = outcome.outputs[:n]
                    fields = dict(zip(self._of(index, before).fields, begun.fields, strict=True))
                    fields.update({o[1]: o[2] for o in _flat(prefix) if o[0] == "write"})
                    left = self._of(index, before).down(tuple(fields.values()), GONE if entry.for_good else DOWN)
                    struck = _put(self._spend(base, entry), index, left)
                    struck = self._output(struck, index, prefix, first, Crashed(self.names[index]))
                    windows.append(Step((*what, "crash", n, entry), struck, False))
                for host in [name for name, members in self.system.machines.items() if self.names[index] in members]:
                    for entry in self._window_entries(base, host, outcome.outputs, n, message):
                        prefix = outcome.outputs[:n]
                        fields = dict(zip(self._of(index, before).fields, begun.fields, strict=True))
                        fields.update({o[1]: o[2] for o in _flat(prefix) if o[0] == "write"})
                        state_after = GONE if entry.for_good else OFF
                        struck = _put(self._spend(base, entry), index, before._replace(fields=tuple(fields.values())))
                        struck = self._output(struck, index, prefix, first, Crashed(self.names[index]))
                        struck = _put(struck, index, self._of(index, before).down(tuple(fields.values()), state_after))
                        struck = self._fell(struck, host, state_after)
                        windows.append(Step((*what, "crash with", host, n, entry), struck, False))
        return Step(what, whole, progress), windows

    def _fell(self, state: State, host: str, after: str) -> State:
        """The machine goes down, with whoever is still up on it and what is in flight inside of it."""
        for envelope in self._in_flight(state):
            if {envelope[0], envelope[1]} <= {*self.system.machines[host]}:
                state = self._remove(state, envelope)
        for name in self.system.machines[host]:
            index = self.names.index(name)
            local = state.locals[index]
            if local.state != GONE:
                state = _put(state, index, self._of(index, local).down(local.fields, after))
            if local.state not in (DOWN, GONE, OFF):
                state = self._hear(state, Crashed(name))
        return state

    def _host_steps(self, state: State) -> Iterator[Step]:
        for host, members in self.system.machines.items():
            on = [self.names.index(name) for name in members]
            if any(state.locals[i].state not in (DOWN, GONE, OFF) for i in on):
                fitting = [e for e in self._left_of(state, "crash") if not e.after and e.target in (None, host)]
                for entry in self._payers(fitting) if not self._full(state) else []:
                    struck = self._fell(self._spend(state, entry), host, GONE if entry.for_good else OFF)
                    yield Step(("crash", host, entry), struck, False)
            off = [i for i in on if state.locals[i].state == OFF]
            ways: list[list[Outcome]] = [[]]
            for i in off:
                ways = [
                    [*way, o]
                    for way in ways
                    for o in self._of(i, state.locals[i]).hook("on_restart", state.locals[i].fields)
                ]
            for way in ways if off else []:
                yield from self._host_restart(state, host, off, way)

    def _host_restart(self, state: State, host: str, off: list[int], way: list[Outcome]) -> Iterator[Step]:
        what = ("restart", host, tuple(o.choices for o in way))
        everything = [(i, output) for i, o in zip(off, way, strict=True) for output in o.outputs]
        whole = state
        for i, outcome in zip(off, way, strict=True):
            whole = _put(whole, i, outcome.local)
        for i in off:
            whole = self._hear(whole, Restarted(self.names[i]))
        for i, output in everything:
            whole = self._output(whole, i, (output,))
        yield Step(what, whole, True)
        if any(outcome.local.state == FAILED for outcome in way):
            return
        for n in range(len(everything) + 1):
            outputs = tuple(output for _, output in everything)
            for entry in self._window_entries(state, host, outputs, n, "", back=True):
                struck = self._spend(state, entry)
                for i in off:
                    fields = dict(zip(self._of(i, state.locals[i]).fields, state.locals[i].fields, strict=True))
                    done = tuple(output for j, output in everything[:n] if j == i)
                    fields.update({o[1]: o[2] for o in _flat(done) if o[0] == "write"})
                    after = self._of(i, state.locals[i]).down(tuple(fields.values()), GONE if entry.for_good else OFF)
                    struck = _put(struck, i, after)
                for i in off:
                    struck = self._hear(struck, Restarted(self.names[i]))
                for i, output in everything[:n]:
                    struck = self._output(struck, i, (output,))
                for i in off:
                    struck = self._hear(struck, Crashed(self.names[i]))
                struck = self._fell(struck, host, GONE if entry.for_good else OFF)
                yield Step((*what, "crash", n, entry), struck, False)

    def _updates(self, state: State) -> Iterator[Step]:
        for index, name in enumerate(self.names):
            old = state.locals[index]
            fitting = [e for e in self._left_of(state, "update") if e.target in (None, name)]
            if name not in self.newer or old.updated or old.state in (DOWN, GONE, OFF):
                continue
            new, kept = self.newer[name], dict(zip(self.machines[index].fields, old.fields, strict=True))
            values = dict(zip(new.fields, new.start, strict=True))
            values.update({field: kept[field] for field in self.machines[index].durable if not field.endswith(" left")})
            for outcome in new.hook("on_restart", tuple(values.values())):
                for entry in self._payers(fitting):
                    base = _put(state, index, new.down(tuple(values.values())))
                    heard = self._hear(base, Crashed(name))
                    first = Restarted(name)
                    step, windows = self._handler(
                        heard, index, outcome, ("update", index, entry), progress=False, first=first, spend=entry
                    )
                    yield step
                    yield from windows if not self._full(state) else []

    def _full(self, state: State) -> bool:
        """Whether as many are down as may be; a machine is one."""
        if self.system.down_max is None:
            return False
        down = {name for name, local in zip(self.names, state.locals, strict=True) if local.state in (DOWN, GONE, OFF)}
        hosts = [host for host, members in self.system.machines.items() if down & {*members}]
        alone = [name for name in down if not self._on_host(name)]
        return len(hosts) + len(alone) >= self.system.down_max

    def _on_host(self, name: str) -> bool:
        return any(name in members for members in self.system.machines.values())

    def _outcomes(self, index: int, local: Local, trigger: Any, given: Any, sender: str) -> list[Outcome]:
        try:
            return self._of(index, local).react(local, trigger, given, sender)
        except Unhandled as unhandled:
            return [Outcome(unhandled.local, (), ())]

    def _deliveries(self, state: State) -> Iterator[tuple[Step, list[Step]]]:
        heads: list[tuple[Any, Any]] = [(e, None) for e in self._heads(state)]
        late = []
        for run in self._runs(state):
            if self._kind(run[0]) == "fifo":
                others = [e for e in dict.fromkeys(run[1:]) if e != run[0]]
                late += [(e, entry) for e in others for entry in self._entries(state, "reorder", e)]
        for envelope, entry in [*heads, *late]:
            source, target, message = envelope
            index = self.names.index(target)
            local = state.locals[index]
            if local.state in (DOWN, GONE, OFF) or self._held(state, envelope):
                continue
            for outcome in self._outcomes(index, local, type(message), message, source):
                yield self._handler(
                    state,
                    index,
                    outcome,
                    ("deliver", envelope, entry),
                    progress=entry is None,
                    consumed=self._delivered(envelope),
                    first=Received(target, message),
                    spend=entry,
                    message=type(message).__name__,
                )

    def _domain(self, state: State) -> Iterator[tuple[Step, list[Step]]]:
        for fault, carriers in self.system.carriers.items():
            for envelope in self._heads(state):
                source, target, message = envelope
                index = self.names.index(target)
                local = state.locals[index]
                hints = {e.hint_ms for e in self.entries if e.kind == fault.kind}
                if type(message) not in carriers or local.state in (DOWN, GONE, OFF) or self._held(state, envelope):
                    continue
                for hint in hints:
                    entries = self._entries(state, fault.kind, envelope, hint)
                    given: Fault = fault(message, hint) if fault is RateLimited else fault(message)
                    try:
                        outcomes = self._of(index, local).react(local, fault, given, source) if entries else []
                    except Unhandled:
                        continue  # no enabled row: no opportunity
                    for outcome, entry in [(o, e) for o in outcomes for e in entries]:
                        yield self._handler(
                            state,
                            index,
                            outcome,
                            ("under", fault.kind, hint, envelope, entry),
                            progress=False,
                            consumed=None if fault.survives else self._delivered(envelope),
                            spend=entry,
                            message=type(message).__name__,
                        )

    def _own(self, state: State) -> Iterator[tuple[Step, list[Step]]]:
        for index in range(self.width):
            local = state.locals[index]
            machine = self._of(index, local)
            if local.state == DOWN:
                for outcome in machine.hook("on_restart", local.fields):
                    first = Restarted(machine.name)
                    yield self._handler(state, index, outcome, ("restart", index), progress=True, first=first)
                continue
            if local.state in (GONE, OFF):
                continue
            for timer in local.timers:
                for outcome in self._outcomes(index, local, timer, None, ""):
                    yield self._handler(state, index, outcome, ("fire", index, timer), progress=True)
            for move in (*machine.must, *machine.may):
                try:
                    outcomes = machine.react(local, move)
                except Unhandled:
                    continue  # a spontaneous move is enabled only where a row holds
                for outcome in outcomes:
                    yield self._handler(state, index, outcome, ("move", index, move), progress=move in machine.must)

    def _network_faults(self, state: State) -> Iterator[Step]:
        for envelope in self._flying(state):
            for entry in self._entries(state, "drop", envelope):
                yield Step(("drop", envelope, entry), self._spend(self._remove(state, envelope), entry), False)
            for entry in self._entries(state, "duplicate", envelope) if self._kind(envelope) in ("any", "fifo") else ():
                yield Step(("duplicate", envelope, entry), self._spend(self._add(state, envelope), entry), False)

    def _crashes(self, state: State) -> Iterator[Step]:
        for index in range(self.width):
            local, name = state.locals[index], self.names[index]
            places = (name,) if self._on_host(name) else (None, name)
            fitting = [e for e in self._left_of(state, "crash") if not e.after and e.target in places]
            can = local.state not in (DOWN, GONE, OFF) and not self._full(state)
            for entry in self._payers(fitting) if can else []:
                down = self._of(index, local).down(local.fields, GONE if entry.for_good else DOWN)
                after = _put(self._spend(state, entry), index, down)
                yield Step(("crash", index, entry), self._hear(after, Crashed(name)), False)

    def _cut_steps(self, state: State) -> Iterator[Step]:
        for name in self.system.cuts:
            if name in state.cuts:
                yield Step(("heal", name), state._replace(cuts=tuple(c for c in state.cuts if c != name)), True)
                continue
            if f"{name} for good" in state.cuts:
                continue
            for entry in self._payers([e for e in self._left_of(state, "cut") if e.target in (None, name)]):
                known = [*self.system.cuts, *(f"{cut} for good" for cut in self.system.cuts)]
                struck = f"{name} for good" if entry.for_good else name
                cuts = tuple(c for c in known if c in (*state.cuts, struck))
                yield Step(("cut", name, entry), self._spend(state._replace(cuts=cuts), entry), False)

    # --- budgets --------------------------------------------------------------------------------------------

    def _left_of(self, state: State, kind: str) -> list[Any]:
        """The entries of a kind with something left."""
        return [e for e in self.entries if e.kind == kind and (e.count is None or self._left(state, e))]

    def _left(self, state: State, entry: Any) -> int:
        return state.budgets[self.finite.index(entry)]

    def _entries(self, state: State, kind: str, envelope: Any, hint: Any = None) -> list[Any]:
        source, target, message = envelope
        places = (None, source, target, f"{source}->{target}", type(message).__name__)
        return self._payers([e for e in self._left_of(state, kind) if e.target in places and e.hint_ms == hint])

    def _window_entries(
        self, state: State, name: str, outputs: tuple[Any, ...], n: int, message: str, back: bool = False
    ) -> list[Any]:
        if self._full(state) and not back:
            return []
        places = (name,) if self._on_host(name) else (None, name)
        fitting = [e for e in self._left_of(state, "crash") if e.target in places]
        behind = [_name(output) for output in _flat(outputs[n - 1 : n])] if n else []
        behind += [message] if n == len(outputs) and message else []
        return self._payers([e for e in fitting if not e.after or e.after in behind])

    def _payers(self, fitting: list[Any]) -> list[Any]:
        """Those of the entries that may pay: every one if `every_payer`; otherwise the first without limit, or those than
        which no other is more particular."""
        if self.every_payer:
            return fitting
        if len({e.for_good for e in fitting}) > 1:  # two faults
            return [e for good in (False, True) for e in self._payers([e for e in fitting if e.for_good is good])]
        endless = [e for e in fitting if e.count is None]
        if endless:
            return endless[:1]
        return [e for e in fitting if not any(_more_particular(other, e) for other in fitting if other is not e)]

    def _spend(self, state: State, entry: Any) -> State:
        if entry is None or entry.count is None:
            return state
        at = self.finite.index(entry)
        return state._replace(budgets=(*state.budgets[:at], state.budgets[at] - 1, *state.budgets[at + 1 :]))

    # --- the walk -------------------------------------------------------------------------------------------

    def explore(self, states_max: int = 10**9) -> Explored | None:
        """Every state, or None if there are more than `states_max`."""
        result, level = Explored(), self.initial()
        result.generated = len(level)
        result.states = dict.fromkeys(level, 0)
        while level:
            result.depth += 1
            found = []
            for state in level:
                steps = result.edges[state] = self.steps(state)
                assert len({step.what for step in steps}) == len(steps), Counter(s.what for s in steps).most_common(1)
                result.generated += len(steps)
                self._note_failures(result, state, result.depth - 1)
                for step in steps:
                    if step.after not in result.states:
                        result.states[step.after] = result.depth
                        found.append(step.after)
                if len(result.states) > states_max:
                    return None
            level = found
        return result

    def _note_failures(self, result: Explored, state: State, length: int) -> None:
        kinds = [local.fields[0] for local in state.locals if local.state == FAILED]
        if not kinds and not any(step.progress and step.after != state for step in result.edges[state]):
            for index, local in enumerate(state.locals):
                if local.state in self._of(index, local).hot:
                    kinds.append("stuck" if index < self.width else "waiting")
        for kind in kinds:
            result.failures.setdefault(kind, length)


def _put(state: State, index: int, local: Local) -> State:
    return state._replace(locals=(*state.locals[:index], local, *state.locals[index + 1 :]))


def _more_particular(one: Any, other: Any) -> bool:
    """Whether whatever one entry may strike the other may strike as well."""
    if other.after is not None and one.after != other.after:
        return False
    return other.target is None or one.target == other.target or other.target in (one.target or "").split("->")


def _flat(outputs: tuple[Any, ...]) -> list[Any]:
    """Outputs, with what was one instant as several."""
    return [part for output in outputs for part in (output[1] if output[0] == "together" else [output])]


def _name(output: tuple[Any, ...]) -> str:
    return output[1] if output[0] == "write" else type(output[-1]).__name__
