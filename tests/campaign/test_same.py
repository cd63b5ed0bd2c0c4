"""One campaign, one answer: whoever runs its chunks, however many they are, in whatever order they come back."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sim.base.errors import ConfigError, ExitStatus, SimError
from sim.base.mixer import stream
from sim.campaign import engines
from sim.campaign.answer import CampaignAnswer, limit_of
from sim.campaign.dispatch import RETRIES_MAX
from sim.campaign.engines import Engine, _without_the_cancelled
from sim.campaign.worker import ChunkOutcome, ChunkRequest, run_chunk
from sim.fuzzer.discovery import grouped
from sim.fuzzer.fuzz import fuzz
from sim.run.local import WorkerDied
from tests.campaign.toys import (
    Inline,
    a_campaign,
    a_plan,
    environment,
    go_on,
    inline,
    interrupt_at,
    open_store,
    said,
    sim,
    sim_json,
    stored,
    write_toy,
)

LATE = 1
"""A seed whose first violation is schedule 25."""
FUZZ = ("fuzz", "dice", "--chunk", "20")


class Shuffled(Executor):
    """Has several tasks at a time, and finishes them in an order of its own."""

    def __init__(self, seed: int, workers: int) -> None:
        self.seed, self.workers = seed, workers
        self.waiting: list[tuple[Future[Any], ChunkRequest]] = []
        self.draws = count()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, args[0]))
        while len(self.waiting) >= self.workers:
            self.finish_one()
        return future

    def finish_one(self) -> None:
        at = stream(self.seed, next(self.draws)) % len(self.waiting)
        future, request = self.waiting.pop(at)
        if future.set_running_or_notify_cancel():
            future.set_result(run_chunk(request))


def shuffled(seed: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose chunks come back in another order with each seed."""
    executor = Shuffled(seed, workers)
    from sim.campaign import dispatch

    real = dispatch.wait

    def wait(out: Any, **given: Any) -> Any:
        if executor.waiting and not any(future.done() for future in out):
            executor.finish_one()
        return real(out, **given)

    monkeypatch.setattr(dispatch, "wait", wait)
    return Engine("shuffled", executor, workers, (WorkerDied,))


def content(answer: CampaignAnswer) -> Any:
    return answer.found, answer.coverage.data(), answer.schedules, answer.steps, answer.cut_short, answer.sample


