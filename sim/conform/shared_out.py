"""Many runs of a log, judged by several processes. The answers are in the order of the runs, whoever gave them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

from sim.base.errors import ConfigError
from sim.base.overdue import WATCH
from sim.conform.conformance import JudgedLog
from sim.conform.logged import LoggedRun
from sim.run.local import LocalExecutor, WorkEnded, WorkerDied, guarded

CHUNK = 64
"""How many runs a process is given at once."""


class RunJudge(Protocol):
    """Who judges runs."""

    def judge(self, run: LoggedRun) -> JudgedLog: ...


_made: list[tuple[Callable[[], RunJudge], RunJudge]] = []
"""In a worker: the judge of all its chunks, and who made it."""


def _chunk(
    make: Callable[[], RunJudge], runs: Sequence[LoggedRun], handler_limit_s: float | None
) -> list[JudgedLog] | WorkEnded:
    def work() -> list[JudgedLog]:
        if not _made or _made[0][0] != make:
            _made[:] = [(make, make())]
        return [_made[0][1].judge(run) for run in runs]

    return guarded(work, handler_limit_s)


def judged(make: Callable[[], RunJudge], runs: Sequence[LoggedRun]) -> Iterator[JudgedLog]:
    """The answers of a judge that `make` makes, in this process."""
    judge = make()
    yield from (judge.judge(run) for run in runs)


def judged_by(
    workers: int, make: Callable[[], RunJudge], runs: Sequence[LoggedRun]
) -> Generator[JudgedLog, None, None]:
    """The answers of `workers` processes, each with a judge that `make` made."""
    if workers == 1 or len(runs) <= 1:
        judge = make()
        yield from (judge.judge(run) for run in runs)
        return
    size = max(1, min(CHUNK, -(-len(runs) // workers)))
    chunks = [runs[at : at + size] for at in range(0, len(runs), size)]
    executor = LocalExecutor(min(workers, len(chunks)), __name__)
    try:
        for answer in [executor.submit(_chunk, make, chunk, WATCH.limit_s) for chunk in chunks]:
            answers = answer.result()
            if isinstance(answers, WorkEnded):
                answers.tell()
            yield from answers
    except WorkerDied as death:
        raise ConfigError(str(death)) from None
    finally:
        executor.shutdown(cancel_futures=True)
