"""Small systems for the tests of strategies, fuzz and minimiser, each with what it is for."""

from __future__ import annotations

import models.consensus
import models.paxos
import models.two_phase_commit
from models.two_phase_commit import ResourceManager, TransactionManager
from sim import DEFER, IGNORE, Emission, Graph, Message, Process, System, Timing, always, cut, eventually
from sim.run.simulation import simulate
from sim.strategy import make_strategy


class Poke(Message):
    pass


class Token(Message):
    n: int


class Relay(Process):
    """Hands a token on to itself `length` times; breaks if it is poked with just `at` of them gone."""

    states = ("running", "broken")
    transitions = (
        {"trigger": Token, "source": "running", "dest": None, "conditions": "goes_on", "after": "hand_on"},
        {"trigger": Token, "source": "*", "dest": None, "after": "note"},
        {"trigger": Poke, "source": "running", "dest": "broken", "conditions": "is_fragile"},
        {"trigger": Poke, "source": "running", "dest": IGNORE},
    )

    length: int
    at: int
    gone: int = 0

    def on_start(self) -> None:
        self.send(self.name, Token(1))

    def goes_on(self, token: Token) -> bool:
        return token.n < self.length

    def hand_on(self, token: Token) -> None:
        self.gone = token.n
        self.send(self.name, Token(token.n + 1))

    def note(self, token: Token) -> None:
        self.gone = token.n

    def is_fragile(self) -> bool:
        return self.gone == self.at


class Poker(Process):
    """Pokes the relay, once."""

    states = ("done",)
    transitions = ({"trigger": Poke, "source": "done", "dest": IGNORE},)

    def on_start(self) -> None:
        self.send("relay", Poke())


def relay(length: int, at: int) -> System:
    """A bug of depth two: the poke after token `at`, and the next token after the poke."""
    return System(
        processes={"relay": Relay(length=length, at=at), "poker": Poker()},
        properties=(always("whole", lambda relay: relay.state != "broken"),),
    )


class Job(Message):
    n: int


class Done(Message):
    n: int


class Noted(Emission):
    n: int


class Master(Process):
    """Gives out jobs, again when they take long; chooses their order at the start."""

    states = ("waiting", "done")
    hot = ("waiting",)
    timers = ("late",)
    may = ("hurry",)
    transitions = (
        {"trigger": Done, "source": "waiting", "dest": "done", "conditions": "is_last", "after": "note"},
        {"trigger": Done, "source": "waiting", "dest": None, "after": "note"},
        {"trigger": Done, "source": "done", "dest": IGNORE},
        {"trigger": "late", "source": "waiting", "dest": None, "after": "send_again"},
        {"trigger": "late", "source": "done", "dest": IGNORE},
        {"trigger": "hurry", "source": "waiting", "dest": None, "conditions": "is_patient", "after": "send_again"},
    )

    jobs: int = 2
    missing: frozenset[int] = frozenset()
    patient: bool = True

    def on_start(self) -> None:
        self.missing = frozenset(range(self.jobs))
        first = self.choose(*range(self.jobs))
        for n in range(self.jobs):
            self.send("worker", Job((first + n) % self.jobs))
        self.arm("late", (50, 200))

    def is_last(self, done: Done) -> bool:
        return self.missing == {done.n}

    def is_patient(self) -> bool:
        return self.patient

    def note(self, done: Done) -> None:
        self.missing -= {done.n}

    def send_again(self) -> None:
        self.patient = False
        for n in sorted(self.missing):
            self.send("worker", Job(n))


class Worker(Process):
    """Does a job at a time."""

    states = ("idle", "busy")
    must = ("finish",)
    durable = ("did",)
    transitions = (
        {"trigger": Job, "source": "idle", "dest": "busy", "after": "begin"},
        {"trigger": Job, "source": "busy", "dest": DEFER},
        {"trigger": "finish", "source": "busy", "dest": "idle", "after": "end"},
    )

    job: int = 0
    did: int = 0

    def begin(self, job: Job) -> None:
        self.job = job.n

    def end(self) -> None:
        self.emit(Noted(self.job), did=self.did + 1)
        self.send("master", Done(self.job))


