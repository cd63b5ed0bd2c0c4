"""What the parts of the coordinator share: its fields, and where its run stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from models.consensus.journal import TERMINAL, Journal, Stage, Step
from models.consensus.retry import FORK, OURS, UPSTREAM, UPSTREAM_OLD, RetryPolicy
from models.consensus.switches import Switches, switched
from sim import Process

Rows: TypeAlias = tuple[Mapping[str, Any], ...]
"""A part of the coordinator's table."""
POLICIES = {"ours": OURS, "upstream": UPSTREAM, "upstream_old": UPSTREAM_OLD, "fork": FORK}


class Core(Process):
    """The coordinator's configuration and data. Its parts (asking, deciding, updates, ending) each bring
    rows and their methods; `Coordinator` puts them together."""

    durable = ("journal", "restarts")

    run: str
    stages: tuple[Stage, ...]
    rounds: int
    retries: int
    resends: int
    quorum: tuple[int, int]
    queue_max: int
    policy_name: str
    budget_ms: int | None
    journal: Journal
    patience_ms: int = 30_000
    resend_ms: int = 5_000
    deviations: tuple[str, ...] = ()
    """The switches that are on, by name."""
    restarts: int = 0
    """How often it has come back, as far as it counts that."""
    resent: int = 0
    """Repetitions of the pending request since the last start."""
    waiting: tuple[str, ...] = ()
    """While asking: agents to be asked again when the backoff is over."""
    wait_ms: tuple[int, int] = (0, 0)
    """The longest of their waits, as a range."""

    @property
    def switches(self) -> Switches:
        return switched(self.deviations)

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
        """Whether the run goes on behind the last decided step."""
        return self.journal.verdict not in TERMINAL and self.step_after(self.last_step()) is not None

    def released(self) -> Journal:
        """The journal behind the decision in hand."""
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
        return self.journal.seq - self.switches.counts_from_zero

    def policy(self) -> RetryPolicy:
        """The retry policy of one agent in one stage."""
        named = POLICIES[self.policy_name]
        budget_ms = named.budget_ms if self.budget_ms is None else self.budget_ms
        return replace(named, attempts_max=self.retries + 1, attempt_ms=self.patience_ms, budget_ms=budget_ms)
