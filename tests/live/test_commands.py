"""Processes of a run: which command line is meant, what is refused, what faults do to them, and what is found of them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import sys
import warnings
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim import Program, emit
from sim.base.errors import NondeterminismError
from sim.checker.bounded import BoundedWalk, Departure
from sim.checker.plain import Limits
from sim.live.net.channel import Channel
from sim.live.net.kernel import Kernel
from sim.live.net.pipes import WatchEnd, WriteEnd
from sim.live.net.traffic import Traffic
from sim.live.processes.child import Child
from sim.run.simulation import Walk
from tests.live.digests import elsewhere, of_schedules
from tests.live.orders import Ended
from tests.live.orders import outcomes as outcomes_of
from tests.live.small import Said, installed_once, least, replayed, runs, usual
from tests.live.stand_ins import echo, start, waiting

once = installed_once
Main = Callable[[Any], Any]


async def asking(world: Any) -> None:
    """Says what it reads, and how the process has ended."""
    world.command("npx -y server", echo, name="server")
    process = await start("npx", "-y", "server")
    process.stdin.write(b"one\n")
    emit(Said((await process.stdout.readline()).decode()))
    process.stdin.close()
    emit(Said(str(await process.wait())))


class Collecting(BoundedWalk):
    """Notes what is said in each schedule, and goes on after a violation."""

    def __init__(self, program: Program, deviations: int) -> None:
        super().__init__(program.world(), deviations, Limits())
        self.outcomes: set[tuple[str, ...]] = set()
        self.findings: set[str] = set()

    def _follow(self, walk: Walk, schedule: Departure) -> None:
        same = self.result.same
        super()._follow(walk, schedule)
        if self.result.same == same:
            self.outcomes.add(tuple(one.what for one in walk.trace.emissions if isinstance(one, Said)))
            self.findings |= {walk.finding.property} if walk.finding else set()
        walk.finding = None


def heard(run: Any) -> tuple[str, ...]:
    """What was said in a run."""
    return tuple(one.what for one in run.trace.emissions)


def outcomes(main: Main, deviations: int = 1, **parts: Any) -> set[tuple[str, ...]]:
    """What is said in all schedules of so many deviations. Nothing is wrong in any."""
    walk = Collecting(Program(main, **parts), deviations)
    walk.run()
    assert walk.findings == set()
    return walk.outcomes


def test_a_process_that_crashes_is_killed_and_does_not_come_back() -> None:
    assert outcomes(asking) == {("ONE\n", "0")}
    assert outcomes(asking, faults="crash:1@server") == {("ONE\n", "0"), ("ONE\n", "-9"), ("", "-9")}
    run = replayed(asking, CRASHED, faults="crash:1@server")
    assert heard(run) == ("ONE\n", "-9")
    assert not any("comes back" in event.text for event in run.trace.tell().events)


CRASHED = ["crash server after resume server at echo #2"]
"""It crashes when it has answered, and the answer is on its way."""


def test_what_a_process_has_written_before_it_is_killed_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(end: WriteEnd) -> None:
        end.kernel.traffic.drop(end.out)
        end.close()

    assert heard(replayed(asking, CRASHED, faults="crash:1@server")) == ("ONE\n", "-9")
    monkeypatch.setattr(WriteEnd, "vanish", lose)
    assert heard(replayed(asking, CRASHED, faults="crash:1@server")) == ("", "-9")


def test_a_cancellation_strikes_it_where_it_is_named() -> None:
    assert outcomes(asking, faults="cancel:1@server") == {("ONE\n", "0"), ("ONE\n", "-15"), ("", "-15")}
    assert outcomes(asking, faults="cancel:1") == {("ONE\n", "0")}


@pytest.mark.parametrize("fault", ["reset:1@server", "cut:1@server", "cut:1@main->server", "drop:1@server", "refuse:1"])
def test_no_fault_of_a_network_strikes_a_pipe(fault: str) -> None:
    assert outcomes(asking, faults=fault) == {("ONE\n", "0")}


async def asking_for_a_part(world: Any) -> None:
    world.command("server", echo)
    process = await start("server")
    process.stdin.write(b"one\n")
    emit(Said((await process.stdout.read(100)).decode()))


def test_what_comes_through_a_pipe_may_be_split() -> None:
    assert outcomes(asking_for_a_part) == {("ONE\n",)}
    assert outcomes(asking_for_a_part, faults="split:1@server->main") == {("ONE\n",), ("ON",)}


async def asking_for_a_page(world: Any) -> None:
    async def page(process: Any) -> None:
        process.stdout.write(b"HTTP/1.1 200 OK\r\n\r\n")

    world.command("server", page)
    emit(Said((await (await start("server")).stdout.read()).decode()))


def test_what_looks_like_an_answer_over_http_is_not_one() -> None:
    assert outcomes(asking_for_a_page, faults="agent_timeout:1@server") == {("HTTP/1.1 200 OK\r\n\r\n",)}


async def starting_two(world: Any) -> None:
    world.command("server", echo)
    for process in [await start("server") for _ in range(2)]:
        process.stdin.close()
        emit(Said(f"{process.pid} {await process.wait()}"))


def test_two_of_a_command_have_names_and_numbers_of_their_own() -> None:
    assert heard(usual(starting_two)) == ("10000000 0", "10000001 0")
    found = outcomes(starting_two, faults="crash:1@server#2")
    assert found == {("10000000 0", "10000001 0"), ("10000000 0", "10000001 -9")}


async def killing(world: Any) -> None:
    world.command("server", echo)
    process = await start("server")
    process.stdin.close()
    process.kill()
    emit(Said(str(await process.wait())))


async def terminating(world: Any) -> None:
    async def says_bye(process: Any) -> None:
        try:
            await process.stdin.read()
        finally:
            process.stdout.write(b"bye")

    world.command("server", says_bye)
    process = await start("server")
    process.stdin.close()
    process.terminate()
    output, _ = await process.communicate()
    emit(Said(f"{output!r} {process.returncode}"))


def test_a_signal_and_the_end_of_the_process_are_in_no_order() -> None:
    assert outcomes(killing) == {("0",), ("-9",)}
    assert outcomes(terminating) == {("b'bye' 0",), ("b'bye' -15",)}


def test_signals_and_exits_are_addresses_of_a_schedule() -> None:
    run = replayed(killing, ["deliver main->server SIGKILL"])
    story = [event.text for event in run.trace.tell().events]
    assert "SIGKILL from main arrives at server" in story
    assert "main learns that server has ended" in story
    assert heard(run) == ("-9",)


async def seeing_it_end(world: Any) -> None:
    async def says(process: Any) -> int:
        process.stdout.write(b"said")
        return 3

    world.command("server", says)
    process = await start("server")
    transport: Any = process._transport
    while process.returncode is None:
        await asyncio.sleep(1)
    await asyncio.sleep(1)
    emit(Said(str(process.stdout._buffer.decode())))
    transport.close()


def test_what_a_process_has_written_is_there_when_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(seeing_it_end, 3) == {("said",)}
    monkeypatch.setattr(WatchEnd, "takes", lambda self, what: True)
    assert ("",) in outcomes(seeing_it_end, 3)


# What is found --------------------------------------------------------------------------------------------


async def fails(_: Any) -> None:
    raise ValueError("too many")


async def fails_in_a_task(_: Any) -> None:
    async def part() -> None:
        raise ValueError("too many")

    part_of_it = asyncio.create_task(part())
    await asyncio.wait([part_of_it])


LEFT: list[Any] = []


async def leaves_a_task(process: Any) -> int:
    await asyncio.sleep(0)
    LEFT.append(asyncio.create_task(waiting(process)))
    return 4


async def ends_in_a_task(_: Any) -> None:
    async def part() -> None:
        sys.exit(6)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(part())


async def ends_in_a_callback(_: Any) -> None:
    asyncio.get_running_loop().call_soon(sys.exit, 7)
    await asyncio.Event().wait()


async def says_much_and_ends_in_a_task(process: Any) -> None:
    process.stdout.write(b"x" * 200_000)
    await ends_in_a_task(process)
    emit(Said("it goes on"))


async def writes_to_nobody(process: Any) -> None:
    while True:
        process.stdout.write(b"x" * 100_000)
        await process.stdout.drain()


async def writes_to_nobody_in_a_group(process: Any) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writes_to_nobody(process))


def ending(handler: Any) -> Main:
    async def main(world: Any) -> None:
        world.command("server", handler)
        process = await start("server")
        if "nobody" in handler.__name__:
            process._transport.get_pipe_transport(1).close()
        else:
            await process.stdout.read()
        emit(Said(str(await process.wait())))

    return main


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        (leaves_a_task, 4),
        (ends_in_a_task, 6),
        (ends_in_a_callback, 7),
        (says_much_and_ends_in_a_task, 6),
        (writes_to_nobody, 1),
        (writes_to_nobody_in_a_group, 1),
    ],
)
def test_how_a_process_may_end(handler: Any, status: int) -> None:
    main = ending(handler)
    assert outcomes(main) == {(str(status),)}


@pytest.mark.parametrize("handler", [writes_to_nobody, writes_to_nobody_in_a_group])
def test_one_that_is_killed_while_it_ends_is_killed(handler: Any) -> None:
    assert outcomes(ending(handler), faults="crash:1") == {("1",), ("-9",)}


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (fails, "server fails: ValueError: too many (test_commands.py:"),
        (fails_in_a_task, "fails with ValueError: too many (test_commands.py:"),
    ],
)
def test_a_stand_in_that_fails_is_a_finding(handler: Any, message: str) -> None:
    finding = usual(ending(handler)).finding
    assert finding is not None
    assert finding.property == "exception"
    assert message in finding.message


def test_a_stand_in_that_fails_is_not_taken_for_one_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Child, "has_ended", lambda self, task: self.leave(bool(task.exception())))
    assert usual(ending(fails)).finding is None


async def outlived(world: Any) -> None:
    world.command("server", waiting)
    emit(Said(str((await start("server")).returncode)))


async def both_wait(world: Any) -> None:
    async def answers_twice(process: Any) -> None:
        process.stdout.write(b"x" * 500_000)
        await process.stdout.drain()
        await process.stdin.read()

    world.command("server", answers_twice)
    process = await start("server")
    process.stdin.write(b"x" * 200_000)
    await process.stdin.drain()
    process.stdin.close()
    await process.stdout.read()


def test_a_process_may_outlive_main() -> None:
    assert outcomes(outlived) == {("None",)}
    assert all(run.finding is None for run in runs(outlived))


def test_two_that_write_and_do_not_read_are_in_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    found = least(both_wait)
    assert found is not None
    assert found[0].property == "deadlock"
    assert "main waits in both_wait" in found[0].message
    monkeypatch.setattr(WriteEnd, "_room", 1_000_000)
    assert least(both_wait, schedules=20) is None


async def started_and_cancelled(world: Any) -> None:
    world.command("server", echo)

    async def starts() -> None:
        process = await start("server")
        try:
            process.stdin.close()
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    await asyncio.wait([world.task("client", starts())])
    emit(Said("over"))


@pytest.mark.parametrize("faults", ["cancel:1@client", "cancel:1@client, crash:1@server", "cancel:2@client"])
def test_who_starts_one_may_be_cancelled_anywhere(faults: str) -> None:
    assert outcomes(started_and_cancelled, 2, faults=faults) == {("over",)}


def test_a_mark_that_is_kept_too_long_makes_another_place_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal on its way is lost where the process ends: what its sender has sent is another thing then."""

    def drop(self: Traffic, channel: Channel) -> None:
        channel.flight.clear()
        channel.load = 0
        self._busy.pop(channel, None)

    monkeypatch.setattr(Traffic, "drop", drop)
    with pytest.raises(NondeterminismError):
        outcomes(started_and_cancelled, 2, faults="cancel:1@client")


