"""Runs a scenario again with everything different that must not matter, and names the first divergence.

A handler that reads the clock, `random`, the hash seed or an address in memory may be consistent within
one process, because its answers are remembered. So the run is repeated in fresh processes with empty
tables, other `PYTHONHASHSEED`s, clocks that are hours off, another folder, environment and host name; and there every
handler runs several times for each input, and must always answer the same.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim.base import printing
from sim.base.errors import NondeterminismError, SimError
from sim.base.values import Record, show
from sim.machine.handler import Decide, Handler, Local, Outcome
from sim.machine.table import Trigger, trigger_name
from sim.run.elsewhere import arrive, start
from sim.run.of_scenario import simulate_scenario
from sim.run.trace import Trace
from sim.scenario import Scenario, load_scenario
from sim.scenario.models import listed_models

MACHINES = (1, 2, 3)
"""The machines that a run is repeated on; each has its number as `PYTHONHASHSEED`."""
REHEARSALS = 6
TIMEOUT_S = 600


@dataclass(frozen=True)
class RunRequest:
    """A scenario as the command line gave it, to be loaded again elsewhere."""

    path: str
    overrides: Mapping[str, str]
    faults: str | None
    seed: int | None
    allow: tuple[str, ...]
    faults_from: str = "--faults"
    """What gave the plan, for the words of a mistake."""

    def load(self) -> Scenario:
        """Read the scenario; raises `ScenarioError`."""
        return load_scenario(
            self.path,
            overrides=self.overrides,
            faults=self.faults,
            faults_from=self.faults_from,
            seed=self.seed,
            allow=self.allow,
        )


def fingerprints(trace: Trace) -> list[str]:
    """One text a line of the canonical form: what the step is, and a hash of all it did."""
    texts = ["the initial state", *(str(action.address) for _, action in trace.steps), "the final state"]
    times = [None, *(time for time, _ in trace.steps), None]
    return [
        f"{'' if time is None else f'at {time}ms '}{text}  {sha256(line).hexdigest()[:16]}"
        for text, time, line in zip(texts, times, trace.lines(), strict=True)
    ]


def verify(request: RunRequest, trace: Trace, *, shifted: bool = True) -> None:
    """Raises `NondeterminismError` with the place of the first divergence if a run elsewhere differs. Clocks are `shifted`
    there, but for a program, whose clocks are its run's."""
    ours = fingerprints(trace)
    given = {
        **vars(request),
        "path": os.path.abspath(request.path) if os.path.exists(request.path) else request.path,
        "overrides": dict(request.overrides),
        "allow": [*request.allow, *listed_models()[0]],
        "shifted": shifted,
    }
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started = [(n, start("sim.run.verify", {"machine": n, **given}, Path(folder), n)) for n in MACHINES]
        answers = [(n, *child.communicate(timeout=TIMEOUT_S), child.returncode) for n, child in started]
    for seed, told, wrong, code in answers:
        if code != 0:
            raise NondeterminismError(
                f"{request.path}: a run in a fresh process (PYTHONHASHSEED={seed}, another folder and environment) failed: {wrong.strip()}"
            )
        answer: dict[str, Any] = json.loads(told)
        if "unsteady" in answer:
            raise NondeterminismError(*answer["unsteady"])
        _compare(request.path, ours, answer["lines"], seed)


def _compare(path: str, ours: list[str], theirs: list[str], hash_seed: int) -> None:
    for number, (first, second) in enumerate(zip(ours, theirs, strict=False)):
        if first != second:
            raise NondeterminismError(
                f"{path}: the runs differ from step {number} on",
                f"  first:  {first}",
                f"  second: {second}  (in a fresh process with PYTHONHASHSEED={hash_seed}, in another folder, with a shifted clock)",
                _CAUSE,
            )
    if len(ours) != len(theirs):
        raise NondeterminismError(f"{path}: one run has {len(ours) - 2} steps, the other {len(theirs) - 2}", _CAUSE)


_CAUSE = (
    "  usual cause: a handler reads a clock, `random`, the machine or its environment, or iterates over a set; "
    "draw with self.choose, use timers, sort"
)


class Rehearsing(Handler):
    """Runs every handler several times and compares the answers."""

    def react(
        self,
        local: Local,
        trigger: Trigger,
        given: Record | None = None,
        sender: str = "",
        decide: Decide | None = None,
    ) -> list[Outcome] | None:
        first = super().react(local, trigger, given, sender, decide)
        for _ in range(REHEARSALS):
            again = super().react(local, trigger, given, sender, decide)
            if _text(again) != _text(first):
                what = show(given) if given is not None else trigger_name(trigger)
                raise NondeterminismError(
                    f"{self.name} does not always take {what} the same way in state {local.state}",
                    f"  first:  {_text(first)}",
                    f"  second: {_text(again)}",
                    _CAUSE,
                )
        return first


def _text(outcomes: list[Outcome] | None) -> str:
    return "not enabled" if outcomes is None else "; ".join(show(tuple(map(str, outcome[:4]))) for outcome in outcomes)


def _child() -> None:
    """What runs in the fresh process: one request on standard input, one answer on standard output."""
    given = json.loads(sys.stdin.readline())
    arrive(given.pop("machine"), shifted=given.pop("shifted"))
    request = RunRequest(**{**given, "allow": tuple(given["allow"])})
    try:
        scenario = request.load()
        run = simulate_scenario(scenario, scenario.system.world(Rehearsing))
        answer: dict[str, Any] = {"lines": fingerprints(run.trace)}
    except NondeterminismError as error:
        answer = {"unsteady": error.mistakes}
    except SimError as error:
        sys.exit("; ".join(error.mistakes))
    printing.out(json.dumps(answer))


if __name__ == "__main__":
    _child()
