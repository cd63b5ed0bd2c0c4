"""Sessions in a store: created, listed by branch, and their chunks recorded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sim.base.errors import ConfigError
from sim.campaign.campaign_plan import CampaignPlan, system_of
from sim.campaign.code import Code
from sim.campaign.store import CampaignStore
from sim.campaign.worker import ChunkOutcome
from sim.fuzzer.coverage import CoverageData
from sim.fuzzer.discovery import Discovery
from sim.minimiser.counterexample import Counterexample
from sim.scenario import Target
from sim.sessions.git import GitPlace
from sim.sessions.session_filter import SessionFilter
from sim.sessions.store_file import now_ms
from sim.world.finding import Finding

NUMBER_MAX = 2**63 - 1
"""The largest integer of SQLite."""


EVERY = SessionFilter()


@dataclass(frozen=True)
class Session:
    """A campaign as it is kept."""

    id: int
    plan: CampaignPlan
    system: str
    branch: str | None
    """Where it was last active."""
    work_tree: str | None
    state: str
    """`open`; `stopped` at a violation; `done`, all of its schedules or all of its time."""
    seconds: float
    """How long it has run in total."""
    created_ms: int
    active_ms: int
    schedules: int
    findings: int
    """Kinds of violation that were found: property and shape of the counterexample."""
    own: bool
    """Whether it was begun or adopted by us, in this store; else nothing that it names is imported."""

    def load(self) -> Target:
        """What its plan names. Raises `ConfigError` if the session is not our own."""
        if not self.own:
            raise ConfigError(
                f"session {self.id} is not known to be yours (it came with the project or from another machine, was "
                "moved, or is of an earlier roundsim), so its model is not imported; if it is: sim sessions --adopt"
            )
        return self.plan.load()

    @property
    def is_finished(self) -> bool:
        return self.state != "open"

    @property
    def age_ms(self) -> int:
        """Time since it was last active."""
        return max(0, now_ms() - self.active_ms)


@dataclass(frozen=True)
class Part:
    """The share of a session that was run with one version of the code."""

    id: int
    version: str
    code: str
    branch: str | None
    commit: str | None
    dirty: bool | None
    created_ms: int

    @property
    def shown(self) -> str:
        """The code, for people: `commit 1a2b3c4d, with changes`."""
        if self.commit is None:
            return f"no commit, code {self.code[:8]}"
        return f"commit {self.commit[:8]}" + (", with changes" if self.dirty else "")


_COUNTING = """
    session = id AND (
        json_extract(plan, '$.keep_going')
        OR first <= coalesce((SELECT min(first) FROM finding WHERE session = id), first)
    )
"""
"""What counts of a session: nothing after a first violation that ends it."""
_SESSIONS = f"""
    SELECT session.*,
        (SELECT coalesce(sum(schedules), 0) FROM chunk WHERE {_COUNTING}) AS schedules,
        (SELECT count(DISTINCT property || '/' || shape) FROM finding WHERE {_COUNTING}) AS findings
    FROM session
