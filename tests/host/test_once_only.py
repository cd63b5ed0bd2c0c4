"""What a session does not do twice: read what it has sent itself, ask a machine that is as it was whether it must move."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim import DEFER, Message, Process, System
from sim.host.cast import Cast
from sim.host.hosted_session import HostedSession
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Came, Mail


class Knock(Message):
    who: str


class Caller(Process):
    """Calls once, and again when it hears of somebody."""

    states = ("idle", "calling")
    must = ("call",)
    transitions = (
        {"trigger": "call", "source": "idle", "dest": "calling", "conditions": "wants", "after": "knock"},
        {"trigger": Knock, "source": ["idle", "calling"], "dest": "idle", "after": "hear"},
    )
    left: int = 1

    def wants(self) -> bool:
        ASKED.append(self.left)
        return self.left > 0

    def knock(self) -> None:
        self.left -= 1
        self.send("door", Knock("caller"))

    def hear(self, knock: Knock) -> None:
        self.left += knock.who == "somebody"


ASKED: list[int] = []
"""What each question whether a caller must move was about."""


class Door(Process):
    """Opens to nobody yet."""

    states = ("shut", "open")
    may = ("unlock",)
    transitions = (
        {"trigger": Knock, "source": "shut", "dest": DEFER},
        {"trigger": "unlock", "source": "shut", "dest": "open"},
        {"trigger": Knock, "source": "open", "dest": None, "after": "hear"},
    )
    heard: tuple[str, ...] = ()

    def hear(self, knock: Knock) -> None:
        self.heard = (*self.heard, knock.who)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return open_journal(str(tmp_path / "run.db"))


def session(journal: Journal, *, begun: bool = False) -> HostedSession:
    """The caller and the door here, a stranger elsewhere."""
    system = System(processes={"caller": Caller(), "door": Door(), "stranger": Caller()})
    cast = Cast(system, ("caller", "door"), (), ("stranger",), {}, {})
    found = HostedSession("s", cast, journal, lambda: 1)
    if begun:
        found.recover()
    else:
        found.start({})
    return found


def heard(session: HostedSession) -> object:
    return session.locals["door"].fields[0]


def test_a_machine_that_is_as_it_was_is_not_asked_again_whether_it_must_move(journal: Journal) -> None:
    with journal:
        house = session(journal)
        ASKED.clear()
        assert [house.moves() for _ in range(4)] == [True, False, False, False]
        assert ASKED == [1], "calling has no such move"
        nobody = Came("other", "o", "stranger", "caller", 1 << 10)
        assert house.deliver(Mail(1 << 10, "s", "stranger", "caller", {"@": "Knock", "who": "nobody"}), nobody)
        assert [house.moves() for _ in range(4)] == [False] * 4
        assert ASKED == [1, 0]


def test_a_machine_that_has_changed_is_asked_again(journal: Journal) -> None:
    """A session that asks once only would not notice the second knock."""
    with journal:
        house = session(journal)
        assert [house.moves(), house.moves()] == [True, False]
        for number, who in ((1, "nobody"), (2, "somebody")):
            came = Came("other", "o", "stranger", "caller", number << 10)
            assert house.deliver(Mail(number << 10, "s", "stranger", "caller", {"@": "Knock", "who": who}), came)
            assert house.moves() == (who == "somebody")


def test_a_message_that_was_sent_here_is_not_read_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with journal:
        house = session(journal)
        house.moves()
        house.move("door", "unlock")
        monkeypatch.setattr(house.cast.codec, "load", None)
        assert house.deliver(house.waiting["door"][0])
        assert heard(house) == ("caller",)
        assert house._messages == {}


def test_a_message_of_another_host_is_not_taken_for_one_of_ours_that_has_its_number(journal: Journal) -> None:
    with journal:
        house = session(journal)
        house.moves()
        house.move("door", "unlock")
        (ours,) = house.waiting["door"]
        came = Came("other", "o", "stranger", "door", ours.id)
        assert house.deliver(Mail(ours.id, "s", "stranger", "door", {"@": "Knock", "who": "stranger"}), came)
        assert house.deliver(ours)
        assert heard(house) == ("stranger", "caller")


def test_what_waits_longer_than_a_stop_is_read_again(journal: Journal) -> None:
    with journal:
        session(journal).moves()
        house = session(journal, begun=True)
        house.move("door", "unlock")
        assert house.deliver(house.waiting["door"][0])
        assert heard(house) == ("caller",)
