"""`ConsensusSequence`: examples first, then its whole table and long runs against the ledger."""

from __future__ import annotations

import ast
import contextlib
import copy
import doctest
import pickle
import sys
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from sim.consensus import sequence as module
from sim.consensus.sequence import (
    SEQ_MAX,
    AckDecision,
    Answer,
    ConsensusSequence,
    Decision,
    Progress,
    Reason,
    RunPhase,
    StopAck,
)
from tests.counts import examples
from tests.models.consensus.ledger import (
    RUNS,
    LongRun,
    calls,
    check_every_small_state,
    check_the_end_of_the_numbers,
)

# Examples -----------------------------------------------------------------------------------------------


def at(seq: int, progress: str, phase: str = "open") -> ConsensusSequence:
    return ConsensusSequence.from_value(("A", seq, (seq,), progress, phase))


def test_r1_only_the_first_right_acknowledgement_releases() -> None:
    sequence = at(5, "begun")
    reasons = [sequence.acknowledge(AckDecision("A", seq)).reason for seq in (4, 5, 5)]
    assert reasons == [Reason.STALE, Reason.RELEASED, Reason.DUPLICATE]


def test_r3_a_late_decision_or_acknowledgement_of_run_a_cannot_touch_run_b() -> None:
    sequence = ConsensusSequence("A")
    sequence.issue("A", (1,))
    sequence.stop("A")
    sequence.reset("B")
    sequence.issue("B", (1,))
    sequence.begin(Decision("B", 1))
    before = sequence.as_value()
    assert sequence.begin(Decision("A", 1)).reason is Reason.FOREIGN
    assert sequence.acknowledge(AckDecision("A", 1)).reason is Reason.FOREIGN
    assert sequence.cancel(Decision("A", 1), "timeout").reason is Reason.FOREIGN
    assert sequence.issue("A", (2,)).reason is Reason.FOREIGN
    assert sequence.stop("A").reason is Reason.FOREIGN
    assert (sequence.as_value(), sequence.pending_ack_seq) == (before, 1)


def test_d12_a_check_that_runs_again_gets_the_number_it_had_in_every_progress() -> None:
    for progress in ("issued", "begun", "released", "cancelled"):
        assert at(3, progress).issue("A", (3,)) == Answer(Reason.DUPLICATE_KEY, Decision("A", 3))


def test_the_first_number_is_one_and_a_cancelled_number_is_not_given_again() -> None:
    sequence = ConsensusSequence("A")
    assert (sequence.decision_seq, sequence.pending_ack_seq) == (0, None)
    assert sequence.issue("A", (0,)).decision == Decision("A", 1)
    sequence.cancel(Decision("A", 1), "timeout")
    assert sequence.issue("A", (1,)).decision == Decision("A", 2)


def test_stop_waits_for_what_has_begun_and_is_acknowledged_once() -> None:
    sequence = at(2, "begun")
    answers = [
        sequence.stop("A"),
        sequence.stop("A"),
        sequence.acknowledge(AckDecision("A", 2)),
        sequence.stop("A"),
    ]
    assert [answer.stop_ack for answer in answers] == [None, None, StopAck("A"), None]


def test_answers_read_as_sentences() -> None:
    assert str(at(2, "begun").issue("A", (5,))) == "refused: the decision before it is not settled yet (A/2)"
    assert str(at(2, "released").stop("A")) == "accepted: the run is stopped"
    assert len({reason.value for reason in Reason}) == len(Reason)


# The whole table ----------------------------------------------------------------------------------------


def test_every_call_in_every_small_state_answers_as_the_ledger_does() -> None:
    states, reasons = check_every_small_state(ConsensusSequence)
    # Per run: histories of k increasing keys of 3, C(3, k) of them, older fates 2**(k-1), and the last one in
    # 7 shapes (4 fates open, begun draining, 2 stopped); empty: open, stopped. 2 + 7*(3*1 + 3*2 + 1*4) = 93.
    assert states == len(RUNS) * 93
    assert sum(reasons.values()) == states * 34
    assert set(reasons) == set(Reason), "a reason that no small state gives is a dead word"


def test_the_end_of_the_numbers_is_an_error_and_changes_nothing() -> None:
    check_the_end_of_the_numbers(ConsensusSequence)


