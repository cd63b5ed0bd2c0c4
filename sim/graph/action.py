"""Actions: one enabled thing that can happen next, with everything needed to apply it.

An action is made once for each distinct (local value, input, outcome path, faults) and then shared by
every state in which it is enabled.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from sim.base.durations import show_duration
from sim.base.mixer import key64
from sim.base.values import Emission, Fault, Value, encode, show, shown_fields
from sim.faults import RateLimited
from sim.machine.outputs import Arm, Emit, Output, Send, Together, Write, sends_of, writes_of
from sim.machine.table import Row
from sim.system.network import Envelope
from sim.world.address import AT_ONCE, FOR_GOOD, Address
from sim.world.choice import CUT, MESSAGE, Sent, Subject


class Kind(Enum):
    """What sort of thing an action is; the values are the verbs of addresses."""

    DELIVER = "deliver"
    FIRE = "fire"
    MOVE = "move"
    CRASH = "crash"
    RESTART = "restart"
    DROP = "drop"
    DUPLICATE = "duplicate"
    UPDATE = "update"
    CUT = "cut"
    HEAL = "heal"


class Effect(NamedTuple):
    """What an action does to a state, in the integers of its graph (see `sim.graph.tabulation`); -1 stands for nothing."""

    process: int = -1
    """The number of the process that gets another local value."""
    local: int = -1
    """That value."""
    consumed: int = -1
    """The envelope that leaves the network."""
    delivered: bool = False
    """Whether it was taken by somebody. If not, it is lost."""
    sends: tuple[int, ...] = ()
    """The envelopes that enter the network."""
    heard: tuple[int, ...] = ()
    """The emissions that monitors hear."""
    spends: tuple[int, ...] = ()
    """The slots of finite budget entries that it draws on."""
    cut: int = -1
    """The cut that takes effect or is healed."""
    others: tuple[tuple[int, int], ...] = ()
    """The other processes that get another local value, as they are on one machine, each with that value."""


NO_EFFECT = Effect()


@dataclass(frozen=True, eq=False, repr=False)
class Action:
    """One action and its effect: a choice of the graph (`sim.world.choice.Choice`).

    - `process`, `subject`: whose handler runs; the timer, move or cut
    - `envelope`, `number`: the message it concerns, and its number in the graph
    - `fault`: the domain fault under which it is delivered; `reordered`: ahead of what was sent before it
    - `window`: after how many of `all_outputs` it crashes; None if it does not
    - `updated`: whether its handler is that of an updated process
    - `machine`: the machine that crashes or restarts; `with_machine`: the one that crashes with its handler. `process` is
      then a process on it
    - `for_good`: whether the process that crashes, or the cut, never comes back
    - `before`: the number of the local value that its handler was given
    - `after`: the local value that it leaves
    - `pays`: the entries of the budget that it draws on; `paid`: how its address says which, where others could pay
    """

    kind: Kind
    _: KW_ONLY
    effect: Effect = NO_EFFECT
    process: str = ""
    subject: str = ""
    envelope: Envelope | None = None
    number: int = -1
    fault: Fault | None = None
    reordered: bool = False
    choices: tuple[Value, ...] = ()
    all_outputs: tuple[Output, ...] = ()
    window: int | None = None
    for_good: bool = False
    updated: bool = False
    machine: str = ""
    with_machine: str = ""
    arms: tuple[Arm, ...] = ()
    others: tuple[str, ...] = ()
    others_arms: tuple[tuple[int, Arm], ...] = ()
    row: Row | None = None
    progress: bool = False
    before: int = -1
    after: Value = None
    pays: tuple[int, ...] = ()
    paid: str = ""
    always_changes: bool = False

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """What it put out, up to its crash."""
        return self.all_outputs if self.window is None else self.all_outputs[: self.window]

    @cached_property
    def emissions(self) -> tuple[Emission, ...]:
        """What it emits."""
        return tuple(output.emission for output in self.outputs if isinstance(output, Emit))

    @cached_property
    def puts(self) -> tuple[Emission | Sent, ...]:
        """What it emits and sends, in its order."""
        return puts_of(self.outputs, self.effect.sends)

    @cached_property
    def takes(self) -> Subject:
        """What it happens to: an envelope, a timer, a move, a process, a cut."""
        if self.number >= 0:
            return (MESSAGE, self.number, "")
        if self.kind in (Kind.CUT, Kind.HEAL):
            return (CUT, self.effect.cut, "")
        return (self.kind.value, self.effect.process, self.machine or self.subject)

    @property
    def ends(self) -> bool:
        """Whether what it happens to is no longer pending after it."""
        return self.effect.consumed >= 0 or self.number < 0

    @property
    def retries(self) -> bool:
        """Whether it is a fault that leaves the message it strikes in flight."""
        return self.fault is not None and self.fault.survives

    @property
    def ripe(self) -> bool:
        """Nothing is given to a process before its handler runs."""
        return False

    @cached_property
    def brings(self) -> tuple[Subject, ...]:
        """The messages that it sends."""
        return tuple((MESSAGE, envelope, "") for envelope in self.effect.sends)

    @property
    def mover(self) -> str:
        """The process whose handler runs."""
        return self.process

    @cached_property
    def movers(self) -> tuple[str, ...]:
        """The process whose handler runs, and the others on its machine to which the same happens."""
        return (self.process, *self.others) if self.process else ()

    @property
    def owner(self) -> str:
        """The process it happens at; for a loss or a doubling the one that the message goes to."""
        if self.effect.others:
            return ""
        return self.process or (self.envelope.target if self.envelope is not None else "")

    @property
    def fells(self) -> str:
        """The machine that crashes in it, if one does."""
        return self.with_machine or (self.machine if self.kind is Kind.CRASH or self.window is not None else "")

    @property
    def _who(self) -> str:
        return self.machine or self.process

    @cached_property
    def inside(self) -> bytes | None:
        """Of a crash in the middle of a handler that no other fault strikes: the code of its action."""
        if self.window is None or self.fault is not None or self.reordered or self.kind is Kind.UPDATE:
            return None
        return self._code(None, "")

    @cached_property
    def like(self) -> Hashable:
        """Equal in actions that differ in the fields of a message alone."""
        envelope = self.envelope
        message = (envelope.source, envelope.target, type(envelope.message)) if envelope is not None else None
        crash = (self.window, self._crashing() or self.for_good)
        fault = type(self.fault)
        return self.kind, message, self._who, self.subject, fault, self.reordered, self.choices, crash, self.paid

    @cached_property
    def address(self) -> Address:
        """What the action is called in schedules (without an ordinal, which belongs to a run)."""
        envelope = self.envelope
        if envelope is not None:
            message = envelope.message
            return Address(
                self.kind.value,
                envelope.source,
                envelope.target,
                type(message).__name__,
                shown_fields(message),
                under=_under(self.fault),
                reordered=self.reordered,
                choosing=tuple(map(show, self.choices)) or None,
                crashing=self._crashing(),
                paid=self.paid or None,
            )
        return Address(
            self.kind.value,
            process=self._who,
            subject=self.subject,
            for_good=self.for_good and self.window is None,
            choosing=tuple(map(show, self.choices)) or None,
            crashing=self._crashing(),
            paid=self.paid or None,
        )

    @cached_property
    def key(self) -> int:
        """64 bits of the action's canonical encoding; picks are made by it, never by any order."""
        return key64(self.code)

    @cached_property
    def code(self) -> bytes:
        """The canonical encoding of what the action is; what it does follows from the state."""
        return self._code(self._crashing(), self.paid)

    def _code(self, crash: str | None, paid: str) -> bytes:
        envelope = self.envelope.value() if self.envelope else None
        fault = (type(self.fault).__name__, _hint(self.fault)) if self.fault else None
        what = (self.kind.value, envelope, self._who, self.subject, fault, self.reordered, self.choices, crash)
        lasting = ["for good"] * (self.for_good and self.window is None)
        return encode((*what, *lasting, *[paid] * bool(paid)))

    @cached_property
    def record(self) -> bytes:
        """What the action is and did to its process, for the digest of a trace."""
        return self.code + encode((self.after, tuple(map(_output_value, self.outputs))))

    @cached_property
    def strikes(self) -> tuple[str, ...]:
        """The kinds of fault this action strikes with, each once."""
        kinds: tuple[str, ...] = (self.fault.kind,) if self.fault else ()
        if self.reordered:
            kinds += ("reorder",)
        if self.kind in _FAULTS:
            kinds += (self.kind.value,)
        return (*kinds, "crash") if self.window is not None else kinds

    @property
    def covers(self) -> tuple[str, int] | None:
        """The row of a table that this action takes: process, and index in its table."""
        if self.row is None:
            return None
        return self.process + (UPDATED if self.updated else ""), self.row.index

    def _crashing(self) -> str | None:
        """The crash window by the last output before it: `after Store`, `after Ask #2`."""
        if self.window is None:
            return None
        lasting = f"with {self.with_machine} " * bool(self.with_machine) + f"{FOR_GOOD} " * self.for_good
        if not self.outputs:
            return lasting + AT_ONCE
        names = [output_name(output) for output in self.outputs]
        count = names.count(names[-1])
        return f"{lasting}after {names[-1]}" + (f" #{count}" if count > 1 else "")

    def __repr__(self) -> str:
        return f"<{self.address}>"


