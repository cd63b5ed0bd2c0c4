"""Kills the parts of a hosted council at random moments, and looks whether what was promised holds all the same."""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.stand_ins import Agents
from sim.base.errors import SimError
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.host.host_log import faults_of, log_text
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Line
from sim.scenario import load_target
from tests.host.parts import CONFIG, PARTS, Council, errors_of, live
from tests.host.promises import not_arrived

NODES_MAX = 200_000
HERE = ("coordinator",)
"""The machines of the part whose sessions come to an end."""
INPUTS_MAX = 8
"""How many inputs a part takes at most between two kills of it."""
WAIT_S = 0.6
ROUNDS_MAX = 3
"""How many times as long as nothing may happen something may, without an end."""
SKEW_MS = 5
"""Both parts have one clock; how far apart what is one moment may be logged."""
SETTINGS = {key: str(list(value) if isinstance(value, tuple) else value).lower() for key, value in CONFIG.items()}


@dataclass
class Killed:
    """What came of it."""

    kills: int = 0
    decisions: int = 0
    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was promised and does not hold."""


def kill_at_random(
    folder: Path,
    *,
    kills: int,
    seed: int,
    sessions: int = 2,
    plant: str = "",
    journals: Callable[[str], str] | None = None,
    still_s: float = 60.0,
) -> Killed:
    """Host the council, kill a part of it so often, let it come to its end, and look."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.host.parts", "tests.host.planted"])
    where = {part: journals(part) if journals else str(folder / f"{part}.db") for part in PARTS}
    dice = random.Random(seed)
    with Agents(seed=seed) as agents:
        council = Council(str(folder), agents.url, where, tuple(f"s{n}" for n in range(1, sessions + 1)), plant)

        def begin(part: str) -> Any:
            process = context.Process(target=live, args=(council, part), daemon=True)
            process.start()
            return process

        running = {part: begin(part) for part in PARTS}
        watched = {part: _Watched(where[part]) for part in PARTS}
        found = Killed()
        try:
            for _ in range(kills):
                part = dice.choice(PARTS)
                watched[part].wait_for(dice.randint(0, INPUTS_MAX))
                time.sleep(dice.uniform(0, 0.01))
                running[part].kill()
                running[part].join()
                found.kills += 1
                running[part] = begin(part)
            if not _wait_until_over(council, running, watched, still_s):
                ended = [f"{part} ended with {one.exitcode}" for part, one in running.items() if not one.is_alive()]
                found.wrong.append(f"it hangs: {', '.join(ended) or 'not all sessions came to their end'}")
        finally:
            for one in watched.values():
                one.close()
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.join(10)
                if process.is_alive():
                    found.wrong.append("a part does not stop when it is told to")
                    process.kill()
                    process.join()
        found.wrong += errors_of(council)
        _look(council, agents, found)
    return found


