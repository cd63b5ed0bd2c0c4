"""Where a check or a fuzz begins, if not at the start: `--from JOURNAL`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import click

from sim.base.errors import ConfigError, SimError
from sim.scenario import Target, load_target
from sim.scenario.target import is_model_name

F = TypeVar("F", bound=Callable[..., Any])


class FromJournals(NamedTuple):
    """The journals of the command line; none if it begins at the start."""

    journals: tuple[str, ...]
    session: str | None

    def __bool__(self) -> bool:
        return bool(self.journals)

    def configured(self, target: str, given: Mapping[str, str]) -> Mapping[str, str]:
        """What the command line sets, and beside it what the session was begun with. Raises `ConfigError`."""
        if not self:
            if self.session is not None:
                raise ConfigError("--session is one of a journal; add --from JOURNAL")
            return given
        from sim.host.journaled import session_of  # most checks begin at the start

        _, config = session_of(self.journals, self.session, target if is_model_name(target) else "")
        return {
            **{key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()},
            **given,
        }

    def load(self, target: str, sets: Mapping[str, str], given: Mapping[str, str], **how: Any) -> Target:
        """The target, set so, begun with what the journals hold; `given` is what the command line sets itself. Raises
        `SimError` for what does not fit."""
        if not self:
            return load_target(target, sets, **how)
        from sim.host.journaled import persisted_of

        try:
            loaded = load_target(target, sets, **how)
        except SimError as error:
            raise type(error)(*(_told(mistake, given) for mistake in error.mistakes)) from None
        return loaded.begun_from(persisted_of(self.journals, loaded.declaration, self.session, loaded.model))


def _told(mistake: str, given: Mapping[str, str]) -> str:
    """A mistake, which may be in the configuration that a session was begun with, and not on the command line."""
    key = mistake.removeprefix("--set ").partition("=")[0]
    if mistake.startswith("--set ") and key not in given:
        return f"the config of the session: {mistake.removeprefix('--set ')}"
    return mistake


def options(command: F) -> F:
    """The options of a command that may begin with what journals hold."""
    command = click.option("--session", metavar="ID", help="The session of the journal, if it has several.")(command)
    return click.option(
        "--from",
        "journals",
        multiple=True,
        type=click.Path(),
        metavar="JOURNAL",
        help="Begin with what this journal of a host holds of a run; may be repeated.",
    )(command)
