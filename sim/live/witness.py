"""Who notes all that happens in an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sim.live.net.channel import Incoming

if TYPE_CHECKING:
    from sim.live.execution import Execution
    from sim.live.loop import LiveTask


class Witness(Protocol):
    """Who notes all that happens in an execution, to tell it."""

    def resumes(self, task: LiveTask, at: Any) -> None:
        """`task` goes on, from the coroutine `at`."""

    def calls(self, owner: str, callback: Any) -> None:
        """A callback that is no task's runs, on behalf of `owner`."""

    def sent(self, arrival: Incoming) -> None:
        """What runs has sent this."""

    def ran(self, run: Execution) -> None:
        """What was last told has run."""
