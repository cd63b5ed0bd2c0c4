"""What a fault means to a retry: its kind as a `Failure`, for the coordinator and for ordinary code alike."""

from __future__ import annotations

from typing import TypeAlias

from sim import Disconnect, EmptyResponse, RateLimited
from sim.consensus import ErrorKind, Failure

Setback: TypeAlias = RateLimited | EmptyResponse | Disconnect
"""What ends an attempt without an answer, at once."""

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


def setback_of(fault: Setback) -> Failure:
    """The failed attempt that this setback stands for, with its hint."""
    return failure_of(fault.kind, fault.reset_ms if isinstance(fault, RateLimited) else None)
