"""One syntax for fault plans and budgets, wherever one is written:

    agent_timeout:3,consensus_fail:1          kinds and counts; the order is kept
    agent_timeout:2@gemini                    with a target: a process, a side, or a message type
    drop:1@gemini->coordinator                or a link
    rate_limited:1(30s)                       with a reset hint: 30s, now+30s, or an instant of RFC 3339
    delay:1@gemini(5s), pause:1@gemini(5s)    with a duration, in runs on virtual time
    crash:1@coordinator after Store           with a place: right after that output
    crash:1@coordinator for good              never to come back; so also cut:1@link for good
    drop:unlimited                            without limit

A budget says how many of each kind may strike, and where; a plan is a budget that a run spends eagerly.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from sim.base.durations import EPOCH, parse_duration, parse_hint, show_duration
from sim.base.errors import ConfigError, listing, unknown
from sim.faults.catalogue import BUILT_IN, PLACED, ROWS, TABLE, Takes

UNLIMITED = None
"""The count of an entry that never runs out."""

COUNT_MAX = 1_000_000

_NAME = r"[A-Za-z_][\w.-]*"
_NAMED = r"\w(?:[\w.#/]|-(?!>))*"
_PLACE = rf"{_NAMED}(?:->{_NAMED})?"
_ENTRY = re.compile(
    rf"(?P<kind>{_NAME})\s*:\s*(?P<count>\w+)\s*(?:\(\s*(?P<hint>[^()]*)\))?\s*(?:@\s*(?P<target>{_PLACE}))?"
    rf"\s*(?:\(\s*(?P<hint2>[^()]*)\))?(?P<good>\s+for\s+good)?(?:\s+after\s+(?P<after>{_NAME}))?"
)


@dataclass(frozen=True)
class FaultEntry:
    """One entry: `count` faults of `kind` (None: unlimited), at `target` (None: anywhere).

    `hint_ms` is the reset hint of a rate limit, or how long a delay or a pause lasts. With `for_good` what a crash or
    a cut takes away never comes back.
    """

    kind: str
    count: int | None
    target: str | None = None
    hint_ms: int | None = None
    after: str | None = None
    for_good: bool = False

    def __str__(self) -> str:
        count = "unlimited" if self.count is None else str(self.count)
        target = f"@{self.target}" if self.target else ""
        hint = f"({show_duration(self.hint_ms)})" if self.hint_ms is not None else ""
        good = " for good" if self.for_good else ""
        after = f" after {self.after}" if self.after else ""
        return f"{self.kind}:{count}{target}{hint}{good}{after}"


def show_plan(entries: Iterable[FaultEntry]) -> str:
    """The plan in its syntax; `none` if it is empty."""
    return ", ".join(map(str, entries)) or "none"


def parse_plan(text: str, own_kinds: Iterable[str] = (), epoch: datetime = EPOCH) -> tuple[FaultEntry, ...]:
    """The entries of a plan, in the order written; `own_kinds` are the model's own domain faults. A
    reset hint that is an instant counts from `epoch`.

    Raises `ConfigError` with one line for each malformed entry.
    """
    known = tuple(dict.fromkeys((*BUILT_IN, *own_kinds)))
    entries: dict[Hashable, FaultEntry] = {}
    mistakes: list[str] = []
    if text.strip() in ("", "none"):
        return ()
    for part in split_plan(text):
        try:
            entry = _parse_entry(part, known, epoch)
            twin = entries.setdefault(place_of(entry), entry)
            if twin is not entry:
                raise ConfigError(f"fault {part.strip()!r} repeats {str(twin)!r}: write one entry with the sum")
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(*mistakes)
    return tuple(entries.values())


def split_plan(text: str) -> list[str]:
    """The entries of a plan as texts; a comma in parentheses is part of its entry."""
    parts: list[list[str]] = []
    following = ""  # the next parenthesis to the right
    for piece in reversed(text.split(",")):
        if following == ")":
            parts[-1].append(piece)
        else:
            parts.append([piece])
        found = _PARENTHESIS.search(piece)
        following = found[0] if found else following
    return [",".join(reversed(part)).strip() for part in reversed(parts)]


_PARENTHESIS = re.compile("[()]")


def place_of(entry: FaultEntry) -> Hashable:
    """What no two entries of a plan share: everything but the count."""
    return replace(entry, count=None)


def _parse_entry(text: str, known: tuple[str, ...], epoch: datetime) -> FaultEntry:
    match = _ENTRY.fullmatch(text)
    if match is None:
        raise ConfigError(
            f"fault {text!r} is malformed{_meant(text, known)}; write kind:count, such as agent_timeout:2@gemini"
        )
    kind = match["kind"]
    if kind not in known:
        raise ConfigError(f"fault {text!r}: {unknown('kind', kind, known)}")
    hint = match["hint"] if match["hint"] is not None else match["hint2"]
    if match["hint"] is not None and match["hint2"] is not None:
        raise ConfigError(f"fault {text!r} has two reset hints; write one")
    hint_ms = _parse_hint(text, kind, hint, epoch)
    if match["after"] and kind not in PLACED:
        raise ConfigError(f"fault {text!r}: only {listing(PLACED)} can have a place with `after`")
    if match["good"] and kind not in PLACED:
        raise ConfigError(f"fault {text!r}: only {listing(PLACED)} can strike `for good`")
    count, good = _parse_count(text, match["count"]), bool(match["good"])
    return FaultEntry(kind, count, match["target"], hint_ms, match["after"], good)


_LOOSE = re.compile(rf"\s*(?P<kind>{_NAME})(?P<count>\s*:\s*\w+)?(?P<rest>.*)", re.S)


def _meant(text: str, known: Sequence[str]) -> str:
    """` (did you mean 'rate_limited:1(30s)'?)` for an entry that is one but for its count or a misspelt word."""
    match = _LOOSE.fullmatch(text)
    kind = next(iter(get_close_matches(match["kind"], known, n=1)), "") if match else ""
    if match is None or not kind:
        return ""
    words = match["rest"].split(" ")
    rest = " ".join((get_close_matches(word, _WORDS, n=1) or [word])[0] for word in words)
    meant = f"{kind}{match['count'] or ':1'}{rest}".strip()
    return f" (did you mean {meant!r}?)" if _ENTRY.fullmatch(meant) else ""


_WORDS = ("for", "good", "after")


def _parse_hint(text: str, kind: str, hint: str | None, epoch: datetime) -> int | None:
    takes = ROWS[kind].takes if kind in ROWS else Takes.NOTHING
    if hint is None:
        if takes is Takes.DURATION:
            raise ConfigError(f"fault {text!r} requires a duration; write it in parentheses, such as (5s)")
        return None
    if takes is Takes.NOTHING:
        hinted = listing([row.kind for row in TABLE if row.takes is Takes.HINT])
        lasting = listing([row.kind for row in TABLE if row.takes is Takes.DURATION], "and")
        raise ConfigError(f"fault {text!r}: only {hinted} takes a reset hint, and {lasting} a duration")
    try:
        return parse_hint(hint, epoch) if takes is Takes.HINT else parse_duration(hint)
    except ConfigError as error:
        raise ConfigError(f"fault {text!r}: {error}") from None


def _parse_count(text: str, count: str) -> int | None:
    if count == "unlimited":
        return UNLIMITED
    digits = count.lstrip("0") or "0"
    if not (count.isascii() and count.isdigit()) or len(digits) > len(str(COUNT_MAX)) or int(digits) > COUNT_MAX:
        raise ConfigError(f"fault {text!r}: {count!r} is not a count; write 1 to {COUNT_MAX}, or unlimited")
    if digits == "0":
        raise ConfigError(f"fault {text!r} strikes nothing; leave it out, or write 1 to {COUNT_MAX}, or unlimited")
    return int(digits)
