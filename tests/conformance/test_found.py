"""What is wrong in a world of either kind is found, replayed by its addresses, made less, and told in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sim import ConfigError, DivergenceError, Replay, Run, Timing, fuzz, recovers, simulate
from sim.minimiser.counterexample import Counterexample, counterexample_of
from sim.minimiser.minimise import minimise
from sim.strategy import Canonical, VirtualTime
from sim.world.choice import Pending
from sim.world.world import AnyWorld
from tests.conformance.worlds import BROKEN, EVERY, Wrapped, untimed
from tests.fuzzed import STEPS_MAX
from tests.worlds.execution import Program
from tests.worlds.path_world import PathWorld
from tests.worlds.programs import BROKEN as PROGRAMS
from tests.worlds.programs import Careful, Doubting, Impatient, LostUpdate, Trusting

SCHEDULES = 300
RAW_MAX = 3


def failing(world: AnyWorld, strategy: str) -> Iterator[Run]:
    """The first few runs that this strategy picks and something is wrong with."""
    runs = (simulate(world, EVERY[strategy](seed), max_steps=STEPS_MAX) for seed in range(60))
    found = [run for run in runs if run.finding is not None]
    return iter(found[:RAW_MAX])


def replay(world: AnyWorld, schedule: Sequence[str]) -> Run:
    """The run of this schedule: of a program it says what departs from the usual."""
    then_usual = world.usual(world.starts()[0].place) is not None
    return simulate(world, Replay(schedule, then_usual=then_usual), max_steps=STEPS_MAX)


def both(world: AnyWorld, run: Run) -> tuple[Counterexample, Counterexample]:
    """A failing run as it is, and minimised."""
    assert run.finding is not None
    start, choices = run.trace.start, [choice for _, choice in run.trace.steps]
    raw = counterexample_of(world, start, choices, run.finding, complete=False)
    return raw, minimise(world, start, choices, run.finding)


# Found --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BROKEN)
def test_a_fuzz_finds_the_bug(name: str) -> None:
    (found,) = fuzz(BROKEN[name].world(), schedules=SCHEDULES).found
    assert found.property == BROKEN[name].property


@pytest.mark.parametrize("name", BROKEN)
def test_a_fuzz_finds_nothing_in_the_mended_twin(name: str) -> None:
    result = fuzz(BROKEN[name].twin(), schedules=SCHEDULES)
    assert (result.verdict, result.schedules, result.cut_short) == ("ok", SCHEDULES, 0)
    assert result.coverage.unreached == []
    assert result.states > 0


@pytest.mark.parametrize("strategy", ["uniform", "pctcp", "pos", "swarm"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_strategy_that_orders_events_finds_the_bug_of_a_program(name: str, strategy: str) -> None:
    (found,) = fuzz(BROKEN[name].world(), schedules=SCHEDULES, strategy=strategy).found
    assert found.property == BROKEN[name].property


@pytest.mark.parametrize("name", BROKEN)
def test_the_usual_order_alone_shows_no_bug(name: str) -> None:
    assert simulate(BROKEN[name].world(), Canonical()).verdict == "ok"


def test_a_goal_is_missed_where_a_program_ends_without_it() -> None:
    class Silent(Careful):
        async def server(self) -> None:
            await self.receive()

    run = simulate(PathWorld(Silent), Canonical())
    assert run.verdict == "violated"
    assert run.reached == {"it is late once": True, "it is answered": False}
    assert simulate(PathWorld(Careful), Canonical()).reached == {"it is late once": False, "it is answered": True}


def test_an_exception_of_a_task_is_found() -> None:
    class Breaking(LostUpdate):
        async def add(self) -> None:
            if self.added == 2:
                raise ValueError("too many")
            await super().add()

    run = simulate(PathWorld(Breaking), Canonical())
    assert run.finding == ("no exception", "three ends with ValueError: too many")
    assert run.ends == {"one": "done", "two": "done", "three": "failed"}


# Faults and time ----------------------------------------------------------------------------------------


def test_a_plan_strikes_at_its_first_opportunity_and_only_where_it_says() -> None:
    class Elsewhere(Trusting):
        faults = "drop:1@reader->sender"

    assert simulate(PathWorld(Trusting), VirtualTime(0)).trace.struck() == {"drop": 1}
    assert simulate(PathWorld(Elsewhere), VirtualTime(0)).trace.struck() == {}
    assert fuzz(PathWorld(Elsewhere), schedules=100).verdict == "ok"


@pytest.mark.parametrize("plan", ["delay:1@server->client(1s)", "pause:1@server(1s)"])
def test_what_a_clock_slows_down_lets_the_timer_win(plan: str) -> None:
    class Quick(Careful):
        begins = ()
        timing = Timing(latency_ms=(5, 20))

    class Slow(Quick):
        faults = plan

    slow, usual = simulate(PathWorld(Slow), VirtualTime(1)), simulate(PathWorld(Quick), VirtualTime(1))
    assert (slow.reached["it is late once"], usual.reached["it is late once"]) == (True, False)
    assert slow.trace.struck() == {plan.partition(":")[0]: 1}
    assert slow.trace.time_ms is not None
    assert slow.trace.time_ms > 1000
    with pytest.raises(ConfigError, match="has no clock"):
        simulate(PathWorld(Slow), EVERY["uniform"](1))


def test_a_program_recovers_or_does_not() -> None:
    assert recovers(PathWorld(Doubting), 100).struck["drop"] > 10
    assert recovers(PathWorld(Doubting), 100).verdict == "ok"
    lost = recovers(PathWorld(Trusting), 100)
    assert lost.failed is not None
    assert lost.failed.finding == ("nobody waits for ever", "reader still waits")
    with pytest.raises(ConfigError, match="fault budget"):
        recovers(PathWorld(LostUpdate))


# Replayed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("name", BROKEN)
def test_every_run_replays_by_its_addresses_in_a_new_world(name: str, strategy: str) -> None:
    world = BROKEN[name].world()
    plain = (simulate(world, EVERY[strategy](seed), max_steps=STEPS_MAX) for seed in range(3))
    for run in [*failing(world, strategy), *plain]:
        again = replay(BROKEN[name].world(), run.trace.schedule())
        assert (again.digest, again.finding) == (untimed(run), run.finding)


@pytest.mark.parametrize("name", BROKEN)
def test_another_schedule_is_another_run_or_none(name: str) -> None:
    run = next(failing(BROKEN[name].world(), "pos"))
    schedule = [item for item in run.trace.schedule() if item != "start choosing quick"]  # it begins so in any case
    assert replayed(name, schedule) == run.digest
    for step in range(len(schedule)):
        assert replayed(name, [*schedule[:step], *schedule[step + 1 :]]) != run.digest


def replayed(name: str, schedule: Sequence[str]) -> str | None:
    """The digest of a schedule; None if it does not fit."""
    try:
        return replay(BROKEN[name].world(), schedule).digest
    except DivergenceError:
        return None


@pytest.mark.parametrize(
    ("schedule", "mistake"),
    [
        (["start choosing late"], "step 1: start choosing late is not a way to start; use: start choosing quick; "),
        (["move nobody.resume"], "step 1: move nobody.resume does not fit here: there is no task nobody; enabled inst"),
        (["fire client.timeout"], "does not fit here: client is ready with timers none; enabled instead: "),
        (["deliver client->server Ask(n=1)"], "no such message is in flight (none was sent yet)"),
        (
            ["move client.resume", "fire client.timeout", "move client.resume", "deliver client->server Ask(n=2)"],
            "step 4: deliver client->server Ask(n=2) does not fit here: it is in flight, but another message of its link",
        ),
        (
            ["move client.resume", *["deliver client->server Ask(n=1)"] * 2],
            "step 3: deliver client->server Ask(n=1) does not fit here: no such message is in flight any more",
        ),
    ],
)
def test_a_wrong_address_says_why_it_does_not_fit(schedule: list[str], mistake: str) -> None:
    with pytest.raises(DivergenceError) as caught:
        simulate(PathWorld(Impatient), Replay(schedule))
    assert mistake in str(caught.value)


def test_a_schedule_may_go_on_as_usual() -> None:
    run = simulate(PathWorld(Trusting), Replay(["move sender.resume"], then_usual=True))
    assert (run.steps, run.verdict, run.ends["reader"]) == (4, "ok", "done")
    assert simulate(PathWorld(Trusting), Replay(["move sender.resume"])).steps == 1


# Made less ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BROKEN)
def test_minimising_makes_a_run_less_and_keeps_what_is_wrong(name: str) -> None:
    world = BROKEN[name].world()
    pairs = [both(world, run) for strategy in ("uniform", "pos", "drawn") for run in failing(world, strategy)]
    assert pairs
    for raw, least in pairs:
        assert least.complete
        assert least.cost <= raw.cost
        assert least.property == raw.property
        again = replay(BROKEN[name].world(), least.schedule)
        assert (again.finding, again.steps) == (least.finding, least.steps)
    if name in PROGRAMS:
        assert any(least.deviations < raw.deviations for raw, least in pairs)
        assert any(least.steps < raw.steps for raw, least in pairs) == (name != "lost parcel")


class Unusual(Wrapped):
    """A world that does not say what is usual: nothing is ever due."""

    def due(self, taken: Any, at: Any) -> Sequence[Pending]:
        return ()


def test_a_world_that_does_not_say_what_is_due_is_not_made_less() -> None:
    world: Any = Unusual(PathWorld(LostUpdate))
    raws = [both(world, run) for run in failing(world, "uniform")]
    assert all(least.deviations > 1 for _, least in raws)


LEAST = {
    LostUpdate: (
        "2 were added, the total is 1",
        (
            "move one.resume",
            "move three.resume",
            "fire three.sleep",
            "move one.resume",
            "move three.resume",
            "move one.resume",
            "move three.resume",
        ),
        (
            "As usual, except:",
            "- one does resume only after three's timer sleep fired",
            "Still to come when it happens: two does resume.",
        ),
    ),
    Impatient: (
        "the answer to question 1 is taken for the one to question 2",
        (
            "start choosing quick",
            "move client.resume",
            "deliver client->server Ask(n=1)",
            "fire client.timeout",
            "move server.resume",
            "move client.resume",
            "deliver server->client Answer(n=1)",
            "move client.resume",
        ),
        (
            "As usual, except:",
            "- server does resume only after client's timer timeout fired",
            "Still to come when it happens: client's Ask(n=2) to server arrives.",
        ),
    ),
    Trusting: (
        "reader still waits",
        ("move reader.resume", "move sender.resume", "drop sender->reader Parcel"),
        ("As usual, except:", "- sender's Parcel to reader is lost"),
    ),
}


@pytest.mark.parametrize("program", LEAST)
def test_the_least_counterexample_and_its_words(program: type[Program]) -> None:
    (found,) = fuzz(PathWorld(program), schedules=SCHEDULES, strategy="uniform").found
    least = found.counterexample
    assert (least.message, least.schedule, least.words) == LEAST[program]
    assert least.deviations == 1


def test_the_words_of_a_run_that_is_not_minimised_are_more() -> None:
    world = PathWorld(LostUpdate)
    raw, least = both(world, next(failing(world, "uniform")))
    assert len(raw.words) > len(least.words)
