"""What one input of a session changes, on the disk and then in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sim.base.values import Message
from sim.host.journal_records import Entry
from sim.machine.handler import Local


class Armed(NamedTuple):
    """A timer was armed, for so many milliseconds from now."""

    process: str
    timer: str
    for_ms: int


@dataclass
class Step(Entry):
    """What one input changes: on the disk, and then in memory."""

    locals: dict[str, Local] = field(default_factory=dict)
    armed: list[Armed] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    """What was sent, by its number."""
