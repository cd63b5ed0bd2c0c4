"""Two primaries: the standby is promoted before the old primary is known to have stopped."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Stop(Message):
    pass


class Stopped(Message):
    pass


class Promote(Message):
    pass


class Watcher(Process):
    """Loses sight of the primary at some time, which does not mean that it is gone."""

    states = ("watching", "stopping", "failed_over")
    hot = ("stopping",)
    timers = ("silence",)
    transitions = (
        {"trigger": "silence", "source": "watching", "dest": "stopping", "after": "stop"},
        {"trigger": Stopped, "source": "stopping", "dest": "failed_over", "after": "promote"},
    )

    def on_start(self) -> None:
        self.arm("silence", 10_000)

    def stop(self) -> None:
        self.send("primary", Stop())

    def promote(self) -> None:
        self.send("standby", Promote())


class HastyWatcher(Watcher):
    """Promotes at once: the primary will have stopped by then."""

    transitions = (
        {"trigger": "silence", "source": "watching", "dest": "failed_over", "after": ["stop", "promote"]},
        {"trigger": Stopped, "source": "*", "dest": IGNORE},
    )


class Primary(Process):
    states = ("active", "passive")
    transitions = ({"trigger": Stop, "source": "active", "dest": "passive", "after": "confirm"},)

    def confirm(self) -> None:
        self.send(self.sender, Stopped())


class Standby(Process):
    states = ("passive", "active")
    transitions = ({"trigger": Promote, "source": "passive", "dest": "active"},)


def system(planted: bool = True) -> System:
    watcher = HastyWatcher if planted else Watcher
    return System(
        {"watcher": watcher(), "primary": Primary(), "standby": Standby()},
        properties=(
            always("one primary", lambda primary, standby: not primary.state == standby.state == "active"),
            sometimes("the standby takes over", lambda standby: standby.state == "active"),
        ),
    )
