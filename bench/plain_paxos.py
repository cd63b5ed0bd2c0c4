"""Single-decree Paxos as plainly as can be: proposers, acceptors, every message delivered once in any order.
With 2 proposers and 3 acceptors there are 173,812 states and 801,486 steps."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, View, always, sometimes


class Start(Message):
    pass


class Prepare(Message):
    ballot: int


class Promise(Message):
    ballot: int
    voted: int
    value: int


class Accept(Message):
    ballot: int
    value: int


class Accepted(Message):
    ballot: int


class Proposer(Process):
    states = ("idle", "preparing", "accepting", "done")
    transitions = (
        {"trigger": Start, "source": "*", "dest": "preparing", "after": "prepare"},
        {"trigger": Promise, "source": "preparing", "dest": "accepting", "conditions": "makes_majority", "after": "accept"},
        {"trigger": Promise, "source": "preparing", "dest": None, "conditions": "is_mine", "after": "note"},
        {"trigger": Promise, "source": "*", "dest": IGNORE},
        {"trigger": Accepted, "source": "accepting", "dest": "done", "conditions": "is_enough", "after": "count"},
        {"trigger": Accepted, "source": "accepting", "dest": None, "conditions": "is_mine", "after": "count"},
        {"trigger": Accepted, "source": "*", "dest": IGNORE},
    )  # fmt: skip

    number: int
    acceptors: frozenset[str]
    ballot: int = 0
    value: int = 0
    promises: frozenset[tuple[str, int, int]] = frozenset()
    accepts: frozenset[str] = frozenset()

    def on_start(self) -> None:
        self.send(self.name, Start())

    def majority(self) -> int:
        return len(self.acceptors) // 2 + 1

    def is_mine(self, message: Promise | Accepted) -> bool:
        return message.ballot == self.ballot

    def makes_majority(self, promise: Promise) -> bool:
        promises = {*self.promises, (self.sender, promise.voted, promise.value)}
        return self.is_mine(promise) and len(promises) >= self.majority()

    def is_enough(self, message: Accepted) -> bool:
        return self.is_mine(message) and len({*self.accepts, self.sender}) >= self.majority()

    def prepare(self) -> None:
        self.ballot = self.number
        for acceptor in self.acceptors:
            self.send(acceptor, Prepare(self.ballot))

    def note(self, promise: Promise) -> None:
        self.promises |= {(self.sender, promise.voted, promise.value)}

    def accept(self, promise: Promise) -> None:
        self.note(promise)
        voted, value = max((voted, value) for _, voted, value in self.promises)
        self.value = value if voted else self.number
        for acceptor in self.acceptors:
            self.send(acceptor, Accept(self.ballot, self.value))

    def count(self) -> None:
        self.accepts |= {self.sender}


class Acceptor(Process):
    states = ("on",)
    transitions = (
        {"trigger": Prepare, "source": "on", "dest": None, "conditions": "is_newer", "after": "promise"},
        {"trigger": Prepare, "source": "on", "dest": IGNORE},
        {"trigger": Accept, "source": "on", "dest": None, "conditions": "is_bound", "after": "vote"},
        {"trigger": Accept, "source": "on", "dest": IGNORE},
    )

    promised: int = 0
    voted: int = 0
    value: int = 0

    def is_newer(self, message: Prepare) -> bool:
        return message.ballot > self.promised

    def is_bound(self, message: Accept) -> bool:
        return message.ballot >= self.promised

    def promise(self, message: Prepare) -> None:
        self.promised = message.ballot
        self.send(self.sender, Promise(message.ballot, self.voted, self.value))

    def vote(self, message: Accept) -> None:
        self.promised, self.voted, self.value = message.ballot, message.ballot, message.value
        self.send(self.sender, Accepted(message.ballot))


def agree(*proposers: View) -> bool:
    """Proposers that are done have one value."""
    return len({p.value for p in proposers if p.state == "done"}) <= 1


def plain_paxos(proposers: int = 2, acceptors: int = 3, acceptor: type[Acceptor] = Acceptor) -> System:
    names = tuple(f"a{i}" for i in range(acceptors))
    leading = {f"p{i}": Proposer(number=i + 1, acceptors=frozenset(names)) for i in range(proposers)}
    processes = {**leading, **{name: acceptor() for name in names}}
    return System(
        processes,
        interchangeable=(names,),
        properties=[
            always("agreement", agree, reads=[*leading]),
            sometimes("all are done", lambda *ps: all(p.state == "done" for p in ps), reads=[*leading]),
        ],
    )
