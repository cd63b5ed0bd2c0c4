"""How much a log could refute: it is spoilt in five ways, and what still conforms was not noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sim.base.mixer import stream
from sim.conform.logged import LoggedRun, LogLine

KINDS = ("drop", "double", "swap", "change", "insert")
TRIES = 8
"""How often a log is spoilt in each way."""

Accepts = Callable[[LoggedRun], bool | None]


class Draws:
    """Numbers that are the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.seed, self.count = seed, 0

    def below(self, end: int) -> int:
        self.count += 1
        return stream(self.seed, self.count) % end


@dataclass(frozen=True)
class Strength:
    """For each way of spoiling how often it was tried, and how often that was refuted."""

    tried: dict[str, int]
    refuted: dict[str, int]

    @property
    def unnoticed(self) -> list[str]:
        return [kind for kind in KINDS if self.tried[kind] and not self.refuted[kind]]

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        kinds = {kind: {"tried": self.tried[kind], "refuted": self.refuted[kind]} for kind in KINDS}
        tried = sum(self.tried.values())
        share = round(sum(self.refuted.values()) / tried, 4) if tried else None
        return {"refuted_share": share, "kinds": kinds, "unnoticed": self.unnoticed}

    def words(self) -> Iterator[str]:
        """For a person."""
        tried, refuted = sum(self.tried.values()), sum(self.refuted.values())
        parts = ", ".join(f"{kind} {self.refuted[kind]} of {self.tried[kind]}" for kind in KINDS if self.tried[kind])
        yield f"strength: {refuted} of {tried} spoilt logs are refuted: {parts}"
        if self.unnoticed:
            yield f"goes unnoticed: {', '.join(self.unnoticed)}"


def strength_of(run: LoggedRun, accepts: Accepts, seed: int = 0, tries: int = TRIES) -> Strength:
    """The strength of a log that conforms. What hits a bound counts as not tried."""
    tried, refuted = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for kind, spoilt in spoilt_logs(run, seed, tries):
        answer = accepts(spoilt)
        tried[kind] += answer is not None
        refuted[kind] += answer is False
    return Strength(tried, refuted)


def refutes_something(run: LoggedRun, accepts: Accepts, seed: int = 0) -> bool:
    """Whether one way of spoiling the log at least is noticed."""
    return any(accepts(spoilt) is not True for _, spoilt in spoilt_logs(run, seed, 3))


def spoilt_logs(run: LoggedRun, seed: int, tries: int) -> Iterator[tuple[str, LoggedRun]]:
    """The log spoilt in each way, some times; the same for the same seed."""
    dice = Draws(seed)
    for _ in range(tries):
        for kind in KINDS:
            lines = spoil(run.lines, kind, dice)
            if lines is not None:
                yield kind, LoggedRun(run.name, lines)


def spoil(lines: list[LogLine], kind: str, dice: Draws) -> list[LogLine] | None:
    """These lines, spoilt in one way; None if there is nothing to be spoilt so, or only to nothing. Ids, causes and clocks
    of lines that are moved are left out: they would tell on the spoiler, not on the log."""
    found = [replace(line, id=None, causes=(), at=None) for line in lines]
    at = dice.below(len(found))
    if kind == "drop":
        del found[at]
    elif kind == "double":
        found.insert(at, found[at])
    elif kind == "insert":
        found.insert(dice.below(len(found) + 1), found[at])
    elif kind == "swap":
        later = next((i for i in range(at + 1, len(found)) if found[i].process == found[at].process), None)
        if later is None or found[later].said == found[at].said:
            return None
        found[at], found[later] = found[later], found[at]
    else:
        said = _changed(found[at].said, dice)
        if said is None:
            return None
        found[at] = replace(found[at], said=said)
    return found or None


def _changed(said: Any, dice: Draws) -> dict[str, Any] | None:
    """A line with one value in it changed."""
    places = list(_leaves(said, ()))
    if not places:
        return None
    changed: dict[str, Any] = _with(said, *places[dice.below(len(places))])
    return changed


def _leaves(said: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The values that may be changed, and into what. What was given must stay something that a model knows."""
    if isinstance(said, dict):
        for key, value in said.items():
            if path or key != "input":
                yield from _leaves(value, (*path, key))
            elif "deliver" in value:
                yield from _leaves(value["deliver"].get("fields") or {}, ("input", "deliver", "fields"))
    elif isinstance(said, list):
        for index, value in enumerate(said):
            yield from _leaves(value, (*path, index))
    elif isinstance(said, bool):
        yield path, not said
    elif isinstance(said, int):
        yield path, said + 1
    elif isinstance(said, str):
        yield path, f"{said}_changed"


def _with(said: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = list(said) if isinstance(said, list) else dict(said)
    copy[path[0]] = _with(copy[path[0]], path[1:], value)
    return copy
