"""Exactly-once: what the two ledgers let pass, and every way to break them."""

from __future__ import annotations

from typing import Any

import pytest

from sim import (
    IGNORE,
    Accepted,
    Applied,
    Cancelled,
    Counted,
    EffectLedger,
    InputLedger,
    Message,
    Process,
    Rejected,
    System,
    check,
)
from sim.machine.ledgers import REASONS
from tests.walk import schedule


class Answer(Message):
    key: int


class Other(Message):
    key: int


class Agent(Process):
    states = ("idle",)
    answers: tuple[int, ...] = (1,)

    def on_start(self) -> None:
        for key in self.answers:
            self.send("c", Answer(key))
            self.send("c", Other(key))


class Coordinator(Process):
    """Counts each answer once; `how` says how it goes wrong."""

    states = ("open",)
    transitions = (
        {"trigger": Answer, "source": "open", "dest": None, "after": "take"},
        {"trigger": Other, "source": "open", "dest": IGNORE},
    )
    durable = ("counted",)
    counted: frozenset[int] = frozenset()
    how: str = ""

    def take(self, answer: Answer) -> None:
        if self.how == "silent":
            return
        if self.how == "twice":
            self.emit(Counted(answer.key))
        if self.how == "both":
            self.emit(Rejected(answer.key, "late"))
        if self.how == "wrong key":
            self.emit(Counted(answer.key + 1))
            return
        if self.how == "no reason":
            self.emit(Rejected(answer.key, "whim"))
            return
        if answer.key in self.counted and self.how != "forgets":
            self.emit(Rejected(answer.key, "duplicate"))
            return
        self.counted |= {answer.key}
        self.emit(Counted(answer.key))


def inputs(how: str = "", faults: str = "", answers: tuple[int, ...] = (1,), redelivered: bool = False) -> Any:
    ledger = InputLedger(process="c", types=("Answer",), redelivered=redelivered)
    return check(
        System({"a": Agent(answers=answers), "c": Coordinator(how=how)}, monitors={"once": ledger}, faults=faults)
    )


@pytest.mark.parametrize("answers", [(), (1,), (1, 2), (1, 1), (1, 2, 3)])
def test_an_input_counted_once_or_rejected_with_a_reason_is_fine(answers: tuple[int, ...]) -> None:
    assert inputs(answers=answers).verdict == "ok"


def test_a_duplicate_that_is_rejected_as_one_is_fine() -> None:
    assert inputs(faults="duplicate:2").verdict == "ok"


@pytest.mark.parametrize(
    ("how", "faults", "says", "steps"),
    [
        ("silent", "", "at the end it still waits", 2),  # the answer, and the other message, which it ignores
        ("twice", "", "input 1 was counted twice", 1),
        ("forgets", "duplicate:1", "input 1 was counted twice", 3),
        ("both", "", "input 1 was counted, but none is open", 1),
        ("wrong key", "", "input 2 was counted, but none is open", 1),
        ("no reason", "", "input 1 was rejected as 'whim', which is no reason", 1),
    ],
)
def test_each_way_to_break_the_input_ledger_is_caught_when_it_happens(
    how: str, faults: str, says: str, steps: int
) -> None:
    result = inputs(how, faults)
    assert result.finding is not None
    assert result.finding.property == "once"
    assert says in result.finding.message
    assert len(result.path) == steps


def test_an_input_lost_in_a_crash_is_caught_where_nobody_owes_redelivery() -> None:
    result = inputs(faults="crash:1@c")
    assert result.finding is not None
    assert "input 1 was lost in a crash, and nobody owes its redelivery" in result.finding.message
    assert len(result.path) == 1


def test_an_input_lost_in_a_crash_is_fine_where_redelivery_is_owed() -> None:
    assert inputs(faults="crash:1@c", redelivered=True).verdict == "ok"


def test_a_crash_of_another_process_loses_no_input() -> None:
    assert inputs(faults="crash:1@a").verdict == "ok"


def test_an_input_that_was_settled_before_the_crash_is_not_lost() -> None:
    result = inputs(faults="crash:1@c after Counted")
    assert result.verdict == "ok"


def test_an_input_counted_before_and_after_a_crash_is_counted_twice() -> None:
    class Amnesiac(Coordinator):
        durable = ()

    ledger = InputLedger(process="c", types=("Answer",), redelivered=True)
    system = System({"a": Agent(), "c": Amnesiac()}, monitors={"once": ledger}, faults="duplicate:1,crash:1@c")
    result = check(system)
    assert result.finding is not None
    assert "counted twice" in result.finding.message


class Tell(Message):
    key: int


class Told(Coordinator):
    """Would take a message that nobody sends."""

    transitions = (*Coordinator.transitions, {"trigger": Tell, "source": "open", "dest": IGNORE})


