"""Known counterexamples: kept when they are found, replayed first by every later campaign of that system."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import Enum

from sim.base.errors import SimError
from sim.campaign.code import Code
from sim.campaign.sessions import Session
from sim.campaign.store import CampaignStore
from sim.run.of_scenario import simulate_scenario
from sim.sessions.git import GitPlace


class KnownState(Enum):
    """The outcome of replaying a known counterexample; the values are the sentences users read."""

    VIOLATED = "still violated"
    FIXED = "fixed"
    UNFIT = "no longer fits"


@dataclass(frozen=True)
class KnownCase:
    """A known counterexample, replayed."""

    id: int
    violated: str
    """The property that its counterexample violates."""
    scenario: str
    session: int
    """The session that found it."""
    before: KnownState
    """What the last replay said."""
    state: KnownState
    told: str
    """The violation, or why the schedule does not fit."""

    @property
    def sentence(self) -> str:
        """The whole outcome as a sentence."""
        since = f" (found in session {self.session})"
        if self.state is KnownState.VIOLATED:
            back = "violated again" if self.before is KnownState.FIXED else self.state.value
            return f"{self.violated}: {back}: {self.told}{since}"
        if self.state is KnownState.FIXED:
            return f"{self.violated}: fixed: its counterexample no longer violates it{since}"
        return f"{self.violated}: its counterexample no longer fits: {self.told}{since}"


def replay_known(store: CampaignStore, session: Session, code: Code, place: GitPlace) -> list[KnownCase]:
    """Replay the known counterexamples of a session's system, and record the outcomes; not what the session itself has
    found with the same code."""
    query = "SELECT * FROM known WHERE system = ? AND NOT (session = ? AND code = ?) ORDER BY id"
    rows = store.rows(query, session.system, session.id, code.digest)
    replayed = [_replay(row, session.plan.model) for row in rows]
    if replayed:
        with store.writing() as change:
            for known in replayed:
                change.do(
                    "UPDATE known SET state = ?, code = ?, commit_id = ? WHERE id = ?",
                    known.state.name.lower(),
                    code.digest,
                    place.commit,
                    known.id,
                )
    return replayed


def _replay(row: sqlite3.Row, model: str) -> KnownCase:
    from sim.scenario import parse_scenario

    prop, state, told = row["property"], KnownState.FIXED, ""
    try:
        scenario = parse_scenario(row["scenario"], "the known counterexample", allow=(model,))
        finding = simulate_scenario(scenario).finding
    except SimError as error:  # the schedule, or the rest of the file, no longer fits this model
        state, told = KnownState.UNFIT, error.mistakes[0]
    else:
        if finding is not None:
            other = "" if finding.property == prop else f"now {finding.property}: "
            state, told = KnownState.VIOLATED, other + finding.message
    return KnownCase(row["id"], prop, row["scenario"], row["session"], KnownState[row["state"].upper()], state, told)
