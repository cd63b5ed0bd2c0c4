"""Planted faults of the consensus model, each one small named change, and where each is certain to show.

Every row says which process is replaced by which (a subclass that overrides one method or one row), and
the smallest bounds that contain the fault: configuration and fault budget. All of them live in the same
world: a former run has left its artifact in the store and some late messages in the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models.consensus import system
from models.consensus.consumer import Consumer
from models.consensus.coordinator import Coordinator
from models.consensus.journal import Journal
from models.consensus.messages import (
    AckDecision,
    Decided,
    Decision,
    Dropped,
    Response,
    Stop,
    Stopped,
    Store,
    Tick,
    Turn,
    Update,
)
from models.consensus.options import RUN
from models.consensus.peers import ArtifactStore, Former
from models.consensus.retry import RetryPolicy
from sim import Accepted, Counted, Process, System


def changed(base: type[Process], trigger: object, state: str, **row: Any) -> tuple[Mapping[str, Any], ...]:
    """The table of `base` with one row before all others: `trigger` in `state` does what `row` says."""
    return ({"trigger": trigger, "source": state, **row}, *base.transitions)


# The faults ---------------------------------------------------------------------------------------------


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


# Stages


class CountsOtherStages(Coordinator):
    """Takes an answer by its round, agent and attempt: to which stage it is, it does not look."""

    def is_expected(self, response: Response) -> bool:
        ours = (response.run, response.round) == (self.run, self.step()[0])
        fits = ours and response.attempt == self.attempt_of(response.agent)
        return fits and response.agent in self.missing()


class AsksAllAtOnce(Coordinator):
    """Asks everybody of a sequential stage at once."""

    def due(self) -> list[str]:
        return self.missing()


class NeverAsksTheNext(Coordinator):
    """Forgets to go on with the roster of a sequential stage."""

    transitions = changed(Coordinator, Response, "asking", dest=None, conditions="has_next_behind", after="count")

    def has_next_behind(self, response: Response) -> bool:
        return self.is_expected(response) and not self.completes(response)


class SkipsAStage(Coordinator):
    """Goes on with the stage after the next."""

    def step_after(self, step: tuple[int, int]) -> tuple[int, int] | None:
        following = super().step_after(step)
        return super().step_after(following) or following if step[0] and following else following


class EndsEarly(Coordinator):
    """Takes the end of a round's first stage for the end of the run."""

    def has_more(self) -> bool:
        return super().has_more() and self.last_step()[1] == len(self.stages)


class IgnoresTheQuorum(Coordinator):
    """Any answer is enough to go on."""

    def verdict(self) -> str:
        given = super().verdict()
        return "degraded" if given == "no_consensus" and self.journal.answers else given


class GoesOnAfterConflict(Coordinator):
    """Asks the next question though the agents disagree."""

    def verdict(self) -> str:
        given = super().verdict()
        return "degraded" if given == "conflict" else given


# Stop and cancel


class ForgetsStopWhileStoring(Coordinator):
    """Takes no notice of a stop while a decision is on its way to the store."""

    def note_stop(self) -> None:
        pass


class ForgetsCancelWhileStoring(Coordinator):
    """Takes no notice of a cancellation while a decision is on its way to the store."""

    def note_cancel(self) -> None:
        pass


class StopsOutOfTheGate(Coordinator):
    """Says that it has stopped when the stop arrives, though a decision is still waited for."""

    transitions = changed(
        Coordinator, Stop, ["storing", "gated"], dest=None, unless="is_stopping", after=["note_stop", "say_stopped"]
    )

    def say_stopped(self) -> None:
        self.emit(Stopped(self.run))


# Countdown


class TicksByIdAlone(Consumer):
    """Knows a tick by the id of its countdown: whose, it does not look."""

    def is_ours(self, tick: Tick) -> bool:
        return self.waiting is not None and tick.id == self.countdowns


class AnyTickEnds(Consumer):
    """Takes any tick of its countdown for the last one."""

    def is_over(self, tick: Tick) -> bool:
        return True


class CountdownIdLost(Consumer):
    """The ids of countdowns begin again after a crash."""

    def on_restart(self) -> None:
        self.countdowns = 0


class AcknowledgesAtTheStart(Consumer):
    """Acknowledges a decision when its countdown begins."""

    def count_down(self, decision: Decision) -> None:
        super().count_down(decision)
        self.acknowledge(decision)


