"""The journal of a host, on both databases: kept whole or not at all, by one host at a time, and read again as it was."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Sequence

import pytest

from sim.base.errors import ConfigError
from sim.host.database import Database
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Came, Entry, Kept, Line, Mail, Way, digest_of
from tests.host.conftest import Damage
from tests.host.journaling import beside, entry, lines_of, said

MANY = 20


def everything(journal: Journal) -> tuple[object, ...]:
    """All that a journal says of session s."""
    return (
        journal.sessions(),
        journal.machines("s"),
        journal.mail("s"),
        [*journal.trace("s")],
        journal.calls("s"),
        journal.wishes(),
        journal.taken("s", "a"),
    )


# --- kept and read ---------------------------------------------------------------------------------------


def test_what_is_kept_is_read_again_as_it_was_also_by_the_next_host(where: str) -> None:
    first, second = entry(1, text="hello"), entry(2)
    with open_journal(where, "models.consensus") as journal:
        journal.begin("s", {"rounds": 2}, first, 5)
        journal.call(first.sent[0], 7)
        second.taken = first.sent[0]
        second.brought = [("a", {"@": "Ask", "n": 1}, "h")]
        second.ended = (first.sent[0].id, 7, {"at_ms": 9, "answer": "ok"})
        journal.keep(second)
        number, before = journal.id, everything(journal)
    with open_journal(where, "models.consensus", fresh=False) as journal:
        assert (journal.id, journal.model, journal.lines) == (number, "models.consensus", 2)
        assert everything(journal) == before
        assert journal.sessions() == {"s": ({"rounds": 2}, "open", "", 5)}
        assert journal.machines("s") == {"a": Kept("on", {"n": 2}, {"t": 10}, "m.A")}
        assert journal.mail("s") == second.sent
        assert [*journal.trace("s", 1)] == second.lines
        assert journal.texts(["h", "none"]) == {"h": "hello"}
        assert journal.taken("s", "a") == [({"@": "Ask", "n": 1}, "h")]
        assert journal.calls("s") == [(first.sent[0].id, "b", 7, 9, 2, {"at_ms": 9, "answer": "ok"})]


def test_of_what_another_journal_sends_the_last_of_each_way_is_remembered(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        for n, number, opening in ((2, 5, "first"), (3, 7, "second")):
            came = Came("other", opening, "a", "b", number)
            journal.keep(Entry("s", lines=[Line(n, "s", "b", {}, 1)], came=came))
        assert journal.came_last("other", Way("s", "a", "b")) == 7
        assert [journal.came_besides("other", opening) for opening in ("first", "second")] == [7, 0]
        assert journal.came_last("another", Way("s", "a", "b")) == 0
        assert journal.came_last("other", Way("s", "a", "c")) == 0


def test_what_replaces_and_what_arrives_elsewhere_is_no_longer_in_flight(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        second = entry(2)
        second.replaced = [1 << 10]
        journal.keep(second, entry(3))
        assert [mail.id >> 10 for mail in journal.mail("s")] == [2, 3]
        assert [mail.id >> 10 for mail in journal.mail_to(["b", "c"], 2 << 10, 9)] == [3]
        journal.has_arrived(journal.mail("s"))
        assert journal.mail("s") == []


def test_sessions_are_apart_and_one_that_is_forgotten_leaves_nothing_but_shared_payloads(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1, text="shared"), 1)
        journal.begin("other", {}, entry(2, session="other", text="shared"), 2)
        journal.keep(Entry("s", session_state=("over", "because")))
        assert {name: (state, why) for name, (_, state, why, _) in journal.sessions().items()} == {
            "s": ("over", "because"),
            "other": ("open", ""),
        }
        journal.forget("s")
        assert everything(journal)[1:] == ({}, [], [], [], [], [])
        assert (lines_of(journal, "other"), journal.texts(["h"])) == ([2], {"h": "shared"})


def test_sessions_are_listed_in_one_order_wherever_they_are_kept(where: str) -> None:
    names = ["b", "B", "a", "Z", "é", "_", "10", "9"]
    with open_journal(where) as journal:
        for n, name in enumerate(names, 1):
            journal.begin(name, {}, entry(n, session=name), 5)
        assert [*journal.sessions()] == sorted(names)


ODD = [
    "",
    "a\x00b",
    "\x00",
    "'; DROP TABLE mail; --",
    "? $1 %s %",
    "\ud800 half",
    "\udcff",
    "é\U0001f600\u2028",
    '\\"\\u0000',
]


@pytest.mark.parametrize("text", [*ODD, "x" * 3_000_000], ids=lambda text: ascii(text)[:20])
def test_every_text_is_kept_without_loss(where: str, text: str) -> None:
    digest = digest_of(text)
    mail = Mail(1 << 10, "s", "a", "b", {"@": "Say", "text": text}, {"kind": "late", "why": text}, (digest,))
    said = {"input": {"deliver": {"fields": {"text": text}}}, "outputs": []}
    given = Entry(
        "s", {"a": Kept("on", {"said": [text]}, {})}, [Line(1, "s", "a", said, 1)], sent=[mail], texts={digest: text}
    )
    given.session_state = ("failed", text)
    with open_journal(where) as journal:
        journal.begin("s", {"text": text}, given, 1)
        journal.wish("s", "answer", text=text)
        assert journal.texts([digest]) == {digest: text}
        assert journal.mail("s") == [mail]
        assert journal.machines("s")["a"].fields == {"said": [text]}
        assert next(journal.trace("s")).said == said
        assert journal.sessions()["s"] == ({"text": text}, "failed", text, 1)
        assert journal.wishes()[0][3] == {"text": text}


def test_large_numbers_are_kept_without_loss(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        for n in (200, 40_000, 3_000_000_000, 2**52):
            journal.keep(entry(n))
        assert lines_of(journal) == [1, 200, 40_000, 3_000_000_000, 2**52]
        assert journal.mail("s")[-1].id == 2**62
    with open_journal(where) as journal:
        assert journal.lines == 2**52


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "two\nlines"], ids=ascii)
def test_a_session_with_a_name_that_cannot_be_shown_is_refused(where: str, name: str) -> None:
    with open_journal(where) as journal, pytest.raises(ConfigError, match="printable characters"):
        journal.begin(name, {}, Entry(name), 1)


# --- all or nothing --------------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


def test_an_error_in_the_middle_of_an_input_leaves_nothing_of_it(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        before = everything(journal)

        def half() -> None:
            with journal.database.writing() as change:
                change.do("DELETE FROM trace")
                change.do("DELETE FROM mail")
                assert [tuple(row) for row in change.rows("SELECT count(*) FROM trace")] == [(0,)]
                change.do("DELETE FROM machine")
                raise Interrupted

        with pytest.raises(Interrupted):
            half()
        assert everything(journal) == before
        journal.keep(entry(2))
        assert lines_of(journal) == [1, 2]


def test_an_input_that_contradicts_what_is_kept_leaves_nothing_and_nothing_is_counted(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        before = everything(journal)
        twice = entry(2)
        twice.sent = [*twice.sent, *entry(1).sent]  # a number that there is
        with pytest.raises(Exception, match=r"(?i)unique"):
            journal.keep(entry(3), twice, entry(4))
        assert (everything(journal), journal.lines) == (before, 1)
        journal.keep(entry(2))
        assert (lines_of(journal), journal.lines) == ([1, 2], 2)


def test_nobody_sees_half_of_an_input(where: str) -> None:
    with open_journal(where) as journal, open_journal(where) as other:
        journal.begin("s", {}, entry(1), 1)
        with journal.database.writing() as change:
            change.do("DELETE FROM trace")
            assert list(change.rows("SELECT n FROM trace")) == []
            assert lines_of(other) == [1]
        assert lines_of(other) == []


# --- one host at a time ----------------------------------------------------------------------------------


def test_two_hosts_of_one_journal_are_refused_also_in_one_process(where: str) -> None:
    with open_journal(where) as journal, open_journal(where) as other:
        journal.database.hold()
        journal.database.hold()  # it is ours
        with pytest.raises(ConfigError, match="is hosted already; end who does, or name another journal"):
            other.database.hold()
        journal.close()
        other.database.hold()


def test_a_host_in_another_process_keeps_the_journal_until_it_is_killed(where: str) -> None:
    with open_journal(where) as journal:
        with beside("hold", where) as process:
            assert said(process) == "held"
            with pytest.raises(ConfigError, match="is hosted already"):
                journal.database.hold()
        journal.database.hold()


def test_a_host_that_looks_only_is_not_refused(where: str) -> None:
    with beside("hold", where) as process:
        assert said(process) == "held"
        with open_journal(where, fresh=False) as journal:
            assert journal.sessions() == {}


# --- killed ----------------------------------------------------------------------------------------------


def test_a_killed_host_loses_nothing_that_it_has_told_and_leaves_nothing_half(where: str) -> None:
    for kill in range(1, 4):
        with beside("write", where) as process:
            told = [int(said(process)) for _ in range(MANY * kill)]
        with open_journal(where) as journal:
            journal.database.hold()
            assert lines_of(journal) == [*range(1, journal.lines + 1)]
            assert journal.lines >= told[-1]
            assert [mail.id >> 10 for mail in journal.mail("s")] == [journal.lines]
            assert journal.machines("s")["a"].fields == {"n": journal.lines}


def test_a_host_that_is_killed_in_the_middle_of_an_input_leaves_nothing_of_it(where: str) -> None:
    with beside("in_the_middle", where) as process:
        assert said(process) == "half"
        with open_journal(where) as journal:
            assert journal.wishes() == []
    with open_journal(where) as journal:
        journal.database.hold()
        journal.wish("s", "move")
        assert len(journal.wishes()) == 1


# --- wishes ----------------------------------------------------------------------------------------------


def test_wishes_of_other_processes_are_numbered_one_by_one_while_a_host_writes(where: str) -> None:
    with open_journal(where) as journal:
        journal.database.hold()
        journal.begin("s", {}, entry(1), 1)
        with beside("wishes", where) as one, beside("wishes", where) as other:
            for n in range(2, 50):
                journal.keep(entry(n))
            assert (said(one), said(other)) == ("done", "done")
        wishes = journal.wishes()
        assert [number for number, *_ in wishes] == [*range(1, 101)]
        assert sorted(wish["number"] for *_, wish in wishes) == sorted([*range(50), *range(50)])
        journal.drop_wish(1)
        journal.keep(Entry("s", lines=[Line(99, "s", "a", {}, 1)], wish=2))
        assert len(journal.wishes()) == 98


# --- what it is, and what has become of it ----------------------------------------------------------------


def test_two_processes_that_make_a_journal_make_one(where: str) -> None:
    with beside("wishes", where) as one, beside("wishes", where) as other, beside("wishes", where) as third:
        assert [said(process) for process in (one, other, third)] == ["done"] * 3
    with open_journal(where) as journal:
        assert len(journal.wishes()) == 150
        assert len(journal.database.rows("SELECT id FROM journal")) == 1


class Late:
    """A database whose journal another process makes meanwhile."""

    def __init__(self, database: Database) -> None:
        self.writing, self.name, self._database = database.writing, database.name, database
        self._asked = False

    def rows(self, query: str, *values: object) -> Sequence[object]:
        found, self._asked = self._asked, True
        return self._database.rows(query, *values) if found else []

    def hold(self) -> None:
        raise NotImplementedError

    close = hold


def test_a_journal_that_another_process_makes_meanwhile_is_taken_as_it_is(where: str) -> None:
    with open_journal(where, "models.paxos") as journal:
        assert Journal(Late(journal.database)).id == journal.id
        assert len(journal.database.rows("SELECT id FROM journal")) == 1


def test_a_journal_of_another_model_is_refused(where: str) -> None:
    open_journal(where, "models.paxos").close()
    open_journal(where).close()
    with pytest.raises(ConfigError, match=r"is a journal of models\.paxos, not of models\.consensus; name another one"):
        open_journal(where, "models.consensus")


def test_a_journal_that_is_not_there_is_made_only_if_it_may_be(where: str) -> None:
    with pytest.raises(ConfigError, match="there is no such journal"):
        open_journal(where, fresh=False)
    open_journal(where).close()
    open_journal(where, fresh=False).close()


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE machine SET fields = '{'", lambda journal: journal.machines("s")),
        ("UPDATE machine SET fields = '[]'", lambda journal: journal.machines("s")),
        ("UPDATE machine SET timers = 'null'", lambda journal: journal.machines("s")),
        ("UPDATE mail SET message = ''", lambda journal: journal.mail("s")),
        ("UPDATE mail SET texts = '7'", lambda journal: journal.mail_to(["b"], 0, 9)),
        ("UPDATE trace SET line = '{\"a\": }'", lambda journal: [*journal.trace("s")]),
        ("UPDATE payload SET text = 'bare'", lambda journal: journal.texts(["h"])),
        ("UPDATE session SET config = '[1]'", lambda journal: journal.sessions()),
        ("DROP TABLE machine", lambda journal: journal.machines("s")),
        ("ALTER TABLE mail DROP COLUMN texts", lambda journal: journal.mail("s")),
    ],
)
def test_a_damaged_journal_is_told_in_one_line(
    where: str, damage: Damage, statement: str, read: Callable[[Journal], object]
) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1, text="hello"), 1)
        read(journal)
        damage(statement)
        with pytest.raises(ConfigError) as told:
            read(journal)
        assert re.fullmatch(f"{re.escape(journal.database.name)}: (is damaged|cannot be used).*", str(told.value))


def test_a_journal_of_a_later_version_is_refused(where: str, damage: Damage) -> None:
    open_journal(where).close()
    later = "UPDATE version SET number = 99" if where.startswith("postgresql") else "PRAGMA user_version = 99"
    damage(later)
    with pytest.raises(ConfigError, match=r"has version 99, this .* knows \d+"):
        open_journal(where)


def test_a_database_of_another_program_is_refused_and_left_alone(where: str, damage: Damage) -> None:
    open_journal(where).close()
    damage("DROP TABLE mail")
    damage("CREATE TABLE customers (name TEXT)")
    with pytest.raises(ConfigError, match=r"is not a journal.* another"):
        open_journal(where)


def test_a_journal_that_somebody_watches_by_views_is_refused(where: str, damage: Damage) -> None:
    open_journal(where).close()
    damage("CREATE VIEW watched AS SELECT * FROM mail")
    with pytest.raises(ConfigError, match=r"is not a journal.* another"):
        open_journal(where)


# --- planted faults -----------------------------------------------------------------------------------------


class Eager:
    """A database that keeps each change at once."""

    def __init__(self, database: object) -> None:
        self._database = database

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def writing(self) -> object:
        database = self._database

        class Change:
            def do(self, statement: str, *values: object) -> None:
                with database.writing() as change:  # type: ignore[attr-defined]
                    change.do(statement, *values)

            def rows(self, query: str, *values: object) -> object:
                return database.rows(query, *values)  # type: ignore[attr-defined]

        return contextlib.nullcontext(Change())


def test_a_database_that_keeps_half_is_caught(where: str) -> None:
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        before = everything(journal)
        journal.database = Eager(journal.database)  # type: ignore[assignment]
        twice = entry(2)
        twice.sent = [*twice.sent, *entry(1).sent]
        with pytest.raises(Exception, match=r"(?i)unique"):
            journal.keep(twice)
        assert everything(journal) != before


def test_a_text_that_is_kept_as_it_is_would_be_lost(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why payloads are kept as JSON without surrogates."""
    monkeypatch.setattr("sim.host.journal._text", lambda value: json.dumps(value, ensure_ascii=False))
    with open_journal(where) as journal:
        journal.begin("s", {}, entry(1), 1)
        with pytest.raises(ConfigError):
            journal.keep(Entry("s", texts={"odd": "\ud800"}))
        assert journal.texts(["odd"]) == {}
