"""Decision numbers that are given once, processed once and released once: `ConsensusSequence`.

Theory of operation. One object serves one coordinator. A run takes decisions one after the other; each
goes through these steps, and only one decision of a run is on its way at any time (the gate):

    issue(run, key) -> issued -> begin(decision) -> begun -> acknowledge(ack) -> released
                          \\____________________________\\____ cancel(decision, cause) -> cancelled

Whatever arrives from outside names its run and its number, and is answered with a value and a `Reason`:
nothing is dropped silently, and nothing meant for one run or one decision can touch another. Only two
things raise: an argument that is not a run id, key or number at all (`TypeError`, `ValueError`: the caller's
fault) and the end of the numbers (`SequenceExhausted`).

Memory is constant. Through the gate decisions settle in the order of their numbers: all below the last one
are settled, so that one's number and progress say exactly what an ever-growing set of processed numbers
would. The keys of a run have to increase (round, then stage), so the last one tells old from new; an old
key is refused whether it was issued or skipped, which errs on the safe side.

    >>> sequence = ConsensusSequence("run-a")
    >>> decision = sequence.issue("run-a", (1, 3)).decision  # round 1, stage 3
    >>> print(sequence.issue("run-a", (1, 3)))  # the same decision, asked for again
    refused: this key has its number already; it gets no other (run-a/1)
    >>> sequence.begin(decision).accepted, sequence.acknowledge(AckDecision("run-a", 1)).accepted
    (True, True)
    >>> print(sequence.acknowledge(AckDecision("run-a", 1)))
    refused: this decision was acknowledged before; once is enough (run-a/1)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Final, NoReturn, SupportsIndex, TypeAlias

SEQ_MAX: Final = 2**64 - 1  # the last number there is: the largest unsigned integer of 64 bits
KEY_PARTS_MAX: Final = 8

Key: TypeAlias = tuple[int, ...]
"""A logical decision's place in its run, such as (round, stage): 1 to 8 integers, each 0 to 2**64 - 1,
compared from the left. An attempt is not part of it: a retried stage is the same decision."""


class Progress(Enum):
    """How far the last issued decision has come."""

    NONE = "none"
    ISSUED = "issued"
    BEGUN = "begun"
    RELEASED = "released"
    CANCELLED = "cancelled"


class RunPhase(Enum):
    """Whether the run takes decisions; `DRAINING` waits for the decision that had begun."""

    OPEN = "open"
    DRAINING = "draining"
    STOPPED = "stopped"


def sequence_words(value: tuple[str, int, Key, str, str]) -> str:
    """Where a sequence stands, of its value: `decision_seq 1, pending ack 1`."""
    _, seq, _, progress, phase = value
    words = {Progress.NONE: "nothing issued", Progress.BEGUN: f"pending ack {seq}"}.get(Progress(progress), progress)
    return f"decision_seq {seq}, {words}" + (f", {phase}" if phase != RunPhase.OPEN.value else "")


SequenceValue: TypeAlias = Annotated[tuple[str, int, Key, str, str], sequence_words]  # in the order of _State's fields
"""A field of this type is shown in the words of the function; what it holds is the tuple."""


class Reason(Enum):
    """Why an operation was accepted or refused; the values are the sentences users read."""

    ISSUED = "the decision has a new number"
    BEGUN = "the decision begins"
    RELEASED = "the decision is released"
    CANCELLED = "the decision is cancelled"
    STOPPED = "the run is stopped"
    DRAINING = "the run stops once the decision in hand is settled"
    RESET = "a new run begins"

    FOREIGN = "it belongs to another run"
    FUTURE = "no decision with this number has been issued"
    STALE = "a later decision has been issued since"
    DUPLICATE_KEY = "this key has its number already; it gets no other"
    PASSED_KEY = "the run is past this key; it was issued or skipped before"
    GATED = "the decision before it is not settled yet"
    CLOSED = "the run is stopping or stopped; it takes no new decision"
    OVERLAP = "this decision is being processed already"
    REPEATED = "this decision was processed before, to its end"
    NOT_BEGUN = "this decision has not begun; there is nothing to release"
    DUPLICATE = "this decision was acknowledged before; once is enough"
    TOO_LATE = "this decision was acknowledged before; it cannot be cancelled"
    CANCELLED_BEFORE = "this decision was cancelled before"
    STOPPING_BEFORE = "the run is stopping already; its acknowledgement is still to come"
    STOPPED_BEFORE = "the run was stopped before, and acknowledged then"
    SAME_RUN = "this run is on already; a new run needs a new id"


_ACCEPTED = ("ISSUED", "BEGUN", "RELEASED", "CANCELLED", "STOPPED", "DRAINING", "RESET")

# What an input does to the decision it names, by that decision's progress. Only the last issued decision
# gets here (any other is FOREIGN, FUTURE or STALE), so no row has progress NONE. An acknowledgement of
# work that nobody began proves nothing, and one of work that was given up comes too late to release it.
_BEGIN, _ACKNOWLEDGE, _CANCEL = 0, 1, 2
_ROWS = {
    Progress.ISSUED: (Reason.BEGUN, Reason.NOT_BEGUN, Reason.CANCELLED),
    Progress.BEGUN: (Reason.OVERLAP, Reason.RELEASED, Reason.CANCELLED),
    Progress.RELEASED: (Reason.REPEATED, Reason.DUPLICATE, Reason.TOO_LATE),
    Progress.CANCELLED: (Reason.CANCELLED_BEFORE, Reason.CANCELLED_BEFORE, Reason.CANCELLED_BEFORE),
}
_UNSETTLED = (Progress.ISSUED, Progress.BEGUN)
CAUSE_STOP: Final = "the run was stopped before the decision began"
CAUSE_RESET: Final = "a new run began"


class SequenceExhausted(OverflowError):
    """All 2**64 - 1 numbers of a run are used; nothing was changed. A new run (`reset`) starts at 1."""


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A run id (a non-empty str) and a number (1 to 2**64 - 1); anything else raises at once."""

    run_id: str
    seq: int

    def __post_init__(self) -> None:
        check_text("run_id", self.run_id)
        check_int("seq", self.seq, 1)