class ForgetsToCountAgain(Consumer):
    """A decision that waits for its countdown does not survive a crash."""

    def was_waiting(self) -> bool:
        return False


# Updates


class DropsTheNewest(Coordinator):
    """A full queue keeps what it has."""

    def make_room(self) -> None:
        while len(self.journal.queue) > self.queue_max - 1:
            self.drop(self.journal.queue[-1], "the queue is full")


class DropsSilently(Coordinator):
    """A full queue drops its oldest without a word."""

    def make_room(self) -> None:
        if len(self.journal.queue) >= self.queue_max:
            self.journal = replace(self.journal, queue=self.journal.queue[1:])


class NeverDrops(Coordinator):
    """The queue takes everything."""

    def make_room(self) -> None:
        pass


class StalestFirst(Coordinator):
    """The next question is made from what waits longest."""

    def take_turn(self) -> None:
        if self.journal.queue:
            oldest, *others = self.journal.queue
            self.emit(Turn(oldest), journal=replace(self.journal, queue=tuple(others)))


class QueuesStale(Coordinator):
    """Queues a snapshot though a newer one is there."""

    def is_newer(self, update: Update) -> bool:
        return update.run == self.run


class ForgetsTheQueue(Coordinator):
    """What is queued when a run ends is never told of."""

    def flush(self) -> None:
        pass


class QueueLostInCrash(Coordinator):
    """What is queued does not survive a crash."""

    def on_restart(self) -> None:
        self.journal = replace(self.journal, queue=())


class DropsThenJournals(Coordinator):
    """Says that a snapshot is dropped, and only then takes it out of the queue."""

    def drop(self, number: int, reason: str) -> None:
        self.emit(Dropped(number, reason))
        self.journal = replace(self.journal, queue=tuple(n for n in self.journal.queue if n != number))


# Retries


class WaitsBeyondTheBudget(Coordinator):
    """Asks again whatever the attempts have taken already."""

    def policy(self) -> RetryPolicy:
        return replace(super().policy(), waits_past_budget=True)


class AttemptsLostInCrash(Coordinator):
    """How often it has asked does not survive a crash."""

    def on_restart(self) -> None:
        self.journal = replace(self.journal, attempts=())


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
    schedules: int = 1_000
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


LATE = ("Response", "Stored", "AckDecision")
SMALL: Mapping[str, Any] = {"agents": 1, "retries": 0, "resends": 0, "stop": False, "former": LATE}
WIDE: Mapping[str, Any] = {
    "former": (*LATE, "Decision", "Tick"),
    "agents": 2,
    "rounds": 2,
    "stages": ("plan", "validate"),
    "retries": 1,
    "resends": 4,
    "stop": True,
    "cancel": True,
    "updates": 3,
    "queue": 2,
    "countdown": 1,
}
# What is lost is on its way from or to the coordinator. A consumer and its clock are at one place: nobody repeats an
# order for a countdown, so a loss between them would leave the decision waiting for ever.
WIDE_FAULTS = (
    "duplicate:1,drop:1@coordinator,agent_timeout:1,disconnect:1,crash:1@coordinator,crash:1@store,crash:1@consumer"
)


def world(config: Mapping[str, Any], faults: str) -> System:
    """The sound model in the world that a former run has left. A run that begins later than in round 1 has
    a late acknowledgement of its own last decision besides."""
    sound = system(**config).with_(faults=faults)
    done = config.get("first_round", 1) - 1
    if not done:
        return sound
    former = sound.processes["former"]
    assert isinstance(former, Former)
    late = Former(late=(*former.late, ("OwnAckDecision", "coordinator", AckDecision(RUN, done))))
    return sound.with_(processes={**sound.processes, "former": late})


def wide() -> System:
    """Everything at once: two rounds of two stages, updates, countdowns, a stop, a cancellation, crashes."""
    return world(WIDE, WIDE_FAULTS)


def sabotaged(sound: System, process: str, fault: type[Process]) -> System:
    """The same system but for one process, which becomes a `fault` with the same fields."""
    former = sound.processes[process]
    fields = dict(zip(type(former).table.fields, former.field_values(), strict=True))
    return sound.with_(processes={**sound.processes, process: fault(**fields)})


