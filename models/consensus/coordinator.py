"""The coordinator: its states, how it takes up a run, and its parts put together."""

from __future__ import annotations

from typing import ClassVar

from sim import DEFER

from . import asking, deciding, ending, updates
from .asking import Asking
from .ending import Ending
from .messages import AckDecision, Cancel, NotStored, Response, Stop, Stored, Update
from .parts import Names, Rows

MESSAGES = (Response, Stored, NotStored, AckDecision, Update, Stop, Cancel)

_BOOT: Rows = (
    # After a start and after every restart the journal says where to go on.
    {"trigger": "boot", "source": "booting", "dest": "stopped", "conditions": "was_stopped", "after": "end"},
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "storing",
        "conditions": "was_storing",
        "after": ["note_replay", "store"],
    },
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "gated",
        "conditions": "was_gated",
        "after": ["note_replay", "send_decision"],
    },
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "storing",
        "conditions": ["has_more", "is_complete"],
        "after": "decide",
    },
    {
        "trigger": "boot",
        "source": "booting",
        "dest": "asking",
        "conditions": ["has_more", "has_asked"],
        "after": ["ask_next", "wait"],
    },
    {"trigger": "boot", "source": "booting", "dest": "asking", "conditions": "has_more", "after": "begin_step"},
    {"trigger": "boot", "source": "booting", "dest": "done", "after": "flush"},
    *({"trigger": message, "source": "booting", "dest": DEFER} for message in MESSAGES),
)


class Coordinator(Asking, Ending):
    """One run of rounds of stages: ask, decide, store, present, wait for the acknowledgement.

    What it must not forget is in its journal; what it must not confuse is told apart by its sequence.
    """

    states: ClassVar[Names] = ("booting", "asking", "storing", "gated", "done", "stopped")
    hot: ClassVar[Names] = ("booting", "asking", "storing", "gated")
    must = ("boot",)
    timers = ("patience", "backoff", "resend")
    transitions = (*_BOOT, *asking.ROWS, *deciding.ROWS, *updates.ROWS, *ending.ROWS)

    def has_asked(self) -> bool:
        return bool(self.journal.attempts)

    def begin_step(self) -> None:
        self.take_turn()
        self.ask_next()
