"""Artifacts in a file of SQLite, for its owner alone: a row for each, which is inserted or found, and never changed."""

from __future__ import annotations

import json
from pathlib import Path

from sim.host.artifact import KEY_FIELDS, Artifact, ArtifactKeeper, Key, refuse_other
from sim.host.sqlite_file import SqliteFile

TABLES = (
    """
    CREATE TABLE artifact (
        key TEXT PRIMARY KEY, session TEXT NOT NULL, sender TEXT NOT NULL, message TEXT NOT NULL, fields TEXT NOT NULL,
        digest TEXT NOT NULL
    ) STRICT;
    CREATE TABLE said (
        key TEXT NOT NULL REFERENCES artifact, number INTEGER NOT NULL, message TEXT NOT NULL, fields TEXT NOT NULL,
        hash TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (key, number)
    ) STRICT
    """,
)


class _File(SqliteFile):
    tables = ("artifact", "said")  # type: ignore[assignment] # any number of them

    def _advice(self, name: str) -> str:
        return super()._advice(name).replace("a journal", "a file of artifacts").replace("journaled", "written")


class ArtifactFile(ArtifactKeeper):
    """Writes artifacts into a file of SQLite: a row of `artifact` for each, and one of `said` for each text. The file is made
    if it is not there. Raises `ConfigError` if it is not ours alone, or a database of another program."""

    def __init__(self, path: str | Path, key: Key = KEY_FIELDS) -> None:
        super().__init__(key)
        self.path = Path(path)
        _File(self.path, TABLES).close()

    def __repr__(self) -> str:
        return f"ArtifactFile({str(self.path)!r})"

    def write(self, artifact: Artifact) -> None:
        with _File(self.path, TABLES) as file, file.writing() as change:  # in a thread: its own connection
            found = change.rows("SELECT digest FROM artifact WHERE key = ?", artifact.key)
            if found:
                if found[0][0] != artifact.digest:
                    raise refuse_other(artifact, str(self.path))
                return
            whole = (artifact.key, artifact.session, artifact.sender, artifact.message, _json(artifact.fields))
            change.do("INSERT INTO artifact VALUES (?, ?, ?, ?, ?, ?)", *whole, artifact.digest)
            for number, one in enumerate(artifact.texts):
                said = (one["message"], _json(one["fields"]), one["hash"], _stored(one["text"]))
                change.do("INSERT INTO said VALUES (?, ?, ?, ?, ?, ?)", artifact.key, number, *said)


def _json(data: object) -> str:
    return _stored(json.dumps(data, ensure_ascii=False))


def _stored(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
