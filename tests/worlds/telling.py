"""Tells a run of a program as a story."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from sim.base.values import Emission, show
from sim.world.choice import MESSAGE, Start, Subject
from sim.world.slowdown import Slowdown
from sim.world.story import Actor, Fate, Happening, Journey, Look, Story
from tests.worlds.path_world import PathChoice, Place

SHARED = "shared"
"""Who stands for what the tasks share."""


def tell(
    names: Sequence[str], start: Start[Place], steps: Sequence[tuple[int | None, PathChoice]], slow: Sequence[Slowdown]
) -> Story:
    """The story of the run that began with `start` and took these steps."""
    looks: dict[Look, int] = {}
    journeys: list[Journey] = []
    flying: dict[Subject, deque[int]] = {}
    address = str(start.address)
    events = [Happening(0, None, "start", "", address, address)]
    beginning = tuple(looks.setdefault(look, len(looks)) for look in start.place.sight.looks)
    before = start.place
    for number, (time, choice) in enumerate(steps, 1):
        after = before.after[choice.code]
        journey = None
        if choice.takes[0] == MESSAGE:
            journey = flying[choice.takes].popleft()
            fate = Fate.DELIVERED if choice.progress else Fate.LOST
            journeys[journey] = journeys[journey]._replace(ended=number, fate=fate)
        sent = []
        for pending in after.sight.due:
            if pending.address is not None:
                flying.setdefault(pending.subject, deque()).append(len(journeys))
                sent.append(len(journeys))
                one = pending.address
                text = one.message.partition(" ")[2]
                journeys.append(Journey(one.source, one.target, one.type, text, number))
        both = list(zip((*names, SHARED), before.sight.looks, after.sight.looks, strict=True))
        events.append(
            Happening(
                number,
                time,
                choice.address.verb,
                choice.mover,
                _text(choice),
                str(choice.address),
                journey,
                tuple(sent),
                choice.strikes,
                tuple((i, looks.setdefault(new, len(looks))) for i, (_, old, new) in enumerate(both) if old != new),
                tuple(note for name, old, new in both for note in _notes(name, old, new)),
                tuple(show(put) for put in after.sight.puts if isinstance(put, Emission)),
            )
        )
        before = after
    return Story(
        network="streams",
        actors=(*map(Actor, names), Actor(SHARED, listens=True)),
        looks=tuple(looks),
        first=beginning,
        events=tuple(events),
        journeys=tuple(journeys),
        slowdowns=tuple(slow),
    )


def _text(choice: PathChoice) -> str:
    address = choice.address
    if address.source:
        text = address.message.partition(" ")[2]
        return f"{address.source} -> {address.target}  {text}{'' if choice.progress else ' (dropped)'}"
    return f"{address.process}  {'timer ' if address.verb == 'fire' else ''}{address.subject}"


def _notes(name: str, old: Look, new: Look) -> Iterator[str]:
    parts = [f"{old.state} -> {new.state}"] if old.state != new.state else []
    parts += [f"{field.name}={field.text}" for field in new.fields if field not in old.fields]
    if parts:
        yield f"{name}: {', '.join(parts)}"
