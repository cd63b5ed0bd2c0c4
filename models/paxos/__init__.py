"""Single-decree Paxos as a register (Lamport: "Paxos made simple", 2001), with the roles and
optimisations of stateright's example: three servers that each propose, accept and learn; clients that put
once and then get from the next server. A server answers a get only once it has learnt the decision."""

from __future__ import annotations

from sim import DEFER, Message, Process, System, View, always, sometimes

Ballot = tuple[int, int]
"""(round, number of the server)."""
Proposal = tuple[str, str]
"""(client that asked, value)."""
Vote = tuple[Ballot, Proposal]

SERVERS = ("s0", "s1", "s2")
MAJORITY = 2


class Put(Message):
    value: str


class PutOk(Message):
    pass


class Get(Message):
    pass


class GetOk(Message):
    value: str


class Prepare(Message):
    ballot: Ballot


class Promise(Message):
    ballot: Ballot
    vote: Vote | None


class Accept(Message):
    ballot: Ballot
    proposal: Proposal


class Vouch(Message):
    ballot: Ballot


class Decided(Message):
    ballot: Ballot
    proposal: Proposal


class Server(Process):
    """Proposer, acceptor and learner in one; a message that it cannot use (yet) stays in flight."""

    states = ("open", "decided")
    transitions = (
        {"trigger": Put, "source": "open", "dest": None, "conditions": "is_idle", "after": "propose"},
        {"trigger": Put, "source": "*", "dest": DEFER},
        {"trigger": Prepare, "source": "open", "dest": None, "conditions": "is_newer", "after": "promise"},
        {"trigger": Prepare, "source": "*", "dest": DEFER},
        {"trigger": Promise, "source": "open", "dest": None, "conditions": "is_mine", "after": "collect"},
        {"trigger": Promise, "source": "*", "dest": DEFER},
        {"trigger": Accept, "source": "open", "dest": None, "unless": "is_older", "after": "accept"},
        {"trigger": Accept, "source": "*", "dest": DEFER},
        {
            "trigger": Vouch,
            "source": "open",
            "dest": "decided",
            "conditions": ["is_mine", "makes_majority"],
            "after": "decide",
        },
        {"trigger": Vouch, "source": "open", "dest": None, "conditions": "is_mine", "after": "tally"},
        {"trigger": Vouch, "source": "*", "dest": DEFER},
        {"trigger": Decided, "source": "open", "dest": "decided", "after": "learn"},
        {"trigger": Decided, "source": "decided", "dest": DEFER},
        {"trigger": Get, "source": "open", "dest": DEFER},
        {"trigger": Get, "source": "decided", "dest": None, "after": "answer"},
    )

    number: int
    ballot: Ballot = (0, 0)
    proposal: Proposal | None = None
    promises: frozenset[tuple[int, Vote | None]] = frozenset()
    vouchers: frozenset[int] = frozenset()
    vote: Vote | None = None

    def others(self) -> list[str]:
        return [name for name in SERVERS if name != self.name]

    def is_idle(self) -> bool:
        return self.proposal is None

    def is_newer(self, message: Prepare) -> bool:
        return message.ballot > self.ballot

    def is_older(self, message: Accept) -> bool:
        return message.ballot < self.ballot

    def is_mine(self, message: Promise | Vouch) -> bool:
        return message.ballot == self.ballot

    def makes_majority(self) -> bool:
        return len(self.vouchers | {SERVERS.index(self.sender)}) == MAJORITY

    def propose(self, put: Put) -> None:
        self.proposal = (self.sender, put.value)
        self.ballot = (self.ballot[0] + 1, self.number)
        self.promises = frozenset({(self.number, self.vote)})
        self.vouchers = frozenset()
        for server in self.others():
            self.send(server, Prepare(self.ballot))

    def promise(self, prepare: Prepare) -> None:
        self.ballot = prepare.ballot
        self.send(self.sender, Promise(prepare.ballot, self.vote))

    def collect(self, promise: Promise) -> None:
        self.promises |= {(SERVERS.index(self.sender), promise.vote)}
        if len(self.promises) != MAJORITY:
            return
        votes = [vote for _, vote in self.promises if vote is not None]
        if votes:
            self.proposal = max(votes)[1]
        assert self.proposal is not None
        self.vote = (self.ballot, self.proposal)
        self.vouchers |= {self.number}
        for server in self.others():
            self.send(server, Accept(self.ballot, self.proposal))

    def accept(self, accept: Accept) -> None:
        self.ballot = accept.ballot
        self.vote = (accept.ballot, accept.proposal)
        self.send(self.sender, Vouch(accept.ballot))

    def tally(self) -> None:
        self.vouchers |= {SERVERS.index(self.sender)}

    def decide(self) -> None:
        self.tally()
        assert self.proposal is not None
        for server in self.others():
            self.send(server, Decided(self.ballot, self.proposal))
        self.send(self.proposal[0], PutOk())

    def learn(self, decided: Decided) -> None:
        self.ballot = decided.ballot
        self.vote = (decided.ballot, decided.proposal)

    def answer(self) -> None:
        assert self.vote is not None
        self.send(self.sender, GetOk(self.vote[1][1]))


class Client(Process):
    """Puts its value at one server, then gets from the next."""

    states = ("putting", "getting", "done")
    transitions = (
        {"trigger": PutOk, "source": "putting", "dest": "getting", "after": "get"},
        {"trigger": PutOk, "source": "*", "dest": DEFER},
        {"trigger": GetOk, "source": "getting", "dest": "done", "after": "note"},
    )

    number: int
    value: str
    got: str | None = None

    def on_start(self) -> None:
        self.send(SERVERS[self.number % len(SERVERS)], Put(self.value))

    def get(self) -> None:
        self.send(SERVERS[(self.number + 1) % len(SERVERS)], Get())

    def note(self, answer: GetOk) -> None:
        self.got = answer.value


def agree(*servers: View) -> bool:
    """All servers that have decided agree on one proposal."""
    return len({server.vote[1] for server in servers if server.state == "decided"}) <= 1


def system(clients: int = 2) -> System:
    """`clients`: 1 to 26; client i puts its own value, a letter, at server i modulo 3."""
    if not 1 <= clients <= 26:
        raise ValueError(f"clients is {clients}; must be 1 to 26")
    names = [f"c{i}" for i in range(clients)]
    return System(
        processes={
            **{name: Server(number=i) for i, name in enumerate(SERVERS)},
            **{name: Client(number=i, value=chr(ord("A") + i)) for i, name in enumerate(names)},
        },
        properties=(
            always("agreement", agree, reads=SERVERS),
            always("what is read was put", lambda *cs: all(c.got in {None, *(o.value for o in cs)} for c in cs), names),
            sometimes("a client reads", lambda *cs: any(c.got for c in cs), reads=names),
        ),
    )
