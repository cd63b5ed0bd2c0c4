"""Those the coordinator deals with: agents, the durable store, the consumer of decisions, the user."""

from __future__ import annotations

from models.consensus.messages import (
    AckDecision,
    Acknowledged,
    Ask,
    Decision,
    NotStored,
    Response,
    Stop,
    StopAck,
    Store,
    Stored,
)
from sim import IGNORE, Applied, ConsensusFailure, Process, Used


class Agent(Process):
    """Answers every question it gets, a retried one again: a slow answer may cross its own retry.

    What an answer takes is a function of the question: the prompt of a later round holds the answers of
    the rounds before it, which are cached; an empty answer is no tokens long.
    """

    states = ("ready",)
    transitions = ({"trigger": Ask, "source": "ready", "dest": None, "after": "answer"},)

    answers: tuple[str, ...] = ("ok",)
    prompt_tokens: int = 1_000
    answer_tokens: int = 500

    def answer(self, ask: Ask) -> None:
        answer = self.choose(*self.answers)
        history = (ask.round - 1) * self.answer_tokens
        self.emit(
            Used(
                ask.run,
                f"round-{ask.round}",
                self.name,
                ask.attempt,
                input_tokens=history + self.prompt_tokens,
                output_tokens=0 if answer == "empty" else self.answer_tokens,
                cached_input_tokens=history,
            )
        )
        self.send(self.sender, Response(ask.run, ask.round, self.name, ask.attempt, answer))


class ArtifactStore(Process):
    """Applies each artifact once, by its sequence number, and confirms as often as it is asked."""

    states = ("open",)
    durable = ("applied",)
    transitions = (
        {"trigger": Store, "source": "open", "dest": None, "unless": "has_it", "after": ["apply", "confirm"]},
        {"trigger": Store, "source": "open", "dest": None, "after": "confirm"},
        {"trigger": ConsensusFailure, "source": "open", "dest": None, "after": "refuse"},
    )

    applied: frozenset[tuple[str, int]] = frozenset()

    def has_it(self, store: Store) -> bool:
        return (store.run, store.seq) in self.applied

    def apply(self, store: Store) -> None:
        self.emit(Applied((store.run, store.round)), applied=self.applied | {(store.run, store.seq)})

    def confirm(self, store: Store) -> None:
        self.send(self.sender, Stored(store.run, store.seq))

    def refuse(self, fault: ConsensusFailure) -> None:
        assert isinstance(fault.message, Store)
        self.send(self.sender, NotStored(fault.message.run, fault.message.seq))


class Consumer(Process):
    """Takes each decision once, in order, and acknowledges as often as it is told."""

    states = ("open",)
    durable = ("last",)
    transitions = (
        {"trigger": Decision, "source": "open", "dest": None, "conditions": "is_new", "after": ["take", "acknowledge"]},
        {"trigger": Decision, "source": "open", "dest": None, "after": "acknowledge"},
    )

    last: int = 0

    def is_new(self, decision: Decision) -> bool:
        return decision.seq > self.last

    def take(self, decision: Decision) -> None:
        self.emit(Acknowledged(decision.seq), last=decision.seq)

    def acknowledge(self, decision: Decision) -> None:
        self.send(self.sender, AckDecision(decision.run, decision.seq))


class User(Process):
    """May stop the run, at any time, once."""

    states = ("watching", "waiting", "satisfied")
    may = ("stop",)
    transitions = (
        {"trigger": "stop", "source": "watching", "dest": "waiting", "after": "ask_to_stop"},
        {"trigger": StopAck, "source": "waiting", "dest": "satisfied"},
        {"trigger": StopAck, "source": ["watching", "satisfied"], "dest": IGNORE},  # watching: forgotten in a crash
    )

    run: str

    def ask_to_stop(self) -> None:
        self.send("coordinator", Stop(self.run))
