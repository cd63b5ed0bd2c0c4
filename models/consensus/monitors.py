"""What must hold of a consensus run, besides exactly-once."""

from __future__ import annotations

from models.consensus.messages import Acknowledged, Ask, NoConsensus, Released, Response, StopAck, Stopped
from sim import Accepted, Applied, Counted, Crashed, Monitor, Received, Rejected


class AckGate(Monitor):
    """A decision is released only by its own acknowledgement, and once."""

    states = ("watching",)
    transitions = (
        {"trigger": Acknowledged, "source": "watching", "dest": None, "after": "note"},
        {"trigger": Released, "source": "watching", "dest": None, "after": "judge"},
    )

    acknowledged: int = 0
    released: int = 0

    def note(self, emission: Acknowledged) -> None:
        self.acknowledged = emission.seq

    def judge(self, emission: Released) -> None:
        if emission.seq > self.acknowledged:
            self.violate(f"decision {emission.seq} was released before it was acknowledged")
        if emission.seq <= self.released:
            self.violate(f"decision {emission.seq} was released twice")
        self.released = emission.seq


class TakenInOrder(Monitor):
    """The consumer takes each decision once, in order, and only when its artifact is stored."""

    states = ("watching",)
    transitions = (
        {"trigger": Applied, "source": "watching", "dest": None, "after": "note"},
        {"trigger": Acknowledged, "source": "watching", "dest": None, "after": "judge"},
    )

    stored: int = 0
    """Artifacts stored so far; decisions are numbered in the order in which they are to be."""
    taken: int = 0

    def note(self) -> None:
        self.stored += 1

    def judge(self, emission: Acknowledged) -> None:
        if emission.seq > self.stored:
            self.violate(f"decision {emission.seq} was taken before its artifact was stored")
        if emission.seq != self.taken + 1:
            self.violate(f"decision {emission.seq} was taken after decision {self.taken}")
        self.taken = emission.seq


class LastQuestion(Monitor):
    """An answer counts only if it is one to the last question that its agent got, in this run, and before
    its round was closed; no agent is asked more often than allowed.

    What was asked is seen where it arrives: a question that is still on its way is none yet.
    """

    states = ("watching",)
    transitions = (
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_question", "after": "ask"},
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_answer", "after": "answer"},
        {"trigger": Received, "source": "watching", "dest": None},
        {"trigger": Counted, "source": "watching", "dest": None, "before": "judge", "after": "forget"},
        {"trigger": Rejected, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Crashed, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Accepted, "source": "watching", "dest": None, "after": "close"},
        {"trigger": NoConsensus, "source": "watching", "dest": None, "after": "close_without"},
    )

    run: str
    attempts_max: int
    closed: int = 0
    """The last round that has ended."""
    asked: tuple[tuple[str, int], ...] = ()
    """(agent, attempt) for each that was asked again in this round."""
    given: Response | None = None
    """The answer that the coordinator is at."""

    def is_question(self, received: Received) -> bool:
        return isinstance(received.message, Ask)

    def is_answer(self, received: Received) -> bool:
        return isinstance(received.message, Response)

    def ask(self, received: Received) -> None:
        agent, ask = received.process, received.message
        assert isinstance(ask, Ask)
        if ask.attempt > self.attempts_max:
            self.violate(f"{agent} was asked for attempt {ask.attempt} of at most {self.attempts_max}")
        if ask.round == self.closed + 1 and ask.attempt > max(1, self.last(agent)):
            self.asked = tuple(sorted({**dict(self.asked), agent: ask.attempt}.items()))

    def last(self, agent: str) -> int:
        return dict(self.asked).get(agent, 0)

    def answer(self, received: Received) -> None:
        assert isinstance(received.message, Response)
        self.given = received.message

    def judge(self, counted: Counted) -> None:
        given = self.given
        if given is None or counted.key != given.key:
            return
        if given.run != self.run:
            self.violate(f"an answer of {given.run} was counted in {self.run}")
        if given.round <= self.closed:
            self.violate(f"an answer of {given.agent} was counted after round {given.round} was closed")
        if given.attempt < self.last(given.agent):
            self.violate(f"{given.agent} was asked again, and then its answer to attempt {given.attempt} was counted")

    def forget(self) -> None:
        self.given = None

    def close(self, accepted: Accepted) -> None:
        _, round_ = accepted.key
        self.end(round_)

    def close_without(self, ended: NoConsensus) -> None:
        self.end(ended.round)

    def end(self, round_: int) -> None:
        self.closed, self.asked, self.given = round_, (), None


class StopOnce(Monitor):
    """A run stops at most once, and accepts nothing any more when it has said so."""

    states = ("running", "stopped", "told")
    transitions = (
        {"trigger": Stopped, "source": "running", "dest": "stopped"},
        {"trigger": Stopped, "source": ["stopped", "told"], "dest": None, "after": "complain"},
        {"trigger": Received, "source": "*", "dest": "told", "conditions": "is_confirmation"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": Accepted, "source": "running", "dest": None},
        {"trigger": Accepted, "source": ["stopped", "told"], "dest": None, "after": "complain_of_effect"},
    )

    def is_confirmation(self, received: Received) -> bool:
        return isinstance(received.message, StopAck)

    def complain(self, emission: Stopped) -> None:
        self.violate(f"run {emission.run} stopped twice")

    def complain_of_effect(self) -> None:
        self.violate("something was accepted after the stop")
