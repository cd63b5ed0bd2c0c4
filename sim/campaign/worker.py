"""One chunk in a worker: a request in plain data goes in, an outcome in plain data comes out.

Whatever goes wrong with the model is data as well: the campaign reports it, the worker continues.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.base.errors import SimError
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.code import Code, install
from sim.campaign.news import News
from sim.campaign.sample import Sample, sample_of
from sim.fuzzer.coverage import CoverageData
from sim.fuzzer.discovery import Discovery
from sim.fuzzer.fuzz import Fuzzer
from sim.run.local import WorkEnded, guarded
from sim.scenario import Target


class ChunkRequest(NamedTuple):
    """The schedules `first` to `first + size - 1` of a plan, with this code, for the run of a campaign with this name,
    which has recorded every chunk below `low`; as many of them as come to their end within `seconds`."""

    plan: CampaignPlan
    code: Code
    first: int
    size: int
    run: str = ""
    low: int = 0
    handler_limit_s: float | None = None
    seconds: float | None = None


LEAST_S = 0.001
"""What a chunk that begins too late may take."""
NOTHING = CoverageData(b"", b"", 0, (), ())


@dataclass(frozen=True)
class ChunkOutcome:
    """The outcome of a chunk. With `failure`, lines that say what the model did wrong, nothing else counts."""

    first: int
    size: int
    """As many as were asked for, or how many came to their end before the time was up."""
    schedules: int = 0
    """Fewer than `size` if it ended at a violation."""
    unfinished: bool = False
    """Whether the time was up inside a schedule; its steps and states count if any other came to its end."""
    steps: int = 0
    cut_short: int = 0
    seconds: float = 0.0
    coverage: CoverageData = NOTHING
    """Without what is not news (`sim.campaign.news`)."""
    found: tuple[Discovery, ...] = ()
    sample: Sample = field(default_factory=Sample)
    failure: tuple[str, ...] = ()
    ended: WorkEnded | None = None
    """Why it has no answer, which is nothing that the model did wrong; then nothing else counts either."""


class _Loaded(NamedTuple):
    """A loaded target, with all that its fuzzer has built, for further chunks."""

    plan: CampaignPlan
    digest: str
    target: Target
    fuzzer: Fuzzer
    news: list[News]
    """That of the run in which it is used; the list has at most one item."""


_loaded: list[_Loaded] = []
_one_at_a_time = threading.Lock()
"""A world is not for several threads, and an engine may call from several."""


def ready() -> None:
    """Does nothing: a worker that returns from it has imported everything it needs."""


def run_chunk(request: ChunkRequest) -> ChunkOutcome:
    """Run one chunk."""
    with _one_at_a_time:
        try:
            answer = guarded(lambda: _run(request), request.handler_limit_s)
        except SimError as error:
            return ChunkOutcome(request.first, request.size, failure=error.mistakes)
        return ChunkOutcome(request.first, request.size, ended=answer) if isinstance(answer, WorkEnded) else answer


def _run(request: ChunkRequest) -> ChunkOutcome:
    begun = time.perf_counter()
    plan, loaded = request.plan, _load(request)

    def left_s() -> float | None:
        return None if request.seconds is None else begun + request.seconds - time.perf_counter()

    left = left_s()
    bound = None if left is None else max(left, LEAST_S)
    result = loaded.fuzzer.run(first=request.first, schedules=request.size, seconds=bound)
    if result.interrupted:  # half a chunk does not count: whoever interrupts a worker ends it
        raise KeyboardInterrupt
    done = result.schedules
    if result.unfinished and result.engine == "compiled":
        done = max(0, done - 1)  # in it something may be wrong that there was no time to tell
    if [news.run for news in loaded.news] != [request.run]:
        loaded.news[:] = [News(request.run)]
    return ChunkOutcome(
        first=request.first,
        size=request.size if result.stopped else done,
        schedules=result.schedules if result.stopped else done,
        unfinished=result.unfinished,
        steps=result.steps,
        cut_short=result.cut_short,
        seconds=result.seconds,
        coverage=loaded.news[0].of(request.first, request.low, result.coverage.data()),
        found=tuple(result.found),
        sample=sample_of(loaded.target, loaded.fuzzer.world, plan, request.first, lambda: (left_s() or 1) < 0),
    )


def _load(request: ChunkRequest) -> _Loaded:
    """The target of a request: loaded once for all chunks of a campaign."""
    if not _loaded or (_loaded[0].plan, _loaded[0].digest) != (request.plan, request.code.digest):
        _loaded.clear()
        install(request.code)
        target = request.plan.load()
        plan = request.plan
        fuzzer = Fuzzer(
            target.system,
            seed=plan.seed,
            strategy=plan.strategy,
            keep_going=plan.keep_going,
            max_steps=plan.max_steps,
        )
        _loaded.append(_Loaded(plan, request.code.digest, target, fuzzer, []))
    return _loaded[0]
