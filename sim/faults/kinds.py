"""The domain faults. Each is a class: a machine's table shows it as the trigger of a row. What they share with the
faults of network, processes and time is in `sim.faults.catalogue`."""

from __future__ import annotations

from typing import ClassVar

from sim.base.values import Fault


class AgentTimeout(Fault):
    """The wait for an agent's answer is over; the answer itself arrives late."""

    kind: ClassVar[str] = "agent_timeout"
    survives: ClassVar[bool] = True


class RateLimited(Fault):
    """The agent refused temporarily; `reset_ms` is its hint when to retry, counted from now."""

    kind: ClassVar[str] = "rate_limited"

    reset_ms: int | None = None


class ConsensusFailure(Fault):
    """The verdict of a round is lost on its way: it must be presented again."""

    kind: ClassVar[str] = "consensus_fail"


class EmptyResponse(Fault):
    """The agent returned an empty answer."""

    kind: ClassVar[str] = "empty_response"


class Disconnect(Fault):
    """The connection broke before the answer was whole."""

    kind: ClassVar[str] = "disconnect"


DOMAIN_FAULTS: tuple[type[Fault], ...] = (AgentTimeout, RateLimited, ConsensusFailure, EmptyResponse, Disconnect)
