"""One chunk in a worker: a request of plain data in, an outcome of plain data out.

Whatever goes wrong with the model is data as well: the campaign says it, the worker goes on.
"""

from __future__ import annotations

import threading
import traceback
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.base.errors import SimError
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.code import Code, install
from sim.campaign.news import News
from sim.campaign.sample import Sample, sample_of
from sim.fuzz.coverage import CoverageData
from sim.fuzz.found import Found, found_by
from sim.fuzz.fuzzer import Fuzzer
from sim.scenario import Target


class ChunkRequest(NamedTuple):
    """The schedules `first` to `first + size - 1` of a plan, by this code, for the run of a campaign of this name,
    which has recorded every chunk below `low`."""

    plan: CampaignPlan
    code: Code
    first: int
    size: int
    run: str = ""
    low: int = 0


NOTHING = CoverageData(b"", b"", 0, (), ())


@dataclass(frozen=True)
class ChunkOutcome:
    """What came of a chunk. With `failure`, lines that say what the model did wrong, nothing else counts."""

    first: int
    size: int
    schedules: int = 0
    """Fewer than `size` if it ended at a violation."""
    steps: int = 0
    cut_short: int = 0
    seconds: float = 0.0
    coverage: CoverageData = NOTHING
    """Without what is no news (`sim.campaign.news`)."""
    found: tuple[Found, ...] = ()
    sample: Sample = field(default_factory=Sample)
    failure: tuple[str, ...] = ()


class _Loaded(NamedTuple):
    """A target that was loaded, with all that its fuzzer has made, for the chunks to come."""

    plan: CampaignPlan
    digest: str
    target: Target
    fuzzer: Fuzzer
    news: list[News]
    """Of the run for which it is in use, alone in the list."""


_loaded: list[_Loaded] = []
_one_at_a_time = threading.Lock()
"""Tables are not for several threads, and an engine may call from several."""


def ready() -> None:
    """Nothing: a worker that comes back from it has imported all that it needs."""


def run_chunk(request: ChunkRequest) -> ChunkOutcome:
    """Run one chunk."""
    with _one_at_a_time:
        try:
            return _run(request)
        except SimError as error:
            return ChunkOutcome(request.first, request.size, failure=error.mistakes)
        except Exception:  # a defect of ours must not take the worker along
            return ChunkOutcome(request.first, request.size, failure=tuple(traceback.format_exc().splitlines()))


def _run(request: ChunkRequest) -> ChunkOutcome:
    plan, loaded = request.plan, _load(request)
    result = loaded.fuzzer.run(first=request.first, schedules=request.size)
    if result.interrupted:  # a part of a chunk is none: whoever interrupts a worker ends it
        raise KeyboardInterrupt
    if [news.run for news in loaded.news] != [request.run]:
        loaded.news[:] = [News(request.run)]
    return ChunkOutcome(
        first=request.first,
        size=request.size,
        schedules=result.schedules,
        steps=result.steps,
        cut_short=result.cut_short,
        seconds=result.seconds,
        coverage=loaded.news[0].of(request.first, request.low, result.coverage.data()),
        found=tuple(map(found_by, result.found)),
        sample=sample_of(loaded.target, loaded.fuzzer.graph, plan, request.first),
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
