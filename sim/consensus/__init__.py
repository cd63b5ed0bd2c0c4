"""What a coordinator of several agents needs, for an ordinary program as for a model: decisions that are numbered, begun and
acknowledged once, rounds of answers, agreement, retries, a circuit breaker.

What belongs here: values and pure functions of the standard library, which know neither clocks nor networks nor the
simulation. What does not: machines, which are made of them. The models that ship with roundsim are built from these
classes, so what is checked there is what runs here.
"""

from __future__ import annotations

from sim.consensus.agreement import (
    Agreement,
    Fix,
    Label,
    Weight,
    Who,
    agree,
    lacking,
    needed,
    settled_by,
    verdict,
)
from sim.consensus.breaker import CircuitBreaker
from sim.consensus.outside import HeaderError, failure_of
from sim.consensus.retry import (
    OURS,
    ErrorClass,
    ErrorKind,
    Fail,
    FailReason,
    Failure,
    RetryAfter,
    RetryDecision,
    RetryPolicy,
    RetryState,
    kind_of_status,
)
from sim.consensus.round import Round, RoundValue, Taken
from sim.consensus.sequence import (
    CAUSE_RESET,
    CAUSE_STOP,
    KEY_PARTS_MAX,
    SEQ_MAX,
    AckDecision,
    Answer,
    ConsensusSequence,
    Decision,
    Key,
    Progress,
    Reason,
    RunPhase,
    SequenceExhausted,
    SequenceValue,
    StopAck,
)

__all__ = [
    "CAUSE_RESET",
    "CAUSE_STOP",
    "KEY_PARTS_MAX",
    "OURS",
    "SEQ_MAX",
    "AckDecision",
    "Agreement",
    "Answer",
    "CircuitBreaker",
    "ConsensusSequence",
    "Decision",
    "ErrorClass",
    "ErrorKind",
    "Fail",
    "FailReason",
    "Failure",
    "Fix",
    "HeaderError",
    "Key",
    "Label",
    "Progress",
    "Reason",
    "RetryAfter",
    "RetryDecision",
    "RetryPolicy",
    "RetryState",
    "Round",
    "RoundValue",
    "RunPhase",
    "SequenceExhausted",
    "SequenceValue",
    "StopAck",
    "Taken",
    "Weight",
    "Who",
    "agree",
    "failure_of",
    "kind_of_status",
    "lacking",
    "needed",
    "settled_by",
    "verdict",
]
