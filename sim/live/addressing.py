"""What arrives at a program, as schedules and people call it."""

from __future__ import annotations

import re
from itertools import chain

from sim.live.net.channel import BYTES, CONNECT, DATAGRAM, END, EXIT, RESET, Connection, Incoming
from sim.live.net.exchange import CHOOSING
from sim.world.address import Address

DELIVER = "deliver"


def address_of(arrival: Incoming, how: str, after: str = "") -> Address:
    """`deliver redis->client 13 bytes`, or what happens to it instead: `split redis->client 13 bytes`."""
    ends = arrival.source, arrival.target
    if arrival.what == CONNECT:
        return Address(how or CONNECT, *ends, after=after)
    fields = {"size": str(arrival.size)} if arrival.what in (BYTES, DATAGRAM) and arrival.size else {}
    if arrival.connection > 1:
        fields["connection"] = str(arrival.connection)
    if how.startswith(CHOOSING):
        chosen = (how.removeprefix(CHOOSING),)
        return Address(DELIVER, *ends, arrival.what, fields or None, choosing=chosen, after=after)
    kind = how.partition("(")[0]
    under = None if kind in _VERBS else how or None
    return Address(kind if kind in _VERBS else DELIVER, *ends, arrival.what, fields or None, under=under, after=after)


def link_of(connection: Connection) -> str:
    """`client->redis`."""
    return f"{connection.source}->{connection.target}"


def short(arrival: Incoming) -> str:
    """It, in a word or two: `13 bytes`."""
    return f"{arrival.size} {arrival.what}" if arrival.size and arrival.what in (BYTES, DATAGRAM) else arrival.what


def said(arrival: Incoming, how: str) -> str:
    """It, as a sentence."""
    source, target, kind = arrival.source, arrival.target, how.partition("(")[0]
    if arrival.what == EXIT:
        return f"{target} learns that {source} has ended"
    if arrival.what == CONNECT:
        return f"{source}'s connection to {target} {'is refused' if kind else 'arrives'}"
    what = {
        BYTES: f"{arrival.size} bytes" if arrival.size else "something sealed",
        DATAGRAM: f"a datagram of {arrival.size} bytes",
        END: "the end",
        RESET: "a reset",
    }.get(arrival.what, arrival.what)
    if kind == "split":
        return f"the first half of {what} from {source} arrives at {target}"
    if kind in ("drop", "duplicate"):
        return f"{what} from {source} to {target} is {'lost' if kind == 'drop' else 'duplicated'}"
    if how.startswith(CHOOSING):
        return f"{what} from {source} arrive at {target}, and say {how.removeprefix(CHOOSING)}"
    if kind:
        return f"{how} strikes the answer of {source} to {target}"
    arrives = "arrive" if arrival.what == BYTES and arrival.size > 1 else "arrives"
    return f"{what} from {source} {arrives} at {target}"


_VERBS = ("drop", "duplicate", "split", "refuse")
"""Faults that are verbs of their own; others are `under` which something is delivered."""


def places(link: str) -> tuple[str, ...]:
    """What an entry of a plan may name to slow down what arrives on this link: its ends, or both, with their numbers or without."""
    source, _, target = link.partition("->")
    ends = [(name, _NUMBER.sub("", name)) for name in (source, target)]
    return tuple(dict.fromkeys([*chain(*ends), *(f"{one}->{other}" for one in ends[0] for other in ends[1])]))


_NUMBER = re.compile(r"#\d+")
