"""What the recorded chunks of a session say: the same whoever ran them, in whatever order.

Without `keep_going` a campaign ends at its first violation, like a fuzz: the one with the lowest number. Chunks beyond
it that were recorded before it was found do not count, so nothing depends on who was faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.sample import Sample
from sim.campaign.sessions import Part, Session, discovery_from, pack, unpack
from sim.campaign.store import CampaignStore
from sim.fuzzer.bound import Bound
from sim.fuzzer.coverage import Coverage
from sim.fuzzer.discovery import Discovery, grouped
from sim.minimiser.counterexample import Counterexample
from sim.world.world import AnyWorld


@dataclass
class PartTally:
    """What one part of a session found, and how much it ran."""

    plan: CampaignPlan
    schedules: int = 0
    steps: int = 0
    cut_short: int = 0
    unfinished: bool = False
    """Whether the time was up inside a schedule; known of a run that has just ended."""
    seconds: float = 0.0
    """Of all workers, added up."""
    sample: Sample = field(default_factory=Sample)
    found: list[Discovery] = field(default_factory=list)
    """In the order of the schedules."""
    texts: dict[Counterexample, str] = field(default_factory=dict)
    """The scenario of each counterexample."""
    stopped: bool = False
    """Whether it ends at a violation."""
    interrupted: bool = False

    @property
    def strategy(self) -> str:
        return self.plan.strategy

    @property
    def seed(self) -> int:
        return self.plan.seed

    @property
    def verdict(self) -> str:
        """`violated`, `ok` (nothing was found, which proves nothing), or `incomplete` without a schedule."""
        if self.found:
            return "violated"
        return "incomplete" if self.interrupted or not self.schedules else "ok"


class CampaignAnswer(PartTally):
    """A tally with what was covered."""

    coverage: Coverage
    engine: ClassVar[None] = None
    """Which engine walked: every worker chooses for itself."""

    @property
    def states(self) -> int:
        """Distinct states visited."""
        return self.coverage.states

    @property
    def bound(self) -> Bound | None:
        """Of the schedules that PCTCP picked, where a bound is proved."""
        return self.coverage.sizes.bound()


def limit_of(store: CampaignStore, session: Session) -> int | None:
    """The first number of the last chunk that counts; None if all do."""
    if session.plan.keep_going:
        return None
    (row,) = store.rows("SELECT min(first) FROM finding WHERE session = ?", session.id)
    return None if row[0] is None else int(row[0])


def tally_of(store: CampaignStore, session: Session, part: Part) -> PartTally:
    """What a part of a session found; this does not require the model."""
    return _fill(PartTally(session.plan), store, session, part)


def answer_of(store: CampaignStore, session: Session, part: Part, world: AnyWorld) -> CampaignAnswer:
    """What a part of a session covered and found."""
    answer = CampaignAnswer(session.plan)
    answer.coverage = Coverage(world)
    kept = store.rows("SELECT coverage FROM part WHERE id = ?", part.id)
    kept += store.rows(f"SELECT coverage {_CHUNKS}", session.id, part.id, _last(store, session))
    _merge(store, answer.coverage, [row["coverage"] for row in kept])
    return _fill(answer, store, session, part)


def _merge(store: CampaignStore, whole: Coverage, kept: Iterable[bytes | None]) -> None:
    """Adds what was kept; None has been folded already."""
    for data in kept:
        if data is not None:
            with store.understood():
                part = unpack(data)
            whole.merge(part)


_CHUNKS = "FROM chunk WHERE session = ? AND part = ? AND first <= ?"
_FINDINGS = f"SELECT found, scenario FROM finding WHERE (session, first) IN (SELECT session, first {_CHUNKS})"  # noqa: S608
_NEVER = 2**62

T = TypeVar("T", bound=PartTally)


def _last(store: CampaignStore, session: Session) -> int:
    limit = limit_of(store, session)
    return _NEVER if limit is None else limit


def _fill(tally: T, store: CampaignStore, session: Session, part: Part) -> T:
    which = session.id, part.id, _last(store, session)
    for row in store.rows(f"SELECT schedules, steps, cut_short, seconds, sample {_CHUNKS}", *which):
        tally.schedules += row["schedules"]
        tally.steps += row["steps"]
        tally.cut_short += row["cut_short"]
        tally.seconds += row["seconds"]
        with store.understood():
            tally.sample += Sample.from_json(row["sample"])
    kept = store.rows(_FINDINGS, *which)
    with store.understood():
        rows = [(discovery_from(row["found"]), row["scenario"]) for row in kept]
    tally.found = grouped(found for found, _ in rows)
    tally.texts = {found.counterexample: text for found, text in rows}
    tally.stopped = which[-1] != _NEVER
    return tally


def fold(store: CampaignStore, session: Session, part: Part, low: int, world: AnyWorld) -> int:
    """Merge the coverages of the part's chunks below `low`, all of which are done, into one: what several of them
    visited is then kept once. No information is lost. Returns the size of its fingerprints in bytes."""
    with store.writing() as change:
        where = "WHERE session = ? AND part = ? AND first < ? AND coverage IS NOT NULL"
        loose = [row[0] for row in change.rows(f"SELECT coverage FROM chunk {where}", session.id, part.id, low)]  # noqa: S608
        (before,) = change.rows("SELECT coverage FROM part WHERE id = ?", part.id)
        whole = Coverage(world)
        _merge(store, whole, [before["coverage"], *loose])
        data = whole.data()
        change.do("UPDATE part SET coverage = ? WHERE id = ?", pack(data), part.id)
        change.do(f"UPDATE chunk SET coverage = NULL {where}", session.id, part.id, low)  # noqa: S608
    return len(data.prints)
