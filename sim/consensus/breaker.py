"""A circuit breaker: after so many failures in a row nobody is called for a while, then one call at a time tries.

A value: its methods return the breaker that follows. It reads no clock: times are whatever integer the caller counts in,
milliseconds say, and never go back.

    >>> breaker = CircuitBreaker(failures_max=2, pause=1_000)
    >>> for now in (10, 20):
    ...     breaker = breaker.failed(now)
    >>> print(breaker.state, breaker.allows(500), breaker.allows(1_020))
    open False True
    >>> breaker = breaker.called(1_020)  # the probe
    >>> print(breaker.state, breaker.allows(1_030))
    half-open False
    >>> print(breaker.succeeded().state)
    closed
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sim.consensus.sequence import check_int

BreakerState = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """`failures_max`: in a row, 1 or more, before it opens; `pause`: how long it stays open, 1 or more. The rest is where it
    stands: failures in a row, when it opened (None: closed), whether a probe is on its way."""

    failures_max: int = 5
    pause: int = 30_000
    failures: int = 0
    opened: int | None = None
    probing: bool = False

    def __post_init__(self) -> None:
        check_int("failures_max", self.failures_max, 1)
        check_int("pause", self.pause, 1)
        check_int("failures", self.failures, 0)

    @property
    def state(self) -> BreakerState:
        """Closed (calls go through), open (none does), half-open (one is trying)."""
        if self.opened is None:
            return "closed"
        return "half-open" if self.probing else "open"

    def allows(self, now: int) -> bool:
        """Whether a call may be made now."""
        return self.opened is None or (not self.probing and now - self.opened >= self.pause)

    def called(self, now: int) -> CircuitBreaker:
        """A call begins, which `allows` has said it may: one on an open breaker is the probe. Raises ValueError otherwise."""
        if not self.allows(now):
            raise ValueError(f"the circuit is {self.state}: no call may be made")
        return self if self.opened is None else replace(self, probing=True)

    def succeeded(self) -> CircuitBreaker:
        """A call has succeeded. One that began before the circuit opened closes it as well: it answers."""
        return replace(self, failures=0, opened=None, probing=False)

    def failed(self, now: int) -> CircuitBreaker:
        """A call has failed; a probe that fails opens it for another pause."""
        failures = min(self.failures + 1, self.failures_max)
        opens = self.probing or failures >= self.failures_max
        if self.opened is not None and not self.probing:
            return self  # a call that began earlier: it prolongs nothing
        return replace(self, failures=failures, opened=now if opens else None, probing=False)
