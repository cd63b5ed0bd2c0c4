"""The trace of a session as a log that `sim conform` holds against the model, and the faults that struck in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sim.base.durations import show_duration
from sim.base.errors import ConfigError
from sim.host.journal import Journal
from sim.host.journal_records import Line
from sim.machine.codec import plain

FORMAT = 1
LABELS = ("run", "stage", "agent", "attempt")
"""What a log says of tokens that were used: for whom and for what. How many, the model does not say."""


def log_text(journal: Journal, session: str, *, more: Iterable[Line] = ()) -> Iterator[str]:
    """The log, line by line; `more` are lines that were not kept."""
    yield _head(journal, session)
    before = 0
    for part in (journal.trace(session), more):
        for line in part:
            if "input" in line.said:
                yield _json(log_line(journal, line, before))
                before = line.n


def _head(journal: Journal, session: str) -> str:
    config = journal.sessions()[session][0]
    return _json({"roundsim_log": FORMAT, **({"model": journal.model} if journal.model else {}), "config": config})


def log_line(journal: Journal, line: Line, before: int = 0) -> dict[str, Any]:
    """One line of the trace as a line of a log. Whatever one host does is in one order: each line comes after the one
    `before` it."""
    said = line.said
    given = {key: inner for key, inner in plain(said["input"]).items() if key != "reset_ms"}
    found: dict[str, Any] = {"process": line.process, "input": given}
    found["outputs"] = [_put(put) for put in said["outputs"]]
    for key in ("state", "fields"):
        if key in said:
            found[key] = plain(said[key])
    mine = journal.id[:8]
    found |= {"at": line.at_ms, "id": f"{mine}/{line.n}"}
    if before:
        found["cause"] = f"{mine}/{before}"
    return {**found, "run": line.session}


def _put(put: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = plain(put)
    if "emit" in inner and inner["emit"]["name"] == "Used":
        fields = inner["emit"]["fields"]
        inner["emit"]["fields"] = {name: fields[name] for name in LABELS}
    return inner


def faults_of(lines: Iterable[Line]) -> str:
    """The faults that struck, as a plan: what a model has to allow so that such a log can be a path of it."""
    struck: Counter[tuple[str, str, int | None]] = Counter()
    for line in lines:
        given = line.said.get("input", {})
        if "crash" in given:
            struck["crash", line.process, None] += 1
        elif "fault" in given:
            struck[given["fault"], given["from"], given.get("reset_ms")] += 1
    return ",".join(
        f"{kind}:{count}@{target}{'' if hint is None else f'({show_duration(hint)})'}"
        for (kind, target, hint), count in struck.items()
    )


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")) + "\n"


def check_log(path: str) -> None:
    """Raises `ConfigError` if no log can be written there. What is there stays."""
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: OSError) -> ConfigError:
    return ConfigError(f"{path}: the log cannot be written: {error.strerror}")


class LogFile:
    """The log of a session in a file, while it goes on. It is written anew from the journal: what a killed host has left of
    it is of no use."""

    def __init__(self, journal: Journal, session: str, path: str) -> None:
        self._journal, self._session, self.path = journal, session, path
        self._seen = self._before = 0
        """The last line that was looked at, and the last that was written."""
        self._begun = False

    def catch_up(self) -> None:
        """Write what was done since. Raises `ConfigError` if the file cannot be written."""
        journal = self._journal
        try:
            with open(self.path, "a" if self._begun else "w", encoding="utf-8") as file:
                if not self._begun:
                    file.write(_head(journal, self._session))
                    self._begun = True
                for line in journal.trace(self._session, self._seen):
                    self._seen = line.n
                    if "input" in line.said:
                        file.write(_json(log_line(journal, line, self._before)))
                        self._before = line.n
        except OSError as error:
            raise _unwritable(self.path, error) from None


def line_words(line: Line) -> str:
    """A line of the trace for whoever follows it."""
    said = line.said
    at = datetime.fromtimestamp(line.at_ms / 1000).strftime("%H:%M:%S")
    given = plain(said["input"])
    if "deliver" in given or "fault" in given:
        arrival = given.get("deliver", given)
        fields = ", ".join(f"{name}={value}" for name, value in (arrival.get("fields") or {}).items())
        struck = f"{given['fault']} in place of " if "fault" in given else ""
        what = f"{struck}{arrival['message']}({fields}) from {arrival['from']}"
    else:
        (kind, inner), *_ = given.items()
        what = kind if inner is True else f"{kind} {inner}"
    puts = [
        f"{put['send']['message']} to {put['send']['to']}" if "send" in put else put["emit"]["name"]
        for put in said["outputs"]
    ]
    became = f" -> {said['state']}" if "state" in said else ""
    return f"{at} {line.process}: {what}{became}{'; ' + ', '.join(puts) if puts else ''}"
