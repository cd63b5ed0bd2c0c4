"""`SessionMetrics`: what one session of turns used, and what its next prompt will probably need.

Theory of operation. A turn is added to exactly one row, that of its (run, stage, agent, attempt);
totals and breakdowns are sums over rows, made when they are asked for. So recording costs one lookup and the additions
themselves, and the totals equal the sums of the breakdowns by construction. Everything that grows has a bound (see
`breakdown`, `latency`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import astuple, dataclass
from typing import Any

from sim.metrics.breakdown import Billed, Billing, Share, Tally, Waste, Wasted
from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.latency import LatencyHistogram, LatencySummary, microseconds
from sim.metrics.loops import LoopWarning, loop_warning
from sim.metrics.session_record import SessionRecord, levels_of
from sim.metrics.usage import NO_USAGE, TokenUsage

DEFAULT_WINDOW = 3
WINDOW_MAX = 1_000_000
"""Turns. A window is kept in memory, so it is bounded like everything else here."""
DEFAULT_PROMPT_ESTIMATE = 4000
DEFAULT_ROWS = 1024
COMPACT_AT_PERCENT = 80
COMPACT_AT_MESSAGES = 120


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session at one moment; later turns do not change it. The fields are those of `SessionMetrics`."""

    running_total: TokenUsage
    last_turn: TokenUsage
    turn_count: int
    replay_updates: int
    duplicate_items: int
    window: int
    recent_prompt_tokens: tuple[int, ...]
    estimated_next_prompt_tokens: int
    loop_warning: LoopWarning | None
    latency: LatencySummary
    billed: tuple[Billed, ...]
    wasted: tuple[Wasted, ...] = ()

    def by_agent(self) -> dict[str, Share]:
        """What each agent used, in the order of their names; turns without a name are under `""`."""
        return shares(self.billed, "agent")

    def by_stage(self) -> dict[str, Share]:
        """What each stage used, in the order of their names; turns without a name are under `""`."""
        return shares(self.billed, "stage")

    def context_utilisation(self, context_window: int) -> float:
        """The part of a context window (tokens, over 0) that the last prompt filled; 1.0 is all of it.

        Cached tokens count as well. The running total does not: it is spent, not held.
        """
        return utilisation(self.last_turn, context_window)

    def as_dict(self) -> dict[str, Any]:
        """Everything under stable names, for JSON. Tokens are ints, latencies milliseconds."""
        return {
            "running_total": self.running_total.as_dict(),
            "blended_total": self.running_total.blended_total,
            "last_turn": self.last_turn.as_dict(),
            "turn_count": self.turn_count,
            "replay_updates": self.replay_updates,
            "duplicate_items": self.duplicate_items,
            "window": self.window,
            "recent_prompt_tokens": list(self.recent_prompt_tokens),
            "estimated_next_prompt_tokens": self.estimated_next_prompt_tokens,
            "loop_warning": self.loop_warning.as_dict() if self.loop_warning else None,
            "latency": self.latency.as_dict(),
            "by_agent": {name: share.as_dict() for name, share in self.by_agent().items()},
            "by_stage": {name: share.as_dict() for name, share in self.by_stage().items()},
            "billed": [row.as_dict() for row in self.billed],
            "wasted": [row.as_dict() for row in self.wasted],
        }


