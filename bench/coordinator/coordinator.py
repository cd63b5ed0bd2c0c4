"""The coordinator: asks several agents, asks again as its policy says, decides, has one artifact of each decision stored, and
presents it; the next question waits until it is acknowledged.

It is one task with an inbox. What it calls runs in tasks beside it, which put there what came of it: so whatever happens is
taken as a whole, and nothing comes in between. It says what it does to a recorder.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from bench.coordinator.http import HTTPError, post
from sim.conform.recorder import Recorder
from sim.consensus import (
    OURS,
    AckDecision,
    ConsensusSequence,
    ErrorKind,
    Failure,
    Key,
    Reason,
    RetryAfter,
    RetryDecision,
    RetryState,
    Round,
    Taken,
    failure_of,
    verdict,
)

STAGE, QUORUM, USABLE, FINAL = "validate", (2, 3), ("ok", "conflict"), ("conflict", "no_consensus")
PATIENCE_MS, RESEND_MS, RESENDS = 30_000, 5_000, 5
POLICY = replace(OURS, attempts_max=2, attempt_ms=PATIENCE_MS)
LATE = Failure(ErrorKind.TIMEOUT)
FAULTS = {ErrorKind.RATE_LIMITED: "rate_limited", ErrorKind.EMPTY: "empty_response"}
REASONS = {Taken.STALE: "stale", Taken.LATE: "late", Taken.DUPLICATE: "duplicate", Taken.ENDED: "unusable"}


class Coordinator:
    """One run of so many rounds."""

    def __init__(self, run: str, roster: tuple[str, ...], rounds: int, recorder: Recorder) -> None:
        self.name, self.roster, self.rounds = run, roster, rounds
        self.me = recorder.process("coordinator")
        self.sequence = ConsensusSequence(run)
        self.state, self.verdict, self.resent = "booting", "", 0
        self.timers: dict[str, float] = {}
        self.inbox: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self.begin(1)

    async def run(self) -> None:
        self.me.started()
        self.me.became(self.state)
        self.me.moved("boot")
        async with asyncio.TaskGroup() as self.group:
            self.calls: list[asyncio.Task[None]] = []
            self.ask(self.roster)
            self.state = "asking"
            self.me.became(self.state, self.fields())
            while self.state != "done":
                (await self.next())()
                self.me.became(self.state, self.fields())
            for call in self.calls:
                call.cancel()

    async def next(self) -> Callable[[], None]:
        """What happens next: a call has ended, or it is time for the earliest timer."""
        name = min(self.timers, key=self.timers.__getitem__, default="")
        try:
            async with asyncio.timeout_at(self.timers.get(name)):
                return await self.inbox.get()
        except TimeoutError:
            del self.timers[name]
            return {"patience": self.lose_patience, "backoff": self.come_back, "resend": self.resend}[name]

    def call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.calls.append(self.group.create_task(coroutine))

    def arm(self, timer: str, ms: float) -> None:
        self.timers[timer] = asyncio.get_running_loop().time() + ms / 1_000

    # --- asking -------------------------------------------------------------------------------------

    def begin(self, round_: int) -> None:
        self.round = Round(self.name, (round_, 1), self.roster, QUORUM)
        self.spent: dict[str, int] = {}
        self.waiting: set[str] = set()
        self.wait_ms = (0, 0)

    def ask(self, agents: Iterable[str]) -> None:
        for agent in agents:
            self.round, attempt = self.round.asked(agent)
            self.me.sent(agent, "Ask", {**self.place(self.round.key), "attempt": attempt})
            self.call(self.question(agent, self.round.key, attempt))
        self.arm("patience", PATIENCE_MS)

    async def question(self, agent: str, key: Key, attempt: int) -> None:
        try:
            answer = await post(agent, {**self.place(key), "attempt": attempt})
        except Exception as error:
            self.inbox.put_nowait(partial(self.fail, agent, key, attempt, failure_of(error)))
        else:
            self.inbox.put_nowait(partial(self.answer, agent, key, attempt, answer))

    def answer(self, agent: str, key: Key, attempt: int, answer: str) -> None:
        self.me.received(agent, "Response", self.response(agent, key, attempt) | {"answer": answer})
        self.take(agent, key, attempt, answer)

    def take(self, agent: str, key: Key, attempt: int, answer: str) -> None:
        """The first usable answer of an agent counts."""
        round_, taken = self.round.take(self.name, key, agent, attempt, answer, usable=answer in USABLE)
        if taken is Taken.COUNTED:
            self.round = round_
            self.me.emitted("Counted", {"key": self.answer_key(agent, key)})
            self.decide_if_complete()
            return
        reason = "unusable" if taken is Taken.UNUSABLE else REASONS[taken]
        if self.round.decided and taken is not Taken.STALE:
            reason = "late"
        self.me.emitted("Rejected", {"key": self.answer_key(agent, key), "reason": reason})
        if taken is Taken.UNUSABLE:
            self.end(agent, attempt, round_, Failure(ErrorKind.INVALID))

    def fail(self, agent: str, key: Key, attempt: int, failure: Failure) -> None:
        round_, taken = self.round.take(self.name, key, agent, attempt, None, usable=False)
        if not self.round.decided and taken is not Taken.STALE:  # afterwards nobody minds
            self.me.failed(
                FAULTS.get(failure.kind, "disconnect"), agent, "Response", self.response(agent, key, attempt)
            )
        if taken is Taken.UNUSABLE:
            self.end(agent, attempt, round_, failure)

    def end(self, agent: str, attempt: int, round_: Round, failure: Failure) -> None:
        """An attempt is over without an answer of use: its agent is asked again when it has waited, or is given up when
        nothing more can come of it."""
        again = self.after(agent, failure)
        self.round = round_
        if agent not in self.round.missing:
            return
        if isinstance(again, RetryAfter):
            if attempt == self.round.attempts(agent):
                self.back_off(agent, again)
        elif agent not in self.waiting and not self.round.waiting_for(agent):
            self.round = self.round.give_up(agent)
            self.decide_if_complete()

    def after(self, agent: str, failure: Failure) -> RetryDecision:
        """What the policy says to the end of the agent's attempt."""
        return POLICY.decide(RetryState(self.round.attempts(agent), self.spent.get(agent, 0)), failure)

    def back_off(self, agent: str, again: RetryAfter) -> None:
        """All who wait come back together, after the longest of their waits."""
        self.spent[agent] = again.state.spent_ms
        self.waiting.add(agent)
        self.wait_ms = (max(self.wait_ms[0], again.low_ms), max(self.wait_ms[1], again.high_ms))
        self.arm("backoff", random.uniform(*self.wait_ms))

    def come_back(self) -> None:
        self.me.fired("backoff")
        agents = [agent for agent in sorted(self.waiting) if agent in self.round.missing]
        self.waiting, self.wait_ms = set(), (0, 0)
        if agents:
            self.ask(agents)

    def lose_patience(self) -> None:
        """Whoever may be asked again is; the first attempt goes on beside the second."""
        self.me.fired("patience")
        late = {agent: self.after(agent, LATE) for agent in self.round.missing if agent not in self.waiting}
        again = {agent: after for agent, after in late.items() if isinstance(after, RetryAfter)}
        self.spent |= {agent: after.state.spent_ms for agent, after in again.items()}
        if again:
            self.ask(again)
        elif self.waiting:
            self.arm("patience", PATIENCE_MS)
        else:
            self.decide()

    # --- deciding -----------------------------------------------------------------------------------

    def decide_if_complete(self) -> None:
        if self.round.complete:
            self.decide()

    def decide(self) -> None:
        self.round, answers = self.round.decide()
        self.verdict = verdict(answers, self.roster, QUORUM)
        decision = self.sequence.issue(self.name, self.round.key).decision
        assert decision is not None
        self.sequence.begin(decision)
        place = self.place(self.round.key)
        self.me.emitted("Accepted", {"key": list(place.values())})
        self.me.emitted("Decided", {"round": place["round"], "seq": decision.seq, "verdict": self.verdict})
        self.enter("storing")
        self.store()

    def enter(self, state: str) -> None:
        self.state, self.resent, self.waiting = state, 0, set()
        self.timers.clear()

    def store(self) -> None:
        said = {**self.place(self.round.key), "seq": self.sequence.decision_seq, "verdict": self.verdict}
        self.me.sent("store", "Store", said)
        self.call(self.request("store", said, self.stored))
        self.await_confirmation()

    def stored(self, seq: int) -> None:
        self.me.received("store", "Stored", {"run": self.name, "seq": seq})
        if self.state == "storing" and seq == self.sequence.decision_seq:
            self.enter("gated")
            self.present()

    def present(self) -> None:
        said = {"run": self.name, "seq": self.sequence.decision_seq, "verdict": self.verdict}
        self.me.sent("consumer", "Decision", said)
        self.call(self.request("consumer", said, self.acknowledge))
        self.await_confirmation()

    def acknowledge(self, seq: int) -> None:
        self.me.received("consumer", "AckDecision", {"run": self.name, "seq": seq})
        said = self.sequence.acknowledge(AckDecision(self.name, seq))
        key = {"key": ["ack", self.name, seq]}
        if not said.accepted:
            reason = "duplicate" if said.reason is Reason.DUPLICATE else "stale"
            self.me.emitted("Rejected", key | {"reason": reason})
            return
        self.me.emitted("Counted", key)
        self.go_on()

    def go_on(self) -> None:
        """The decision in hand is done with."""
        round_ = self.round.key[0]
        if self.verdict in FINAL or round_ == self.rounds:
            self.enter("done")
            return
        self.enter("asking")
        self.begin(round_ + 1)
        self.ask(self.roster)

    async def request(self, whom: str, said: dict[str, Any], confirm: Callable[[int], None]) -> None:
        """What comes of a request that fails cannot be known: it is sent again if it is not confirmed in time."""
        try:
            seq = int(await post(whom, said))
        except (OSError, EOFError, HTTPError, ValueError):
            return
        self.inbox.put_nowait(partial(confirm, seq))

    def await_confirmation(self) -> None:
        if self.resent < RESENDS:
            self.arm("resend", RESEND_MS)

    def resend(self) -> None:
        self.me.fired("resend")
        self.resent += 1
        self.me.emitted("Replayed", {"key": [self.state, self.name, self.sequence.decision_seq]})
        if self.state == "storing":
            self.store()
        else:
            self.present()

    # --- what is told -------------------------------------------------------------------------------

    def place(self, key: Key) -> dict[str, Any]:
        return {"run": self.name, "round": key[0], "stage": STAGE}

    def response(self, agent: str, key: Key, attempt: int) -> dict[str, Any]:
        return self.place(key) | {"agent": agent, "attempt": attempt}

    def answer_key(self, agent: str, key: Key) -> list[Any]:
        return [*self.place(key).values(), agent]

    def fields(self) -> dict[str, Any]:
        """What it has become, as the model has it."""
        journal: dict[str, Any] = {"sequence": self.sequence.as_value()}
        *_, places, _ = self.round.as_value()
        if self.state == "asking":
            named = list(zip(self.roster, places, strict=True))
            journal |= {
                "attempts": [asked for asked, *_ in places],
                "over": [[agent, attempt] for agent, (_, over, *_) in named for attempt in over],
                "answers": self.round.answers,
                "given_up": [agent for agent, (*_, given_up) in named if given_up],
                "spent": sorted(self.spent.items()),
            }
        elif self.state != "done":
            journal |= {"verdict": self.verdict, "stored": self.state == "gated"}
        return {"journal": journal, "resent": self.resent, "waiting": sorted(self.waiting)}