_FAULTS = frozenset({Kind.CRASH, Kind.DROP, Kind.DUPLICATE, Kind.UPDATE, Kind.CUT})
UPDATED = " (updated)"
"""What follows the name of a process whose rows are those of its other version."""


def output_name(output: Output) -> str:
    """The name of an output in crash windows: the class of what was sent or emitted, or `writing field`."""
    if isinstance(output, Write):
        return f"writing {output.field}"
    if isinstance(output, Together):
        writing = [f"writing {', '.join(write.field for write in output.writes)}"] * bool(output.writes)
        sending = [f"sending {', '.join(type(s.message).__name__ for s in output.sends)}"] * bool(output.sends)
        return " and ".join(writing + sending)
    return type(output.message if isinstance(output, Send) else output.emission).__name__


def puts_of(outputs: tuple[Output, ...], sends: tuple[int, ...]) -> tuple[Emission | Sent, ...]:
    """Outputs as the door shows them; `sends` are the envelopes of those that send."""
    numbers = iter(sends)
    found: list[Emission | Sent] = []
    for output in outputs:
        if isinstance(output, Emit):
            found.append(output.emission)
        else:
            found += (Sent((MESSAGE, next(numbers), ""), send.target) for send in sends_of(output))
    return tuple(found)


def _output_value(output: Output) -> Value:
    if isinstance(output, Write):
        return ("write", output.field, output.value)
    if isinstance(output, Send):
        return ("send", output.target, output.message)
    if isinstance(output, Together):
        return ("together", *map(_output_value, output.writes), *map(_output_value, output.sends))
    return ("emit", output.emission, tuple((write.field, write.value) for write in output.writes))


def _hint(fault: Fault | None) -> int | None:
    return fault.reset_ms if isinstance(fault, RateLimited) else None


def _under(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    hint = _hint(fault)
    return fault.kind + (f"({show_duration(hint)})" if hint is not None else "")


def outputs_named(action: Action, name: str) -> list[int]:
    """The windows of `action` right after an output (or its input) called `name`."""
    found = [n for n, output in enumerate(action.all_outputs, 1) if name in _names_of(output)]
    if action.envelope is not None and type(action.envelope.message).__name__ == name:
        found.append(len(action.all_outputs))
    return found


def _names_of(output: Output) -> tuple[str, ...]:
    """What an entry of a budget may call an output: its name, the fields it writes, the classes it sends. (For an
    emission with the fields written with it this is the emission alone.)"""
    if isinstance(output, Emit):
        return (output_name(output),)
    sent = (type(send.message).__name__ for send in sends_of(output))
    return (output_name(output), *(write.field for write in writes_of(output)), *sent)
