"""The status of a run: of one that was just made, or of the record of one (what `sim run --json` printed)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sim.base.durations import show_duration
from sim.base.errors import ScenarioError, SimError
from sim.metrics.checked import MetricsError
from sim.metrics.export import collect, to_openmetrics, to_otel
from sim.metrics.of_run import RunMetrics
from sim.metrics.session import SessionMetrics
from sim.report.metrics import (
    cost_words,
    detail_lines,
    session_lines,
    session_standing,
    wasted_words,
    wrong_words,
)
from sim.report.outcome import JudgedRun
from sim.report.standing import NOTHING, Standing
from sim.run.metering import meter

KEYS = ("scenario", "model", "verdict", "as_expected", "seed", "digest", "steps", "time_ms")
"""What a status says about the run itself; the same keys as in `sim run --json`."""


@dataclass(frozen=True)
class RunStatus:
    """A run's metrics, and which run it was: the values of `KEYS`."""

    run: Mapping[str, Any]
    metrics: RunMetrics
    wrong: tuple[str, ...] = ()
    """What was violated against what the file expects, and what it missed."""
    replay: str = ""
    """The command that runs it again."""

    @property
    def standing(self) -> Standing:
        """The answers that every status gives."""
        run = self.run
        expected = "as expected" if run["as_expected"] else "NOT as expected"
        after = "" if run["time_ms"] is None else f" and {show_duration(run['time_ms'])}"
        return Standing(
            f"{run['scenario']}: {run['model']}, seed {run['seed']}",
            f"{run['verdict']}, {expected}, after {run['steps']} steps{after}",
            cost_words(self.metrics),
            wasted_words(self.metrics.wasted()) if not self.metrics.is_empty else NOTHING,
            (*self.wrong, *wrong_words(self.metrics)),
            (f"each step of it: {self.replay}",) if self.replay else (),
        )

    @property
    def as_expected(self) -> bool:
        return bool(self.run["as_expected"])

    def lines(self) -> Iterator[str]:
        """What else there is about its metrics."""
        return detail_lines(self.metrics)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**self.run, "standing": self.standing.as_dict(), "metrics": self.metrics.as_dict()}

    def openmetrics(self) -> str:
        """OpenMetrics 1.0 text."""
        return to_openmetrics(self.metrics.metrics())

    def otel(self) -> str:
        """OpenTelemetry's metrics as the JSON that the SDK makes of them; virtual time 0 is the epoch.
        Raises `MetricsError` if the SDK is not installed."""
        begin_ns = (self.metrics.settings.as_of - _UNIX_EPOCH) // timedelta(microseconds=1) * 1000
        end_ns = begin_ns + (self.run["time_ms"] or 0) * 1_000_000
        data = to_otel(self.metrics.metrics(), start_unix_ns=begin_ns, end_unix_ns=end_ns)
        text: str = data.to_json(indent=2)
        return text


@dataclass(frozen=True)
class SessionStatus:
    """The metrics of a program's session: a file that holds what `SessionMetrics.to_dict` gave."""

    name: str
    session: SessionMetrics
    as_expected: bool = True

    @property
    def standing(self) -> Standing:
        """The answers that every status gives."""
        return session_standing(self.session, self.name)

    def lines(self) -> Iterator[str]:
        """What else there is about it."""
        return session_lines(self.session)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        standing = self.standing.as_dict()
        return {"session": self.name, "standing": standing, "metrics": self.session.snapshot().as_dict()}

    def openmetrics(self) -> str:
        """OpenMetrics 1.0 text."""
        return to_openmetrics(collect(self.session.snapshot()))

    def otel(self) -> str:
        """Raises `MetricsError`: OpenTelemetry's data has instants."""
        raise MetricsError(f"{self.name}: a session does not say when it was, as otel must; use --format openmetrics")


Status = RunStatus | SessionStatus

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def status_of_outcome(outcome: JudgedRun, data: Mapping[str, Any]) -> RunStatus:
    """The status of a run that was made now; `data` is its `run_data`."""
    metrics = outcome.metrics or meter(outcome.run.trace, outcome.scenario.metrics)
    return RunStatus({key: data[key] for key in KEYS}, metrics, _wrong(data), data["replay"])


def _wrong(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run's record says was missed, and what was violated though nobody expected it."""
    missed, violation = data.get("missed"), data.get("violation")
    found = [text for text in missed if isinstance(text, str)] if isinstance(missed, list) else []
    if isinstance(violation, Mapping) and not data["as_expected"]:
        found.insert(0, f"VIOLATED {violation.get('property')}: {violation.get('message')}")
    return tuple(found)


def read_record(text: str, name: str) -> list[Status]:
    """The runs of a record: the text that `sim run --json` printed, of one run or several; or the session of a program.

    Their metrics are summed again from their turns. Raises `ScenarioError` that names the file if it is not such a
    record, or if its sums were changed.
    """
    try:
        data = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ScenarioError(
            f"{name}: is not JSON ({error}); name a file that `sim run --json` printed, or the to_dict of a SessionMetrics"
        ) from None
    if not _is_text(data):
        raise ScenarioError(f"{name}: contains a lone surrogate; our records never do")
    if isinstance(data, dict) and "kind" in data:
        try:
            return [SessionStatus(name, SessionMetrics.from_dict(data))]
        except SimError as error:
            raise ScenarioError(*(f"{name}: {mistake}" for mistake in error.mistakes)) from None
    runs = data.get("runs", [data]) if isinstance(data, dict) else None
    if not isinstance(runs, list) or not runs:
        raise ScenarioError(f"{name}: is not the record of a run; name a file that `sim run --json` printed")
    return [_read_run(run, name) for run in runs]


def _is_text(data: object) -> bool:
    """Whether all strings in it can be printed: JSON can spell lone surrogates, UTF-8 cannot."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


_TYPES: dict[str, tuple[type, ...]] = {
    "scenario": (str,),
    "model": (str,),
    "verdict": (str,),
    "as_expected": (bool,),
    "seed": (int,),
    "digest": (str,),
    "steps": (int,),
    "time_ms": (int, type(None)),
}


def _read_run(run: object, name: str) -> RunStatus:
    if not isinstance(run, dict) or any(type(run.get(key, ...)) not in _TYPES[key] for key in KEYS):
        raise ScenarioError(f"{name}: is not the record of a run; name a file that `sim run --json` printed")
    metrics = run.get("metrics")
    if not isinstance(metrics, dict) or not metrics.get("enabled"):
        raise ScenarioError(f"{name}: the run was not measured; record it again without --no-metrics")
    try:
        replay = run.get("replay")
        shown = {key: run[key] for key in KEYS}
        return RunStatus(shown, RunMetrics.from_dict(metrics), _wrong(run), replay if isinstance(replay, str) else "")
    except SimError as error:
        raise ScenarioError(*(f"{name}: {mistake}" for mistake in error.mistakes)) from None
