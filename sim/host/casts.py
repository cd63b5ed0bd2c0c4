"""The systems of a host's sessions: sessions that have the same configuration share one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping

from sim.base.values import Value
from sim.host.cast import Carries, Cast, made
from sim.host.given import check_until, frozen
from sim.machine.handler import Decide
from sim.system.declaration import Declaration

KEPT_MAX = 64
"""Of how many configurations the system is at hand. Sessions that run have theirs."""


class Casts:
    """Makes the cast of each configuration, from a system or what a function makes of it. Raises `ConfigError` or `ModelError`
    for what cannot be hosted, at once where there is one system only."""

    def __init__(
        self,
        system: Declaration | Callable[..., Declaration],
        model: str,
        until: Mapping[str, Collection[str]],
        here: Collection[str] | None,
        played: Collection[str],
        there: Collection[str],
        decide: Mapping[str, Decide],
        carries: Carries,
    ) -> None:
        self._system, self._model, self._until = system, model, until
        self._here, self._played, self._there, self._decide, self._carries = here, played, there, decide, carries
        self._known: dict[str, Cast] = {}
        if isinstance(system, Declaration):
            self.of({})

    def of(self, config: Mapping[str, Value]) -> Cast:
        """The system of a session with this configuration, and who plays what in it."""
        key = json.dumps(dict(config), sort_keys=True, default=str)
        found = self._known.get(key)
        if found is None:
            system = made(self._system, {name: frozen(value) for name, value in config.items()}, self._model)
            found = Cast(system, self._here, self._played, self._there, self._decide, self._carries)
            for name, states in self._until.items():
                check_until(found, name, states)
            if len(self._known) >= KEPT_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found
