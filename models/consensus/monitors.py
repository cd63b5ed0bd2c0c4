"""What must hold of a consensus run, besides exactly-once."""

from __future__ import annotations

from models.consensus.messages import Acknowledged, Released, Stopped
from sim import Monitor


class AckGate(Monitor):
    """A decision is released only by its own acknowledgement, and once."""

    states = ("watching",)
    transitions = (
        {"trigger": Acknowledged, "source": "watching", "dest": None, "after": "note"},
        {"trigger": Released, "source": "watching", "dest": None, "after": "judge"},
    )

    acknowledged: int = 0
    released: int = 0

    def note(self, emission: Acknowledged) -> None:
        self.acknowledged = emission.seq

    def judge(self, emission: Released) -> None:
        if emission.seq > self.acknowledged:
            self.violate(f"decision {emission.seq} was released before it was acknowledged")
        if emission.seq <= self.released:
            self.violate(f"decision {emission.seq} was released twice")
        self.released = emission.seq


class StopOnce(Monitor):
    """A run stops at most once."""

    states = ("running", "stopped")
    transitions = (
        {"trigger": Stopped, "source": "running", "dest": "stopped"},
        {"trigger": Stopped, "source": "stopped", "dest": None, "after": "complain"},
    )

    def complain(self, emission: Stopped) -> None:
        self.violate(f"run {emission.run} stopped twice")
