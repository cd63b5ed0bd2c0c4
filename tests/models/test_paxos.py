"""Paxos against the published counts: behind a register (stateright `examples/paxos.rs`), and plain."""

from __future__ import annotations

import pytest

from models.paxos import SERVERS, Accept, Server, system
from sim import IGNORE, Message, Process, System, View, always, check, sometimes


@pytest.mark.parametrize(("clients", "states"), [(1, 265), (2, 16_668)])
def test_behind_a_register_the_states_are_the_published_ones(clients: int, states: int) -> None:
    result = check(system(clients=clients))
    assert result.states == states
    assert result.verdict == "ok"


def test_with_two_clients_handlers_run_less_than_once_in_twenty_steps() -> None:
    result = check(system(clients=2))
    assert result.handler_calls * 20 < result.generated


class Forgetful(Server):
    """Accepts whatever it is asked, also what is older than its promise."""

    def is_older(self, message: Accept) -> bool:
        return False


def test_a_server_that_breaks_its_promise_is_caught() -> None:
    sane = system(clients=2)
    forgetful = {name: Forgetful(number=i) for i, name in enumerate(SERVERS)}
    result = check(sane.with_(processes={**sane.processes, **forgetful}))
    assert result.finding is not None
    assert result.finding.property == "agreement"


# --- plain Paxos, written with the public names only ---------------------------------------------------

ACCEPTORS = ("a0", "a1", "a2")


class Start(Message):
    pass


class Prepare(Message):
    ballot: int


class Promise(Message):
    ballot: int
    voted: int
    value: int | None


class Propose(Message):
    ballot: int
    value: int


class Accepted(Message):
    ballot: int


class Proposer(Process):
    states = ("idle", "preparing", "accepting", "done")
    transitions = (
        {"trigger": Start, "source": "idle", "dest": "preparing", "after": "prepare"},
        {
            "trigger": Promise,
            "source": "preparing",
            "dest": "accepting",
            "conditions": ["mine", "promised"],
            "after": "ask",
        },
        {"trigger": Promise, "source": "preparing", "dest": None, "conditions": "mine", "after": "note_promise"},
        {"trigger": Promise, "source": "*", "dest": IGNORE},
        {"trigger": Accepted, "source": "accepting", "dest": "done", "conditions": ["mine", "voted"], "after": "note"},
        {"trigger": Accepted, "source": "accepting", "dest": None, "conditions": "mine", "after": "note"},
        {"trigger": Accepted, "source": "*", "dest": IGNORE},
    )

    number: int
    ballot: int = 0
    value: int | None = None
    promises: frozenset[tuple[str, int, int | None]] = frozenset()
    votes: frozenset[str] = frozenset()

    def on_start(self) -> None:
        self.send(self.name, Start())

    def prepare(self) -> None:
        self.ballot = self.number + 1
        for acceptor in ACCEPTORS:
            self.send(acceptor, Prepare(self.ballot))

    def mine(self, answer: Promise | Accepted) -> bool:
        return answer.ballot == self.ballot

    def promised(self, promise: Promise) -> bool:
        return len(self.promises | {(self.sender, promise.voted, promise.value)}) >= 2

    def note_promise(self, promise: Promise) -> None:
        self.promises |= {(self.sender, promise.voted, promise.value)}

    def ask(self, promise: Promise) -> None:
        self.note_promise(promise)
        best = max(self.promises, key=lambda p: p[1])
        self.value = best[2] if best[1] else self.number + 1
        assert self.value is not None
        for acceptor in ACCEPTORS:
            self.send(acceptor, Propose(self.ballot, self.value))

    def voted(self) -> bool:
        return len(self.votes | {self.sender}) >= 2

    def note(self) -> None:
        self.votes |= {self.sender}


class Acceptor(Process):
    states = ("up",)
    transitions = (
        {"trigger": Prepare, "source": "up", "dest": None, "conditions": "newer", "after": "promise"},
        {"trigger": Prepare, "source": "up", "dest": IGNORE},
        {"trigger": Propose, "source": "up", "dest": None, "unless": "older", "after": "vote"},
        {"trigger": Propose, "source": "up", "dest": IGNORE},
    )

    ballot: int = 0
    accepted: int = 0
    value: int | None = None

    def newer(self, prepare: Prepare) -> bool:
        return prepare.ballot > self.ballot

    def older(self, propose: Propose) -> bool:
        return propose.ballot < self.ballot

    def promise(self, prepare: Prepare) -> None:
        self.ballot = prepare.ballot
        self.send(self.sender, Promise(prepare.ballot, self.accepted, self.value))

    def vote(self, propose: Propose) -> None:
        self.ballot = self.accepted = propose.ballot
        self.value = propose.value
        self.send(self.sender, Accepted(propose.ballot))


def chosen_is_one(*proposers: View) -> bool:
    return len({p.value for p in proposers if p.state == "done"}) <= 1


def plain_paxos(acceptor: type[Process] = Acceptor) -> System:
    proposers = ("p0", "p1")
    return System(
        processes={
            **{name: Proposer(number=i) for i, name in enumerate(proposers)},
            **{name: acceptor() for name in ACCEPTORS},
        },
        properties=(
            always("one value is chosen", chosen_is_one, reads=proposers),
            sometimes("both are done", lambda *ps: all(p.state == "done" for p in ps), reads=proposers),
        ),
    )


def test_plain_paxos_has_the_counts_of_the_measured_sketch() -> None:
    result = check(plain_paxos())
    assert (result.states, result.generated) == (173_812, 801_487)
    assert result.verdict == "ok"
    assert result.handler_calls < 600


class Amnesiac(Acceptor):
    """Promises without saying what it has accepted."""

    def promise(self, prepare: Prepare) -> None:
        self.ballot = prepare.ballot
        self.send(self.sender, Promise(prepare.ballot, 0, None))


def test_plain_paxos_with_forgetful_acceptors_chooses_two_values() -> None:
    result = check(plain_paxos(Amnesiac))
    assert result.finding is not None
    assert result.finding.property == "one value is chosen"
