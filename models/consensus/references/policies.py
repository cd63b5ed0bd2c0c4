"""The retry policies of the references."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sim.consensus import OURS, ErrorKind, RetryPolicy

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS

UPSTREAM: Final = RetryPolicy(
    base_ms=1_000,
    factor=(2, 1),
    cap_ms=15 * _MINUTE_MS,
    jitter_percent=(0, 100),  # there: uniform from 0 to below the delay; here the end is included
    budget_ms=7 * _DAY_MS,
    permanent_without_hint=(ErrorKind.USAGE_LIMIT,),
    backoff_floors_hint=False,
    budget_before_class=True,
)
"""The upstream's coordinator at its latest: no limit of attempts."""

UPSTREAM_OLD: Final = replace(UPSTREAM, permanent_without_hint=(), waits_past_budget=True)
"""The upstream as the port found it: usage limits without a hint back off, and waits ignore the budget."""

FORK: Final = RetryPolicy(
    attempts_max=3,
    base_ms=100,
    factor=(2, 1),
    cap_ms=10_000,
    jitter_percent=(100, 150),
    transient=(*OURS.transient, ErrorKind.UNKNOWN),
    heeds_hints=False,
)
"""The fork's agent spawn: no budget, hints ignored, and whatever its text match does not know is retried."""

POLICIES: Final = {"ours": OURS, "upstream": UPSTREAM, "upstream_old": UPSTREAM_OLD, "fork": FORK}
"""Name -> policy, for profiles."""
