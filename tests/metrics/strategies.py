"""What Hypothesis draws for these tests: usages, turns, and whole sessions as lists of calls."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sim.metrics import MetricsError, SessionMetrics, TokenUsage


@st.composite
def usages(draw: st.DrawFn, largest: int = 10**6) -> TokenUsage:
    prompt = draw(st.integers(0, largest))
    answer = draw(st.integers(0, largest))
    cached = draw(st.integers(0, prompt))
    return TokenUsage(
        prompt,
        answer,
        cached_input_tokens=cached,
        cache_write_input_tokens=draw(st.integers(0, prompt - cached)),
        reasoning_output_tokens=draw(st.integers(0, answer)),
    )


LABELS = st.fixed_dictionaries(
    {
        "agent": st.sampled_from(["", "claude", "gemini", "gpt_pro"]),
        "stage": st.sampled_from(["", "plan", "tasks"]),
        "run": st.sampled_from(["", "r1", "r2"]),
        "attempt": st.integers(0, 2),
        "wasted": st.sampled_from(["", "late", "duplicate"]),
    }
)
LATENCIES = st.one_of(st.none(), st.integers(0, 10**7), st.floats(0, 1e6))


@dataclass(frozen=True)
class Call:
    """One call of a recording method."""

    method: str
    args: tuple[Any, ...] = ()
    labels: tuple[tuple[str, Any], ...] = ()


def _turn(usage: TokenUsage, labels: dict[str, Any], latency_ms: float | None) -> Call:
    return Call("record_turn", (usage,), tuple({**labels, "latency_ms": latency_ms}.items()))


CALLS = st.one_of(
    st.builds(_turn, usages(5000), LABELS, LATENCIES),
    st.builds(
        lambda tokens, labels: Call("record_turn_without_usage", (tokens,), tuple(labels.items())),
        st.integers(0, 5000),
        LABELS,
    ),
    st.builds(lambda count: Call("record_duplicate_items", (count,)), st.integers(0, 5)),
    st.just(Call("record_replay")),
)
HISTORIES = st.lists(CALLS, max_size=12)
SYNCS = st.builds(
    lambda total, last, turns: Call("sync_absolute", (total, last, turns)),
    usages(5000),
    usages(5000),
    st.integers(0, 20),
)
HISTORIES_WITH_SYNC = st.lists(st.one_of(CALLS, CALLS, SYNCS, st.just(Call("reset"))), max_size=12)


def replayed(
    history: Iterable[Call],
    make: type[SessionMetrics] = SessionMetrics,
    *,
    rows: int = 1024,
) -> SessionMetrics:
    """A session on which every call of the history was made."""
    session = make(rows=rows)
    play(session, history)
    return session


def play(session: SessionMetrics, history: Iterable[Call]) -> None:
    """Make the calls. The session may refuse a sync, which then changed nothing."""
    for call in history:
        if call.method == "sync_absolute":
            with suppress(MetricsError):
                session.sync_absolute(*call.args)
        else:
            getattr(session, call.method)(*call.args, **dict(call.labels))
