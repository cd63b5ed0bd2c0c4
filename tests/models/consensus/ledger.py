"""What `ConsensusSequence` is judged by: a ledger that remembers everything, and checks against it.

`check` and `LongRun` take the class to judge: the same lines pass the real one and catch planted faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.consensus.sequence import (
    CAUSE_RESET,
    CAUSE_STOP,
    SEQ_MAX,
    AckDecision,
    Answer,
    ConsensusSequence,
    Decision,
    Key,
    Reason,
    SequenceExhausted,
    StopAck,
)

Call = tuple[str, tuple[Any, ...]]


class Ledger:
    """The reference: every decision of the run with its fate, nothing forgotten, nothing clever."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.rows: list[tuple[Key, str]] = []
        self.asked_to_stop = False

    def frozen(self) -> tuple[str, tuple[tuple[Key, str], ...], bool]:
        return (self.run, tuple(self.rows), self.asked_to_stop)

    def thawed(self) -> Ledger:
        other = Ledger(self.run)
        other.rows, other.asked_to_stop = list(self.rows), self.asked_to_stop
        return other

    def on_the_way(self) -> Decision | None:
        numbers = [n for n, (_, fate) in enumerate(self.rows, 1) if fate in ("issued", "begun")]
        assert len(numbers) <= 1
        return Decision(self.run, numbers[0]) if numbers else None

    def observed(self) -> tuple[str, int, int | None, Decision | None, str]:
        begun = [n for n, (_, fate) in enumerate(self.rows, 1) if fate == "begun"]
        stopped = "draining" if begun else "stopped"
        phase = stopped if self.asked_to_stop else "open"
        return (self.run, len(self.rows), begun[0] if begun else None, self.on_the_way(), phase)

    def issue(self, run: str, key: Key) -> Answer:
        if run != self.run:
            return Answer(Reason.FOREIGN)
        if self.rows and self.rows[-1][0] == key:
            return Answer(Reason.DUPLICATE_KEY, Decision(run, len(self.rows)))
        if any(known >= key for known, _ in self.rows):
            return Answer(Reason.PASSED_KEY)
        if self.asked_to_stop:
            return Answer(Reason.CLOSED)
        if self.on_the_way():
            return Answer(Reason.GATED, self.on_the_way())
        self.rows.append((key, "issued"))
        return Answer(Reason.ISSUED, Decision(run, len(self.rows)))

    def begin(self, decision: Decision) -> Answer:
        words = {"begun": Reason.OVERLAP, "released": Reason.REPEATED, "cancelled": Reason.CANCELLED_BEFORE}
        return self.judge(decision, "begun", ("issued",), words)

    def acknowledge(self, ack: AckDecision) -> Answer:
        words = {
            "issued": Reason.NOT_BEGUN,
            "released": Reason.DUPLICATE,
            "cancelled": Reason.CANCELLED_BEFORE,
        }
        return self.judge(Decision(ack.run_id, ack.seq), "released", ("begun",), words)

    def cancel(self, decision: Decision, cause: str) -> Answer:
        words = {"released": Reason.TOO_LATE, "cancelled": Reason.CANCELLED_BEFORE}
        answer = self.judge(decision, "cancelled", ("issued", "begun"), words)
        return replace(answer, cancelled=decision, cause=cause) if answer.accepted else answer

    def judge(self, decision: Decision, to: str, frm: tuple[str, ...], words: dict[str, Reason]) -> Answer:
        if decision.run_id != self.run:
            return Answer(Reason.FOREIGN, decision)
        if decision.seq > len(self.rows):
            return Answer(Reason.FUTURE, decision)
        if decision.seq < len(self.rows):
            return Answer(Reason.STALE, decision)
        key, fate = self.rows[-1]
        if fate not in frm:
            return Answer(words[fate], decision)
        self.rows[-1] = (key, to)
        stop_ack = StopAck(self.run) if self.asked_to_stop else None
        return Answer(Reason[to.upper()], decision, stop_ack=stop_ack)

    def stop(self, run: str) -> Answer:
        if run != self.run:
            return Answer(Reason.FOREIGN)
        decision, begun = self.on_the_way(), self.observed()[2] is not None
        if self.asked_to_stop:
            return Answer(Reason.STOPPING_BEFORE, decision) if begun else Answer(Reason.STOPPED_BEFORE)
        self.asked_to_stop = True
        if begun:
            return Answer(Reason.DRAINING, decision)
        if decision:
            self.rows[-1] = (self.rows[-1][0], "cancelled")
            return Answer(Reason.STOPPED, None, decision, CAUSE_STOP, StopAck(run))
        return Answer(Reason.STOPPED, stop_ack=StopAck(run))

    def reset(self, run: str) -> Answer:
        if run == self.run:
            return Answer(Reason.SAME_RUN)
        decision = self.on_the_way()
        owed = StopAck(self.run) if self.asked_to_stop and decision else None
        self.run, self.rows, self.asked_to_stop = run, [], False
        return Answer(Reason.RESET, None, decision, CAUSE_RESET if decision else "", owed)


