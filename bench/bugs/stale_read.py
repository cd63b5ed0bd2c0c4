"""Stale read after failover: a deposed leader answers from its own copy, as it does not know yet."""

from __future__ import annotations

from sim import DEFER, Message, Process, System, always, sometimes


class Canvass(Message):
    term: int


class Voted(Message):
    pass


class Confirm(Message):
    term: int


class Confirmed(Message):
    pass


class Deposed(Message):
    pass


class Write(Message):
    pass


class Written(Message):
    pass


class Read(Message):
    pass


class Value(Message):
    value: int


class NotLeader(Message):
    pass


class Witness(Process):
    """The third of three, with which either of the others is a majority."""

    states = ("open",)
    transitions = (
        {"trigger": Canvass, "source": "open", "dest": None, "after": "vote"},
        {"trigger": Confirm, "source": "open", "dest": None, "conditions": "is_current", "after": "confirm"},
        {"trigger": Confirm, "source": "open", "dest": None, "after": "depose"},
    )

    term: int = 1

    def is_current(self, confirm: Confirm) -> bool:
        return confirm.term == self.term

    def vote(self, canvass: Canvass) -> None:
        self.term = canvass.term
        self.send(self.sender, Voted())

    def confirm(self) -> None:
        self.send(self.sender, Confirmed())

    def depose(self) -> None:
        self.send(self.sender, Deposed())


class OldLeader(Process):
    """Leads in term 1. Has it confirmed that it still leads before it answers."""

    states = ("leading", "confirming", "deposed")
    transitions = (
        {"trigger": Read, "source": "leading", "dest": "confirming", "after": "ask"},
        {"trigger": Read, "source": "confirming", "dest": DEFER},
        {"trigger": Read, "source": "deposed", "dest": None, "after": "refuse"},
        {"trigger": Confirmed, "source": "confirming", "dest": "leading", "after": "answer"},
        {"trigger": Deposed, "source": "confirming", "dest": "deposed", "after": "refuse_asker"},
    )

    asker: str = ""

    def ask(self) -> None:
        self.asker = self.sender
        self.send("witness", Confirm(term=1))

    def answer(self) -> None:
        self.send(self.asker, Value(0))

    def refuse(self) -> None:
        self.send(self.sender, NotLeader())

    def refuse_asker(self) -> None:
        self.send(self.asker, NotLeader())


class SureLeader(OldLeader):
    """Was elected, so it leads."""

    transitions = ({"trigger": Read, "source": "leading", "dest": None, "after": "answer_at_once"},)

    def answer_at_once(self) -> None:
        self.send(self.sender, Value(0))


class NewLeader(Process):
    """Comes to lead in term 2, and then takes writes."""

    states = ("candidate", "leading")
    transitions = (
        {"trigger": Voted, "source": "candidate", "dest": "leading"},
        {"trigger": Write, "source": "candidate", "dest": DEFER},
        {"trigger": Write, "source": "leading", "dest": None, "after": "confirm"},
    )

    def on_start(self) -> None:
        self.send("witness", Canvass(term=2))

    def confirm(self) -> None:
        self.send("client", Written())


class Client(Process):
    """Writes 1 where the new leader is, then reads where the old one was."""

    states = ("writing", "reading", "done")
    hot = ("writing", "reading")
    transitions = (
        {"trigger": Written, "source": "writing", "dest": "reading", "after": "read"},
        {"trigger": Value, "source": "reading", "dest": "done", "after": "note"},
        {"trigger": NotLeader, "source": "reading", "dest": "done"},
    )

    got: int = 1

    def on_start(self) -> None:
        self.send("new", Write())

    def read(self) -> None:
        self.send("old", Read())

    def note(self, answer: Value) -> None:
        self.got = answer.value


class Onlooker(Process):
    """Only reads."""

    states = ("reading", "done")
    hot = ("reading",)
    transitions = (
        {"trigger": Value, "source": "reading", "dest": "done"},
        {"trigger": NotLeader, "source": "reading", "dest": "done"},
    )

    def on_start(self) -> None:
        self.send("old", Read())


def system(planted: bool = True) -> System:
    return System(
        {
            "witness": Witness(),
            "old": SureLeader() if planted else OldLeader(),
            "new": NewLeader(),
            "client": Client(),
            "onlooker": Onlooker(),
        },
        properties=(
            always("own writes are read", lambda client: client.got == 1),
            sometimes("both are done", lambda client, onlooker: client.state == onlooker.state == "done"),
        ),
    )
