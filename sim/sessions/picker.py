"""Picking a session on a terminal, with the arrows or by typing, which filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sim.base.errors import ConfigError
from sim.base.printing import printable
from sim.sessions.columns import age, branch_text
from sim.sessions.pick_list import PickList

if TYPE_CHECKING:
    from sim.sessions.program_store import KeptSession

SessionT = TypeVar("SessionT")
HEAD = ("id", "active", "branch", "title", "state")
SPARE = ("branch", "active", "state")
HELP = "Enter takes it, Esc none; arrows, PgUp, PgDn, Home, End; type to filter"
ESCAPE_S = 0.05
"""How long an Esc waits for the rest of a key that begins with it."""


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
    spare: Sequence[str] = SPARE,
) -> SessionT | None:
    """The session that the user picks from the list, in its order; None if the user gives up, or there is none.

    `cells` are what a line shows of a session, under `head`; where a terminal is narrow, the columns in `spare` are
    left out, the first of them first. Raises `ConfigError` if there is no terminal to ask on.
    """
    if not sessions:
        return None
    if not can_pick():
        raise ConfigError("there is no terminal to pick a session on; give its number")
    rows = [[printable(cell) for cell in cells(one)] for one in sessions]
    application = _application(PickList(head, rows, spare))
    try:
        picked = application.run()
    except KeyboardInterrupt:  # by a signal, in the midst of it: give back the screen of before
        application.renderer.erase()
        raise
    return None if picked is None else sessions[picked]


def can_pick() -> bool:
    """Whether there is a terminal to pick on."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stdout))


def _application(found: PickList, **how: Any) -> Any:
    """The list on the whole screen; its result is the number of the picked row, or None. `how` is for tests: where keys
    come from, and where it is shown."""
    from prompt_toolkit.application import Application, get_app
    from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window

    def size() -> tuple[int, int]:
        shown = get_app().output.get_size()
        return shown.columns, max(1, shown.rows - 3)  # what is asked, an empty line, the help

    def rows() -> list[tuple[str, str]]:
        lines = found.lines(*size())
        return [
            ("reverse" if picked else "bold" if not number else "", f"{line}\n")
            for number, (line, picked) in enumerate(lines)
        ]

    def question() -> list[tuple[str, str]]:
        return [("bold", "Which session? "), ("", found.words), ("reverse", " ")]

    parts: list[tuple[Any, int | None]] = [(question, 1), (rows, None), (lambda: [("", HELP[: size()[0]])], 1)]
    windows = [
        Window(FormattedTextControl(text, show_cursor=False), height=height, wrap_lines=False) for text, height in parts
    ]
    application: Any = Application(Layout(HSplit(windows)), key_bindings=_keys(found, size), full_screen=True, **how)
    application.ttimeoutlen = application.timeoutlen = ESCAPE_S
    return application


def _keys(found: PickList, size: Callable[[], tuple[int, int]]) -> Any:
    from prompt_toolkit import key_binding
    from prompt_toolkit.keys import Keys

    made: Any = key_binding.KeyBindings  # without types of its own
    keys = made()

    def page() -> int:
        return max(1, size()[1] - 3)

    moves: dict[str, Callable[[], int]] = {
        "up": lambda: -1,
        "down": lambda: 1,
        "c-p": lambda: -1,
        "c-n": lambda: 1,
        "pageup": lambda: -page(),
        "pagedown": page,
        "home": lambda: -len(found.shown),
        "end": lambda: len(found.shown),
    }
    for key, by in moves.items():
        keys.add(key)(lambda _, by=by: found.move(by()))
    keys.add("backspace")(lambda _: found.filter(found.words[:-1]))
    keys.add("c-u")(lambda _: found.filter(""))

    def take(event: Any) -> None:
        if found.picked is not None:
            event.app.exit(result=found.picked)

    def write(event: Any) -> None:
        """What was typed, or pasted."""
        found.filter(found.words + "".join(one for one in event.data if one.isprintable()))

    keys.add("enter")(take)
    for key in ("escape", "c-c", "c-d"):
        keys.add(key)(lambda event: event.app.exit(result=None))
    for key in (Keys.Any, Keys.BracketedPaste):
        keys.add(key)(write)
    return keys
