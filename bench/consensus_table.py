"""What `docs/consensus.md` says in words, and which scenarios and searches stand behind it."""

from __future__ import annotations

import shlex
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
        "an update and the acknowledgement after a decision that ends the run",
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
        "rotation-race-",
        "two clients refresh one rotating token",
        "the loser reads again, and adopts",
        "permanent: the loser is logged out (the upstream retries instead)",
        folder="device_login",
        files=("rotation-race-ours.yaml", "rotation-race-reference-permanent.yaml"),
    ),
)


@dataclass(frozen=True)
class Found:
    """A deviation, and where a check finds it.

    - `switch`: the one that does it; without it the same check finds nothing, or nothing as short
    - `what`, `why`: what happens, and why it matters, a sentence each
    - `config`, `faults`, `prop`: the bounds, and the property that is judged there
    """

    name: str
    file: str
    switch: str
    what: str
    why: str
    config: Mapping[str, Any]
    prop: str
    faults: str = "none"

    @property
    def command(self) -> str:
        given = {**self.config, "faults": self.faults, "properties": self.prop}
        return " ".join(["sim check models.consensus", *(f"--set {_set(key, given[key])}" for key in given)])


def _set(key: str, value: Any) -> str:
    """`KEY=VALUE` as a shell reads it."""
    listed = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return shlex.quote(f"{key}={listed.lower() if isinstance(value, bool) else listed}")


