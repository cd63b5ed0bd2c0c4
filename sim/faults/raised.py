"""What an injected fault is in ordinary code: an exception with a type, ready to be raised.

A retry decides by the type of an error, so an untyped fault would exercise nothing. The classes are separate from the
injector: code may name them in an `except` even if no fault is ever injected.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class FaultResponse(NamedTuple):
    """The response of a server that refused."""

    status_code: int
    headers: dict[str, str]


class InjectedFault(Exception):
    """A fault that was injected on purpose. `scope` and `target` say where.

    `kind` is the kind as plans spell it, `transient` whether another attempt may succeed, `reset_ms` a rate limit's
    hint when to retry, in milliseconds from now (0 or more; None: no hint). What a real error of a client library has is
    there too: `status_code`, and a `response` with `status_code` and `headers` (None where none came).
    """

    kind: ClassVar[str] = ""
    transient: ClassVar[bool] = True
    status_code: ClassVar[int | None] = None

    def __init__(self, scope: str, target: str | None = None, reset_ms: int | None = None) -> None:
        where = f"{scope}, {target}" if target else scope
        hint = f"; resets in {reset_ms} ms" if reset_ms is not None else ""
        super().__init__(f"injected {self.kind} ({where}){hint}")
        self.scope = scope
        self.target = target
        self.reset_ms = reset_ms

    @property
    def response(self) -> FaultResponse | None:
        """The response that a real one would bring, with its hint as the headers that servers send."""
        if self.status_code is None:
            return None
        if self.reset_ms is None:
            return FaultResponse(self.status_code, {})
        seconds = -(-self.reset_ms // 1000)  # rounded up: the header has whole seconds
        return FaultResponse(self.status_code, {"retry-after": str(seconds), "retry-after-ms": str(self.reset_ms)})

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.scope, self.target, self.reset_ms)  # so that it survives pickling whole


class AgentTimeoutError(InjectedFault, TimeoutError):
    """The agent did not answer in time."""

    kind = "agent_timeout"


class RateLimitedError(InjectedFault):
    """The agent refused temporarily (HTTP 429)."""

    kind = "rate_limited"
    status_code = 429


class ConsensusFailureError(InjectedFault):
    """A round ended without consensus."""

    kind = "consensus_fail"


class EmptyResponseError(InjectedFault):
    """The agent returned an empty answer."""

    kind = "empty_response"


class DisconnectError(InjectedFault, ConnectionError):
    """The connection broke before the answer was whole."""

    kind = "disconnect"
