"""A run that comes round avoids an `eventually` only if it is fair to whatever stays enabled."""

from __future__ import annotations

from sim import Message, Process, Replay, Run, System, eventually, simulate
from sim.run.trace import Ending


class Word(Message):
    pass


class Ticker(Process):
    """Goes back and forth for ever; `says` something first, or not."""

    states = ("tick", "tock")
    must = ("go",)
    transitions = (
        {"trigger": "go", "source": "tick", "dest": "tock"},
        {"trigger": "go", "source": "tock", "dest": "tick"},
    )

    says: bool

    def on_start(self) -> None:
        if self.says:
            self.send("listener", Word())


class Listener(Process):
    states = ("waiting", "told")
    transitions = ({"trigger": Word, "source": "waiting", "dest": "told"},)


def one_round(*, says: bool) -> Run:
    system = System(
        {"ticker": Ticker(says=says), "listener": Listener()},
        properties=[eventually("told", lambda listener: listener.state == "told")],
    )
    return simulate(system, Replay(["move ticker.go", "move ticker.go"]))


def test_a_round_that_lets_a_message_wait_for_ever_proves_nothing() -> None:
    run = one_round(says=True)
    assert run.finding is None
    assert run.ending is Ending.SCHEDULE


def test_a_round_on_which_nothing_waits_avoids_the_property_for_ever() -> None:
    run = one_round(says=False)
    assert run.finding is not None
    assert run.finding.property == "told"
    assert "the last 2 actions can be repeated forever" in run.finding.message
