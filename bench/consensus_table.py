"""What `docs/consensus.md` says in words, and which scenarios and searches stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Race:
    """A race as two files: ours and a reference's."""

    name: str
    file: str
    what: str
    ours: str
    theirs: str
    twin: str = "reference"
    folder: str = ""
    files: tuple[str, str] = ("", "")


RACES = (
    Race(
        "R1",
        "r1_stale_ack",
        "a stale acknowledgement, then the right one twice",
        "only the first right one releases",
        "the same: it compares numbers too",
    ),
    Race(
        "R2",
        "r2_thirty_updates",
        "thirty updates while a decision is pending",
        "the newest makes the one question, 29 are reported",
        "24 are kept, 6 dropped in silence, the stalest is asked first (the version of old keeps 30)",
    ),
    Race(
        "R3",
        "r3_foreign_decision",
        "a late decision of the run before",
        "refused by its run",
        "taken, and acknowledged to the new run",
    ),
    Race("R4", "r4_foreign_tick", "the last tick of a former run's countdown", "refused", "submitted early"),
    Race(
        "R5",
        "r5_cancel_in_retry",
        "cancelled and stopped during the wait for a retry",
        "one StopAck",
        "gone without a word",
    ),
    Race(
        "R6",
        "r6_update_after_failure",
        "an update and the acknowledgement behind a decision that ends the run",
        "the update is dropped with a reason, the run ends once",
        "both vanish in a closed channel",
    ),
    Race(
        "R7",
        "r7_double_completion",
        "a completion reported twice, the second in the next stage",
        "stale; one artifact a stage",
        "counted for the next stage",
    ),
    Race(
        "R8",
        "r8_late_original",
        "the first answer of a retried agent comes late",
        "a duplicate, never stored",
        "both are kept",
    ),
    Race(
        "R9",
        "r9_duplicate_before_dispatch",
        "a second completion of Implement ahead of Validate's own",
        "refused, nothing pending",
        "Validate is blocked for good",
    ),
    Race(
        "R10",
        "",
        "two clients refresh one rotating token",
        "the loser reads again, and adopts",
        "permanent: the loser is logged out (the upstream retries instead)",
        folder="device_login",
        files=("rotation-race-ours.yaml", "rotation-race-reference-permanent.yaml"),
    ),
)


@dataclass(frozen=True)
class Found:
    """A deviation, the bounds in which a check finds it, and the property that says so."""

    name: str
    file: str
    what: str
    config: Mapping[str, Any]
    prop: str
    faults: str = "none"

    @property
    def command(self) -> str:
        sets = " ".join(f"--set {key}={_text(value)}" for key, value in self.config.items())
        return f"sim check models.consensus {sets} --set faults={self.faults}"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


ONE = {"agents": 1, "retries": 0, "resends": 0, "stop": False}
UP, FORK = {"profile": "upstream", **ONE}, {"profile": "fork", **ONE}
FOUND = (
    Found(
        "D1",
        "d1_repeated_decision",
        "A decision that is sent again is taken again.",
        {**UP, "resends": 1},
        "taken_in_order",
    ),
    Found(
        "D2",
        "d2_stop_without_drain",
        "A stop leaves a decision behind that was promised.",
        {**UP, "stop": True, "resends": 1},
        "exactly_once_effects",
        "drop:1@Store",
    ),
    Found(
        "D3",
        "d3_failed_exits",
        "A decision that ends the run is not waited for.",
        {**UP, "answers": ("conflict",)},
        "exactly_once_inputs",
    ),
    Found(
        "D4",
        "d4_counts_from_zero",
        "Decision 0 is acknowledged and never taken: it looks like one that was there before.",
        {**ONE, "switches": ("counts_from_zero",)},
        "ack_gate",
    ),
    Found(
        "D5",
        "d5_tick_by_id",
        "A tick of another run's countdown submits a decision.",
        {**UP, "countdown": 2, "former": ("Tick",)},
        "runs_out",
    ),
    Found(
        "D6",
        "d6_ack_on_receipt",
        "A decision is released while its countdown still runs.",
        {**UP, "countdown": 1},
        "ack_gate",
    ),
    Found(
        "D9",
        "d9_stalest_first",
        "A question is made from a stale snapshot.",
        {**ONE, "switches": ("queue_fifo",), "rounds": 2, "updates": 2},
        "updates_once",
    ),
    Found(
        "D9",
        "d9_dropped_in_silence",
        "A snapshot is dropped without a word.",
        {**ONE, "switches": ("queue_silent",), "updates": 2, "queue": 1},
        "updates_once",
    ),
    Found(
        "D11", "d11_cancel_unacked", "A cancelled coordinator confirms nothing.", {**UP, "cancel": True}, "stop_once"
    ),
    Found(
        "R3",
        "r3_foreign_ack",
        "An acknowledgement of another run opens the gate.",
        {**ONE, "former": ("AckDecision",), "switches": ("runs_unnamed",)},
        "ack_gate",
    ),
    Found(
        "D12",
        "d12_checked_again",
        "A completion that is reported twice starts a second check of a stage that is decided.",
        {**FORK, "stages": ("audit",)},
        "last_question",
        "duplicate:1@Response",
    ),
    Found(
        "D13",
        "d13_validate_unacked",
        "A check that returns unacknowledged blocks all behind it.",
        {**FORK, "stages": ("implement", "validate")},
        "stuck",
        "duplicate:1@Response",
    ),
    Found(
        "D14",
        "d14_ack_in_two_writes",
        "A crash between the two writes has a step taken up again that was done.",
        {**ONE, "switches": ("ack_in_two_writes",), "resends": 1},
        "exactly_once_effects",
        "crash:1@coordinator",
    ),
    Found(
        "R7",
        "r7_unscoped_completion",
        "An answer to one stage counts in the next.",
        {**FORK, "stages": ("audit", "unlock")},
        "last_question",
        "duplicate:1@Response",
    ),
    Found(
        "R8",
        "r8_unscoped_attempt",
        "An answer to an attempt that was given up is counted.",
        {**FORK, "retries": 1},
        "last_question",
    ),
    Found("-", "silent_poll", "A batch whose wait ends is never decided.", FORK, "stuck", "drop:1@Response"),
    Found(
        "-",
        "unscoped_artifact",
        "A request that is repeated stores a second artifact.",
        {**FORK, "resends": 1},
        "exactly_once_effects",
    ),
    Found(
        "-",
        "any_answer_is_ok",
        "One answer of two is recorded as ok.",
        {**FORK, "agents": 2, "answers": ("ok", "empty")},
        "verdicts",
    ),
    Found(
        "-",
        "any_ack",
        "A gate without numbers: a repeated acknowledgement releases the decision behind its own.",
        {**ONE, "switches": ("opens_for_any_ack",), "rounds": 2},
        "ack_gate",
        "duplicate:1@AckDecision",
    ),
)

