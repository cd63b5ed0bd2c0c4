"""Planted faults of one stage: its answers, the journal, the store, the gate, its end."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.consumer import Consumer
from models.consensus.coordinator import Coordinator
from models.consensus.journal import Journal
from models.consensus.messages import AckDecision, Decided, Decision, Response, Stop, Stopped, Store
from models.consensus.peers import ArtifactStore
from sim import Accepted, Counted, Rejected
from sim.consensus import Round, Taken
from tests.saboteurs.planted import EFFECTS, GATE, INPUTS, Saboteur, changed


class CountsTwice(Coordinator):
    """Counts an answer also if its agent has answered already."""

    def reject(self, response: Response) -> None:
        doubled = self.reason(response) == "duplicate"
        self.emit(Counted(response.key) if doubled else Rejected(response.key, self.reason(response)))


class ThrowsAway(Coordinator):
    """The strict rule: throws an answer away whose agent was asked again."""

    def is_expected(self, response: Response) -> bool:
        return super().is_expected(response) and response.attempt == self.attempt_of(response.agent)


class CountsTheUnusable(Coordinator):
    """Takes an answer that says nothing for one that counts."""

    def taken(self, response: Response) -> tuple[Round, Taken]:
        return self.round().take(*self.claim(response), response.answer)


class CountsForeign(Coordinator):
    """Takes an answer by its round, stage and agent: of which run it is, it does not look."""

    def claim(self, response: Response) -> tuple[str, tuple[int, int], str, int]:
        return (self.run, *super().claim(response)[1:])


class CountsThenJournals(Coordinator):
    """Says that an answer is counted, and only then writes it down."""

    def count(self, response: Response) -> None:
        self.emit(Counted(response.key))
        self.journal = self.journal.with_round(self.taken(response)[0])


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
    Saboteur("the answer before a retry thrown away", ThrowsAway, "first_usable", "none", {"retries": 1}, schedules=50),
    Saboteur("an answer counted that says nothing", CountsTheUnusable, "first_usable", "none", {"answers": ("empty",)}),
    Saboteur("run id missing from the key of an answer", CountsForeign, "first_usable"),
    Saboteur(
        "counted before it is journalled",
        CountsThenJournals,
        "verdicts",
        "crash:1@coordinator after Counted",
    ),
    Saboteur("journal lost in a crash", LosesJournal, "first_usable", "crash:1@coordinator"),
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
    Saboteur("retry without limit", AsksForEver, "first_usable"),
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
