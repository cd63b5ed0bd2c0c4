"""Planted faults of one stage: its answers, the journal, the store, the gate, its end."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.consumer import Consumer
from models.consensus.coordinator import Coordinator
from models.consensus.journal import Journal
from models.consensus.messages import AckDecision, Decided, Decision, Response, Stop, Stopped, Store
from models.consensus.peers import ArtifactStore
from sim import Accepted, Counted
from tests.saboteurs.planted import EFFECTS, GATE, INPUTS, Saboteur, changed


class CountsTwice(Coordinator):
    """Does not look whether the agent has answered already."""

    def is_expected(self, response: Response) -> bool:
        ours = (response.run, response.round, response.stage) == (self.run, *self.place())
        return ours and response.attempt == self.attempt_of(response.agent)


class CountsLate(Coordinator):
    """Counts the answer to any attempt, also one that was given up and asked again."""

    def is_expected(self, response: Response) -> bool:
        ours = (response.run, response.round, response.stage) == (self.run, *self.place())
        return ours and response.agent in self.missing()


class CountsForeign(Coordinator):
    """Takes an answer by its round and agent: of which run it is, it does not look."""

    def is_expected(self, response: Response) -> bool:
        here = (response.round, response.stage) == self.place()
        fits = here and response.attempt == self.attempt_of(response.agent)
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
        self.journal = Journal(sequence=(self.run, 0, (), "none", "open"))


class StoresThenJournals(Coordinator):
    """Asks for the effect before the decision is in the journal."""

    def decide(self) -> None:
        round_, stage = self.place()
        text = self.verdict()
        decided = self.journal.decided(self.step(), text)
        self.send("store", Store(self.run, round_, stage, decided.seq, text))
        self.emit(Accepted((self.run, round_, stage)), journal=decided)
        self.emit(Decided(round_, stage, self.number(), text))
        self.arm_resend()


class MintsAgain(Coordinator):
    """Gives the decision a new number whenever it is sent again."""

    def store_again(self) -> None:
        self.resent += 1
        run, seq, *others = self.journal.sequence
        self.journal = replace(self.journal, sequence=(run, seq + 1, *others))
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
        return ack.seq == self.number()


class AcceptsAckTwice(Coordinator):
    """Counts the acknowledgement that releases nothing as well."""

    def reject_ack(self, ack: AckDecision) -> None:
        self.emit(Counted(ack.key))


class DropsAtStop(Coordinator):
    """A stop ends the run at once, also while a decision is on its way to the store."""

    transitions = changed(Coordinator, Stop, "storing", dest="stopped", after="withdraw")


class StopsTwice(Coordinator):
    """Takes a second stop for a first one."""

    transitions = changed(Coordinator, Stop, "stopped", dest=None, after="stop_again")

    def stop_again(self) -> None:
        self.emit(Stopped(self.run))
        self.end()


class AsksForEver(Coordinator):
    """Asks again whenever its patience ends, whatever the limit."""

    transitions = changed(Coordinator, "patience", "asking", dest=None, conditions="missing", after="ask_all")

    def ask_all(self) -> None:
        self.ask(self.missing())


class ConfirmsThenStops(Coordinator):
    """Confirms a stop, and only then writes it down."""

    def stop(self) -> None:
        self.end()
        self.emit(Stopped(self.run), journal=self.journal.stop())


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


class TakesForeign(Consumer):
    """Takes a decision of whatever run."""

    def is_foreign(self, decision: Decision) -> bool:
        return False


SINGLE = (
    Saboteur("no duplicate rejection", CountsTwice, INPUTS, "duplicate:1@Response", {"agents": 2}, schedules=50),
    Saboteur("a late answer counted", CountsLate, "last_question", "none", {"retries": 1}, schedules=50),
    Saboteur("run id missing from the key of an answer", CountsForeign, "last_question"),
    Saboteur(
        "counted before it is journalled",
        CountsThenJournals,
        "verdicts",
        "crash:1@coordinator after Counted",
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
    Saboteur("a refused ack counted", AcceptsAckTwice, GATE),
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
    Saboteur(
        "what was stored is lost in a crash", ForgetsArtifacts, EFFECTS, "crash:1@store", {"resends": 1}, schedules=50
    ),
    Saboteur("a decision taken twice", TakesTwice, "taken_in_order", "duplicate:1@Decision"),
    Saboteur("a decision of another run taken", TakesForeign, "taken_in_order", "none", {"former": ("Decision",)}),
)
