"""The fork's coordinator: a check that blocks all later ones, a release in two writes, verdicts without a quorum."""

from __future__ import annotations

from dataclasses import replace

from sim import IGNORE, Counted
from sim.consensus import Progress

from ..coordinator import Coordinator
from ..journal import Step
from ..messages import AckDecision, Response, Stop, Stored
from ..parts import Rows
from .deviating import Deviating

ROWS: Rows = (
    {"trigger": Response, "source": "asking", "dest": "blocked", "conditions": "overlaps", "after": "reject"},
    {"trigger": "patience", "source": "asking", "dest": IGNORE, "conditions": "polls_silently"},
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "asking",
        "conditions": ["acks_in_two_writes", "opens_gate", "has_more"],
        "before": "release_in_two_writes",
        "after": "begin_step",
    },
    {
        "trigger": AckDecision,
        "source": "gated",
        "dest": "done",
        "conditions": ["acks_in_two_writes", "opens_gate"],
        "unless": "is_stopping",
        "before": "release_in_two_writes",
    },
    # Blocked: the one pending check will never be acknowledged.
    {"trigger": Response, "source": "blocked", "dest": None, "after": "reject"},
    {"trigger": AckDecision, "source": "blocked", "dest": None, "after": "reject_ack"},
    {"trigger": Stored, "source": "blocked", "dest": IGNORE},
    {"trigger": Stop, "source": "blocked", "dest": "stopped", "after": "stop"},
)


ALIASES = ("gpt_codex", "gpt_pro")
"""Agents that report themselves by one name."""


class Fork(Deviating, Coordinator):
    """Has a check pending that nobody acknowledges, writes twice what ours writes at once, and asks for no quorum."""

    def overlaps(self, response: Response) -> bool:
        first = not self.journal.answers and self.stage().name == "validate"
        return self.switches.validate_unacked and first and not self.names_the_stage(response)

    def polls_silently(self) -> bool:
        return self.switches.poll_silent and not self.late_ones() and not self.is_backing_off()

    def acks_in_two_writes(self) -> bool:
        return self.switches.ack_in_two_writes

    def release_in_two_writes(self, ack: AckDecision) -> None:
        """In between, the step is neither pending nor processed: it would be taken up again."""
        released = self.released()
        run, seq, (round_, stage), _, phase = self.journal.sequence
        before = (round_ - 1, len(self.stages)) if stage == 1 else (round_, stage - 1)
        cleared = (run, seq, before, Progress.RELEASED.value, phase)
        self.journal = replace(self.journal.forgotten(), sequence=cleared)
        self.emit(Counted(ack.key), journal=released)

    def claim(self, response: Response) -> tuple[str, Step, str, int]:
        """By its alias two of a roster are one."""
        run, step, agent, attempt = super().claim(response)
        both = self.switches.agents_by_alias and {*ALIASES} <= {*self.roster()}
        return run, step, ALIASES[0] if both and agent in ALIASES else agent, attempt

    def count(self, response: Response) -> None:
        """The event that completes a stage comes before its answer can be read."""
        if self.switches.mirror_late and self.completes(response):
            self.emit(Counted(response.key))
        else:
            super().count(response)

    def verdict(self) -> str:
        return "ok" if self.switches.any_answer_is_ok and self.journal.answers else super().verdict()
