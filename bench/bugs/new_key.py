"""Charged twice: each retry of a payment has a key of its own, so that the bank cannot see what it is."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Pay(Message):
    key: int


class Paid(Message):
    pass


class Customer(Process):
    """Pays again when the answer is late, with the key of the first attempt."""

    states = ("waiting", "impatient", "happy")
    hot = ("waiting", "impatient")
    timers = ("patience",)
    transitions = (
        {"trigger": "patience", "source": "waiting", "dest": "impatient", "after": "pay"},
        {"trigger": Paid, "source": ["waiting", "impatient"], "dest": "happy"},
        {"trigger": "patience", "source": "happy", "dest": IGNORE},
        {"trigger": Paid, "source": "happy", "dest": IGNORE},
    )

    attempt: int = 0

    def on_start(self) -> None:
        self.arm("patience", 5_000)
        self.pay()

    def key(self) -> int:
        return 1

    def pay(self) -> None:
        self.attempt += 1
        self.send("bank", Pay(self.key()))


class ForgetfulCustomer(Customer):
    """Makes a new key for each attempt."""

    def key(self) -> int:
        return self.attempt


class Bank(Process):
    """Charges each key once."""

    states = ("open",)
    transitions = (
        {"trigger": Pay, "source": "open", "dest": None, "conditions": "is_charged", "after": "confirm"},
        {"trigger": Pay, "source": "open", "dest": None, "after": ["charge", "confirm"]},
    )

    charged: frozenset[int] = frozenset()

    def is_charged(self, pay: Pay) -> bool:
        return pay.key in self.charged

    def charge(self, pay: Pay) -> None:
        self.charged |= {pay.key}

    def confirm(self) -> None:
        self.send(self.sender, Paid())


def system(planted: bool = True) -> System:
    return System(
        {"customer": ForgetfulCustomer() if planted else Customer(), "bank": Bank()},
        properties=(
            always("one order is charged once", lambda bank: len(bank.charged) <= 1),
            sometimes("the customer is happy", lambda customer: customer.state == "happy"),
        ),
    )