def observed(sequence: ConsensusSequence) -> tuple[str, int, int | None, Decision | None, str]:
    return (
        sequence.run_id,
        sequence.decision_seq,
        sequence.pending_ack_seq,
        sequence.unsettled,
        sequence.phase.value,
    )


RUNS = ("A", "B")
KEYS: tuple[Key, ...] = ((0,), (0, 1), (2,))


def calls() -> Iterator[Call]:
    """Every operation with every kind of argument: 2 runs x (3 keys + 3 operations x 4 numbers + 2) = 34."""
    for run in RUNS:
        yield from (("issue", (run, key)) for key in KEYS)
        for seq in (1, 2, 3, 4):  # 4 is never issued: there are three keys
            yield "begin", (Decision(run, seq),)
            yield "acknowledge", (AckDecision(run, seq),)
            yield "cancel", (Decision(run, seq), "timeout")
        yield "stop", (run,)
        yield "reset", (run,)


NO_KEYS = ((), [1], (True,), (-1,), (SEQ_MAX + 1,), ("1",), (1.0,), 1, (0,) * 9)
NO_RUNS = ("", 1, None, b"A")
NO_DECISIONS = (1, None, "A", StopAck("A"))
MALFORMED: tuple[Call, ...] = (
    *(("issue", ("A", key)) for key in NO_KEYS),
    *(("issue", (run, (9,))) for run in NO_RUNS),
    *((operation, (run,)) for operation in ("stop", "reset") for run in NO_RUNS),
    *((operation, (what,)) for operation in ("begin", "acknowledge") for what in NO_DECISIONS),
    ("begin", (AckDecision("A", 1),)),
    ("acknowledge", (Decision("A", 1),)),
    *(("cancel", (what, "timeout")) for what in (*NO_DECISIONS, AckDecision("A", 1))),
    *(("cancel", (Decision("A", 1), cause)) for cause in ("", None, 1)),
)


def raises(
    errors: tuple[type[Exception], ...],
    operation: str,
    sequence: ConsensusSequence,
    arguments: tuple[Any, ...],
) -> bool:
    try:
        getattr(sequence, operation)(*arguments)
    except errors:
        return True
    return False


def check_every_small_state(kind: type[ConsensusSequence]) -> tuple[int, Counter[Reason]]:
    """Walk every state reachable with `calls()`; in each, compare every call with the ledger."""
    first = (kind("A").as_value(), Ledger("A"))
    todo, seen, reasons = [first], {(first[0], first[1].frozen())}, Counter[Reason]()
    for value, ledger in todo:
        for operation, arguments in MALFORMED:
            sequence = kind.from_value(value)
            assert raises((TypeError, ValueError), operation, sequence, arguments), f"{operation}{arguments}"
            assert sequence.as_value() == value, f"{operation}{arguments} raised, yet it changed {value}"
        for operation, arguments in calls():
            sequence, expected = kind.from_value(value), ledger.thawed()
            answer = getattr(sequence, operation)(*arguments)
            where = f"{operation}{arguments} in {value}"
            assert answer == getattr(expected, operation)(*arguments), where
            assert observed(sequence) == expected.observed(), where
            after = sequence.as_value()
            assert answer.accepted == (after != value), where
            assert kind.from_value(after).as_value() == after, where
            reasons[answer.reason] += 1
            if (after, expected.frozen()) not in seen:
                seen.add((after, expected.frozen()))
                todo.append((after, expected))
    return len(seen), reasons


def check_the_end_of_the_numbers(kind: type[ConsensusSequence]) -> None:
    """2**64 - 2 is issued, so one number is left; then there is an error, and nothing wraps."""
    sequence = kind.from_value(("A", SEQ_MAX - 1, (1,), "released", "open"))
    assert sequence.issue("A", (2,)) == Answer(Reason.ISSUED, Decision("A", SEQ_MAX))
    sequence.begin(Decision("A", SEQ_MAX))
    assert sequence.issue("A", (3,)).reason is Reason.GATED
    assert sequence.acknowledge(AckDecision("A", SEQ_MAX)).reason is Reason.RELEASED
    before = sequence.as_value()
    for _ in range(2):
        assert raises((SequenceExhausted,), "issue", sequence, ("A", (3,)))
        assert sequence.as_value() == before
    assert sequence.issue("A", (2,)) == Answer(Reason.DUPLICATE_KEY, Decision("A", SEQ_MAX))
    assert sequence.reset("B").accepted
    assert sequence.issue("B", (0,)).decision == Decision("B", 1)