WORDS = {
    "head": """
# The consensus coordinator, its races, and the references

`models.consensus` asks the agents of each stage, decides by a quorum, has one artifact per decision stored, and takes
the next decision when the last one is acknowledged. This page is written by `python -m bench.consensus` from what its
scenarios do. Every race is two files in `scenarios/consensus/` (R10: in `scenarios/device_login/`): ours holds, the
other shows just what the reference does. `sim run scenarios/consensus/*.yaml` runs them all; a name in bold is the
property that is violated there, as expected.

## The races
""",
    "found": """
## What a check finds

Shortest counterexamples, in the smallest bounds that contain them. `sim check models.consensus --set profile=upstream`
(`upstream_old`, `fork`) checks a whole profile; `--set switches=NAME` one deviation alone. Each file says in its head
by which command it was found, and replays with `sim run`. The other properties may be violated by a profile in other ways:
the file is the shortest for this one.
""",
    "behaviour": """
Documented deviations that are no behaviour of the coordinator, and so have no switch: D7 (ordering by request, output and
number, where only the number is compared), D8 (trace targets that exist in a test only) and D10 (a branch that nothing
reaches). What the version of old does otherwise about waits and usage limits are rows of the retry policies
(`UPSTREAM` and `UPSTREAM_OLD` in `models.consensus.retry`, tested there).

## The switches

One model, and each deviation a switch in `models/consensus/switches.py`; a profile is a row of them. All are off in ours.
""",
    "tail": """
## Without sequencing

`--set sequencing=false` is ours with `answers_unscoped`, `attempts_unscoped`, `decides_again` and `opens_for_any_ack`: as
one would roll sequencing out behind a flag, and look at what it is for. The files that end in `_unsequenced` show what
breaks: a stale acknowledgement releases a decision nobody has seen (R1), an answer counts for the next stage (R7), a
retried agent is counted twice (R8).

## What is checked

Every schedule, ok, nothing stuck. All budgets are one retry an agent, one duplicate, one drop, one crash of the
coordinator, one repetition of each request after each start, and a stop at any time.

| bounds | states | where |
|---|---|---|
| 2 agents, 1 round, all budgets | 2,143,995 | `make test` |
| 1 agent without a retry, cancelled or stopped, one duplicate, drop, crash | 218,861 | `make test` |
| 2 agents, a sequential stage, no stop, one duplicate, drop, crash | 446,742 | `make test` |
| 1 agent without a retry, two updates, a queue of one, one duplicate, crash | 353,768 | `make test` |
| 1 agent without a retry, a countdown, crashes of coordinator and consumer | 94,799 | `make test` |
| 3 agents, 1 round, all budgets | 28,153,023 | `make soak` |

## The five systems taken over

| what | status | where |
|---|---|---|
| decision sequencing with ack gating | this page; checked within the bounds above | `models/consensus` |
| session metrics | counted from a run's emissions | [metrics.md](metrics.md) |
| environment-driven fault injection | in machines and in ordinary code | [faults.md](faults.md) |
| branch-aware resume | campaigns kept as sessions, found again by git branch | [campaigns.md](campaigns.md) |
| auth diff and device-code login | the diff, the login, the rotation race (R10) | [surface.md](surface.md), [device_login.md](device_login.md) |
""",
}
"""The page's paragraphs."""
