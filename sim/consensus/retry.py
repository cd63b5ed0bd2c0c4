"""When to try again, how long to wait first, and when to give up: `RetryPolicy`.

The policy is a value and every decision a pure function of (policy, state, failure). It draws no random
number, reads no clock and never sleeps: a wait comes back as a range, and whoever drives the attempts draws
from it. So a checker can take every wait, a simulation draws by seed, and production code sleeps.

The budget is nominal: it sums the upper bounds of the policy's own waits and of the time that an attempt
may take, not what a clock measured; a run that is faster than its bounds only ends sooner. A wait whose
upper bound exceeds what is left fails at once, without waiting.

    >>> policy = RetryPolicy(attempts_max=3, base_ms=2, factor=(3, 1), cap_ms=5, jitter_percent=(50, 100))
    >>> state = policy.start()
    >>> policy.decide(state, Failure(ErrorKind.TIMEOUT))
    RetryAfter(low_ms=1, high_ms=2, state=RetryState(attempt=2, spent_ms=0))

One value serves any number of threads and tasks. The driver of an asyncio host, in full (a threaded one
is the same with `time.sleep`); `draw` is any source of integers from a closed range, such as `randint`:

    >>> import asyncio
    >>> async def call(operation, policy, draw):
    ...     state = policy.start()
    ...     while True:
    ...         failure = await operation()
    ...         if failure is None:
    ...             return f"done by attempt {state.attempt}"
    ...         match policy.decide(state, failure):
    ...             case RetryAfter(low_ms, high_ms, state):
    ...                 await asyncio.sleep(draw(low_ms, high_ms) / 1000)
    ...             case Fail(reason):
    ...                 return reason.value
    >>> async def flaky(answers=[Failure(ErrorKind.STREAM), Failure(ErrorKind.SERVER), None]):
    ...     return answers.pop(0)
    >>> asyncio.run(call(flaky, policy, draw=max))
    'done by attempt 3'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


class ErrorKind(Enum):
    """What went wrong with an attempt, as far as a retry depends on it."""

    STREAM = "the stream broke off"
    CONNECT = "no connection"
    TIMEOUT = "no answer in time"
    REQUEST_TIMEOUT = "the server waited too long for the request (408)"
    CLIENT_CLOSED = "the request was closed before its answer (499)"
    SERVER = "an error of the server (5xx)"
    RATE_LIMITED = "too many requests (429)"
    USAGE_LIMIT = "the usage limit is reached"
    QUOTA = "the quota is used up"
    NOT_INCLUDED = "the plan does not include this"
    AUTH = "not authorised (401, 403)"
    REQUEST = "the request itself is wrong (any other 4xx)"
    EMPTY = "an empty answer"
    INVALID = "an answer that cannot be read"
    UNKNOWN = "an unknown error"


class ErrorClass(Enum):
    """What a kind of error means for the next attempt."""

    PERMANENT = "another attempt would fail the same way"
    TRANSIENT = "another attempt may succeed"
    RATE_LIMITED = "another attempt may succeed once the limit is lifted"


class FailReason(Enum):
    """Why there is no further attempt; the values are the sentences users read."""

    PERMANENT = "the error is permanent"
    ATTEMPTS = "all attempts are used"
    BUDGET = "the budget is spent"
    WAIT = "the wait would exceed the budget that is left"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt. `reset_in_ms` is the server's hint when its limit is lifted, in milliseconds from
    now; zero or less if that is past, None if there was no hint. It counts for rate-limited kinds only."""

    kind: ErrorKind
    reset_in_ms: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, ErrorKind):
            raise TypeError(f"kind: expected an ErrorKind, got {self.kind!r}")
        if self.reset_in_ms is not None and type(self.reset_in_ms) is not int:
            raise TypeError(f"reset_in_ms: expected an int or None, got {self.reset_in_ms!r}")


