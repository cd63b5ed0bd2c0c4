"""Go or no-go, by rules that are stated with the answer.

The rules are few and strict on purpose: a go means that nothing needs inspection by hand before the port starts.
Everything else is a no-go with its reasons, and the reasons are the work list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sim.surface.compare import Comparison
from sim.surface.model import Impact
from sim.surface.path import PortStep, migration
from sim.surface.require import find


class DecisionRule(Enum):
    """The rules of the decision; each value is the sentence that is printed."""

    PRESENT = "every required name is in one of the two trees"
    CLEAN = "every file that was read parses cleanly"
    SEEN = "no required name hides inside a macro call"
    UNBROKEN = "nothing that has to be done breaks code that stands on the first tree"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule, whether it holds, and the evidence."""

    rule: DecisionRule
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class GoOrNot:
    """Go if every rule holds."""

    outcomes: tuple[RuleOutcome, ...]
    steps: tuple[PortStep, ...]

    @property
    def go(self) -> bool:
        return all(outcome.holds for outcome in self.outcomes)

    @property
    def word(self) -> str:
        return "go" if self.go else "no-go"


def decide(comparison: Comparison, names: Sequence[str], level: str = "pub") -> GoOrNot:
    """Judge one comparison for `names`, or as a whole without names."""
    steps = migration(comparison, names, level)
    outcomes = [
        _present(comparison, names),
        _clean(comparison),
        _seen(comparison, names),
        _unbroken(comparison, names, steps),
    ]
    return GoOrNot(tuple(outcomes), tuple(steps))


def _present(comparison: Comparison, names: Sequence[str]) -> RuleOutcome:
    nowhere = [
        name
        for name in names
        if not find(name, comparison.old).present and not find(name, comparison.new, comparison.renames).present
    ]
    said = f"in neither: {', '.join(nowhere)}" if nowhere else f"{len(names)} of {len(names)} found"
    return RuleOutcome(DecisionRule.PRESENT, not nowhere, said)


def _clean(comparison: Comparison) -> RuleOutcome:
    unclean = [(side.label, one) for side in (comparison.old, comparison.new) for one in side.unclean]
    said = "; ".join(f"{label}: {one.place}" for label, one in unclean[:3])
    if len(unclean) > 3:
        said += f"; and {len(unclean) - 3} more"
    return RuleOutcome(DecisionRule.CLEAN, not unclean, said or "all of them")


def _seen(comparison: Comparison, names: Sequence[str]) -> RuleOutcome:
    hidden = []
    for name in names:
        answers = (find(name, comparison.old), find(name, comparison.new, comparison.renames))
        if not any(answer.present for answer in answers):
            hidden += [f"{name} at {answer.tree}: {place}" for answer in answers for place in answer.unseen]
    return RuleOutcome(DecisionRule.SEEN, not hidden, "; ".join(hidden) or "none does")


def _unbroken(comparison: Comparison, names: Sequence[str], steps: Sequence[PortStep]) -> RuleOutcome:
    if names:
        breaking = [d for step in steps for d in step.outside if d.impact is Impact.BREAKING]
        where = "on the path of what is required"
    else:
        breaking = comparison.of(Impact.BREAKING)
        where = "on the surface"
    subjects = list(dict.fromkeys(d.subject.shown for d in breaking))
    said = f"{len(breaking)} breaking {where}"
    if breaking:
        said += f": {', '.join(subjects[:6])}" + (f" and {len(subjects) - 6} more" if len(subjects) > 6 else "")
    return RuleOutcome(DecisionRule.UNBROKEN, not breaking, said)


# -- pieces of work ----------------------------------------------------------------------------------------


class WorkStatus(Enum):
    """The status of a piece of work."""

    READY = "ready"
    NEEDS_WORK = "needs work"
    BLOCKED = "blocked"


def status(comparisons: Sequence[Comparison], needs: Sequence[str], level: str) -> tuple[WorkStatus, str]:
    """Ready if some comparison is a go, blocked if a required name is in no tree at all, otherwise work to do."""
    missing = [name for name in needs if not find(name, comparisons[0].old).present]
    if not missing:
        return WorkStatus.READY, f"all {len(needs)} are in {comparisons[0].old.label}"
    nowhere = [name for name in missing if not any(find(name, c.new, c.renames).present for c in comparisons)]
    if nowhere:
        return WorkStatus.BLOCKED, f"in no tree: {', '.join(nowhere)}"
    lacked = f"{len(missing)} of {len(needs)} are missing from {comparisons[0].old.label}"
    reasons = []
    for comparison in comparisons:
        decision = decide(comparison, needs, level)
        if decision.go:
            return WorkStatus.READY, f"{lacked}, and bringing them from {comparison.new.label} breaks nothing"
        failed = "; ".join(outcome.evidence for outcome in decision.outcomes if not outcome.holds)
        reasons.append(f"from {comparison.new.label}: {failed}")
    return WorkStatus.NEEDS_WORK, f"{lacked}; {'; '.join(reasons)}"
