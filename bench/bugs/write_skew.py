"""Write skew: two doctors each see that the other is on call, and both go off."""

from __future__ import annotations

from sim import Message, Process, System, always, sometimes


class Look(Message):
    pass


class OnCall(Message):
    count: int
    version: int


class Leave(Message):
    version: int


class Left(Message):
    pass


class Refused(Message):
    pass


class Ward(Process):
    """Lets go only who has seen the present list: what was read counts, not only what is written."""

    states = ("open",)
    transitions = (
        {"trigger": Look, "source": "open", "dest": None, "after": "show"},
        {"trigger": Leave, "source": "open", "dest": None, "conditions": "is_current", "after": "let_go"},
        {"trigger": Leave, "source": "open", "dest": None, "after": "refuse"},
    )

    on_call: frozenset[str]
    version: int = 0

    def is_current(self, leave: Leave) -> bool:
        return leave.version == self.version

    def show(self) -> None:
        self.send(self.sender, OnCall(len(self.on_call), self.version))

    def let_go(self) -> None:
        self.on_call -= {self.sender}
        self.version += 1
        self.send(self.sender, Left())

    def refuse(self) -> None:
        self.send(self.sender, Refused())


class OwnRowWard(Ward):
    """Looks for conflicts in the row that is written, and there are none."""

    def is_current(self, leave: Leave) -> bool:
        return self.sender in self.on_call


class Doctor(Process):
    """Goes off when somebody else stays."""

    states = ("looking", "leaving", "off", "staying")
    hot = ("looking", "leaving")
    transitions = (
        {"trigger": OnCall, "source": "looking", "dest": "leaving", "conditions": "is_covered", "after": "leave"},
        {"trigger": OnCall, "source": "looking", "dest": "staying"},
        {"trigger": Left, "source": "leaving", "dest": "off"},
        {"trigger": Refused, "source": "leaving", "dest": "looking", "after": "look"},
    )

    def on_start(self) -> None:
        self.look()

    def is_covered(self, seen: OnCall) -> bool:
        return seen.count > 1

    def look(self) -> None:
        self.send("ward", Look())

    def leave(self, seen: OnCall) -> None:
        self.send("ward", Leave(seen.version))


def system(planted: bool = True) -> System:
    doctors = ("ann", "bob")
    ward = OwnRowWard if planted else Ward
    return System(
        {"ward": ward(on_call=frozenset(doctors)), **{name: Doctor() for name in doctors}},
        properties=(
            always("somebody is on call", lambda ward: bool(ward.on_call)),
            sometimes("somebody is off", lambda ward: len(ward.on_call) == 1),
        ),
    )
