"""Processes and monitors: the classes a model is written in.

A process is a value between two steps: its state's name, its fields, its armed timers. While it handles
one input an instance exists, on which callbacks read and write fields as ordinary attributes; what they
do to the world goes through five verbs (`send`, `emit`, `choose`, `arm`, `cancel`). Nothing else may
influence or leave a handler: no clock, no random number, no environment, no other process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, TypeVar, cast, dataclass_transform

from sim.base.errors import ModelError, TableError, unknown
from sim.base.values import Emission, Message, Value, describe, encode, freeze, is_record, show
from sim.machine.constants import constant_fields
from sim.machine.outputs import Arm, Emit, Output, Send, Together, Write
from sim.machine.table import FAILED, REQUIRED, Row, Table
from sim.machine.table_reader import MONITOR_INPUTS, PROCESS_INPUTS, read_table

T = TypeVar("T")


class Violated(Exception):
    """Raised by `Monitor.violate`: the property does not hold."""


class HandlerCall:
    """The record of one handler call: its outputs in order, its timers, its choices."""

    __slots__ = (
        "arms",
        "asked",
        "choices",
        "decide",
        "guarding",
        "known",
        "outputs",
        "row",
        "script",
        "sender",
        "timers",
        "widths",
    )

    def __init__(self, timers: tuple[str, ...], script: tuple[int, ...], sender: str) -> None:
        self.outputs: list[Output] = []
        self.arms: list[Arm] = []
        self.timers = set(timers)
        self.script = script  # the outcome of each `choose`; any further one takes its first
        self.choices: list[Value] = []
        self.widths: list[int] = []
        self.known: dict[tuple[int, ...], tuple[int, list[int]]] = {}
        """What other paths of the same call were given to choose from: by the number of the choice and the indices chosen
        before, how many outcomes, and where in them the distinct ones are."""
        self.asked = 0
        self.decide: Callable[[tuple[Value, ...]], Value] | None = None
        """Who chooses, if not all is to be explored: told the outcomes, gives one of them."""
        self.guarding = False
        self.row: Row | None = None
        self.sender = sender


@dataclass_transform(kw_only_default=True, eq_default=False)
class StateMachine:
    """What processes and monitors share: a table, fields, and the life of an instance."""

    states: ClassVar[Sequence[str | Mapping[str, Any]]]
    transitions: ClassVar[Sequence[Mapping[str, Any]]] = ()
    initial: str = ""
    """In a class: the initial state of its instances; `Worker(initial="idle")` begins in another one."""
    hot: ClassVar[Any] = ()
    owes: ClassVar[str] = ""

    table: ClassVar[Table]
    inputs: ClassVar[tuple[type, ...]] = ()

    _name: str
    _state: str
    _step: HandlerCall | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "states"):  # a base class without states is a mixin
            cls.table = read_table(cls, cls.inputs, _RESERVED)

    def __init__(self, *unnamed: Any, **values: Any) -> None:
        if not hasattr(type(self), "table"):
            raise ModelError(f"{type(self).__name__} has no states: it is a base class for processes, not a process")
        table = type(self).table
        if table.missing:
            raise TableError(*table.missing)
        initial = values.pop("initial", None) or table.initial
        if unnamed:
            example = f"{type(self).__name__}({next(iter(table.fields), 'field')}=...)"
            raise ModelError(f"{type(self).__name__} takes its fields by name: write {example}")
        mistakes = [
            f"{type(self).__name__}: {unknown('field', name, table.fields)}"
            for name in values
            if name not in table.fields
        ]
        if initial not in table.states:
            mistakes.append(f"{type(self).__name__}: initial: {unknown('state', initial, table.states)}")
        for name, default in table.fields.items():
            try:
                value = freeze(values[name]) if name in values else default
            except ModelError as error:
                mistakes.append(f"{type(self).__name__}: field {name}: {error}")
                continue
            if value is REQUIRED:
                mistakes.append(f"{type(self).__name__}: field {name!r} has no default: pass {name}=...")
            object.__setattr__(self, name, value)
        if mistakes:
            raise ModelError(*mistakes)
        object.__setattr__(self, "_name", "")
        object.__setattr__(self, "_state", initial)
        object.__setattr__(self, "_step", None)

    @property
    def name(self) -> str:
        """The name this machine has in its system."""
        return self._name

    @property
    def state(self) -> str:
        """The name of the current state; it changes by rows of the table only."""
        return self._state

    def field_values(self) -> tuple[Value, ...]:
        """The values of the fields, in the order of their declaration."""
        return tuple(getattr(self, name) for name in type(self).table.fields)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_state":  # written by the `transitions` library, through its machine
            object.__setattr__(self, name, value)
            return
        table = type(self).table
        if name not in table.fields:
            if name == "state":
                raise ModelError(f"{self._who()} sets 'state': only rows of the table change the state")
            raise ModelError(f"{self._who()}: {unknown('field', name, table.fields)}, or annotate it in the class body")
        step = self._acting(f"sets {name}")
        try:
            frozen = freeze(value)
        except ModelError as error:
            raise ModelError(f"{self._who()} sets {name}: {error}") from None
        if name in table.durable and encode(frozen) != encode(getattr(self, name)):
            step.outputs.append(Write(name, frozen))
        object.__setattr__(self, name, frozen)

    def __delattr__(self, name: str) -> NoReturn:
        raise ModelError(f"{self._who()} deletes {name!r}: set it to None instead")

    def __repr__(self) -> str:
        return f"<{self._who()}>"

    def _who(self) -> str:
        return f"{type(self).__name__} {self._name!r} in state {self._state!r}" if self._name else type(self).__name__

    def _acting(self, what: str) -> HandlerCall:
        """The current step; refuses an act in a guard, or outside of any handler."""
        step = self._step
        if step is None:
            raise ModelError(f"{self._who()} {what} outside of a handler: only callbacks of a row may do so")
        if step.guarding:
            raise ModelError(f"{self._who()} {what} in a guard: guards only read; do it in before or after")
        return step


def _misplaced(thing: object, wanted: type) -> str:
    """What is wrong with a thing that is not an instance of the record class `wanted`."""
    if isinstance(thing, type) and issubclass(thing, wanted):
        return f"the class {thing.__name__}: pass an instance, {thing.__name__}(...)"
    if is_record(thing):
        return f"{type(thing).__name__}: make it a subclass of {wanted.__name__}"
    return f"{describe(thing)}: pass an instance of a subclass of {wanted.__name__}"


class Process(StateMachine):
    """A process: an explicit state machine that changes only by taking an input.

    Class attributes (all but `states` optional):

    - `states`: names (or dicts with name, on_enter, on_exit); the first is `initial` unless that is set, in
      the class or for one instance: `Worker(initial="idle")`
    - `transitions`: rows, dicts of trigger, source, dest and conditions, unless, before, after; a
      trigger is a `Message` or `Fault` class, a timer, or a spontaneous move
    - `hot`: states in which work is owed; to come to rest in one, or to stay in them forever while others go round, is
      the finding `stuck`
    - `owes`: the name of a field with the keys of what is owed, a tuple or frozenset; then each key is owed by itself:
      one that stays in it forever is the finding, whatever becomes of the others
    - `must`, `may`: spontaneous moves, owed by the process itself or up to the environment; `may = {"push": 2}` is made
      twice at most in a whole run
    - `timers`: names of timers
    - `durable`: fields that survive a crash; everything else is lost
    - annotated attributes are fields, with their defaults

    Methods `on_start` (in the initial state; its sends are in flight there) and `on_restart` (at a
    restart after a crash) are optional.
    """

    initial: str = ""
    must: ClassVar[Any] = ()
    may: ClassVar[Any] = ()
    timers: ClassVar[Any] = ()
    durable: ClassVar[Any] = ()
    inputs = PROCESS_INPUTS

    @property
    def sender(self) -> str:
        """The name of the process whose message is being handled; empty outside of such a handler."""
        return self._step.sender if self._step is not None else ""

    def send(self, target: str, message: Message) -> None:
        """Send `message` to the process named `target`; a process may send to itself."""
        self._acting(f"sends to {target!r}").outputs.append(self._sent(target, message))

    def _sent(self, target: str, message: Message) -> Send:
        if not isinstance(message, Message):
            raise ModelError(f"{self._who()} sends {_misplaced(message, Message)}")
        if not isinstance(target, str):
            raise ModelError(f"{self._who()} sends to {describe(target)}: pass the name of a process, then the message")
        if not target:
            raise ModelError(f"{self._who()} sends to '': only the handler of a message has a sender")
        return Send(target, self._frozen(message))

    def write(self, *, then: Sequence[tuple[str, Message]] = (), **writes: Value) -> None:
        """Give durable fields new values in one instant: no crash comes between them (`self.write(term=2, vote=None)`).

        `then` are messages, each with its target before it, that are sent in the same instant: an outbox, say, from which
        what was written is sent for sure. (A class that has a `write` of its own has that one.)
        """
        step = self._acting("writes")
        self._durable("writes", writes)
        kept = tuple(Write(field, self._frozen(value)) for field, value in writes.items())
        new = tuple(write for write in kept if encode(write.value) != encode(getattr(self, write.field)))
        sends = []
        for pair in then:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ModelError(f"{self._who()} writes, then {describe(pair)}: pass pairs, then=[(target, message)]")
            sends.append(self._sent(*pair))
        for write in new:
            object.__setattr__(self, write.field, write.value)
        parts: list[Output] = [*new, *sends]
        if parts:
            step.outputs.append(parts[0] if len(parts) == 1 else Together(new, tuple(sends)))

    def emit(self, emission: Emission, **writes: Value) -> None:
        """Make something observable: monitors and the trace see it.

        `writes` are durable fields that take a new value in the same instant: no crash comes between
        them and the emission (`self.emit(Applied(key), applied=self.applied | {key})`).
        """
        step = self._acting("emits")
        if not isinstance(emission, Emission):
            raise ModelError(f"{self._who()} emits {_misplaced(emission, Emission)}")
        self._durable("emits", writes)
        kept = tuple(Write(field, self._frozen(value)) for field, value in writes.items())
        for write in kept:
            object.__setattr__(self, write.field, write.value)
        step.outputs.append(Emit(self._frozen(emission), kept))

    def _durable(self, does: str, fields: Mapping[str, Value]) -> None:
        for field in fields:
            if field not in type(self).table.durable:
                known = sorted(type(self).table.durable)
                raise ModelError(f"{self._who()} {does}: {unknown('durable field', field, known)}")

    def _frozen(self, value: T) -> T:
        try:
            return cast(T, freeze(value))
        except ModelError as error:
            raise ModelError(f"{self._who()}, {type(value).__name__}: {error}") from None

    def choose(self, *outcomes: T) -> T:
        """One of `outcomes`; every one of them is explored. There is no other source of nondeterminism."""
        step = self._acting("chooses")
        if not outcomes:
            raise ModelError(f"{self._who()} chooses from nothing: pass at least one outcome")
        if step.decide is not None:
            return self._frozen(cast(T, step.decide(tuple(map(self._frozen, outcomes)))))
        distinct = self._distinct(step, outcomes)
        if len(distinct) == 1:
            return self._frozen(outcomes[distinct[0]])  # there is nothing to choose
        position = len(step.widths)
        index = step.script[position] if position < len(step.script) else 0
        step.widths.append(len(distinct))
        outcome: T = self._frozen(outcomes[distinct[index]])
        step.choices.append(outcome)
        return outcome

    def _distinct(self, step: HandlerCall, outcomes: tuple[Value, ...]) -> list[int]:
        """Where the distinct outcomes are; found once for all paths that lead to this choice."""
        step.asked += 1
        before = (step.asked, *(step.script + (0,) * len(step.widths))[: len(step.widths)])
        number, found = step.known.get(before, (0, []))
        if number != len(outcomes):
            first: dict[bytes, int] = {}
            for i, outcome in enumerate(outcomes):
                first.setdefault(encode(self._frozen(outcome)), i)
            found = list(first.values())
            step.known[before] = len(outcomes), found
        return found

    def arm(self, timer: str, duration_ms: int | tuple[int, int]) -> None:
        """Arm `timer` (if it is armed, its due time is replaced) for a duration in milliseconds, or for a range of
        them, both ends included, from which the scheduler draws."""
        step = self._acting(f"arms {timer!r}")
        self._known(timer)
        ends = duration_ms if isinstance(duration_ms, tuple) else (duration_ms, duration_ms)
        low, high = ends if len(ends) == 2 else (-1, -1)
        if type(low) is not int or type(high) is not int or not 0 <= low <= high:
            raise ModelError(
                f"{self._who()} arms {timer!r} for {duration_ms!r}: expected whole milliseconds, 0 or more, or (low, high)"
            )
        step.timers.add(timer)
        step.arms.append(Arm(timer, low, high))

    def cancel(self, timer: str) -> None:
        """Disarm `timer`; nothing happens if it is not armed."""
        step = self._acting(f"cancels {timer!r}")
        self._known(timer)
        step.timers.discard(timer)
        step.arms = [arm for arm in step.arms if arm.timer != timer]

    def armed(self, timer: str) -> bool:
        """Whether `timer` is armed."""
        self._known(timer)
        return self._step is not None and timer in self._step.timers

    def _known(self, timer: str) -> None:
        known = type(self).table.timers
        if timer not in known:
            raise ModelError(f"{self._who()}: {unknown('timer', timer, known)}, or declare it in timers")


class Monitor(StateMachine):
    """A state machine that only listens to emissions, and can report that a property is violated.

    Rows are triggered by `Emission` classes. An emission whose class no row names is ignored; one that is named, but
    not in the current state, is a finding. A monitor left in a hot state at quiescence, or forever, is violated: what it
    waits for did not come. With `owes` that is asked of each key by itself, as of a process.
    """

    initial: str = ""
    inputs = MONITOR_INPUTS

    def misfits(self, processes: Mapping[str, Process]) -> list[str]:  # noqa: ARG002
        """What is wrong with this monitor in a system of these processes, one line each; a monitor that watches
        something unknown would never complain."""
        return []

    def violate(self, why: str) -> NoReturn:
        """Report that the property is violated, and why."""
        self._acting("says violated")
        raise Violated(why)


class View:
    """A read-only view of the local value of a process or monitor, for predicates: `state`, `up`, `timers`, and the
    fields as attributes. It prints without the fields that nothing ever sets, if it knows the class whose value it is."""

    __slots__ = ("_fields", "_of", "state", "timers", "up")

    def __init__(
        self,
        state: str,
        fields: dict[str, Value],
        timers: tuple[str, ...],
        up: bool,
        of: Any = None,
    ) -> None:
        self._of = of
        self.state = state
        self.timers = timers
        self.up = up
        self._fields = fields

    def fields(self) -> dict[str, Value]:
        """The fields by name, in the order of their declaration."""
        return dict(self._fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            known = ["state", "timers", "up", *self._fields]
            raise AttributeError(unknown("field", name, known)) from None

    def __repr__(self) -> str:
        constant = frozenset[str]() if self._of is None else constant_fields(self._of)
        changing = ((name, value) for name, value in self._fields.items() if name not in constant)
        inner = "".join(f", {name}={show(value)}" for name, value in changing)
        return f"<{self.state}{inner}>"


_RESERVED = frozenset(
    name
    for cls in (StateMachine, Process, Monitor)
    for name in (*vars(cls), *cls.__annotations__)
    if not name.startswith("__") and name not in ("misfits", "write")  # a hook to fill in; a verb that gives way
) | {"timers", "up", FAILED}
