"""A session as plain data, for JSON: everything that it takes to go on counting, held against itself when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sim.metrics.breakdown import PARTS, BoundedTable, Key, Share, Tally
from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.latency import LATENCY_US_MAX, LatencySummary
from sim.metrics.usage import TokenUsage

KIND = "session_metrics"
VERSION = 1
"""Of the form; a later one may have other keys."""

Rows = tuple[tuple[Key, Share], ...]
Levels = tuple[Rows, ...]
"""The rows of a table, then those of the coarser ones beyond it."""

_BILLED = (("run", "stage", "agent", "attempt"), ("stage", "agent"), ())
_WASTED = (("agent", "reason"), ())

_PARTS = (*PARTS, "total_tokens")
_LATENCY = ("count", "sum_us", "min_us", "max_us", "buckets")


def levels_of(table: BoundedTable[Tally]) -> Levels:
    """The rows of a table and of those beyond it, as values."""
    return tuple(tuple((key, tally.share()) for key, tally in level.items()) for level in table.levels())


@dataclass(frozen=True)
class SessionRecord:
    """The fields of a `SessionMetrics`: its settings, its counters, its tables."""

    window: int
    rows: int
    turn_count: int
    last_turn_at: int
    last_turn: TokenUsage
    recent: tuple[tuple[int, int], ...]
    """(turn, tokens) of the prompts in the window, oldest first."""
    replay_updates: int
    duplicate_items: int
    billed: Levels
    wasted: Levels
    latency: LatencySummary

    def as_dict(self) -> dict[str, Any]:
        """For JSON, under the names of the fields."""
        return {
            "kind": KIND,
            "version": VERSION,
            **{name: getattr(self, name) for name in _COUNTS},
            "last_turn": self.last_turn.as_dict(),
            "recent": [list(pair) for pair in self.recent],
            "billed": _as_lists(self.billed, _BILLED),
            "wasted": _as_lists(self.wasted, _WASTED),
            "latency": {
                **{name: getattr(self.latency, name) for name in _LATENCY[:-1]},
                "buckets": [list(pair) for pair in self.latency.buckets],
            },
        }

    @classmethod
    def from_dict(cls, data: object) -> SessionRecord:
        """What `as_dict` gave. Raises `MetricsError` that names the field that is missing, wrong, or contradicts others."""
        found = _mapping("session", data, ("kind", "version", *(field.name for field in fields(cls))))
        if found["kind"] != KIND or found["version"] != VERSION:
            raise MetricsError(
                f"kind and version are {found['kind']!r} and {found['version']!r}; expected {KIND!r} and {VERSION}"
            )
        record = cls(
            **{name: checked_count(name, found[name]) for name in _COUNTS},
            last_turn=_usage("last_turn", _mapping("last_turn", found["last_turn"], _PARTS)),
            recent=tuple(_pairs("recent", found["recent"])),
            billed=_levels("billed", found["billed"], _BILLED),
            wasted=_levels("wasted", found["wasted"], _WASTED),
            latency=_latency(found["latency"]),
        )
        record._check()
        return record

    def _check(self) -> None:
        """Raises `MetricsError` if one field contradicts another."""
        turns = sum(share.turns for rows in self.billed for _, share in rows)
        if turns != self.turn_count:
            raise MetricsError(f"turn_count is {self.turn_count}, but the rows of billed have {turns} turns")
        if self.last_turn_at > self.turn_count:
            raise MetricsError(f"last_turn_at is {self.last_turn_at}, but turn_count is {self.turn_count}")
        if not self.window or len(self.recent) > self.window:
            raise MetricsError(
                f"window is {self.window}; expected 1 or more, and at least the {len(self.recent)} of recent"
            )
        for turn, tokens in self.recent:
            if turn > self.turn_count or not tokens:
                raise MetricsError(
                    f"recent has {tokens} tokens of turn {turn}; expected 1 or more of 0 to {self.turn_count}"
                )
        for name, levels in (("billed", self.billed), ("wasted", self.wasted)):
            for rows, limit in zip(levels, (*[self.rows] * (len(levels) - 1), 1), strict=True):
                if not self.rows > 0 or len(rows) > limit or len({key for key, _ in rows}) < len(rows):
                    raise MetricsError(f"{name} has {len(rows)} rows in a table of {limit}, or one twice")
        if sum(share.turns for rows in self.wasted for _, share in rows) > self.turn_count:
            raise MetricsError(f"wasted has more than the {self.turn_count} turns of turn_count")


_COUNTS = ("window", "rows", "turn_count", "last_turn_at", "replay_updates", "duplicate_items")


def _mapping(name: str, data: object, keys: Iterable[str]) -> Mapping[str, Any]:
    wanted = set(keys)
    if not isinstance(data, Mapping):
        raise MetricsError(f"{name} is a {type(data).__name__}; expected a mapping, as to_dict gives it")
    if set(data) != wanted:
        missing, more = wanted - set(data), set(map(str, data)) - wanted
        said = [f"{one} is missing" for one in sorted(missing)] + [f"{one} is not known" for one in sorted(more)]
        raise MetricsError(f"{name}: {', '.join(said)}")
    return data


def _usage(name: str, counts: Mapping[str, Any]) -> TokenUsage:
    for part, count in counts.items():
        checked_count(f"{name}: {part}", count)
    try:
        return TokenUsage(**counts)
    except MetricsError as error:
        raise MetricsError(f"{name}: {error}") from None


def _pairs(name: str, data: object) -> Iterable[tuple[int, int]]:
    for item in _list(name, data):
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise MetricsError(f"{name} has {item!r}; expected pairs of numbers")
        yield checked_count(name, item[0]), checked_count(name, item[1])


def _list(name: str, data: object) -> list[Any]:
    if not isinstance(data, list):
        raise MetricsError(f"{name} is a {type(data).__name__}; expected a list, as to_dict gives it")
    return data


def _as_lists(levels: Levels, labels: tuple[tuple[str, ...], ...]) -> list[list[dict[str, Any]]]:
    return [
        [{**dict(zip(names, key, strict=True)), **share.as_dict()} for key, share in rows]
        for rows, names in zip(levels, labels, strict=True)
    ]


def _levels(name: str, data: object, labels: tuple[tuple[str, ...], ...]) -> Levels:
    tables = _list(name, data)
    if len(tables) != len(labels):
        raise MetricsError(f"{name} has {len(tables)} tables; expected {len(labels)}, each coarser than the one before")
    return tuple(
        tuple(_row(name, row, names) for row in _list(name, rows)) for rows, names in zip(tables, labels, strict=True)
    )


def _row(name: str, data: object, names: tuple[str, ...]) -> tuple[Key, Share]:
    row = _mapping(f"a row of {name}", data, (*names, "turns", "unreported", *_PARTS))
    for label in names:
        if label == "attempt":
            checked_count(label, row[label])
        else:
            checked_label(label, row[label])
    turns, unreported = checked_count("turns", row["turns"]), checked_count("unreported", row["unreported"])
    if unreported > turns:
        raise MetricsError(f"a row of {name}: unreported is {unreported}, but turns is {turns}")
    usage = _usage(f"a row of {name}", {part: row[part] for part in _PARTS})
    return tuple(row[label] for label in names), Share(turns, unreported, usage)


def _latency(data: object) -> LatencySummary:
    found = _mapping("latency", data, _LATENCY)
    for part in _LATENCY[:-1]:
        checked_count(f"latency.{part}", found[part])
    for part in ("min_us", "max_us"):
        if found[part] > LATENCY_US_MAX:
            raise MetricsError(f"latency.{part} is {found[part]}; expected 0 to {LATENCY_US_MAX}")
    buckets = tuple(_pairs("latency.buckets", found["buckets"]))
    return LatencySummary(found["count"], found["sum_us"], found["min_us"], found["max_us"], buckets)
