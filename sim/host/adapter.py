"""What stands for a process of the model that is not a machine of ours: an agent, a person, a database.

A model says what such a process may do; what it does, an adapter finds out. It is asked for each message that the process
is sent, and its `Reply` says which of the outcomes of the model's own handler it was: the answer is what that handler is
given by `choose`. So machine, log and graph see a word of the model's domain, and the text that it was said in is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sim.base.errors import SimError
from sim.base.values import Message, Value
from sim.consensus import Failure
from sim.metrics import TokenUsage


@dataclass(frozen=True)
class Text:
    """A payload that came with a message: what somebody said, in which message."""

    message: Message
    text: str
    hash: str


@dataclass(frozen=True)
class Question:
    """A message that a process which an adapter stands for was sent."""

    session: str
    process: str
    sender: str
    message: Message
    key: str
    """The same each time this message is asked about, also after a crash: an idempotency key."""
    answers: tuple[Value, ...]
    """What may be answered: all that the model's own process could choose here; empty if it has no choice."""
    texts: Sequence[Text] = ()
    """The payloads that the message brings (`carries` of a host)."""


@dataclass(frozen=True)
class Reply:
    """What came of it: an `answer` that the model's process could give, or the `failure` of the attempt, beside the `text`
    that is kept, and what was paid."""

    answer: Value = None
    failure: Failure | None = None
    text: str | None = None
    usage: TokenUsage | None = None
    model: str = ""
    """Who answered, for prices."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else a trace of the call should say: names of `gen_ai` attributes."""


class Adapter(Protocol):
    """Stands for a process. One that has an attribute `costs` which is False is not counted among the calls that cost
    something."""

    async def ask(self, question: Question) -> Reply:
        """What came of this message. It may be asked about again after a crash. Raises `AdapterError` for what no
        further attempt would change."""

    async def close(self) -> None:
        """Let go of what it holds."""


class AdapterError(SimError):
    """What is wrong with the world outside so that asking again is of no use: a wrong key, an endpoint that does not exist. The
    message that was asked about stays, and is asked about when the session is resumed."""


class Silent:
    """Stands for a process whose messages nobody has to see: it does what the model's own process does."""

    costs = False

    async def ask(self, question: Question) -> Reply:  # noqa: ARG002 - there is nothing to look at
        return Reply()

    async def close(self) -> None:
        pass
