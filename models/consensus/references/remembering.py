"""The fork's memory of earlier checks: who has ever answered is present, and what was once concluded is concluded again."""

from __future__ import annotations

from sim.consensus import verdict

from ..coordinator import Coordinator
from ..messages import Response, Store
from .deviating import Deviating


class Remembering(Deviating, Coordinator):
    """Reads what it has written itself, where ours computes a verdict anew from the answers of its stage."""

    finished: tuple[tuple[str, str], ...] = ()
    """(agent, answer) for each that has answered in any stage so far."""
    synthesis: tuple[tuple[str, str], ...] = ()
    """(stage, verdict) for each that a check has come to."""

    def completes(self, response: Response) -> bool:
        if not self.switches.history_counts:
            return super().completes(response)
        present = {*dict(self.finished), *dict(self.journal.answers), response.agent}
        return present >= {*self.roster()}

    def verdict(self) -> str:
        earlier = dict(self.synthesis).get(self.stage().name)
        if self.switches.verdict_fed_back and earlier:
            return earlier
        if not self.switches.history_counts:
            return super().verdict()
        present = {**dict(self.finished), **dict(self.journal.answers)}
        return verdict([*present.items()], self.roster(), self.quorum)

    def decide(self) -> None:
        if self.switches.history_counts:
            self.finished = tuple(sorted({**dict(self.finished), **dict(self.journal.answers)}.items()))
        if self.switches.verdict_fed_back:
            self.synthesis = tuple(sorted({**dict(self.synthesis), self.stage().name: self.verdict()}.items()))
        super().decide()

    def store(self) -> None:
        if not (self.switches.synthesis_masked and self.resent):
            super().store()
            return
        self.send("store", Store(self.run, *self.place(), self.number(), verdict=""))
        self.arm_resend()
