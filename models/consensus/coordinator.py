"""The coordinator: its states, how it takes up a run, and its parts put together."""

from __future__ import annotations

from models.consensus import asking, deciding, ending, reference, updates
from models.consensus.core import Rows
from models.consensus.messages import AckDecision, Cancel, NotStored, Response, Stop, Stored, Update
from models.consensus.reference import Reference
from sim import DEFER, IGNORE

MESSAGES = (Response, Stored, NotStored, AckDecision, Update, Stop, Cancel)

_BOOT: Rows = (
    # After a start and after every restart the journal says where to go on.
    {"trigger": "boot", "source": "booting", "dest": "exited", "conditions": "gives_up"},
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
_GONE: Rows = tuple({"trigger": message, "source": "exited", "dest": IGNORE} for message in MESSAGES)
"""Reference profiles only: the channel is closed, what arrives is read by nobody."""


class Coordinator(Reference):
    """One run of rounds of stages: ask, decide, store, present, wait for the acknowledgement.

    What it must not forget is in its journal; what it must not confuse is told apart by its sequence.
    """

    states = ("booting", "asking", "storing", "gated", "done", "stopped", "blocked", "exited")
    hot = ("booting", "asking", "storing", "gated", "blocked")
    must = ("boot",)
    timers = ("patience", "backoff", "resend")
    transitions = (*_BOOT, *reference.ROWS, *asking.ROWS, *deciding.ROWS, *updates.ROWS, *ending.ROWS, *_GONE)

    def has_asked(self) -> bool:
        return bool(self.journal.attempts)

    def begin_step(self) -> None:
        self.take_turn()
        self.ask_next()
