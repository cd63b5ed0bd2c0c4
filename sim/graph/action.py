"""Actions: one enabled thing that can happen next, with everything needed to apply it.

An action is made once for each distinct (local value, input, outcome path, faults) and then shared by
every state in which it is enabled: it carries its effect as small integers (see `sim.graph.tabulation`).
"""

from __future__ import annotations

from enum import Enum
from functools import cached_property

from sim.base.durations import show_duration
from sim.base.mixer import key64
from sim.base.values import Fault, Value, encode, show, shown_fields
from sim.faults import RateLimited
from sim.machine.process import Arm, Emit, Output, Send, Write
from sim.machine.table import Row
from sim.system.network import Envelope
from sim.world.address import AT_ONCE, Address


class Kind(Enum):
    """What sort of thing an action is; the values are the verbs of addresses."""

    DELIVER = "deliver"
    FIRE = "fire"
    MOVE = "move"
    CRASH = "crash"
    RESTART = "restart"
    DROP = "drop"
    DUPLICATE = "duplicate"
    CUT = "cut"
    HEAL = "heal"


class Action:
    """One action and its effect. Treat it as immutable.

    What it is: `kind`, the envelope it concerns, the process, the subject (timer, move or cut), the
    domain `fault` it is delivered under, whether it is `reordered`, the `choices` it makes, after how
    many outputs it crashes (`window`).

    What it does: `process_index` gets the local value `local` (both -1: none does); `consumed` leaves
    the network (`lost` if it was never delivered), `sends` enter it; monitors hear `heard`; `spends`
    are the budgets it draws on; `cut_index` comes in force or is healed.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        envelope: Envelope | None = None,
        process: str = "",
        subject: str = "",
        fault: Fault | None = None,
        reordered: bool = False,
        choices: tuple[Value, ...] = (),
        outputs: tuple[Output, ...] = (),
        window: int | None = None,
        arms: tuple[Arm, ...] = (),
        row: Row | None = None,
        progress: bool = False,
    ) -> None:
        self.kind = kind
        self.envelope = envelope
        self.process = process
        self.subject = subject
        self.fault = fault
        self.reordered = reordered
        self.choices = choices
        self.outputs = outputs if window is None else outputs[:window]
        self.window = window
        self.arms = arms if window is None else ()
        self.row = row
        self.progress = progress
        self.all_outputs = outputs
        self.local_after: Value = None
        self.before = -1
        self.process_index = -1
        self.local = -1
        self.envelope_id = -1
        self.consumed = -1
        self.delivered = False
        self.sends: tuple[int, ...] = ()
        self.heard: tuple[int, ...] = ()
        self.spends: tuple[int, ...] = ()
        self.entries: tuple[int, ...] = ()
        self.cut_index = -1

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
            )
        return Address(
            self.kind.value,
            process=self.process,
            subject=self.subject,
            choosing=tuple(map(show, self.choices)) or None,
            crashing=self._crashing(),
        )

    @cached_property
    def key(self) -> int:
        """64 bits of the action's canonical encoding; picks are made by it, never by any order."""
        return key64(self.code)

    @cached_property
    def deed(self) -> bytes:
        """The action whatever it chooses: what fairness is owed to. A scheduler has to let an action happen
        that stays enabled; no one owes it a certain outcome."""
        envelope = self.envelope.value() if self.envelope else None
        return encode((self.kind.value, envelope, self.process, self.subject))

    @cached_property
    def code(self) -> bytes:
        """The canonical encoding of what the action is; what it does follows from the state."""
        envelope = self.envelope.value() if self.envelope else None
        fault = (type(self.fault).__name__, _hint(self.fault)) if self.fault else None
        crash = self._crashing()
        return encode(
            (self.kind.value, envelope, self.process, self.subject, fault, self.reordered, self.choices, crash)
        )

    @cached_property
    def record(self) -> bytes:
        """What the action is and did to its process, for the digest of a trace."""
        return self.code + encode((self.local_after, tuple(map(_output_value, self.outputs))))

    @property
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
        return (self.process, self.row.index) if self.row is not None else None

    def _crashing(self) -> str | None:
        """The crash window by the last output before it: `after Store`, `after Ask #2`."""
        if self.window is None:
            return None
        if not self.outputs:
            return AT_ONCE
        names = [output_name(output) for output in self.outputs]
        count = names.count(names[-1])
        return f"after {names[-1]}" + (f" #{count}" if count > 1 else "")

    def __repr__(self) -> str:
        return f"<{self.address}>"


_FAULTS = frozenset({Kind.CRASH, Kind.DROP, Kind.DUPLICATE, Kind.CUT})


def output_name(output: Output) -> str:
    """How crash windows call an output: the class of what was sent or emitted, or `writing field`."""
    if isinstance(output, Write):
        return f"writing {output.field}"
    return type(output.message if isinstance(output, Send) else output.emission).__name__


def _output_value(output: Output) -> Value:
    if isinstance(output, Write):
        return ("write", output.field, output.value)
    if isinstance(output, Send):
        return ("send", output.target, output.message)
    return ("emit", output.emission, tuple((write.field, write.value) for write in output.writes))


def _hint(fault: Fault | None) -> int | None:
    return fault.reset_ms if isinstance(fault, RateLimited) else None


def _under(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    hint = _hint(fault)
    return fault.kind + (f"({show_duration(hint)})" if hint is not None else "")


def writes_of(output: Output) -> tuple[Write, ...]:
    """The durable writes an output consists of."""
    if isinstance(output, Write):
        return (output,)
    return output.writes if isinstance(output, Emit) else ()


def outputs_named(action: Action, name: str) -> list[int]:
    """The windows of `action` right behind an output (or its input) called `name`."""
    found = [n for n, output in enumerate(action.all_outputs, 1) if name in (output_name(output), _field(output))]
    if action.envelope is not None and type(action.envelope.message).__name__ == name:
        found.append(len(action.all_outputs))
    return found


def _field(output: Output) -> str:
    return output.field if isinstance(output, Write) else ""
