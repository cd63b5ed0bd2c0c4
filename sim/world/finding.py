"""What is wrong with a run: the property, and a sentence; and what somebody still owes."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A violated property: its name, and a sentence that says what is wrong."""

    property: str
    message: str


class Debt(NamedTuple):
    """What is owed at a place: `who` is to leave its hot states or, with a `key`, to settle what it owes for it. Never to
    do so violates `property`."""

    property: str
    who: str
    key: str = ""


_AT_REST = {
    "eventually": "did not hold before everything came to rest",
    "leads_to": "did not hold after what leads to it, before everything came to rest",
    "always_eventually": "does not hold where everything comes to rest",
    "eventually_always": "does not hold where everything comes to rest",
}
_GOING_ROUND = {
    "eventually": " without it",
    "leads_to": " without it, though what leads to it held",
    "always_eventually": " without it",
    "eventually_always": ", and somewhere among them it does not hold",
    "rests": ": it never comes to rest",
}
_OTHER_WORK = "; if each round is about other work, declare what is owed by key: `owes`"


def unmet_at_rest(kind: str, name: str) -> Finding:
    """A goal of this kind that is not met where a run ends."""
    return Finding(name, _AT_REST[kind])


def unmet_for_ever(kind: str, name: str, length: int) -> Finding:
    """A goal of this kind that is not met by going round so many actions forever."""
    return Finding(name, _endless(length, _GOING_ROUND[kind]))


def owed_for_ever(debt: Debt, length: int, *, other_work: bool) -> Finding:
    """Something that is owed all along a round. `other_work`: whoever owes it does not look the same all along."""
    if debt.key:
        what = f"{debt.key} is owed" if debt.property == debt.who else f"{debt.who} owes {debt.key}"
        return Finding(debt.property, f"{what} forever: {_endless(length)}")
    hint = _OTHER_WORK if other_work else ""
    return Finding(debt.property, f"{debt.who} is hot forever: {_endless(length)}{hint}")


def _endless(length: int, how: str = "") -> str:
    return f"the last {length} actions can be repeated forever{how} (fair to every action that stays enabled)"
