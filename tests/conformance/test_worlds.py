"""Both kinds of world keep what the door promises."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from sim import simulate
from sim.base.errors import NondeterminismError
from sim.strategy import Uniform
from sim.world.choice import Pending, Subject
from tests.conformance.contract import MEMBERS, complaints
from tests.conformance.worlds import BROKEN, KINDS, SOUND, Make, Wrapped, elsewhere
from tests.worlds.path_world import PathWorld
from tests.worlds.programs import Doubting, LockedUpdate, Remembering, Sets

WORLDS = {**SOUND, **{f"broken {name}": broken.world for name, broken in BROKEN.items()}}


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_keeps_its_promises(name: str) -> None:
    world = WORLDS[name]()
    assert [member for member in MEMBERS if not hasattr(world, member)] == []
    assert complaints(world) == []


class Twin:
    """A choice that is like another, and not equal to it."""

    def __init__(self, choice: Any, **changes: Any) -> None:
        self.choice = choice
        vars(self).update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.choice, name)


class Doubling(Wrapped):
    """Makes its choices anew whenever it is asked."""

    def enabled(self, at: Any) -> Sequence[Any]:
        return [Twin(choice) for choice in self.inner.enabled(at)]

    def apply(self, at: Any, choice: Any) -> Any:
        return self.inner.apply(at, getattr(choice, "choice", choice))

    def due(self, taken: Any, at: Any) -> Sequence[Pending]:
        found: Sequence[Pending] = self.inner.due(getattr(taken, "choice", taken), at)
        return found


class ByOrder(Doubling):
    """The keys of its choices are numbers in the order of asking."""

    def enabled(self, at: Any) -> Sequence[Any]:
        return [Twin(choice, key=key) for key, choice in enumerate(self.inner.enabled(at))]


class Hiding(Wrapped):
    def due(self, taken: Any, at: Any) -> Sequence[Pending]:
        return ()


class Inventing(Wrapped):
    """What is due is no longer pending when it is asked about."""

    def ways(self, at: Any, subject: Subject) -> None:
        return None


class Stingy(Wrapped):
    def may_strike(self, at: Any) -> bool:
        return False


class Unaware(Wrapped):
    """Takes faults for what happens by itself."""

    def unstruck(self, at: Any) -> Sequence[Any]:
        found: Sequence[Any] = self.inner.enabled(at)
        return found


class Tireless(Wrapped):
    def quiescent(self, at: Any) -> bool:
        return False


class Idle(Wrapped):
    def changes(self, at: Any, choice: Any) -> bool:
        return False


class Unsure(Wrapped):
    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._count = count()

    def fingerprint(self, at: Any) -> int:
        return next(self._count)


PLANTED = {
    Doubling: "it is not one choice",
    ByOrder: "its key is not that of its code",
    Hiding: "was never announced",
    Inventing: "what is due after it is not pending",
    Stingy: "strikes where nothing may strike",
    Unaware: "says something else of what is no fault",
    Tireless: "rests where something progresses, or does not where nothing does",
    Idle: "is wrong about whether it changes anything",
    Unsure: "one place is known by two fingerprints",
}


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("kind", KINDS)
def test_a_world_that_breaks_a_promise_is_caught(kind: str, planted: type[Wrapped]) -> None:
    assert any(PLANTED[planted] in one for one in complaints(planted(KINDS[kind]())))


def test_a_program_is_executed_once_for_each_way_that_is_new() -> None:
    world = PathWorld(LockedUpdate)
    first = simulate(world, Uniform(1))
    calls, executions = world.handler_calls, world.executions
    assert (calls, executions) == (first.steps, 1)
    assert simulate(world, Uniform(1)).digest == first.digest
    assert (world.handler_calls, world.executions) == (calls, executions)


def test_worlds_that_are_thrown_away_in_the_middle_do_not_touch_one_that_runs() -> None:
    class Collecting(LockedUpdate):
        async def add(self) -> None:
            gc.collect()
            asyncio.get_running_loop()
            await super().add()

    expected = simulate(PathWorld(LockedUpdate), Uniform(1)).trace.schedule()
    left = PathWorld(Doubting)
    left.circle = left  # type: ignore[attr-defined]  # so that only the collector comes by
    simulate(left, Uniform(0), max_steps=2)
    del left
    assert simulate(PathWorld(Collecting), Uniform(1)).trace.schedule() == expected


def test_a_program_that_does_something_else_when_it_is_run_again_is_caught() -> None:
    world = PathWorld(Remembering)
    simulate(world, Uniform(0))
    with pytest.raises(NondeterminismError, match="Remembering: run again, it did something else in step 0"):
        simulate(world, Uniform(1))


def sent(make: Make = lambda: PathWorld(Sets)) -> dict[str, list[str]]:
    return {"sets": simulate(make(), Uniform(1)).trace.schedule()}


def test_a_program_that_goes_by_the_order_of_a_set_is_caught_in_another_process() -> None:
    started = [elsewhere(hash_seed, "tests.conformance.test_worlds", "sent()") for hash_seed in ("1", "4711", "1")]
    one, other, again = (json.loads(child.communicate(timeout=120)[0]) for child in started)
    assert one == again
    assert one != other
