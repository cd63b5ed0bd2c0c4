"""`may = {"push": 2}`: a move that is made so often in a whole run, in every engine, crashes or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sim import Emission, Monitor, Process, System, TableError, Uniform, check, simulate
from sim.fuzzer.fuzz import fuzz
from sim.machine.handler import Handler


class Pushed(Emission):
    pass


class Most(Monitor):
    """Nobody pushes more than so often."""

    states = ("on",)
    transitions = ({"trigger": Pushed, "source": "on", "dest": None, "after": "count"},)
    most: int
    seen: int = 0

    def count(self) -> None:
        self.seen += 1
        if self.seen > self.most:
            self.violate(f"pushed {self.seen} times")


def user(moves: Any) -> type[Process]:
    class User(Process):
        states = ("on", "off")
        may = moves
        transitions = (
            {"trigger": "push", "source": "on", "dest": "off", "before": "say"},
            {"trigger": "push", "source": "off", "dest": "on", "before": "say"},
        )

        def say(self) -> None:
            self.emit(Pushed())

    return User


def system(may: Any, most: int, faults: str = "none", users: int = 1) -> System:
    pushing = user(may)
    names = tuple(f"u{i}" for i in range(users))
    return System(
        {name: pushing() for name in names},
        monitors={"most": Most(most=most)},
        faults=faults,
        interchangeable=(names,) if users > 1 else (),
    )


@pytest.mark.parametrize("faults", ["none", "crash:3", "crash:unlimited"])
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_no_schedule_has_more_moves_than_the_bound(engine: Any, faults: str) -> None:
    assert check(system({"push": 2}, 2, faults), engine=engine).verdict == "ok"


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("reduce", [False, True])
def test_each_process_has_a_bound_of_its_own(engine: Any, reduce: bool) -> None:
    assert check(system({"push": 2}, 4, users=2), engine=engine, reduce=reduce).verdict == "ok"
    assert check(system({"push": 2}, 3, users=2), engine=engine, reduce=reduce).verdict == "violated"


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_some_schedule_has_as_many(engine: Any) -> None:
    found = check(system({"push": 2}, 1), engine=engine)
    assert (found.verdict, len(found.path)) == ("violated", 2)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_there_is_a_state_for_each_number_that_is_left(engine: Any) -> None:
    assert check(system({"push": 5}, 9), engine=engine).states == 6


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_fuzz_keeps_the_bound(engine: Any) -> None:
    assert fuzz(system({"push": 2}, 2, "crash:2"), schedules=300, engine=engine).verdict == "ok"
    assert fuzz(system({"push": 2}, 1, "crash:2"), schedules=300, engine=engine).verdict == "violated"


def test_a_bound_that_a_crash_forgets_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(self: Handler, fields: Any, *state: str, right: Any = Handler.down) -> Any:
        return right(self, fields, *state)._replace(fields=self.initial_fields)

    monkeypatch.setattr(Handler, "down", down)
    assert check(system({"push": 2}, 2, "crash:1")).verdict == "violated"


def test_a_run_ends_when_nothing_is_left() -> None:
    assert [str(action.address) for _, action in simulate(system({"push": 2}, 2), Uniform()).trace.steps] == [
        "move u0.push"
    ] * 2


def test_one_move_may_have_a_bound_and_another_none() -> None:
    assert user({"push": None}).table.left == {}
    assert user(("push",)).table.left == {}
    assert user({"push": 3}).table.left == {"push": "push left"}


@pytest.mark.parametrize(
    ("may", "says"),
    [
        ({"push": 0}, "may bounds 'push' by 0 (int); write how often it may be made, 1 to 1,000,000"),
        ({"push": True}, "may bounds 'push' by True (bool); write how often it may be made, 1 to 1,000,000"),
        ({"push": "2"}, "may bounds 'push' by '2' (str); write how often it may be made, 1 to 1,000,000"),
        ({"push": 10**5000}, "may bounds 'push' by an object of int"),
    ],
)
def test_a_bound_that_is_no_count_is_refused(may: Mapping[str, Any], says: str) -> None:
    with pytest.raises(TableError) as told:
        user(may)
    assert says in str(told.value)


@pytest.mark.parametrize("kind", ["must", "timers", "hot", "durable"])
def test_only_moves_of_the_environment_are_bounded(kind: str) -> None:
    with pytest.raises(TableError) as told:
        type("Wrong", (user(("push",)),), {kind: {"on": 1}, "__module__": __name__})
    assert f"{kind} = {{'on': 1}} has bounds, but only moves of may have one; write {kind} = ('on',)" in str(told.value)