class Decision(_Numbered):
    """One decision of one run, as messages name it."""

    __slots__ = ()


class AckDecision(_Numbered):
    """The consumer's word that decision `seq` of run `run_id` is done with."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StopAck:
    """The word that run `run_id` has stopped, nothing of it being on its way any longer."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation did, or why it did nothing.

    `decision`: the key's for ISSUED and DUPLICATE_KEY, the one in the way for GATED, the one waited for in
    DRAINING and STOPPING_BEFORE, else the one the caller named, or None. `cancelled`: the decision that
    this very operation cancelled, and `cause` why; every decision that ends does so in exactly one answer,
    RELEASED or `cancelled`. `stop_ack`: to be sent on; for a run asked to stop, one answer carries it.
    """

    reason: Reason
    decision: Decision | None = None
    cancelled: Decision | None = None
    cause: str = ""
    stop_ack: StopAck | None = None

    @property
    def accepted(self) -> bool:
        """True if the operation did what it was asked to; a refused one changed nothing."""
        return self.reason.name in _ACCEPTED

    def __str__(self) -> str:
        subject = f" ({self.decision.run_id}/{self.decision.seq})" if self.decision else ""
        return f"{'accepted' if self.accepted else 'refused'}: {self.reason.value}{subject}"


@dataclass(frozen=True, slots=True)
class _State:
    """Everything a sequence knows. It is replaced as a whole, which is what makes an operation atomic."""

    run_id: str
    seq: int = 0
    key: Key = ()
    progress: Progress = Progress.NONE
    phase: RunPhase = RunPhase.OPEN

    @property
    def decision(self) -> Decision | None:
        """The decision on its way, if any."""
        return Decision(self.run_id, self.seq) if self.progress in _UNSETTLED else None


class ConsensusSequence:
    """The numbers of one coordinator's decisions and what has become of the last one.

    An operation is atomic: it changes all with one assignment or, refused or raising, nothing. Threads may
    share an object (operations take a lock); under asyncio no operation awaits. To survive a crash, store
    `as_value()` together with the answer before acting on it: after `from_value`, `pending_ack_seq` names
    the decision whose processing has to be taken up again.

    Run ids are never used twice (the caller's promise; only the id in force can be told and refused): an id
    that comes back would bring its late acknowledgements back to life.
    """

    def __init__(self, run_id: str) -> None:
        """A run without decisions. Raises TypeError or ValueError unless `run_id` is a non-empty str."""
        check_text("run_id", run_id)
        self._state = _State(run_id)
        self._lock = threading.Lock()

    @property
    def run_id(self) -> str:
        """The run in force; everything that names another one is FOREIGN."""
        return self._state.run_id

    @property
    def decision_seq(self) -> int:
        """The last number issued in this run, 0 to 2**64 - 1; 0 means none yet."""
        return self._state.seq

    @property
    def pending_ack_seq(self) -> int | None:
        """The number that is being processed and waits for its acknowledgement, if any."""
        state = self._state
        return state.seq if state.progress is Progress.BEGUN else None

    @property
    def unsettled(self) -> Decision | None:
        """The decision that is issued but neither released nor cancelled; it keeps the gate shut."""
        return self._state.decision

    @property
    def phase(self) -> RunPhase:
        """Whether the run takes decisions, drains or has stopped."""
        return self._state.phase

    def issue(self, run_id: str, key: Key) -> Answer:
        """Give the logical decision `key` the next number: ISSUED.

        Refused: FOREIGN; DUPLICATE_KEY (with the number it has); PASSED_KEY; CLOSED; GATED. Raises
        SequenceExhausted after number 2**64 - 1, TypeError or ValueError for what is not a run id or key.
        """
        check_text("run_id", run_id)
        check_key(key)
        with self._lock:
            state = self._state
            if run_id != state.run_id:
                return Answer(Reason.FOREIGN)
            if key == state.key:
                return Answer(Reason.DUPLICATE_KEY, Decision(run_id, state.seq))
            if key < state.key:
                return Answer(Reason.PASSED_KEY)
            if state.phase is not RunPhase.OPEN:
                return Answer(Reason.CLOSED)
            if state.decision is not None:
                return Answer(Reason.GATED, state.decision)
            if state.seq >= SEQ_MAX:
                raise SequenceExhausted(f"run {run_id!r} has used all {SEQ_MAX} numbers; begin a new run")
            issued = replace(state, seq=state.seq + 1, key=key, progress=Progress.ISSUED)
            return self._become(issued, Answer(Reason.ISSUED, issued.decision))

    def begin(self, decision: Decision) -> Answer:
        """Start processing: BEGUN. From here on the acknowledgement is pending.

        Refused: FOREIGN, FUTURE, STALE; OVERLAP (being processed now), REPEATED (released before),
        CANCELLED_BEFORE. Raises TypeError for what is not a Decision.
        """
        return self._apply(_BEGIN, decision, Decision)

    def acknowledge(self, ack: AckDecision) -> Answer:
        """Release the decision that waits for this acknowledgement, once: RELEASED.

        Refused: FOREIGN, FUTURE, STALE; NOT_BEGUN, DUPLICATE (released before), CANCELLED_BEFORE.
        A draining run stops here, with its StopAck. Raises TypeError for what is not an AckDecision.
        """
        return self._apply(_ACKNOWLEDGE, ack, AckDecision)

    def cancel(self, decision: Decision, cause: str) -> Answer:
        """Give the decision up, begun or not: CANCELLED, with `cause` (a non-empty str) in the answer.

        It names its decision (`unsettled`, to end whatever is on its way) so that a late cancellation
        cannot hit the next one. The number and the key stay used. A draining run stops here, with its
        StopAck. Refused: FOREIGN, FUTURE, STALE; TOO_LATE (released before), CANCELLED_BEFORE.
        Raises TypeError for what is not a Decision, TypeError or ValueError for what is not a cause.
        """
        check_text("cause", cause)
        return self._apply(_CANCEL, decision, Decision, cause)

    def stop(self, run_id: str) -> Answer:
        """Take no new decision, and stop once nothing is on its way any longer.

        STOPPED, with the StopAck; a decision issued but not begun is cancelled. DRAINING if one has begun:
        the StopAck comes with the answer that settles it. Refused: FOREIGN, STOPPING_BEFORE,
        STOPPED_BEFORE. Raises TypeError or ValueError for no run id.
        """
        check_text("run_id", run_id)
        with self._lock:
            state = self._state
            if run_id != state.run_id:
                return Answer(Reason.FOREIGN)
            if state.phase is RunPhase.STOPPED:
                return Answer(Reason.STOPPED_BEFORE)
            if state.phase is RunPhase.DRAINING:
                return Answer(Reason.STOPPING_BEFORE, state.decision)
            if state.progress is Progress.BEGUN:
                draining = replace(state, phase=RunPhase.DRAINING)
                return self._become(draining, Answer(Reason.DRAINING, state.decision))
            progress = Progress.CANCELLED if state.decision else state.progress
            cause = CAUSE_STOP if state.decision else ""
            stopped = replace(state, progress=progress, phase=RunPhase.STOPPED)
            return self._become(stopped, Answer(Reason.STOPPED, None, state.decision, cause, StopAck(run_id)))

    def reset(self, run_id: str) -> Answer:
        """Begin run `run_id`: RESET. Numbers start at 1 again; all of the old run is FOREIGN from here on.

        A decision of the old run that was on its way is cancelled; if the old run was draining, its StopAck
        is in the answer. Refused: SAME_RUN. Raises TypeError or ValueError for no run id.
        """
        check_text("run_id", run_id)
        with self._lock:
            state = self._state
            if run_id == state.run_id:
                return Answer(Reason.SAME_RUN)
            cause = CAUSE_RESET if state.decision else ""
            stop_ack = StopAck(state.run_id) if state.phase is RunPhase.DRAINING else None
            return self._become(_State(run_id), Answer(Reason.RESET, None, state.decision, cause, stop_ack))

    def _apply(self, column: int, named: _Numbered, kind: type[_Numbered], cause: str = "") -> Answer:
        """Read the answer from the table and, if it is an acceptance, move the decision."""
        if not isinstance(named, kind):
            raise TypeError(f"expected {kind.__name__}, got {named!r}")
        decision = Decision(named.run_id, named.seq)
        with self._lock:
            state = self._state
            if decision.run_id != state.run_id:
                return Answer(Reason.FOREIGN, decision)
            if decision.seq != state.seq:
                return Answer(Reason.FUTURE if decision.seq > state.seq else Reason.STALE, decision)
            reason = _ROWS[state.progress][column]
            if reason.name not in _ACCEPTED:
                return Answer(reason, decision)
            moved, stop_ack = replace(state, progress=Progress[reason.name]), None
            if state.phase is RunPhase.DRAINING:  # its decision had begun, so this is what ended it
                moved, stop_ack = replace(moved, phase=RunPhase.STOPPED), StopAck(state.run_id)
            return self._become(moved, Answer(reason, decision, decision if cause else None, cause, stop_ack))

    def _become(self, state: _State, answer: Answer) -> Answer:
        """The only change there is: one assignment, when the answer is already made."""
        self._state = state
        return answer

    def as_value(self) -> SequenceValue:
        """The whole state as nested tuples of int and str: hashable, comparable, fit for a journal."""
        state = self._state
        return (state.run_id, state.seq, state.key, state.progress.value, state.phase.value)

    @classmethod
    def from_value(cls, value: SequenceValue) -> ConsensusSequence:
        """The sequence that `as_value` gave `value`.

        Raises TypeError or ValueError for a value that no sequence can have: a fault of what stored it.
        """
        if type(value) is not tuple or len(value) != 5:
            raise TypeError(f"expected (run id, seq, key, progress, phase), got {value!r}")
        run_id, seq, key, progress_word, phase_word = value
        check_text("run_id", run_id)
        check_int("decision_seq", seq, 0)
        progress, phase = Progress(progress_word), RunPhase(phase_word)
        if seq:
            check_key(key)
        fits_number = (seq == 0) == (progress is Progress.NONE) and (seq > 0 or key == ())
        fits_phase = phase is RunPhase.OPEN or (phase is RunPhase.DRAINING) == (progress is Progress.BEGUN)
        if not fits_number or not fits_phase or (progress, phase) == (Progress.ISSUED, RunPhase.STOPPED):
            raise ValueError(f"no sequence ever has the value {value!r}")
        sequence = cls(run_id)
        sequence._state = _State(run_id, seq, key, progress, phase)
        return sequence

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse copy and pickle: two copies would each give the same number to another decision."""
        raise TypeError("a copy would issue the same numbers again; use as_value() and from_value()")

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_value({self.as_value()!r})"


def check_text(name: str, given: object) -> None:
    """Raises TypeError or ValueError for what is not a text with something in it."""
    if type(given) is not str:
        raise TypeError(f"{name}: expected a str, got {given!r}")
    if not given:
        raise ValueError(f"{name}: expected a non-empty str")


def check_int(name: str, given: object, least: int) -> None:
    """Raises TypeError or ValueError for what is not a whole number from `least` to 2**64 - 1."""
    if type(given) is not int:  # neither True nor an IntEnum: equal values must have one encoding
        raise TypeError(f"{name}: expected an int, got {given!r}")
    if not least <= given <= SEQ_MAX:
        raise ValueError(f"{name}: expected {least} to 2**64 - 1, got {given}")


def check_key(given: object) -> None:
    """Raises TypeError or ValueError for what is not a key."""
    if type(given) is not tuple or not 1 <= len(given) <= KEY_PARTS_MAX:
        raise ValueError(f"key: expected a tuple of 1 to {KEY_PARTS_MAX} integers, got {given!r}")
    for part in given:
        check_int("each part of key", part, 0)
