"""One chunk in a worker: a request of plain data in, an outcome of plain data out.

Whatever goes wrong with the model is data as well: the campaign says it, the worker goes on.
"""

from __future__ import annotations

import threading
import traceback
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.campaign.code import Code, install
from sim.campaign.plan import Plan
from sim.campaign.sample import Sample, sample_of
from sim.errors import SimError
from sim.explore.coverage import CoverageData
from sim.explore.found import Found, found_by
from sim.explore.fuzz import fuzz
from sim.graph import Graph
from sim.scenario import Target


class Request(NamedTuple):
    """The schedules `first` to `first + size - 1` of a plan, by this code."""

    plan: Plan
    code: Code
    first: int
    size: int


NOTHING = CoverageData(b"", b"", 0, (), ())


@dataclass(frozen=True)
class Outcome:
    """What came of a chunk. With `failure`, lines that say what the model did wrong, nothing else counts."""

    first: int
    size: int
    schedules: int = 0
    """Fewer than `size` if it ended at a violation."""
    steps: int = 0
    cut_short: int = 0
    seconds: float = 0.0
    coverage: CoverageData = NOTHING
    found: tuple[Found, ...] = ()
    sample: Sample = field(default_factory=Sample)
    failure: tuple[str, ...] = ()


class _Loaded(NamedTuple):
    """A target that was loaded, with its tables, for the chunks to come."""

    plan: Plan
    digest: str
    target: Target
    graph: Graph


_loaded: list[_Loaded] = []
_one_at_a_time = threading.Lock()
"""Tables are not for several threads, and an engine may call from several."""


def ready() -> None:
    """Nothing: a worker that comes back from it has imported all that it needs."""


def run_chunk(request: Request) -> Outcome:
    """Run one chunk."""
    with _one_at_a_time:
        try:
            return _run(request)
        except SimError as error:
            return Outcome(request.first, request.size, failure=error.mistakes)
        except Exception:  # a defect of ours must not take the worker along
            return Outcome(request.first, request.size, failure=tuple(traceback.format_exc().splitlines()))


def _run(request: Request) -> Outcome:
    plan, loaded = request.plan, _load(request)
    result = fuzz(
        loaded.graph,
        first=request.first,
        schedules=request.size,
        seed=plan.seed,
        strategy=plan.strategy,
        keep_going=plan.keep_going,
        max_steps=plan.max_steps,
    )
    return Outcome(
        first=request.first,
        size=request.size,
        schedules=result.schedules,
        steps=result.steps,
        cut_short=result.cut_short,
        seconds=result.seconds,
        coverage=result.coverage.data(),
        found=tuple(map(found_by, result.found)),
        sample=sample_of(loaded.target, loaded.graph, plan, request.first),
    )


def _load(request: Request) -> _Loaded:
    """The target of a request: loaded once for all chunks of a campaign."""
    if not _loaded or (_loaded[0].plan, _loaded[0].digest) != (request.plan, request.code.digest):
        _loaded.clear()
        install(request.code)
        target = request.plan.load()
        _loaded.append(_Loaded(request.plan, request.code.digest, target, Graph(target.system)))
    return _loaded[0]
