"""What differs between providers: how an answer is put, and how it is said that there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sim.live.agents.asked import Asked, Json
from sim.live.agents.completion import Completion

RATE_LIMITED, SERVER_ERROR, OVERLOADED = "rate_limited", "server_error", "overloaded"
REFUSALS = (RATE_LIMITED, SERVER_ERROR, OVERLOADED)
"""Faults for which nothing is answered, nor paid."""


class Unanswerable(Exception):
    """A request that a provider would reject: what is wrong with it, and the status of that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ErrorAnswer(NamedTuple):
    """An error, as a provider says it."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: Json


@dataclass(frozen=True)
class Ids:
    """By which number an answer is told from others, and when it is given: in a run both are always the same."""

    number: int
    at_s: int
    """Since 1970."""

    def of(self, prefix: str, size: int = 24) -> str:
        return f"{prefix}{self.number:0{size}d}"


class Provider(Protocol):
    """One provider's words."""

    def check(self, asked: Asked) -> None:
        """Raises `Unanswerable` for what it would reject."""

    def whole(self, asked: Asked, reply: Completion, ids: Ids) -> Json:
        """An answer in one piece."""

    def events(self, asked: Asked, reply: Completion, ids: Ids) -> Sequence[str]:
        """The same event by event, as server-sent events."""

    def headers(self, ids: Ids) -> Sequence[tuple[str, str]]:
        """What is said with every answer."""

    def refusal(self, kind: str, hint_s: int | None, ids: Ids) -> ErrorAnswer:
        """The error for a fault."""

    def rejection(self, unanswerable: Unanswerable, ids: Ids) -> ErrorAnswer:
        """The error for a mistake of the client."""

    def breaks_off(self, asked: Asked, kind: str, ids: Ids, /) -> str:
        """The event with which a stream ends that is broken off by a fault."""


def event(data: Json, name: str = "") -> str:
    """A server-sent event."""
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n"


def pieces(text: str) -> list[str]:
    """A text as it comes in a stream: word by word."""
    words = text.split(" ")
    return [word if not at else f" {word}" for at, word in enumerate(words)] if text else []


def required(asked: Asked, *names: str) -> None:
    """Raises `Unanswerable` where one of these was not posted."""
    for name in names:
        if not asked.posted.get(name):
            raise Unanswerable(400, f"{name}: required")