"""  # noqa: S608


def begin(store: CampaignStore, project: str, plan: CampaignPlan, target: Target, place: GitPlace) -> Session:
    """A new session of what `plan` loads."""
    text = plan.to_json()
    seal = store.seal(project, text)
    with store.writing() as change:
        made = change.add(
            "session",
            project=project,
            plan=text,
            seal=seal,
            system=system_of(target, project),
            branch=place.branch,
            work_tree=place.work_tree,
            created_ms=change.at_ms,
            active_ms=change.at_ms,
        )
    return session(store, made)


def session(store: CampaignStore, number: int) -> Session:
    """The session with that number. Raises `ConfigError` if it is not found."""
    found = store.rows(f"{_SESSIONS} WHERE id = ?", number) if number <= NUMBER_MAX else []
    if not found:
        raise ConfigError(f"session {number} not found; sim sessions --all lists them")
    with store.understood():
        return _session(store, found[0])


def sessions(store: CampaignStore, project: str | None, which: SessionFilter = EVERY) -> list[Session]:
    """The sessions of a project (None: of all) that the filter lets through, in its order; a campaign's folder is its work
    tree."""
    where, order, values = which.clauses(cwd_column="work_tree")
    found = store.rows(
        f"{_SESSIONS} WHERE (?1 IS NULL OR project = ?1) AND {where} ORDER BY {order}",
        project,
        *values,
    )
    with store.understood():
        return [_session(store, row) for row in found]


def adopt(store: CampaignStore, *, unsealed: bool = False) -> list[int]:
    """Take over the sessions that are not our own; if `unsealed`, only those of an earlier roundsim. Their numbers."""
    taken = [
        (store.seal(row["project"], row["plan"]), row["id"])
        for row in store.rows("SELECT id, project, plan, seal FROM session ORDER BY id")
        if not (row["seal"] and unsealed) and not store.is_own(row)
    ]
    if taken:
        with store.writing() as change:
            for seal, number in taken:
                change.do("UPDATE session SET seal = ? WHERE id = ?", seal, number)
    return [number for _, number in taken]


def _session(store: CampaignStore, row: sqlite3.Row) -> Session:
    names = ("id", "system", "branch", "work_tree", "state", "seconds", "created_ms", "active_ms")
    kept = {name: _cell(row, name) for name in (*names, "schedules", "findings")}
    return Session(
        plan=CampaignPlan.from_json(row["plan"]),
        own=store.is_own(row),
        **kept,
    )


_MAYBE_TEXT = (str, type(None))
_CELLS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "schedules", "findings", "created_ms", "active_ms"), (int,)),
    **dict.fromkeys(("system", "state", "version", "code"), (str,)),
    **dict.fromkeys(("branch", "work_tree", "commit_id"), _MAYBE_TEXT),
    "seconds": (int, float),
}


def _cell(row: sqlite3.Row, name: str) -> Any:
    """A value of a row. Raises `TypeError` or `ValueError` for one that we cannot have written: in a damaged file a
    column holds anything."""
    value: Any = row[name]
    if not isinstance(value, _CELLS[name]):
        raise TypeError(f"{name} is {type(value).__name__}")
    if isinstance(value, int) and name.endswith("_ms"):
        datetime.fromtimestamp(int(row[name]) / 1000, UTC)
    return value


# --- parts ------------------------------------------------------------------------------------------


def parts(store: CampaignStore, number: int) -> list[Part]:
    """The parts of a session, in order."""
    found = store.rows("SELECT * FROM part WHERE session = ? ORDER BY id", number)
    with store.understood():
        return [_part(row) for row in found]


def _part(row: sqlite3.Row) -> Part:
    dirty = None if row["dirty"] is None else bool(row["dirty"])
    names = ("id", "version", "code", "branch", "created_ms")
    return Part(commit=_cell(row, "commit_id"), dirty=dirty, **{name: _cell(row, name) for name in names})


def go_on(store: CampaignStore, number: int, version: str, code: Code, place: GitPlace) -> Part:
    """The current part: the one with this code, or a new one."""
    with store.writing() as change:
        change.do(
            "UPDATE session SET branch = ?, work_tree = ?, active_ms = ? WHERE id = ?",
            place.branch,
            place.work_tree,
            change.at_ms,
            number,
        )
        same = change.rows("SELECT * FROM part WHERE session = ? AND code = ?", number, code.digest)
        if same:
            return _part(same[0])
        made = change.add(
            "part",
            session=number,
            version=version,
            code=code.digest,
            branch=place.branch,
            commit_id=place.commit,
            dirty=None if place.dirty is None else int(place.dirty),
            created_ms=change.at_ms,
        )
        (row,) = change.rows("SELECT * FROM part WHERE id = ?", made)
    return _part(row)


# --- chunks -----------------------------------------------------------------------------------------


def done(store: CampaignStore, number: int) -> dict[int, int]:
    """The sizes of the chunks that are done, by their first numbers."""
    found = store.rows("SELECT first, size FROM chunk WHERE session = ? ORDER BY first", number)
    return {row["first"]: row["size"] for row in found}


def record(
    store: CampaignStore,
    session: Session,
    part: Part,
    outcome: ChunkOutcome,
    texts: Iterable[str],
    place: GitPlace,
    seconds: float,
) -> None:
    """A chunk is done: its whole result is kept, or nothing. `texts` are the scenarios of its findings,
    `seconds` how long the session has run."""
    with store.writing() as change:
        change.add(
            "chunk",
            session=session.id,
            first=outcome.first,
            size=outcome.size,
            part=part.id,
            schedules=outcome.schedules,
            steps=outcome.steps,
            cut_short=outcome.cut_short,
            seconds=outcome.seconds,
            sample=outcome.sample.to_json(),
            coverage=pack(outcome.coverage),
        )
        for found, text in zip(outcome.found, texts, strict=True):
            shape = json.dumps(found.counterexample.shape, ensure_ascii=False)
            change.add(
                "finding",
                session=session.id,
                first=outcome.first,
                number=found.number,
                property=found.property,
                shape=shape,
                found=discovery_text(found),
                scenario=text,
            )
            change.do(
                "INSERT INTO known (system, property, shape, scenario, session, code, commit_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "(scenario, session, code, commit_id, state) = "
                "(excluded.scenario, excluded.session, excluded.code, excluded.commit_id, excluded.state) "
                "WHERE state <> 'violated'",  # a violation that still stands is kept
                session.system,
                found.property,
                shape,
                text,
                session.id,
                part.code,
                part.commit,
            )
        change.do(
            "UPDATE session SET branch = ?, work_tree = ?, active_ms = ?, seconds = ? WHERE id = ?",
            place.branch,
            place.work_tree,
            change.at_ms,
            seconds,
            session.id,
        )


def end(store: CampaignStore, number: int, state: str, seconds: float) -> None:
    """The session has come to its end, or is open again."""
    with store.writing() as change:
        change.do(
            "UPDATE session SET state = ?, seconds = ?, active_ms = ? WHERE id = ?",
            state,
            seconds,
            change.at_ms,
            number,
        )


def discovery_text(found: Discovery) -> str:
    """A discovery as it is kept. The keys are a contract: stores outlive versions."""
    least = found.counterexample
    told = {
        "violated": least.property,
        "message": least.message,
        "schedule": least.schedule,
        "words": least.words,
        "actions": least.steps,
        "deviations": least.deviations,
        "complete": least.complete,
    }
    how = {name: getattr(found, name) for name in _HOW}
    return json.dumps({"told": told, "shape": least.shape, **how}, ensure_ascii=False)


def discovery_from(text: str) -> Discovery:
    """What `discovery_text` told. Raises `KeyError` and the like for anything else."""
    data: dict[str, Any] = json.loads(text)
    told = data["told"]
    least = Counterexample(
        finding=Finding(told["violated"], told["message"]),
        schedule=tuple(told["schedule"]),
        words=tuple(told["words"]),
        steps=told["actions"],
        deviations=told["deviations"],
        complete=told["complete"],
        shape=tuple(data["shape"]),
    )
    return Discovery(least, **{name: data[name] for name in _HOW})


_HOW = ("strategy", "seed", "number", "steps", "times")
"""What is kept of a discovery besides its counterexample."""


# --- coverage ---------------------------------------------------------------------------------------


def pack(coverage: CoverageData) -> bytes:
    """A coverage as it is stored: a line of JSON, then the fingerprints, then a byte for each."""
    head = {name: value for name, value in coverage._asdict().items() if name not in ("prints", "once")}
    return json.dumps(head).encode() + b"\n" + coverage.prints + coverage.once


def unpack(data: bytes) -> CoverageData:
    """What `pack` packed. Raises `ValueError` and the like for anything else."""
    line, _, rest = data.partition(b"\n")
    head = {"sizes": (), **json.loads(line)}  # earlier versions did not store sizes
    count, odd = divmod(len(rest), 9)
    if odd:
        raise ValueError(f"a coverage has {odd} bytes too many")
    pairs = {name: tuple(map(tuple, head[name])) for name in ("taken", "sizes")}
    return CoverageData(rest[: 8 * count], rest[8 * count :], **{**head, **pairs, "held": tuple(head["held"])})
