"""Many runs of a log, judged by several processes. The answers are in the order of the runs, whoever gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Protocol

from sim.conform.conformance import JudgedLog
from sim.conform.logged import LoggedRun

CHUNK = 64
"""How many runs a process is given at once."""


class RunJudge(Protocol):
    """Who judges runs."""

    def judge(self, run: LoggedRun) -> JudgedLog: ...


MakeJudge = Callable[[], RunJudge]

_judge: RunJudge | None = None
"""The judge of a process that is given chunks, all of one log."""


def _chunk(make: MakeJudge, runs: Sequence[LoggedRun]) -> list[JudgedLog]:
    global _judge
    _judge = _judge or make()
    return [_judge.judge(run) for run in runs]


def judged(make: MakeJudge, runs: Sequence[LoggedRun]) -> Iterator[JudgedLog]:
    """The answers of a judge that `make` makes, in this process."""
    judge = make()
    yield from (judge.judge(run) for run in runs)


def judged_by(executor: Executor, workers: int, make: MakeJudge, runs: Sequence[LoggedRun]) -> Iterator[JudgedLog]:
    """The answers of the `workers` processes of an executor, each with a judge that `make` made."""
    size = max(1, min(CHUNK, -(-len(runs) // workers)))
    futures = [executor.submit(_chunk, make, runs[at : at + size]) for at in range(0, len(runs), size)]
    for future in futures:
        yield from future.result()
