"""Which stand-in a command line means, and what is refused."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ModelError, RefusedError
from sim.live.processes.commands import Commands, of_shell
from tests.live.small import installed_once, usual
from tests.live.stand_ins import echo, names, start, waiting

once = installed_once
Main = Callable[[Any], Any]


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
    assert line.startswith(("test_which_command.py:", "stand_ins.py:")) or main is by_what_returns_a_text


# Faults ---------------------------------------------------------------------------------------------------
