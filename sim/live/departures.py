"""The schedule of a run as the few choices in which it departs from what is usual, each named so that it can be found again:
by what it is, else by what came just before, else by how often it could have been made by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.world.address import Address
from sim.world.choice import Start

if TYPE_CHECKING:
    from sim.live.live_choice import LiveChoice
    from sim.live.live_world import LiveWorld


def departures(world: LiveWorld, start: Start[Any], choices: Sequence[LiveChoice]) -> list[str]:
    """The addresses of the choices that are not what is usual."""
    del start  # there is one way to begin
    found: list[str] = []
    could: list[Address] = []
    """What could have been chosen since the last departure, and was not."""
    at = world.starts()[0].place
    for choice in choices:
        mine, enabled = world.found(at, choice), world.enabled(at)
        unusual = enabled[1:] if enabled[0].progress else enabled
        if mine in unusual:
            found.append(str(_told(mine.address, could)))
            could.clear()
        else:
            could += [other.address for other in unusual]
        at = world.apply(at, choice)
    return found


def _told(address: Address, could: Sequence[Address]) -> Address:
    bare = replace(address, after="")
    alike = [other for other in could if bare.fits(other)]
    if not alike:
        return bare
    if address.after and not any(address.fits(other) for other in alike):
        return address
    return replace(bare, ordinal=len(alike) + 1)
