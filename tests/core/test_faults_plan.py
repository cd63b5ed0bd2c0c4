"""Plans and budgets: one syntax, read back as written; each malformed entry is one line."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import ConfigError
from sim.faults import DOMAIN_FAULTS, FaultEntry, parse_plan, plan, show_plan
from sim.faults.catalogue import BUILT_IN, PLACED, ROWS, Takes
from sim.faults.plan import split_plan


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", ()),
        ("none", ()),
        ("agent_timeout:3,consensus_fail:1", (FaultEntry("agent_timeout", 3), FaultEntry("consensus_fail", 1))),
        ("agent_timeout:2@gemini", (FaultEntry("agent_timeout", 2, "gemini"),)),
        ("rate_limited:1(30s)", (FaultEntry("rate_limited", 1, None, 30_000),)),
        ("rate_limited:1@a(30s)", (FaultEntry("rate_limited", 1, "a", 30_000),)),
        ("rate_limited:1(30s)@a", (FaultEntry("rate_limited", 1, "a", 30_000),)),
        ("crash:1@coordinator after Store", (FaultEntry("crash", 1, "coordinator", None, "Store"),)),
        ("drop:unlimited", (FaultEntry("drop", None),)),
        (" drop : 2 , cut:1 @ left", (FaultEntry("drop", 2), FaultEntry("cut", 1, "left"))),
        ("crash:2@node-1.a", (FaultEntry("crash", 2, "node-1.a"),)),
        ("crash:2@0", (FaultEntry("crash", 2, "0"),)),
        ("drop:0001", (FaultEntry("drop", 1),)),
        ("drop:1@a-b->c.d", (FaultEntry("drop", 1, "a-b->c.d"),)),
        ("delay:1@a->b(5s)", (FaultEntry("delay", 1, "a->b", 5_000),)),
        ("pause:2(1m)@a", (FaultEntry("pause", 2, "a", 60_000),)),
        ("rate_limited:1(now+30s)", (FaultEntry("rate_limited", 1, None, 30_000),)),
        ("rate_limited:1(2025-01-01T00:01:00Z)", (FaultEntry("rate_limited", 1, None, 60_000),)),
        ("rate_limited:1(2025-01-01T02:00:00.5+02:00)", (FaultEntry("rate_limited", 1, None, 500),)),
        ("rate_limited:1(1999-12-31T23:59:59Z)", (FaultEntry("rate_limited", 1, None, 0),)),
    ],
)
def test_plans_are_read_in_the_order_written(text: str, entries: tuple[FaultEntry, ...]) -> None:
    assert parse_plan(text) == entries


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,5}", fullmatch=True)


@st.composite
def entries(draw: st.DrawFn) -> FaultEntry:
    row = ROWS[draw(st.sampled_from(BUILT_IN))]
    durations = st.integers(0, 10**9)
    hints = {Takes.NOTHING: st.none(), Takes.HINT: st.none() | durations, Takes.DURATION: durations}
    return FaultEntry(
        row.kind,
        draw(st.none() | st.integers(1, 1_000_000)),
        draw(st.none() | NAMES | st.builds("{}->{}".format, NAMES, NAMES)),
        draw(hints[row.takes]),
        draw(st.none() | NAMES) if row.kind in PLACED else None,
    )


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no defect
@given(st.lists(entries(), max_size=4, unique_by=lambda e: (e.kind, e.target, e.hint_ms, e.after)))
def test_what_is_shown_is_read_back(plan: list[FaultEntry]) -> None:
    assert parse_plan(show_plan(plan)) == tuple(plan)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("agent_timeuot:1", "unknown kind 'agent_timeuot' (did you mean 'agent_timeout'?)"),
        ("drop", "malformed (did you mean 'drop:1'?); write kind:count"),
        ("drop:", "malformed"),
        ("drop:-1", "malformed"),
        ("drop:many", "'many' is not a count; write 1 to 1000000, or unlimited"),
        ("drop:0", "fault 'drop:0' strikes nothing; leave it out, or write 1 to 1000000, or unlimited"),
        ("crash:1,drop:000@a", "'drop:000@a' strikes nothing"),
        ("drop:1000001", "'1000001' is not a count"),
        ("drop:0000000000009999999", "is not a count"),
        ("drop:" + "0" * 5_000 + "7000000", "is not a count"),
        ("drop:" + "9" * 5_000, "is not a count"),
        ("drop:٣", "is not a count"),
        ("drop:1.5", "malformed"),
        ("drop:1(30s)", "only rate_limited takes a reset hint"),
        ("rate_limited:1(soon)", "'soon' is not a duration"),
        ("rate_limited:1()", "'' is not a duration"),
        ("rate_limited:1(now+soon)", "'soon' is not a duration"),
        ("rate_limited:1(2025-02-30T00:00:00Z)", "is not an instant: day is out of range"),
        ("rate_limited:1(-5s)", "is not a duration"),
        ("delay:1@a", "'delay:1@a' requires a duration; write it in parentheses, such as (5s)"),
        ("pause:1@a(now+5s)", "is not a duration"),
        ("delay:1@a->(5s)", "malformed"),
        ("rate_limited:1(1s)(2s)", "hint"),
        ("drop:1 after Store", "can have a place with `after`"),
        ("drop:1@", "malformed"),
        ("crash:1 after", "malformed"),
        ("drop:1,", "malformed"),
        ("drop:1 crash:1", "malformed"),
        ("drop:1,drop:2", "repeats 'drop:1': write one entry with the sum"),
    ],
)
def test_each_malformed_entry_is_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_plan(text)
    assert len(caught.value.mistakes) == 1
    assert says in caught.value.mistakes[0]


def test_all_malformed_entries_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_plan("drpo:1, crash:x, cut:1, drop")
    assert len(caught.value.mistakes) == 3


def test_a_models_own_kinds_are_known_where_they_are_named() -> None:
    assert parse_plan("sulk:1", ["sulk"]) == (FaultEntry("sulk", 1),)
    with pytest.raises(ConfigError):
        parse_plan("sulk:1")


def test_every_domain_fault_has_a_kind_and_only_a_timeout_lets_the_message_live() -> None:
    kinds = {fault.kind: fault.survives for fault in DOMAIN_FAULTS}
    assert kinds == {
        "agent_timeout": True,
        "rate_limited": False,
        "consensus_fail": False,
        "empty_response": False,
        "disconnect": False,
    }


def calls(count: int) -> int:
    """How many calls it takes to read a plan of so many entries, which is told with all of them as mistakes too."""
    total = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal total
        total += event in ("call", "c_call")

    text = ", ".join(f"delay:1@gemini({number}ms)" for number in range(1, count + 1))
    sys.setprofile(note)
    try:
        entries = parse_plan(text)
    finally:
        sys.setprofile(None)
    assert len(entries) == count
    return total


def test_a_plan_is_read_in_linear_time() -> None:
    few, many = calls(500), calls(4_000)
    assert many < 8.5 * few


def test_a_plan_that_looks_back_at_every_entry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def place(entry: object, right: Any = plan.place_of) -> object:
        seen.append(entry)
        return [right(one) for one in seen] and right(entry)

    monkeypatch.setattr(plan, "place_of", place)
    few = calls(50)
    seen.clear()
    assert calls(400) > 8.5 * few


@given(st.lists(st.sampled_from(["a", "b:1", "(", ")", ",", " ", "(5s)", "@x"])))
def test_a_comma_in_parentheses_is_part_of_its_entry(parts: list[str]) -> None:
    text = "".join(parts)
    assert split_plan(text) == [part.strip() for part in re.split(r",(?![^()]*\))", text)]
