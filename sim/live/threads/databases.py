"""SQLite, which waits in C where another connection has its database locked: here whoever waits gives way until another
connection has done something, and for as long as was said to `sqlite3.connect` at most. That time passes when nothing else can
happen: nobody holds a lock for seconds by being slow.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.live.entering import Entering, Surrounded
    from sim.live.in_place import Swaps
    from sim.live.threads.live_thread import LiveThread

DEFAULT_S = 5.0
"""How long a connection waits if nobody says."""
LOCKED = ("database is locked", "database table is locked", "database schema is locked")
EXECUTING = ("execute", "executemany", "executescript")
METHODS = {"Cursor": (*EXECUTING, "close"), "Connection": (*EXECUTING, "commit", "rollback", "close")}
"""Methods that may find the database locked, or unlock it."""


def swap_databases(swaps: Swaps, entering: Entering) -> None:
    """In a run nobody waits for SQLite really."""
    if not find_spec("_sqlite3"):
        return
    sqlite = import_module("_sqlite3")
    for name, methods in METHODS.items():
        for method in methods:
            swaps.entry(getattr(sqlite, name), method, entering.chooses(_patient(sqlite.OperationalError)))
    swaps.entry(sqlite.Connection, "__exit__", entering.chooses(_exit))
    swaps.entry(sqlite.Connection, "close", entering.chooses(_close))


def connected(real: Callable[..., Any], run: Surrounded, database: Any, args: Any, kwargs: Any) -> Any:
    """As `sqlite3.connect`: a connection that does not wait itself."""
    if args:  # which Python 3.15 will not take any more
        given, args = args[0], (0, *args[1:])
    else:
        given, kwargs = kwargs.get("timeout", DEFAULT_S), {**kwargs, "timeout": 0}
    connection = real(database, *args, **kwargs)
    with suppress(Exception):  # in a transaction it may not be said
        connection.execute("pragma synchronous = off")  # nobody sees the folder of a run after a loss of power
    run.threads.databases.opened(connection, float(given), run.owner, run.threads.current)
    return connection


class Databases:
    """Those of one run."""

    def __init__(self) -> None:
        self.patience_s: dict[int, float] = {}
        """How long each connection waits for a lock."""
        self._whose: dict[int, tuple[str, LiveThread | None]] = {}
        self.count = 0
        """How often one was used, and not in vain."""

    def opened(self, connection: Any, patience_s: float, owner: str, thread: LiveThread | None) -> None:
        """One was opened for `owner`, in `thread` or in the loop."""
        self.patience_s[id(connection)] = patience_s
        self._whose[id(connection)] = owner, thread

    def closed(self, connection: Any) -> None:
        """It need not be looked for any longer."""
        self._whose.pop(id(connection), None)

    def lost(self, owner: str) -> Iterator[tuple[LiveThread | None, Callable[[], object]]]:
        """The process `owner` has ended: how to close each connection of it, so that what was not committed is undone, and in
        which thread. Whoever holds one keeps it alive, and nobody else: they are looked for among all objects."""
        if not any(whose == owner for whose, _ in self._whose.values()):
            return
        kind = import_module("sqlite3").Connection
        for one in gc.get_objects():
            if isinstance(one, kind) and (found := self._whose.get(id(one))) is not None and found[0] == owner:
                del self._whose[id(one)]
                yield found[1], partial(_undo, one)

    def since(self, count: int) -> bool:
        """Whether one was used since there were so many."""
        return self.count != count


def _undo(connection: Any) -> None:
    with suppress(connection.ProgrammingError):  # it is closed, or was never opened
        connection.rollback()
        connection.close()


def _never() -> bool:
    return False


def _patient(locked: type[Exception]) -> Callable[..., Any]:
    def call(real: Any, run: Surrounded, one: Any, *args: Any) -> Any:
        used, wait = run.threads.databases, None
        while True:
            try:
                found = real(one, *args)
            except locked as error:
                patience_s = used.patience_s.get(id(getattr(one, "connection", one)), 0.0)
                if patience_s <= 0 or str(error) not in LOCKED or (wait is not None and not wait.ready()):
                    raise
            else:
                used.count += 1
                return found
            if wait is None:
                wait = run.threads.wait(_never, "SQLite", None, patience_s, "database", late_s=0.0, is_last=True)
            wait.ready = partial(used.since, used.count)
            if not run.threads.block(wait):
                wait.ready = _never  # it asks once more

    return call


def _close(real: Any, run: Surrounded, connection: Any) -> None:
    run.threads.databases.closed(connection)
    real(connection)


def _exit(real: Any, _run: Surrounded, connection: Any, kind: Any, error: Any, trace: Any) -> Any:
    """As of `with connection:`, whose commit does not ask for the method."""
    if kind is None:
        try:
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
    return real(connection, kind, error, trace)
