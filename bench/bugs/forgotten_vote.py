"""Forgotten vote: a voter crashes, comes back, and votes in the same term again."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Canvass(Message):
    term: int


class Vote(Message):
    term: int


class Voter(Process):
    """Votes once in a term, and knows it after a crash too."""

    states = ("open",)
    durable = ("voted_in",)
    transitions = (
        {"trigger": Canvass, "source": "open", "dest": None, "conditions": "is_new", "after": "vote"},
        {"trigger": Canvass, "source": "open", "dest": IGNORE},
    )

    voted_in: int = 0

    def is_new(self, canvass: Canvass) -> bool:
        return canvass.term > self.voted_in

    def vote(self, canvass: Canvass) -> None:
        self.voted_in = canvass.term
        self.send(self.sender, Vote(canvass.term))


class ForgetfulVoter(Voter):
    """Keeps its vote in memory only."""

    durable = ()


class Candidate(Process):
    """Has its own vote; one more of three is enough."""

    states = ("candidate", "leader")
    transitions = ({"trigger": Vote, "source": "candidate", "dest": "leader"},)

    def on_start(self) -> None:
        self.send("voter", Canvass(1))


def system(planted: bool = True) -> System:
    return System(
        {"ann": Candidate(), "bob": Candidate(), "voter": ForgetfulVoter() if planted else Voter()},
        properties=(
            always("one leader in a term", lambda ann, bob: not ann.state == bob.state == "leader"),
            sometimes("somebody leads", lambda ann, bob: "leader" in (ann.state, bob.state)),
        ),
        faults="crash:1@voter",
    )
