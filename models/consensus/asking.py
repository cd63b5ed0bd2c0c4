"""The part of the coordinator that asks the agents of a stage and counts their answers."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE, AgentTimeout, Counted, Disconnect, EmptyResponse, RateLimited, Rejected
from sim.consensus import ErrorKind, Failure, RetryAfter, RetryDecision, RetryState, Round, Taken

from .core import Core
from .failures import Spoiled, failure_in
from .journal import Step
from .messages import Ask, Response
from .parts import Rows

ROWS: Rows = (
    # The first usable answer of an agent counts, whatever attempt it answers.
    {
        "trigger": Response,
        "source": "asking",
        "dest": "storing",
        "conditions": ["is_expected", "completes"],
        "before": "count",
        "after": "decide",
    },
    {
        "trigger": Response,
        "source": "asking",
        "dest": None,
        "conditions": "is_expected",
        "after": ["count", "ask_next"],
    },
    # An agent that takes too long is asked again, as often and as long as the policy says.
    {"trigger": AgentTimeout, "source": "asking", "dest": None, "conditions": "may_ask_it_again", "after": "ask_again"},
    {"trigger": AgentTimeout, "source": "asking", "dest": IGNORE},
    # One that refuses, breaks off or says nothing of use is asked again too, but not before its wait is over.
    *(
        row
        for spoiled in (RateLimited, EmptyResponse, Disconnect, Response)
        for row in (
            {
                "trigger": spoiled,
                "source": "asking",
                "dest": None,
                "conditions": ["ends_an_attempt", "may_wait_for_it"],
                "after": ["note_end", "back_off"],
            },
            {
                "trigger": spoiled,
                "source": "asking",
                "dest": "storing",
                "conditions": ["ends_an_attempt", "is_hopeless", "is_the_last"],
                "before": "note_end",
                "after": "decide",
            },
            {
                "trigger": spoiled,
                "source": "asking",
                "dest": None,
                "conditions": ["ends_an_attempt", "is_hopeless"],
                "after": ["note_end", "give_it_up"],
            },
            {
                "trigger": spoiled,
                "source": "asking",
                "dest": None,
                "conditions": "ends_an_attempt",
                "after": "note_end",
            },
        )
    ),
    *({"trigger": fault, "source": "asking", "dest": IGNORE} for fault in (RateLimited, EmptyResponse, Disconnect)),
    {"trigger": Response, "source": ["asking", "storing", "gated", "done", "stopped"], "dest": None, "after": "reject"},
    {"trigger": "backoff", "source": "asking", "dest": None, "after": "come_back"},
    # When patience ends, whoever may be asked again is; else those that answered decide.
    {"trigger": "patience", "source": "asking", "dest": None, "conditions": "late_ones", "after": "ask_late_ones"},
    {"trigger": "patience", "source": "asking", "dest": None, "conditions": "is_backing_off", "after": "wait"},
    {"trigger": "patience", "source": "asking", "dest": None, "conditions": "has_next", "after": "give_up"},
    {"trigger": "patience", "source": "asking", "dest": "storing", "after": "decide"},
)


class Asking(Core):
    """While asking, an agent has answered, was given up, is awaited, or (in a sequential stage) comes later."""

    # --- whom to ask --------------------------------------------------------------------------------

    def round(self) -> Round:
        """The round of answers to the step in hand, as the journal has it."""
        return self.journal.round(self.step(), self.roster(), self.quorum)

    def attempt_of(self, agent: str) -> int:
        """The attempt that it is at, 0 before the first."""
        return self.round().attempts(agent)

    def missing(self) -> list[str]:
        """Those who are waited for, or are to be asked."""
        return [*self.round().missing]

    def due(self) -> list[str]:
        """Those of them whose turn it is."""
        return self.missing()[:1] if self.stage().sequential else self.missing()

    def unasked(self) -> list[str]:
        return [agent for agent in self.due() if not self.attempt_of(agent)]

    def is_complete(self) -> bool:
        return not self.missing()

    def ask(self, agents: list[str]) -> None:
        """A further attempt with these agents, journalled first: no attempt is ever made twice."""
        round_ = self.round()
        for agent in agents:
            round_, _ = round_.asked(agent)
        self.journal = self.journal.with_round(round_)
        for agent in agents:
            self.send(agent, Ask(self.run, *self.place(), round_.attempts(agent)))
        self.wait()

    def ask_next(self) -> None:
        """Whose turn it is now and was not before: everybody at the beginning of a parallel stage."""
        if self.unasked():
            self.ask(self.unasked())

    def wait(self) -> None:
        """Answers may be on their way, also after a restart; who is still missing then is asked again."""
        self.arm("patience", self.patience_ms)

    # --- asking again -------------------------------------------------------------------------------

    def after(self, agent: str, failure: Failure) -> RetryDecision:
        """What the policy says to the end of this agent's attempt."""
        spent_ms = dict(self.journal.spent).get(agent, 0)
        return self.policy().decide(RetryState(self.attempt_of(agent), spent_ms), failure)

    def note_spent(self, agent: str, failure: Failure) -> None:
        decision = self.after(agent, failure)
        if isinstance(decision, RetryAfter) and decision.state.spent_ms:
            spent = {**dict(self.journal.spent), agent: decision.state.spent_ms}
            self.journal = replace(self.journal, spent=tuple(sorted(spent.items())))

    def may_retry(self, agent: str) -> bool:
        return self.affords(1) and isinstance(self.after(agent, LATE), RetryAfter)

    def affords(self, more: int) -> bool:  # noqa: ARG002 - a budget reads it
        """Whether so many more questions can be paid for: always, without a budget (`models.consensus.thrift`)."""
        return True

    def late_ones(self) -> list[str]:
        """Those who may be asked again now: whoever backs off is left alone until its wait is over."""
        found: list[str] = []
        for agent in self.due():
            if agent not in self.waiting and self.may_retry(agent) and self.affords(len(found) + 1):
                found.append(agent)
        return found

    def ask_late_ones(self) -> None:
        self.repeat(self.late_ones())

    def repeat(self, agents: list[str]) -> None:
        """Who was waited for in vain is asked again at once: it has been waited for."""
        for agent in agents:
            self.note_spent(agent, LATE)
        self.ask(agents)

    def may_ask_it_again(self, fault: AgentTimeout) -> bool:
        """Whether it is the attempt that its agent is at which takes too long: that one goes on, beside the next."""
        return self.ends_an_attempt(fault) and self.is_latest(fault) and self.may_retry(agent_of(fault))

    def ask_again(self, fault: AgentTimeout) -> None:
        self.repeat([agent_of(fault)])

    # --- attempts that end without an answer of use -----------------------------------------------------

    def ended(self, spoiled: Spoiled) -> tuple[Round, Taken]:
        """The round without this attempt."""
        return self.round().take(*self.claim(answer_in(spoiled)), None, usable=False)

    def ends_an_attempt(self, spoiled: Spoiled) -> bool:
        spoils = not (isinstance(spoiled, Response) and spoiled.is_usable)
        return spoils and self.ended(spoiled)[1] is Taken.UNUSABLE

    def note_end(self, spoiled: Spoiled) -> None:
        journal = self.journal.with_round(self.ended(spoiled)[0])
        if isinstance(spoiled, Response):
            self.emit(Rejected(spoiled.key, "unusable"), journal=journal)
        else:
            self.journal = journal

    def is_latest(self, spoiled: Spoiled) -> bool:
        """Whether it is the attempt that its agent is at, and that one is still waited for."""
        agent = agent_of(spoiled)
        return agent in self.missing() and answer_in(spoiled).attempt == self.attempt_of(agent)

    def may_wait_for_it(self, spoiled: Spoiled) -> bool:
        return self.is_latest(spoiled) and self.may_come_back(spoiled)

    def may_come_back(self, spoiled: Spoiled) -> bool:
        return self.affords(1) and isinstance(self.after(agent_of(spoiled), failure_in(spoiled)), RetryAfter)

    def is_hopeless(self, spoiled: Spoiled) -> bool:
        """Whether nothing more is to come of its agent: no other attempt is on its way, and none will be made."""
        agent = agent_of(spoiled)
        more = agent in self.waiting or self.ended(spoiled)[0].waiting_for(agent)
        return agent in self.missing() and not more and not self.may_come_back(spoiled)

    def is_the_last(self, spoiled: Spoiled) -> bool:
        return self.missing() == [agent_of(spoiled)]

    def back_off(self, spoiled: Spoiled) -> None:
        """One timer serves all who wait: nobody is asked before the longest wait is over."""
        agent, failure = agent_of(spoiled), failure_in(spoiled)
        decision = self.after(agent, failure)
        assert isinstance(decision, RetryAfter)
        self.note_spent(agent, failure)
        self.waiting = tuple(sorted((*self.waiting, agent)))
        self.wait_ms = (max(self.wait_ms[0], decision.low_ms), max(self.wait_ms[1], decision.high_ms))
        self.arm("backoff", self.wait_ms)

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

    # --- giving up ----------------------------------------------------------------------------------

    def give_it_up(self, spoiled: Spoiled) -> None:
        self.give_up_on([agent_of(spoiled)])

    def has_next(self) -> bool:
        """Whether somebody is to be asked when those whose turn it is are given up."""
        return self.due() != self.missing()

    def give_up(self) -> None:
        self.give_up_on(self.due())

    def give_up_on(self, agents: list[str]) -> None:
        """They are no longer waited for; what they answer all the same counts until the round is decided."""
        round_ = self.round()
        for agent in agents:
            round_ = round_.give_up(agent)
        self.journal = self.journal.with_round(round_)
        self.ask_next()

    # --- answers ------------------------------------------------------------------------------------

    def claim(self, response: Response) -> tuple[str, Step, str, int]:
        """What an answer says it is one to, as a round knows it: run, step, agent, attempt."""
        numbers = {stage.name: number for number, stage in enumerate(self.stages, 1)}
        return response.run, (response.round, numbers.get(response.stage, 0)), response.agent, response.attempt

    def taken(self, response: Response) -> tuple[Round, Taken]:
        """The round with this answer, and what becomes of it."""
        return self.round().take(*self.claim(response), response.answer, usable=response.is_usable)

    def is_expected(self, response: Response) -> bool:
        return self.taken(response)[1] is Taken.COUNTED

    def completes(self, response: Response) -> bool:
        return self.missing() in ([], [response.agent])

    def count(self, response: Response) -> None:
        self.emit(Counted(response.key), journal=self.journal.with_round(self.taken(response)[0]))

    def reject(self, response: Response) -> None:
        self.emit(Rejected(response.key, self.reason(response)))

    def reason(self, response: Response) -> str:
        if self.state == "stopped":
            return "cancelled"
        if not self.names_the_stage(response):
            return "stale"
        return _REASONS.get(self.taken(response)[1], "late") if self.state == "asking" else "late"

    def names_the_stage(self, response: Response) -> bool:
        return (response.run, response.round, response.stage) == (self.run, *self.place())


LATE = Failure(ErrorKind.TIMEOUT)
_REASONS = {Taken.DUPLICATE: "duplicate", Taken.UNUSABLE: "unusable", Taken.ENDED: "unusable"}
"""What became of an answer, as a reason of the input ledger."""


def answer_in(spoiled: Spoiled) -> Response:
    """The answer that ends an attempt, or that a fault has struck."""
    answer = spoiled if isinstance(spoiled, Response) else spoiled.message
    assert isinstance(answer, Response)
    return answer


def agent_of(spoiled: Spoiled) -> str:
    """Whose attempt it is."""
    return answer_in(spoiled).agent
