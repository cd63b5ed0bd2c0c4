"""Whatever a program does ends in a finding, or in one line that says where and what to do instead; and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sim import Emission, Program, Uniform, emit, fuzz, simulate
from sim.base.errors import NondeterminismError, RefusedError
from sim.live import emitting, leaving, noting
from sim.live.live_world import LiveWorld
from sim.live.loop import LiveLoop
from sim.live.surroundings import surroundings
from tests.live.small import Said, idle, installed_once, usual

once = installed_once
Main = Callable[[Any], Awaitable[object]]
ROOT = Path(__file__).parents[2]
OLD: list[Any] = []


class Holding(Emission):
    what: Any


async def stops_the_loop(_: Any) -> None:
    asyncio.get_running_loop().stop()


async def runs_another_loop(_: Any) -> None:
    with asyncio.Runner() as runner:
        runner.run(idle())


async def makes_its_own_tasks(_: Any) -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop))  # type: ignore[arg-type]
    waiting = idle()
    try:
        asyncio.create_task(waiting)  # noqa: RUF006
    finally:
        waiting.close()


async def exits_at_once(_: Any) -> None:
    os._exit(3)


async def emits_a_number(_: Any) -> None:
    emit(3)  # type: ignore[arg-type]


async def emits_no_value(_: Any) -> None:
    emit(Holding(object()))


async def makes_a_task_of_a_number(world: Any) -> None:
    world.task("client", 3)


async def gives_a_name_with_a_space(world: Any) -> None:
    world.task("a client", idle())


async def watches_a_name_with_a_space(world: Any) -> None:
    world.watch("a pool", [])


async def serves_nowhere(world: Any) -> None:
    world.serve("nowhere", lambda *_: None)


async def serves_nothing(world: Any) -> None:
    world.serve("server:80", None)


async def serves_an_odd_name(world: Any) -> None:
    world.serve("server:80", lambda *_: None, name="a b")


async def keeps_the_world_of_another_run(world: Any) -> None:
    OLD.append(world)
    OLD[0].task("client", idle())


async def runs_a_command(_: Any) -> None:
    await asyncio.create_subprocess_exec("true")


REFUSED: dict[Main, str] = {
    stops_the_loop: "loop.stop: a run ends with main; let main return",
    runs_another_loop: "another event loop is refused in a run: a run has one; await the coroutine, or make it a task",
    makes_its_own_tasks: "makes a Task, which a run can neither name nor order; leave loop.set_task_factory out in a run",
    exits_at_once: "os._exit is refused in a run: ",
    emits_a_number: "emit: 3 (int) is not an emission; make a class of Emission: emit(Idle(3))",
    emits_no_value: "object is not a value: use None, bool, int",
    makes_a_task_of_a_number: "world.task: 3 (int) is not a coroutine; call the function: use(pool)",
    gives_a_name_with_a_space: "world.task: 'a client' (str) is not a name; write letters, digits, - and _, such as client",
    watches_a_name_with_a_space: "world.watch: 'a pool' (str) is not a name; write letters, digits and _, such as pool",
    serves_nowhere: "world.serve: 'nowhere' (str) is not an address; write host:port, such as redis:6379",
    serves_nothing: "world.serve: a NoneType is not a handler; write async def handler(reader, writer)",
    serves_an_odd_name: "world.serve: 'a b' (str) is not a name",
    runs_a_command: "the command 'true' has no stand-in, and a run starts no real process; write world.command('true', handler)",
}


def taking_all(main: Main) -> Main:
    """The same, by somebody who takes every exception."""

    async def taking(world: Any) -> None:
        try:
            await main(world)
        except BaseException:
            emit(Said("taken"))

    return taking


@pytest.mark.parametrize("main", REFUSED, ids=lambda main: main.__name__)
def test_what_makes_no_sense_is_told_in_one_line_also_where_the_program_takes_it(main: Main) -> None:
    for one in (main, taking_all(main)):
        with pytest.raises(RefusedError) as told:
            usual(one)
        (line,) = told.value.mistakes
        assert line.startswith(f"{Path(__file__).name}:")
        assert REFUSED[main] in line
    assert (emitting.active, surroundings.entered) == (None, None)


def test_one_that_is_only_raised_goes_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_remember", lambda _: None)
    assert usual(taking_all(emits_a_number)).finding is None


def test_the_world_of_another_run_is_refused() -> None:
    OLD.clear()
    assert usual(keeps_the_world_of_another_run).finding is not None  # its task outlives it
    with pytest.raises(RefusedError, match="this world is that of another run; use the one that main is given"):
        usual(keeps_the_world_of_another_run)


# What may be odd and is none of our business --------------------------------------------------------------


async def handles_exceptions(_: Any) -> None:
    seen: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: seen.append(context))
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(1)
    assert len(seen) == 1


async def debugs(_: Any) -> None:
    asyncio.get_running_loop().set_debug(True)
    await asyncio.gather(*(asyncio.create_task(idle()) for _ in range(3)))


async def has_many_timers(_: Any) -> None:
    fired = [0]

    def fire() -> None:
        fired[0] += 1

    for n in range(3_000):
        asyncio.get_running_loop().call_later(n / 1_000, fire)
    await asyncio.sleep(10)
    assert fired == [3_000]


async def awaits_deeply(_: Any) -> None:
    async def down(depth: int) -> None:
        if depth:
            await down(depth - 1)
        else:
            await asyncio.sleep(1)

    await down(200)


async def simulates(_: Any) -> None:
    assert fuzz(Program(idle_alone), schedules=3).verdict == "ok"
    await asyncio.sleep(1)


async def idle_alone(_: Any) -> None:
    await idle()


@pytest.mark.parametrize("main", [handles_exceptions, debugs, has_many_timers, awaits_deeply, simulates])
def test_it_may_do_this(main: Main) -> None:
    assert usual(main).finding is None


def test_to_find_the_next_of_many_timers_asks_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    first_later = LiveLoop._first_later

    def counting(loop: LiveLoop) -> Any:
        found = list(first_later(loop))
        asked.append(len(found))
        return iter(found)

    monkeypatch.setattr(LiveLoop, "_first_later", counting)
    usual(has_many_timers)
    assert 0 < max(asked) < 30


def test_it_may_be_simulated_inside_of_a_loop_that_runs() -> None:
    async def outside() -> str:
        before = asyncio.get_running_loop()
        verdict = fuzz(Program(idle_alone), schedules=3).verdict
        assert asyncio.get_running_loop() is before
        await asyncio.sleep(0)
        return verdict

    assert asyncio.run(outside()) == "ok"


# What is kept from run to run ------------------------------------------------------------------------------

KEPT: list[int] = []


async def does_more_each_time(world: Any) -> None:
    KEPT.append(1)
    for _ in KEPT:
        await asyncio.wait([world.task("client", idle())])


async def waits_longer_each_time(_: Any) -> None:
    KEPT.append(1)
    await asyncio.sleep(len(KEPT))


async def has_one_thing_more_each_time(world: Any) -> None:
    KEPT.append(1)
    await asyncio.wait([world.task(f"client{len(KEPT)}", idle())])


@pytest.mark.parametrize("main", [does_more_each_time, waits_longer_each_time, has_one_thing_more_each_time])
def test_a_program_that_keeps_something_between_its_runs_is_told(main: Main) -> None:
    KEPT.clear()
    with pytest.raises(NondeterminismError, match="it may keep something between its runs, as in a global of a module"):
        fuzz(Program(main), schedules=5)


def test_it_goes_unnoticed_if_the_first_run_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    KEPT.clear()
    monkeypatch.setattr(LiveWorld, "_compare", lambda *_: None)
    assert fuzz(Program(does_more_each_time), schedules=5).verdict == "ok"


def test_a_run_cannot_be_told_by_a_program_that_does_something_else_then() -> None:
    KEPT.clear()
    run = simulate(Program(waits_longer_each_time), Uniform(0))
    with pytest.raises(NondeterminismError):
        run.trace.tell()
    KEPT.clear()
    with pytest.raises(NondeterminismError):
        simulate(Program(waits_longer_each_time), Uniform(0)).trace.schedule()


# What does not end ----------------------------------------------------------------------------------------

BLOCKING = """
import asyncio
from sim import Program

