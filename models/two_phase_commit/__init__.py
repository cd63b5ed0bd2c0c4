"""Two-phase commit (Gray and Lamport: "Consensus on transaction commit", ACM TODS 2006), as specified in
the TLA+ examples: a transaction manager, resource managers, and a network in which a message stays in flight
forever."""

from __future__ import annotations

from sim import DEFER, Message, Process, System, View, always, sometimes


class Prepared(Message):
    manager: str


class Commit(Message):
    pass


class Abort(Message):
    pass


class TransactionManager(Process):
    """Commits when all have prepared; may abort at any time while undecided."""

    states = ("undecided", "committed", "aborted")
    must = ("commit",)
    may = ("abort",)
    transitions = (
        {"trigger": Prepared, "source": "undecided", "dest": None, "after": "note"},
        {"trigger": Prepared, "source": ["committed", "aborted"], "dest": DEFER},
        {
            "trigger": "commit",
            "source": "undecided",
            "dest": "committed",
            "conditions": "all_prepared",
            "after": "tell",
        },
        {"trigger": "abort", "source": "undecided", "dest": "aborted", "after": "tell"},
    )

    managers: frozenset[str]
    prepared: frozenset[str] = frozenset()

    def note(self, message: Prepared) -> None:
        self.prepared |= {message.manager}

    def all_prepared(self) -> bool:
        return self.prepared == self.managers

    def tell(self) -> None:
        for manager in self.managers:
            self.send(manager, Commit() if self.state == "committed" else Abort())


class ResourceManager(Process):
    """Prepares, or aborts on its own while it has not prepared; then obeys."""

    states = ("working", "prepared", "committed", "aborted")
    must = ("prepare",)
    may = ("give_up",)
    transitions = (
        {"trigger": "prepare", "source": "working", "dest": "prepared", "after": "tell"},
        {"trigger": "give_up", "source": "working", "dest": "aborted"},
        {"trigger": Commit, "source": "*", "dest": "committed"},
        {"trigger": Abort, "source": "*", "dest": "aborted"},
    )

    def tell(self) -> None:
        self.send("manager", Prepared(self.name))


def consistent(*managers: View) -> bool:
    return not {"committed", "aborted"} <= {manager.state for manager in managers}


def system(resource_managers: int = 3) -> System:
    """`resource_managers`: 1 to 1,000."""
    if not 1 <= resource_managers <= 1_000:
        raise ValueError(f"resource_managers is {resource_managers}; must be 1 to 1,000")
    names = tuple(f"rm{i}" for i in range(1, resource_managers + 1))
    return System(
        processes={
            "manager": TransactionManager(managers=frozenset(names)),
            **{name: ResourceManager() for name in names},
        },
        network="set",
        interchangeable=(names,),
        properties=(
            always("consistent", consistent, reads=names),
            sometimes("all commit", lambda *rms: all(rm.state == "committed" for rm in rms), reads=names),
            sometimes("all abort", lambda *rms: all(rm.state == "aborted" for rm in rms), reads=names),
        ),
    )