class SessionMetrics:
    """Counts the turns of one session. Not thread-safe: one session per worker, then `merge`.

    To be read, not set:

    - `running_total`: the sum of all usage; `last_turn`: the usage of the last turn that reported any
      (both `NO_USAGE` before the first).
    - `turn_count`: turns recorded, those without usage included.
    - `replay_updates`: updates that repeated an earlier one as a whole, cumulative.
    - `duplicate_items`: items that were delivered again and dropped, cumulative.

    `window` is the number of recent prompts whose mean predicts the next one (default 3; 0 behaves
    as 1; at most 1,000,000). `rows` bounds the breakdown (default 1024, at least 1): up to twice as many rows are kept,
    see `Billing`. Raises `MetricsError` for invalid numbers.
    """

    __slots__ = (
        "_bill",
        "_last_turn_at",
        "_latency",
        "_recent",
        "_row_limit",
        "_rows",
        "_waste",
        "duplicate_items",
        "last_turn",
        "replay_updates",
        "turn_count",
    )

    def __init__(self, window: int = DEFAULT_WINDOW, *, rows: int = DEFAULT_ROWS) -> None:
        self._row_limit = checked_size("rows", rows)
        self._recent: deque[tuple[int, int]] = deque(maxlen=checked_window(window))
        self._bill = Billing(rows)
        self._rows = self._bill.full.rows
        self._waste = Waste(rows)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the window's size and the bounds."""
        self.turn_count = self.replay_updates = self.duplicate_items = 0
        self.last_turn = NO_USAGE
        self._last_turn_at = 0
        self._recent.clear()
        self._bill.full.clear()
        self._waste.table.clear()
        self._latency = LatencyHistogram()

    # --- recording ---------------------------------------------------------------------------

    def record_turn(
        self,
        usage: TokenUsage,
        *,
        agent: str = "",
        stage: str = "",
        run: str = "",
        attempt: int = 0,
        latency_ms: int | float | None = None,
        wasted: str = "",
    ) -> None:
        """Count one turn and bill it to the (run, stage, agent, attempt) **that used it**.

        The labels belong to the answer, not to the moment: an answer that arrives late is billed to
        the stage that asked for it. `latency_ms` is 0 to 285 years, in milliseconds. `wasted` says why its answer did
        not count (such as `late` or `duplicate`); it is counted and billed all the same.

        Raises `MetricsError` for an invalid latency or label; then nothing is counted.
        """
        us = None if latency_ms is None else microseconds(latency_ms)
        if wasted:
            checked_label("wasted", wasted)
        prompt = usage.input_tokens
        cached = usage.cached_input_tokens
        key = (run, stage, agent, attempt)
        row = self._rows.get(key)
        if row is None:
            row = self._bill.open(key)
        if wasted:
            self._waste.open(agent, wasted).count(usage)
        row.turns += 1
        row.input += prompt
        row.output += usage.output_tokens
        row.cached += cached
        row.cache_write += usage.cache_write_input_tokens
        row.reasoning += usage.reasoning_output_tokens
        self.turn_count = self._last_turn_at = turn = self.turn_count + 1
        self.last_turn = usage
        if prompt > cached:
            self._recent.append((turn, prompt - cached))
        if us is not None:
            self._latency.add_us(us)

    def record_turn_without_usage(
        self,
        estimated_prompt_tokens: int = 0,
        *,
        agent: str = "",
        stage: str = "",
        run: str = "",
        attempt: int = 0,
        wasted: str = "",
    ) -> None:
        """Count a turn whose usage was not reported: no tokens, and the last turn stays.

        `estimated_prompt_tokens` (0 or more) enters the window in place of an observed prompt; 0,
        like every observation of zero, does not. Raises `MetricsError`; then nothing is counted.
        """
        checked_count("estimated_prompt_tokens", estimated_prompt_tokens)
        if wasted:
            checked_label("wasted", wasted)
        row = self._bill.open((run, stage, agent, attempt))
        if wasted:
            self._waste.open(agent, wasted).count(None)
        row.turns += 1
        row.unreported += 1
        self.turn_count += 1
        self._observe_prompt(estimated_prompt_tokens)

    def record_duplicate_items(self, count: int) -> None:
        """Count items (0 or more) that were delivered again and dropped."""
        self.duplicate_items += checked_count("duplicate items", count)

    def record_replay(self, updates: int = 1) -> None:
        """Count updates (0 or more) that repeated an earlier one as a whole; a queued update does not count."""
        self.replay_updates += checked_count("replay updates", updates)

    def sync_absolute(self, total: TokenUsage, last_turn: TokenUsage, turn_count: int) -> None:
        """Adopt totals counted elsewhere, for instance after a resume from a checkpoint.

        Replaces the totals, zeroes replays and duplicates, and reseeds the window with the prompt of `last_turn` alone.
        The breakdown stays: who used the rest of the adopted tokens is not known, so the row without labels holds it.
        Latencies and waste were observed here and stay. To *add* other counters instead, `merge` them.

        Raises `MetricsError` if less is adopted than is billed by name here: `reset` first; then nothing changes.
        """
        checked_count("turn_count", turn_count)
        prompt = last_turn.non_cached_input
        self._bill.adopt(total, turn_count)
        self.turn_count = self._last_turn_at = turn_count
        self.last_turn = last_turn
        self.replay_updates = self.duplicate_items = 0
        self._recent.clear()
        self._observe_prompt(prompt)

    def _observe_prompt(self, tokens: int) -> None:
        if tokens:
            self._recent.append((self.turn_count, tokens))

    # --- reading -----------------------------------------------------------------------------

    @property
    def running_total(self) -> TokenUsage:
        """Everything used so far: a sum over the rows of the breakdown, made at each call."""
        return self._bill.total().usage()

    @property
    def window(self) -> int:
        """How many recent prompts predict the next one, 1 or more."""
        return self._recent.maxlen or 1

    def recent_prompt_tokens(self) -> tuple[int, ...]:
        """The non-cached input of the turns in the window, oldest first; zeros are not among them."""
        return tuple(tokens for _, tokens in self._recent)

    def has_recorded_usage(self) -> bool:
        """Whether any token of any kind was counted."""
        return self.running_total != NO_USAGE

    def estimated_next_prompt_tokens(self) -> int:
        """Non-cached input tokens that the next prompt will probably have.

        The integer mean of the window; if that is empty, the last turn's; if that is zero, 4000.
        """
        if self._recent:
            return sum(tokens for _, tokens in self._recent) // len(self._recent)
        return self.last_turn.non_cached_input or DEFAULT_PROMPT_ESTIMATE

    def loop_warning(self) -> LoopWarning | None:
        """The most severe sign of a loop, or None; thresholds in `sim.metrics.loops`."""
        return loop_warning(self.replay_updates, self.duplicate_items)

    def context_utilisation(self, context_window: int) -> float:
        """As `SessionSnapshot.context_utilisation`: from the last prompt, not from the running total."""
        return utilisation(self.last_turn, context_window)

    def compaction_due(self, *, transcript_tokens: int, messages: int, context_window: int | None) -> bool:
        """Whether the transcript should be compacted before the next prompt.

        True from 80 % of the context window (transcript + estimated next prompt, all in tokens). If
        the window is unknown (None), the limit is 120 messages.
        """
        checked_count("transcript_tokens", transcript_tokens)
        checked_count("messages", messages)
        if context_window is None:
            return messages >= COMPACT_AT_MESSAGES
        due = transcript_tokens + self.estimated_next_prompt_tokens()
        return due * 100 >= checked_size("context_window", context_window) * COMPACT_AT_PERCENT

    def latency_percentile_ms(self, percent: int | float) -> float | None:
        """As `LatencySummary.percentile_ms`: nearest rank, within 0.79 %, None before the first."""
        return self._latency.summary().percentile_ms(percent)

    def billed(self) -> tuple[Billed, ...]:
        """What each (run, stage, agent, attempt) used, in the order of these labels."""
        return self._bill.billed()

    def wasted(self) -> tuple[Wasted, ...]:
        """What was used for answers that did not count, by agent and reason."""
        return self._waste.rows()

    def by_agent(self) -> dict[str, Share]:
        """What each agent used, by name; `""` holds what was not attributed."""
        return shares(self.billed(), "agent")

    def by_stage(self) -> dict[str, Share]:
        """What each stage used, by name; `""` holds what was not attributed."""
        return shares(self.billed(), "stage")

    def snapshot(self) -> SessionSnapshot:
        """An immutable copy of everything."""
        return SessionSnapshot(
            running_total=self.running_total,
            last_turn=self.last_turn,
            turn_count=self.turn_count,
            replay_updates=self.replay_updates,
            duplicate_items=self.duplicate_items,
            window=self.window,
            recent_prompt_tokens=self.recent_prompt_tokens(),
            estimated_next_prompt_tokens=self.estimated_next_prompt_tokens(),
            loop_warning=self.loop_warning(),
            latency=self._latency.summary(),
            billed=self.billed(),
            wasted=self.wasted(),
        )

    # --- as data -----------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON: `from_dict` makes an equal session of it."""
        return SessionRecord(
            window=self.window,
            rows=self._row_limit,
            turn_count=self.turn_count,
            last_turn_at=self._last_turn_at,
            last_turn=self.last_turn,
            recent=tuple(self._recent),
            replay_updates=self.replay_updates,
            duplicate_items=self.duplicate_items,
            billed=levels_of(self._bill.full),
            wasted=levels_of(self._waste.table),
            latency=self._latency.summary(),
        ).as_dict()

    @classmethod
    def from_dict(cls, data: object) -> SessionMetrics:
        """The session that `to_dict` gave. Raises `MetricsError` that names what is wrong."""
        record = SessionRecord.from_dict(data)
        session = cls(record.window, rows=record.rows)
        session.turn_count, session._last_turn_at = record.turn_count, record.last_turn_at
        session.last_turn = record.last_turn
        session.replay_updates, session.duplicate_items = record.replay_updates, record.duplicate_items
        session._recent.extend(record.recent)
        for table, levels in ((session._bill.full, record.billed), (session._waste.table, record.wasted)):
            for level, rows in zip(table.levels(), levels, strict=True):
                for key, share in rows:
                    level.row(key).add(share)
        session._latency = LatencyHistogram.of(record.latency)
        return session

    # --- merging -----------------------------------------------------------------------------

    def merge(self, *others: SessionMetrics) -> SessionMetrics:
        """A new session that counts what all of these counted; they are not changed.

        Associative and commutative, so workers may be added up in any order and grouping. Counts,
        rows and latencies add. "Last" needs an order between sessions that share no clock: a turn's
        place is its number **within its own session**, ties go to the larger usage. So the window
        holds the observations with the highest (turn number, tokens), and the last turn is the one
        with the highest (turn number, usage). Turns recorded after the merge come after all of them.

        Raises `MetricsError` if windows or bounds differ: the part that the smaller one has forgotten
        would make the result depend on the grouping.
        """
        merged = SessionMetrics(self.window, rows=self._row_limit)
        for session in (self, *others):
            merged._absorb(session)
        return merged

    def _absorb(self, other: SessionMetrics) -> None:
        ours = {"window": self.window, "rows": self._row_limit}
        theirs = {"window": other.window, "rows": other._row_limit}
        if ours != theirs:
            raise MetricsError(f"sessions made with {ours} and with {theirs} do not merge; use the same settings")
        self._bill.full.absorb(other._bill.full)
        self._waste.table.absorb(other._waste.table)
        self._latency.absorb(other._latency)
        self.turn_count += other.turn_count
        self.replay_updates += other.replay_updates
        self.duplicate_items += other.duplicate_items
        latest = max(self, other, key=lambda session: (session._last_turn_at, astuple(session.last_turn)))
        self._last_turn_at, self.last_turn = latest._last_turn_at, latest.last_turn
        self._recent = deque(sorted((*self._recent, *other._recent)), maxlen=self.window)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SessionMetrics):
            return NotImplemented
        return self._state() == other._state()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _state(self) -> tuple[object, ...]:
        return (self.snapshot(), tuple(self._recent), self._last_turn_at, self._row_limit)

    def __repr__(self) -> str:
        return f"<SessionMetrics: {self.turn_count} turns, {self.running_total.total_tokens} tokens>"


def shares(billed: tuple[Billed, ...], label: str) -> dict[str, Share]:
    """The bill summed by one label, in the order of its values."""
    sums: dict[str, Tally] = {}
    for row in billed:
        name = getattr(row, label)
        tally = sums.get(name)
        if tally is None:
            tally = sums[name] = Tally()
        tally.add(row.share)
    return {name: tally.share() for name, tally in sorted(sums.items())}


def utilisation(last_turn: TokenUsage, context_window: int) -> float:
    """The part of a context window (tokens, over 0) that a turn's prompt filled; 1.0 is all of it."""
    return last_turn.input_tokens / checked_size("context_window", context_window)


def checked_window(window: int) -> int:
    """The turns that a window holds, 1 or more; `MetricsError` unless it is an int of 0 to `WINDOW_MAX`."""
    if checked_count("window", window) > WINDOW_MAX:
        raise MetricsError(f"window is {window}; expected 0 to {WINDOW_MAX}")
    return max(1, window)


def checked_size(name: str, size: int) -> int:
    """`size` itself if it is an int of 1 or more; `MetricsError` naming it otherwise."""
    if checked_count(name, size) == 0:
        raise MetricsError(f"{name} is 0; expected 1 or more")
    return size
