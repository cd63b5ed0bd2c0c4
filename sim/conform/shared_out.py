"""Many runs of a log, judged by several processes. The answers are in the order of the runs, whoever gave them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol

from sim.conform.conformance import JudgedLog
from sim.conform.logged import LoggedRun

CHUNK = 64
"""How many runs a process is given at once."""


class RunJudge(Protocol):
    """Who judges runs."""

    def judge(self, run: LoggedRun) -> JudgedLog: ...


_judge: RunJudge | None = None


def _begin(make: Callable[[], RunJudge]) -> None:
    global _judge
    _judge = make()


def _chunk(runs: Sequence[LoggedRun]) -> list[JudgedLog]:
    assert _judge is not None
    return [_judge.judge(run) for run in runs]


def judged_by(workers: int, make: Callable[[], RunJudge], runs: Sequence[LoggedRun]) -> Iterator[JudgedLog]:
    """The answers of `workers` processes, each with a judge that `make` made."""
    if workers == 1 or len(runs) <= 1:
        judge = make()
        yield from (judge.judge(run) for run in runs)
        return
    size = max(1, min(CHUNK, -(-len(runs) // workers)))
    chunks = [runs[at : at + size] for at in range(0, len(runs), size)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(make,)) as pool:
        for answers in pool.map(_chunk, chunks):
            yield from answers
