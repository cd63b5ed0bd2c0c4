"""What a journal keeps, as its host has it in hand: values are JSON by `sim.machine.codec`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SENT_BITS = 10
"""How many messages one line may send, as a power of 2."""


class Way(NamedTuple):
    """The way of a message, from process to process within a session. Between hosts, messages of one way come in the order in
    which they were sent."""

    session: str
    source: str
    target: str


class Came(NamedTuple):
    """Where a message of another host is from."""

    journal: str
    opening: str
    """Which start of its host has sent it over."""
    source: str
    target: str
    id: int
    """Its number there."""


@dataclass(frozen=True)
class Mail:
    """A message that was sent and not taken yet, as JSON."""

    id: int
    session: str
    source: str
    target: str
    message: Any
    fault: Any = None
    """The domain fault that comes of it, as JSON without the message; None if the message itself arrives."""
    texts: tuple[str, ...] = ()
    """Hashes of the payloads that it brings."""
    cause: str = ""
    """The line in which it was sent."""
    sent_ms: int = 0

    @property
    def way(self) -> Way:
        return Way(self.session, self.source, self.target)


class Kept(NamedTuple):
    """A machine as it is kept: what is left of it after a stop, and what status and logs tell."""

    state: str
    fields: Mapping[str, Any]
    timers: Mapping[str, int]
    """Armed timers, and when they are due, in milliseconds since 1970."""
    kind: str = ""
    """Its class."""
    role: str = ""
    """`here`, `played` or `monitor`."""
    place: int = 0
    """Where it stands among those of its system."""


class Line(NamedTuple):
    """A line of the trace: `said` is that of a log, with values as the codec writes them."""

    n: int
    session: str
    process: str
    said: dict[str, Any]
    at_ms: int


@dataclass
class Entry:
    """What one input changes, as JSON; it is kept whole or not at all."""

    session: str
    machines: dict[str, Kept] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    taken: Mail | None = None
    """The message that was taken, if it was in flight here."""
    came: Came | None = None
    """Of a message from another host."""
    sent: list[Mail] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    """Messages that newer ones have taken the place of."""
    texts: dict[str, str] = field(default_factory=dict)
    """Payloads by their hash."""
    brought: list[tuple[str, Any, str]] = field(default_factory=list)
    """(process, message, hash) of payloads that a machine took with a message and may pass on."""
    ended: tuple[int, int, dict[str, Any]] | None = None
    """A call that has ended: of which message, when it began, what came of it."""
    wish: int | None = None
    session_state: tuple[str, str] | None = None
    """What becomes of the session, and why."""


def digest_of(text: str) -> str:
    """The hash that a payload is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