def check(kind: type[ConsensusSequence]) -> None:
    check_every_small_state(kind)
    check_the_end_of_the_numbers(kind)


class LongRun(RuleBasedStateMachine):
    """Many runs and decisions, with late inputs of every earlier run, against the ledger and three sums."""

    kind: type[ConsensusSequence] = ConsensusSequence

    def __init__(self) -> None:
        super().__init__()
        self.runs = ["run 0"]
        self.sequence, self.ledger = self.kind("run 0"), Ledger("run 0")
        self.issued: Counter[Decision] = Counter()
        self.ended: Counter[Decision] = Counter()
        self.stop_acks: Counter[StopAck] = Counter()
        self.keys: set[tuple[str, Key]] = set()

    def both(self, operation: str, *arguments: Any) -> Answer:
        before = self.sequence.as_value()
        answer: Answer = getattr(self.sequence, operation)(*arguments)
        assert answer == getattr(self.ledger, operation)(*arguments)
        assert answer.accepted == (self.sequence.as_value() != before)
        if answer.reason is Reason.ISSUED:
            assert arguments not in self.keys, "a key was given a second number"
            self.keys.add((arguments[0], arguments[1]))
            self.issued[answer.decision or Decision("none", 1)] += 1
        if answer.reason is Reason.RELEASED:
            self.ended[answer.decision or Decision("none", 1)] += 1
        if answer.cancelled:
            self.ended[answer.cancelled] += 1
        if answer.stop_ack:
            self.stop_acks[answer.stop_ack] += 1
        return answer

    def run_named(self, back: int) -> str:
        return self.runs[max(0, len(self.runs) - 1 - back)]

    def near(self, back: int, off: int) -> Decision:
        return Decision(self.run_named(back), max(1, self.sequence.decision_seq + off))

    backs = st.sampled_from((0, 0, 0, 0, 1, 2))
    offs = st.sampled_from((0, 0, 0, 0, -1, 1, -2, SEQ_MAX // 2))

    @rule(back=backs, key=st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple))
    def issue_any(self, back: int, key: Key) -> None:
        self.both("issue", self.run_named(back), key)

    @rule(steps=st.integers(1, 5))
    def as_usual(self, steps: int) -> None:
        """The next one to five steps of a run that nothing disturbs, so that disturbances meet every step."""
        for _ in range(steps):
            run, seq = self.ledger.run, len(self.ledger.rows)
            key, fate = self.ledger.rows[-1] if self.ledger.rows else ((0,), "released")
            if fate == "issued":
                self.both("begin", Decision(run, seq))
            elif fate == "begun":
                self.both("acknowledge", AckDecision(run, seq))
            else:
                self.both("issue", run, (key[0] + 1,))

    @rule(back=backs, off=offs)
    def begin(self, back: int, off: int) -> None:
        self.both("begin", self.near(back, off))

    @rule(back=backs, off=offs)
    def acknowledge(self, back: int, off: int) -> None:
        decision = self.near(back, off)
        self.both("acknowledge", AckDecision(decision.run_id, decision.seq))

    @rule(back=backs, off=offs, cause=st.sampled_from(("timeout", "user")))
    def cancel(self, back: int, off: int, cause: str) -> None:
        self.both("cancel", self.near(back, off), cause)

    @precondition(lambda self: self.ledger.rows)
    @rule(back=backs)
    def stop(self, back: int) -> None:
        self.both("stop", self.run_named(back))

    @precondition(lambda self: self.ledger.asked_to_stop or len(self.ledger.rows) > 2)
    @rule(again=st.booleans())
    def reset(self, again: bool) -> None:
        run = self.ledger.run if again else f"run {len(self.runs)}"
        if self.both("reset", run).accepted:
            self.runs.append(run)

    @rule()
    def crash(self) -> None:
        self.sequence = self.kind.from_value(self.sequence.as_value())

    @invariant()
    def sums_hold(self) -> None:
        assert observed(self.sequence) == self.ledger.observed()
        assert set((self.issued + self.ended + self.stop_acks).values()) <= {1, 2}
        open_now = Counter([self.sequence.unsettled] if self.sequence.unsettled else [])
        assert self.issued == self.ended + open_now, "each decision is issued once and ends once"
        assert max(self.stop_acks.values(), default=1) == 1
