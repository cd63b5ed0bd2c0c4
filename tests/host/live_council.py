"""A hosted council as a program under simulation. Its hosts are processes that are started again whenever they die, its agents
endpoints over HTTP; and what the journals have in the end is held against the model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from models.consensus import system
from sim import Program, System
from sim.faults import AgentTimeout, Disconnect, EmptyResponse, RateLimited
from sim.host import ChatAgent, Host, Question, Reply, Stream
from sim.host.host_log import log_text
from sim.host.journal import Journal, open_journal
from tests.host.promises import not_arrived

AGENTS = ("gemini", "claude")
CONFIG: dict[str, Any] = {"agents": len(AGENTS), "rounds": 1, "stop": False}
SESSION = "s"
TELLS_S = 1.0
"""How long an agent thinks."""
TIMES_MAX = 5
"""How often anything may strike, at most."""
LOOKS = 6
"""How often it is looked whether it hangs: a departure from the usual may let one of these times pass early."""
MACHINES = ("coordinator", "store", "consumer")
WHOLE: Mapping[str, tuple[str, ...]] = {"host": MACHINES}
SPLIT: Mapping[str, tuple[str, ...]] = {"front": MACHINES[:1], "back": MACHINES[1:]}
"""The hosts, each with its machines; the first of them has the agents too, and ends when its session does."""


def model() -> System:
    """The council, with as many faults as may strike."""
    of_agents = [fault.kind for fault in (AgentTimeout, Disconnect, EmptyResponse, RateLimited)]
    faults = [f"crash:{TIMES_MAX}@{name}" for name in MACHINES]
    faults += [f"{kind}:{TIMES_MAX}@{name}" for kind in of_agents for name in AGENTS]
    return system(**CONFIG).with_(faults=",".join(faults))


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An agent: it says OK to whatever it is asked."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
    except asyncio.IncompleteReadError:
        return  # whoever asked is gone
    await asyncio.sleep(TELLS_S)
    said = {"choices": [{"message": {"content": "OK"}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    body = json.dumps(said).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


def agent(name: str) -> ChatAgent:
    return ChatAgent(f"http://{name}/v1/chat/completions", model="m", prompt=lambda _: "Well?", parse={"OK": "ok"}.get)


class Slow:
    """An agent without a network."""

    async def ask(self, question: Question) -> Reply:
        await asyncio.sleep(TELLS_S)
        return Reply("ok", text=f"{question.process} says ok")

    async def close(self) -> None:
        pass


class Hosting:
    """The hosts of one run, and where their journals are."""

    def __init__(self, world: Any, parts: Mapping[str, tuple[str, ...]], adapters: Mapping[str, Any]) -> None:
        self.world, self.parts, self.adapters = world, parts, adapters
        self.journals = {part: str(world.folder / f"{part}.db") for part in parts}
        self.first = next(iter(parts))

    def host(self, part: str) -> Host:
        more: dict[str, Any] = {}
        if len(self.parts) > 1:
            other = Stream(self.address(next(name for name in self.parts if name != part)))
            there = [*self.parts[next(name for name in self.parts if name != part)]]
            there += [] if part == self.first else AGENTS
            more = {"links": dict.fromkeys(there, other), "listen": self.address(part)}
            more["until"] = (
                {"coordinator": ("done", "stopped")} if part == self.first else dict.fromkeys(MACHINES[1:], ())
            )
        adapters = {name: self.adapters[name] for name in AGENTS} if part == self.first else {}
        return Host(system, journal=self.journals[part], adapters=adapters, leaves=None, tell=lambda _: None, **more)

    def address(self, part: str) -> str:
        return f"tcp:127.0.0.1:{7001 + [*self.parts].index(part)}"

    async def live(self, part: str) -> None:
        """What a process does that hosts this part."""
        async with self.host(part) as host:
            if not host.sessions():
                await host.start(SESSION, **CONFIG)
            if SESSION in host.running:
                await host.until_over(SESSION)

    async def keep_up(self, part: str) -> None:
        """Runs a process until it has done what it had to, and not only died."""
        while True:
            process = await asyncio.create_subprocess_exec(part)
            try:
                if await process.wait() == 0:
                    return
            except asyncio.CancelledError:
                process.terminate()
                await process.wait()
                raise


def program(
    faults: str = "crash:1@host",
    parts: Mapping[str, tuple[str, ...]] = WHOLE,
    adapters: Mapping[str, Any] | None = None,
    within_s: float | None = None,
) -> Program:
    """The council, in these hosts. `within_s` is how long it may take, where nothing on the network is delayed forever."""

    async def main(world: Any) -> None:
        for name in AGENTS:
            world.serve(f"{name}:80", answering)
        hosting = Hosting(world, parts, adapters or {name: agent(name) for name in AGENTS})
        for part in parts:
            world.command(part, lambda _, part=part: hosting.live(part), name=part)
        first, *others = [world.task(f"keeper-{part}", hosting.keep_up(part)) for part in parts]
        for _ in range(LOOKS):
            await asyncio.wait({first}, timeout=None if within_s is None else within_s / LOOKS)
        hangs = not first.done()
        for keeper in (first, *others):
            keeper.cancel()
        await asyncio.gather(first, *others, return_exceptions=True)
        journals = {part: open_journal(where) for part, where in hosting.journals.items()}
        try:
            look(journals, world.recorder, hangs=hangs)
        finally:
            for journal in journals.values():
                journal.close()

    return Program(main, faults=faults, conforms=model(), observe=[*MACHINES, *AGENTS])


def look(journals: Mapping[str, Journal], recorder: Any, *, hangs: bool) -> None:
    """What was promised; and what was done, for the model."""
    wrong = not_arrived(journals.values(), SESSION, nobody=() if hangs else MACHINES[:1])
    assert not hangs, f"it hangs: {', '.join(wrong)}"
    assert not wrong, ", ".join(wrong)
    first, *_ = journals.values()
    assert first.state_of(SESSION) == "over"
    for part, journal in journals.items():
        for text in log_text(journal, SESSION):
            line = json.loads(text.replace(journal.id[:8], part))
            if "process" in line:
                del line["at"]  # when is another in each schedule, and says nothing more than the order
                recorder.write(line)
