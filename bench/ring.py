"""One workload in two engines: tokens that go round a ring of processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from sim import Graph, Message, Process, System, Timing, View, VirtualTime, always, simulate

PROCESSES = 6
TOKENS = 3


class Token(Message):
    number: int


class Node(Process):
    """Passes every token on."""

    states = ("on",)
    transitions = ({"trigger": Token, "source": "on", "dest": None, "after": "forward"},)

    following: str
    tokens: int = 0
    last: int = 0

    def on_start(self) -> None:
        for number in range(self.tokens):
            self.send(self.following, Token(number))

    def forward(self, token: Token) -> None:
        self.last = token.number
        self.send(self.following, token)


def known(*nodes: View) -> bool:
    return all(0 <= node.last < TOKENS for node in nodes)


def ring() -> Graph:
    """The ring as a system with a property over all its processes."""
    names = [f"p{i}" for i in range(PROCESSES)]
    return Graph(
        System(
            {
                name: Node(following=names[(i + 1) % PROCESSES], tokens=TOKENS if i == 0 else 0)
                for i, name in enumerate(names)
            },
            properties=[always("tokens are known", known, reads=names)],
            timing=Timing(latency_ms=(1, 1)),
        )
    )


def run_ours(graph: Graph, messages: int) -> str:
    """One run on virtual time with trace, digest and property; returns the digest."""
    return simulate(graph, VirtualTime(1), max_steps=messages).digest


def run_simpy(messages: int) -> int:
    """The same messages through one Store for each process, each message one time unit under way."""
    environment = simpy.Environment()
    stores = [simpy.Store(environment) for _ in range(PROCESSES)]
    passed = 0

    def node(index: int) -> Any:
        nonlocal passed
        while passed < messages:
            token = yield stores[index].get()
            yield environment.timeout(1)
            passed += 1
            yield stores[(index + 1) % PROCESSES].put(token)

    for index in range(PROCESSES):
        environment.process(node(index))
    for token in range(TOKENS):
        stores[0].put(token)
    environment.run()
    return passed


def seconds(action: Callable[[], object], clock: Callable[[], float]) -> float:
    """How long one call takes."""
    started = clock()
    action()
    return clock() - started
