"""What is judged of a council: what it has heard it counts, each agent once, and what it decides is stored once."""

from __future__ import annotations

from sim import Emission, Monitor

REFUSED_MAX = 6


class Heard(Emission):
    """An agent has said this."""

    agent: str
    word: str


class Decided(Emission):
    """This was decided, with the votes of these agents."""

    verdict: str
    voters: tuple[str, ...]


class Stored(Emission):
    verdict: str


class Refused(Emission):
    """An agent has more to do than it may."""

    agent: str


class NobodyForgotten(Monitor):
    """Whoever was heard before the decision has a vote in it."""

    states = ("watching",)
    transitions = (
        {"trigger": Heard, "source": "watching", "dest": None, "after": "note"},
        {"trigger": Decided, "source": "watching", "dest": None, "after": "compare"},
    )
    heard: tuple[str, ...] = ()

    def note(self, said: Heard) -> None:
        if said.agent not in self.heard:
            self.heard += (said.agent,)

    def compare(self, decided: Decided) -> None:
        for agent in self.heard:
            if agent not in decided.voters:
                self.violate(f"{agent} was heard, and has no vote in the decision")


class OneVoteEach(Monitor):
    states = ("watching",)
    transitions = ({"trigger": Decided, "source": "watching", "dest": None, "after": "compare"},)

    def compare(self, decided: Decided) -> None:
        for agent in decided.voters:
            if decided.voters.count(agent) > 1:
                self.violate(f"{agent} has {decided.voters.count(agent)} votes in the decision")


class NoHammering(Monitor):
    """Whoever was refused lets some time pass before he tries again."""

    states = ("watching",)
    transitions = ({"trigger": Refused, "source": "watching", "dest": None, "after": "count"},)
    refused: tuple[str, ...] = ()

    def count(self, refused: Refused) -> None:
        self.refused += (refused.agent,)
        if (times := self.refused.count(refused.agent)) > REFUSED_MAX:
            self.violate(f"{refused.agent} has refused {times} times")


class StoredOnce(Monitor):
    states = ("empty", "stored")
    transitions = (
        {"trigger": Stored, "source": "empty", "dest": "stored"},
        {"trigger": Stored, "source": "stored", "dest": None, "after": "again"},
    )

    def again(self, stored: Stored) -> None:
        self.violate(f"{stored.verdict} is stored a second time")


MONITORS = {
    "nobody_forgotten": NobodyForgotten(),
    "one_vote_each": OneVoteEach(),
    "stored_once": StoredOnce(),
    "no_hammering": NoHammering(),
}
