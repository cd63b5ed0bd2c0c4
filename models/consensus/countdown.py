"""The clock: counts down for the consumer, in messages that may come late."""

from __future__ import annotations

from sim import DEFER, IGNORE, Process

from .messages import Countdown, RanOut, Tick

SECOND_MS = 1_000


class Clock(Process):
    """Sends a tick for each second of the last countdown it was given. It never takes one back: a tick that
    is no longer wanted is known by its run, its id and its decision. An order that comes again waits until
    its countdown is over, and has the last tick repeated."""

    states = ("idle", "counting")
    timers = ("second",)
    transitions = (
        {"trigger": Countdown, "source": ["idle", "counting"], "dest": IGNORE, "conditions": "is_older"},
        {"trigger": Countdown, "source": "counting", "dest": DEFER, "conditions": "is_repeated"},
        {"trigger": Countdown, "source": "idle", "dest": None, "conditions": "is_repeated", "after": "say_it_is_over"},
        {"trigger": Countdown, "source": ["idle", "counting"], "dest": "counting", "after": "begin"},
        {"trigger": "second", "source": "counting", "dest": None, "conditions": "has_more", "after": "tick"},
        {"trigger": "second", "source": "counting", "dest": "idle", "after": ["tick", "forget"]},
    )

    countdown: Countdown | None = None
    """The one that is counted; its `ticks` are those still to go."""

    last: int = 0
    """The highest id so far: of two orders that overtook each other the later one counts."""

    def is_older(self, countdown: Countdown) -> bool:
        return countdown.id < self.last

    def is_repeated(self, countdown: Countdown) -> bool:
        return countdown.id == self.last

    def say_it_is_over(self, countdown: Countdown) -> None:
        """Whoever orders it again has not had the last tick."""
        self.send("consumer", Tick(countdown.run, countdown.id, countdown.seq, 0))

    def begin(self, countdown: Countdown) -> None:
        self.countdown, self.last = countdown, countdown.id
        self.arm("second", SECOND_MS)

    def has_more(self) -> bool:
        return self.countdown is not None and self.countdown.ticks > 1

    def tick(self) -> None:
        counted = self.countdown
        assert counted is not None
        left = counted.ticks - 1
        if not left:
            self.emit(RanOut(counted.run, counted.id, counted.seq))
        self.send("consumer", Tick(counted.run, counted.id, counted.seq, left))
        self.begin_again(Countdown(counted.run, counted.id, counted.seq, left))

    def begin_again(self, countdown: Countdown) -> None:
        if countdown.ticks:
            self.begin(countdown)

    def forget(self) -> None:
        self.countdown = None
