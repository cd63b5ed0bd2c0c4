"""A model with one of everything that a scenario file can name."""

from __future__ import annotations

from typing import Literal

from sim import (
    IGNORE,
    AgentTimeout,
    Emission,
    Message,
    Monitor,
    Process,
    RateLimited,
    System,
    Timing,
    always,
    cut,
    sometimes,
)


class Order(Message):
    number: int


class Answer(Message):
    number: int


class Sold(Emission):
    number: int


class Buyer(Process):
    states = ("idle", "waiting", "done")
    may = ("stop",)
    timers = ("retry",)
    transitions = (
        {"trigger": "retry", "source": "idle", "dest": "waiting", "after": "order"},
        {"trigger": "retry", "source": "*", "dest": None},
        {"trigger": "stop", "source": "*", "dest": "done"},
        {"trigger": Answer, "source": "waiting", "dest": "done"},
        {"trigger": Answer, "source": "*", "dest": IGNORE},
        {"trigger": AgentTimeout, "source": "waiting", "dest": "idle"},
        {"trigger": RateLimited, "source": "waiting", "dest": "idle"},
    )

    def on_start(self) -> None:
        self.arm("retry", 10)

    def order(self) -> None:
        self.send("shop", Order(1))


class Shop(Process):
    states = ("open",)
    transitions = ({"trigger": Order, "source": "open", "dest": None, "after": "sell"},)

    def sell(self, order: Order) -> None:
        self.emit(Sold(order.number))
        self.send("buyer", Answer(order.number))
        self.send("buyer", Answer(order.number + 1))  # the change: a second message that may overtake


class Till(Monitor):
    states = ("counting",)
    transitions = ({"trigger": Sold, "source": "counting", "dest": None},)


def system(
    buyers: int = 1,
    names: tuple[str, ...] = ("a", "b"),
    polite: bool = True,
    mood: Literal["good", "bad"] = "good",
    note: str | None = None,
    limits: tuple[tuple[str, int], ...] = (),
) -> System:
    if buyers != 1:
        raise ValueError(f"buyers={buyers}: this shop serves one")
    return System(
        processes={"buyer": Buyer(), "shop": Shop()},
        monitors={"till": Till()},
        properties=(
            always(
                "the shop is open", lambda shop: shop.state == "open", reads=() if note == "unwatched" else ("shop",)
            ),
            sometimes("a sale", lambda buyer: buyer.state == "done", reads=("buyer",)),
        ),
        faults="drop:1",
        carriers={AgentTimeout: (Answer,), RateLimited: (Answer,)},
        cuts={"wall": cut({"shop"})},
        timing=Timing(latency_ms=(7, 9), links={"buyer->shop": (1, 1)}),
    )
