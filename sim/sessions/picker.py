"""Picking a session on a terminal, with the arrows or by typing, which filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sim.base.errors import ConfigError
from sim.base.printing import printable
from sim.sessions.columns import age, branch_text, in_columns

if TYPE_CHECKING:
    from sim.sessions.program_store import KeptSession

SessionT = TypeVar("SessionT")
HEAD = ("id", "active", "branch", "title", "state")


def session_cells(session: KeptSession, branches: Collection[str] = ()) -> tuple[str, ...]:
    """The cells of a session's line, under `HEAD`; `branches` are those that exist now, if they are known."""
    return (
        str(session.id),
        f"{age(session.age_ms)} ago",
        branch_text(session.branch, branches),
        session.title,
        session.state,
    )


def resume_picker(
    sessions: Sequence[SessionT],
    cells: Callable[[SessionT], Sequence[str]] = session_cells,  # type: ignore[assignment]
    head: Sequence[str] = HEAD,
) -> SessionT | None:
    """The session that the user picks from the list, in its order; None if the user gives up, or there is none.

    `cells` are what a line shows of a session, under `head`. Raises `ConfigError` if there is no terminal to ask on.
    """
    if not sessions:
        return None
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("there is no terminal to pick a session on; give its number")
    import questionary

    title, *lines = in_columns([head, *map(cells, sessions)])
    choices = [questionary.Choice(title=printable(line), value=one) for line, one in zip(lines, sessions, strict=True)]
    picked: Any = questionary.select(
        f"Which session? (arrows, or type to filter)\n   {title}",
        choices=choices,
        use_search_filter=True,
        use_jk_keys=False,
        instruction=" ",
    ).ask()
    return None if picked is None else next(one for one in sessions if one is picked)
