"""The schedule of a run as the few choices in which it departs from what is usual, each named so that it can be found again:
by what it is, else by what came just before, else by how often it could have been made by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.world.address import Address
from sim.world.choice import Start, Subject

if TYPE_CHECKING:
    from sim.live.live_choice import LiveChoice
    from sim.live.live_world import LiveWorld

Opportunity = tuple[int, Subject, Address]
"""The step before which something could have been chosen, what it would have happened to, and its address."""


def departures(world: LiveWorld, start: Start[Any], choices: Sequence[LiveChoice]) -> list[str]:
    """The addresses of the choices that are not what is usual."""
    del start  # there is one way to begin
    found: list[str] = []
    could: list[Opportunity] = []
    """What could have been chosen since the last departure, and was not."""
    at = world.starts()[0].place
    for step, choice in enumerate(choices):
        mine, enabled = world.found(at, choice), world.enabled(at)
        unusual = enabled[1:] if enabled[0].progress else enabled
        here = [(step, other.takes, other.address) for other in unusual]
        if mine in unusual:
            could += [other for other in here if other[1] < mine.takes]
            found.append(str(_told(mine.address, could)))
            could.clear()
        else:
            could += here
        at = world.apply(at, choice)
    return found


def _told(address: Address, could: Sequence[Opportunity]) -> Address:
    bare = replace(address, after="")
    before = _times(bare, could)
    if not before:
        return bare
    if address.after and not _times(address, could):
        return address
    return replace(bare, ordinal=before + 1)


def _times(pattern: Address, could: Iterable[Opportunity]) -> int:
    """How often it could have been made: once for all that would have struck the same, whatever had paid for it."""
    return len({(step, takes) for step, takes, address in could if pattern.fits(address)})