async def spin():
    while True:
        pass

async def main(world):
    await world.task("client", spin())

async def unending(world):
    async def stubborn():
        while True:
            try:
                await asyncio.sleep(1)
            except BaseException:
                pass
    world.task("client", stubborn())

def system(name: str = "main"):
    return Program(globals()[name])
"""


def fuzzed(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "blocking.py").write_text(BLOCKING)
    command = [sys.executable, "-m", "sim", "fuzz", "blocking", "--schedules", "3", *options]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sim' / 'beside'}{os.pathsep}{tmp_path}"}
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_code_that_does_not_give_way_is_named_and_ended(tmp_path: Path) -> None:
    done = fuzzed(tmp_path, "--handler-timeout", "500ms")
    assert done.returncode == 4
    assert "the task client did not end within 0.5 s, at blocking.py:" in done.stderr


def test_a_coroutine_that_cannot_be_closed_does_not_keep_the_process(tmp_path: Path) -> None:
    done = fuzzed(tmp_path, "--set", "name=unending")
    assert (done.returncode, done.stderr) == (1, "")
    assert "outlives: main has ended, and client " in done.stdout


def test_it_is_asked_a_few_times_to_end() -> None:
    asked = [0]

    class Stubborn:
        cr_frame = object()

        def close(self) -> None:
            asked[0] += 1
            raise RuntimeError("coroutine ignored GeneratorExit")

    leaving.leave(Stubborn())
    assert asked == [leaving.CLOSES_MAX]


def test_what_would_end_the_process_is_found_and_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(_: Any) -> None:
        asyncio.get_running_loop().call_soon(sys.exit, 3)
        await asyncio.sleep(1)

    assert usual(main).finding == ("exception", "main ends the process with SystemExit: 3")
    monkeypatch.setattr(noting.Noting, "exits", lambda _, error: (_ for _ in ()).throw(error))
    with pytest.raises(SystemExit):
        usual(main)
