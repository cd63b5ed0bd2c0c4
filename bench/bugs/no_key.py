"""Applied twice: a deposit carries no key, so that its second delivery is taken for a second deposit."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Deposit(Message):
    key: str
    amount: int


class Account(Process):
    """Applies each key once."""

    states = ("open",)
    transitions = (
        {"trigger": Deposit, "source": "open", "dest": IGNORE, "conditions": "is_known"},
        {"trigger": Deposit, "source": "open", "dest": None, "after": "apply"},
    )

    balance: int = 0
    known: frozenset[str] = frozenset()

    def is_known(self, deposit: Deposit) -> bool:
        return deposit.key in self.known

    def apply(self, deposit: Deposit) -> None:
        self.balance += deposit.amount
        self.known |= {deposit.key}


class KeylessAccount(Account):
    """Knows no keys."""

    def is_known(self, deposit: Deposit) -> bool:
        return False


class Customer(Process):
    states = ("content",)

    def on_start(self) -> None:
        self.send("account", Deposit("first", 10))
        self.send("account", Deposit("second", 5))


def system(planted: bool = True) -> System:
    return System(
        {"customer": Customer(), "account": KeylessAccount() if planted else Account()},
        properties=(
            always("nothing is applied twice", lambda account: account.balance <= 15),
            sometimes("both are applied", lambda account: account.balance == 15),
        ),
        faults="duplicate:1",
    )
