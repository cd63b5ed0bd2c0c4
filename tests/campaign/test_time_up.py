"""The time of a campaign is up in the middle of a chunk: what came to its end counts, and the rest is run later."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sim.campaign import dispatch
from sim.campaign.answer import CampaignAnswer
from sim.campaign.engines import Engine
from sim.campaign.worker import ChunkOutcome, ChunkRequest, run_chunk
from sim.fuzzer.fuzz import _Fuzz
from tests.campaign.toys import a_campaign, a_plan, go_on, inline, open_store, sim_json, stored

AN_HOUR = 3_600.0


def totals(answer: CampaignAnswer) -> Any:
    return answer.schedules, answer.steps, answer.coverage.data(), answer.found


@pytest.fixture
def undisturbed(here: Path) -> Any:
    with open_store(here) as store:
        return totals(a_campaign(store, here).run(inline()))


def ends_after(schedules: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each chunk the time is up after so many schedules."""
    over = _Fuzz._over
    monkeypatch.setattr(_Fuzz, "_over", lambda self: over(self) or self.result.schedules >= schedules)


@pytest.mark.parametrize("schedules", [3, 5, 9])
def test_a_chunk_that_is_left_off_in_the_middle_loses_and_repeats_nothing(
    schedules: int, here: Path, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_after(schedules, monkeypatch)
    with open_store(here) as store:
        campaign = a_campaign(store, here)
        campaign.chunks.finish = lambda *_: None  # type: ignore[method-assign]  # the rest is left for another run
        campaign.run(inline())
        assert campaign.schedules == 10 * schedules
        rest = go_on(store, campaign.session.id, here)
        assert totals(rest.run(inline(), AN_HOUR)) == undisturbed
        assert rest.session.state == "done"
    sizes = stored(here, "SELECT first, size FROM chunk WHERE session = 2 ORDER BY first")
    assert sum(size for _, size in sizes) == 100
    assert all(first + size == following for (first, size), (following, _) in pairwise(sizes))


def test_a_chunk_that_is_taken_for_a_whole_one_would_lose_schedules(
    here: Path, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(request: ChunkRequest) -> ChunkOutcome:
        return replace(run_chunk(request), size=request.size)

    ends_after(3, monkeypatch)
    monkeypatch.setattr(dispatch, "run_chunk", whole)
    with open_store(here) as store:
        assert totals(a_campaign(store, here).run(inline()))[0] == 30 < undisturbed[0]


def test_what_is_left_of_the_time_is_handed_to_the_workers(here: Path) -> None:
    given: list[float | None] = []
    with open_store(here) as store:
        a_campaign(store, here).run(inline(lambda request: given.append(request.seconds)), AN_HOUR)
        assert len(given) == 10
        assert all(left is not None and 0 < left <= AN_HOUR for left in given)
        given.clear()
        a_campaign(store, here).run(inline(lambda request: given.append(request.seconds)))
        assert given == [None] * 10


def test_a_chunk_without_time_has_no_schedule_and_is_not_recorded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Fuzz, "_time_is_up", lambda _: True)
    monkeypatch.setattr("sim.run.simulation.LOOK_EVERY", 1)
    with open_store(here) as store:
        campaign = a_campaign(store, here)
        outcome = run_chunk(ChunkRequest(a_plan(), campaign.code, 0, 10, seconds=AN_HOUR))
        assert (outcome.size, outcome.schedules, outcome.unfinished, outcome.sample.runs) == (0, 0, True, 1)
        late = run_chunk(ChunkRequest(a_plan(), campaign.code, 0, 10, seconds=-1.0))
        assert (late.size, late.unfinished, late.sample.runs) == (0, True, 0), "nothing is measured any more"

        def no_more(request: ChunkRequest) -> None:
            campaign._hand_out = lambda *_: None  # type: ignore[method-assign]

        answer = campaign.run(inline(no_more), AN_HOUR)
        assert (answer.schedules, answer.unfinished, answer.verdict) == (0, True, "incomplete")
    assert stored(here, "SELECT count(*) FROM chunk") == [(0,)]


class Silent(Executor):
    """Never has an answer, nor lets itself be called back."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        return future


def test_a_chunk_that_does_not_end_is_abandoned(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "GRACE_S", 0.02)
    monkeypatch.setattr(dispatch, "TICK_S", 0.01)
    with open_store(here) as store:
        answer = a_campaign(store, here).run(Engine("silent", Silent(), 2, ()), 0.01)
        assert (answer.schedules, answer.unfinished) == (0, True)
        monkeypatch.setattr(dispatch, "GRACE_S", AN_HOUR)
        monkeypatch.setattr(dispatch, "wait", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):  # it would wait
            a_campaign(store, here).run(Engine("silent", Silent(), 2, ()), 0.0001)


ENDLESS = """
from sim import Process, System


class Counter(Process):
    states = ("counting",)
    must = ("count",)
    transitions = ({"trigger": "count", "source": "counting", "dest": None, "after": "step"},)
    total: int = 0

    def step(self):
        self.total += 1


def system():
    return System({"counter": Counter()})
"""


def test_a_worker_ends_inside_of_a_schedule(here: Path) -> None:
    (here / "endless.py").write_text(ENDLESS)
    (here / "endless.yaml").write_text("model: endless\nsteps: 1000000\n")
    words = ("fuzz", "endless.yaml", "--model", "endless", "--workers", "1", "--strategy", "uniform", "--for", "200ms")
    _, data = sim_json(here, *words)
    assert (data["schedules"], data["unfinished"], data["verdict"], data["deaths"]) == (0, True, "incomplete", 0)
