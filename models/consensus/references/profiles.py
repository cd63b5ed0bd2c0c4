"""Profiles: whole coordinators, each a row of switches."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .switches import Switches


@dataclass(frozen=True)
class Profile:
    """A coordinator as a row of switches.

    - `policy`: its retry policy, by name (`models.consensus.retry`)
    - `quorum`: the share of the roster that has to agree
    """

    title: str
    switches: Switches
    policy: str = "ours"
    quorum: tuple[int, int] = (2, 3)


_UPSTREAM = Switches(
    takes_any_decision=True,
    runs_unnamed=True,
    stop_exits=True,
    failed_exits=True,
    counts_from_zero=True,
    ticks_by_id=True,
    acks_on_receipt=True,
    discards_when_inactive=True,
    queue_fifo=True,
    queue_silent=True,
    cancel_exits=True,
)

_FORK = Switches(
    answers_unscoped=True,
    attempts_unscoped=True,
    decides_again=True,
    validate_unacked=True,
    ack_in_two_writes=True,
    poll_silent=True,
    artifacts_unscoped=True,
    any_answer_is_ok=True,
    history_counts=True,
    aggregator_alone=True,
    aggregator_unchecked=True,
    flights_leak=True,
    verdict_fed_back=True,
    synthesis_masked=True,
)

PROFILES = {
    "sequenced": Profile("ours", Switches()),
    "unsequenced": Profile(
        "ours with sequencing switched off",
        Switches(answers_unscoped=True, attempts_unscoped=True, decides_again=True, opens_for_any_ack=True),
    ),
    "strict": Profile("ours with the strict rule for retried agents", Switches(attempts_strict=True)),
    "upstream": Profile("the upstream coordinator at its latest", _UPSTREAM, "upstream"),
    "upstream_old": Profile(
        "the upstream coordinator as the port found it",
        replace(_UPSTREAM, queue_unbounded=True, restarts_limited=True),
        "upstream_old",
    ),
    "fork": Profile("the fork", _FORK, "fork", (67, 100)),
    "fork_old": Profile(
        "the fork before it was repaired",
        replace(
            _FORK,
            mirror_late=True,
            agents_by_alias=True,
            phase_kept=True,
            artifacts_kept=True,
            flights_open=True,
        ),
        "fork",
        (67, 100),
    ),
}
"""Name -> profile, for `--set profile=NAME`."""
