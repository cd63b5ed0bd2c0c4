"""What a machine beyond its table leaves: the log up to there, and a scenario file that replays it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path

from sim.host.host_log import faults_of, log_text
from sim.host.hosted_session import BeyondTable
from sim.host.journal import Journal


def left_behind(
    journal: Journal,
    session: str,
    error: BeyondTable,
    folder: str | Path | None,
    model: str,
    tell: Callable[[str], None],
) -> list[str]:
    """The files that a machine beyond its table leaves: the log up to there, and a scenario that replays it, if a model
    that can be named explains it. What makes that is loaded only now: a host knows no graph."""
    if folder is None:
        return []
    name = re.sub(r"[^\w.-]+", "-", f"{model or 'host'}-{session}")
    log = Path(folder) / f"{name}.jsonl"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as file:
            file.writelines(log_text(journal, session, more=error.lines))
    except OSError as failed:
        tell(f"{log}: cannot be written: {failed.strerror}")
        return []
    lines = [*journal.trace(session), *error.lines]
    explain = importlib.import_module("sim.conform.beyond").leave_scenario
    config = journal.sessions()[session][0]
    scenario = explain(log, model, config, faults_of(lines)) if model else None
    return [str(log), *([str(scenario)] if scenario is not None else [])]
