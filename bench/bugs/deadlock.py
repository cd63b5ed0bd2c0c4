"""Deadlock: two workers take the same two locks in opposite order."""

from __future__ import annotations

from sim import DEFER, Message, Process, System, sometimes


class Acquire(Message):
    pass


class Granted(Message):
    pass


class Release(Message):
    pass


class Lock(Process):
    """Whoever comes while it is taken waits."""

    states = ("free", "taken")
    transitions = (
        {"trigger": Acquire, "source": "free", "dest": "taken", "after": "grant"},
        {"trigger": Acquire, "source": "taken", "dest": DEFER},
        {"trigger": Release, "source": "taken", "dest": "free"},
    )

    def grant(self) -> None:
        self.send(self.sender, Granted())


class Worker(Process):
    """Needs both locks, and takes them one by one."""

    states = ("first", "second", "done")
    hot = ("first", "second")
    transitions = (
        {"trigger": Granted, "source": "first", "dest": "second", "after": "go_on"},
        {"trigger": Granted, "source": "second", "dest": "done", "after": "release"},
    )

    order: tuple[str, str]

    def on_start(self) -> None:
        self.send(self.order[0], Acquire())

    def go_on(self) -> None:
        self.send(self.order[1], Acquire())

    def release(self) -> None:
        for lock in self.order:
            self.send(lock, Release())


def system(planted: bool = True) -> System:
    ours, theirs = ("left", "right"), ("right", "left") if planted else ("left", "right")
    return System(
        {"left": Lock(), "right": Lock(), "ann": Worker(order=ours), "bob": Worker(order=theirs)},
        properties=(sometimes("both are done", lambda ann, bob: ann.state == bob.state == "done"),),
    )
