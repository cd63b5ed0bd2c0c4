"""Who used what, in bounded memory: tables of tallies that stay exact while there is room.

A table keeps the `limit` smallest keys it ever saw and folds the rest into a coarser table. "The
smallest keys" rather than "the first": which keys those are does not depend on the order in which
they came. A key that ends up kept was never among the folded, in no part of a merge, so a kept row
is always complete and merging tables is associative and commutative. (A bottom-k sketch; the usual
"least recently used" has neither property.)
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.usage import NO_USAGE, TokenUsage

OTHER = "(other)"
"""Replaces the labels of rows that were folded because the table was full."""

UNLABELLED = ("", "", "", 0)
"""The key of what was not attributed; the smallest, so its row is never folded."""
PARTS = (
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "reasoning_output_tokens",
)

Key = tuple[Any, ...]


class Addable(Protocol):
    """What a table can hold: anything that can add another of its kind."""

    def absorb(self, other: Self, /) -> None: ...


RowT = TypeVar("RowT", bound=Addable)


class BoundedTable(Generic[RowT]):
    """At most `limit` rows by key; the rows of larger keys are folded into `beyond`.

    `coarsen` reduces a key to its key in `beyond`. The last table of a chain has
    the one key `()` and never overflows.
    """

    __slots__ = ("_beyond", "_coarsen", "_limit", "_new_row", "_order", "rows")

    def __init__(
        self,
        new_row: Callable[[], RowT],
        limit: int,
        beyond: BoundedTable[RowT] | None = None,
        coarsen: slice = slice(0),
    ) -> None:
        self.rows: dict[Key, RowT] = {}
        self._new_row = new_row
        self._limit = limit
        self._order: list[Key] = []
        self._beyond = beyond
        self._coarsen = coarsen

    def row(self, key: Key) -> RowT:
        """The row in which `key` is counted: its own, or the coarser one if the table is full."""
        row = self.rows.get(key)
        if row is not None:
            return row
        if len(self._order) == self._limit and self._beyond is not None:
            if key > self._order[-1]:
                return self._beyond.row(key[self._coarsen])
            last = self._order.pop()
            self._beyond.row(last[self._coarsen]).absorb(self.rows.pop(last))
        insort(self._order, key)
        row = self.rows[key] = self._new_row()
        return row

    def absorb(self, other: BoundedTable[RowT]) -> None:
        """Add the rows of a table of the same shape, and of those beyond it."""
        for key, row in other.rows.items():
            self.row(key).absorb(row)
        if self._beyond is not None and other._beyond is not None:
            self._beyond.absorb(other._beyond)

    def drop(self, key: Key) -> None:
        """Forget the row of `key`, if it has one of its own."""
        if self.rows.pop(key, None) is not None:
            self._order.remove(key)

    def clear(self) -> None:
        """Forget every row, here and beyond."""
        self.rows.clear()
        self._order.clear()
        if self._beyond is not None:
            self._beyond.clear()

    def levels(self) -> Iterator[BoundedTable[RowT]]:
        """This table, then those beyond it, ever coarser."""
        yield self
        if self._beyond is not None:
            yield from self._beyond.levels()

    def items(self) -> Iterator[tuple[Key, RowT]]:
        """The rows of this table only, in the order of their keys."""
        return ((key, self.rows[key]) for key in self._order)


class Tally:
    """The running sums of one row: plain integers, because adding to them is the hot path."""

    __slots__ = ("cache_write", "cached", "input", "output", "reasoning", "turns", "unreported")

    def __init__(self) -> None:
        self.turns = self.unreported = 0
        self.input = self.output = self.cached = self.cache_write = self.reasoning = 0

    def absorb(self, other: Tally, /) -> None:
        """Add the sums of another row."""
        self.turns += other.turns
        self.unreported += other.unreported
        self.input += other.input
        self.output += other.output
        self.cached += other.cached
        self.cache_write += other.cache_write
        self.reasoning += other.reasoning

    def add(self, share: Share) -> None:
        """Add a share to the sums."""
        usage = share.usage
        self.turns += share.turns
        self.unreported += share.unreported
        self.input += usage.input_tokens
        self.output += usage.output_tokens
        self.cached += usage.cached_input_tokens
        self.cache_write += usage.cache_write_input_tokens
        self.reasoning += usage.reasoning_output_tokens

    def share(self) -> Share:
        """The sums as a share."""
        return Share(self.turns, self.unreported, self.usage())

    def set(self, usage: TokenUsage, turns: int) -> None:
        """Replace the sums."""
        self.turns = turns
        self.unreported = min(self.unreported, turns)
        self.input = usage.input_tokens
        self.output = usage.output_tokens
        self.cached = usage.cached_input_tokens
        self.cache_write = usage.cache_write_input_tokens
        self.reasoning = usage.reasoning_output_tokens

    def count(self, usage: TokenUsage | None) -> None:
        """Add a turn; None if its usage was not reported."""
        self.add(Share(1, usage is None, usage or NO_USAGE))

    def usage(self) -> TokenUsage:
        """The sums as a value."""
        return TokenUsage(
            self.input,
            self.output,
            cached_input_tokens=self.cached,
            cache_write_input_tokens=self.cache_write,
            reasoning_output_tokens=self.reasoning,
        )


@dataclass(frozen=True, slots=True)
class Share:
    """What one agent or one stage used. `unreported` are its turns that did not report their usage."""

    turns: int
    unreported: int
    usage: TokenUsage

    def __add__(self, other: Share) -> Share:
        if not isinstance(other, Share):
            return NotImplemented
        return Share(self.turns + other.turns, self.unreported + other.unreported, self.usage + other.usage)

    def as_dict(self) -> dict[str, object]:
        return {"turns": self.turns, "unreported": self.unreported, **self.usage.as_dict()}


NO_SHARE = Share(0, 0, NO_USAGE)


@dataclass(frozen=True, slots=True)
class Wasted:
    """What an agent used for answers that did not count, and why they did not (`late`, `duplicate`, `lost`, ...)."""

    agent: str
    reason: str
    share: Share

    def as_dict(self) -> dict[str, object]:
        return {"agent": self.agent, "reason": self.reason, **self.share.as_dict()}


class Waste:
    """What was wasted: a row for each (agent, reason), and one for those beyond the bound."""

    __slots__ = ("table",)

    def __init__(self, limit: int) -> None:
        self.table = BoundedTable(Tally, limit, BoundedTable(Tally, 1))

    def open(self, agent: str, reason: str) -> Tally:
        """The row of an agent and a reason, created if missing."""
        return self.table.row((agent, reason))

    def rows(self) -> tuple[Wasted, ...]:
        """In the order of agents and reasons; what was folded comes last, under `OTHER`."""
        named, other = self.table.levels()
        rows = [Wasted(agent, reason, tally.share()) for (agent, reason), tally in named.items()]
        return (*rows, *(Wasted(OTHER, OTHER, tally.share()) for _, tally in other.items()))


@dataclass(frozen=True, slots=True)
class Billed:
    """What was used by one (run, stage, agent, attempt).

    A label that was not given is `""` (attempt 0); one that was folded is `OTHER` (attempt 0).
    """

    run: str
    stage: str
    agent: str
    attempt: int
    share: Share

    def as_dict(self) -> dict[str, object]:
        labels = {"run": self.run, "stage": self.stage, "agent": self.agent, "attempt": self.attempt}
        return {**labels, **self.share.as_dict()}


class Billing:
    """The bill: a row for each (run, stage, agent, attempt), coarser rows for those beyond the bound.

    Beyond `limit` keys a row keeps its stage and agent and loses run and attempt; beyond `limit`
    pairs of stage and agent, everything is one row.
    """

    __slots__ = ("full",)

    def __init__(self, limit: int) -> None:
        by_stage_agent = BoundedTable(Tally, limit, BoundedTable(Tally, 1))
        self.full = BoundedTable(Tally, limit, by_stage_agent, slice(1, 3))

    def open(self, key: tuple[str, str, str, int]) -> Tally:
        """The row of a key, created if missing; refuses labels that no table could sort."""
        *names, attempt = key
        for label, name in zip(("run", "stage", "agent"), names, strict=True):
            checked_label(label, name)
        checked_count("attempt", attempt)
        return self.full.row(key)

    def adopt(self, total: TokenUsage, turns: int) -> None:
        """Make the sums these: what the labelled rows do not account for goes to the row without labels.

        Raises `MetricsError` naming the number that is smaller than what is billed already; then nothing changes.
        """
        labelled = self.total()
        own = self.full.rows.get(UNLABELLED, Tally())
        rest = {"turns": turns - (labelled.turns - own.turns)}
        for name in PARTS:
            rest[name] = getattr(total, name) - (getattr(labelled.usage(), name) - getattr(own.usage(), name))
        for name, left in rest.items():
            if left < 0:
                given = turns if name == "turns" else getattr(total, name)
                raise MetricsError(
                    f"{name} is {given}, but {given - left} of them are billed by name here; reset before you adopt less"
                )
        left_turns = rest.pop("turns")
        try:
            usage = TokenUsage(**rest)
        except MetricsError as error:
            raise MetricsError(f"the total less what is billed by name here cannot be: {error}") from None
        if not left_turns and usage == NO_USAGE:
            self.full.drop(UNLABELLED)
        else:
            self.full.row(UNLABELLED).set(usage, left_turns)

    def billed(self) -> tuple[Billed, ...]:
        """Every row that counted something, the complete ones first, in the order of their labels."""
        full, by_stage_agent, all_other = self.full.levels()
        rows: list[tuple[Key, Tally]] = list(full.items())
        rows += [((OTHER, *key, 0), tally) for key, tally in by_stage_agent.items()]
        rows += [((OTHER, OTHER, OTHER, 0), tally) for _, tally in all_other.items()]
        return tuple(Billed(run, stage, agent, attempt, tally.share()) for (run, stage, agent, attempt), tally in rows)

    def total(self) -> Tally:
        """The sum of all rows: the total is not counted a second time, so it cannot disagree."""
        total = Tally()
        for table in self.full.levels():
            for tally in table.rows.values():
                total.absorb(tally)
        return total
