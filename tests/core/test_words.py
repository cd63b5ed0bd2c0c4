"""The annotation of a field may say how its value is told to people; what it is stays what it was."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from sim import Message, Process, Record, Replay, System, simulate
from sim.base.annotations import annotation_of, field_in_words
from sim.consensus import ConsensusSequence, Decision, SequenceValue


def words(value: tuple[int, int]) -> str:
    done, of = value
    return f"{done} of {of}, {of - done} left"


Part = Annotated[tuple[int, int], words]


class Kept(Record):
    part: Part = (0, 2)
    plain: int = 0


class Go(Message):
    pass


class Worker(Process):
    states = ("on",)
    transitions = ({"trigger": Go, "source": "on", "dest": None, "after": "work"},)
    kept: Kept = Kept()
    own: Part = (0, 1)

    def work(self, go: Go) -> None:
        self.kept = Kept((1, 2), 5)
        self.own = (1, 1)


class Sender(Process):
    states = ("on",)
    transitions = ()

    def on_start(self) -> None:
        self.send("worker", Go())


def told(worker: Process) -> tuple[str, ...]:
    run = simulate(System({"sender": Sender(), "worker": worker}), Replay(["deliver sender->worker Go()"]))
    return run.trace.tell().events[1].notes


def test_a_field_is_told_in_its_words_each_on_its_own_line() -> None:
    assert told(Worker()) == (
        "worker: kept.plain=5",
        "worker: kept.part: 1 of 2, 1 left",
        "worker: own: 1 of 1, 0 left",
    )


def test_the_value_and_its_checks_are_those_of_the_type() -> None:
    assert annotation_of(Kept, "part") == tuple[int, int]
    assert Kept().part == (0, 2)
    from sim import ModelError

    with pytest.raises(ModelError, match=r"Worker.own is \(1,\) \(tuple\)"):
        System({"sender": Sender(), "worker": Worker(own=(1,))})  # type: ignore[arg-type]


def failing(value: Any) -> str:
    raise ValueError(value)


class Failing(Worker):
    own: Annotated[tuple[int, int], failing] = (0, 1)  # type: ignore[assignment]


class Silent(Worker):
    own: Annotated[tuple[int, int], lambda value: None] = (0, 1)  # type: ignore[assignment]


@pytest.mark.parametrize("worker", [Failing(), Silent()])
def test_words_that_fail_leave_the_value_as_any_value_is_shown(worker: Process) -> None:
    assert told(worker) == ("worker: kept.plain=5, own=(1, 1)", "worker: kept.part: 1 of 2, 1 left")


class Holder(Record):
    sequence: SequenceValue


def test_a_sequence_says_where_it_stands() -> None:
    sequence, said = ConsensusSequence("run-1"), []

    def note() -> None:
        said.append(field_in_words(Holder, "sequence", sequence.as_value()))

    note()
    sequence.issue("run-1", (1, 1))
    note()
    sequence.begin(Decision("run-1", 1))
    note()
    sequence.stop("run-1")
    note()
    sequence.cancel(Decision("run-1", 1), "why not")
    note()
    assert said == [
        "decision_seq 0, nothing issued",
        "decision_seq 1, issued",
        "decision_seq 1, pending ack 1",
        "decision_seq 1, pending ack 1, draining",
        "decision_seq 1, cancelled, stopped",
    ]
    assert sequence.pending_ack_seq is None


def test_a_tuple_without_words_is_caught() -> None:
    class Raw(Record):
        sequence: tuple[str, int, tuple[int, ...], str, str]

    assert field_in_words(Raw, "sequence", ConsensusSequence("run-1").as_value()) is None
