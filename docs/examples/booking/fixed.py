"""The travel desk of `coordinator`, where a trip has one seat, however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from coordinator import Trip


@dataclass
class FixedTrip(Trip):
    key: str = field(default_factory=lambda: str(uuid4()))
    """Made once for each trip: every attempt of every run of the agent says it."""

    async def reserve(self, flight: str) -> str:
        """A seat on a flight: its reference. Who asks again is told that of the seat that he has."""
        answer = await self.airline.post(
            "/seats", json={"traveller": self.traveller, "flight": flight}, headers={"Idempotency-Key": self.key}
        )
        answer.raise_for_status()
        return str(answer.json()["reference"])
