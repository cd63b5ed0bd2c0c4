"""Leases that overlap: a write under an expired lease comes late, after one under the next.

The remedy is a fencing token (Kleppmann: "How to do distributed locking", 2016).
"""

from __future__ import annotations

from sim import IGNORE, Emission, Message, Monitor, Process, System, sometimes


class Lease(Message):
    token: int


class Write(Message):
    token: int


class Stored(Emission):
    token: int


class LeaseServer(Process):
    """Grants the lease to one holder, and when it has expired to the next."""

    states = ("granting", "done")
    timers = ("expiry",)
    transitions = ({"trigger": "expiry", "source": "granting", "dest": "done", "after": "grant_next"},)

    def on_start(self) -> None:
        self.send("ann", Lease(1))
        self.arm("expiry", 30_000)

    def grant_next(self) -> None:
        self.send("bob", Lease(2))


class Holder(Process):
    """Writes as soon as it holds the lease; when its write arrives is another matter."""

    states = ("waiting", "holding")
    transitions = ({"trigger": Lease, "source": "waiting", "dest": "holding", "after": "write"},)

    def write(self, lease: Lease) -> None:
        self.send("storage", Write(lease.token))


class Storage(Process):
    """Takes no write with a token below one that it has seen."""

    states = ("open",)
    transitions = (
        {"trigger": Write, "source": "open", "dest": None, "conditions": "is_current", "after": "store"},
        {"trigger": Write, "source": "open", "dest": IGNORE},
    )

    token: int = 0

    def is_current(self, write: Write) -> bool:
        return write.token > self.token

    def store(self, write: Write) -> None:
        self.token = write.token
        self.emit(Stored(write.token))


class TrustingStorage(Storage):
    """Who writes will hold the lease."""

    def is_current(self, write: Write) -> bool:
        return True


class InOrder(Monitor):
    """What is stored comes from later and later leases."""

    states = ("on",)
    transitions = (
        {"trigger": Stored, "source": "on", "dest": None, "conditions": "is_later", "after": "note"},
        {"trigger": Stored, "source": "on", "dest": None, "after": "complain"},
    )

    last: int = 0

    def is_later(self, stored: Stored) -> bool:
        return stored.token > self.last

    def note(self, stored: Stored) -> None:
        self.last = stored.token

    def complain(self, stored: Stored) -> None:
        self.violate(f"a write of lease {stored.token} came behind one of lease {self.last}")


def system(planted: bool = True) -> System:
    storage = TrustingStorage if planted else Storage
    return System(
        {"server": LeaseServer(), "ann": Holder(), "bob": Holder(), "storage": storage()},
        monitors={"leases_in_order": InOrder()},
        properties=(sometimes("the second lease is used", lambda storage: storage.token == 2),),
    )
