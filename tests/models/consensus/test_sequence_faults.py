"""Saboteurs: one small mutation of `ConsensusSequence` each, which the checks of `ledger` have to catch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from sim.consensus.sequence import (
    AckDecision,
    Answer,
    ConsensusSequence,
    Decision,
    Key,
    Progress,
    Reason,
    RunPhase,
    SequenceExhausted,
    StopAck,
)
from tests.models.consensus.ledger import LongRun, check


class StartsAtZero(ConsensusSequence):
    """D4: the seed uses the number before the first."""

    @property
    def decision_seq(self) -> int:
        return max(0, super().decision_seq - 1)


class Wraps(ConsensusSequence):
    def issue(self, run_id: str, key: Key) -> Answer:
        try:
            return super().issue(run_id, key)
        except SequenceExhausted:
            self._state = replace(self._state, seq=1, key=key, progress=Progress.ISSUED)
            return Answer(Reason.ISSUED, Decision(run_id, 1))


class NumbersEveryCheck(ConsensusSequence):
    """D12: a settled decision that is checked again gets a new number."""

    def issue(self, run_id: str, key: Key) -> Answer:
        answer = super().issue(run_id, key)
        if answer.reason is Reason.DUPLICATE_KEY and self.unsettled is None and self.phase is RunPhase.OPEN:
            self._state = replace(self._state, key=())
            return super().issue(run_id, key)
        return answer


class ForgetsOldKeys(ConsensusSequence):
    def issue(self, run_id: str, key: Key) -> Answer:
        answer = super().issue(run_id, key)
        if answer.reason is Reason.PASSED_KEY:
            self._state = replace(self._state, key=())
            return super().issue(run_id, key)
        return answer


class NoGate(ConsensusSequence):
    def issue(self, run_id: str, key: Key) -> Answer:
        answer = super().issue(run_id, key)
        if answer.reason is Reason.GATED:
            self._state = replace(self._state, progress=Progress.RELEASED)
            return super().issue(run_id, key)
        return answer


class IssuesForAnyRun(ConsensusSequence):
    def issue(self, run_id: str, key: Key) -> Answer:
        answer = super().issue(run_id, key)
        return super().issue(self.run_id, key) if answer.reason is Reason.FOREIGN else answer


class BeginsForAnyRun(ConsensusSequence):
    """R3: a late decision of run A is processed in run B."""

    def begin(self, decision: Decision) -> Answer:
        answer = super().begin(decision)
        foreign = answer.reason is Reason.FOREIGN
        return super().begin(replace(decision, run_id=self.run_id)) if foreign else answer


class ReleasesForAnyRun(ConsensusSequence):
    """R3: a late acknowledgement of run A releases run B."""

    def acknowledge(self, ack: AckDecision) -> Answer:
        answer = super().acknowledge(ack)
        foreign = answer.reason is Reason.FOREIGN
        return super().acknowledge(replace(ack, run_id=self.run_id)) if foreign else answer


class StopsForAnyRun(ConsensusSequence):
    def stop(self, run_id: str) -> Answer:
        answer = super().stop(run_id)
        return super().stop(self.run_id) if answer.reason is Reason.FOREIGN else answer


class ReleasesAnyNumber(ConsensusSequence):
    """R1: a stale acknowledgement releases what is pending."""

    def acknowledge(self, ack: AckDecision) -> Answer:
        answer = super().acknowledge(ack)
        stale = answer.reason is Reason.STALE
        return super().acknowledge(replace(ack, seq=self.decision_seq)) if stale else answer


class ReleasesUnbegun(ConsensusSequence):
    def acknowledge(self, ack: AckDecision) -> Answer:
        answer = super().acknowledge(ack)
        if answer.reason is Reason.NOT_BEGUN:
            super().begin(Decision(ack.run_id, ack.seq))
            return super().acknowledge(ack)
        return answer


class ReleasesTwice(ConsensusSequence):
    def acknowledge(self, ack: AckDecision) -> Answer:
        answer = super().acknowledge(ack)
        return replace(answer, reason=Reason.RELEASED) if answer.reason is Reason.DUPLICATE else answer


class ReleasesWhatWasCancelled(ConsensusSequence):
    def acknowledge(self, ack: AckDecision) -> Answer:
        answer = super().acknowledge(ack)
        return replace(answer, reason=Reason.RELEASED) if answer.reason is Reason.CANCELLED_BEFORE else answer


class CancelsWhateverIsPending(ConsensusSequence):
    def cancel(self, decision: Decision, cause: str) -> Answer:
        answer = super().cancel(decision, cause)
        missed = answer.reason in (Reason.STALE, Reason.FUTURE) and self.unsettled
        return super().cancel(missed, cause) if missed else answer


class TakesCancelledNumberBack(ConsensusSequence):
    def cancel(self, decision: Decision, cause: str) -> Answer:
        answer = super().cancel(decision, cause)
        if answer.accepted and self.decision_seq > 1:
            self._state = replace(self._state, seq=self._state.seq - 1)
        return answer


class ClearsBeforeItChecks(ConsensusSequence):
    """D14: not atomic; what raises has cleared the pending decision already."""

    def acknowledge(self, ack: AckDecision) -> Answer:
        if self.pending_ack_seq and type(ack) is not AckDecision:
            self._state = replace(self._state, progress=Progress.RELEASED, phase=RunPhase.OPEN)
        return super().acknowledge(ack)


class StopsWithoutDraining(ConsensusSequence):
    def stop(self, run_id: str) -> Answer:
        answer = super().stop(run_id)
        return replace(answer, stop_ack=StopAck(run_id)) if answer.reason is Reason.DRAINING else answer


class AcknowledgesEveryStop(ConsensusSequence):
    def stop(self, run_id: str) -> Answer:
        answer = super().stop(run_id)
        return replace(answer, stop_ack=StopAck(run_id)) if answer.reason is Reason.STOPPED_BEFORE else answer


class StopForgetsTheUnbegun(ConsensusSequence):
    def stop(self, run_id: str) -> Answer:
        answer = super().stop(run_id)
        return replace(answer, cancelled=None, cause="") if answer.cancelled else answer


class DrainsForEver(ConsensusSequence):
    """D11: a stop during processing is never acknowledged."""

    def acknowledge(self, ack: AckDecision) -> Answer:
        return replace(super().acknowledge(ack), stop_ack=None)


class ResetForgetsTheOwedStop(ConsensusSequence):
    def reset(self, run_id: str) -> Answer:
        return replace(super().reset(run_id), stop_ack=None)


class ResetKeepsCounting(ConsensusSequence):
    def reset(self, run_id: str) -> Answer:
        key, seq = self._state.key, self._state.seq
        answer = super().reset(run_id)
        if answer.accepted and seq:
            self._state = replace(self._state, seq=seq, key=key, progress=Progress.RELEASED)
        return answer


class ResetsToTheSameRun(ConsensusSequence):
    """Acknowledgements of the run before the reset would match again."""

    def reset(self, run_id: str) -> Answer:
        answer = super().reset(run_id)
        if answer.reason is Reason.SAME_RUN:
            super().reset(run_id + "'")
            return super().reset(run_id)
        return answer


FAULTS = tuple(
    kind for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, ConsensusSequence) and kind is not ConsensusSequence
)  # fmt: skip


def test_there_are_enough_planted_faults() -> None:
    assert len(FAULTS) == 23


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_the_exhaustive_check_catches_the_planted_fault(fault: type[ConsensusSequence]) -> None:
    with pytest.raises(AssertionError):
        check(fault)


# Out of its reach: a run of 2**64 decisions, and arguments of a wrong type.
UNREACHABLE = (Wraps, ClearsBeforeItChecks)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in UNREACHABLE], ids=lambda fault: str(fault.__name__))
def test_the_long_runs_catch_the_planted_fault(fault: type[ConsensusSequence]) -> None:
    """Within more examples than most need: Hypothesis draws constants of whatever modules are loaded, so that what it
    generates hangs on the tests before."""
    machine = type("Planted", (LongRun,), {"kind": fault})
    quick = settings(
        deadline=None, max_examples=5_000, stateful_step_count=40, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=quick)