ONE = {"agents": 1, "retries": 0, "resends": 0, "stop": False}
UP, FORK, OFF = {"profile": "upstream", **ONE}, {"profile": "fork", **ONE}, {"sequencing": False, **ONE}
FOUND = (
    Found(
        "D1",
        "d1_repeated_decision",
        "takes_any_decision",
        "A decision that is sent again is taken again.",
        "What it asks for is done twice: the number that would tell the repetition is not looked at.",
        {**UP, "resends": 1},
        "taken_in_order",
    ),
    Found(
        "D2",
        "d2_stop_without_drain",
        "stop_exits",
        "A stop leaves a decision whose artifact is not stored yet.",
        "It was accepted and promised, and whoever waits for it waits forever.",
        {**UP, "stop": True, "resends": 1},
        "exactly_once_effects",
        "drop:1@Store",
    ),
    Found(
        "D3",
        "d3_failed_exits",
        "failed_exits",
        "A decision that ends the run is sent, and nobody is left to read its acknowledgement.",
        "Whether the consumer ever had it is not known, and nothing would repeat it.",
        {**UP, "answers": ("conflict",)},
        "exactly_once_inputs",
    ),
    Found(
        "D4",
        "d4_counts_from_zero",
        "counts_from_zero",
        "Decision 0 is acknowledged and never taken: it looks like one that was there before.",
        "The first decision of every run is lost to a consumer that compares numbers, as the documented one does.",
        {**ONE, "switches": ("counts_from_zero",)},
        "ack_gate",
    ),
    Found(
        "D5",
        "d5_tick_by_id",
        "ticks_by_id",
        "The last tick of another run's countdown submits a decision whose own countdown still runs.",
        "The user had seconds left in which to stop it.",
        {**UP, "countdown": 2, "former": ("Tick",)},
        "runs_out",
    ),
    Found(
        "D6",
        "d6_ack_on_receipt",
        "acks_on_receipt",
        "A decision is released while its countdown still runs.",
        "The next one is asked for before this one is taken, so that the consumer falls behind without bound.",
        {**UP, "countdown": 1},
        "ack_gate",
    ),
    Found(
        "D6",
        "d6_discarded",
        "discards_when_inactive",
        "A stop reaches the consumer first, and a decision that comes then is acknowledged and thrown away.",
        "To the coordinator it is taken, and nobody has it.",
        {**UP, "stop": True},
        "ack_gate",
    ),
    Found(
        "D9",
        "d9_stalest_first",
        "queue_fifo",
        "A question is made from a stale snapshot of the conversation while a newer one waits.",
        "A turn is paid for on what the user has gone beyond, one for each snapshot in the queue.",
        {**UP, "rounds": 2, "updates": 2},
        "from_the_newest",
    ),
    Found(
        "D9",
        "d9_dropped_in_silence",
        "queue_silent",
        "A full queue drops a snapshot, and nothing tells of it.",
        "Nobody can know that the loss happened, let alone what was lost.",
        {**UP, "updates": 2, "queue": 1},
        "drops_told",
    ),
    Found(
        "D9",
        "d9_cleared_by_stop",
        "stop_exits",
        "A stop clears the queue, and nothing tells of it.",
        "What the user said last is gone, and nobody knows that it was never looked at.",
        {**UP, "stop": True, "updates": 1},
        "updates_once",
    ),
    Found(
        "D11",
        "d11_cancel_unacked",
        "cancel_exits",
        "A cancelled coordinator is gone, and confirms nothing.",
        "Its user cannot tell a run that has ended from one that hangs.",
        {**UP, "cancel": True},
        "stop_once",
    ),
    Found(
        "R3",
        "r3_foreign_ack",
        "runs_unnamed",
        "An acknowledgement left over from a former run opens the gate of this one.",
        "The next decision is taken before anybody has seen this one.",
        {**UP, "rounds": 2, "former": ("AckDecision",)},
        "ack_gate",
    ),
    Found(
        "-",
        "seventh_restart",
        "restarts_limited",
        "A coordinator that has come back six times does not come back again.",
        "The run hangs, whatever its journal says is owed (the version of old; later there is no limit).",
        {**UP, "profile": "upstream_old"},
        "all_decided",
        "crash:7@coordinator",
    ),
    Found(
        "D12",
        "d12_checked_again",
        "decides_again",
        "A completion that is reported twice starts a second check of a stage that is decided, under a new number.",
        "To the store it is another decision, so that the stage has two artifacts.",
        {**FORK, "stages": ("audit",)},
        "exactly_once_effects",
        "duplicate:1@Response",
    ),
    Found(
        "D13",
        "d13_validate_unacked",
        "validate_unacked",
        "A completion of Implement comes once more, ahead of Validate's own, and its check returns unacknowledged.",
        "Every later check overlaps with that one, and the run is blocked for good.",
        {**FORK, "stages": ("implement", "validate")},
        "stuck",
        "duplicate:1@Response",
    ),
    Found(
        "D14",
        "d14_ack_in_two_writes",
        "ack_in_two_writes",
        "The coordinator crashes when a decision is no longer pending and not processed yet.",
        "Its stage is taken up again, asked, paid for, decided and stored a second time.",
        FORK,
        "exactly_once_effects",
        "crash:1@coordinator after journal",
    ),
    Found(
        "R7",
        "r7_unscoped_completion",
        "answers_unscoped",
        "An answer to one stage comes once more, and is counted in the next.",
        "That stage is decided by what nobody answered to it.",
        {**FORK, "stages": ("audit", "unlock")},
        "verdicts",
        "duplicate:1@Response",
    ),
    Found(
        "R8",
        "r8_unscoped_attempt",
        "attempts_unscoped",
        "An agent is asked again, and its answers to both attempts are counted.",
        "Both executions have a vote: an agent that is slow weighs as much as two.",
        {**FORK, "agents": 2, "retries": 1},
        "exactly_once_inputs",
    ),
    Found(
        "-",
        "earlier_attempt",
        "attempts_strict",
        "An agent is asked again, and then its answer to the first question is thrown away.",
        "It was paid for and could be used, and an agent that is slow each time is never heard at all.",
        {"profile": "strict", **ONE, "retries": 1},
        "first_usable",
    ),
    Found(
        "-",
        "silent_poll",
        "poll_silent",
        "An answer is lost, and the wait for its batch ends without an event.",
        "The stage is never decided, and the run hangs where a retry or a verdict was due.",
        FORK,
        "stuck",
        "drop:1@Response",
    ),
    Found(
        "-",
        "unscoped_artifact",
        "artifacts_unscoped",
        "A request that is repeated stores a second artifact.",
        "Stale rows and duplicates have a vote in what is decided later.",
        {**FORK, "resends": 1},
        "exactly_once_effects",
    ),
    Found(
        "-",
        "any_answer_is_ok",
        "any_answer_is_ok",
        "One answer of two is recorded as ok.",
        "A quorum that is never asked for protects from nothing.",
        {**FORK, "agents": 2, "answers": ("ok", "empty")},
        "verdicts",
    ),
    Found(
        "-",
        "artifacts_kept",
        "artifacts_kept",
        "A former run has left an artifact of the same number, and it is returned as this one's.",
        "A stale file is taken for success, and what was decided is stored nowhere.",
        {**ONE, "former": ("Stored",), "switches": ("artifacts_kept",)},
        "taken_in_order",
    ),
    Found(
        "-",
        "agents_by_alias",
        "agents_by_alias",
        "Two agents of a roster report themselves by one name, and the answer of the second is a duplicate.",
        "It was paid for and never heard, and no stage with both of them is ever decided by all.",
        {**ONE, "agents": 4, "stages": ("implement",), "switches": ("agents_by_alias",)},
        "first_usable",
    ),
    Found(
        "-",
        "mirror_late",
        "mirror_late",
        "A stage is complete by its last answer, and is decided without it.",
        "Of four results three are kept, and which one is lost is an accident of timing.",
        {**ONE, "agents": 2, "switches": ("mirror_late",)},
        "verdicts",
    ),
    Found(
        "-",
        "history_counts",
        "history_counts",
        "An agent is taken for present in a stage because it has answered in the stage before.",
        "That stage is decided early, by what was said about something else.",
        {**ONE, "agents": 2, "stages": ("audit", "unlock"), "switches": ("history_counts",)},
        "verdicts",
    ),
    Found(
        "-",
        "verdict_fed_back",
        "verdict_fed_back",
        "A check trusts the verdict that an earlier check of the stage has written down, and not the answers.",
        "A verdict that was wrong once is wrong for good, and a conflict goes unnoticed.",
        {**ONE, "rounds": 2, "answers": ("ok", "conflict"), "switches": ("verdict_fed_back",)},
        "verdicts",
    ),
    Found(
        "-",
        "aggregator_alone",
        "aggregator_alone",
        "An agent disagrees, the aggregator sums up that all is well, and its record alone makes the verdict.",
        "A conflict is stored as ok, and the run goes on over it.",
        {**ONE, "agents": 2, "aggregator": True, "answers": ("ok", "conflict"), "switches": ("aggregator_alone",)},
        "verdicts",
    ),
    Found(
        "-",
        "aggregator_unchecked",
        "aggregator_unchecked",
        "A record without the keys that it must have is counted.",
        "The next stage is made from what is not there.",
        {**ONE, "aggregator": True, "agents": 2, "answers": ("ok", "keyless"), "switches": ("aggregator_unchecked",)},
        "first_usable",
    ),
    Found(
        "-",
        "phase_kept",
        "phase_kept",
        "A gate is passed, the next stage is the one in hand, and its phase is never begun.",
        "Nobody is asked and nothing waits for anything, so that the run stalls without a word.",
        {**ONE, "stages": ("plan",), "gates": True, "answers": ("conflict",), "switches": ("phase_kept",)},
        "stuck",
    ),
    Found(
        "-",
        "flights_open",
        "flights_open",
        "A stage is launched again while its agents are at work, and they are asked once more.",
        "Every batch is paid for, and which of them decides is an accident of timing.",
        {**ONE, "guardrail": True, "relaunches": 1, "switches": ("flights_open",)},
        "single_flight",
    ),
    Found(
        "-",
        "flights_leak",
        "flights_leak",
        "The record of a flight outlives its round, and the next round's launch of the stage is taken for a duplicate.",
        "The stage is never begun, and the run stalls without a word.",
        {**ONE, "guardrail": True, "rounds": 2, "switches": ("flights_leak",)},
        "stuck",
    ),
    Found(
        "-",
        "synthesis_masked",
        "synthesis_masked",
        "An artifact is stored again without its verdict, which hides the one that was stored first.",
        "Whoever looks up the latest finds nothing, and takes the stage for undecided.",
        {**FORK, "resends": 1},
        "verdicts",
    ),
    Found(
        "-",
        "any_ack",
        "opens_for_any_ack",
        "A repeated acknowledgement releases the decision after its own.",
        "A gate without numbers is open as soon as a message comes twice.",
        {**OFF, "rounds": 2},
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

What each deviation does, as a shortest counterexample in small bounds in which ours holds all its properties. Nearly all
are found in the whole profile: the check that ours passes, with `--set profile=upstream` or `profile=fork`
(`sequencing=false` for the last), judged by the one property of its row (`--set properties=NAME`), as a profile that
is wrong in ten ways would always end at the nearest. Without the switch of its row the same check finds nothing, or
nothing as short. What another defect hides there is found with its switch *alone*: D4, as the upstream consumer takes every
decision (D1), whatever its number, and what the fork remembers, as any answer is ok there. *Ours* is what the same bounds have around our profile, judged by everything. Files are in
`scenarios/consensus/found/`, say in their heads what happens, why it matters and which command found it, and replay with
`sim run`.
""",
    "commands": """
The commands, in this order; each writes the counterexample that its file keeps:
""",
    "behaviour": """
Documented deviations that do not concern the coordinator's behaviour, and so have no switch: D7 (ordering by request, output and
number, where only the number is compared), D8 (trace targets that exist in a test only) and D10 (a branch that nothing
reaches). What the version of old does otherwise about waits and usage limits are rows of the retry policies
(`UPSTREAM` and `UPSTREAM_OLD` in `models.consensus.references.policies`); what it counts otherwise is a matter of
metrics ([metrics.md](metrics.md)).

Absent on purpose, as none of it is one of D1 to D14, and each would be states in every check for little that the rows above
do not show:

- The upstream's turn cap: a run has `rounds`, which is one. Its pauses for editing by hand, diagnostics and reviews are
  phases in which the consumer takes longer, and a check lets it take forever anyway. A user's prompt that calls the model
  while an acknowledgement is pending takes a turn and decides nothing.

## The first usable answer counts

Of an agent's answers to a stage the first usable one counts that arrives before the stage is decided, whatever attempt it
answers; those after it are duplicates. An empty or invalid one, or a fault in its place, ends its attempt and leaves the
place open: the agent is asked again when the policy's wait is over, if the policy says so. What is given up is no longer
waited for, and counts all the same if it comes in time. The coordinator asks `sim.consensus.Round` (`take`), as a program
does ([in your coordinator](guide/in-your-coordinator.md)); the monitor `first_usable` holds it to the rule. The strict rule,
which knows an agent's last attempt only, is a switch: `--set switches=attempts_strict`, or `--set profile=strict`. With it an
agent that is slower than the coordinator's patience each time is never heard (`slow_answer_strict.yaml`); ours ends in
consensus (`slow_answer.yaml`).

## Around the stages

Each of these is off unless it is set, and costs no state then; `models/consensus/staged.py` puts them together.

**Quality gates** (`--set gates=true`, `models/consensus/gates.py`). Ahead of plan stands clarify, ahead of tasks checklist, ahead of
implement analyze: stages with rosters of their own, asked all at once. A gate settles itself by `agree` and `settled_by` of
`sim.consensus`, if the quorum says ok; if not, its verdict is `unsettled`, and after its acknowledgement a person lets the run go
on or ends it. Two thirds of three are two here (`gate_majority.yaml`); a threshold of 67 in 100 asks for all three and goes to a
person (`gate_majority_reference.yaml`). An answer to a gate never counts in the stage after it (`gate_answer_in_plan.yaml`); where
answers are not kept apart it does (`gate_answer_in_plan_reference.yaml`). The monitor `person_rules` says that nobody is asked
after an unsettled gate until a person has let the run go on, and that each is settled once.

**Aggregator** (`--set aggregator=true`, `models/consensus/aggregator.py`). The last of a stage's roster is asked when nobody else is
waited for, and sums up what they say. Records must have the keys of their stage (`lacking` of `sim.consensus`): the answer
`keyless` has none of them, and its agent is asked again. Without the aggregator's record a verdict is `degraded` at best. A verdict is
computed from all answers whenever a stage is decided, those that came after the aggregator was asked included
(`aggregator_overtaken.yaml`, and its twin `aggregator_overtaken_reference.yaml`), and never from what a check has written before. The property `the aggregator comes last` says the first, the monitor `verdicts` the last.

**Guardrail and single flight** (`--set guardrail=true`, `models/consensus/guarded.py`). Ahead of each stage the coordinator asks
the guardrail, and the stage begins when it is launched. A launch names its run, round and stage and a hash of its payload: the
first starts the stage, the same once more is a duplicate, another payload a conflict, one of another stage stale. `relaunches`
is how often somebody launches the last one again. The monitor `single_flight` says that a stage is started once, and that
nobody is asked for one that was not.

## What is known of the fork, and what shows it

| defect of the fork | what shows it here |
|---|---|
| a late answer to a gate is used by the stage after it; a completion without a scope | `answers_unscoped`: R7, `gate_answer_in_plan_reference.yaml` |
| a completion that is reported twice; a check of its own for each | `decides_again`: D12 |
| a completion before its status mirror | `mirror_late` |
| two agents by one alias | `agents_by_alias` |
| a phase that is not reset | `phase_kept` |
| an artifact that is skipped because one exists | `artifacts_kept` |
| several batches of one stage | `flights_open` |
| a flight that is left open | `flights_leak` |
| an early consensus by who has ever finished | `history_counts` |
| an orphaned attempt beside its retry | `attempts_unscoped`: R8 |
| a wait that ends without an event | `poll_silent` |
| artifacts that name no run | `artifacts_unscoped` |
| a verdict that is fed back | `verdict_fed_back` |
| a synthesis that is masked | `synthesis_masked` |
| any set of answers is ok, without quorum or look at keys | `any_answer_is_ok`, `aggregator_unchecked` |
| the aggregator alone supplies agreement and conflict | `aggregator_alone` |
| two thirds that are three of three | `quorum=67,100`: `gate_majority_reference.yaml` |

What the fork has repaired is in `profile=fork_old`, all else in `profile=fork`. Its phases are states here: guardrail is `guarding`, executing agents `asking`, checking consensus `storing` and `gated`, and a gate
that awaits a human `awaiting`. Not modelled, as they concern terminals, files and exports: a doubled end marker, a terminal that
is used again, run ids of two types, a log tag that all runs share; nor a flight of a gate that fails open when its lock is taken.

## With a budget

`--set budget_usd=0.05` gives the coordinator a budget for the questions of a stage (`models/consensus/thrift.py`): it asks
`sim.metrics.Budget` before it asks an agent again, and gives up on whom it cannot pay for; `ask_usd` is what a question and its
answer are expected to cost. First questions are asked in any case. The check proves `no question beyond the budget`; a
coordinator that does not ask its budget is caught (`tests/models/consensus/test_thrift.py`).

## The switches

Ours has its own rows and methods only. What references do otherwise is in `models/consensus/references/`: subclasses
whose rows come before ours and whose methods override ours, each deviation behind a switch of its own (`switches.py`). A
profile is a row of switches (`profiles.py`). A run in which one is on takes these subclasses, any other takes our classes.
""",
    "unsequenced": """
## Without sequencing

`--set sequencing=false` is ours with `answers_unscoped`, `attempts_unscoped`, `decides_again` and `opens_for_any_ack`: as
one would roll sequencing out behind a flag, and look at what it is for. The files that end in `_unsequenced` show what
breaks: a stale acknowledgement releases a decision nobody has seen (R1), an answer counts for the next stage (R7), a
retried agent is counted twice (R8).

## What is checked

Every schedule, ok, nothing stuck. All budgets are one retry an agent, one duplicate, one drop, one crash of the
coordinator, one repetition of each request after each start, and a stop at any time. Requests are repeated as often as
they may be lost: what may be dropped and lose its receiver in a crash is sent twice again. Each of our rows is taken by
our own classes in one of these checks or in a scenario, each row that a reference has besides in a scenario or by a reference
walked at random (`test_every_row_of_every_process_is_taken_by_a_scenario_or_a_check` prints how many).

Seconds are of one core of a machine with 2, which others were using too. Two rounds of two agents with a retry, a drop and a
crash are 108,311,294 states, ok, in 643 s: that many are not part of the soak.
""",
    "tail": """
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
