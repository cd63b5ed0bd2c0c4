"""A shop as asyncio code, and as a model: a customer who is not served in time pays again, and is charged once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sim import IGNORE, Emission, Message, Process, Program, System


class Pay(Message):
    order: int


class Paid(Message):
    order: int


class Charged(Emission):
    order: int


class Customer(Process):
    states = ("waiting", "impatient", "happy")
    timers = ("patience",)
    transitions = (
        {"trigger": "patience", "source": "waiting", "dest": "impatient", "after": "pay"},
        {"trigger": Paid, "source": ["waiting", "impatient"], "dest": "happy"},
        {"trigger": "patience", "source": "happy", "dest": IGNORE},
        {"trigger": Paid, "source": "happy", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.pay()
        self.arm("patience", 5_000)

    def pay(self) -> None:
        self.send("bank", Pay(order=1))


class Bank(Process):
    states = ("open", "charged")
    transitions = (
        {"trigger": Pay, "source": "open", "dest": "charged", "after": "charge"},
        {"trigger": Pay, "source": "charged", "dest": None, "after": "confirm"},
    )

    def charge(self, pay: Pay) -> None:
        self.emit(Charged(order=pay.order))
        self.confirm(pay)

    def confirm(self, pay: Pay) -> None:
        self.send(self.sender, Paid(order=pay.order))


def model(faults: str = "") -> System:
    return System({"customer": Customer(), "bank": Bank()}, faults=faults)


class Shop:
    """The code: it says what it does to a recorder, and knows nothing of any simulation. `mistakes` are planted."""

    def __init__(self, recorder: Any, mistakes: frozenset[str] = frozenset()) -> None:
        self.recorder, self.mistakes = recorder, mistakes
        self.charged: set[int] = set()

    async def bank(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = self.recorder.process("bank")
        while line := await reader.readline():
            order = int(line)
            known = order in self.charged
            if "slow" in self.mistakes:
                await asyncio.sleep(0.1)  # meanwhile the other may be here too
            me.received("customer", "Pay", {"order": order})
            if not known:
                self.charged.add(order)
                me.emitted("Charged", {"order": order})
            me.sent("customer", "Paid", {"order": order + ("other" in self.mistakes)})
            if "silent" not in self.mistakes:
                me.became("charged")
            writer.write(line)
            await writer.drain()
        writer.close()

    async def customer(self) -> None:
        me = self.recorder.process("customer")
        me.started()
        me.sent("bank", "Pay", {"order": 1})
        answered = asyncio.ensure_future(self.pay())
        _, waiting = await asyncio.wait([answered], timeout=5)
        if waiting:
            me.fired("patience")
            me.became("impatient")
            me.sent("bank", "Pay", {"order": 1 if "another" not in self.mistakes else 2})
            await self.pay()
            me.received("bank", "Paid", {"order": 1})
            me.became("happy")
            await answered
        me.received("bank", "Paid", {"order": 1})
        me.became("happy" if "lost" not in self.mistakes else "waiting")

    async def pay(self) -> None:
        reader, writer = await asyncio.open_connection("bank", 80)
        writer.write(b"1\n")
        await reader.readline()
        writer.close()


def program(mistakes: frozenset[str] = frozenset(), **parts: Any) -> Program:
    """The code, held against the model."""

    async def main(world: Any) -> None:
        shop = Shop(world.recorder, mistakes)
        world.serve("bank:80", shop.bank)
        await shop.customer()

    given: Mapping[str, Any] = {"conforms": model(), "observe": ["customer", "bank"], **parts}
    return Program(main, **given)
