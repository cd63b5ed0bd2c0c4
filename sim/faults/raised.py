"""What an injected fault is in ordinary code: an exception with a type, ready to be raised.

A retry decides by the type of an error, so an untyped fault would exercise nothing. The classes are separate from the
injector: code may name them in an `except` even if no fault is ever injected.
"""

from __future__ import annotations

from typing import ClassVar


class InjectedFault(Exception):
    """A fault that was injected on purpose. `scope` and `target` say where.

    `kind` is the kind as plans spell it, `transient` whether another attempt may succeed, `reset_ms` a rate limit's
    hint when to retry, in milliseconds from now (0 or more; None: no hint).
    """

    kind: ClassVar[str] = ""
    transient: ClassVar[bool] = True

    def __init__(self, scope: str, target: str | None = None, reset_ms: int | None = None) -> None:
        where = f"{scope}, {target}" if target else scope
        hint = f"; resets in {reset_ms} ms" if reset_ms is not None else ""
        super().__init__(f"injected {self.kind} ({where}){hint}")
        self.scope = scope
        self.target = target
        self.reset_ms = reset_ms

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.scope, self.target, self.reset_ms)  # so that it survives pickling whole


class AgentTimeoutError(InjectedFault, TimeoutError):
    """The agent did not answer in time."""

    kind = "agent_timeout"


class RateLimitedError(InjectedFault):
    """The agent refused temporarily (HTTP 429)."""

    kind = "rate_limited"


class ConsensusFailureError(InjectedFault):
    """A round ended without consensus."""

    kind = "consensus_fail"


class EmptyResponseError(InjectedFault):
    """The agent returned an empty answer."""

    kind = "empty_response"


class DisconnectError(InjectedFault, ConnectionError):
    """The connection broke before the answer was whole."""

    kind = "disconnect"