def test_the_ledger_counts_what_its_process_receives_of_its_types_and_nothing_else() -> None:
    ledgers = {
        "elsewhere": InputLedger(process="d", types=("Answer",)),
        "others": InputLedger(process="c", types=("Tell",)),
    }
    result = check(System({"a": Agent(), "c": Told(how="silent"), "d": Told()}, monitors=ledgers))
    assert result.verdict == "ok"


# --- effects -----------------------------------------------------------------------------------------------

ACCEPT, APPLY, CANCEL, OTHER = Accepted("k"), Applied("k"), Cancelled("k", "stopped"), Accepted("j")


class Script(Process):
    """Emits these, one a move."""

    states = ("idle",)
    must = ("next",)
    transitions = ({"trigger": "next", "source": "idle", "dest": None, "conditions": "more", "after": "say"},)
    durable = ("emissions",)
    emissions: tuple[Any, ...]

    def more(self) -> bool:
        return bool(self.emissions)

    def say(self) -> None:
        first, self.emissions = self.emissions[0], self.emissions[1:]
        self.emit(first)


def effects(*emissions: Any) -> Any:
    return check(System({"s": Script(emissions=emissions)}, monitors={"once": EffectLedger()}))


@pytest.mark.parametrize(
    "emissions",
    [(), (ACCEPT, APPLY), (ACCEPT, CANCEL), (ACCEPT, ACCEPT, APPLY), (ACCEPT, APPLY, ACCEPT), (ACCEPT, CANCEL, ACCEPT),
     (ACCEPT, OTHER, APPLY, Applied("j")), (OTHER, ACCEPT, CANCEL, Applied("j"))],
)  # fmt: skip
def test_an_accepted_key_that_is_applied_once_or_cancelled_is_fine(emissions: tuple[Any, ...]) -> None:
    assert effects(*emissions).verdict == "ok"


@pytest.mark.parametrize(
    ("emissions", "says"),
    [
        ((ACCEPT,), "at the end it still waits"),
        ((ACCEPT, OTHER, APPLY), "at the end it still waits"),
        ((ACCEPT, APPLY, APPLY), "k was applied twice"),
        ((ACCEPT, APPLY, ACCEPT, APPLY), "k was applied twice"),
        ((ACCEPT, CANCEL, APPLY), "k was applied after it was cancelled"),
        ((APPLY,), "k was applied but never accepted"),
        ((OTHER, APPLY), "k was applied but never accepted"),
        ((CANCEL,), "k was cancelled but never accepted"),
        ((ACCEPT, APPLY, CANCEL), "k was cancelled after it was applied"),
        ((ACCEPT, CANCEL, CANCEL), "k was cancelled twice"),
    ],
)
def test_each_way_to_break_the_effect_ledger_is_caught_when_it_happens(emissions: tuple[Any, ...], says: str) -> None:
    result = effects(*emissions)
    assert result.finding is not None
    assert result.finding.property == "once"
    assert says in result.finding.message
    assert len(result.path) == len(emissions)


class Save(Message):
    pass


class Store(Process):
    """Applies what it is told; with `careful` it remembers across crashes what it has applied."""

    states = ("idle",)
    transitions = ({"trigger": Save, "source": "idle", "dest": None, "after": "apply"},)
    durable = ("applied",)
    careful: bool
    applied: bool = False

    def apply(self) -> None:
        if self.careful and self.applied:
            return
        self.applied = True
        self.emit(Applied("k"))


class Insisting(Process):
    """Has the effect applied, and says so again after every restart."""

    states = ("idle",)

    def on_start(self) -> None:
        self.emit(Accepted("k"))
        self.on_restart()

    def on_restart(self) -> None:
        self.send("store", Save())


def test_an_effect_is_applied_at_most_once_across_crashes_of_whoever_asks_for_it() -> None:
    def run(careful: bool) -> Any:
        processes: dict[str, Process] = {"c": Insisting(), "store": Store(careful=careful)}
        return check(System(processes, monitors={"once": EffectLedger()}, faults="crash:2@c"))

    assert run(careful=True).verdict == "ok"
    broken = run(careful=False)
    assert broken.finding is not None
    assert "applied twice" in broken.finding.message
    assert "crash c" in schedule(broken.path)


def test_a_store_that_notes_before_it_applies_loses_the_effect_in_the_window_between() -> None:
    processes: dict[str, Process] = {"c": Insisting(), "store": Store(careful=True)}
    result = check(System(processes, monitors={"once": EffectLedger()}, faults="crash:1@store"))
    assert result.finding is not None
    assert "at the end it still waits" in result.finding.message
    assert "deliver c->store Save crashing after writing applied" in schedule(result.path) or len(result.path) == 2


def test_the_reasons_of_a_rejection_are_the_five_of_the_design() -> None:
    assert set(REASONS) == {"duplicate", "stale", "late", "cancelled", "unusable"}
