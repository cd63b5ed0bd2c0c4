"""Planted faults of a run that is stopped or cancelled while a decision is on its way."""

from __future__ import annotations

from models.consensus.coordinator import Coordinator
from models.consensus.messages import Stop, Stopped
from tests.saboteurs.planted import Saboteur, changed


class ForgetsStopWhileStoring(Coordinator):
    """Takes no notice of a stop while a decision is on its way to the store."""

    def note_stop(self) -> None:
        pass


class ForgetsCancelWhileStoring(Coordinator):
    """Takes no notice of a cancellation while a decision is on its way to the store."""

    def note_cancel(self) -> None:
        pass


class StopsOutOfTheGate(Coordinator):
    """Says that it has stopped when the stop arrives, though a decision is still waited for."""

    transitions = changed(
        Coordinator, Stop, ["storing", "gated"], dest=None, unless="is_stopping", after=["note_stop", "say_stopped"]
    )

    def say_stopped(self) -> None:
        self.emit(Stopped(self.run))


ENDING = (
    Saboteur("a stop forgotten while storing", ForgetsStopWhileStoring, "stop_once", "none", {"stop": True}),
    Saboteur(
        "a cancellation forgotten while storing", ForgetsCancelWhileStoring, "stop_once", "none", {"cancel": True}
    ),
    Saboteur("stopped while a decision is waited for", StopsOutOfTheGate, "stop_once", "none", {"stop": True}),
)
