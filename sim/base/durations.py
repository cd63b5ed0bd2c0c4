"""Durations with units, as scenario files and fault plans write them: `250ms`, `1.5s`, `10ms..50ms`; and
instants of RFC 3339, which are converted relative to the epoch: virtual time has no date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sim.base.errors import ConfigError

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}

_DURATION = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]+)", re.ASCII)


def parse_duration(text: str) -> int:
    """Whole milliseconds, 0 or more. Raises `ConfigError` if `text` is not a duration."""
    match = _DURATION.fullmatch(text.strip())
    unit = UNITS_MS.get(match[2]) if match else None
    if match is None or unit is None:
        raise ConfigError(
            f"{text!r} is not a duration{_meant(text)}; write a number and a unit, such as 250ms, 30s, 5min, 1h or 7d"
        )
    whole, _, part = match[1].partition(".")
    scale: int = 10 ** len(part)
    total, rest = divmod(int(whole + part) * unit, scale)
    if rest:
        raise ConfigError(f"{text!r} is not a whole number of milliseconds")
    return total


_SPELT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]+)", re.ASCII | re.IGNORECASE)
_UNITS = {"milli": "ms", "msec": "ms", "ms": "ms", "s": "s", "min": "min", "m": "min", "h": "h", "d": "d"}
"""How a word for a unit begins, the longest first where one begins another."""


def _meant(text: str) -> str:
    """` (did you mean '30s'?)` for a duration whose unit is spelt otherwise, such as `30sec`; or an empty string."""
    match = _SPELT.fullmatch(text.strip())
    unit = next((unit for begins, unit in _UNITS.items() if match and match[2].lower().startswith(begins)), "")
    return f" (did you mean '{match[1]}{unit}'?)" if match and unit else ""


def parse_range(text: str) -> tuple[int, int]:
    """`10ms..50ms` as (10, 50), both ends included; a single duration is a range of one."""
    low, dots, high = text.partition("..")
    first = parse_duration(low)
    last = parse_duration(high) if dots else first
    if last < first:
        raise ConfigError(f"{text!r} is empty: the range ends before it begins")
    return first, last


EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""The instant of virtual time 0, unless a scenario says otherwise."""
EPOCH_TEXT = "2025-01-01T00:00:00Z"

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(text: str) -> datetime:
    """An instant of RFC 3339, in UTC. Raises `ConfigError` if `text` is not one."""
    if not _INSTANT.fullmatch(text):
        raise ConfigError(f"{text!r} is not an instant of RFC 3339; write one such as {EPOCH_TEXT}")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{text!r} is not an instant: {error}; write one such as {EPOCH_TEXT}") from None


def parse_hint(text: str, epoch: datetime = EPOCH) -> int:
    """A reset hint in whole milliseconds from now: `30s`, `now+30s`, or an instant of RFC 3339 counted from
    `epoch` (one in the past is 0: the limit has been lifted). Raises `ConfigError` if it is not a hint."""
    bare = text.strip()
    if _INSTANT.fullmatch(bare):
        return max(0, (parse_instant(bare) - epoch) // timedelta(milliseconds=1))
    if bare.startswith("now+"):
        return parse_duration(bare.removeprefix("now+"))
    return parse_duration(text)


def show_duration(ms: int) -> str:
    """The shortest exact spelling: 1500 -> `1.5s`, 90000 -> `90s`, 250 -> `250ms`."""
    if ms and ms % 1_000 == 0:
        return f"{ms // 1_000}s"
    if ms > 1_000:
        return f"{ms // 1_000}.{ms % 1_000:03d}".rstrip("0") + "s"
    return f"{ms}ms"


def show_range(low: int, high: int) -> str:
    return show_duration(low) if low == high else f"{show_duration(low)}..{show_duration(high)}"
