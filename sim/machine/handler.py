"""Runs one handler: (local value, input) -> outcomes, by the `transitions` library in strict settings.

The library is given one machine per class and no model: the current instance is passed with each trigger, so that no
attribute is ever added to a process and a callback has nothing to trigger again. Every callback goes through `_Call`,
which passes it the input if it takes one, keeps guards from acting, and makes a guard's answer a bool (the library
compares it with `==`: a truthy 2 would count as False).
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from transitions import EventData, Machine, MachineError, Transition

from sim.base.annotations import mismatches, within_value
from sim.base.errors import ModelError, failure, nearest, text_of
from sim.base.overdue import WATCH
from sim.base.values import Record, Value, show
from sim.machine.callbacks import arity
from sim.machine.outputs import Arm, Emit, Output, sends_of, writes_of
from sim.machine.process import HandlerCall, StateMachine, Violated
from sim.machine.table import DEFER, DOWN, FAILED, GONE, OFF, Dest, Row, Table, Trigger, trigger_name


class Local(NamedTuple):
    """The local value of a process or monitor: everything it is between two steps."""

    state: str
    fields: tuple[Value, ...]
    timers: tuple[str, ...] = ()

    @property
    def up(self) -> bool:
        return self.state not in (DOWN, GONE, OFF, FAILED)


class Call(NamedTuple):
    """What a handler is doing, for whoever waits for it."""

    name: str
    definition: str
    state: str
    input: Record | str

    def __str__(self) -> str:
        given = self.input if isinstance(self.input, str) else show(self.input)
        return f"the handler of {self.name} ({self.definition}) in state {self.state} for {given}"


Decide = Callable[[tuple[Value, ...]], Value]
"""Who chooses: told what may be chosen, gives one of it."""


class Outcome(NamedTuple):
    """One outcome path of a handler call."""

    local: Local
    outputs: tuple[Output, ...]
    arms: tuple[Arm, ...]
    choices: tuple[Value, ...]
    row: Row | None


def failed(kind: str, reason: str) -> Local:
    """The local value of a machine that left its table: a finding, part of the state like any other value, so that
    every engine sees it the same way. An address, as `repr` prints it, is another in every process: it is left out."""
    return Local(FAILED, (kind, _ADDRESS.sub("", reason)))


def is_unhandled(local: Local) -> bool:
    """Whether a machine was given what its table has no row for."""
    return local.state == FAILED and local.fields[0] == UNHANDLED


UNHANDLED = "unhandled"
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class _RowTransition(Transition):
    """A transition of the library that knows its row of the table, and records when it was taken."""

    def __init__(self, *args: Any, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    def execute(self, event_data: EventData) -> bool:
        taken = super().execute(event_data)
        if taken:
            model: Any = event_data.model
            model._step.row = self.row
        return taken


class _Machine(Machine):
    transition_cls = _RowTransition


class _Call:
    """One callback by name, called with the input if it takes one; a guard may be a field or an attribute of the
    input, which is read."""

    def __init__(self, cls: type, name: str, guard: bool) -> None:
        self.name = name
        method = getattr(cls, name, None)
        self.is_flag = not callable(method)
        self.takes_input = callable(method) and arity(method) == 1
        self.guard = guard

    def __call__(self, event: EventData) -> bool:
        model: Any = event.model
        if self.is_flag:
            return bool(getattr(model if self.name in model.table.fields else cast(Any, event.args)[0], self.name))
        method = getattr(model, self.name)
        model._step.guarding = self.guard
        try:
            return bool(method(*event.args) if self.takes_input and event.args else method())
        finally:
            model._step.guarding = False

    def __repr__(self) -> str:
        return self.name


@cache
def _machine(cls: Any) -> Machine:
    """The library's machine of a class, in strict settings: no automatic transitions, no queue, no
    tolerance of undeclared triggers."""
    table: Table = cls.table

    def calls(names: tuple[str, ...], guard: bool = False) -> list[Any]:
        return [_Call(cls, name, guard) for name in names]

    machine = _Machine(
        model=None,
        states=[
            {"name": s, "on_enter": calls(table.on_enter[s]), "on_exit": calls(table.on_exit[s])} for s in table.states
        ],
        initial=table.initial,
        auto_transitions=False,
        ignore_invalid_triggers=False,
        send_event=True,
        queued=False,
        model_attribute="_state",
    )
    for row in table.rows:
        machine.add_transition(
            trigger_name(row.trigger),
            list(row.sources),
            None if isinstance(row.dest, Dest) else row.dest,
            conditions=calls(row.conditions, guard=True),
            unless=calls(row.unless, guard=True),
            before=calls(row.before),
            after=calls(row.after),
            row=row,
        )
    return machine


class Refused(Exception):
    """All rows of the (state, trigger) pair refused, or no row exists."""


class NotEnabled(Exception):
    """A row says that this input is not enabled now."""


class Handler:
    """Runs the handlers of one named process or monitor of a system."""

    def __init__(self, name: str, definition: StateMachine) -> None:
        self.name = name
        self.definition = definition
        self.cls = type(definition)
        self.table = self.cls.table
        self.fields = tuple(self.table.fields)
        self.initial_state = definition.state
        self.initial_fields = definition.field_values()
        self.calls = 0
        self._machine: Machine = _machine(cast(Any, self.cls))

    def initial(self, decide: Decide | None = None) -> list[Outcome]:
        """The outcomes of `on_start` in the initial state."""
        return self._hook("on_start", self.initial_fields, decide)

    def goes_on(self, state: str, fields: Mapping[str, Value], arms: Iterable[Arm], *, up: bool) -> list[Outcome]:
        """The one outcome of going on: it is in this state with these timers armed, or else down. Fields that are not
        named are as at the start."""
        values = dict(zip(self.fields, self.initial_fields, strict=True)) | dict(fields)
        if not up:
            return [Outcome(self.down(tuple(values.values())), (), (), (), None)]
        armed = tuple(sorted(arms, key=lambda arm: arm.timer))
        local = Local(state, tuple(values.values()), tuple(arm.timer for arm in armed))
        return [Outcome(local, (), armed, (), None)]

    def restart(self, down: Local, decide: Decide | None = None) -> list[Outcome]:
        """The outcomes of `on_restart`: the initial state, with what was durable."""
        return self._hook("on_restart", down.fields, decide)

    def updated(self, old: Handler, before: Local) -> list[Outcome]:
        """The outcomes of `on_restart` as the next version of a process."""
        return self.restart(self.taken_over(old, before))

    def taken_over(self, old: Handler, before: Local) -> Local:
        """What the next version of a process has of it: its durable fields. The others are as at the start."""
        values = dict(zip(self.fields, self.initial_fields, strict=True))
        values |= {n: v for n, v in zip(old.fields, before.fields, strict=True) if n in old.table.durable}
        mistakes = [wrong for name, value in values.items() for wrong in mismatches(self.cls, name, value)]
        if mistakes:
            raise ModelError(*(f"the update of {self.name}: {wrong}" for wrong in mistakes))
        return Local(DOWN, tuple(values.values()))

    def down(self, fields: tuple[Value, ...], state: str = DOWN) -> Local:
        """These fields after a crash: the durable ones stay, the others are as at the start."""
        durable = self.table.durable.union(self.table.left.values())
        kept = tuple(
            value if name in durable else initial
            for name, value, initial in zip(self.fields, fields, self.initial_fields, strict=True)
        )
        return Local(state, kept)

    def begun(self, fields: tuple[Value, ...], move: str) -> tuple[Value, ...] | None:
        """The fields once a move has begun, which counts even if a crash strikes in it; None where its bound is
        reached."""
        counted = self.table.left.get(move)
        if counted is None:
            return fields
        at = self.fields.index(counted)
        left = cast(int, fields[at])
        return (*fields[:at], left - 1, *fields[at + 1 :]) if left else None

    def react(
        self,
        local: Local,
        trigger: Trigger,
        given: Record | None = None,
        sender: str = "",
        decide: Decide | None = None,
    ) -> list[Outcome] | None:
        """All outcome paths of one input, in order of their choices; None where it is not enabled. With `decide`, which is
        told what may be chosen and gives one of it, there is one path.

        An undeclared pair, an exception in a callback and a violation are outcomes too: a local value
        in state `(failed)`. Raises `ModelError` if the model breaks a rule of the framework.
        """
        WATCH.call = Call(self.name, self.cls.__name__, local.state, trigger_name(trigger) if given is None else given)
        try:
            return self._paths(local, trigger, given, sender, decide)
        except NotEnabled:
            return None
        except Refused:
            if isinstance(trigger, str) and trigger not in self.table.timers:
                return None  # a spontaneous move is enabled only where a row holds
            what = f"timer {trigger}" if isinstance(trigger, str) else trigger_name(trigger)
            shown = f": {show(given)}" if given is not None else ""
            reason = f"unhandled {what} in state {local.state} of {self.name}{shown}"
            return [Outcome(failed(UNHANDLED, reason), (), (), (), None)]
        finally:
            WATCH.call = None

    def _paths(
        self, local: Local, trigger: Trigger, given: Record | None, sender: str, decide: Decide | None
    ) -> list[Outcome]:
        machine = self._machine
        event = machine.events.get(trigger_name(trigger))
        if event is None:
            raise Refused
        timers = tuple(t for t in local.timers if t != trigger)
        fields = self.begun(local.fields, trigger) if isinstance(trigger, str) else local.fields
        if fields is None:
            raise NotEnabled

        def handle(instance: StateMachine, step: HandlerCall) -> None:
            try:
                taken = event.trigger(instance, *(() if given is None else (given,)))
            except MachineError:
                raise Refused from None
            if not taken:
                raise Refused
            if step.row is not None and step.row.dest is DEFER:
                raise NotEnabled

        return self._explore(local._replace(fields=fields, timers=timers), handle, sender, decide)

    def _hook(self, hook: str, fields: tuple[Value, ...], decide: Decide | None = None) -> list[Outcome]:
        method = getattr(self.cls, hook, None)

        def handle(instance: StateMachine, _: HandlerCall) -> None:
            if method is not None:
                method(instance)

        WATCH.call = Call(self.name, self.cls.__name__, self.initial_state, hook)
        try:
            return self._explore(Local(self.initial_state, fields), handle, decide=decide)
        finally:
            WATCH.call = None

    def _explore(
        self,
        local: Local,
        handle: Callable[[StateMachine, HandlerCall], None],
        sender: str = "",
        decide: Decide | None = None,
    ) -> list[Outcome]:
        """Runs the handler once for every path of its choices, depth first; once, if somebody decides."""
        outcomes: list[Outcome] = []
        scripts: list[tuple[int, ...]] = [()]
        known: dict[tuple[int, ...], tuple[int, list[int]]] = {}
        while scripts:
            script = scripts.pop()
            instance, step = self._instance(local, script, sender)
            step.known, step.decide = known, decide
            self.calls += 1
            try:
                handle(instance, step)
                after = self._local_of(instance, step)
            except (Refused, NotEnabled, ModelError):
                raise
            except Violated as violation:
                after = failed("violated", text_of(violation))
            except BaseException as error:  # the user's handler failed: that is a finding, with its schedule
                after = failed("exception", f"{self.name} in state {local.state}: {_where(error)}")
            else:
                self._hold(local, after, step)
            outcomes.append(Outcome(after, tuple(step.outputs), tuple(step.arms), tuple(step.choices), step.row))
            chosen = script + (0,) * (len(step.widths) - len(script))
            for position in range(len(script), len(step.widths)):  # the last one pushed is the next in order
                scripts += [(*chosen[:position], i) for i in range(step.widths[position] - 1, 0, -1)]
        return outcomes

    def _instance(self, local: Local, script: tuple[int, ...], sender: str) -> tuple[StateMachine, HandlerCall]:
        instance = object.__new__(self.cls)
        for name, value in zip(self.fields, local.fields, strict=True):
            object.__setattr__(instance, name, value)
        step = HandlerCall(local.timers, script, sender)
        object.__setattr__(instance, "_name", self.name)
        object.__setattr__(instance, "_state", local.state)
        object.__setattr__(instance, "_step", step)
        return instance, step

    def _local_of(self, instance: StateMachine, step: HandlerCall) -> Local:
        return Local(instance.state, instance.field_values(), tuple(sorted(step.timers)))

    def _hold(self, before: Local, after: Local, step: HandlerCall) -> None:
        """Holds what is new after a handler against the annotations; every value comes from some handler, so this is
        asked once for each row and never when a row is looked up."""
        values = zip(self.fields, before.fields, after.fields, strict=True)
        kept = [(name, value) for name, held, value in values if value is not held]
        mistakes: list[str] = []
        for output in step.outputs:
            mistakes += [wrong for send in sends_of(output) for wrong in within_value(send.message)]
            if isinstance(output, Emit):
                mistakes += within_value(output.emission)
            kept += [(write.field, write.value) for write in writes_of(output)]
        for name, value in kept:
            mistakes += mismatches(self.cls, name, value)
        if mistakes:
            who = f"{self.cls.__name__} {self.name!r} in state {after.state!r}"
            raise ModelError(*(f"{who}: {mistake}" for mistake in dict.fromkeys(mistakes)))


_OURS = (__file__, inspect.getfile(Machine))


def _where(error: BaseException) -> str:
    """`TypeError: ... (file.py:12, in reply)`, without any absolute path: it is part of a state."""
    said = failure(error)
    places = list(traceback.walk_tb(error.__traceback__))
    if isinstance(error, RecursionError):  # where it ends depends on where it began: say where it was entered
        places = [place for place in places if place[0].f_code.co_filename not in _OURS][:1] or places
    frame, line = places[-1]
    code = frame.f_code
    place = f" ({code.co_filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}, in {code.co_name})"
    hint = ""
    if isinstance(error, AttributeError) and isinstance(error.obj, StateMachine):
        hint = nearest(str(error.name), type(error.obj).table.fields)
    return f"{said}{hint}{place}"
