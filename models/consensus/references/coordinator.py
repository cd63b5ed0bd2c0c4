"""The coordinator of any reference: ours, with the rows and methods that switches turn on."""

from __future__ import annotations

from sim.consensus import RetryPolicy

from ..coordinator import Coordinator
from ..parts import Rows
from . import fork, unsequenced, upstream
from .fork import Fork
from .policies import POLICIES
from .remembering import Remembering
from .strict import Strict
from .unsequenced import Unsequenced
from .upstream import Upstream

ROWS: Rows = (*unsequenced.ROWS, *upstream.ROWS, *fork.ROWS)


class ReferenceCoordinator(Unsequenced, Upstream, Fork, Strict, Remembering):
    """Its own rows come before ours, each behind a guard that reads a switch. With all switches off it is ours."""

    states = (*Coordinator.states, "blocked", "exited")
    hot = (*Coordinator.hot, "blocked")
    durable = (*Coordinator.durable, "restarts", "finished", "synthesis")
    transitions = (*ROWS, *Coordinator.transitions)

    def usual_policy(self) -> RetryPolicy:
        return POLICIES[self.policy_name]
