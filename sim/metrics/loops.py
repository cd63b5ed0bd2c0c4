"""Signs that a session loops, and the counting of what was sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

REPLAYS_CRITICAL = 4
REPLAYS_WARNING = 2
DUPLICATES_WARNING = 3


class Severity(Enum):
    """How urgent a loop warning is."""

    WARNING = "warning"
    CRITICAL = "critical"


class LoopCause(Enum):
    """What was counted; the value is the name of the counter."""

    REPLAYS = "replay_updates"
    DUPLICATES = "duplicate_items"


@dataclass(frozen=True, slots=True)
class LoopWarning:
    """A counter of a session has reached its threshold."""

    severity: Severity
    cause: LoopCause
    count: int

    @property
    def sentence(self) -> str:
        """For a reader. It says "so far", because both counters are cumulative: the upstream words
        its warning as if the replays had followed each other, which it does not check."""
        if self.cause is LoopCause.REPLAYS:
            return f"{self.count} updates replayed so far: the session may be looping"
        return f"{self.count} duplicate items dropped so far: the session may be looping"

    def as_dict(self) -> dict[str, object]:
        return {
            "severity": self.severity.value,
            "cause": self.cause.value,
            "count": self.count,
            "sentence": self.sentence,
        }


def loop_warning(replay_updates: int, duplicate_items: int) -> LoopWarning | None:
    """4 replays are critical, 2 a warning, 3 duplicates a warning; replays win, and at most one is returned."""
    if replay_updates >= REPLAYS_CRITICAL:
        return LoopWarning(Severity.CRITICAL, LoopCause.REPLAYS, replay_updates)
    if replay_updates >= REPLAYS_WARNING:
        return LoopWarning(Severity.WARNING, LoopCause.REPLAYS, replay_updates)
    if duplicate_items >= DUPLICATES_WARNING:
        return LoopWarning(Severity.WARNING, LoopCause.DUPLICATES, duplicate_items)
    return None


class DuplicateCounter(Protocol):
    """What `ReplayFilter` needs of a `SessionMetrics`."""

    def record_duplicate_items(self, count: int) -> None: ...
    def record_replay(self) -> None: ...


ItemT = TypeVar("ItemT")


class ReplayFilter(Generic[ItemT]):
    """Drops from a conversation update what the conversation already holds, and counts it.

    After an answer, `expect` says which items the next update will repeat. `admit` then returns the
    items of an update that are new. Dropping and counting happen in one place, in the one session: the upstream counts
    in two places and lets the one that never counts overwrite the other.
    """

    __slots__ = ("_counter", "_expected", "_is_user")

    def __init__(self, counter: DuplicateCounter, is_user: Callable[[ItemT], bool]) -> None:
        self._counter = counter
        self._is_user = is_user
        self._expected: list[ItemT] = []

    def expect(self, items: Iterable[ItemT]) -> None:
        """Replace what is expected to come back; items are compared by equality."""
        self._expected = list(items)

    def admit(self, tail: Sequence[ItemT]) -> list[ItemT]:
        """The new items of `tail`, in order.

        One user item and then exactly the expected items is a replay: all of it is dropped, which
        counts as one replay and as many duplicates as there are expected items. Otherwise items
        that match the expected ones in order are dropped and counted as duplicates, until the first
        that does not match, which ends the expectation.
        """
        expected, self._expected = self._expected, []
        if expected and len(tail) > 1 and self._is_user(tail[0]) and list(tail[1:]) == expected:
            self._counter.record_duplicate_items(len(expected))
            self._counter.record_replay()
            return []
        matching = 0
        for item, wanted in zip(tail, expected, strict=False):
            if item != wanted:
                break
            matching += 1
        if matching == len(tail):
            self._expected = expected[matching:]  # nothing contradicted the rest: it may still come
        self._counter.record_duplicate_items(matching)
        return list(tail[matching:])
