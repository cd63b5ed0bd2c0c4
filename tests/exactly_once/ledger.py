"""A reference for exactly-once that knows nothing of the coordinator's own bookkeeping.

It is fed with what anybody could see from outside: which messages were sent and delivered, what was
emitted, what the store holds, who crashed. From that alone it says what must not have happened.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.consensus.messages import (
    AckDecision,
    Acknowledged,
    Ask,
    Decided,
    Decision,
    NoConsensus,
    Released,
    Response,
    Stop,
    StopAck,
    Stopped,
    Store,
)
from sim import Accepted, Action, Applied, Cancelled, Counted, Emission, Message, Rejected
from sim.process import Emit, Send

REASONS = {"duplicate", "stale", "late", "cancelled"}


class Broken(Exception):
    """Exactly-once does not hold; the text says what happened."""


class Ledger:
    """One run of these agents, up to round `rounds`; `held` is what the store holds at the beginning, where
    `done` rounds are over, each with a decision."""

    def __init__(
        self, run: str, agents: tuple[str, ...], rounds: int, retries: int, held: Iterable[object], done: int
    ) -> None:
        self.run, self.agents, self.rounds, self.retries = run, agents, rounds, retries
        self.held = frozenset(held)
        self.asked: dict[tuple[int, str], int] = {}
        """(round, agent) -> the last attempt that was sent."""
        self.answers: dict[int, dict[str, str]] = {}
        """round -> what each agent's counted answer was."""
        self.accepted = [*range(1, done + 1)]
        """The rounds with a decision; the n-th has number n."""
        self.closed = done
        self.applied = {*self.accepted}
        self.cancelled: set[int] = set()
        self.ordered: dict[int, Store] = {}
        """number -> what the store was asked to store under it."""
        self.taken = [*self.accepted]
        self.counted_acks = {*self.accepted}
        """The decisions whose acknowledgement was counted: the next may be taken."""
        self.released = [*self.accepted]
        self.stop_owed = self.stopped = False
        self.confirmations_left = 0

    # --- one step -----------------------------------------------------------------------------------

    def step(self, action: Action, held: Iterable[object]) -> None:
        """Take note of one step; `held` is what the store holds after it. Raises `Broken`."""
        crashes = action.window is not None or action.kind.value == "crash"
        received = action.envelope.message if action.kind.value == "deliver" and action.fault is None else None
        if action.process != "coordinator":
            received = None
        if isinstance(received, Stop) and not crashes:
            self.stop_owed = True
        settled: list[Emission] = []
        stored: list[int] = []
        for output in action.outputs:
            if isinstance(output, Send):
                self.sent(action.process, output.target, output.message)
            elif isinstance(output, Emit):
                if isinstance(output.emission, Counted | Rejected):
                    settled.append(output.emission)
                if isinstance(output.emission, Applied):
                    stored.append(output.emission.key[1])
                self.emitted(output.emission, received)
        self.settle(received, settled, crashes)
        self.keep(frozenset(held), stored)
        if action.kind.value == "restart" and action.process == "coordinator":
            self.confirmations_left += self.stopped

    def settle(self, received: Message | None, settled: list[Emission], crashes: bool) -> None:
        """Every input is settled exactly once, in the step that receives it; a crash may lose it."""
        keys = [received.key] if isinstance(received, Response | AckDecision) else []
        if [emission.key for emission in settled] != keys and not (crashes and not settled):
            raise Broken(f"received {keys}, settled {settled}")
        for emission in settled:
            if isinstance(emission, Rejected) and emission.reason not in REASONS:
                raise Broken(f"rejected without a reason: {emission}")

    def keep(self, held: frozenset[object], stored: list[int]) -> None:
        """The store holds what it held and what it says it has just applied."""
        fresh = held - self.held
        if self.held - held:
            raise Broken(f"the store has lost {sorted(self.held - held)}")
        if len(fresh) != len(stored):
            raise Broken(f"the store took {sorted(fresh)} and says it applied rounds {stored}")
        for run, seq in fresh:
            if run != self.run or seq not in self.ordered:
                raise Broken(f"the store took {(run, seq)}, which nobody decided")
        self.held = held

    # --- messages -----------------------------------------------------------------------------------

    def sent(self, source: str, target: str, message: Message) -> None:
        if isinstance(message, Ask):
            self.sent_ask(target, message)
        elif isinstance(message, Store):
            if message.run != self.run or message.round not in self.accepted:
                raise Broken(f"{message} was sent before its round was accepted")
            if self.ordered.setdefault(message.seq, message) != message or message.seq > len(self.accepted):
                raise Broken(f"{message}: that number is not this decision's")
        elif isinstance(message, Decision):
            if (self.run, message.seq) not in self.held:
                raise Broken(f"{message} was sent before the store held it")
            if self.ordered[message.seq].verdict != message.verdict:
                raise Broken(f"{message} is not what was stored: {self.ordered[message.seq]}")
        elif isinstance(message, StopAck):
            self.confirmations_left -= 1
            if not self.stopped or self.confirmations_left < 0:
                raise Broken("a stop was confirmed before it was carried out, or twice")

    def sent_ask(self, agent: str, ask: Ask) -> None:
        if self.stopped or ask.round != self.closed + 1 or agent in self.answers.get(ask.round, {}):
            raise Broken(f"{agent} was asked in vain: {ask}")
        if ask.attempt <= self.asked.get((ask.round, agent), 0):  # a crash may cost an attempt, not repeat one
            raise Broken(f"{agent} was asked for attempt {ask.attempt} after {self.asked[ask.round, agent]}")
        if ask.attempt > self.retries + 1:
            raise Broken(f"{agent} was asked more than {self.retries + 1} times: {ask}")
        self.asked[ask.round, agent] = ask.attempt

    # --- emissions ----------------------------------------------------------------------------------

    def emitted(self, emission: Emission, received: Message | None) -> None:
        if isinstance(emission, Counted):
            self.counted(emission, received)
        elif isinstance(emission, Accepted):
            self.accept(emission.key[1])
        elif isinstance(emission, Decided):
            self.decided(emission)
        elif isinstance(emission, NoConsensus):
            if self.answers.get(emission.round) or emission.round != self.closed + 1:
                raise Broken(f"round {emission.round} ended without an answer, though it has {self.answers}")
            self.closed = emission.round
        elif isinstance(emission, Applied | Cancelled):
            self.close(emission)
        elif isinstance(emission, Acknowledged):
            if emission.seq != len(self.taken) + 1 or (self.run, emission.seq) not in self.held:
                raise Broken(f"decision {emission.seq} was taken after {self.taken}, the store holding {self.held}")
            self.taken.append(emission.seq)
        elif isinstance(emission, Released):
            if emission.seq not in self.counted_acks or emission.seq in self.released:
                raise Broken(f"decision {emission.seq} was released after {self.released}, acks {self.counted_acks}")
            self.released.append(emission.seq)
        elif isinstance(emission, Stopped):
            if self.stopped:
                raise Broken("the run stopped twice")
            self.stopped = True
            self.confirmations_left += 1

    def counted(self, counted: Counted, received: Message | None) -> None:
        if isinstance(received, AckDecision):
            if received.run != self.run or received.seq not in self.taken or received.seq in self.counted_acks:
                raise Broken(f"{received} was counted; taken {self.taken}, counted {self.counted_acks}")
            self.counted_acks.add(received.seq)
            return
        if not isinstance(received, Response) or received.run != self.run or received.round != self.closed + 1:
            raise Broken(f"{counted} for {received}, when {self.closed} rounds were closed")
        answers = self.answers.setdefault(received.round, {})
        if received.agent in answers:
            raise Broken(f"{counted}: {received.agent} had answered already")
        if received.attempt != self.asked.get((received.round, received.agent)):
            raise Broken(f"{counted}: attempt {received.attempt} was not the last of {self.asked}")
        answers[received.agent] = received.answer

    def accept(self, round_: int) -> None:
        if round_ != self.closed + 1 or self.stopped:
            raise Broken(f"round {round_} was accepted after {self.accepted}, stopped: {self.stopped}")
        if len(self.counted_acks) != len(self.accepted):
            raise Broken(f"round {round_} was accepted while the last decision was on its way")
        self.accepted.append(round_)
        self.closed = round_

    def decided(self, decided: Decided) -> None:
        """A verdict follows from the answers that were counted, and its number from how many there were."""
        answers = self.answers.get(decided.round, {})
        usable = [agent for agent in self.agents if answers.get(agent) == "ok"]
        verdict = "ok" if len(usable) == len(self.agents) else "degraded"
        if "conflict" in answers.values():
            verdict = "conflict"
        if (decided.round, decided.seq) != (self.accepted[-1], len(self.accepted)) or decided.verdict != verdict:
            raise Broken(f"{decided}, with answers {answers} and rounds {self.accepted} accepted")

    def close(self, emission: Applied | Cancelled) -> None:
        run, round_ = emission.key
        if run != self.run or round_ not in self.accepted or round_ in self.applied | self.cancelled:
            raise Broken(f"{emission}: accepted {self.accepted}, applied {self.applied}, cancelled {self.cancelled}")
        (self.applied if isinstance(emission, Applied) else self.cancelled).add(round_)

    # --- the end ------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Nothing more happens: nothing may be owed. Raises `Broken`."""
        owed = [round_ for round_ in self.accepted if round_ not in self.applied | self.cancelled]
        if owed:
            raise Broken(f"rounds {owed} were accepted, and neither applied nor cancelled")
        done = len(self.accepted) - len(self.cancelled)
        if len(self.taken) != done or len(self.counted_acks) != done:
            raise Broken(f"{done} decisions, of which {self.taken} were taken and {self.counted_acks} acknowledged")
        if not self.stopped and (self.stop_owed or self.closed != self.rounds):
            raise Broken(f"{self.closed} of {self.rounds} rounds are closed, stop asked for: {self.stop_owed}")
