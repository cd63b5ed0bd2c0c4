"""The coordinator between its agents, a store and a consumer, held against its model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from bench.coordinator.coordinator import RESENDS, Coordinator
from bench.coordinator.http import read_message
from bench.coordinator.mistakes import MISTAKES
from models import consensus
from sim import ConfigError, Program, System
from sim.base.errors import unknown
from sim.conform.recorder import Recorder

RUN, ROSTER = "run-1", ("gemini", "claude", "gpt_pro")
FAULTS = "agent_timeout:1@gemini,rate_limited:1,empty_response:1,disconnect:1@gemini,reset:1,cancel:1,cut:1@consumer"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def serving(answer: Callable[[dict[str, Any]], str]) -> Handler:
    """A server that answers what it is told, once a connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _, _, body = await read_message(reader)
            said = answer(json.loads(body)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
            await writer.drain()
        except EOFError:
            pass  # nobody asks any longer
        finally:
            writer.close()

    return handler


class Store:
    """Stores each artifact once, and confirms as often as it is asked."""

    def __init__(self, recorder: Recorder) -> None:
        self.me, self.applied = recorder.process("store"), set[int]()

    def answer(self, said: dict[str, Any]) -> str:
        self.me.received("coordinator", "Store", said)
        if said["seq"] not in self.applied:
            self.applied.add(said["seq"])
            self.me.emitted("Applied", {"key": [said["run"], said["round"], said["stage"]]})
        self.me.sent("coordinator", "Stored", {"run": said["run"], "seq": said["seq"]})
        self.me.became(fields={"applied": [[said["run"], seq] for seq in sorted(self.applied)]})
        return str(said["seq"])


class Consumer:
    """Takes each decision once, and acknowledges it as often as it gets it."""

    def __init__(self, recorder: Recorder) -> None:
        self.me, self.last = recorder.process("consumer"), 0

    def answer(self, said: dict[str, Any]) -> str:
        self.me.received("coordinator", "Decision", said)
        if said["seq"] > self.last:
            self.last = said["seq"]
            self.me.emitted("Acknowledged", {"run": said["run"], "seq": said["seq"]})
        self.me.sent("coordinator", "AckDecision", {"run": said["run"], "seq": said["seq"]})
        self.me.became(fields={"last": self.last})
        return str(said["seq"])


def model(agents: int, rounds: int) -> System:
    """What may strike is what the coordinator sees of its network; what is only late, or repeated, is no fault."""
    return consensus.system(
        agents=agents, rounds=rounds, retries=1, resends=RESENDS, answers=("ok",), stop=False
    ).with_(faults="rate_limited:2,empty_response:2,disconnect:3")


def system(mistake: str = "", agents: int = 2, rounds: int = 2) -> Program:
    """The coordinator with so many agents and rounds.

    - `mistake`: one that is planted in it (`bench.coordinator.mistakes`)
    """
    if mistake not in ("", *MISTAKES):
        raise ConfigError(unknown("mistake", mistake, MISTAKES))
    kind, roster = MISTAKES.get(mistake, Coordinator), ROSTER[:agents]

    async def main(world: Any) -> None:
        for agent in roster:
            world.serve(f"{agent}:80", serving(lambda _: "ok"))
        world.serve("store:80", serving(Store(world.recorder).answer))
        world.serve("consumer:80", serving(Consumer(world.recorder).answer))
        coordinator = kind(RUN, roster, rounds, world.recorder)
        await asyncio.wait([world.task("coordinator", coordinator.run())])  # which may be cancelled

    return Program(
        main,
        faults=FAULTS,
        conforms=model(agents, rounds),
        observe=["coordinator", "store", "consumer"],
    )
