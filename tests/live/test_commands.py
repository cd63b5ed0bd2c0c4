"""Processes of a run: which command line is meant, what is refused, what faults do to them, and what is found of them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import warnings
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim import Program, emit
from sim.base.errors import ModelError, RefusedError
from sim.checker.bounded import BoundedWalk, Departure
from sim.checker.plain import Limits
from sim.live.net.kernel import Kernel
from sim.live.net.pipes import WatchEnd, WriteEnd
from sim.live.processes.child import Child
from sim.live.processes.commands import Commands, of_shell
from sim.run.simulation import Walk
from tests.live.digests import elsewhere, of_schedules
from tests.live.orders import Ended
from tests.live.orders import outcomes as outcomes_of
from tests.live.small import Said, installed_once, least, replayed, runs, usual

once = installed_once
Main = Callable[[Any], Any]


async def echo(process: Any) -> None:
    while line := await process.stdin.readline():
        process.stdout.write(line.upper())
        await process.stdout.drain()


async def waiting(_: Any) -> None:
    await asyncio.Event().wait()


async def start(*words: str, **how: Any) -> Any:
    return await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, **how)


# Which one is meant ---------------------------------------------------------------------------------------


def names(*lines: object) -> Commands:
    commands = Commands()
    for line in lines:
        commands.add(line, echo, None)
    return commands


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("npx", ("npx",)),
        ("npx -y other", ("npx",)),
        ("npx -y server-fetch", ("npx", "-y", "server-fetch")),
        ("npx -y server-fetch --port 3", ("npx", "-y", "server-fetch")),
        ("npx server-fetch -y", ("npx",)),
        ("/usr/bin/npx -y server-fetch", ("npx", "-y", "server-fetch")),
        ("/opt/uvx a", ("/opt/uvx",)),
        ("/usr/bin/uvx a", ("uvx", "a")),
        ("/opt/uvx a b", ("/opt/uvx", "a")),
    ],
)
def test_the_longest_command_line_that_fits_is_meant(words: str, meant: tuple[str, ...]) -> None:
    commands = names("npx", "npx -y server-fetch", "/opt/uvx", "uvx a")
    if words == "/opt/uvx a b":
        commands.add(["/opt/uvx", "a"], echo, None)
    if words == "/opt/uvx a":
        commands = names("npx", "/opt/uvx", "uvx")
    assert commands.find(words.split()).words == meant


@pytest.mark.parametrize("words", ["npy -y server-fetch", "server-fetch", "opt/uvx2", "./uvx-2"])
def test_what_fits_none_is_refused_with_what_there_is(words: str) -> None:
    with pytest.raises(ModelError) as told:
        names("npx -y server-fetch", "uvx").find(words.split())
    assert str(told.value) == (
        f"the command {words!r} has no stand-in, and a run starts no real process; write world.command({words!r}, handler); "
        "what has one is 'npx -y server-fetch' and 'uvx'"
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("npx -y server", "npx"),
        ("/usr/bin/python3.11 -m server", "python3"),
        (["my server.js", "x"], "my-server"),
        ([Path("bin/run-it.sh")], "run-it"),
        ("7z", "process"),
    ],
)
def test_a_process_is_called_by_its_first_word(line: object, name: str) -> None:
    assert Commands().add(line, echo, None) == name
    assert Commands().add(line, echo, "other") == "other"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("server --port 3", ["server", "--port", "3"]),
        ("server 'a b' \"c;d\"", ["server", "a b", "c;d"]),
        (b"server #1", ["server", "#1"]),
    ],
)
def test_a_line_for_a_shell_is_split_as_by_one(line: Any, words: list[str]) -> None:
    assert of_shell(line) == words


@pytest.mark.parametrize(
    "line", ["a | b", "a|b", "a && b", "a; b", "a > out", "(a)", "a &", "echo $HOME", "echo `date`", "", "a 'b"]
)
def test_what_only_a_shell_can_do_is_refused(line: str) -> None:
    with pytest.raises(ModelError) as told:
        of_shell(line)
    assert "needs a shell, which a run has not" in str(told.value) or "is not a command line" in str(told.value)


# What is refused ------------------------------------------------------------------------------------------


async def of_another(world: Any) -> None:
    world.command("server", echo)
    await start("other", "-x")


async def by_a_shell(world: Any) -> None:
    world.command("server", echo)
    await asyncio.create_subprocess_shell("server | tee log")


async def at_once(world: Any) -> None:
    world.command("server", echo)
    subprocess.run(["server"], check=False)


async def twice(world: Any) -> None:
    world.command("server a", echo)
    world.command(["server", "a"], echo)


async def of_no_words(world: Any) -> None:
    world.command("", echo)


async def of_a_number(world: Any) -> None:
    world.command(3, echo)


async def without_a_handler(world: Any) -> None:
    world.command("server", None)


async def by_an_odd_name(world: Any) -> None:
    world.command("server", echo, name="a server")


async def by_what_is_not_async(world: Any) -> None:
    world.command("server", lambda process: None)
    await start("server")


async def ends(_: Any) -> Any:
    return "well"


async def by_what_returns_a_text(world: Any) -> None:
    world.command("server", ends)
    await (await start("server")).wait()


async def from_a_file(world: Any) -> None:
    world.command("server", echo)
    with open(__file__) as file:
        await asyncio.create_subprocess_exec("server", stdin=file)


async def with_an_open_file(world: Any) -> None:
    world.command("server", echo)
    await start("server", pass_fds=(3,))


async def by_an_odd_signal(world: Any) -> None:
    world.command("server", waiting)
    (await start("server")).send_signal(signal.SIGUSR1)


async def waits_for_it(world: Any) -> None:
    world.command("server", waiting)
    process = await start("server")
    process._transport.get_extra_info("subprocess").wait()


async def reads_a_real_pipe(_: Any) -> None:
    reads, writes = os.pipe()
    try:
        with open(reads, "rb", closefd=False) as file:
            await asyncio.get_running_loop().connect_read_pipe(asyncio.Protocol, file)
    finally:
        os.close(reads)
        os.close(writes)


async def signals_itself(_: Any) -> None:
    os.kill(os.getpid(), 0)


async def signals_its_group(_: Any) -> None:
    os.killpg(0, 0)


REFUSED: dict[Main, str] = {
    of_another: "the command 'other -x' has no stand-in, and a run starts no real process; write world.command('other -x', "
    "handler); what has one is 'server'",
    by_a_shell: "'server | tee log' needs a shell, which a run has not; start one command with its words",
    at_once: "a new process is refused in a run: a run starts none but by asyncio.create_subprocess_exec, where "
    "world.command(...) says who stands for it",
    twice: "world.command: server a has a stand-in already; call world.command once for it",
    of_no_words: "world.command: '' (str) is not a command line; write its words, such as \"npx -y server-fetch\"",
    of_a_number: "world.command: 3 (int) is not a command line",
    without_a_handler: "world.command: a NoneType is not a handler; write async def handler(process)",
    by_an_odd_name: "world.command: 'a server' (str) is not a name; write letters, digits, - and _, such as client",
    by_what_is_not_async: "world.command: the handler of server is not a coroutine; write async def handler(process)",
    by_what_returns_a_text: "world.command: server returns 'well' (str), which is not an exit status; write 0",
    from_a_file: "stdin=a TextIOWrapper: a process of a run reads a pipe; write PIPE or DEVNULL",
    with_an_open_file: "pass_fds=: a process of a run is known by its command line; start it without",
    by_an_odd_signal: "signal 10: a process of a run hears SIGHUP, SIGINT, SIGTERM and SIGKILL; send one of those",
    waits_for_it: "Popen.wait: it blocks the loop, whose time stands still meanwhile; await process.wait() of asyncio",
    reads_a_real_pipe: "loop.connect_read_pipe: the pipes of a run are those of its processes; connect to world.serve instead",
    signals_itself: "os.kill is refused in a run: a run gets no signals; the fault stop:1@main tells the program to stop",
    signals_its_group: "os.killpg is refused in a run: a run gets no signals",
}


@pytest.mark.parametrize("main", REFUSED, ids=lambda main: main.__name__)
def test_what_cannot_be_is_refused_in_one_line(main: Main) -> None:
    with pytest.raises(RefusedError) as told:
        usual(main)
    (line,) = told.value.mistakes
    assert REFUSED[main] in line
    assert line.startswith("test_commands.py:") or main is by_what_returns_a_text


# Faults ---------------------------------------------------------------------------------------------------


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
    world.command("server", waiting)

    async def starts() -> None:
        process = await start("server")
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    await asyncio.wait([world.task("client", starts())], timeout=5)
    emit(Said("over"))


def test_who_starts_one_may_be_cancelled_anywhere() -> None:
    for run in runs(started_and_cancelled, seeds=100, faults="cancel:1@client"):
        assert run.finding is None or run.finding.property == "outlives"
    found = runs(started_and_cancelled, seeds=100, faults="cancel:1@client, crash:1@server")
    assert {run.finding.property for run in found if run.finding} <= {"outlives"}


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