def factory(faults: str = "crash:1@worker,drop:1,duplicate:1,reorder:1,cut:1") -> System:
    """Every kind of action: choices at the start, timers, moves of both kinds, deferring, a fifo network,
    and faults of the network and of processes."""
    return System(
        processes={"master": Master(), "worker": Worker()},
        network="fifo",
        faults=faults,
        cuts={"wire": cut({"worker"})},
        timing=Timing(may_ms=(0, 100)),
    )


class Idler(Process):
    """Can move for ever, and nothing comes of it."""

    states = ("idle",)
    must = ("turn",)
    transitions = ({"trigger": "turn", "source": "idle", "dest": None},)


def restless() -> System:
    """Something is enabled for ever, but changes nothing."""
    return System(processes={"idler": Idler(), **relay(3, 2).processes})


class Hasty(TransactionManager):
    """Commits without waiting for everybody."""

    def all_prepared(self) -> bool:
        return bool(self.prepared)


class Deaf(ResourceManager):
    """Has no row for what it is told."""

    transitions = ResourceManager.transitions[:2]


def hasty() -> System:
    sane = models.two_phase_commit.system(2)
    return sane.with_(processes={**sane.processes, "manager": Hasty(managers=frozenset({"rm1", "rm2"}))})


def deaf() -> System:
    sane = models.two_phase_commit.system(2)
    return sane.with_(processes={**sane.processes, "rm1": Deaf()}, interchangeable=())


class Put(Message):
    pass


class Ok(Message):
    pass


class Shelf(Process):
    """Confirms before it keeps."""

    states = ("open",)
    durable = ("kept",)
    transitions = ({"trigger": Put, "source": "open", "dest": None, "after": "put"},)

    kept: bool = False

    def put(self) -> None:
        self.send("client", Ok())
        self.kept = True


class Buyer(Process):
    states = ("unsure", "sure")
    transitions = (
        {"trigger": Ok, "source": "unsure", "dest": "sure"},
        {"trigger": Ok, "source": "sure", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.send("shelf", Put())


def hurried() -> System:
    """Acknowledged before stored: only a crash in between shows it."""
    return System(
        processes={"client": Buyer(), "shelf": Shelf()},
        faults="crash:1@shelf,drop:1,duplicate:1",
        properties=(
            always(
                "what was confirmed is kept",
                lambda client, shelf: client.state != "sure" or not shelf.up or shelf.kept,
            ),
        ),
    )


def hopeless() -> System:
    """An `eventually` that a lost message prevents."""
    return factory("drop:2").with_(
        properties=(eventually("work is done", lambda worker: worker.did > 1),),
    )


class Stubborn(models.paxos.Server):
    """Proposes its own value whatever the others have voted for."""

    def collect(self, promise: models.paxos.Promise) -> None:
        self.promises |= {(models.paxos.SERVERS.index(self.sender), None)}
        if len(self.promises) == models.paxos.MAJORITY:
            assert self.proposal is not None
            self.vote = (self.ballot, self.proposal)
            self.vouchers |= {self.number}
            for server in self.others():
                self.send(server, models.paxos.Accept(self.ballot, self.proposal))


def stubborn() -> System:
    sane = models.paxos.system()
    servers = {name: Stubborn(number=i) for i, name in enumerate(models.paxos.SERVERS)}
    return sane.with_(processes={**sane.processes, **servers})


SOUND = {
    "consensus": lambda: models.consensus.system(),
    "paxos": lambda: models.paxos.system(),
    "two_phase_commit": lambda: models.two_phase_commit.system(),
    "factory": factory,
    "relay": lambda: relay(6, 7),
    "restless": restless,
    "again": lambda: relay(4, 9).with_(network="set"),
}
"""Systems by name. The last goes round for ever: what was sent once arrives again and again."""

STEPS_MAX = 200


def schedule(graph: Graph, strategy: str, seed: int, number: int | None = None) -> list[str]:
    """The schedule that a strategy picks, as addresses."""
    run = simulate(graph, make_strategy(strategy, seed, number=number), max_steps=STEPS_MAX)
    return run.trace.schedule()
