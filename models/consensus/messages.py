"""What coordinator, agents, store, consumer, user and clock say to each other, and what can be observed."""

from __future__ import annotations

from sim import Emission, Message

Key = tuple[str | int, ...]

USABLE = ("ok", "conflict")
"""Answers that say something; an invalid or an empty one does not."""


class Ask(Message):
    """The question of a stage of a round, to one agent; a retry is a further attempt."""

    run: str
    round: int
    stage: str
    attempt: int


class Response(Message):
    """An agent's answer to one attempt."""

    run: str
    round: int
    stage: str
    agent: str
    attempt: int
    answer: str

    @property
    def key(self) -> Key:
        """The logical input: all attempts of an agent in a stage are one."""
        return (self.run, self.round, self.stage, self.agent)

    @property
    def is_usable(self) -> bool:
        return self.answer in USABLE


class Store(Message):
    """Store the artifact of a decision; `seq` is what the store knows it by."""

    run: str
    round: int
    stage: str
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


class Update(Message):
    """The conversation as it is now: snapshot `number`, 1 and up; a later one holds all of an earlier one."""

    run: str
    number: int

    @property
    def key(self) -> Key:
        return ("update", self.run, self.number)


class Stop(Message):
    """The user wants the run to stop once what was decided has come through."""

    run: str


class Cancel(Message):
    """The user wants the run to end now; a decision that nobody has yet is given up."""

    run: str


class StopAck(Message):
    """The run has stopped."""

    run: str


class Guard(Message):
    """Whether this stage may begin; whoever says so launches it."""

    run: str
    round: int
    stage: str


class Launch(Message):
    """Begin this stage; `payload` is a hash of what it is to work on."""

    run: str
    round: int
    stage: str
    payload: str


class Question(Message):
    """What the agents of a gate do not settle: whether the run goes on."""

    run: str
    seq: int


class Ruling(Message):
    """What a person says to it."""

    run: str
    seq: int
    goes_on: bool


class Countdown(Message):
    """Count down `ticks` seconds; a countdown is known by its run, its id and the decision that waits for it."""

    run: str
    id: int
    seq: int
    ticks: int


class Tick(Message):
    """A second of a countdown has gone; `left` more are to go."""

    run: str
    id: int
    seq: int
    left: int


class Decided(Emission):
    """A stage was decided."""

    round: int
    stage: str
    seq: int
    verdict: str


class Acknowledged(Emission):
    """The consumer has taken a decision."""

    run: str
    seq: int


class Refused(Emission):
    """The consumer did not take what it got: a decision or a tick, and why."""

    key: Key
    reason: str


class Turn(Emission):
    """The next question is made from this snapshot of the conversation."""

    number: int


class Dropped(Emission):
    """A queued snapshot will not be used, and why."""

    number: int
    reason: str


class Stopping(Emission):
    """The coordinator knows that it is to stop, and owes the end of it."""

    run: str


class Stopped(Emission):
    """The coordinator stopped its run."""

    run: str


class Withdrawn(Emission):
    """A decision was given up before its acknowledgement came."""

    run: str
    seq: int
    cause: str


class Launched(Emission):
    """What came of a launch: it started its stage, or why it did not."""

    run: str
    round: int
    stage: str
    payload: str
    outcome: str


class Ruled(Emission):
    """A person has settled what the agents of a gate did not."""

    run: str
    seq: int
    goes_on: bool


class Begun(Emission):
    """A decision waits for the end of its countdown."""

    run: str
    id: int
    seq: int


class RanOut(Emission):
    """The clock has counted a countdown to its end."""

    run: str
    id: int
    seq: int
