"""A model that fails with what Python prints with an address in memory; `how` says who fails."""

from __future__ import annotations

from typing import NoReturn

from sim import Emission, Monitor, Process, System


class Went(Emission):
    pass


class Traveller(Process):
    """Goes once, and fails on the way if it is to."""

    states = ("home", "away")
    must = ("go",)
    transitions = ({"trigger": "go", "source": "home", "dest": "away", "after": "leave"},)

    how: str

    def leave(self) -> None:
        self.emit(Went())
        if self.how == "process":
            raise ValueError(object(), lambda: 0, self, self.leave, {"deep": [object()]})


class Watch(Monitor):
    """Complains of the first who goes."""

    states = ("on",)
    transitions = ({"trigger": Went, "source": "on", "dest": None, "after": "complain"},)

    how: str

    def complain(self) -> NoReturn:
        self.violate(f"{self} saw {object()}")


def system(how: str = "process") -> System:
    """One process, and a monitor if that is to complain."""
    return System({"traveller": Traveller(how=how)}, monitors={"watch": Watch(how=how)} if how == "monitor" else {})
