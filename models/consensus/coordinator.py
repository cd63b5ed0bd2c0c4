"""The coordinator: asks, decides, has the decision stored, and waits for its acknowledgement."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.failures import Setback, after_setback, failure_of
from models.consensus.messages import (
    AckDecision,
    Ask,
    Decided,
    Decision,
    Journal,
    NoConsensus,
    NotStored,
    Released,
    Response,
    Stop,
    StopAck,
    Stopped,
    Store,
    Stored,
)
from models.consensus.retry import OURS, RetryAfter
from models.consensus.verdict import verdict
from sim import (
    DEFER,
    IGNORE,
    Accepted,
    AgentTimeout,
    ConsensusFailure,
    Counted,
    Disconnect,
    EmptyResponse,
    Process,
    RateLimited,
    Rejected,
    Replayed,
)


class Coordinator(Process):
    """One run of several rounds. Every effect is journalled before it is asked for, so that a restart
    repeats what may be lost and nothing else is repeated by anybody.

    With `sequencing` off it does what its predecessors did: it takes any answer for an answer of the
    current round, mints a new number at each decision, and lets any acknowledgement open the gate.
    """

    states = ("booting", "asking", "storing", "gated", "done", "stopped")
    hot = ("booting", "asking", "storing", "gated")
    must = ("boot",)
    timers = ("patience", "backoff", "resend")
    durable = ("journal",)
    transitions = (
        # After a start and after every restart the journal says where to go on.
        {
            "trigger": "boot",
            "source": "booting",
            "dest": "storing",
            "conditions": ["was_asking", "is_complete"],
            "after": "decide",
        },
        {
            "trigger": "boot",
            "source": "booting",
            "dest": "asking",
            "conditions": ["was_asking", "has_asked"],
            "after": "wait",
        },
        {"trigger": "boot", "source": "booting", "dest": "asking", "conditions": "was_asking", "after": "ask_missing"},
        {
            "trigger": "boot",
            "source": "booting",
            "dest": "storing",
            "conditions": "was_storing",
            "after": ["note_replay", "store"],
        },
        {
            "trigger": "boot",
            "source": "booting",
            "dest": "gated",
            "conditions": "was_gated",
            "after": ["note_replay", "send_decision"],
        },
        {
            "trigger": "boot",
            "source": "booting",
            "dest": "stopped",
            "conditions": "was_stopped",
            "after": "confirm_stop",
        },
        {"trigger": "boot", "source": "booting", "dest": "stopped", "conditions": "is_stopping", "after": "stop"},
        {"trigger": "boot", "source": "booting", "dest": "done"},
        {"trigger": Response, "source": "booting", "dest": DEFER},
        {"trigger": Stored, "source": "booting", "dest": DEFER},
        {"trigger": NotStored, "source": "booting", "dest": DEFER},
        {"trigger": AckDecision, "source": "booting", "dest": DEFER},
        {"trigger": Stop, "source": "booting", "dest": DEFER},
        # Answers.
        {
            "trigger": Response,
            "source": "asking",
            "dest": "storing",
            "conditions": ["is_expected", "completes"],
            "before": "count",
            "after": "decide",
        },
        {"trigger": Response, "source": "asking", "dest": None, "conditions": "is_expected", "after": "count"},
        {
            "trigger": Response,
            "source": ["storing", "gated", "done"],
            "dest": "storing",
            "unless": "sequenced",
            "before": "count",
            "after": "decide",
        },
        {
            "trigger": Response,
            "source": ["asking", "storing", "gated", "done", "stopped"],
            "dest": None,
            "after": "reject",
        },
        # An agent that takes too long is asked again; after the last attempt the others decide.
        {
            "trigger": AgentTimeout,
            "source": "asking",
            "dest": None,
            "conditions": "may_ask_it_again",
            "after": "ask_it_again",
        },
        {"trigger": AgentTimeout, "source": "asking", "dest": IGNORE},
        # One that refuses, breaks off or says nothing is asked again too, but not before its wait is over.
        *(
            row
            for fault in (RateLimited, EmptyResponse, Disconnect)
            for row in (
                {"trigger": fault, "source": "asking", "dest": None, "conditions": "is_awaited", "after": "back_off"},
                {"trigger": fault, "source": "asking", "dest": IGNORE},
            )
        ),
        {"trigger": "backoff", "source": "asking", "dest": None, "after": "come_back"},
        {
            "trigger": "patience",
            "source": "asking",
            "dest": None,
            "conditions": "may_ask_again",
            "after": "ask_missing_again",
        },
        {"trigger": "patience", "source": "asking", "dest": None, "conditions": "is_backing_off", "after": "wait"},
        {"trigger": "patience", "source": "asking", "dest": "storing", "conditions": "has_answers", "after": "decide"},
        {"trigger": "patience", "source": "asking", "dest": "asking", "conditions": "has_more", "after": "skip_round"},
        {"trigger": "patience", "source": "asking", "dest": "done", "after": "end_without"},
        # Storing, then the gate: one decision at a time.
        {"trigger": Stored, "source": "storing", "dest": "gated", "conditions": "is_pending", "after": "present"},
        {"trigger": Stored, "source": ["asking", "storing", "gated", "done", "stopped"], "dest": IGNORE},
        {"trigger": NotStored, "source": "storing", "dest": None, "conditions": "is_pending", "after": "pause"},
        {"trigger": NotStored, "source": ["asking", "storing", "gated", "done", "stopped"], "dest": IGNORE},
        {"trigger": "backoff", "source": "storing", "dest": None, "after": ["note_replay", "store"]},
        {"trigger": "resend", "source": "storing", "dest": None, "after": "store_again"},
        {"trigger": "resend", "source": "gated", "dest": None, "after": "present_again"},
        {
            "trigger": AckDecision,
            "source": "gated",
            "dest": "stopped",
            "conditions": ["opens_gate", "is_stopping"],
            "before": "release",
            "after": "stop",
        },
        {
            "trigger": AckDecision,
            "source": "gated",
            "dest": "asking",
            "conditions": ["opens_gate", "has_more"],
            "before": "release",
            "after": "ask_missing",
        },
        {"trigger": AckDecision, "source": "gated", "dest": "done", "conditions": "opens_gate", "before": "release"},
        {
            "trigger": AckDecision,
            "source": ["asking", "storing", "gated", "done", "stopped"],
            "dest": None,
            "after": "reject_ack",
        },
        # A stop lets a decision that was taken come through, and takes no further one.
        {"trigger": Stop, "source": ["asking", "done"], "dest": "stopped", "after": "stop"},
        {"trigger": Stop, "source": ["storing", "gated"], "dest": None, "unless": "is_stopping", "after": "note_stop"},
        {"trigger": Stop, "source": ["storing", "gated", "stopped"], "dest": IGNORE},
    )

    run: str
    agents: tuple[str, ...]
    rounds: int
    retries: int
    resends: int
    sequencing: bool
    patience_ms: int
    resend_ms: int
    journal: Journal
    resent: int = 0
    """Repetitions of the pending request since the last start."""
    waiting: tuple[str, ...] = ()
    """While asking: agents to be asked again when the backoff is over."""
    wait_ms: tuple[int, int] = (0, 0)
    """The longest of their waits, as a range."""

    # --- where to go on -----------------------------------------------------------------------------

    def was_asking(self) -> bool:
        return self.journal.phase == "asking"

    def was_storing(self) -> bool:
        return self.journal.phase == "storing"

    def was_gated(self) -> bool:
        return self.journal.phase == "gated"

    def was_stopped(self) -> bool:
        return self.journal.phase == "stopped"

    # --- asking -------------------------------------------------------------------------------------

    def attempt_of(self, agent: str) -> int:
        return self.journal.attempts[self.agents.index(agent)] if self.journal.attempts else 0

    def missing(self) -> list[str]:
        answered = {agent for agent, _ in self.journal.answers}
        return [agent for agent in self.agents if agent not in answered]

    def is_complete(self) -> bool:
        return not self.missing()

    def ask_missing(self) -> None:
        self.ask(self.missing())

    def ask(self, agents: list[str]) -> None:
        """A further attempt with these agents, journalled first: no attempt is ever made twice."""
        attempts = tuple(self.attempt_of(agent) + (agent in agents) for agent in self.agents)
        self.journal = replace(self.journal, attempts=attempts)
        for agent in agents:
            self.send(agent, Ask(self.run, self.journal.round, self.attempt_of(agent)))
        self.wait()

    def has_asked(self) -> bool:
        return bool(self.journal.attempts)

    def wait(self) -> None:
        """Answers may be on their way, also after a restart; who is still missing then is asked again."""
        self.arm("patience", self.patience_ms)

    def late_ones(self) -> list[str]:
        """Those who may be asked again now: whoever backs off is left alone until its wait is over."""
        return [a for a in self.missing() if self.attempt_of(a) <= self.retries and a not in self.waiting]

    def may_ask_again(self) -> bool:
        return bool(self.late_ones())

    def ask_missing_again(self) -> None:
        self.ask(self.late_ones())

    def may_ask_it_again(self, fault: AgentTimeout) -> bool:
        response = fault.message
        return (
            isinstance(response, Response)
            and self.is_expected(response)
            and self.attempt_of(response.agent) <= self.retries
        )

    def ask_it_again(self, fault: AgentTimeout) -> None:
        if isinstance(fault.message, Response):
            self.ask([fault.message.agent])

    # --- backing off --------------------------------------------------------------------------------

    def is_awaited(self, fault: Setback) -> bool:
        response = fault.message
        return isinstance(response, Response) and self.is_expected(response) and response.agent not in self.waiting

    def back_off(self, fault: Setback) -> None:
        """By the policy: wait, or never ask it again, not even when patience ends, for a hint may reach far
        beyond that. One timer serves all who wait: nobody is asked before the longest wait is over."""
        assert isinstance(fault.message, Response)
        agent, last = fault.message.agent, self.retries + 1
        decision = after_setback(fault, self.attempt_of(agent), last)
        if isinstance(decision, RetryAfter):
            self.waiting = tuple(sorted((*self.waiting, agent)))
            self.wait_ms = (max(self.wait_ms[0], decision.low_ms), max(self.wait_ms[1], decision.high_ms))
            self.arm("backoff", self.wait_ms)
        else:
            attempts = tuple(last if name == agent else self.attempt_of(name) for name in self.agents)
            self.journal = replace(self.journal, attempts=attempts)

    def come_back(self) -> None:
        """Those whose wait is over; an answer that was sent twice may have come meanwhile."""
        agents = [agent for agent in self.waiting if agent in self.missing()]
        self.stop_waiting()
        if agents:
            self.ask(agents)

    def is_backing_off(self) -> bool:
        return bool(self.waiting)

    def stop_waiting(self) -> None:
        self.waiting, self.wait_ms = (), (0, 0)
        self.cancel("backoff")

    def on_exit_asking(self) -> None:
        self.cancel("patience")
        self.stop_waiting()

    # --- answers ------------------------------------------------------------------------------------

    def sequenced(self) -> bool:
        return self.sequencing

    def is_expected(self, response: Response) -> bool:
        if not self.sequencing:
            return True
        ours = (response.run, response.round) == (self.run, self.journal.round)
        return ours and response.agent in self.missing() and response.attempt == self.attempt_of(response.agent)

    def completes(self, response: Response) -> bool:
        return self.missing() in ([], [response.agent])

    def count(self, response: Response) -> None:
        answers = tuple(sorted((*self.journal.answers, (response.agent, response.answer))))
        self.emit(Counted(response.key), journal=replace(self.journal, answers=answers))

    def reject(self, response: Response) -> None:
        self.emit(Rejected(response.key, self.reason(response)))

    def reason(self, response: Response) -> str:
        if self.state == "stopped":
            return "cancelled"
        if response.run != self.run or response.round != self.journal.round:
            return "stale"
        return "duplicate" if self.state == "asking" and response.agent not in self.missing() else "late"

    def has_answers(self) -> bool:
        return bool(self.journal.answers)

    # --- deciding and storing -----------------------------------------------------------------------

    def decide(self) -> None:
        """What was asked and answered is not needed any more: it would only tell equal states apart."""
        seq = self.journal.minted + 1
        text = verdict(self.journal.answers, self.agents)
        decided = replace(self.journal, phase="storing", attempts=(), answers=(), minted=seq, verdict=text)
        self.emit(Accepted((self.run, decided.round)), journal=decided)
        self.emit(Decided(decided.round, seq, text))
        self.store()

    def store(self) -> None:
        journal = self.journal
        self.send("store", Store(self.run, journal.round, journal.minted, journal.verdict))
        self.arm_resend()

    def arm_resend(self) -> None:
        if self.resent < self.resends:
            self.arm("resend", self.resend_ms)

    def store_again(self) -> None:
        self.resent += 1
        self.note_replay()
        self.store()

    def pause(self) -> None:
        """A refusal is not a loss: it takes none of the resends, and a decision is presented until it is stored."""
        self.arm("backoff", OURS.wait_ms(1, failure_of(ConsensusFailure.kind)))

    def is_pending(self, stored: Stored | NotStored) -> bool:
        return (stored.run, stored.seq) == (self.run, self.journal.minted)

    def present(self) -> None:
        self.journal = replace(self.journal, phase="gated")
        self.send_decision()

    def send_decision(self) -> None:
        journal = self.journal
        self.send("consumer", Decision(self.run, journal.minted, journal.verdict))
        self.arm_resend()

    def present_again(self) -> None:
        self.resent += 1
        self.note_replay()
        self.send_decision()

    def note_replay(self) -> None:
        """The pending request goes out again. After a crash it may be the first time, which nobody can know."""
        self.emit(Replayed((self.journal.phase, self.run, self.journal.minted)))

    # --- the gate -----------------------------------------------------------------------------------

    def opens_gate(self, ack: AckDecision) -> bool:
        return not self.sequencing or (ack.run, ack.seq) == (self.run, self.journal.minted)

    def release(self, ack: AckDecision) -> None:
        """Counted and journalled at once: after a crash in between it would be counted again."""
        seq = self.journal.minted
        self.emit(Counted(ack.key), journal=self.following())
        self.emit(Released(seq))

    def following(self) -> Journal:
        """The journal behind this round."""
        journal = replace(self.journal, verdict="", attempts=(), answers=())
        if journal.stopping or not self.has_more():
            return replace(journal, phase="done")
        return replace(journal, phase="asking", round=journal.round + 1)

    def reject_ack(self, ack: AckDecision) -> None:
        same = (ack.run, ack.seq) == (self.run, self.journal.minted)
        self.emit(Rejected(ack.key, "duplicate" if same else "stale"))

    def has_more(self) -> bool:
        return self.journal.round < self.rounds

    def skip_round(self) -> None:
        self.end_without()
        self.ask_missing()

    def end_without(self) -> None:
        self.emit(NoConsensus(self.journal.round), journal=self.following())

    def on_exit_storing(self) -> None:
        self.cancel("resend")
        self.cancel("backoff")
        self.resent = 0

    def on_exit_gated(self) -> None:
        self.on_exit_storing()

    # --- stopping -----------------------------------------------------------------------------------

    def is_stopping(self) -> bool:
        return self.journal.stopping

    def note_stop(self) -> None:
        self.journal = replace(self.journal, stopping=True)

    def stop(self) -> None:
        self.emit(Stopped(self.run), journal=replace(self.journal, phase="stopped"))
        self.confirm_stop()

    def confirm_stop(self) -> None:
        self.send("user", StopAck(self.run))
