"""A desk orders, a store applies and answers. Version 2 asks in other words, and has forgotten those of version 1."""

from __future__ import annotations

from sim import Accepted, Applied, EffectLedger, Message, Process, Record, System, sometimes


class Order(Message):
    key: int


class Request(Message):
    key: int


class Stored(Message):
    key: int


class Line(Record):
    key: int


class Desk(Process):
    states = ("idle", "waiting", "done")
    hot = ("waiting",)
    must = ("order",)
    timers = ("patience",)
    durable = ("lines",)
    transitions = (
        {"trigger": "order", "source": "idle", "dest": "waiting", "conditions": "has_more", "after": "ask"},
        {"trigger": "patience", "source": "waiting", "dest": None, "after": "ask"},
        {"trigger": Stored, "source": "waiting", "dest": "done", "conditions": "is_last", "before": "note"},
        {"trigger": Stored, "source": "waiting", "dest": "idle", "conditions": "is_mine", "before": "note"},
        {"trigger": Stored, "source": "*", "dest": None},
    )

    orders: int
    words: str = "order"
    lines: tuple[Line, ...] = ()
    asked: int = 0

    def has_more(self) -> bool:
        return len(self.lines) < self.orders

    def ask(self) -> None:
        key = len(self.lines) + 1
        if not self.asked:
            self.emit(Accepted(key))
        if self.asked < 2:
            self.asked += 1
            self.send("store", Order(key) if self.words == "order" else Request(key))
            self.arm("patience", (100, 200))

    def is_mine(self, stored: Stored) -> bool:
        return stored.key == len(self.lines) + 1

    def is_last(self, stored: Stored) -> bool:
        return self.is_mine(stored) and stored.key == self.orders

    def note(self, stored: Stored) -> None:
        self.lines = (*self.lines, Line(stored.key))
        self.asked = 0
        self.cancel("patience")


class Store(Process):
    states = ("open",)
    durable = ("applied",)
    transitions = (
        {"trigger": Order, "source": "open", "dest": None, "after": "apply"},
        {"trigger": Request, "source": "open", "dest": None, "after": "apply"},
    )

    applied: frozenset[int] = frozenset()

    def apply(self, order: Order | Request) -> None:
        if order.key not in self.applied:
            self.emit(Applied(order.key), applied=self.applied | {order.key})
        self.send("desk", Stored(order.key))


class NewStore(Store):
    transitions = ({"trigger": Request, "source": "open", "dest": None, "after": "apply"},)


def system(orders: int = 2, version: int = 1) -> System:
    desk, store = (Desk(orders=orders), Store()) if version == 1 else (Desk(orders=orders, words="request"), NewStore())
    return System(
        {"desk": desk, "store": store},
        monitors={"effects": EffectLedger()},
        properties=(sometimes("all is stored", lambda desk: desk.state == "done", reads=("desk",)),),
    )
