"""What references do otherwise around their stages: aggregators that nobody checks, phases that never begin,
flights that are not kept apart, or never end."""

from __future__ import annotations

from sim import IGNORE
from sim.consensus import Round, Taken

from ..aggregator import aggregator_of
from ..guarded import DUPLICATE
from ..messages import Launch, Response, Ruling
from ..parts import Rows
from ..staged import Staged
from . import coordinator
from .coordinator import ReferenceCoordinator

ROWS: Rows = (
    {
        "trigger": Launch,
        "source": "asking",
        "dest": None,
        "conditions": ["dispatches_again", "is_due"],
        "before": "start",
        "after": "ask_all",
    },
    {
        "trigger": Ruling,
        "source": "awaiting",
        "dest": "asking",
        "conditions": ["keeps_the_phase", "is_asked_for", "lets_it_go_on"],
        "before": "heed",
    },
    *({"trigger": message, "source": ["blocked", "exited"], "dest": IGNORE} for message in (Launch, Ruling)),
)


class ReferenceStaged(ReferenceCoordinator, Staged):
    """Its own rows come before those of a reference, and these before ours."""

    states = (*ReferenceCoordinator.states, "guarding", "awaiting")
    hot = (*ReferenceCoordinator.hot, "guarding", "awaiting")
    durable = (*ReferenceCoordinator.durable, "flight", "gate", "landed")
    transitions = (*ROWS, *coordinator.ROWS, *Staged.transitions)

    landed: tuple[str, ...] = ()
    """The stages that were ever started."""

    def dispatches_again(self) -> bool:
        return self.switches.flights_open

    def taken(self, response: Response) -> tuple[Round, Taken]:
        if self.switches.aggregator_unchecked and self.aggregator and response.answer == "keyless":
            return self.round().take(*self.claim(response), "ok")
        return super().taken(response)

    def verdict(self) -> str:
        last, answers = aggregator_of(self.stage()), dict(self.journal.answers)
        if not (self.switches.aggregator_alone and self.aggregator and last):
            return super().verdict()
        if answers.get(last) == "conflict":
            return "conflict"
        return "ok" if last in answers and len(answers) == len(self.roster()) else "degraded"

    def keeps_the_phase(self) -> bool:
        return self.switches.phase_kept

    def ask_all(self) -> None:
        self.ask(self.missing())

    def has_landed(self, launch: Launch) -> bool:
        return self.switches.flights_leak and launch.stage in self.landed

    def is_due(self, launch: Launch) -> bool:
        return super().is_due(launch) and not self.has_landed(launch)

    def start(self, launch: Launch) -> None:
        if self.switches.flights_leak:
            self.landed = tuple(sorted({*self.landed, launch.stage}))
        super().start(launch)

    def outcome(self, launch: Launch) -> str:
        return DUPLICATE if self.has_landed(launch) else super().outcome(launch)
