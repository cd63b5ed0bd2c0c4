"""Livelock: two workers give way to each other until both are tired."""

from __future__ import annotations

from sim import Message, Process, System, eventually, sometimes


class Acquire(Message):
    pass


class Granted(Message):
    pass


class Busy(Message):
    pass


class Release(Message):
    pass


class Lock(Process):
    """Nobody waits for it: whoever comes while it is taken is told so."""

    states = ("free", "taken")
    transitions = (
        {"trigger": Acquire, "source": "free", "dest": "taken", "after": "grant"},
        {"trigger": Acquire, "source": "taken", "dest": None, "after": "refuse"},
        {"trigger": Release, "source": "taken", "dest": "free"},
    )

    def grant(self) -> None:
        self.send(self.sender, Granted())

    def refuse(self) -> None:
        self.send(self.sender, Busy())


class Worker(Process):
    """Needs both locks; gives the first one back when the second one is taken, and begins again."""

    states = ("first", "second", "through", "tired")
    hot = ("first", "second")
    transitions = (
        {"trigger": Granted, "source": "first", "dest": "second", "after": "go_on"},
        {"trigger": Busy, "source": "first", "dest": None, "conditions": "has_tries", "after": "begin_again"},
        {"trigger": Busy, "source": "first", "dest": "tired"},
        {"trigger": Granted, "source": "second", "dest": "through", "after": "release"},
        {"trigger": Busy, "source": "second", "dest": "first", "conditions": "has_tries", "after": "give_way"},
        {"trigger": Busy, "source": "second", "dest": "tired", "after": "release_first"},
    )

    order: tuple[str, str]
    tries: int

    def on_start(self) -> None:
        self.begin()

    def has_tries(self) -> bool:
        return self.tries > 0

    def begin(self) -> None:
        self.send(self.order[0], Acquire())

    def begin_again(self) -> None:
        self.tries -= 1
        self.begin()

    def give_way(self) -> None:
        self.release_first()
        self.begin_again()

    def go_on(self) -> None:
        self.send(self.order[1], Acquire())

    def release_first(self) -> None:
        self.send(self.order[0], Release())

    def release(self) -> None:
        for lock in self.order:
            self.send(lock, Release())


def system(planted: bool = True, tries: int = 1) -> System:
    """`tries`: how often each worker begins again; without end, it would be a cycle instead of a rest."""
    ours, theirs = ("left", "right"), ("right", "left") if planted else ("left", "right")
    return System(
        {
            "left": Lock(),
            "right": Lock(),
            "ann": Worker(order=ours, tries=tries),
            "bob": Worker(order=theirs, tries=tries),
        },
        properties=(
            eventually("somebody gets through", lambda ann, bob: "through" in (ann.state, bob.state)),
            sometimes("both get through", lambda ann, bob: ann.state == bob.state == "through"),
        ),
    )