class _Watched:
    """A journal, looked at while its host runs: a moment is so many inputs after another, however fast the machine is."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._journal: Journal | None = None

    def wait_for(self, inputs: int) -> None:
        """Wait until so many more inputs were taken; not much longer than a host needs to begin."""
        end = time.monotonic() + WAIT_S
        wanted = self.lines() + inputs
        while self.lines() < wanted and time.monotonic() < end:
            time.sleep(0.003)

    def lines(self) -> int:
        """How many there are."""
        try:
            self._journal = self._journal or open_journal(self._where, fresh=False)
            return int(self._journal.database.rows("SELECT max(n) FROM trace")[0][0] or 0)
        except SimError:
            return 0  # it is being made

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


def _wait_until_over(council: Council, running: dict[str, Any], watched: dict[str, _Watched], still_s: float) -> bool:
    """Whether all sessions come to their end; False if nothing happens for so long, or the same again and again."""
    before, end = 0, time.monotonic() + still_s
    last = time.monotonic() + ROUNDS_MAX * still_s
    while time.monotonic() < min(end, last) and all(process.is_alive() for process in running.values()):
        now = sum(one.lines() for one in watched.values())
        if now != before:
            before, end = now, time.monotonic() + still_s
        try:
            with open_journal(council.journals["coordinator"], fresh=False) as journal:
                states = [state for _, state, _, _ in journal.sessions().values()]
        except Exception:
            states = []
        if len(states) == len(council.sessions) and all(state == "over" for state in states):
            time.sleep(0.2)
            return True
        time.sleep(0.05)
    return False


# --- what was promised ------------------------------------------------------------------------------


def _look(council: Council, agents: Agents, found: Killed) -> None:
    journals = {part: open_journal(council.journals[part]) for part in PARTS}
    try:
        for session in council.sessions:
            if any(session not in journal.sessions() for journal in journals.values()):
                found.wrong.append(f"{session} never began")
                continue
            lines = {part: [*journal.trace(session)] for part, journal in journals.items()}
            found.wrong += [f"{session}: {wrong}" for wrong in _conforms(council, journals, session, lines)]
            nobody = HERE if journals["coordinator"].state_of(session) == "over" else ()
            found.wrong += [f"{session}: {wrong}" for wrong in not_arrived(journals.values(), session, nobody=nobody)]
            found.wrong += [f"{session}: {wrong}" for wrong in _artifacts(council, session, lines, found)]
        found.wrong += _paid(agents, journals["coordinator"], found)
    finally:
        for journal in journals.values():
            journal.close()


def _conforms(council: Council, journals: dict[str, Journal], session: str, lines: dict[str, list[Line]]) -> list[str]:
    """Both logs together are a path of the model, with the faults that struck."""
    paths = []
    for part, journal in journals.items():
        path = f"{council.folder}/{session}-{part}.jsonl"
        Path(path).write_text("".join(log_text(journal, session)))
        paths.append(path)
    faults = faults_of(line for part in lines.values() for line in part)
    target = load_target("models.consensus", SETTINGS, faults=faults or None)
    (run,) = read_logs(paths).runs.values()
    answer = Judging(target.system, skew_ms=SKEW_MS, max_nodes=NODES_MAX, hints=False).judge(run)
    return [] if answer.verdict == "ok" else [f"{answer.headline}: {'; '.join(answer.words)}"]


def _artifacts(council: Council, session: str, lines: dict[str, list[Line]], found: Killed) -> list[str]:
    """Each decision has one artifact, with the text of every answer that counted."""
    decided, counted = [], Counter[str]()
    for line in lines["coordinator"]:
        if "input" not in line.said:
            continue
        for put in line.said["outputs"]:
            emit = put.get("emit", {"name": ""})
            if emit["name"] == "Decided":
                decided.append(emit["fields"])
            if emit["name"] == "Counted" and "deliver" in line.said["input"]:
                arrival = line.said["input"]["deliver"]
                if arrival["message"] == "Response":
                    counted[f"{arrival['fields']['round']}"] += 1
    with sqlite3.connect(council.artifacts) as db:
        rows = db.execute("SELECT key, fields FROM artifact WHERE session = ?", (session,)).fetchall()
        texts = Counter(key for (key,) in db.execute("SELECT key FROM said WHERE text LIKE '% says OK to %'"))
    found.decisions += len(decided)
    wrong = []
    if len(rows) != len(decided):
        wrong.append(f"{len(decided)} decisions have {len(rows)} artifacts")
    for one in decided:
        mine = [key for key, fields in rows if json.loads(fields)["seq"] == one["seq"]]
        said = sum(texts[key] for key in mine)
        if len(mine) != 1 or said != counted[f"{one['round']}"]:
            wrong.append(
                f"decision {one['seq']} has {len(mine)} artifacts with {said} texts of {counted[str(one['round'])]} answers"
            )
    return wrong


def _paid(agents: Agents, journal: Journal, found: Killed) -> list[str]:
    """Whatever a provider made is in the journal: as an answer, or as a call that was cut off or failed."""
    called = {f"{journal.id}/{call[0]}" for session in journal.sessions() for call in journal.calls(session)}
    found.answers += sum(agents.paid.values())
    return [f"the answer to {key} was paid for, and nobody knows of it" for key in agents.paid if key not in called]
