"""Which of the processes that a system declares interchangeable nothing outside of their handlers tells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sim.base.renaming import exchange
from sim.system.declaration import Cut, Declaration


class ToldApart(Exception):
    """Two members of a class behave differently after all: `members` are the class, `why` is a sentence."""

    def __init__(self, members: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.members = members
        self.why = why


class Alike(NamedTuple):
    """Classes of processes that may be swapped, each of two names or more, and what tells others apart."""

    classes: list[tuple[str, ...]]
    apart: list[str]


def alike(system: Declaration) -> Alike:
    """The declared groups, split where a fault of the budget or a cut strikes one member and not another.

    Swapping a and b, and b and c, gives swapping a and c: so it is enough to compare with the first of a class.
    """
    found = Alike([], [])
    for group in system.interchangeable:
        classes: list[list[str]] = []
        for name in group:
            reasons = [_told_apart(system, members[0], name) for members in classes]
            if "" in reasons:
                classes[reasons.index("")].append(name)
            else:
                classes.append([name])
                found.apart.extend(
                    f"{members[0]} and {name} are told apart by {why}"
                    for members, why in zip(classes[:1], reasons[:1], strict=False)
                )
        found.classes.extend(tuple(members) for members in classes if len(members) > 1)
    return found


def _told_apart(system: Declaration, one: str, other: str) -> str:
    """What tells these two apart, or ""."""
    names = exchange(one, other)
    for entry in system.budget:
        if entry.count != 0 and entry.kind != "cut" and entry.target is not None:
            ends = entry.target.split("->")
            if _renamed_all(ends, names) != ends:
                return f"the fault {entry}"
    if any(entry.count != 0 and entry.kind == "cut" for entry in system.budget):
        for name, cut in system.cuts.items():
            if _swapped(cut, names) != cut:
                return f"the cut {name}"
    return ""


def _swapped(cut: Cut, names: Mapping[str, str]) -> Cut:
    other = None if cut.other is None else frozenset(_renamed_all(sorted(cut.other), names))
    return Cut(frozenset(_renamed_all(sorted(cut.side), names)), other, cut.one_way)


def _renamed_all(given: Sequence[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(name, name) for name in given]
