"""What is given to a host, in the form in which it works with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sim.base.errors import ConfigError, unknown
from sim.host.cast import Carries, Cast
from sim.host.link import Link


def frozen(value: Any) -> Any:
    """A value of a config as its model is given it: a list, as which JSON has it, is a tuple."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def by_class(given: Mapping[Any, Any]) -> Carries:
    """What carries what, by the names of the classes."""

    def name(one: Any) -> str:
        return one if isinstance(one, str) else str(one.__name__)

    return {
        name(message): tuple(map(name, kinds if isinstance(kinds, tuple | list) else (kinds,)))
        for message, kinds in given.items()
    }


def check_until(cast: Cast, name: str, states: Collection[str]) -> None:
    """Refuses a process that is not a machine here, or a state that it does not have."""
    if name not in cast.here:
        raise ConfigError(f"until: {unknown('process', name, cast.here)}")
    known = cast.handlers[name].table.states
    for state in states:
        if state not in known:
            raise ConfigError(f"until: {name}: {unknown('state', state, known)}")


def by_link(links: Mapping[str, Link]) -> list[tuple[Link, tuple[str, ...]]]:
    """The links, each with the processes to which it leads."""
    return [(link, tuple(name for name, one in links.items() if one is link)) for link in dict.fromkeys(links.values())]
