"""The journal of a host: what its machines are, what is in flight, what was done; one transaction for each input.

It is kept in a `Database`, a file of SQLite or a database of PostgreSQL. One host at a time writes it, others may read it
and leave wishes. Values are JSON by `sim.machine.codec`. Numbers are given by the host that holds it: lines of the trace
are counted, and a message is known by the line in which it was sent.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sim.base.errors import ConfigError
from sim.host.database import MIGRATIONS, Database, OpenTransaction
from sim.host.journal_records import Entry, Kept, Line, Mail, Way


class Journal:
    """A journal, opened by the host of it or by somebody who looks. Raises `ConfigError` if it is damaged, or of another
    model."""

    def __init__(self, database: Database, model: str = "") -> None:
        self.database = database
        found = database.rows("SELECT id, model FROM journal")
        if not found:
            with database.writing() as change:
                if not change.rows("SELECT 1 FROM journal"):  # another process may have been first
                    change.do("INSERT INTO journal VALUES (?, ?, 0)", uuid.uuid4().hex, model)
            found = database.rows("SELECT id, model FROM journal")
        self.id, self.model = map(str, found[0])
        if model and self.model and model != self.model:
            raise ConfigError(f"{database.name}: is a journal of {self.model}, not of {model}; name another one")
        self.lines = self._last(_LINES)
        self.told: Callable[[Entry], None] | None = None
        """Told what was kept, once it is on the disk."""

    def _last(self, query: str, *values: object) -> int:
        return int(self.database.rows(query, *values)[0][0] or 0)

    def hold(self) -> int:
        """Host it: nobody else may, until it is closed. Gives when its last line was written, in milliseconds since 1970;
        whoever hosted it until now may have written since it was opened."""
        self.database.hold()
        self.lines = self._last(_LINES)
        return self._last("SELECT max(at_ms) FROM (SELECT at_ms FROM trace ORDER BY n DESC LIMIT 1) AS last")

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- writing ------------------------------------------------------------------------------------

    def begin(self, session: str, config: Mapping[str, Any], entry: Entry, at_ms: int) -> None:
        """A new session, with what its machines do when they start."""
        if not session.isprintable():  # no database takes every character
            raise ConfigError(f"session {session!r}: expected a name of printable characters")
        with self.database.writing() as change:
            change.do(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
                session,
                json.dumps(dict(config)),
                "open",
                _text(""),
                at_ms,
            )
            self._keep(change, entry)
        self._count(entry)

    def keep(self, *entries: Entry) -> None:
        """What these inputs change, in one transaction."""
        with self.database.writing() as change:
            for entry in entries:
                self._keep(change, entry)
        for entry in entries:
            self._count(entry)

    def _count(self, entry: Entry) -> None:
        if entry.lines:
            self.lines = entry.lines[-1].n
        if self.told is not None:
            self.told(entry)

    def _keep(self, change: OpenTransaction, entry: Entry) -> None:
        do, session = change.do, entry.session
        if entry.came is not None:
            came = entry.came
            do(_INBOX, came.journal, session, came.source, came.target, came.opening, came.id)
        if entry.taken is not None:
            do("DELETE FROM mail WHERE id = ?", entry.taken.id)
        for number in entry.replaced:
            do("DELETE FROM mail WHERE id = ?", number)
        for process, kept in entry.machines.items():
            fields, timers = _text(kept.fields), _text(kept.timers) if kept.timers else "{}"
            do(_MACHINE, session, process, kept.place, kept.role, kept.kind, kept.state, fields, timers)
        for line in entry.lines:
            do("INSERT INTO trace VALUES (?, ?, ?, ?, ?)", line.n, session, line.process, _text(line.said), line.at_ms)
        for digest, text in entry.texts.items():
            do("INSERT INTO payload VALUES (?, ?) ON CONFLICT DO NOTHING", digest, _text(text))
        for mail in entry.sent:
            message, fault = _text(mail.message), "" if mail.fault is None else _text(mail.fault)
            texts = _text(mail.texts) if mail.texts else "[]"
            do(_MAIL, mail.id, session, mail.source, mail.target, message, fault, texts, mail.cause, mail.sent_ms)
        for process, message, digest in entry.brought:
            n = entry.lines[-1].n
            do("INSERT INTO taken VALUES (?, ?, ?, ?, ?)", n, session, process, _text(message), digest)
        if entry.ended is not None:
            number, began, outcome = entry.ended
            ended = entry.lines[-1] if entry.lines else None
            do(_ENDED, outcome.get("at_ms"), ended and ended.n, _text(outcome), number, began)
        if entry.wish is not None:
            do("DELETE FROM wish WHERE id = ?", entry.wish)
        if entry.session_state is not None:
            state, why = entry.session_state
            do("UPDATE session SET state = ?, why = ? WHERE id = ?", state, _text(why), session)

    def has_arrived(self, mails: Sequence[Mail]) -> None:
        """These messages, in the order of sending, are kept by another host."""
        with self.database.writing() as change:
            for mail in mails:
                change.do("DELETE FROM mail WHERE id = ?", mail.id)
            for way, number in {mail.way: mail.id for mail in mails}.items():
                change.do(_ARRIVED, *way, number)

    def call(self, mail: Mail, at_ms: int, **known: Any) -> None:
        """Somebody outside is asked about this message: from here on it may cost something. What is `known` of it is its
        outcome until there is another."""
        with self.database.writing() as change:
            change.do(_CALL, mail.id, at_ms, mail.session, mail.target, _text(known) if known else "")

    def end_call(self, mail: int, began_ms: int, outcome: Mapping[str, Any]) -> None:
        """This call has ended, and nothing has come of it."""
        with self.database.writing() as change:
            change.do(_ENDED, outcome.get("at_ms"), None, _text(outcome), mail, began_ms)

    def calls_made(self, session: str) -> int:
        """How many calls have begun in a session."""
        return self._last("SELECT count(*) FROM call WHERE session = ?", session)

    def called_last(self, mail: int) -> int:
        """When the last call about this message began: each has a time of its own, also while the clock stands still."""
        return self._last("SELECT max(began_ms) FROM call WHERE mail = ?", mail)

    def open_call(self, mail: int) -> int | None:
        """When the first call about this message began that has not ended; None if there is none."""
        found = self.database.rows("SELECT min(began_ms) FROM call WHERE mail = ? AND ended_ms IS NULL", mail)[0][0]
        return None if found is None else int(found)

    def wish(self, session: str, kind: str, **said: Any) -> None:
        """Leave a wish to whoever hosts this journal: to make a move, or what a person answers."""
        with self.database.writing() as change:
            number = 1 + int(change.rows("SELECT max(id) FROM wish")[0][0] or 0)
            change.do("INSERT INTO wish VALUES (?, ?, ?, ?)", number, session, kind, _text(said))

    def drop_wish(self, number: int) -> None:
        """Nothing comes of this wish."""
        with self.database.writing() as change:
            change.do("DELETE FROM wish WHERE id = ?", number)

    def forget(self, session: str) -> None:
        """Delete what is kept of a session that is over; payloads that others share stay."""
        with self.database.writing() as change:
            lines = max(self.lines, int(change.rows(_LINES)[0][0] or 0))
            change.do("UPDATE journal SET lines = ?", lines)  # no number is given twice
            for table in ("machine", "mail", "taken", "trace", "call", "wish", "inbox", "arrived"):
                change.do(f"DELETE FROM {table} WHERE session = ?", session)  # noqa: S608
            change.do("DELETE FROM session WHERE id = ?", session)

    # --- reading ------------------------------------------------------------------------------------

    def sessions(self, only: str | None = None) -> dict[str, tuple[dict[str, Any], str, str, int]]:
        """(config, state, why, beginning in milliseconds since 1970) of each session, or of one, the oldest first."""
        read, where = self._read, "" if only is None else " WHERE id = ?"
        query = f"SELECT id, config, state, why, began_ms FROM session{where} ORDER BY began_ms, id"  # noqa: S608
        rows = self.database.rows(query, *(() if only is None else (only,)))
        return {str(row[0]): (read(row[1], dict), str(row[2]), read(row[3], str), int(row[4])) for row in rows}

    def machines(self, session: str) -> dict[str, Kept]:
        """The machines of a session by name, as its system has them."""
        rows = self.database.rows(
            "SELECT process, state, fields, timers, kind, role, place FROM machine WHERE session = ? ORDER BY place",
            session,
        )
        read = self._read
        return {
            str(name): Kept(str(state), read(fields, dict), read(timers, dict), str(kind), str(role), int(place))
            for name, state, fields, timers, kind, role, place in rows
        }

    def mail(self, session: str, targets: Collection[str] | None = None) -> list[Mail]:
        """What is in flight in a session, or to these processes in it, in the order of sending."""
        only = "" if targets is None else f" AND target IN ({_places(targets)})"
        query = f"{_MAILS} WHERE session = ?{only} ORDER BY id"
        return [*map(self._mail, self.database.rows(query, session, *(targets or ())))]

    def has_mail(self, session: str, targets: Collection[str]) -> bool:
        """Whether anything is in flight in a session to these processes."""
        query = f"SELECT 1 FROM mail WHERE session = ? AND target IN ({_places(targets)}) LIMIT 1"  # noqa: S608
        return bool(self.database.rows(query, session, *targets))

    def targets(self, session: str) -> list[str]:
        """The processes to which something is in flight in a session."""
        return [
            str(row[0]) for row in self.database.rows("SELECT DISTINCT target FROM mail WHERE session = ?", session)
        ]

    def mail_to(self, targets: Sequence[str], above: int, most: int) -> list[Mail]:
        """What is in flight to these processes in any session, after the message `above`, at most so many."""
        query = f"{_MAILS} WHERE target IN ({_places(targets)}) AND id > ? ORDER BY id LIMIT {most:d}"
        return [*map(self._mail, self.database.rows(query, *targets, above))]

    def came_last(self, journal: str, way: Way) -> int:
        """The number of the last message of another journal that came this way; 0 if none has."""
        where = "journal = ? AND session = ? AND source = ? AND target = ?"
        return self._last(f"SELECT max(id) FROM inbox WHERE {where}", journal, *way)  # noqa: S608

    def came_besides(self, journal: str, opening: str) -> int:
        """The highest number of what came from another journal, but for what this start of its host has sent over."""
        return self._last("SELECT max(id) FROM inbox WHERE journal = ? AND opening <> ?", journal, opening)

    def arrived_last(self, way: Way) -> int:
        """The number of the last message of ours that another host has kept; 0 if none has arrived this way."""
        return self._last("SELECT max(id) FROM arrived WHERE session = ? AND source = ? AND target = ?", *way)

    def trace(self, session: str, above: int = 0) -> Iterator[Line]:
        """The lines of a session, in their order, after line `above`."""
        while True:
            rows = self.database.rows(
                "SELECT n, process, line, at_ms FROM trace WHERE session = ? AND n > ? ORDER BY n LIMIT 1000",
                session,
                above,
            )
            for n, process, line, at_ms in rows:
                yield Line(int(n), session, str(process), self._read(line, dict), int(at_ms))
            if not rows:
                return
            above = int(rows[-1][0])

    def texts(self, hashes: Sequence[str]) -> dict[str, str]:
        """Payloads by their hash."""
        if not hashes:
            return {}
        query = f"SELECT hash, text FROM payload WHERE hash IN ({_places(hashes)})"  # noqa: S608
        return {str(digest): self._read(text, str) for digest, text in self.database.rows(query, *hashes)}

    def taken(self, session: str, process: str) -> list[tuple[Any, str]]:
        """(message, hash) of the payloads that a process took, in their order."""
        rows = self.database.rows(
            "SELECT message, hash FROM taken WHERE session = ? AND process = ? ORDER BY line", session, process
        )
        return [(self._read(message, dict), str(digest)) for message, digest in rows]

    def took(self, session: str, above: int = 0) -> list[tuple[int, str]]:
        """(line, hash) of the payloads that were taken in a session after line `above`, in their order."""
        rows = self.database.rows(
            "SELECT line, hash FROM taken WHERE session = ? AND line > ? ORDER BY line", session, above
        )
        return [(int(n), str(digest)) for n, digest in rows]

    def state_of(self, session: str) -> str:
        """The state of a session; empty if there is none."""
        found = self.database.rows("SELECT state FROM session WHERE id = ?", session)
        return str(found[0][0]) if found else ""

    def mark(self, session: str) -> tuple[int, int, str, str]:
        """(last line, when it was written, state, why) of a session: what changes whenever it does something."""
        rows = self.database.rows("SELECT n, at_ms FROM trace WHERE session = ? ORDER BY n DESC LIMIT 1", session) or [
            (0, 0)
        ]
        state = self.database.rows("SELECT state, why FROM session WHERE id = ?", session) or [("gone", _text(""))]
        return int(rows[0][0]), int(rows[0][1]), str(state[0][0]), self._read(state[0][1], str)

    def calls(self, session: str) -> list[tuple[int, str, int, int | None, int | None, dict[str, Any]]]:
        """(message, process, beginning, end, line, what came of it) of each call; without an end one that is under way, or
        that a stop has cut off."""
        rows = self.database.rows(
            "SELECT mail, process, began_ms, ended_ms, line, outcome FROM call WHERE session = ? ORDER BY began_ms, mail",
            session,
        )
        return [(int(r[0]), str(r[1]), int(r[2]), r[3], r[4], self._read(r[5], dict) if r[5] else {}) for r in rows]

    def wishes(self) -> list[tuple[int, str, str, dict[str, Any]]]:
        """(number, session, kind, what was said), the oldest first."""
        rows = self.database.rows("SELECT id, session, kind, said FROM wish ORDER BY id")
        return [(int(row[0]), str(row[1]), str(row[2]), self._read(row[3], dict)) for row in rows]

    def _mail(self, row: Sequence[Any]) -> Mail:
        number, session, source, target, message, fault, texts, cause, sent = row
        read = self._read
        return Mail(
            int(number),
            str(session),
            str(source),
            str(target),
            read(message, dict),
            read(fault, dict) if fault else None,
            tuple(read(texts, list)),
            str(cause),
            int(sent),
        )

    def _read(self, text: str, kind: type = object) -> Any:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{self.database.name}: is damaged: {error}; restore it from a copy") from None
        if not isinstance(found, kind):
            what = f"{kind.__name__} was expected where {type(found).__name__} is"
            raise ConfigError(f"{self.database.name}: is damaged: {what}; restore it from a copy")
        return found


_MACHINE = (
    "INSERT INTO machine VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, process) DO UPDATE SET "
    "kind = excluded.kind, state = excluded.state, fields = excluded.fields, timers = excluded.timers"
)
_INBOX = (
    "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (journal, session, source, target) DO UPDATE SET "
    "opening = excluded.opening, id = excluded.id"
)
_ARRIVED = (
    "INSERT INTO arrived VALUES (?, ?, ?, ?) ON CONFLICT (session, source, target) DO UPDATE SET id = excluded.id"
)
_LINES = "SELECT max(n) FROM (SELECT max(n) AS n FROM trace UNION ALL SELECT max(lines) FROM journal) AS known"
_MAIL = "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MAILS = "SELECT id, session, source, target, message, fault, texts, cause, sent_ms FROM mail"
_CALL = "INSERT INTO call (mail, began_ms, session, process, outcome) VALUES (?, ?, ?, ?, ?)"
_ENDED = "UPDATE call SET ended_ms = ?, line = ?, outcome = ? WHERE mail = ? AND began_ms = ?"


def _places(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


_encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _text(value: Any) -> str:
    """A value as JSON that every database takes: no NUL is in it, and no surrogate."""
    text = _encode(value)
    if not text.isascii() and _SURROGATE.search(text):
        text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text


_SURROGATE = re.compile("[\ud800-\udfff]")


def open_journal(where: str, model: str = "", *, fresh: bool = True) -> Journal:
    """The journal at a path, or at an address of PostgreSQL (`postgresql://...`); with `fresh` it is made if there is none.
    Raises `ConfigError`."""
    database: Database
    if is_address(where):
        from sim.host.postgres import Postgres

        database = Postgres(where, MIGRATIONS, fresh=fresh)
    else:
        from sim.host.sqlite_file import SqliteFile

        database = SqliteFile(Path(where), MIGRATIONS, fresh=fresh)
    try:
        return Journal(database, model)
    except BaseException:
        database.close()
        raise


def is_address(where: str) -> bool:
    """Whether a journal is at an address of PostgreSQL, and not in a file."""
    return where.startswith(("postgresql://", "postgres://"))


def without_password(where: str) -> str:
    """The address of a journal, as it may be kept and shown."""
    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1@", where) if is_address(where) else where
