"""Planted faults of the consensus model, each one small named change, and where each is certain to show.

Every row says which process is replaced by which (a subclass that overrides one method or one row), and
the smallest bounds that contain the fault: configuration and fault budget. All of them live in the same
world: a former run has left its artifact in the store and some late messages in the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models.consensus import RUN, system
from models.consensus.coordinator import Coordinator
from models.consensus.messages import (
    AckDecision,
    Decided,
    Decision,
    Journal,
    Response,
    Stop,
    Stopped,
    Store,
    Stored,
)
from models.consensus.peers import ArtifactStore, Consumer
from models.consensus.verdict import verdict
from sim import Accepted, Counted, Message, Process, System

FORMER = "run-0"
"""The run before this one. Its first decision was stored and is still being acknowledged."""


class Former(Process):
    """What a former run left in the network (an answer, a confirmation, an acknowledgement), each of which
    may turn up at any time, or never."""

    states = ("gone",)
    may = ("turn_up",)
    transitions = (
        {"trigger": "turn_up", "source": "gone", "dest": None, "conditions": "has_more", "after": "send_one"},
    )

    late: tuple[Message, ...]

    def has_more(self) -> bool:
        return bool(self.late)

    def send_one(self) -> None:
        message = self.choose(*self.late)
        self.send("coordinator", message)
        self.late = tuple(other for other in self.late if other != message)


LATE = (Response(FORMER, 1, "gemini", 1, "ok"), Stored(FORMER, 1), AckDecision(FORMER, 1))


def changed(base: type[Process], trigger: object, state: str, **row: Any) -> tuple[Mapping[str, Any], ...]:
    """The table of `base` with one row before all others: `trigger` in `state` does what `row` says."""
    return ({"trigger": trigger, "source": state, **row}, *base.transitions)


# The faults ---------------------------------------------------------------------------------------------


class CountsTwice(Coordinator):
    """Does not look whether the agent has answered already."""

    def is_expected(self, response: Response) -> bool:
        ours = (response.run, response.round) == (self.run, self.journal.round)
        return ours and response.attempt == self.attempt_of(response.agent)


class CountsLate(Coordinator):
    """Counts the answer to any attempt, also one that was given up and asked again."""

    def is_expected(self, response: Response) -> bool:
        ours = (response.run, response.round) == (self.run, self.journal.round)
        return ours and response.agent in self.missing()


class CountsForeign(Coordinator):
    """Takes an answer by its round and agent: of which run it is, it does not look."""

    def is_expected(self, response: Response) -> bool:
        fits = response.round == self.journal.round and response.attempt == self.attempt_of(response.agent)
        return fits and response.agent in self.missing()


class CountsThenJournals(Coordinator):
    """Says that an answer is counted, and only then writes it down."""

    def count(self, response: Response) -> None:
        answers = tuple(sorted((*self.journal.answers, (response.agent, response.answer))))
        self.emit(Counted(response.key))
        self.journal = replace(self.journal, answers=answers)


class LosesJournal(Coordinator):
    """After a crash the journal is empty."""

    def on_restart(self) -> None:
        self.journal = Journal()


class StoresThenJournals(Coordinator):
    """Asks for the effect before the decision is in the journal."""

    def decide(self) -> None:
        seq = self.journal.minted + 1
        text = verdict(self.journal.answers, self.agents)
        self.send("store", Store(self.run, self.journal.round, seq, text))
        decided = replace(self.journal, phase="storing", attempts=(), answers=(), minted=seq, verdict=text)
        self.emit(Accepted((self.run, decided.round)), journal=decided)
        self.emit(Decided(decided.round, seq, text))
        self.arm_resend()


class MintsAgain(Coordinator):
    """Gives the decision a new number whenever it is sent again."""

    def store_again(self) -> None:
        self.resent += 1
        self.journal = replace(self.journal, minted=self.journal.minted + 1)
        self.store()


class NeverSendsAgain(Coordinator):
    """Forgets to arm the timer that repeats a request that was lost."""

    def arm_resend(self) -> None:
        pass


class OpensForAnyAck(Coordinator):
    """Any acknowledgement of this run opens the gate, also the repeated one of an earlier decision."""

    def opens_gate(self, ack: AckDecision) -> bool:
        return ack.run == self.run


class OpensForForeignAck(Coordinator):
    """The gate looks at the number alone: the run is missing from the key of an acknowledgement."""

    def opens_gate(self, ack: AckDecision) -> bool:
        return ack.seq == self.journal.minted


class AcceptsAckTwice(Coordinator):
    """Counts the acknowledgement that comes a second time as well."""

    def reject_ack(self, ack: AckDecision) -> None:
        self.emit(Counted(ack.key))


class DropsAtStop(Coordinator):
    """A stop ends the run at once, also while a decision is on its way to the store."""

    transitions = changed(Coordinator, Stop, "storing", dest="stopped", after="stop")


class StopsTwice(Coordinator):
    """Takes a second stop for a first one."""

    transitions = changed(Coordinator, Stop, "stopped", dest=None, after="stop")


class AsksForEver(Coordinator):
    """Asks again whenever its patience ends, whatever the limit."""

    transitions = changed(Coordinator, "patience", "asking", dest=None, conditions="missing", after="ask_missing")


class ConfirmsThenStops(Coordinator):
    """Confirms a stop, and only then writes it down."""

    def stop(self) -> None:
        self.confirm_stop()
        self.emit(Stopped(self.run), journal=replace(self.journal, phase="stopped"))


class PresentsUnstored(Coordinator):
    """Shows a decision to the consumer before it is stored."""

    def store(self) -> None:
        super().store()
        self.send_decision()


class ConfirmsThenStores(ArtifactStore):
    """Confirms an artifact, and only then stores it."""

    transitions = changed(ArtifactStore, Store, "open", dest=None, unless="has_it", after=["confirm", "apply"])


class StoresWithoutRun(ArtifactStore):
    """Knows artifacts by their number alone: the run is missing from the key."""

    def has_it(self, store: Store) -> bool:
        return any(seq == store.seq for _, seq in self.applied)


class ForgetsArtifacts(ArtifactStore):
    """What it has applied does not survive a crash."""

    def on_restart(self) -> None:
        self.applied = frozenset()


class TakesTwice(Consumer):
    """Takes a decision again that it has."""

    def is_new(self, decision: Decision) -> bool:
        return decision.seq >= self.last


# The table ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saboteur:
    """One planted fault: the process that is a base of `fault` becomes a `fault`.

    - `faults`, `config`: the smallest bounds in which the fault can show (`config` beside `SMALL`)
    - `prop`: what the check says is violated there
    - `schedules`, `examples`: within how many of them fuzz and stateful test find it in these bounds
    """

    name: str
    fault: type[Process]
    prop: str
    faults: str = "none"
    config: Mapping[str, Any] = field(default_factory=dict)
    schedules: int = 400
    examples: int = 2_000

    @property
    def process(self) -> str:
        """The process that is replaced."""
        bases = {Coordinator: "coordinator", ArtifactStore: "store", Consumer: "consumer"}
        return next(name for base, name in bases.items() if issubclass(self.fault, base))

    def small(self) -> System:
        """The smallest bounds that contain the fault, and the fault."""
        return sabotaged(self.bounds(), self.process, self.fault)

    def bounds(self) -> System:
        """The same bounds around the sound model."""
        return world({**SMALL, **self.config}, self.faults)

    def wide(self) -> System:
        """The fault in the world that all saboteurs share."""
        return sabotaged(wide(), self.process, self.fault)


SMALL = {"agents": 1, "retries": 0, "resends": 0, "stop": False}
WIDE = {"agents": 2, "rounds": 2, "retries": 1, "resends": 2, "stop": True}
WIDE_FAULTS = "duplicate:1,drop:1,agent_timeout:1,crash:1@coordinator,crash:1@store"


def world(config: Mapping[str, Any], faults: str) -> System:
    """The sound model in the world that a former run has left; a run that begins later than in round 1
    also has its own earlier decisions in the store, and a late acknowledgement of the last of them."""
    sound = system(**config)
    before = range(1, config.get("first_round", 1))
    store = ArtifactStore(applied=frozenset({(FORMER, 1), *((RUN, seq) for seq in before)}))
    former = Former(late=LATE + tuple(AckDecision(RUN, seq) for seq in before[-1:]))
    return sound.with_(processes={**sound.processes, "store": store, "former": former}, faults=faults)


def wide() -> System:
    """One system in which every fault of the table can show."""
    return world(WIDE, WIDE_FAULTS)


def sabotaged(sound: System, process: str, fault: type[Process]) -> System:
    """The same system but for one process, which becomes a `fault` with the same fields."""
    former = sound.processes[process]
    fields = dict(zip(type(former).table.fields, former.field_values(), strict=True))
    return sound.with_(processes={**sound.processes, process: fault(**fields)})


INPUTS, EFFECTS, GATE = "exactly_once_inputs", "exactly_once_effects", "ack_gate"

SABOTEURS = (
    Saboteur("no duplicate rejection", CountsTwice, INPUTS, "duplicate:1@Response", {"agents": 2}),
    Saboteur("a late answer counted", CountsLate, "last_question", "none", {"retries": 1}),
    Saboteur("run id missing from the key of an answer", CountsForeign, "last_question"),
    Saboteur(
        "counted before it is journalled",
        CountsThenJournals,
        INPUTS,
        "crash:1@coordinator after Counted",
        {"retries": 1},
    ),
    Saboteur("journal lost in a crash", LosesJournal, "last_question", "crash:1@coordinator"),
    Saboteur(
        "store asked before the decision is journalled",
        StoresThenJournals,
        EFFECTS,
        "crash:1@coordinator after Store",
    ),
    Saboteur("a new number at each resend", MintsAgain, EFFECTS, "none", {"resends": 1}),
    Saboteur("a lost request never repeated", NeverSendsAgain, "stuck", "drop:1@Store", {"resends": 1}),
    Saboteur(
        "the ack of another decision opens the gate",
        OpensForAnyAck,
        GATE,
        "none",
        {"rounds": 2, "first_round": 2},
    ),
    Saboteur("run id missing from the key of an ack", OpensForForeignAck, GATE),
    Saboteur("an ack accepted twice", AcceptsAckTwice, INPUTS, "duplicate:1@AckDecision"),
    Saboteur(
        "a decision under way dropped at stop",
        DropsAtStop,
        EFFECTS,
        "drop:1@Store",
        {"stop": True, "resends": 1},
    ),
    Saboteur("a second stop taken for a first", StopsTwice, "stop_once", "duplicate:1@Stop", {"stop": True}),
    Saboteur(
        "stop confirmed before it is journalled",
        ConfirmsThenStops,
        "stop_once",
        "crash:1@coordinator after StopAck",
        {"stop": True},
    ),
    Saboteur("retry without limit", AsksForEver, "last_question"),
    Saboteur("a decision shown before it is stored", PresentsUnstored, "taken_in_order"),
    Saboteur(
        "acknowledge before store",
        ConfirmsThenStores,
        "taken_in_order",
        "crash:1@store after Stored",
    ),
    Saboteur("run id missing from the key of an artifact", StoresWithoutRun, "taken_in_order"),
    Saboteur("what was stored is lost in a crash", ForgetsArtifacts, EFFECTS, "crash:1@store", {"resends": 1}),
    Saboteur("a decision taken twice", TakesTwice, "taken_in_order", "duplicate:1@Decision"),
)
