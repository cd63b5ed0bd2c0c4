"""The sessions of an ordinary program: begun, gone on with, ended, listed by branch.

    with SessionStore.of("coordinator") as store:
        session = store.begin("plan the release", {"run": "r7"})
        ...
        session = store.go_on(session.id, {"run": "r7", "round": 3})     # whenever something was done
        for one in store.sessions(SessionFilter.of_here(Path.cwd())):
            ...

They are kept in `.coordinator/sessions.sqlite` of the project, or in the folder that `COORDINATOR_HOME` names; for their
owner alone, hidden from git. A session's number is its own for good, however often it is resumed, and its branch is that of
its last activity. What it holds is JSON of the program's own. Several processes may use a store at once.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.base.errors import ConfigError, brief
from sim.sessions.git import GitPlace, look
from sim.sessions.home import Home, home
from sim.sessions.session_filter import SessionFilter
from sim.sessions.store_file import StoreFile, Writing, now_ms

NUMBER_MAX = 2**63 - 1
"""The largest integer of SQLite."""

MIGRATIONS = (
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        title TEXT NOT NULL,
        data TEXT NOT NULL,
        branch TEXT,
        cwd TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
        created_ms INTEGER NOT NULL,
        active_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX session_of_branch ON session (project, branch, active_ms);
    CREATE TABLE program (name TEXT NOT NULL) STRICT;
    """,
)


@dataclass(frozen=True)
class KeptSession:
    """A session as it is kept. Times are milliseconds since 1970."""

    id: int
    title: str
    data: Mapping[str, Any]
    branch: str | None
    """Where it was last active; None without a branch."""
    cwd: str
    """The folder it was last active in."""
    state: str
    """`open` or `done`."""
    created_ms: int
    active_ms: int

    @property
    def is_finished(self) -> bool:
        return self.state == "done"

    @property
    def age_ms(self) -> int:
        """Time since it was last active."""
        return max(0, now_ms() - self.active_ms)


class SessionStore(StoreFile):
    """An open store of a program's sessions, in a file; `project` is whose sessions are meant, `here` the folder that work
    is done in. Raises `ConfigError` if it cannot be used."""

    tables = ("session", "program")

    def __init__(self, file: Path, program: str, *, here: Path | None = None, project: str = "") -> None:
        self.program, self.variable = checked_program(program), variable_of(program)
        self.here = (here or Path.cwd()).resolve()
        self.project = project
        super().__init__(file, MIGRATIONS)
        (kept,) = self._name_it()
        if kept != program:
            self.close()
            raise ConfigError(f"{file}: holds sessions of {kept}, not of {program}; name another file")

    @classmethod
    def of(cls, program: str, here: Path | None = None, *, named: str | None = None) -> SessionStore:
        """The store of `program` for work in the folder `here` (the working directory). `named` is another folder for it,
        such as the value of its variable; there the projects are told apart."""
        checked_program(program)
        folder = (here or Path.cwd()).resolve()
        found: Home = home(folder, named, folder=f".{program}", variable=variable_of(program))
        found.prepare()
        project = found.project(look(folder, brief=True)) if found.shared else ""
        return cls(found.file, program, here=folder, project=project)

    def begin(self, title: str, data: Mapping[str, Any] | None = None) -> KeptSession:
        """A new session, of the branch that we are on now."""
        if not isinstance(title, str):
            raise ConfigError(f"title is {title!r}; expected a text")
        text, place = _text(data or {}), self._place()
        with self.writing() as change:
            number = change.add(
                "session",
                project=self.project,
                title=title,
                data=text,
                branch=place.branch,
                cwd=str(self.here),
                created_ms=change.at_ms,
                active_ms=change.at_ms,
            )
        return self.session(number)

    def go_on(self, number: int, data: Mapping[str, Any] | None = None) -> KeptSession:
        """The session was active now, on the branch that we are on, and is open; `data` replaces what it holds. Call it when
        it is resumed, and whenever something was done. Raises `ConfigError` if there is no such session."""
        return self._change(number, "open", data)

    def end(self, number: int, data: Mapping[str, Any] | None = None) -> KeptSession:
        """The session is done; `data` replaces what it holds. Raises `ConfigError` if there is no such session."""
        return self._change(number, "done", data)

    def session(self, number: int) -> KeptSession:
        """The session with that number. Raises `ConfigError` if there is none in this project."""
        known = type(number) is int and 0 < number <= NUMBER_MAX
        found = self.rows("SELECT * FROM session WHERE id = ? AND project = ?", number, self.project) if known else []
        if not found:
            raise ConfigError(f"session {number} not found")
        return self._kept(found[0])

    def sessions(self, which: SessionFilter | None = None) -> list[KeptSession]:
        """The sessions of this project that the filter lets through, in its order; by default all, the latest activity
        first."""
        where, order, values = (which or SessionFilter()).clauses()
        query = f"SELECT * FROM session WHERE project = ? AND {where} ORDER BY {order}"  # noqa: S608
        return [self._kept(row) for row in self.rows(query, self.project, *values)]

    def _change(self, number: int, state: str, data: Mapping[str, Any] | None) -> KeptSession:
        self.session(number)
        place, text = self._place(), None if data is None else _text(data)
        with self.writing() as change:
            change.do(
                "UPDATE session SET state = ?, branch = ?, cwd = ?, active_ms = max(active_ms, ?), data = coalesce(?, data) "
                "WHERE id = ?",
                state,
                place.branch,
                str(self.here),
                change.at_ms,
                text,
                number,
            )
        return self.session(number)

    def _place(self) -> GitPlace:
        """Asked anew each time: the branch may have been changed meanwhile."""
        return look(self.here, brief=True)

    def _kept(self, row: sqlite3.Row) -> KeptSession:
        with self.understood():
            data = json.loads(row["data"])
            if not isinstance(data, dict):
                raise TypeError("the data of a session must be a mapping")
        names = ("id", "title", "branch", "cwd", "state", "created_ms", "active_ms")
        return KeptSession(data=data, **{name: row[name] for name in names})

    def _name_it(self) -> list[str]:
        """The program that the file is of; ours, if nobody has named it."""
        if not self.rows("SELECT name FROM program"):
            with self.writing() as change:
                _name(change, self.program)
        return [str(row["name"]) for row in self.rows("SELECT name FROM program")]


def _name(change: Writing, program: str) -> None:
    if not change.rows("SELECT name FROM program"):  # another process may have been first
        change.add("program", name=program)


def _text(data: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(dict(data), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the data of a session is not JSON: {error}") from None
    return text


def checked_program(program: str) -> str:
    """A name that a folder and a variable can have. Raises `ConfigError`."""
    if not isinstance(program, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", program) or program in ("sim", "git"):
        shown = brief(program) if isinstance(program, str) else repr(program)
        raise ConfigError(
            f"program is {shown}; expected a name in lower case, such as my-coordinator, and neither sim nor git"
        )
    return program


def variable_of(program: str) -> str:
    """The variable that may name another folder: `MY_COORDINATOR_HOME`."""
    return f"{program.upper().replace('-', '_')}_HOME"
