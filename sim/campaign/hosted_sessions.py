"""Hosted sessions in the store: which journal holds them, and what began them. They have their numbers from the same row as
campaigns, so that a number is one session."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from sim.base.errors import ConfigError
from sim.campaign.store import CampaignStore
from sim.sessions.git import GitPlace
from sim.sessions.session_filter import SessionFilter
from sim.sessions.store_file import now_ms

NUMBER_MAX = 2**63 - 1


@dataclass(frozen=True)
class HostedPlan:
    """How a session is hosted: what was on the command line, for whoever resumes it."""

    target: str
    session: str
    """Its name in the journal."""
    journal: str
    """A full path, or an address without a password."""
    config: str
    """The full path of the configuration file."""

    def to_json(self) -> str:
        return json.dumps(self.__dict__)


@dataclass(frozen=True)
class HostedEntry:
    """A hosted session as the store has it; what it is doing, its journal says."""

    id: int
    plan: HostedPlan
    branch: str | None
    work_tree: str | None
    state: str
    created_ms: int
    active_ms: int
    own: bool
    """Whether it was begun or adopted by us, in this store; else nothing that it names is read."""

    @property
    def age_ms(self) -> int:
        """Time since it was last active."""
        return max(0, now_ms() - self.active_ms)

    @property
    def is_finished(self) -> bool:
        return self.state == "over"


def note(store: CampaignStore, project: str, plan: HostedPlan, place: GitPlace, state: str) -> int:
    """A session is hosted now, or was until now: its number, which is the same whenever the same session is hosted."""
    text = plan.to_json()
    known = [
        row["id"]
        for row in store.rows("SELECT id, plan FROM hosted WHERE project = ?", project)
        if (old := json.loads(row["plan"]))["journal"] == plan.journal and old["session"] == plan.session
    ]
    with store.writing() as change:
        if known:
            number = int(known[0])
        else:
            seen = change.rows(
                "SELECT max(coalesce((SELECT max(id) FROM hosted), 0), coalesce((SELECT seq FROM sqlite_sequence "
                "WHERE name = 'session'), 0))"
            )
            number = 1 + int(seen[0][0])
            change.do("DELETE FROM sqlite_sequence WHERE name = 'session'")
            change.do("INSERT INTO sqlite_sequence (name, seq) VALUES ('session', ?)", number)
            change.add(
                "hosted",
                id=number,
                project=project,
                plan=text,
                state=state,
                created_ms=change.at_ms,
                active_ms=0,
                seal="",
            )
        change.do(
            "UPDATE hosted SET plan = ?, seal = ?, branch = ?, work_tree = ?, state = ?, active_ms = ? WHERE id = ?",
            text,
            store.seal(project, text),
            place.branch,
            place.work_tree,
            state,
            change.at_ms,
            number,
        )
    return number


def hosted_entry(store: CampaignStore, number: int) -> HostedEntry | None:
    """The hosted session with that number, if it is one."""
    found = store.rows("SELECT * FROM hosted WHERE id = ?", number) if number <= NUMBER_MAX else []
    with store.understood():
        return _entry(store, found[0]) if found else None


def hosted_entries(store: CampaignStore, project: str | None, which: SessionFilter) -> list[HostedEntry]:
    """The hosted sessions of a project (None: of all) that the filter lets through, in its order."""
    where, order, values = which.clauses(cwd_column="work_tree")
    rows = store.rows(
        f"SELECT * FROM hosted WHERE (?1 IS NULL OR project = ?1) AND {where} ORDER BY {order}",  # noqa: S608
        project,
        *values,
    )
    with store.understood():
        return [_entry(store, row) for row in rows]


def adopt_hosted(store: CampaignStore) -> list[int]:
    """Take over the hosted sessions that are not our own; their numbers."""
    rows = [row for row in store.rows("SELECT * FROM hosted ORDER BY id") if not store.is_own(row)]
    if rows:
        with store.writing() as change:
            for row in rows:
                change.do("UPDATE hosted SET seal = ? WHERE id = ?", store.seal(row["project"], row["plan"]), row["id"])
    return [int(row["id"]) for row in rows]


def _entry(store: CampaignStore, row: sqlite3.Row) -> HostedEntry:
    data = json.loads(row["plan"])
    texts = [data[name] for name in ("target", "session", "journal", "config")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("the plan of a hosted session must have texts")
    names = ("id", "branch", "work_tree", "state", "created_ms", "active_ms")
    return HostedEntry(plan=HostedPlan(*texts), own=store.is_own(row), **{name: row[name] for name in names})


def refuse_foreign(entry: HostedEntry) -> None:
    """Raises `ConfigError` if a session is not known to be ours."""
    if not entry.own:
        raise ConfigError(
            f"session {entry.id} is not known to be yours (it came with the project or from another machine), so what it "
            f"names is not read; if it is: sim sessions --adopt, or sim resume {entry.id} --config FILE"
        )