# Families of them -----------------------------------------------------------------------------------------


async def family(world: Any) -> None:
    async def parent(process: Any) -> None:
        child = await start("child")
        process.stdout.write(b"%d\n" % child.pid)
        await child.wait()

    world.command("parent", parent)
    world.command("child", waiting)
    process = await start("parent", start_new_session=True)
    child = int(await process.stdout.readline())
    emit(Said(f"{os.getpgid(child) == os.getpgid(process.pid) == process.pid}"))
    process.kill()
    emit(Said(str(await process.wait())))
    emit(Said(str(os.kill(child, 0))))  # it goes on
    os.killpg(process.pid, signal.SIGTERM)
    try:
        while True:
            os.kill(child, 0)
            await asyncio.sleep(1)
    except ProcessLookupError:
        emit(Said("gone"))


def test_a_process_starts_processes_and_a_group_is_told_at_once() -> None:
    run = replayed(family, [])
    assert run.finding is None
    assert heard(run) == ("True", "-9", "None", "gone")


NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("NUMBER", default=0)


async def knows_nothing(process: Any) -> int:
    return NUMBER.get()


async def with_a_variable(world: Any) -> None:
    NUMBER.set(3)
    world.command("server", knows_nothing)
    emit(Said(str(await (await start("server")).wait())))