@pytest.mark.parametrize("kind", [Decision, AckDecision])
@pytest.mark.parametrize(
    ("seq", "error"),
    [(-1, ValueError), (0, ValueError), (SEQ_MAX + 1, ValueError), (True, TypeError), ("1", TypeError)],
)
def test_a_message_cannot_carry_what_is_no_number(kind: type[Decision], seq: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seq"):
        kind("A", seq)
    assert kind("A", 1).seq == 1
    assert kind("A", SEQ_MAX).seq == SEQ_MAX


@pytest.mark.parametrize("value", [Decision("A", 1), AckDecision("A", 1), StopAck("A"), Answer(Reason.RESET)])
def test_messages_and_answers_are_frozen_values(value: Any) -> None:
    assert hash(value) == hash(replace(value))
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "B")


def test_a_key_has_one_to_eight_parts_of_64_bits() -> None:
    sequence = ConsensusSequence("A")
    assert sequence.issue("A", (0,)).accepted
    sequence.cancel(Decision("A", 1), "timeout")
    assert sequence.issue("A", (SEQ_MAX,) * 8).accepted


def test_a_decision_is_never_equal_to_its_acknowledgement() -> None:
    assert len({Decision("A", 1), AckDecision("A", 1)}) == 2
    assert AckDecision("A", 1) == AckDecision("A", 1)


def test_from_value_takes_the_shapes_that_are_reachable_and_no_others() -> None:
    taken = set()
    for seq, key in ((0, ()), (1, (4,))):
        for progress in Progress:
            for phase in RunPhase:
                value = ("A", seq, key, progress.value, phase.value)
                with contextlib.suppress(ValueError):
                    assert ConsensusSequence.from_value(value).as_value() == value
                    taken.add((seq, progress.value, phase.value))
    fates = {(1, fate, "open") for fate in ("issued", "begun", "released", "cancelled")}
    settled = {(1, fate, "stopped") for fate in ("released", "cancelled")}
    assert taken == {(0, "none", "open"), (0, "none", "stopped"), *fates, *settled, (1, "begun", "draining")}


@pytest.mark.parametrize(
    "value",
    [
        None,
        (),
        ("A", 0, (), "none"),
        ["A", 0, (), "none", "open"],
        ("", 0, (), "none", "open"),
        ("A", -1, (), "none", "open"),
        ("A", True, (1,), "issued", "open"),
        ("A", SEQ_MAX + 1, (1,), "issued", "open"),
        ("A", 0, (1,), "none", "open"),
        ("A", 0, [], "none", "open"),
        ("A", 1, (), "issued", "open"),
        ("A", 1, [1], "issued", "open"),
        ("A", 1, (1,), "ISSUED", "open"),
        ("A", 1, (1,), "issued", "shut"),
    ],
)
def test_from_value_refuses_what_no_sequence_can_be(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        ConsensusSequence.from_value(value)


def test_values_hash_and_memory_does_not_grow_with_the_decisions() -> None:
    sequence, sizes = ConsensusSequence("A"), set()
    for n in range(1, 300):
        sequence.issue("A", (n,))
        sequence.begin(Decision("A", n))
        sequence.acknowledge(AckDecision("A", n))
        assert hash(sequence.as_value()) == hash(sequence.as_value())
        sizes.add(len(repr(sequence).replace(str(n), "n")))
    assert len(sizes) == 1


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickle.dumps])
def test_d14_a_sequence_cannot_be_cloned_by_accident(clone: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="issue the same numbers again"):
        clone(ConsensusSequence("A"))


@pytest.mark.parametrize(("operation", "arguments"), [call for call in calls() if "A" in str(call[1])])
def test_an_operation_waits_while_another_thread_is_inside_one(operation: str, arguments: tuple[Any, ...]) -> None:
    sequence = ConsensusSequence("A")
    with sequence._lock:
        thread = threading.Thread(target=getattr(sequence, operation), args=arguments)
        thread.start()
        thread.join(timeout=0.01)
        assert thread.is_alive(), f"{operation} went ahead without the lock"
    thread.join()


def test_the_module_stands_on_the_standard_library_and_its_examples_run() -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


TestLongRun = LongRun.TestCase
TestLongRun.settings = settings(deadline=None, stateful_step_count=40, max_examples=examples(150))