@dataclass(frozen=True, slots=True)
class RetryState:
    """Between attempts: the attempt that runs now (1 and up) and the milliseconds spent before it.

    `spent_ms` stays 0 without a budget, so that equal futures are equal values. A host that would rather
    count by its clock puts the measured time here before `decide`, with `attempt_ms` 0 in the policy.
    """

    attempt: int = 1
    spent_ms: int = 0

    def __post_init__(self) -> None:
        _check_int("attempt", self.attempt, 1)
        _check_int("spent_ms", self.spent_ms, 0)


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Wait for a time from low_ms to high_ms, both included (0 <= low_ms <= high_ms), and try in `state`."""

    low_ms: int
    high_ms: int
    state: RetryState


@dataclass(frozen=True, slots=True)
class Fail:
    """Give up; nothing is waited for."""

    reason: FailReason


RetryDecision: TypeAlias = RetryAfter | Fail

_TRANSIENT: Final = (
    ErrorKind.STREAM,
    ErrorKind.CONNECT,
    ErrorKind.TIMEOUT,
    ErrorKind.REQUEST_TIMEOUT,
    ErrorKind.CLIENT_CLOSED,
    ErrorKind.SERVER,
)
_LIMITS: Final = (ErrorKind.RATE_LIMITED, ErrorKind.USAGE_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, how long and for which errors to try again. Integers only; times in milliseconds.

    Raises TypeError or ValueError, naming the field, for a policy that cannot work: the fault of whoever
    wrote the configuration. `dataclasses.replace` makes variants.
    """

    attempts_max: int | None = None
    """All attempts, the first included; 1 or more, None for no limit."""
    base_ms: int
    """The wait before attempt 2, before jitter; 1 or more."""
    factor: tuple[int, int]
    """What a wait is multiplied by for the next one, as a ratio of two integers from 1 to 1000, 1 or more."""
    cap_ms: int
    """The longest wait before jitter; not less than base_ms. It does not bound what a server's hint asks."""
    jitter_percent: tuple[int, int]
    """The range of a wait in percent of the capped backoff: (0, 100) is full jitter, (100, 100) no jitter."""
    hint_slack_ms: int = 5_000
    """What is added to a server's hint, since its clock is not ours; 0 or more."""
    hint_jitter_ms: int = 3_000
    """The width of the range above hint plus slack, so that not all come back at once; 0 or more."""
    budget_ms: int | None = None
    """All waits and all finished attempts together; 0 or more, None for no limit. The attempt that starts
    last may overrun it, by attempt_ms at most."""
    attempt_ms: int = 0
    """The upper bound of one attempt, which the driver enforces with its timeout; 0 or more."""
    transient: tuple[ErrorKind, ...] = _TRANSIENT
    """The kinds that are worth another attempt after a backoff; what is listed nowhere is permanent."""
    rate_limited: tuple[ErrorKind, ...] = _LIMITS
    """The kinds whose hint says when; without a hint they back off like the transient ones."""

    permanent_without_hint: tuple[ErrorKind, ...] = ()
    """Version switch: rate-limited kinds that are permanent unless they come with a hint."""
    heeds_hints: bool = True
    """Switch: False backs off whatever the server hinted."""
    backoff_floors_hint: bool = True
    """Switch: a hint never makes the wait shorter than the backoff. With False a hint that lies in the past
    is a wait of 0, and a server with a wrong clock is polled without a pause."""
    budget_before_class: bool = False
    """Switch: True looks at the budget first, so that a late permanent error reads as a spent budget."""
    waits_past_budget: bool = False
    """Version switch: True waits even if that exceeds what is left, and finds the budget spent afterwards."""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            given = getattr(self, name)
            if not (given is None and name in ("attempts_max", "budget_ms")):
                _check_int(name, given, least)
        for name, most in (("factor", 1_000), ("jitter_percent", 1_000)):
            pair = getattr(self, name)
            if type(pair) is not tuple or len(pair) != 2:
                raise TypeError(f"{name}: expected a pair of int, got {pair!r}")
            for part in pair:
                _check_int(name, part, 1 if name == "factor" else 0)
                if part > most:
                    raise ValueError(f"{name}: expected at most {most}, got {part}")
        if self.factor[0] < self.factor[1]:
            raise ValueError(f"factor: expected a ratio of 1 or more, got {self.factor[0]}/{self.factor[1]}")
        if self.jitter_percent[0] > self.jitter_percent[1]:
            raise ValueError(f"jitter_percent: expected (low, high), got {self.jitter_percent}")
        if self.cap_ms < self.base_ms:
            raise ValueError(f"cap_ms: expected at least base_ms = {self.base_ms}, got {self.cap_ms}")
        for name in ("heeds_hints", "backoff_floors_hint", "budget_before_class", "waits_past_budget"):
            if type(getattr(self, name)) is not bool:
                raise TypeError(f"{name}: expected a bool, got {getattr(self, name)!r}")
        self._check_kinds()

    def _check_kinds(self) -> None:
        for name in ("transient", "rate_limited", "permanent_without_hint"):
            kinds = getattr(self, name)
            if type(kinds) is not tuple or not all(isinstance(kind, ErrorKind) for kind in kinds):
                raise TypeError(f"{name}: expected a tuple of ErrorKind, got {kinds!r}")
        for kind in self.transient:
            if kind in self.rate_limited:
                raise ValueError(f"transient: {kind.name} is rate_limited already; expected one of the two")
        for kind in self.permanent_without_hint:
            if kind not in self.rate_limited:
                raise ValueError(f"permanent_without_hint: expected rate-limited kinds, got {kind.name}")

    def start(self) -> RetryState:
        """The state of the first attempt."""
        return RetryState()

    def classify(self, failure: Failure) -> ErrorClass:
        """What `failure` means under this policy; a limit that backs off like any error is TRANSIENT."""
        if failure.kind in self.transient:
            return ErrorClass.TRANSIENT
        if failure.kind not in self.rate_limited:
            return ErrorClass.PERMANENT
        if failure.reset_in_ms is None and failure.kind in self.permanent_without_hint:
            return ErrorClass.PERMANENT
        hinted = failure.reset_in_ms is not None and self.heeds_hints
        return ErrorClass.RATE_LIMITED if hinted else ErrorClass.TRANSIENT

    def decide(self, state: RetryState, failure: Failure) -> RetryDecision:
        """What follows when the attempt of `state` has ended in `failure`.

        In this order: permanent errors, used attempts, a spent budget (more than budget_ms), a wait that
        exceeds what is left; a wait of exactly what is left is taken.
        """
        spent_ms = 0 if self.budget_ms is None else state.spent_ms + self.attempt_ms
        is_spent = self.budget_ms is not None and spent_ms > self.budget_ms
        if is_spent and self.budget_before_class:
            return Fail(FailReason.BUDGET)
        if self.classify(failure) is ErrorClass.PERMANENT:
            return Fail(FailReason.PERMANENT)
        if self.attempts_max is not None and state.attempt >= self.attempts_max:
            return Fail(FailReason.ATTEMPTS)
        if is_spent:
            return Fail(FailReason.BUDGET)
        low_ms, high_ms = self.wait_ms(state.attempt, failure)
        if self.budget_ms is not None:
            spent_ms += high_ms
            if spent_ms > self.budget_ms and not self.waits_past_budget:
                return Fail(FailReason.WAIT)
        return RetryAfter(low_ms, high_ms, RetryState(state.attempt + 1, spent_ms))

    def wait_ms(self, attempt: int, failure: Failure) -> tuple[int, int]:
        """The range of the wait after `attempt` (1 and up) failed, both ends included.

        The lower end is rounded down and the upper end up, so that no draw is below or above the range.
        """
        low, high = self.jitter_percent
        nominal_ms = self.backoff_ms(attempt)
        low_ms, high_ms = nominal_ms * low // 100, -(-nominal_ms * high // 100)
        if failure.reset_in_ms is None or self.classify(failure) is not ErrorClass.RATE_LIMITED:
            return low_ms, high_ms
        hint_ms = failure.reset_in_ms + self.hint_slack_ms
        floor_low_ms, floor_high_ms = (low_ms, high_ms) if self.backoff_floors_hint else (0, 0)
        return max(hint_ms, floor_low_ms), max(hint_ms + self.hint_jitter_ms, floor_high_ms)

    def backoff_ms(self, attempt: int) -> int:
        """base x factor^(attempt - 1), exact and then rounded down, but at most cap_ms; without jitter."""
        _check_int("attempt", attempt, 1)
        up, down = self.factor
        if up == down:
            return self.base_ms
        numerator, denominator = self.base_ms, 1
        for _ in range(attempt - 1):
            if numerator >= self.cap_ms * denominator:  # capped for good: later attempts cost no more work
                return self.cap_ms
            numerator, denominator = numerator * up, denominator * down
        return min(numerator // denominator, self.cap_ms)


_LEAST: Final = {
    "attempts_max": 1,
    "base_ms": 1,
    "cap_ms": 1,
    "hint_slack_ms": 0,
    "hint_jitter_ms": 0,
    "budget_ms": 0,
    "attempt_ms": 0,
}


def kind_of_status(status: int) -> ErrorKind:
    """The kind of error that an HTTP status stands for; UNKNOWN below 400 and above 599."""
    known = {
        401: ErrorKind.AUTH,
        403: ErrorKind.AUTH,
        408: ErrorKind.REQUEST_TIMEOUT,
        429: ErrorKind.RATE_LIMITED,
        499: ErrorKind.CLIENT_CLOSED,
    }
    if status in known:
        return known[status]
    if 400 <= status <= 499:
        return ErrorKind.REQUEST
    return ErrorKind.SERVER if 500 <= status <= 599 else ErrorKind.UNKNOWN


def _check_int(name: str, given: object, least: int) -> None:
    if type(given) is not int:
        raise TypeError(f"{name}: expected an int, got {given!r}")
    if given < least:
        raise ValueError(f"{name}: expected at least {least}, got {given}")


_MINUTE_MS: Final = 60_000

OURS: Final = RetryPolicy(
    attempts_max=3,
    base_ms=1_000,
    factor=(2, 1),
    cap_ms=_MINUTE_MS,
    jitter_percent=(50, 100),  # never above the cap, and never so short that a crowd comes back at once
    budget_ms=120 * _MINUTE_MS,
    attempt_ms=20 * _MINUTE_MS,  # a sequential agent's timeout
    transient=(*_TRANSIENT, ErrorKind.EMPTY, ErrorKind.INVALID),  # an agent asked again answers differently
    permanent_without_hint=(ErrorKind.USAGE_LIMIT,),
)
"""What our coordinator uses for an agent."""
