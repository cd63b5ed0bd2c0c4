"""A clock that never stops, beside one who waits in vain."""

from __future__ import annotations

from sim import Message, Process, System


class Beat(Message):
    pass


class Clock(Process):
    states = ("tick", "tock")
    transitions = (
        {"trigger": Beat, "source": "tick", "dest": "tock", "after": "beat"},
        {"trigger": Beat, "source": "tock", "dest": "tick", "after": "beat"},
    )

    def on_start(self) -> None:
        self.beat()

    def beat(self) -> None:
        self.send(self.name, Beat())


class Waiting(Process):
    states = ("waiting",)
    hot = ("waiting",)
    may = ("sigh",)
    transitions = ({"trigger": "sigh", "source": "waiting", "dest": None, "unless": "sighed", "after": "note"},)
    sighed: bool = False

    def note(self) -> None:
        self.sighed = True


def system() -> System:
    return System({"clock": Clock(), "poor": Waiting()})