TWO = {"stages": ("validate", "audit")}
INPUTS, EFFECTS, GATE = "exactly_once_inputs", "exactly_once_effects", "ack_gate"

SABOTEURS = (
    Saboteur("no duplicate rejection", CountsTwice, INPUTS, "duplicate:1@Response", {"agents": 2}),
    Saboteur("a late answer counted", CountsLate, "last_question", "none", {"retries": 1}),
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
    Saboteur("what was stored is lost in a crash", ForgetsArtifacts, EFFECTS, "crash:1@store", {"resends": 1}),
    Saboteur("a decision taken twice", TakesTwice, "taken_in_order", "duplicate:1@Decision"),
    Saboteur("a decision of another run taken", TakesForeign, "taken_in_order", "none", {"former": ("Decision",)}),
    # Stages
    Saboteur(
        "stage missing from the key of an answer", CountsOtherStages, "last_question", "duplicate:1@Response", TWO
    ),
    Saboteur("all asked at once", AsksAllAtOnce, "one agent at a time", "none", {"agents": 2, "stages": ("plan",)}),
    Saboteur("the next agent never asked", NeverAsksTheNext, "exception", "none", {"agents": 2, "stages": ("plan",)}),
    Saboteur("a stage skipped", SkipsAStage, "all_decided", "none", {"stages": ("validate", "audit", "unlock")}),
    Saboteur("a run that ends early", EndsEarly, "all_decided", "none", TWO),
    Saboteur("the quorum ignored", IgnoresTheQuorum, "verdicts", "none", {"agents": 2}),
    Saboteur("a conflict ignored", GoesOnAfterConflict, "verdicts", "none", {"answers": ("conflict",)}),
    # Stop and cancel
    Saboteur("a stop forgotten while storing", ForgetsStopWhileStoring, "stop_once", "none", {"stop": True}),
    Saboteur(
        "a cancellation forgotten while storing", ForgetsCancelWhileStoring, "stop_once", "none", {"cancel": True}
    ),
    Saboteur("stopped while a decision is waited for", StopsOutOfTheGate, "stop_once", "none", {"stop": True}),
    # Countdown
    Saboteur("a tick known by its id alone", TicksByIdAlone, "runs_out", "none", {"countdown": 1, "former": ("Tick",)}),
    Saboteur("any tick taken for the last", AnyTickEnds, "runs_out", "none", {"countdown": 2}),
    Saboteur(
        "countdown ids lost in a crash", CountdownIdLost, "runs_out", "crash:1@consumer", {"countdown": 1, "resends": 1}
    ),
    Saboteur("acknowledged when a countdown begins", AcknowledgesAtTheStart, GATE, "none", {"countdown": 1}),
    Saboteur(
        "a countdown not taken up again",
        ForgetsToCountAgain,
        "stuck",
        "crash:1@consumer",
        {"countdown": 1, "resends": 1},
    ),
    # Updates
    Saboteur("the newest update dropped", DropsTheNewest, "updates_once", "none", {"updates": 3, "queue": 2}),
    Saboteur("an update dropped without a word", DropsSilently, "updates_once", "none", {"updates": 2, "queue": 1}),
    Saboteur("a queue without bound", NeverDrops, "the queue is bounded", "none", {"updates": 2, "queue": 1}),
    Saboteur("the stalest update first", StalestFirst, "updates_once", "none", {"updates": 2, "rounds": 2}),
    Saboteur("a stale update queued", QueuesStale, "updates_once", "none", {"updates": 2}),
    Saboteur("queued updates forgotten at the end", ForgetsTheQueue, "updates_once", "none", {"updates": 1}),
    Saboteur(
        "queued updates lost in a crash",
        QueueLostInCrash,
        "updates_once",
        "crash:1@coordinator",
        {"updates": 1},
    ),
    Saboteur(
        "an update dropped before it is journalled",
        DropsThenJournals,
        "updates_once",
        "crash:1@coordinator after Dropped",
        {"updates": 1},
    ),
    # Retries
    Saboteur(
        "a wait beyond the budget",
        WaitsBeyondTheBudget,
        "no wait beyond the budget",
        "none",
        {"retries": 1, "budget_ms": 30_000},
    ),
    Saboteur("attempts lost in a crash", AttemptsLostInCrash, "last_question", "crash:1@coordinator", {"retries": 1}),
)
