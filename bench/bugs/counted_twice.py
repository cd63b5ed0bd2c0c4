"""Quorum of one: acknowledgements are counted, not those who gave them."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, View, always, sometimes

REPLICAS = ("r1", "r2", "r3")
MAJORITY = 2


class Keep(Message):
    pass


class Kept(Message):
    pass


class Leader(Process):
    """Commits when a majority has kept the entry."""

    states = ("replicating", "committed")
    transitions = (
        {"trigger": Kept, "source": "replicating", "dest": "committed", "conditions": "is_enough"},
        {"trigger": Kept, "source": "replicating", "dest": None, "after": "note"},
        {"trigger": Kept, "source": "committed", "dest": IGNORE},
    )

    kept_by: tuple[str, ...] = ()

    def on_start(self) -> None:
        for name in REPLICAS:
            self.send(name, Keep())

    def is_enough(self) -> bool:
        return len({*self.kept_by, self.sender}) >= MAJORITY

    def note(self) -> None:
        self.kept_by = tuple(sorted({*self.kept_by, self.sender}))


class CountingLeader(Leader):
    """Counts what comes in."""

    def is_enough(self) -> bool:
        return len(self.kept_by) + 1 >= MAJORITY


class Replica(Process):
    states = ("empty", "full")
    transitions = ({"trigger": Keep, "source": "empty", "dest": "full", "after": "confirm"},)

    def confirm(self) -> None:
        self.send("leader", Kept())


def is_safe(leader: View, *replicas: View) -> bool:
    return leader.state != "committed" or sum(replica.state == "full" for replica in replicas) >= MAJORITY


def system(planted: bool = True) -> System:
    return System(
        {"leader": CountingLeader() if planted else Leader(), **{name: Replica() for name in REPLICAS}},
        properties=(
            always("what is committed is kept by a majority", is_safe, reads=("leader", *REPLICAS)),
            sometimes("it commits", lambda leader: leader.state == "committed"),
        ),
        faults="duplicate:1@Kept",
    )
