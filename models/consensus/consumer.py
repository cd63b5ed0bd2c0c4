"""The consumer: takes each decision once, in order, at the end of its countdown, and acknowledges it."""

from __future__ import annotations

from typing import ClassVar

from sim import DEFER, IGNORE, Process

from .countdown import SECOND_MS
from .messages import AckDecision, Acknowledged, Begun, Countdown, Decision, Refused, Tick
from .parts import Names, Rows


class Consumer(Process):
    """Refuses what belongs to another run, a tick that belongs to another countdown, and says why; a
    decision that it has already is acknowledged as often as it is told."""

    states: ClassVar[Names] = ("open", "counting")
    hot = ("counting",)
    must = ("resume",)
    timers = ("resend",)
    durable = ("last", "countdowns", "waiting")
    transitions: ClassVar[Rows] = (
        {
            "trigger": "resume",
            "source": "open",
            "dest": "counting",
            "conditions": "was_waiting",
            "after": "count_down_again",
        },
        {
            "trigger": Decision,
            "source": ["open", "counting"],
            "dest": None,
            "conditions": "is_foreign",
            "after": "refuse",
        },
        # A repeated one is not used up while its countdown runs: behind it, it has the acknowledgement repeated.
        {"trigger": Decision, "source": "counting", "dest": DEFER, "conditions": "is_new"},
        {"trigger": Decision, "source": "open", "dest": DEFER, "conditions": "is_waiting"},
        {
            "trigger": Decision,
            "source": "open",
            "dest": "counting",
            "conditions": ["is_new", "counts_down"],
            "after": "count_down",
        },
        {"trigger": Decision, "source": "open", "dest": None, "conditions": "is_new", "after": ["take", "acknowledge"]},
        {"trigger": Decision, "source": ["open", "counting"], "dest": None, "after": "acknowledge"},
        {
            "trigger": Tick,
            "source": "counting",
            "dest": "open",
            "conditions": ["is_ours", "is_over"],
            "after": "take_at_last",
        },
        {"trigger": Tick, "source": "counting", "dest": IGNORE, "conditions": "is_ours"},
        {"trigger": Tick, "source": ["open", "counting"], "dest": None, "after": "refuse_tick"},
        {"trigger": "resend", "source": "counting", "dest": None, "after": "order_again"},
    )

    run: str
    ticks: int = 0
    """The length of a countdown, in seconds; 0 takes a decision at once."""
    resends: int = 0
    """How often the order for a countdown is sent again."""
    resend_ms: int = 5_000
    """How long a last tick may be overdue before the order is sent again."""
    deviations: tuple[str, ...] = ()
    """What a reference does otherwise, by name: nothing here."""
    last: int = 0
    """The last decision that was taken."""
    countdowns: int = 0
    """Countdowns begun so far: the id of the last one."""
    waiting: Decision | None = None
    """While counting: the decision that waits for the end of its countdown."""
    resent: int = 0
    """While counting: repetitions of the order."""

    def on_restart(self) -> None:
        """Whether its last acknowledgement had left, it cannot know; nobody else would repeat it."""
        if self.last:
            self.send("coordinator", AckDecision(self.run, self.last))

    # --- decisions ----------------------------------------------------------------------------------

    def is_foreign(self, decision: Decision) -> bool:
        return decision.run != self.run

    def is_waiting(self, decision: Decision) -> bool:
        return decision == self.waiting

    def is_new(self, decision: Decision) -> bool:
        return decision.seq > self.last

    def counts_down(self) -> bool:
        return self.ticks > 0

    def take(self, decision: Decision) -> None:
        self.emit(Acknowledged(decision.run, decision.seq), last=decision.seq, waiting=None)

    def acknowledge(self, decision: Decision) -> None:
        self.send("coordinator", AckDecision(decision.run, decision.seq))

    def refuse(self, decision: Decision) -> None:
        self.emit(Refused(("decision", decision.run, decision.seq), "it belongs to another run"))

    # --- countdowns ---------------------------------------------------------------------------------

    def count_down(self, decision: Decision) -> None:
        """A new id first, and durably: a tick of a countdown before a crash must not fit the one behind it."""
        number = self.countdowns + 1
        self.emit(Begun(decision.run, number, decision.seq), countdowns=number, waiting=decision)
        self.order(decision)

    def order(self, decision: Decision) -> None:
        """Whether order or ticks are lost, it cannot know: what is overdue is ordered again, by the same id."""
        self.send("clock", Countdown(decision.run, self.countdowns, decision.seq, self.ticks))
        if self.resent < self.resends:
            self.arm("resend", self.ticks * SECOND_MS + self.resend_ms)

    def order_again(self) -> None:
        assert self.waiting is not None
        self.resent += 1
        self.order(self.waiting)

    def on_exit_counting(self) -> None:
        self.cancel("resend")
        self.resent = 0

    def was_waiting(self) -> bool:
        return self.waiting is not None

    def count_down_again(self) -> None:
        """After a crash: nobody owes the decision a second time."""
        assert self.waiting is not None
        self.count_down(self.waiting)

    def is_ours(self, tick: Tick) -> bool:
        if self.waiting is None:
            return False
        return (tick.run, tick.id, tick.seq) == (self.waiting.run, self.countdowns, self.waiting.seq)

    def is_over(self, tick: Tick) -> bool:
        return not tick.left

    def take_at_last(self) -> None:
        decision = self.waiting
        assert decision is not None
        self.take(decision)
        self.acknowledge(decision)

    def refuse_tick(self, tick: Tick) -> None:
        self.emit(Refused(("tick", tick.run, tick.id, tick.seq), "it belongs to no countdown that runs"))
