"""What is judged of a program while it runs: its properties, asked after everything that runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

from sim.base.errors import ModelError, failure, nearest, text_of
from sim.base.overdue import WATCH
from sim.live.audience import Audience, Listening
from sim.system.properties import Property
from sim.world.finding import Finding


class Watching:
    """The properties of one run, and what they read."""

    def __init__(self, properties: Sequence[Property], audience: Audience) -> None:
        self._properties, self._audience = properties, audience
        self.watched: dict[str, Any] = {}
        """What `world.watch` has named."""
        self.held: dict[str, None] = {}
        """The goals that have held."""

    def judge(self, heard: Listening) -> Finding | None:
        """What does not hold now, when the monitors have heard this. Asks those properties whose names are all there."""
        for prop in self._properties:
            if all(name in self.watched or name in self._audience.names for name in prop.reads):
                found = self._ask(prop, heard)
                if found is not None:
                    return found
        return None

    def look_for_unread(self) -> None:
        """Raises `ModelError` for each property that reads what is not one of the monitors, and not watched."""
        known = [*self._audience.names, *self.watched]
        mistakes = [
            f"{prop} reads {name}{nearest(name, known)}, which is not a monitor, and world.watch({name!r}, ...) was not "
            "called by the end of the run"
            for prop in self._properties
            for name in prop.reads
            if name not in known
        ]
        if mistakes:
            raise ModelError(*mistakes)

    def _ask(self, prop: Property, heard: Listening) -> Finding | None:
        if prop.kind != "always" and prop.name in self.held:
            return None
        try:
            with WATCH.during(f"the predicate of {prop}"):
                given = [
                    seen(self.watched[name]) if name in self.watched else self._audience.view(heard, name)
                    for name in prop.reads
                ]
                holds = prop.predicate(*given)
        except BaseException as error:
            raise ModelError(f"{prop} cannot be evaluated: {failure(error)}") from error
        if callable(holds):
            raise ModelError(f"{prop} returns a function, which always holds; call it with ()")
        if prop.kind != "always":
            if holds:
                self.held[prop.name] = None
        elif not holds:
            shown = ", ".join(f"{name} {_shown(one)}" for name, one in zip(prop.reads, given, strict=True))
            return Finding(prop.name, f"does not hold with {shown}")
        return None


def _shown(value: Any) -> str:
    text = text_of(value, repr)
    return text if " at 0x" not in text else f"a {type(value).__name__}"


def seen(thing: Any) -> Any:
    """What a predicate reads of what is watched."""
    return thing() if inspect.isroutine(thing) or isinstance(thing, functools.partial) else thing
