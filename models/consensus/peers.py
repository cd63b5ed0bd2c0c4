"""Those the coordinator deals with: agents, the durable store, the user, the conversation, a former run."""

from __future__ import annotations

from sim import IGNORE, Applied, ConsensusFailure, Message, Process, Used

from .messages import (
    Ask,
    Cancel,
    NotStored,
    Response,
    Stop,
    StopAck,
    Store,
    Stored,
    Update,
)


class Agent(Process):
    """Answers every question it gets, a retried one again: a slow answer may cross its own retry.

    What an answer takes is a function of the question: the prompt of a later round holds the answers of
    the rounds before it, which are cached; an empty answer has no tokens.
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
                f"{ask.stage}-{ask.round}",
                self.name,
                ask.attempt,
                input_tokens=history + self.prompt_tokens,
                output_tokens=0 if answer == "empty" else self.answer_tokens,
                cached_input_tokens=history,
            )
        )
        self.send(self.sender, Response(ask.run, ask.round, ask.stage, self.name, ask.attempt, answer))


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
    unscoped: bool = False
    """Whether it inserts what it has again, as only a reference's does."""

    def has_it(self, store: Store) -> bool:
        return (store.run, store.seq) in self.applied

    def apply(self, store: Store) -> None:
        self.emit(Applied((store.run, store.round, store.stage)), applied=self.applied | {(store.run, store.seq)})

    def confirm(self, store: Store) -> None:
        self.send(self.sender, Stored(store.run, store.seq))

    def refuse(self, fault: ConsensusFailure) -> None:
        assert isinstance(fault.message, Store)
        self.send(self.sender, NotStored(fault.message.run, fault.message.seq))


class User(Process):
    """May cancel the run or stop it, or both in this order, at any time until it has stopped."""

    states = ("watching", "cancelling", "waiting", "satisfied")
    may = ("stop", "cancel_run")
    transitions = (
        {
            "trigger": "stop",
            "source": ["watching", "cancelling"],
            "dest": "waiting",
            "conditions": "may_stop",
            "after": "ask_to_stop",
        },
        {
            "trigger": "cancel_run",
            "source": "watching",
            "dest": "cancelling",
            "conditions": "may_cancel",
            "after": "ask_to_cancel",
        },
        {"trigger": StopAck, "source": ["cancelling", "waiting"], "dest": "satisfied"},
        {"trigger": StopAck, "source": ["watching", "satisfied"], "dest": IGNORE},  # watching: forgotten in a crash
    )

    run: str
    stops: bool = True
    cancels: bool = False
    tells_consumer: bool = False
    """Whether the consumer hears of it too, as only in a reference."""

    def may_stop(self) -> bool:
        return self.stops

    def may_cancel(self) -> bool:
        return self.cancels

    def ask_to_stop(self) -> None:
        self.tell(Stop(self.run))

    def ask_to_cancel(self) -> None:
        self.tell(Cancel(self.run))

    def tell(self, wish: Stop | Cancel) -> None:
        self.send("coordinator", wish)


class Conversation(Process):
    """Goes on while the coordinator works: each update is a snapshot of the whole."""

    states = ("going_on",)
    may = ("update",)
    transitions = (
        {"trigger": "update", "source": "going_on", "dest": None, "conditions": "has_more", "after": "send_update"},
    )

    run: str
    updates: int
    sent: int = 0

    def has_more(self) -> bool:
        return self.sent < self.updates

    def send_update(self) -> None:
        self.sent += 1
        self.send("coordinator", Update(self.run, self.sent))


class Former(Process):
    """What a former run left in the network; each may turn up at any time, or never."""

    states = ("gone",)
    may = ("turn_up",)
    transitions = (
        {"trigger": "turn_up", "source": "gone", "dest": None, "conditions": "has_more", "after": "send_one"},
    )

    late: tuple[tuple[str, str, Message], ...]
    """(name, target, message) each."""

    def has_more(self) -> bool:
        return bool(self.late)

    def send_one(self) -> None:
        chosen = self.choose(*(name for name, _, _ in self.late))
        for name, target, message in self.late:
            if name == chosen:
                self.send(target, message)
        self.late = tuple(late for late in self.late if late[0] != chosen)
