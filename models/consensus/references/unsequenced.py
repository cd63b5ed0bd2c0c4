"""A coordinator without sequencing: what fits somehow is taken, again and again."""

from __future__ import annotations

from dataclasses import replace

from sim import Counted
from sim.consensus import Progress

from ..coordinator import Coordinator
from ..journal import Journal
from ..messages import AckDecision, Response
from ..parts import Rows
from .deviating import Deviating

ROWS: Rows = (
    {
        "trigger": Response,
        "source": ["storing", "gated", "done"],
        "dest": "storing",
        "conditions": ["decides_again", "is_expected"],
        "before": "count",
        "after": "decide",
    },
)


class Unsequenced(Deviating, Coordinator):
    """Looks at neither the stage, nor the attempt, nor the number, as far as its switches say."""

    def unscoped(self) -> bool:
        return self.switches.answers_unscoped or self.switches.attempts_unscoped

    def is_expected(self, response: Response) -> bool:
        if not self.unscoped():
            return super().is_expected(response)
        named = self.switches.answers_unscoped or self.names_the_stage(response)
        return named and response.is_usable and self.names_the_attempt(response)

    def names_the_attempt(self, response: Response) -> bool:
        if self.switches.attempts_unscoped:
            return response.agent in self.roster()
        return response.agent in self.missing() and response.attempt <= self.attempt_of(response.agent)

    def count(self, response: Response) -> None:
        """Whatever it is an answer to, it is kept, beside those that its agent has given already."""
        if not self.unscoped():
            super().count(response)
            return
        attempts = self.journal.attempts or (0,) * len(self.roster())
        place = self.roster().index(response.agent)
        asked = (*attempts[:place], max(attempts[place], 1), *attempts[place + 1 :])
        answers = tuple(sorted((*self.journal.answers, (response.agent, response.answer))))
        self.emit(Counted(response.key), journal=replace(self.journal, attempts=asked, answers=answers))

    def decides_again(self) -> bool:
        return self.switches.decides_again

    def decided(self, text: str) -> Journal:
        """The next number, whatever became of the last."""
        if not self.switches.decides_again:
            return super().decided(text)
        run, seq, _, _, phase = self.journal.sequence
        begun = (run, seq + 1, self.step(), Progress.BEGUN.value, phase)
        return replace(self.journal.forgotten(), sequence=begun, verdict=text)

    def opens_gate(self, ack: AckDecision) -> bool:
        return self.switches.opens_for_any_ack or super().opens_gate(ack)
