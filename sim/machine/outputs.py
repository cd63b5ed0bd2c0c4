"""What a handler puts out: durable writes, messages, emissions; and the timers that it arms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sim.base.values import Emission, Message, Value


@dataclass(frozen=True)
class Write:
    """An output: a durable field took a new value."""

    field: str
    value: Value


@dataclass(frozen=True)
class Send:
    """An output: a message left for `target`."""

    target: str
    message: Message


@dataclass(frozen=True)
class Emit:
    """An output: something observable happened, together with the durable writes it consists of."""

    emission: Emission
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True)
class Together:
    """An output: durable fields took new values and messages left, in one instant."""

    writes: tuple[Write, ...]
    sends: tuple[Send, ...]


Output = Write | Send | Emit | Together


def writes_of(output: Output) -> tuple[Write, ...]:
    """The durable writes an output consists of."""
    if isinstance(output, Write):
        return (output,)
    return output.writes if isinstance(output, Emit | Together) else ()


def sends_of(output: Output) -> tuple[Send, ...]:
    """The messages an output consists of, in the order in which they are sent."""
    if isinstance(output, Send):
        return (output,)
    return output.sends if isinstance(output, Together) else ()


def puts_in(outputs: Iterable[Output]) -> Iterator[Send | Emit]:
    """What others notice of it, in its order; durable writes are nobody else's business."""
    for output in outputs:
        if isinstance(output, Emit):
            yield output
        else:
            yield from sends_of(output)


@dataclass(frozen=True)
class Arm:
    """A timer was armed for `low_ms`..`high_ms`; the draw is the scheduler's."""

    timer: str
    low_ms: int
    high_ms: int
