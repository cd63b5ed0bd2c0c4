"""What the parts of the coordinator share: its fields, and where its run stands."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sim import Process
from sim.consensus import OURS, RetryPolicy

from .journal import TERMINAL, Journal, Stage, Step
from .parts import Names


class Core(Process):
    """The coordinator's configuration and data. Its parts (asking, deciding, updates, ending) each bring
    rows and their methods; `Coordinator` puts them together."""

    durable: ClassVar[Names] = ("journal",)

    run: str
    stages: tuple[Stage, ...]
    rounds: int
    retries: int
    resends: int
    quorum: tuple[int, int]
    queue_max: int
    policy_name: str
    """Whose retry policy it has: ours, but in a reference (`models.consensus.references`)."""
    budget_ms: int | None
    journal: Journal
    patience_ms: int = 30_000
    resend_ms: int = 5_000
    deviations: tuple[str, ...] = ()
    """What a reference does otherwise, by name: nothing here."""
    restarts: int = 0
    """How often it has come back, which only a reference counts."""
    resent: int = 0
    """Repetitions of the pending request since the last start."""
    waiting: tuple[str, ...] = ()
    """While asking: agents to be asked again when the backoff is over."""
    wait_ms: tuple[int, int] = (0, 0)
    """The longest of their waits, as a range."""

    # --- where the run stands -----------------------------------------------------------------------

    def step(self) -> Step:
        """The step in hand: the one that is decided, or else the one to be asked. Beyond the last step it is
        the last one."""
        last = self.last_step()
        return last if self.journal.begun else self.step_after(last) or last

    def last_step(self) -> Step:
        """The step of the last number; (0, number of stages) before the first."""
        key = self.journal.sequence[2]
        return (key[0], key[1]) if key else (0, len(self.stages))

    def step_after(self, step: Step) -> Step | None:
        round_, stage = step
        if stage < len(self.stages):
            return (round_, stage + 1)
        return (round_ + 1, 1) if round_ < self.rounds else None

    def stage(self) -> Stage:
        return self.stages[self.step()[1] - 1]

    def roster(self) -> tuple[str, ...]:
        return self.stage().roster

    def place(self) -> tuple[int, str]:
        """The round and the stage's name, as messages have them."""
        return self.step()[0], self.stage().name

    def has_more(self) -> bool:
        """Whether the run goes on after the last decided step."""
        return self.journal.verdict not in TERMINAL and self.step_after(self.last_step()) is not None

    def released(self) -> Journal:
        """The journal after the decision in hand."""
        return self.journal.released(was_last=self.step_after(self.last_step()) is None)

    def was_storing(self) -> bool:
        return self.journal.begun and not self.journal.stored

    def was_gated(self) -> bool:
        return self.journal.begun

    def was_stopped(self) -> bool:
        return self.journal.stopped

    def is_stopping(self) -> bool:
        return self.journal.stopping

    def number(self) -> int:
        """The number of the last decision, as messages have it."""
        return self.journal.seq

    def policy(self) -> RetryPolicy:
        """The retry policy of one agent in one stage."""
        usual = self.usual_policy()
        budget_ms = usual.budget_ms if self.budget_ms is None else self.budget_ms
        return replace(usual, attempts_max=self.retries + 1, attempt_ms=self.patience_ms, budget_ms=budget_ms)

    def usual_policy(self) -> RetryPolicy:
        """The policy before this run's own limits."""
        return OURS
