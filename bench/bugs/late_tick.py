"""Fires after cancel: the late tick of a countdown that was stopped ends the next one."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Begin(Message):
    countdown: int


class Tick(Message):
    countdown: int


class Clock(Process):
    """Ticks when the time of a countdown is over; a tick may be late."""

    states = ("on",)
    transitions = ({"trigger": Begin, "source": "on", "dest": None, "after": "tick"},)

    over: frozenset[int] = frozenset()

    def tick(self, begin: Begin) -> None:
        self.over |= {begin.countdown}
        self.send("form", Tick(begin.countdown))


class Form(Process):
    """Is sent by itself at the end of its countdown, unless the user stops it; then it may begin again."""

    states = ("counting", "idle", "sent")
    may = ("stop", "start")
    transitions = (
        {"trigger": "stop", "source": "counting", "dest": "idle", "conditions": "is_first"},
        {"trigger": "start", "source": "idle", "dest": "counting", "after": "begin"},
        {"trigger": Tick, "source": "counting", "dest": "sent", "conditions": "is_current"},
        {"trigger": Tick, "source": "*", "dest": IGNORE},
    )

    countdown: int = 0

    def on_start(self) -> None:
        self.begin()

    def is_first(self) -> bool:
        return self.countdown == 1

    def begin(self) -> None:
        self.countdown += 1
        self.send("clock", Begin(self.countdown))

    def is_current(self, tick: Tick) -> bool:
        return tick.countdown == self.countdown


class AnyTickForm(Form):
    """A tick while it counts will be its own."""

    def is_current(self, tick: Tick) -> bool:
        return True


def system(planted: bool = True) -> System:
    return System(
        {"form": AnyTickForm() if planted else Form(), "clock": Clock()},
        properties=(
            always("it is sent in time", lambda form, clock: form.state != "sent" or form.countdown in clock.over),
            sometimes("the second countdown ends", lambda form: form.state == "sent" and form.countdown == 2),
        ),
    )
