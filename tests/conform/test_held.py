"""What a program records of itself in a run is a path of its model, in every schedule, or it is found where not."""

from __future__ import annotations

from typing import Any

import pytest

from sim import Program, check, fuzz, simulate
from sim.base.errors import ModelError
from sim.conform import held
from sim.strategy import Canonical, Replay
from tests.conform.shop_program import model, program
from tests.live.small import installed_once, usual  # noqa: F401


def test_code_that_does_what_its_model_does_conforms_in_every_schedule() -> None:
    assert not fuzz(program(), schedules=300).found
    result = check(program(), deviations=2)
    assert (result.finding, result.schedules > 20) == (None, True)


MISTAKES = {
    "slow": "charged twice where the second comes while the first is under way",
    "other": "another order is confirmed",
    "another": "another order is paid the second time",
    "lost": "it is not happy",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_code_that_does_something_else_is_found_and_said_where(mistake: str) -> None:
    found = fuzz(program(frozenset([mistake])), schedules=300).found
    assert [one.property for one in found] == ["conforms"]
    one = found[0].counterexample
    assert "recorded:" in one.finding.message
    assert " lines are a path of the model; " in one.finding.message
    assert len(one.schedule) <= 3
    again = simulate(program(frozenset([mistake])), Replay([str(line) for line in one.schedule], then_usual=True))
    assert again.finding == one.finding


def test_what_is_not_said_fits_anything() -> None:
    assert not fuzz(program(frozenset(["silent"])), schedules=100).found


def test_whoever_is_observed_and_has_no_line_did_nothing() -> None:
    async def main(world: Any) -> None:
        world.recorder.process("customer").started()
        world.recorder.process("customer").sent("bank", "Pay", {"order": 1})
        world.recorder.process("customer").received("bank", "Paid", {"order": 1})

    assert usual(main, conforms=model(), observe=["customer"]).finding is None
    finding = usual(main, conforms=model(), observe=["customer", "bank"]).finding
    assert finding is not None
    assert finding.property == "conforms"


def test_a_log_of_before_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[object] = []
    judge = held.Judging.judge
    monkeypatch.setattr(held.Judging, "judge", lambda self, run: judged.append(run) or judge(self, run))
    assert not fuzz(program(), schedules=100).found
    assert 0 < len(judged) < 30


async def records_nothing(world: Any) -> None:
    """Forgets to."""


async def records_nonsense(world: Any) -> None:
    world.recorder.process("customer").received("bank", "Paid", {"order": 1}, cause="nowhere")


def test_a_program_that_records_nothing_or_nonsense_is_told_so() -> None:
    with pytest.raises(ModelError, match="nothing was recorded; let main hand"):
        usual(records_nothing, conforms=model())
    with pytest.raises(Exception, match="recorded:2: the cause 'nowhere' is not an id of a line of this run"):
        usual(records_nonsense, conforms=model())


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"conforms": 3}, "Program: conforms: 3 (int) is not a System; make one of your processes"),
        ({"observe": ["bank"]}, "Program: observe says which processes of a model are recorded; name the model with"),
        ({"conforms": model(), "observe": ["bnk"]}, "Program: observe: unknown process 'bnk' (did you mean 'bank'?)"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as told:
        Program(records_nothing, **parts)
    assert told.value.mistakes[0].startswith(said)


def test_a_recorder_of_a_program_without_a_model_records_nothing() -> None:
    async def main(world: Any) -> None:
        assert not world.recorder.on
        world.recorder.process("customer").started()

    assert simulate(Program(main), Canonical()).finding is None
