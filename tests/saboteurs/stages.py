"""Planted faults of stages behind each other, of rosters that are asked in turn, and of verdicts."""

from __future__ import annotations

from models.consensus.coordinator import Coordinator
from models.consensus.messages import Response
from tests.saboteurs.planted import TWO, Saboteur, changed


class CountsOtherStages(Coordinator):
    """Takes an answer by its round, agent and attempt: to which stage it is, it does not look."""

    def claim(self, response: Response) -> tuple[str, tuple[int, int], str, int]:
        run, (round_, _), agent, attempt = super().claim(response)
        return run, (round_, self.step()[1]), agent, attempt


class AsksAllAtOnce(Coordinator):
    """Asks everybody of a sequential stage at once."""

    def due(self) -> list[str]:
        return self.missing()


class NeverAsksTheNext(Coordinator):
    """Forgets to go on with the roster of a sequential stage."""

    transitions = changed(Coordinator, Response, "asking", dest=None, conditions="has_next_behind", after="count")

    def has_next_behind(self, response: Response) -> bool:
        return self.is_expected(response) and not self.completes(response)


class SkipsAStage(Coordinator):
    """Goes on with the stage after the next."""

    def step_after(self, step: tuple[int, int]) -> tuple[int, int] | None:
        following = super().step_after(step)
        return super().step_after(following) or following if step[0] and following else following


class EndsEarly(Coordinator):
    """Takes the end of a round's first stage for the end of the run."""

    def has_more(self) -> bool:
        return super().has_more() and self.last_step()[1] == len(self.stages)


class IgnoresTheQuorum(Coordinator):
    """Any answer is enough to go on."""

    def verdict(self) -> str:
        given = super().verdict()
        return "degraded" if given == "no_consensus" and self.journal.answers else given


class GoesOnAfterConflict(Coordinator):
    """Asks the next question though the agents disagree."""

    def verdict(self) -> str:
        given = super().verdict()
        return "degraded" if given == "conflict" else given


STAGES = (
    Saboteur(
        "stage missing from the key of an answer",
        CountsOtherStages,
        "first_usable",
        "duplicate:1@Response",
        TWO,
        schedules=50,
        examples=10_000,  # in 2,000 one run of three meets it
    ),
    Saboteur("all asked at once", AsksAllAtOnce, "one agent at a time", "none", {"agents": 2, "stages": ("plan",)}),
    Saboteur("the next agent never asked", NeverAsksTheNext, "exception", "none", {"agents": 2, "stages": ("plan",)}),
    Saboteur("a stage skipped", SkipsAStage, "all_decided", "none", {"stages": ("validate", "audit", "unlock")}),
    Saboteur("a run that ends early", EndsEarly, "all_decided", "none", TWO),
    Saboteur("the quorum ignored", IgnoresTheQuorum, "verdicts", "none", {"agents": 2}),
    Saboteur("a conflict ignored", GoesOnAfterConflict, "verdicts", "none", {"answers": ("conflict",)}),
)
