"""Where a check or a fuzz begins, if not at the start: `--from JOURNAL`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from sim.base.errors import ConfigError
from sim.scenario import Target
from sim.scenario.loader import is_model_name

from_ = click.option(
    "--from",
    "journals",
    multiple=True,
    type=click.Path(),
    metavar="JOURNAL",
    help="Begin with what this journal of a host holds of a run; may be repeated.",
)
session = click.option("--session", metavar="ID", help="The session of the journal, if it has several.")


def configured(
    journals: Sequence[str], session_id: str | None, given: Mapping[str, str], target: str
) -> Mapping[str, str]:
    """What the command line sets, and beside it what the session of these journals was begun with. Raises `ConfigError`."""
    if not journals:
        if session_id is not None:
            raise ConfigError("--session is one of a journal; add --from JOURNAL")
        return given
    from sim.host.persisted import session_of  # most checks begin at the start

    _, config = session_of(journals, session_id, target if is_model_name(target) else "")
    return {**{key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}, **given}


def begun(target: Target, journals: Sequence[str], session_id: str | None) -> Target:
    """The target begun with what these journals hold; as it is if there are none. Raises `ConfigError` or `ModelError`."""
    if not journals:
        return target
    from sim.host.persisted import persisted_of

    return target.begun_from(persisted_of(journals, target.system, session_id, target.model))
