"""Lost wake-up: a signal comes between looking and lying down, when nobody is asleep yet."""

from __future__ import annotations

from sim import Message, Process, System, sometimes


class Check(Message):
    pass


class NotYet(Message):
    pass


class Ready(Message):
    pass


class Wait(Message):
    pass


class Signal(Message):
    pass


class Condition(Process):
    """Wakes all who wait when it is signalled; who comes too late is woken at once."""

    states = ("unset", "set")
    transitions = (
        {"trigger": Check, "source": "unset", "dest": None, "after": "deny"},
        {"trigger": Check, "source": "set", "dest": None, "after": "wake"},
        {"trigger": Wait, "source": "unset", "dest": None, "after": "remember"},
        {"trigger": Wait, "source": "set", "dest": None, "after": "wake"},
        {"trigger": Signal, "source": "unset", "dest": "set", "after": "wake_all"},
    )

    asleep: frozenset[str] = frozenset()

    def deny(self) -> None:
        self.send(self.sender, NotYet())

    def wake(self) -> None:
        self.send(self.sender, Ready())

    def remember(self) -> None:
        self.asleep |= {self.sender}

    def wake_all(self) -> None:
        for name in self.asleep:
            self.send(name, Ready())


class SleepyCondition(Condition):
    """Lets everybody lie down who wants to."""

    transitions = (
        *Condition.transitions[:3],
        {"trigger": Wait, "source": "set", "dest": None, "after": "remember"},
        *Condition.transitions[4:],
    )


class Waiter(Process):
    """Looks first, and lies down if there is nothing."""

    states = ("looking", "asleep", "done")
    hot = ("looking", "asleep")
    transitions = (
        {"trigger": NotYet, "source": "looking", "dest": "asleep", "after": "lie_down"},
        {"trigger": Ready, "source": "*", "dest": "done"},
    )

    def on_start(self) -> None:
        self.send("condition", Check())

    def lie_down(self) -> None:
        self.send("condition", Wait())


class Signaller(Process):
    states = ("content",)

    def on_start(self) -> None:
        self.send("condition", Signal())


def system(planted: bool = True) -> System:
    condition = SleepyCondition if planted else Condition
    return System(
        {"condition": condition(), "waiter": Waiter(), "signaller": Signaller()},
        properties=(sometimes("it is done", lambda waiter: waiter.state == "done"),),
    )
