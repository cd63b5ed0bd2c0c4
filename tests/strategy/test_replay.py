"""Replay finds actions by meaning, and says which of two it cannot tell apart."""

from __future__ import annotations

import pytest

from models import consensus
from sim import DivergenceError, Message, Process, RateLimited, Replay, System, check, simulate


class Ask(Message):
    number: int


class Asker(Process):
    states = ("asking",)
    transitions = ({"trigger": Ask, "source": "asking", "dest": None},)

    def on_start(self) -> None:
        self.send("agent", Ask(1))
        self.send("agent", Ask(2))


class Agent(Process):
    states = ("ready", "waiting")
    transitions = (
        {"trigger": Ask, "source": "*", "dest": None},
        {"trigger": RateLimited, "source": "*", "dest": "waiting"},
    )


def limited() -> System:
    return System(
        {"asker": Asker(), "agent": Agent()},
        carriers={RateLimited: (Ask,)},
        faults="rate_limited:1, rate_limited:1(5s)",
    )


@pytest.mark.parametrize("hint", ["", "(5s)"])
def test_a_fault_is_replayed_with_the_hint_it_had_or_without_one(hint: str) -> None:
    run = simulate(limited(), Replay([f"deliver asker->agent Ask(number=1) under rate_limited{hint}"]))
    assert run.trace.schedule() == [f"deliver asker->agent Ask(number=1) under rate_limited{hint}"]


def test_a_hint_that_the_budget_does_not_have_is_a_divergence() -> None:
    with pytest.raises(DivergenceError, match=r"step 1: .*does not fit here"):
        simulate(limited(), Replay(["deliver asker->agent Ask(number=1) under rate_limited(6s)"]))


def test_without_fields_the_message_that_was_sent_first_is_meant() -> None:
    run = simulate(limited(), Replay(["deliver asker->agent Ask", "deliver asker->agent Ask"]))
    assert run.trace.schedule() == [f"deliver asker->agent Ask(number={n})" for n in (1, 2)]


def test_an_ordinal_means_that_send_of_the_description() -> None:
    run = simulate(limited(), Replay(["deliver asker->agent Ask #2"]))
    assert run.trace.schedule() == ["deliver asker->agent Ask(number=2)"]
    with pytest.raises(DivergenceError):
        simulate(limited(), Replay(["deliver asker->agent Ask #3"]))


def test_a_user_who_crashes_and_forgets_takes_a_late_confirmation() -> None:
    system = consensus.system(agents=1, retries=0).with_(faults="crash:1@user")
    assert check(system).finding is None
