"""A round of answers: what counts, what does not and why; the same after it went through a journal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.consensus import ErrorKind, Failure, Round, Taken

ROSTER = ("ann", "bob", "eve")
TIMEOUT = Failure(ErrorKind.TIMEOUT)


def begun(*asked: str) -> Round:
    """A round in which these were asked, in this order."""
    found = Round("run-a", (1, 2), ROSTER)
    for agent in asked:
        found, _ = found.asked(agent)
    return found


def take(one: Round, agent: str, attempt: int, answer: Any = "ok", **more: Any) -> tuple[Round, Taken]:
    return one.take("run-a", (1, 2), agent, attempt, answer, **more)


def test_the_first_usable_answer_counts_whatever_attempt_it_answers() -> None:
    one, taken = take(begun("ann", "ann"), "ann", 1, "early")
    assert (taken, one.answers) == (Taken.COUNTED, (("ann", "early"),))
    assert take(one, "ann", 2, "late")[1] is Taken.DUPLICATE
    assert take(one, "ann", 1, "early")[1] is Taken.DUPLICATE


def test_what_is_unusable_ends_its_attempt_and_leaves_the_place_open() -> None:
    one, taken = take(begun("ann", "ann"), "ann", 2, None, usable=False)
    assert (taken, one.answers, one.missing) == (Taken.UNUSABLE, (), ROSTER)
    assert one.waiting_for("ann")
    assert take(one, "ann", 2, None, usable=False)[1] is Taken.ENDED
    one, taken = one.failed("ann", 1, TIMEOUT)
    assert (taken, one.waiting_for("ann")) == (Taken.UNUSABLE, False)
    assert take(one, "ann", 1, "after all")[1] is Taken.COUNTED, "a timeout loses no answer"


@pytest.mark.parametrize(
    ("run", "key", "agent", "attempt", "taken"),
    [
        ("run-b", (1, 2), "ann", 1, Taken.STALE),
        ("run-a", (1, 1), "ann", 1, Taken.STALE),
        ("run-a", (1, 2), "mal", 1, Taken.UNKNOWN),
        ("run-a", (1, 2), "ann", 2, Taken.UNKNOWN),
        ("run-a", (1, 2), "ann", 0, Taken.UNKNOWN),
        ("run-a", (1, 2), "ann", True, Taken.UNKNOWN),
        ("run-a", (1, 2), "bob", 1, Taken.UNKNOWN),
    ],
)
def test_what_is_no_answer_to_this_round_changes_nothing(
    run: str, key: tuple[int, ...], agent: str, attempt: Any, taken: Taken
) -> None:
    one = begun("ann")
    assert one.take(run, key, agent, attempt, "ok") == (one, taken)


def test_what_comes_after_the_decision_is_late_and_a_second_decision_is_refused() -> None:
    one, _ = take(begun("ann", "bob"), "ann", 1)
    decided, answers = one.decide()
    assert answers == (("ann", "ok"),)
    assert take(decided, "bob", 1) == (decided, Taken.LATE)
    assert take(decided, "ann", 1) == (decided, Taken.DUPLICATE)
    with pytest.raises(ValueError, match="decided before"):
        decided.decide()
    with pytest.raises(ValueError, match="nothing to ask"):
        decided.asked("bob")


def test_who_is_given_up_is_not_waited_for_and_counts_all_the_same() -> None:
    one = begun(*ROSTER)
    for agent in ROSTER:
        one = one.give_up(agent)
    assert one.complete
    assert take(one, "eve", 1)[0].answers == (("eve", "ok"),)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Round("", (1,), ROSTER), ValueError, "run"),
        (lambda: Round("r", (), ROSTER), ValueError, "key"),
        (lambda: Round("r", (1,), ()), TypeError, "roster"),
        (lambda: Round("r", (1,), ("a", "a")), ValueError, "each name once"),
        (lambda: Round("r", (1,), ROSTER, (3, 2)), ValueError, "quorum"),
        (lambda: Round("r", (1,), ROSTER, 0.67), TypeError, "quorum"),  # type: ignore[arg-type]
        (lambda: begun().asked("mal"), KeyError, "mal"),
        (lambda: take(begun("ann"), "ann", 1, []), TypeError, "unhashable"),
        (lambda: begun("ann").failed("ann", 1, "timeout"), TypeError, "failure"),  # type: ignore[arg-type]
        (lambda: Round.from_value(("r", (1,))), TypeError, "expected"),
        (
            lambda: Round.from_value((*begun().as_value()[:4], ((0, (1,), None, False, False),) * 3, False)),
            ValueError,
            "place",
        ),
        (
            lambda: Round.from_value((*begun().as_value()[:4], ((0, (), "x", True, False),) * 3, False)),
            ValueError,
            "place",
        ),
    ],
)
def test_what_is_no_round_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "take", "unusable", "failed", "give up", "decide"]),
        st.sampled_from([*ROSTER, "mal"]),
        st.integers(0, 4),
        st.sampled_from(["ok", "conflict"]),
    ),
    max_size=25,
)


@given(STEPS)
def test_nothing_counts_twice_and_a_journal_changes_nothing(steps: list[tuple[str, str, int, str]]) -> None:
    one = begun()
    counted: dict[str, str] = {}
    decided = False
    for what, agent, attempt, answer in steps:
        one = Round.from_value(one.as_value())
        asked = one.attempts(agent) if agent in ROSTER else 0
        if what == "ask" and agent in ROSTER and agent not in counted and not decided:
            one, _ = one.asked(agent)
        elif what == "give up" and agent in ROSTER:
            one = one.give_up(agent)
        elif what == "decide" and not decided:
            one, answers = one.decide()
            decided = True
            assert dict(answers) == counted
        elif what == "failed":
            one, _ = one.failed(agent, attempt, TIMEOUT)
        elif what in ("take", "unusable"):
            one, taken = take(one, agent, attempt, answer, usable=what == "take")
            fits = what == "take" and 1 <= attempt <= asked and agent not in counted and not decided
            assert (taken is Taken.COUNTED) is fits
            if fits:
                counted[agent] = answer
        assert dict(one.answers) == counted