# --- one answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_going", [True, False])
def test_the_answer_does_not_depend_on_who_was_faster(
    keep_going: bool, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(here) as store:
        alone = content(a_campaign(store, here, keep_going=keep_going, chunk=5, seed=LATE).run(inline()))
        assert alone[0], "something is found"
        for seed in range(12):
            campaign = a_campaign(store, here, keep_going=keep_going, chunk=5, seed=LATE)
            assert content(campaign.run(shuffled(seed, 6, monkeypatch))) == alone


def test_the_first_violation_to_come_back_would_depend_on_who_was_faster(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The saboteur: an answer that takes what came back first as the first."""
    with open_store(here) as store:
        numbers = {}
        for seed in range(12):
            campaign = a_campaign(store, here, keep_going=False, chunk=5, seed=LATE)
            with monkeypatch.context() as patch:
                patch.setattr("sim.campaign.answer.limit_of", lambda store, session: None)
                patch.setattr(type(campaign), "_counts", lambda self, chunk: self.limit is None)
                answer = campaign.run(shuffled(seed, 6, patch))
            numbers[answer.found[0].number] = None
        assert len(numbers) > 1


def test_a_campaign_that_stops_finds_what_a_fuzz_finds(here: Path) -> None:
    with open_store(here) as store:
        for seed in range(5):
            campaign = a_campaign(store, here, keep_going=False, chunk=7, seed=seed)
            answer = campaign.run(inline())
            result = fuzz(campaign.world, schedules=100, seed=seed, max_steps=1_000)
            assert answer.found == result.found
            assert answer.coverage.data() == result.coverage.data()
            assert (answer.schedules, answer.steps) == (result.schedules, result.steps)


def test_a_campaign_that_goes_on_covers_what_a_fuzz_covers(here: Path) -> None:
    with open_store(here) as store:
        campaign = a_campaign(store, here, chunk=7)
        answer = campaign.run(inline())
        result = fuzz(campaign.world, schedules=100, keep_going=True, max_steps=1_000)
        assert answer.coverage.data() == result.coverage.data()
        assert {one.key: one.times for one in answer.found} == {one.key: one.times for one in result.found}


def test_findings_are_grouped_alike_in_any_order(here: Path) -> None:
    with open_store(here) as store:
        campaign = a_campaign(store, here, chunk=10)
        code = campaign.code
        outcomes = [run_chunk(ChunkRequest(a_plan(), code, first, 10)) for first in range(0, 100, 10)]
    findings = [found for outcome in outcomes for found in outcome.found]
    assert len(grouped(findings)) < len(findings)
    assert grouped(findings) == grouped(findings[::-1]) == grouped(sorted(findings, key=lambda one: one.seed))


def test_interrupted_and_resumed_it_says_the_same(here: Path) -> None:
    with open_store(here) as store:
        for keep_going in (True, False):
            alone = content(a_campaign(store, here, keep_going=keep_going, chunk=2, seed=LATE).run(inline()))
            campaign = a_campaign(store, here, keep_going=keep_going, chunk=2, seed=LATE)
            answer = campaign.run(inline(interrupt_at(4)))
            assert (answer.interrupted, answer.schedules < alone[2]) == (True, True)
            assert content(go_on(store, campaign.session.id, here).run(inline())) == alone


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Any]:
    """What one worker on this machine says, by whether it goes on after a violation."""
    answers = {}
    for keep_going in (True, False):
        folder = tmp_path_factory.mktemp("alone")
        write_toy(folder)
        words = (*FUZZ, "--schedules", "400", *(["--keep-going"] if keep_going else []))
        answers[keep_going] = said(sim_json(folder, *words, "--workers", "1")[1])
    return answers


@pytest.mark.parametrize(
    ("engine", "keep_going"),
    [
        ("local", True),
        ("local", False),
        pytest.param("dask", False, marks=pytest.mark.cluster),
        pytest.param("ray", True, marks=pytest.mark.cluster),
    ],
)
def test_two_workers_of_every_engine_say_what_one_worker_says(
    engine: str, keep_going: bool, alone: dict[bool, Any], tmp_path: Path
) -> None:
    if engine != "local":
        pytest.importorskip({"dask": "distributed"}.get(engine, engine))
    write_toy(tmp_path)
    words = (*FUZZ, "--schedules", "400", *(["--keep-going"] if keep_going else []))
    status, data = sim_json(tmp_path, *words, "--workers", "2", "--engine", engine)
    assert (status, data["engine"]) == (1, engine)
    assert said(data) == alone[keep_going]


def test_chunks_that_are_given_up_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever else goes wrong in a callback of Dask's loop is told."""
    loop = logging.getLogger("tornado.application")

    def say(error: Exception) -> None:
        try:
            raise error
        except Exception:
            loop.exception("Exception in callback")

    class FutureCancelledError(Exception): ...

    with _without_the_cancelled():
        say(FutureCancelledError())
        say(ValueError("odd"))
    say(FutureCancelledError())
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [ValueError, FutureCancelledError]


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """A Dask scheduler with two workers in another folder, which knows nothing of the model."""
    script = (
        "import sys; from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, host='127.0.0.1') as c:\n"
        "        print(c.scheduler_address, flush=True); sys.stdin.read()\n"
    )
    (folder / "scheduler.py").write_text(script)
    child = subprocess.Popen(
        [sys.executable, "scheduler.py"],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    yield child.stdout.readline().strip()
    child.communicate()


IMPATIENT = """
import sys
from sim.campaign import engines
from sim.cli import call
engines.CONNECT_S = 0.5
sys.exit(call(sys.argv[1:]))
"""
"""A command that does not wait for long until a scheduler answers."""


@pytest.mark.cluster
def test_a_scheduler_elsewhere_gets_the_users_modules_and_their_changes(alone: dict[bool, Any], tmp_path: Path) -> None:
    """Workers with two threads each, in another folder, asked again by an edited model."""
    pytest.importorskip("distributed")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    write_toy(ours)
    with scheduler(theirs) as address:
        words = (*FUZZ, "--schedules", "400", "--keep-going", "--engine", f"dask={address}")
        _, data = sim_json(ours, *words)
        assert said(data) == alone[True]
        text = (ours / "dice.py").read_text()
        (ours / "dice.py").write_text(text.replace("(4321,)", "()"))
        _, data = sim_json(ours, *words)
        assert {one["property"] for one in data["found"]} == {"crossed"}
        (ours / "numbers_of_the_dealer.py").write_text("NUMBERS = (1, 2)\n")
        status, data = sim_json(ours, *words)
        assert (status, data["found"], data["states"] < 10) == (0, [], True)
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, *words],
        cwd=ours,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"--engine dask={address}: no scheduler answers there" in done.stderr


# --- what goes wrong --------------------------------------------------------------------------------


def dies_at(first: int, times: int) -> Callable[[ChunkRequest], None]:
    """The worker dies at the chunk that begins with `first`, so many times."""
    left = [times]

    def die(request: ChunkRequest) -> None:
        if request.first == first and left[0]:
            left[0] -= 1
            raise WorkerDied("a worker process was ended by signal 9")

    return die


def test_a_chunk_whose_worker_dies_is_run_again(here: Path) -> None:
    with open_store(here) as store:
        alone = content(a_campaign(store, here).run(inline()))
        campaign = a_campaign(store, here)
        assert content(campaign.run(inline(dies_at(30, RETRIES_MAX)))) == alone
        assert campaign.deaths == RETRIES_MAX


def test_a_worker_that_ray_ends_for_want_of_memory_costs_a_retry(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what Ray says then, and not with another mistake of Ray's."""
    names = ("WorkerCrashedError", "NodeDiedError", "ObjectLostError", "OutOfMemoryError", "RaySystemError")
    errors = SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
    ray = SimpleNamespace(
        exceptions=errors,
        init=lambda **_: None,
        shutdown=lambda: None,
        cluster_resources=dict,
        remote=lambda **_: lambda function: function,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    with engines._ray("there", 1) as engine:
        died = engine.died

    def ends_with(error: type[Exception]) -> Engine:
        left = [error]

        def fail(request: ChunkRequest) -> None:
            if request.first == 30 and left:
                raise left.pop()("gone")

        return Engine("ray", Inline(fail), 1, died)

    with open_store(here) as store:
        campaign = a_campaign(store, here)
        assert (campaign.run(ends_with(errors.OutOfMemoryError)).schedules, campaign.deaths) == (100, 1)
        with pytest.raises(ConfigError, match="--engine ray: RaySystemError: gone"):
            a_campaign(store, here).run(ends_with(errors.RaySystemError))


def test_a_chunk_that_ends_every_worker_ends_the_campaign_and_says_which_it_is(here: Path) -> None:
    with open_store(here) as store:
        campaign = a_campaign(store, here)
        with pytest.raises(SimError) as caught:
            campaign.run(inline(dies_at(30, 100)))
        (line,) = caught.value.mistakes
        assert line == (
            "schedules 30 to 39 of seed 0 ended their worker 6 times, the last time: a worker process was ended by "
            "signal 9; what was recorded is kept"
        )
        assert [row[0] for row in stored(here, "SELECT first FROM chunk WHERE first < 40 ORDER BY first")] == [
            0,
            10,
            20,
        ]
        assert content(go_on(store, 1, here).run(inline())) == content(a_campaign(store, here).run(inline()))


def test_a_violation_before_it_is_told_instead(here: Path) -> None:
    with open_store(here) as store:
        alone = content(a_campaign(store, here, keep_going=False, chunk=5, seed=LATE).run(inline()))
        first = limit_of(store, go_on(store, 1, here).session)
        assert first is not None
        assert first > 0
        late = a_campaign(store, here, keep_going=False, chunk=5, seed=LATE)
        assert content(late.run(inline(dies_at(first + 5, 100), workers=3))) == alone


def test_an_engine_that_fails_is_told_and_what_was_recorded_is_kept(here: Path) -> None:
    def fail(request: ChunkRequest) -> None:
        if request.first == 30:
            raise ConnectionError("the scheduler is gone")

    with open_store(here) as store:
        campaign = a_campaign(store, here)
        with pytest.raises(ConfigError, match="--engine inline: ConnectionError: the scheduler is gone; what was"):
            campaign.run(inline(fail))
        assert stored(here, "SELECT count(*) FROM chunk") == [(3,)]


BROKEN = """
from sim import Message, Process, System


class Tell(Message):
    n: int


class Player(Process):
    states = ("open",)
    transitions = ({"trigger": Tell, "source": "open", "dest": None, "after": "note"},)

    def on_start(self):
        self.send("player", Tell(1))

    def note(self, tell):
        HOW


def system():
    return System({"player": Player()})
"""


def test_what_the_model_does_wrong_travels_as_data(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN.replace("HOW", "self.send('nobody', tell)"))
    plain = sim(tmp_path, "fuzz", "mine")
    shared = sim(tmp_path, "fuzz", "mine", "--workers", "2")
    assert (plain[0], shared[0]) == (2, 2)
    assert plain[2] == shared[2]
    assert "nobody" in shared[2]
    assert stored(tmp_path, "SELECT state FROM session") == [("open",)]


@pytest.mark.parametrize("how", ["RuntimeError('no')", "SystemExit(3)"])
@pytest.mark.parametrize("shared", [(), ("--workers", "1")])
def test_an_exception_in_a_handler_is_a_finding_as_ever(shared: tuple[str, ...], how: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN.replace("HOW", f"raise {how}"))
    status, data = sim_json(tmp_path, "fuzz", "mine", *shared)
    assert (status, len(data["found"])) == (1, 1)
    assert how.partition("(")[0] in data["found"][0]["message"]


def test_a_model_that_ends_its_process_costs_the_campaign_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN.replace("HOW", "__import__('os')._exit(3)"))
    status, _, err = sim(tmp_path, "fuzz", "mine", "--workers", "2", "--schedules", "1")
    assert status == 2
    assert err == (
        "sim: schedules 0 to 0 of seed 0 ended their worker 6 times, the last time: a worker process ended with "
        "status 3; what was recorded is kept\n"
    )


def test_a_model_that_interrupts_its_worker_is_said_and_nothing_of_the_chunk_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN.replace("HOW", "raise KeyboardInterrupt"))
    status, _, err = sim(tmp_path, "fuzz", "mine", "--workers", "1", "--schedules", "3", "--chunk", "3")
    said = "sim: the model raises KeyboardInterrupt, which is the user's; raise another exception\n"
    assert (status, err) == (2, said)
    assert stored(tmp_path, "SELECT count(*) FROM chunk") == [(0,)]


def test_an_interrupted_chunk_is_no_outcome(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.campaign.worker import Fuzzer

    run = Fuzzer.run

    def interrupted(self: Fuzzer, **given: Any) -> Any:
        result = run(self, **given)
        result.interrupted = True
        return result

    with open_store(here) as store:
        request = ChunkRequest(a_plan(), a_campaign(store, here).code, 0, 10)
    assert run_chunk(request).schedules == 10
    monkeypatch.setattr(Fuzzer, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_chunk(request)


def test_an_outcome_of_a_defect_of_ours_is_told_as_it_is(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.campaign.worker.Fuzzer.run", lambda *a, **k: 1 // 0)
    with open_store(here) as store:
        outcome = run_chunk(ChunkRequest(a_plan(), a_campaign(store, here).code, 0, 10))
    assert isinstance(outcome, ChunkOutcome)
    assert outcome.ended is not None
    assert outcome.ended.status == ExitStatus.DEFECT
    assert outcome.ended.why.startswith("a defect of roundsim: ZeroDivisionError")


def test_a_campaign_states_the_bound_of_pctcp_as_a_fuzz_does(here: Path) -> None:
    with open_store(here) as store:
        campaign = a_campaign(store, here, strategy="pctcp", schedules=30)
        answer = campaign.run(inline())
        alone = fuzz(campaign.target.system, strategy="pctcp", schedules=30, keep_going=True)
        assert answer.bound == alone.bound is not None
        uniform = a_campaign(store, here, strategy="uniform", schedules=30).run(inline())
        assert uniform.bound is None