def test_a_process_knows_nothing_of_the_variables_of_a_task() -> None:
    assert heard(usual(with_a_variable)) == ("0",)


# Where it writes ------------------------------------------------------------------------------------------


async def writes(process: Any) -> None:
    process.stdout.write(b"to stdout\n")
    process.stderr.write("to stderr \N{SNOWMAN}\n".encode())


@pytest.mark.parametrize(
    ("how", "out", "err"),
    [
        ({}, "to stdout\n", "to stderr \N{SNOWMAN}\n"),
        ({"stdout": DEVNULL}, "", "to stderr \N{SNOWMAN}\n"),
        ({"stderr": DEVNULL}, "to stdout\n", ""),
        ({"stderr": STDOUT}, "to stdout\nto stderr \N{SNOWMAN}\n", ""),
        ({"stdout": DEVNULL, "stderr": STDOUT}, "", ""),
    ],
)
def test_what_nobody_reads_is_printed_where_the_program_prints(
    how: dict[str, Any], out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main(world: Any) -> None:
        world.command("server", writes)
        process = await asyncio.create_subprocess_exec("server", **how)
        assert await process.communicate() == (None, None)

    assert usual(main).finding is None
    assert tuple(capsys.readouterr()) == (out, err)


def test_it_writes_to_files_that_are_given(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, (tmp_path / "out").open("wb") as output:

        async def main(world: Any) -> None:
            world.command("server", writes)
            await (await asyncio.create_subprocess_exec("server", stdout=output.fileno(), stderr=log)).wait()

        assert usual(main).finding is None
    assert (tmp_path / "log").read_text() == "to stderr \N{SNOWMAN}\n"
    assert (tmp_path / "out").read_text() == "to stdout\n"


def test_nothing_is_left_behind_and_nothing_is_said_of_what_was_open() -> None:
    async def main(world: Any) -> None:
        world.command("server", echo)
        process = await start("server", stderr=PIPE)
        process.stdin.write(b"x" * 100_000)
        await process.stdout.read(1)
        raise ValueError

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = runs(main, seeds=10, faults="crash:1")
        gc.collect()
    assert {run.finding.property for run in found if run.finding} == {"main"}
    assert [str(one.message) for one in told] == []


# Equal orders, and one order in every process -------------------------------------------------------------


def two_at_once(faults: str = "") -> Program:
    """What two processes say, and how they end, while one of them is told to."""

    async def main(world: Any) -> None:
        log: list[str] = []
        world.command("server", echo)

        async def talks(name: str) -> None:
            process = await start("server")
            process.stdin.write(name.encode() + b"\n")
            process.stdin.close()
            if name == "a":
                process.terminate()
            log.append((await process.stdout.read()).decode().strip())
            log.append(str(await process.wait()))

        await asyncio.wait([world.task(name, talks(name)) for name in "ab"])
        emit(Ended(" ".join(log)))

    return Program(main, faults=faults)


@pytest.mark.parametrize(("order", "faults"), [("fifo", ""), ("fifo", "crash:1"), ("fifo", "split:1"), ("any", "")])
def test_to_leave_equal_orders_of_processes_loses_no_outcome(order: str, faults: str) -> None:
    one = two_at_once(faults).with_(order=order)
    every, all_of_them = outcomes_of(one.world(), 1, merge=False)
    some, fewer = outcomes_of(one.world(), 1, merge=True)
    assert len(every) > 1
    assert some == every
    assert fewer.schedules < all_of_them.schedules


async def asked_by_number(world: Any) -> None:
    """Asks whether a process is there while it ends: what it is told is all that differs."""
    world.command("server", echo)
    process = await asyncio.create_subprocess_exec("server", stdin=PIPE, stdout=DEVNULL)
    process.stdin.close()
    await asyncio.sleep(1)
    try:
        os.kill(process.pid, 0)
        alive = True
    except ProcessLookupError:
        alive = False
    known = process._transport.get_extra_info("subprocess").returncode
    log = f"{known} {alive}"
    await process.wait()
    await asyncio.sleep(1)
    emit(Ended(log))


def test_a_fingerprint_that_forgets_what_is_known_of_processes_loses_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(asked_by_number)
    every, _ = outcomes_of(program.world(), 2, merge=False)
    assert len(every) == 3
    assert outcomes_of(program.world(), 2, merge=True)[0] == every
    monkeypatch.setattr(Kernel, "meets", lambda self, fd, what: None)
    assert outcomes_of(program.world(), 2, merge=True)[0] != every


def test_one_seed_has_one_digest_in_every_process() -> None:
    here = of_schedules(two_at_once("crash:1, split:1"), 10)
    assert len(set(here)) > 1
    call = "of_schedules(made('tests.live.test_commands', 'two_at_once').with_(faults='crash:1, split:1'), 10)"
    assert list(elsewhere(("0", "4242"), call)) == [here, here]
