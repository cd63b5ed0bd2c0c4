"""Merging sessions, and the bounded tables that it rests on: laws, and saboteurs that break them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from sim.metrics import NO_USAGE, MetricsError, SessionMetrics, TokenUsage
from sim.metrics.breakdown import OTHER
from sim.metrics.session import SessionSnapshot
from tests.counts import examples

from .strategies import HISTORIES, HISTORIES_WITH_SYNC, Call, replayed

ROWS = st.sampled_from([1, 2, 3, 1024])


def commutes(a: SessionMetrics, b: SessionMetrics) -> bool:
    return a.merge(b) == b.merge(a)


def associates(a: SessionMetrics, b: SessionMetrics, c: SessionMetrics) -> bool:
    return a.merge(b).merge(c) == a.merge(b.merge(c)) == a.merge(b, c)


@given(HISTORIES_WITH_SYNC, HISTORIES_WITH_SYNC, ROWS)
def test_merge_is_commutative(a: list[Call], b: list[Call], rows: int):
    assert commutes(replayed(a, rows=rows), replayed(b, rows=rows))


@given(HISTORIES_WITH_SYNC, HISTORIES_WITH_SYNC, HISTORIES_WITH_SYNC, ROWS)
def test_merge_is_associative(a: list[Call], b: list[Call], c: list[Call], rows: int):
    assert associates(replayed(a, rows=rows), replayed(b, rows=rows), replayed(c, rows=rows))


@given(HISTORIES_WITH_SYNC, HISTORIES_WITH_SYNC)
def test_merge_changes_neither_side_and_has_a_neutral_element(a: list[Call], b: list[Call]):
    one, other = replayed(a), replayed(b)
    one.merge(other)
    assert one == replayed(a)
    assert other == replayed(b)
    assert SessionMetrics().merge(one) == one == one.merge()


@given(HISTORIES, HISTORIES)
def test_merge_adds_up(a: list[Call], b: list[Call]):
    one, other = replayed(a), replayed(b)
    both = one.merge(other)
    assert both.running_total == one.running_total + other.running_total
    assert both.turn_count == one.turn_count + other.turn_count
    assert both.replay_updates == one.replay_updates + other.replay_updates
    assert both.duplicate_items == one.duplicate_items + other.duplicate_items
    counts = [session.snapshot().latency.count for session in (one, other, both)]
    assert counts[0] + counts[1] == counts[2]


@given(HISTORIES, st.randoms(use_true_random=False), ROWS)
def test_bills_of_parallel_workers_add_up_to_the_bill_of_one(history: list[Call], random, rows: int):
    """However the calls are dealt out, also when the table is too small for all rows."""
    workers: list[list[Call]] = [[], [], []]
    for call in history:
        random.choice(workers).append(call)
    merged = replayed(workers[0], rows=rows).merge(*(replayed(part, rows=rows) for part in workers[1:]))
    alone = replayed(history, rows=rows)
    assert merged.billed() == alone.billed()
    assert merged.running_total == alone.running_total
    assert merged.snapshot().latency == alone.snapshot().latency


def test_the_merged_window_holds_the_highest_turn_numbers_and_ties_go_to_the_larger():
    one, other = SessionMetrics(), SessionMetrics()
    for prompt in (10, 20):
        one.record_turn(TokenUsage(prompt, 0))
    for prompt in (100, 200, 300):
        other.record_turn(TokenUsage(prompt, 0))
    both = one.merge(other)
    assert both.recent_prompt_tokens() == (20, 200, 300)  # turns 2, 2 and 3
    assert both.last_turn == TokenUsage(300, 0)
    both.record_turn(TokenUsage(7, 0))
    assert both.recent_prompt_tokens() == (200, 300, 7)
    assert both.last_turn == TokenUsage(7, 0)
    tied = SessionMetrics()
    tied.sync_absolute(TokenUsage(1, 1), TokenUsage(400, 0), 3)
    assert other.merge(tied).last_turn == TokenUsage(400, 0)


def test_a_merged_window_that_is_not_full_is_not_filled_twice():
    one, other = SessionMetrics(), SessionMetrics()
    one.record_turn(TokenUsage(10, 0))
    other.record_turn(TokenUsage(30, 0))
    assert one.merge(other).recent_prompt_tokens() == (10, 30)


@pytest.mark.parametrize("other", [SessionMetrics(4), SessionMetrics(rows=5)])
def test_sessions_made_differently_do_not_merge(other: SessionMetrics):
    with pytest.raises(MetricsError, match="do not merge; use the same settings"):
        SessionMetrics().merge(other)


# --- totals and breakdowns --------------------------------------------------------------------


def parts_equal_total(snapshot: SessionSnapshot) -> bool:
    for parts in (
        [row.share for row in snapshot.billed],
        list(snapshot.by_agent().values()),
        list(snapshot.by_stage().values()),
    ):
        if sum((share.usage for share in parts), NO_USAGE) != snapshot.running_total:
            return False
        if sum(share.turns for share in parts) != snapshot.turn_count:
            return False
    return True


@given(HISTORIES_WITH_SYNC, ROWS)
def test_totals_equal_the_sums_of_the_breakdowns(history: list[Call], rows: int):
    assert parts_equal_total(replayed(history, rows=rows).snapshot())


@given(HISTORIES)
def test_totals_equal_a_plain_sum_over_the_calls(history: list[Call]):
    used = sum((call.args[0] for call in history if call.method == "record_turn"), NO_USAGE)
    assert replayed(history).running_total == used


@given(HISTORIES)
def test_each_row_is_the_sum_of_the_turns_with_its_labels(history: list[Call]):
    for row in replayed(history).billed():
        labels = {"run": row.run, "stage": row.stage, "agent": row.agent, "attempt": row.attempt}
        own = [call for call in history if call.labels and labels == {name: dict(call.labels)[name] for name in labels}]
        used = (call.args[0] for call in own if call.method == "record_turn")
        assert row.share.usage == sum(used, NO_USAGE)
        assert row.share.turns == len(own)


def test_beyond_the_bound_rows_lose_run_and_attempt_first_and_then_the_rest():
    session = SessionMetrics(rows=2)
    for run in ("r3", "r1", "r4", "r2"):
        for agent in ("a", "b", "c"):
            session.record_turn(TokenUsage(1, 0), run=run, stage="plan", agent=agent, attempt=1)
    rows = [(row.run, row.stage, row.agent, row.attempt, row.share.turns) for row in session.billed()]
    assert rows == [
        ("r1", "plan", "a", 1, 1),
        ("r1", "plan", "b", 1, 1),
        (OTHER, "plan", "a", 0, 3),
        (OTHER, "plan", "b", 0, 3),
        (OTHER, OTHER, OTHER, 0, 4),
    ]


@given(st.lists(st.integers(0, 10**6), max_size=200))
def test_rows_stay_within_twice_the_bound_and_one(runs: list[int]):
    session = SessionMetrics(rows=4)
    for run in runs:
        session.record_turn(TokenUsage(1, 1), run=f"{run}", agent=f"{run % 7}")
    assert len(session.billed()) <= 9


# --- saboteurs --------------------------------------------------------------------------------


class KeepsOwnLastTurn(SessionMetrics):
    """ "Last" is whatever the left side had."""

    __slots__ = ()

    def merge(self, *others: SessionMetrics) -> SessionMetrics:
        merged = super().merge(*others)
        merged.last_turn = self.last_turn
        return merged


class ConcatenatesWindows(SessionMetrics):
    """The window of the right side after that of the left, without an order."""

    __slots__ = ()

    def merge(self, *others: SessionMetrics) -> SessionMetrics:
        merged = super().merge(*others)
        merged._recent.clear()
        for session in (self, *others):
            merged._recent.extend(session._recent)
        return merged


class KeepsTheFirstRows(SessionMetrics):
    """A full table takes no new key, so the rows are those that came first."""

    __slots__ = ()

    def __init__(self, window: int = 3, *, rows: int = 1024) -> None:
        super().__init__(window, rows=rows)
        full = self._bill.full
        by_key = full.row

        class FirstCome(type(full)):
            __slots__ = ()

            def row(self, key):
                room = key in self.rows or len(self.rows) < self._limit
                return by_key(key) if room else self._beyond.row(key[self._coarsen])

        full.__class__ = FirstCome

    def merge(self, *others: SessionMetrics) -> SessionMetrics:
        merged = type(self)(self.window, rows=self._row_limit)
        for session in (self, *others):
            merged._absorb(session)
        return merged


def finds_a_breach(make: type[SessionMetrics], law: Callable[..., bool], sessions: int) -> bool:
    def breaks(histories: tuple[list[Call], ...]) -> bool:
        return not law(*(replayed(history, make, rows=2) for history in histories))

    generate_only = settings(
        max_examples=examples(300), database=None, derandomize=True, phases=[Phase.generate]
    )  # any breach will do: shrinking it would take ten times as long
    try:
        find(st.tuples(*[HISTORIES] * sessions), breaks, settings=generate_only)
    except NoSuchExample:
        return False
    return True


@pytest.mark.hypothesis
@pytest.mark.parametrize("saboteur", [KeepsOwnLastTurn, ConcatenatesWindows, KeepsTheFirstRows])
def test_the_law_of_commutativity_catches_each_saboteur(saboteur: type[SessionMetrics]):
    assert finds_a_breach(saboteur, commutes, 2)


@pytest.mark.hypothesis
def test_the_laws_find_nothing_in_the_real_one():
    assert not finds_a_breach(SessionMetrics, commutes, 2)
    assert not finds_a_breach(SessionMetrics, associates, 3)


def test_a_row_that_loses_a_token_is_caught():
    session = replayed([Call("record_turn", (TokenUsage(5, 5),))])
    lossy = session.snapshot()
    assert parts_equal_total(lossy)
    session.turn_count += 1
    assert not parts_equal_total(session.snapshot())
