"""The part of the coordinator that asks the agents of a stage and counts their answers."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE, AgentTimeout, Counted, Disconnect, EmptyResponse, RateLimited, Rejected
from sim.consensus import ErrorKind, Failure, RetryAfter, RetryDecision, RetryState

from .core import Core
from .failures import Setback, setback_of
from .journal import GIVEN_UP
from .messages import Ask, Response
from .parts import Rows

ROWS: Rows = (
    # Answers.
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
    {"trigger": Response, "source": ["asking", "storing", "gated", "done", "stopped"], "dest": None, "after": "reject"},
    # An agent that takes too long is asked again, as often and as long as the policy says.
    {"trigger": AgentTimeout, "source": "asking", "dest": None, "conditions": "may_ask_it_again", "after": "ask_again"},
    {"trigger": AgentTimeout, "source": "asking", "dest": IGNORE},
    # One that refuses, breaks off or says nothing is asked again too, but not before its wait is over.
    *(
        row
        for fault in (RateLimited, EmptyResponse, Disconnect)
        for row in (
            {
                "trigger": fault,
                "source": "asking",
                "dest": None,
                "conditions": "may_wait_for_it",
                "after": "back_off",
            },
            {
                "trigger": fault,
                "source": "asking",
                "dest": "storing",
                "conditions": ["is_awaited", "is_the_last"],
                "after": "decide",
            },
            {"trigger": fault, "source": "asking", "dest": None, "conditions": "is_awaited", "after": "give_it_up"},
            {"trigger": fault, "source": "asking", "dest": IGNORE},
        )
    ),
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

    def attempt_of(self, agent: str) -> int:
        """The attempt that it is at, 0 before the first, `GIVEN_UP` after the last."""
        return self.journal.attempts[self.roster().index(agent)] if self.journal.attempts else 0

    def missing(self) -> list[str]:
        """Those who may still answer, or are to be asked."""
        answered = {agent for agent, _ in self.journal.answers}
        return [a for a in self.roster() if a not in answered and self.attempt_of(a) != GIVEN_UP]

    def due(self) -> list[str]:
        """Those of them whose turn it is."""
        return self.missing()[:1] if self.stage().sequential else self.missing()

    def unasked(self) -> list[str]:
        return [agent for agent in self.due() if not self.attempt_of(agent)]

    def is_complete(self) -> bool:
        return not self.missing()

    def ask(self, agents: list[str]) -> None:
        """A further attempt with these agents, journalled first: no attempt is ever made twice."""
        attempts = tuple(self.attempt_of(agent) + (agent in agents) for agent in self.roster())
        self.journal = replace(self.journal, attempts=attempts)
        for agent in agents:
            self.send(agent, Ask(self.run, *self.place(), self.attempt_of(agent)))
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
        return self.is_awaited(fault) and self.may_retry(agent_of(fault))

    def ask_again(self, fault: AgentTimeout) -> None:
        self.repeat([agent_of(fault)])

    def is_awaited(self, fault: AgentTimeout | Setback) -> bool:
        """Whether the fault ends the attempt that its agent is at."""
        assert isinstance(fault.message, Response)
        return self.is_expected(fault.message) and agent_of(fault) not in self.waiting

    def may_wait_for_it(self, fault: Setback) -> bool:
        if not (self.is_awaited(fault) and self.affords(1)):
            return False
        return isinstance(self.after(agent_of(fault), setback_of(fault)), RetryAfter)

    def back_off(self, fault: Setback) -> None:
        """One timer serves all who wait: nobody is asked before the longest wait is over."""
        agent = agent_of(fault)
        decision = self.after(agent, setback_of(fault))
        assert isinstance(decision, RetryAfter)
        self.note_spent(agent, setback_of(fault))
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

    def is_the_last(self, fault: Setback) -> bool:
        return self.missing() == [agent_of(fault)]

    def give_it_up(self, fault: Setback) -> None:
        self.give_up_on([agent_of(fault)])

    def has_next(self) -> bool:
        """Whether somebody is to be asked when those whose turn it is are given up."""
        return self.due() != self.missing()

    def give_up(self) -> None:
        self.give_up_on(self.due())

    def give_up_on(self, agents: list[str]) -> None:
        attempts = tuple(GIVEN_UP if agent in agents else self.attempt_of(agent) for agent in self.roster())
        self.journal = replace(self.journal, attempts=attempts)
        self.ask_next()

    # --- answers ------------------------------------------------------------------------------------

    def is_expected(self, response: Response) -> bool:
        """Keyed by run, round, stage, agent and attempt: nothing else is an answer to what was asked."""
        return self.names_the_stage(response) and self.names_the_attempt(response)

    def names_the_stage(self, response: Response) -> bool:
        return (response.run, response.round, response.stage) == (self.run, *self.place())

    def names_the_attempt(self, response: Response) -> bool:
        return response.agent in self.missing() and response.attempt == self.attempt_of(response.agent)

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
        if not self.names_the_stage(response):
            return "stale"
        answered = response.agent in {agent for agent, _ in self.journal.answers}
        return "duplicate" if self.state == "asking" and answered else "late"


LATE = Failure(ErrorKind.TIMEOUT)


def agent_of(fault: AgentTimeout | Setback) -> str:
    """Whose attempt a fault has ended."""
    assert isinstance(fault.message, Response)
    return fault.message.agent
