"""What must hold of the questions, answers and verdicts of a consensus run."""

from __future__ import annotations

from collections.abc import Sequence

from sim import Accepted, Counted, Crashed, Monitor, Received, Rejected
from sim.consensus import verdict

from .journal import TERMINAL, Stage
from .messages import Ask, Response, Stopped, Store

Given = tuple[int, str, str, str]
"""An answer as (round, stage, agent, answer)."""


class FirstUsable(Monitor):
    """Of the answers of an agent to a stage the first that is usable counts, and no other: a timeout never loses an
    answer. It counts in this run, and before its stage is closed; no agent is asked more often than allowed.
    """

    states = ("watching",)
    transitions = (
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_question", "after": "ask"},
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_answer", "after": "answer"},
        {"trigger": Received, "source": "watching", "dest": None},
        {"trigger": Counted, "source": "watching", "dest": None, "before": "judge", "after": "forget"},
        {"trigger": Rejected, "source": "watching", "dest": None, "before": "judge_loss", "after": "forget"},
        {"trigger": Crashed, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Accepted, "source": "watching", "dest": None, "after": "close"},
        {"trigger": Stopped, "source": "watching", "dest": None, "after": "stop"},
    )

    run: str
    attempts_max: int
    steps: tuple[tuple[int, str], ...]
    """(round, stage) for each that is to be decided, in order."""
    heard: tuple[str, ...] = ()
    """Those who have a counted answer in the stage in hand."""
    given: Response | None = None
    """The answer that the coordinator is at."""

    def is_question(self, received: Received) -> bool:
        return isinstance(received.message, Ask)

    def is_answer(self, received: Received) -> bool:
        return isinstance(received.message, Response)

    def ask(self, received: Received) -> None:
        assert isinstance(received.message, Ask)
        if received.message.attempt > self.attempts_max:
            asked = f"{received.process} was asked for attempt {received.message.attempt}"
            self.violate(f"{asked} of at most {self.attempts_max}")

    def answer(self, received: Received) -> None:
        assert isinstance(received.message, Response)
        self.given = received.message

    def judge(self, counted: Counted) -> None:
        given = self.given
        if given is None or counted.key != given.key:
            return
        if given.run != self.run:
            self.violate(f"an answer of {given.run} was counted in {self.run}")
        if (given.round, given.stage) not in self.steps:
            self.violate(f"an answer of {given.agent} was counted after {given.stage} {given.round} was closed")
        if not given.is_usable:
            self.violate(f"an answer of {given.agent} was counted that says nothing: {given.answer}")
        self.heard = tuple(sorted({*self.heard, given.agent}))

    def judge_loss(self, rejected: Rejected) -> None:
        given = self.given
        if given is None or rejected.key != given.key or given.run != self.run or not given.is_usable:
            return
        if (given.round, given.stage) in self.steps[:1] and given.agent not in self.heard:
            self.violate(f"{given.agent} has not been heard, and its answer to attempt {given.attempt} was thrown away")

    def forget(self) -> None:
        self.given = None

    def close(self) -> None:
        self.steps, self.heard, self.given = self.steps[1:], (), None

    def stop(self) -> None:
        self.steps, self.heard, self.given = (), (), None


class AllDecided(Monitor):
    """Stages are decided in their order, and none is left out unless the run was stopped or a verdict ends it."""

    states = ("deciding", "over")
    hot = ("deciding",)
    transitions = (
        {"trigger": Accepted, "source": "deciding", "dest": "over", "conditions": "is_last", "before": "close"},
        {"trigger": Accepted, "source": "deciding", "dest": None, "before": "close"},
        {"trigger": Accepted, "source": "over", "dest": None},
        {"trigger": Received, "source": "deciding", "dest": "over", "conditions": "ends", "before": "end"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": Stopped, "source": "*", "dest": "over", "before": "end"},
    )

    steps: tuple[tuple[int, str], ...]
    """(round, stage) for each that is still to be decided, in order."""

    def is_last(self, accepted: Accepted) -> bool:
        return bool(accepted.key[1:] == self.steps[-1])

    def close(self, accepted: Accepted) -> None:
        step = accepted.key[1:]
        if step in self.steps[1:]:
            self.violate(f"{step[1]} {step[0]} was decided before {self.steps[0][1]} {self.steps[0][0]}")
        self.steps = self.steps[step == self.steps[0] :]

    def ends(self, received: Received) -> bool:
        """A verdict after which the run does not go on; the store is told of it."""
        return isinstance(received.message, Store) and received.message.verdict in TERMINAL

    def end(self) -> None:
        self.steps = ()


class Verdicts(Monitor):
    """What the store is asked to store follows from the answers to this stage that were counted, and from
    nothing else."""

    states = ("watching",)
    transitions = (
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_answer", "after": "answer"},
        {"trigger": Received, "source": "watching", "dest": None, "conditions": "is_order", "after": "judge"},
        {"trigger": Received, "source": "watching", "dest": None},
        {"trigger": Counted, "source": "watching", "dest": None, "after": "count"},
        {"trigger": Rejected, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Crashed, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Accepted, "source": "watching", "dest": None, "after": "decide"},
        {"trigger": Stopped, "source": "watching", "dest": None, "after": "stop"},
    )

    run: str
    stages: tuple[Stage, ...]
    quorum: tuple[int, int]
    given: Given | None = None
    """The answer that the coordinator is at."""
    answers: tuple[Given, ...] = ()
    """Those that were counted while the stage in hand was."""
    decided: tuple[int, str, str] | None = None
    """The last decided stage: its round, its name, and the verdict that follows from its answers."""

    def is_answer(self, received: Received) -> bool:
        return isinstance(received.message, Response)

    def is_order(self, received: Received) -> bool:
        order = received.message
        if not isinstance(order, Store) or self.decided is None:
            return False
        return (order.run, order.round, order.stage) == (self.run, *self.decided[:2])

    def answer(self, received: Received) -> None:
        assert isinstance(received.message, Response)
        given = received.message
        self.given = (given.round, given.stage, given.agent, given.answer)

    def count(self) -> None:
        if self.given is not None:
            self.answers = tuple(sorted((*self.answers, self.given)))
        self.given = None

    def forget(self) -> None:
        self.given = None

    def decide(self, accepted: Accepted) -> None:
        _, round_, name = accepted.key
        stage = next(stage for stage in self.stages if stage.name == name)
        answers = [(agent, answer) for *place, agent, answer in self.answers if place == [round_, name]]
        self.decided, self.answers = (round_, name, self.verdict_of(stage, answers)), ()

    def verdict_of(self, stage: Stage, answers: Sequence[tuple[str, str]]) -> str:
        return verdict(answers, stage.roster, self.quorum)

    def judge(self, received: Received) -> None:
        assert isinstance(received.message, Store)
        assert self.decided is not None
        if received.message.verdict != self.decided[2]:
            self.violate(f"the verdict {received.message.verdict} was stored; the answers say {self.decided[2]}")

    def stop(self) -> None:
        self.answers, self.decided, self.given = (), None, None
