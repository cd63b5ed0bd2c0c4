"""The kind of network of each link of a system, and what is wrong with how it is written down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sim.base.errors import listing, unknown
from sim.base.values import describe
from sim.faults.plan import FaultEntry
from sim.system.network import NETWORKS

Kinds = str | Mapping[str, str]
"""One kind for all links, or a kind for each, with `*` for any process: `{"*": "any", "app->db": "fifo"}`."""

STRUCK_ON = {"reorder": ("fifo",), "duplicate": ("any", "fifo")}
"""The kinds of network on which a fault can strike, where it cannot on all."""


def kind_of(kinds: Kinds, source: str, target: str) -> str:
    """The kind of a link. The most exact entry decides: the link itself, then `source->*`, `*->target`, `*`; without
    any of them it is `any`."""
    if isinstance(kinds, str):
        return kinds
    names = (f"{source}->{target}", f"{source}->*", f"*->{target}", "*->*", "*")
    return next((kinds[name] for name in names if name in kinds), "any")


def in_words(kinds: Kinds) -> str:
    """As a page or a line names it."""
    return kinds if isinstance(kinds, str) else ", ".join(f"{link}: {kind}" for link, kind in kinds.items())


def network_mistakes(kinds: object, processes: Collection[str]) -> list[str]:
    """What is wrong with `System(network=...)`."""
    if isinstance(kinds, str):
        return [] if kinds in NETWORKS else [unknown("network", kinds, NETWORKS)]
    if not isinstance(kinds, Mapping) or not kinds:
        return [f"network is {describe(kinds)}; expected {listing(NETWORKS)}, or one of them for each link"]
    mistakes = []
    for link, kind in kinds.items():
        if kind not in NETWORKS:
            mistakes.append(f"network of {link}: {unknown('kind', str(kind), NETWORKS)}")
        if link != "*":
            mistakes += link_mistakes("network", link, processes)
    return mistakes


def link_mistakes(where: str, link: object, processes: Collection[str]) -> list[str]:
    """What is wrong with the name of a link."""
    ends = link.split("->") if isinstance(link, str) else []
    if len(ends) != 2:
        return [f"{where}: {link!r} is not a link; write source->target, either side may be *"]
    return [
        f"{where}: link {link!r}: {unknown('process', end, processes)}"
        for end in ends
        if end != "*" and end not in processes
    ]


def never_strikes(entry: FaultEntry, kinds: Kinds, links: Iterable[tuple[str, str]]) -> list[str]:
    """That a fault can strike on none of these links, if so."""
    able = STRUCK_ON.get(entry.kind)
    found = {kind_of(kinds, *link): None for link in links}
    if able is None or any(kind in able for kind in found):
        return []
    if entry.kind == "reorder":
        return [f"fault {str(entry)!r}: reorder requires a fifo network; this one is {in_words(kinds)!r}"]
    why = {"set": "a message stays in flight forever", "latest": "a newer message replaces the older one"}
    kind = next(iter(found))
    return [f"fault {str(entry)!r}: in a `{kind}` network {why[kind]}; it cannot be duplicated"]
