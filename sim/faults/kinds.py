"""The kinds of fault. A domain fault is a class: a machine's table shows it as the trigger of a row."""

from __future__ import annotations

from typing import ClassVar

from sim.values import Fault


class AgentTimeout(Fault):
    """The wait for an agent's answer is over; the answer itself arrives late."""

    kind: ClassVar[str] = "agent_timeout"
    survives: ClassVar[bool] = True


class RateLimited(Fault):
    """The agent refused for now; `reset_ms` is its hint when to come back, counted from now."""

    kind: ClassVar[str] = "rate_limited"

    reset_ms: int | None = None


class ConsensusFailure(Fault):
    """The verdict of a round is lost: no consensus came of it."""

    kind: ClassVar[str] = "consensus_fail"


class EmptyResponse(Fault):
    """The agent answered with nothing."""

    kind: ClassVar[str] = "empty_response"


class Disconnect(Fault):
    """The connection broke before the answer was whole."""

    kind: ClassVar[str] = "disconnect"


DOMAIN_FAULTS: tuple[type[Fault], ...] = (AgentTimeout, RateLimited, ConsensusFailure, EmptyResponse, Disconnect)

NETWORK_KINDS = ("drop", "duplicate", "reorder")
PROCESS_KINDS = ("crash",)
CUT_KINDS = ("cut",)

BUILT_IN = (*(fault.kind for fault in DOMAIN_FAULTS), *NETWORK_KINDS, *PROCESS_KINDS, *CUT_KINDS)
