"""A reference for exactly-once that knows nothing of the coordinator's own bookkeeping.

It is fed with what anybody could see from outside: which messages were sent and delivered, what was
emitted, what the store holds, who crashed. From that alone it says what must not have happened. Updates and
countdowns are in `tests.exactly_once.beside`.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.consensus.journal import Stage
from models.consensus.messages import (
    AckDecision,
    Acknowledged,
    Ask,
    Cancel,
    Decided,
    Decision,
    Response,
    Stop,
    StopAck,
    Stopped,
    Stopping,
    Store,
    Update,
    Withdrawn,
)
from sim import Accepted, Action, Applied, Cancelled, Counted, Emission, Message, Rejected
from sim.consensus.retry import OURS
from sim.machine.outputs import Emit, Send
from tests.exactly_once.beside import Broken, Countdowns, Updates

REASONS = {"duplicate", "stale", "late", "cancelled", "unusable"}
FINAL = ("conflict", "no_consensus")
USABLE = ("ok", "conflict")
Place = tuple[int, str]
"""A stage of a round."""


class Ledger:
    """One run of `stages` in each round, up to round `rounds`; `held` is what the store holds at the
    beginning, where `done` decisions were taken."""

    def __init__(
        self,
        run: str,
        stages: tuple[Stage, ...],
        rounds: int,
        retries: int,
        held: Iterable[object],
        done: int,
        queue_max: int = 1,
        counts_down: bool = False,
        budget_ms: int | None = None,
        patience_ms: int = 0,
    ) -> None:
        self.run, self.retries = run, retries
        self.budget_ms, self.patience_ms = budget_ms, patience_ms
        self.stages = {stage.name: stage for stage in stages}
        self.places = [(round_, stage.name) for round_ in range(1, rounds + 1) for stage in stages]
        self.held = frozenset(held)
        self.asked: dict[tuple[int, str, str], int] = {}
        """(round, stage, agent) -> the last attempt that was sent."""
        self.turn: dict[Place, int] = {}
        """Sequential stages: whose turn it is, by place in the roster."""
        self.answers: dict[Place, dict[str, str]] = {}
        """What each agent's counted answer was."""
        self.accepted = self.places[:done]
        """The stages with a decision; the n-th has number n."""
        self.applied = {*self.accepted}
        self.cancelled: set[Place] = set()
        self.ordered: dict[int, Store] = {}
        """number -> what the store was asked to store under it."""
        self.taken = [*range(1, done + 1)]
        self.settled = {*self.taken}
        """The decisions that are acknowledged or withdrawn: the next may be taken."""
        self.final = self.stop_owed = self.stopped = False
        self.confirmations_left = 0
        self.updates = Updates(queue_max)
        self.countdowns = Countdowns(counts_down)

    # --- one step -----------------------------------------------------------------------------------

    def step(self, action: Action, held: Iterable[object]) -> None:
        """Take note of one step; `held` is what the store holds after it. Raises `Broken`."""
        crashes = action.window is not None or action.kind.value == "crash"
        received = action.envelope.message if action.kind.value == "deliver" and action.fault is None else None
        if action.process != "coordinator":
            received = None
        if isinstance(received, Stop | Cancel) and not crashes:
            self.stop_owed = True
        settled: list[Emission] = []
        stored: list[Place] = []
        sent = [output.message for output in action.outputs if isinstance(output, Send)]
        self.in_turn([message for message in sent if isinstance(message, Ask)])
        for output in action.outputs:
            if isinstance(output, Send):
                self.sent(action.process, output.target, output.message)
            elif isinstance(output, Emit):
                if isinstance(output.emission, Counted | Rejected):
                    settled.append(output.emission)
                if isinstance(output.emission, Applied):
                    stored.append(output.emission.key[1:])
                self.emitted(output.emission, received)
        self.settle(received, settled, crashes)
        self.keep(frozenset(held), stored)
        self.updates.step()
        if action.kind.value == "restart" and action.process == "coordinator":
            self.confirmations_left += self.stopped

    def settle(self, received: Message | None, settled: list[Emission], crashes: bool) -> None:
        """Every input is settled exactly once, in the step that receives it; a crash may lose it."""
        keys = [received.key] if isinstance(received, Response | AckDecision | Update) else []
        if [emission.key for emission in settled] != keys and not (crashes and not settled):
            raise Broken(f"received {keys}, settled {settled}")
        for emission in settled:
            if isinstance(emission, Rejected) and emission.reason not in REASONS:
                raise Broken(f"rejected without a reason: {emission}")

    def keep(self, held: frozenset[object], stored: list[Place]) -> None:
        """The store holds what it held and what it says it has just applied."""
        fresh = held - self.held
        if self.held - held:
            raise Broken(f"the store has lost {sorted(self.held - held)}")
        if len(fresh) != len(stored):
            raise Broken(f"the store took {sorted(fresh)} and says it applied {stored}")
        for run, seq in fresh:
            if run != self.run or seq not in self.ordered:
                raise Broken(f"the store took {(run, seq)}, which nobody decided")
        self.held = held

    # --- messages -----------------------------------------------------------------------------------

    def sent(self, source: str, target: str, message: Message) -> None:
        if isinstance(message, Ask):
            self.sent_ask(target, message)
        elif isinstance(message, Store):
            if message.run != self.run or (message.round, message.stage) not in self.accepted:
                raise Broken(f"{message} was sent before its stage was accepted")
            if self.ordered.setdefault(message.seq, message) != message or message.seq > len(self.accepted):
                raise Broken(f"{message}: that number is not this decision's")
            if message.verdict != self.verdict_of((message.round, message.stage)):
                raise Broken(f"{message}, with answers {self.answers}")
            self.final = self.final or message.verdict in FINAL
        elif isinstance(message, Decision) and source == "coordinator":
            if (self.run, message.seq) not in self.held:
                raise Broken(f"{message} was sent before the store held it")
            if self.ordered[message.seq].verdict != message.verdict:
                raise Broken(f"{message} is not what was stored: {self.ordered[message.seq]}")
        elif isinstance(message, StopAck):
            self.confirmations_left -= 1
            if not self.stopped or self.confirmations_left < 0:
                raise Broken("a stop was confirmed before it was carried out, or twice")

    def sent_ask(self, agent: str, ask: Ask) -> None:
        place = (ask.round, ask.stage)
        if self.stopped or self.final or place != self.next_place() or agent in self.answers.get(place, {}):
            raise Broken(f"{agent} was asked in vain: {ask}")
        if len(self.settled) != len(self.accepted):
            raise Broken(f"{ask} was sent while the last decision was on its way")
        if ask.attempt <= self.asked.get((*place, agent), 0):  # a crash may cost an attempt, not repeat one
            raise Broken(f"{agent} was asked for attempt {ask.attempt} after {self.asked[(*place, agent)]}")
        if ask.attempt > self.retries + 1:
            raise Broken(f"{agent} was asked more than {self.retries + 1} times: {ask}")
        spent_ms = sum(self.patience_ms + OURS.backoff_ms(attempt) for attempt in range(1, ask.attempt))
        if self.budget_ms is not None and spent_ms > self.budget_ms:
            raise Broken(f"{ask}, when {spent_ms} of {self.budget_ms} ms may be spent")
        self.asked[(*place, agent)] = ask.attempt
        self.take_turn(place, agent)

    def in_turn(self, asks: list[Ask]) -> None:
        if any(self.stages[ask.stage].sequential for ask in asks[1:]):
            raise Broken(f"{asks} were asked at once")

    def take_turn(self, place: Place, agent: str) -> None:
        """In a sequential stage nobody is asked any more when a later one was asked."""
        stage = self.stages[place[1]]
        if stage.sequential:
            if self.turn.get(place, 0) > stage.roster.index(agent):
                raise Broken(f"{agent} of {stage.roster} has had its turn in {place}")
            self.turn[place] = stage.roster.index(agent)

    def next_place(self) -> Place | None:
        return self.places[len(self.accepted)] if len(self.accepted) < len(self.places) else None

    # --- emissions ----------------------------------------------------------------------------------

    def emitted(self, emission: Emission, received: Message | None) -> None:
        self.updates.emitted(emission, received)
        self.countdowns.emitted(emission)
        if isinstance(emission, Counted | Rejected):
            self.judged(emission, received)
        elif isinstance(emission, Accepted):
            self.accept(emission.key[1:])
        elif isinstance(emission, Decided):
            self.decided(emission)
        elif isinstance(emission, Applied | Cancelled):
            self.close(emission)
        elif isinstance(emission, Acknowledged):
            if emission.run != self.run or emission.seq != len(self.taken) + 1:
                raise Broken(f"{emission} after {self.taken}")
            if (self.run, emission.seq) not in self.held:
                raise Broken(f"{emission}, the store holding {self.held}")
            self.taken.append(emission.seq)
        elif isinstance(emission, Withdrawn):
            self.settled.add(emission.seq)
        elif isinstance(emission, Stopping):
            self.stop_owed = True  # written down in the same instant: a crash right after it loses no request
        elif isinstance(emission, Stopped):
            if self.stopped:
                raise Broken("the run stopped twice")
            self.stopped = True
            self.confirmations_left += 1
            if self.accepted and isinstance(received, AckDecision | Cancel):
                self.settled.add(len(self.accepted))  # what is pending ends with this very step
            if len(self.settled) < len(self.accepted) and not self.stop_owed:
                raise Broken("the run stopped and nobody asked for it")

    def judged(self, emission: Counted | Rejected, received: Message | None) -> None:
        if isinstance(emission, Counted):
            self.counted(emission, received)
        else:
            self.rejected(emission, received)

    def counted(self, counted: Counted, received: Message | None) -> None:
        if isinstance(received, Update):
            return
        if isinstance(received, AckDecision):
            twice = received.seq in self.settled and not self.stopped
            if received.run != self.run or received.seq not in self.taken or twice:
                raise Broken(f"{received} was counted; taken {self.taken}, settled {self.settled}")
            self.settled.add(received.seq)
            return
        if not isinstance(received, Response) or received.run != self.run:
            raise Broken(f"{counted} for {received}")
        place = (received.round, received.stage)
        if place != self.next_place():
            raise Broken(f"{counted} for {received}, when {self.accepted} were closed")
        answers = self.answers.setdefault(place, {})
        if received.agent in answers:
            raise Broken(f"{counted}: {received.agent} had answered already")
        if not 1 <= received.attempt <= self.asked.get((*place, received.agent), 0):
            raise Broken(f"{counted}: attempt {received.attempt} was never made: {self.asked}")
        if received.answer not in USABLE:
            raise Broken(f"{counted}, and {received} says nothing")
        answers[received.agent] = received.answer

    def rejected(self, rejected: Rejected, received: Message | None) -> None:
        """Nothing of use is thrown away while its agent has not been heard."""
        if not isinstance(received, Response) or self.stopped or received.run != self.run:
            return
        place = (received.round, received.stage)
        if (
            place == self.next_place()
            and received.answer in USABLE
            and received.agent not in self.answers.get(place, {})
        ):
            raise Broken(f"{rejected}, and {received.agent} has not been heard in {place}")

    def accept(self, place: Place) -> None:
        if place != self.next_place() or self.stopped or self.final:
            raise Broken(f"{place} was accepted after {self.accepted}, stopped: {self.stopped}")
        if len(self.settled) != len(self.accepted):
            raise Broken(f"{place} was accepted while the last decision was on its way")
        self.accepted.append(place)

    def verdict_of(self, place: Place) -> str:
        """A verdict follows from the answers that were counted; two thirds of the roster are the quorum."""
        answers = [*self.answers.get(place, {}).values()]
        asked = len(self.stages[place[1]].roster)
        if "conflict" in answers:
            return "conflict"
        if answers.count("ok") * 3 < asked * 2:
            return "no_consensus"
        return "ok" if answers.count("ok") == asked else "degraded"

    def decided(self, decided: Decided) -> None:
        place = (decided.round, decided.stage)
        if (place, decided.seq) != (self.accepted[-1], len(self.accepted)):
            raise Broken(f"{decided}, with {self.accepted} accepted")
        if decided.verdict != self.verdict_of(place):
            raise Broken(f"{decided}, with answers {self.answers}")

    def close(self, emission: Applied | Cancelled) -> None:
        run, *place = emission.key
        key = (place[0], place[1])
        if run != self.run or key not in self.accepted or key in self.applied | self.cancelled:
            raise Broken(f"{emission}: accepted {self.accepted}, applied {self.applied}, cancelled {self.cancelled}")
        (self.applied if isinstance(emission, Applied) else self.cancelled).add(key)

    # --- the end ------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Nothing more happens: nothing may be owed. Raises `Broken`."""
        self.updates.rest()
        self.countdowns.rest()
        owed = [place for place in self.accepted if place not in self.applied | self.cancelled]
        if owed:
            raise Broken(f"{owed} were accepted, and neither applied nor cancelled")
        if len(self.settled) != len(self.accepted):
            raise Broken(f"of {len(self.accepted)} decisions {self.settled} were settled")
        if not self.stopped and len(self.taken) != len(self.accepted):
            raise Broken(f"of {len(self.accepted)} decisions {self.taken} were taken")
        if self.stop_owed and not self.stopped:
            raise Broken("a stop was asked for, and the run has not stopped")
        if not self.stopped and not self.final and len(self.accepted) != len(self.places):
            raise Broken(f"{len(self.accepted)} of {len(self.places)} stages are closed")
