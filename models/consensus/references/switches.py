"""The reference behaviours as switches: what other coordinators do that ours does not.

Each switch is one deviation, named and documented once: it turns on a row that ours does not have, or another
reading of one of our methods. Numbers D1 to D14 and R1 to R9 are those of `docs/consensus.md`.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from sim import Record


class Switches(Record):
    """Every deviation there is; all off is ours."""

    answers_unscoped: bool = False
    """R7: any answer is taken for one to the stage in hand, whatever run, round or stage it names."""
    attempts_unscoped: bool = False
    """R8: the answers to all attempts of an agent are kept, also of one that was given up."""
    decides_again: bool = False
    """D12: each completion starts a check, each check takes a new number; that the stage is decided already
    stops none of them."""
    opens_for_any_ack: bool = False
    """Any acknowledgement opens the gate. No reference does this; it is what a gate without numbers does."""

    attempts_strict: bool = False
    """An answer to an earlier attempt than the last is thrown away, though its agent has not been heard. Ours of old did."""

    takes_any_decision: bool = False
    """D1: the consumer takes every decision that it gets: of any run, of any number, a repeated one again."""
    runs_unnamed: bool = False
    """R3: numbers start again with each run and name none, so an acknowledgement of another run fits."""
    stop_exits: bool = False
    """D2, D9: a stop waits for nothing: the coordinator confirms it, forgets what is pending and queued, and
    is gone. What still arrives is read by nobody."""
    failed_exits: bool = False
    """D3, R6: a decision that ends the run is sent once, and the coordinator is gone; nobody reads its
    acknowledgement, nor an update."""
    counts_from_zero: bool = False
    """D4: the first decision has number 0, which the consumer takes for `none yet`."""
    ticks_by_id: bool = False
    """D5, R4: a tick is known by the id of its countdown alone, and ids start again with each run."""
    acks_on_receipt: bool = False
    """D6: a decision is acknowledged when it arrives, before it is taken."""
    discards_when_inactive: bool = False
    """D6: whoever stops or cancels a run tells the consumer too, which from then on acknowledges what arrives
    and throws it away."""
    queue_fifo: bool = False
    """D9, R2: queued snapshots are replayed one after the other, the stalest first, a turn each."""
    queue_silent: bool = False
    """D9, R2: a snapshot that the queue has no room for is dropped without a word."""
    queue_unbounded: bool = False
    """Version switch: the queue takes everything."""
    restarts_limited: bool = False
    """Version switch: a coordinator that has come back six times does not come back again."""
    cancel_exits: bool = False
    """D11, R5: a cancelled coordinator is gone, and confirms neither that nor a stop."""

    validate_unacked: bool = False
    """D13, R9: a completion of another stage that arrives before the first of this one begins a check that
    ends without an acknowledgement; from then on every completion overlaps with it."""
    ack_in_two_writes: bool = False
    """D14: that a decision is no longer pending is written first, that it is processed second."""
    poll_silent: bool = False
    """The wait for a batch of agents ends without an event: nothing is decided."""
    artifacts_unscoped: bool = False
    """An artifact is inserted as often as it is asked for: its key holds a time and no run."""
    artifacts_kept: bool = False
    """An artifact of the same number that a former run has left is taken for this one, and nothing is stored."""
    agents_by_alias: bool = False
    """Two agents of a roster report themselves by one name, and are taken for one."""
    mirror_late: bool = False
    """The event that completes a stage comes before the last answer can be read, and the stage is decided without it."""
    any_answer_is_ok: bool = False
    """Any set of answers that is not empty is recorded as ok: no quorum, no look at what they say."""
    history_counts: bool = False
    """Whoever has answered in any stage so far is taken for present, with what it said then."""
    verdict_fed_back: bool = False
    """A check writes its verdict down, and the next check of that stage trusts it, whatever is answered then."""
    aggregator_alone: bool = False
    """With an aggregator: its record alone makes the verdict, whatever the others say."""
    aggregator_unchecked: bool = False
    """With an aggregator: no record is checked for the keys that it must have."""
    phase_kept: bool = False
    """With gates: when a person lets the run go on, the next stage is the one in hand, and its phase is not begun: nobody is asked."""
    flights_open: bool = False
    """With a guardrail: a stage that is launched again while it is asked is dispatched again, a batch more."""
    flights_leak: bool = False
    """With a guardrail: the record of a flight names its stage alone and is never closed, so that the stage's next launch, in
    the next round, is a duplicate."""
    synthesis_masked: bool = False
    """An artifact that is stored again has no verdict, and as the latest it hides the one that had."""


SWITCHES = tuple(field.name for field in fields(Switches))


@cache
def switched(on: tuple[str, ...]) -> Switches:
    """The switches with these on."""
    return Switches(**dict.fromkeys(on, True))


def deviations(switches: Switches) -> tuple[str, ...]:
    """The names of those that are on. A process holds these: its values are printed, and most are off."""
    return tuple(name for name in SWITCHES if getattr(switches, name))
