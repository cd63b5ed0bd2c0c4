"""What a fault means to a retry: its kind as a `Failure`, for the coordinator and for ordinary code alike."""

from __future__ import annotations

from typing import TypeAlias

from sim import AgentTimeout, Disconnect, EmptyResponse, RateLimited
from sim.consensus import ErrorKind, Failure

from .messages import Response

Spoiled: TypeAlias = AgentTimeout | RateLimited | EmptyResponse | Disconnect | Response
"""What may spoil an attempt: a fault that strikes its answer, or an answer that is of no use."""

ERROR_KINDS = {
    "agent_timeout": ErrorKind.TIMEOUT,
    "rate_limited": ErrorKind.RATE_LIMITED,
    "consensus_fail": ErrorKind.INVALID,
    "empty_response": ErrorKind.EMPTY,
    "disconnect": ErrorKind.STREAM,
}
"""Fault kind -> error kind. Each has one: a disconnect that is an error without a type would be permanent
by classification, and no retry would ever be exercised."""


def failure_of(kind: str, reset_ms: int | None = None) -> Failure:
    """The failed attempt that a fault of `kind` stands for. Raises KeyError for a kind that fails no attempt."""
    return Failure(ERROR_KINDS[kind], reset_ms)


def failure_in(spoiled: Spoiled) -> Failure:
    """The failed attempt that this stands for, with its hint."""
    if isinstance(spoiled, Response):
        return Failure(ErrorKind.EMPTY if spoiled.answer == "empty" else ErrorKind.INVALID)
    return failure_of(spoiled.kind, spoiled.reset_ms if isinstance(spoiled, RateLimited) else None)
