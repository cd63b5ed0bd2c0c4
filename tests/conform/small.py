"""Small systems whose logs a judge that tries every path can judge: each has something that the others do not."""

from __future__ import annotations

from sim import Message, Process, Record, System


class Part(Record):
    name: str
    size: int


class Parcel(Message):
    number: int
    part: Part


class Receipt(Message):
    numbers: frozenset[int]


class Shipper(Process):
    """Ships two parcels, with records in them."""

    states = ("packing", "shipped", "settled")
    must = ("ship",)
    transitions = (
        {"trigger": "ship", "source": "packing", "dest": "shipped", "after": "send_both"},
        {"trigger": Receipt, "source": "shipped", "dest": None, "after": "note"},
    )
    known: frozenset[int] = frozenset()

    def send_both(self) -> None:
        for number, name in ((1, "bolt"), (2, "nut")):
            self.send("depot", Parcel(number, Part(name, number)))

    def note(self, receipt: Receipt) -> None:
        self.known = receipt.numbers


class Depot(Process):
    """Says of each parcel which ones it has."""

    states = ("open",)
    transitions = ({"trigger": Parcel, "source": "open", "dest": None, "after": "take"},)
    numbers: frozenset[int] = frozenset()
    last: Part = Part("none", 0)

    def take(self, parcel: Parcel) -> None:
        self.numbers |= {parcel.number}
        self.last = parcel.part
        self.send("shipper", Receipt(self.numbers))


def parcels() -> System:
    """In the order sent, but one may be lost and one doubled."""
    return System({"shipper": Shipper(), "depot": Depot()}, network="fifo", faults="drop:1,duplicate:1")


class Grant(Message):
    epoch: int


class Renew(Message):
    epoch: int


class Holder(Process):
    """Renews a lease, and gives it up when its timer fires."""

    states = ("free", "holding", "expired")
    timers = ("lease",)
    transitions = (
        {"trigger": Grant, "source": ["free", "holding"], "dest": "holding", "after": "hold"},
        {"trigger": Grant, "source": "expired", "dest": None},
        {"trigger": "lease", "source": "holding", "dest": "expired"},
    )
    epoch: int = 0

    def hold(self, grant: Grant) -> None:
        self.epoch = grant.epoch
        self.arm("lease", 100)
        if grant.epoch < 2:
            self.send("lessor", Renew(grant.epoch))


class Lessor(Process):
    """Grants leases of rising epochs; the last one survives its crash."""

    states = ("up",)
    durable = ("epoch",)
    may = {"offer": 1}
    transitions = (
        {"trigger": "offer", "source": "up", "dest": None, "after": "grant"},
        {"trigger": Renew, "source": "up", "dest": None, "after": "grant"},
    )
    epoch: int = 0

    def grant(self, _renew: Renew | None = None) -> None:
        self.epoch += 1
        self.send("holder", Grant(self.epoch))

    def on_restart(self) -> None:
        self.send("holder", Grant(self.epoch))


def lease() -> System:
    """Timers, durable fields, and a crash of the lessor."""
    return System({"holder": Holder(), "lessor": Lessor()}, network="any", faults="crash:1@lessor")


class Price(Message):
    amount: int


class Market(Process):
    """Names a price three times, whichever."""

    states = ("open",)
    may = {"quote": 3}
    transitions = ({"trigger": "quote", "source": "open", "dest": None, "after": "say"},)

    def say(self) -> None:
        amount = self.choose(1, 2)
        self.send("buyer", Price(amount))
        self.send("rival", Price(amount))


class Buyer(Process):
    """Takes the first price that is low."""

    states = ("watching", "bought")
    transitions = (
        {"trigger": Price, "source": "watching", "dest": "bought", "conditions": "is_low"},
        {"trigger": Price, "source": "*", "dest": None, "after": "count"},
    )
    seen: int = 0

    def is_low(self, price: Price) -> bool:
        return price.amount == 1

    def count(self, _price: Price) -> None:
        self.seen += 1


def market() -> System:
    """Choices, and a network that keeps the latest message alone."""
    return System({"market": Market(), "buyer": Buyer(), "rival": Buyer()}, network="latest")


SMALL = {"parcels": parcels, "lease": lease, "market": market}
