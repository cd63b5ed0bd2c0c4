"""What coordinator, agents, store, consumer and user say to each other, and what can be observed."""

from __future__ import annotations

from sim import Emission, Message, Record

Key = tuple[str | int, ...]


class Ask(Message):
    """The question of a round, to one agent; a retry is a further attempt."""

    run: str
    round: int
    attempt: int


class Response(Message):
    """An agent's answer to one attempt."""

    run: str
    round: int
    agent: str
    attempt: int
    answer: str

    @property
    def key(self) -> Key:
        """The logical input: all attempts of an agent in a round are one."""
        return (self.run, self.round, self.agent)


class Store(Message):
    """Store the artifact of a decision; `seq` is what the store knows it by."""

    run: str
    round: int
    seq: int
    verdict: str


class Stored(Message):
    """The artifact of this decision is stored."""

    run: str
    seq: int


class NotStored(Message):
    """Nothing came of storing this decision; it may be asked for again."""

    run: str
    seq: int


class Decision(Message):
    """A decision, for the consumer; the next one waits until it is acknowledged."""

    run: str
    seq: int
    verdict: str


class AckDecision(Message):
    """The consumer has this decision."""

    run: str
    seq: int

    @property
    def key(self) -> Key:
        return ("ack", self.run, self.seq)


class Stop(Message):
    """The user wants the run to stop."""

    run: str


class StopAck(Message):
    """The run has stopped."""

    run: str


class Journal(Record):
    """What the coordinator has on disk: one record, replaced as a whole."""

    phase: str = "asking"
    round: int = 1
    attempts: tuple[int, ...] = ()
    """While asking: the attempt that each agent is at; empty before the first."""
    answers: tuple[tuple[str, str], ...] = ()
    """While asking: (agent, answer); an agent stands here twice only without sequencing."""
    minted: int = 0
    """Sequence numbers handed out so far."""
    verdict: str = ""
    """While storing and gated: the verdict of this round."""
    stopping: bool = False


class Decided(Emission):
    """A round was decided."""

    round: int
    seq: int
    verdict: str


class NoConsensus(Emission):
    """A round ended without any answer."""

    round: int


class Acknowledged(Emission):
    """The consumer acknowledged a decision."""

    seq: int


class Released(Emission):
    """The coordinator's gate let the next decision pass: this one counts as acknowledged."""

    seq: int


class Stopped(Emission):
    """The coordinator stopped its run."""

    run: str
