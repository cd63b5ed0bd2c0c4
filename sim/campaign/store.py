"""The store that campaigns are kept in: their tables, and whose a session is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sim.campaign.maker import Maker
from sim.sessions.store_file import StoreFile

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        plan TEXT NOT NULL,
        system TEXT NOT NULL,
        branch TEXT,
        work_tree TEXT,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stopped', 'done')),
        seconds REAL NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        active_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX session_of_branch ON session (project, branch, active_ms);

    CREATE TABLE part (
        id INTEGER PRIMARY KEY,
        session INTEGER NOT NULL REFERENCES session,
        version TEXT NOT NULL,
        code TEXT NOT NULL,
        branch TEXT,
        commit_id TEXT,
        dirty INTEGER,
        created_ms INTEGER NOT NULL,
        coverage BLOB
    ) STRICT;
    CREATE INDEX part_of_session ON part (session);

    CREATE TABLE chunk (
        session INTEGER NOT NULL REFERENCES session,
        first INTEGER NOT NULL CHECK (first >= 0),
        size INTEGER NOT NULL CHECK (size > 0),
        part INTEGER NOT NULL REFERENCES part,
        schedules INTEGER NOT NULL,
        steps INTEGER NOT NULL,
        cut_short INTEGER NOT NULL,
        seconds REAL NOT NULL,
        sample TEXT NOT NULL,
        coverage BLOB,
        PRIMARY KEY (session, first)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE finding (
        session INTEGER NOT NULL,
        first INTEGER NOT NULL,
        number INTEGER NOT NULL,
        property TEXT NOT NULL,
        shape TEXT NOT NULL,
        found TEXT NOT NULL,
        scenario TEXT NOT NULL,
        PRIMARY KEY (session, first, number),
        FOREIGN KEY (session, first) REFERENCES chunk
    ) STRICT;

    CREATE TABLE known (
        id INTEGER PRIMARY KEY,
        system TEXT NOT NULL,
        property TEXT NOT NULL,
        shape TEXT NOT NULL,
        scenario TEXT NOT NULL,
        session INTEGER NOT NULL REFERENCES session,
        state TEXT NOT NULL DEFAULT 'violated' CHECK (state IN ('violated', 'fixed', 'unfit')),
        code TEXT NOT NULL,
        commit_id TEXT,
        UNIQUE (system, property, shape)
    ) STRICT;
    """,
    "ALTER TABLE session ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE hosted (
        id INTEGER PRIMARY KEY,
        project TEXT NOT NULL,
        plan TEXT NOT NULL,
        branch TEXT,
        work_tree TEXT,
        state TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        active_ms INTEGER NOT NULL,
        seal TEXT NOT NULL
    ) STRICT;
    """,
)
"""Scripts that migrate a store from version k to k + 1; `user_version` is its version."""


class CampaignStore(StoreFile):
    """An open store of campaigns; without a maker, nobody's."""

    tables = ("session", "part", "chunk")

    def __init__(self, file: Path, migrations: Sequence[str] = MIGRATIONS, *, maker: Maker | None = None) -> None:
        self._maker, self._place = maker, str(file.resolve())
        super().__init__(file, migrations)

    def seal(self, project: str, plan: str) -> str:
        """The seal of a session in this store, which says that its maker is ours; empty in a store without a maker."""
        return "" if self._maker is None else self._maker.seal(self._place, project, plan)

    def is_own(self, row: sqlite3.Row) -> bool:
        """Whether we made the session that a row holds, here."""
        return self._maker is not None and self._maker.has_sealed(row["seal"], self._place, row["project"], row["plan"])
