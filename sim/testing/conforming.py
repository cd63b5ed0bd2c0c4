"""What the fixture `conforms` of the pytest plugin is: a log that is not a path of its model fails the test, with the
line at which they part."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sim.base.errors import ConfigError
from sim.base.printing import printable
from sim.base.values import describe
from sim.conform.conformance import JudgedLog, Judging, judge_runs
from sim.conform.explanation_file import write_explanation
from sim.conform.listening import Listener
from sim.conform.logged import Logged, read_logs
from sim.conform.recorder import Recorder
from sim.conform.search import MAX_NODES
from sim.scenario import Target
from sim.scenario.config import Refusal, signature_of
from sim.scenario.models import import_model
from sim.system.declaration import Declaration
from sim.testing.under_test import Model, kept_at, target_of

Logs = str | os.PathLike[str] | Recorder | Sequence[str | os.PathLike[str]]


class ConformFailure(AssertionError):
    """What a program did is not a path of its model."""


class Conforms:
    """The fixture `conforms`. `folder` is where explanations go, `test` names the test."""

    def __init__(self, folder: Path, test: str) -> None:
        self.folder = folder
        self.test = test

    def __call__(
        self,
        log: Logs,
        model: Model,
        *,
        faults: str | None = None,
        network: str | None = None,
        skew_ms: int | None = None,
        max_nodes: int = MAX_NODES,
        monitors_only: bool = False,
        **config: Any,
    ) -> list[JudgedLog]:
        """Hold `log` (a file, several, or a `Recorder`, which is flushed) against `model`, which is given as `explore`
        takes it. Returns what is said of each run; fails the test at the first that does not conform, and where a bound
        was hit."""
        __tracebackhide__ = True
        logged = read_logs(_paths(log))
        given = config if isinstance(model, Declaration) else {**_configured(logged, model), **config}
        target = target_of(model, given, {"faults": faults, "network": network}, "conforms")
        if logged.model not in (None, target.model) and target.model:
            raise ConfigError(f"the log is of {logged.model}, not of {target.model}; pass {logged.model!r}")
        runs = list(logged.runs.values())
        if monitors_only:
            listener = Listener(target.declaration)
            answers = [listener.judge(run) for run in runs]
        else:
            answers = judge_runs(Judging(target.declaration, skew_ms, max_nodes, hints=False), runs)
        for answer in answers:
            if answer.verdict != "ok":
                raise ConformFailure("\n".join(map(printable, self._told(answer, target))))
        return answers

    def _told(self, answer: JudgedLog, target: Target) -> list[str]:
        lines = [answer.headline, *answer.words]
        if answer.schedule is not None and target.model:
            path = kept_at(self.folder, self.test, f"log-{answer.run}" if answer.run else "log")
            lines.append(f"replay what is explained with: {write_explanation(path, target, answer).replay}")
        return lines


def _paths(log: Logs) -> list[str]:
    __tracebackhide__ = True
    if isinstance(log, Recorder):
        log.flush()
        if not log.on:
            raise ConfigError("conforms() got a Recorder without a path, which records nothing; give it a path")
        return log.paths
    if isinstance(log, str | os.PathLike):
        return [os.fspath(log)]
    if not isinstance(log, Sequence) or not log or not all(isinstance(one, str | os.PathLike) for one in log):
        raise ConfigError(f"conforms() got {describe(log)}; pass the file of a log, several, or a Recorder")
    return [os.fspath(one) for one in log]


def _configured(logged: Logged, model: Any) -> Mapping[str, Any]:
    """The configuration in the header of the log, as this model takes it."""
    __tracebackhide__ = True
    if not logged.config:
        return {}
    function = import_model(model, {model}).system if isinstance(model, str) else model
    if not inspect.isfunction(function):
        return {}
    parameters = signature_of("system()", SimpleNamespace(system=function)).parameters  # type: ignore[arg-type]
    found = {}
    for key, value in logged.config.items():
        try:
            found[key] = parameters[key].read(value) if key in parameters else value
        except Refusal as refusal:
            raise ConfigError(f"the configuration in the log: {key} is {refusal}") from None
    return found
