"""Tie: two who ask for the critical section at one time each let the other go first.

After Ricart, Agrawala: "An optimal algorithm for mutual exclusion in computer networks", CACM 1981.
"""

from __future__ import annotations

from sim import DEFER, Message, Process, System, always, sometimes


class Request(Message):
    clock: int


class Granted(Message):
    pass


class Node(Process):
    """Answers a request at once, unless its own comes first; then the request waits."""

    states = ("asking", "inside", "done")
    hot = ("asking", "inside")
    must = ("leave",)
    transitions = (
        {"trigger": Request, "source": "asking", "dest": DEFER, "conditions": "is_first"},
        {"trigger": Request, "source": "inside", "dest": DEFER},
        {"trigger": Request, "source": "*", "dest": None, "after": "grant"},
        {"trigger": Granted, "source": "asking", "dest": "inside"},
        {"trigger": "leave", "source": "inside", "dest": "done"},
    )

    other: str
    clock: int = 1

    def on_start(self) -> None:
        self.send(self.other, Request(self.clock))

    def is_first(self, request: Request) -> bool:
        return (self.clock, self.name) < (request.clock, self.sender)

    def grant(self) -> None:
        self.send(self.sender, Granted())


class PoliteNode(Node):
    """Forgets that clocks can be equal."""

    def is_first(self, request: Request) -> bool:
        return self.clock < request.clock


def system(planted: bool = True) -> System:
    node = PoliteNode if planted else Node
    return System(
        {"ann": node(other="bob"), "bob": node(other="ann")},
        properties=(
            always("one at a time", lambda ann, bob: not ann.state == bob.state == "inside"),
            sometimes("both were inside", lambda ann, bob: ann.state == bob.state == "done"),
        ),
    )
