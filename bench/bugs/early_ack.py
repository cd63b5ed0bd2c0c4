"""Lost durable write: the store confirms first and writes then, and crashes in between."""

from __future__ import annotations

from sim import Message, Process, System, always, sometimes


class Put(Message):
    key: int


class Done(Message):
    pass


class Store(Process):
    """Writes, then confirms."""

    states = ("open",)
    durable = ("kept",)
    transitions = ({"trigger": Put, "source": "open", "dest": None, "after": ["keep", "confirm"]},)

    kept: frozenset[int] = frozenset()

    def keep(self, put: Put) -> None:
        self.kept |= {put.key}

    def confirm(self) -> None:
        self.send(self.sender, Done())


class HastyStore(Store):
    """Confirms, then writes."""

    transitions = ({"trigger": Put, "source": "open", "dest": None, "after": ["confirm", "keep"]},)


class Client(Process):
    states = ("asking", "sure")
    transitions = ({"trigger": Done, "source": "asking", "dest": "sure"},)

    def on_start(self) -> None:
        self.send("store", Put(1))


def system(planted: bool = True) -> System:
    return System(
        {"client": Client(), "store": HastyStore() if planted else Store()},
        properties=(
            always("what is confirmed is kept", lambda client, store: client.state != "sure" or 1 in store.kept),
            sometimes("it is confirmed", lambda client: client.state == "sure"),
        ),
        faults="crash:1@store after Done",
    )
