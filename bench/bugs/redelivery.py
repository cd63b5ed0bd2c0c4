"""Crash between effect and acknowledgement: the job is delivered again, and done again."""

from __future__ import annotations

from sim import IGNORE, Accepted, Applied, EffectLedger, Message, Process, System, sometimes


class Job(Message):
    key: int


class Done(Message):
    pass


class Back(Message):
    pass


class Queue(Process):
    """Delivers its job again to a worker that comes back, until it is acknowledged."""

    states = ("waiting", "empty")
    hot = ("waiting",)
    transitions = (
        {"trigger": Done, "source": "*", "dest": "empty"},
        {"trigger": Back, "source": "waiting", "dest": None, "after": "deliver"},
        {"trigger": Back, "source": "empty", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.emit(Accepted(1))
        self.deliver()

    def deliver(self) -> None:
        self.send("worker", Job(1))


class Worker(Process):
    """Remembers what it has done, in one instant with doing it."""

    states = ("open",)
    durable = ("done",)
    transitions = (
        {"trigger": Job, "source": "open", "dest": None, "conditions": "is_done", "after": "confirm"},
        {"trigger": Job, "source": "open", "dest": None, "after": ["do", "confirm"]},
    )

    done: frozenset[int] = frozenset()

    def on_restart(self) -> None:
        self.send("queue", Back())

    def is_done(self, job: Job) -> bool:
        return job.key in self.done

    def do(self, job: Job) -> None:
        self.emit(Applied(job.key), done=self.done | {job.key})

    def confirm(self) -> None:
        self.send("queue", Done())


class CarelessWorker(Worker):
    """Does it first and notes it then."""

    def do(self, job: Job) -> None:
        self.emit(Applied(job.key))
        self.done |= {job.key}


def system(planted: bool = True) -> System:
    return System(
        {"queue": Queue(), "worker": CarelessWorker() if planted else Worker()},
        monitors={"exactly_once": EffectLedger()},
        properties=(sometimes("the job is done", lambda queue: queue.state == "empty"),),
        faults="crash:1@worker after Applied",
    )
