"""A model that a program is held against: what the program records of itself has to be a path of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from sim.world.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.live.program_parts import ProgramParts

CONFORMS = "conforms"
"""The property that is violated where what was recorded is not a path of the model."""


class RunLog(Protocol):
    """What one run records."""

    recorder: Any
    """A `sim.conform.recorder.Recorder`."""

    def judge(self, *, struck: bool) -> Finding | None:
        """What is wrong with all of it by now. Raises `ModelError` if nothing was recorded in a run that nothing has
        struck."""


class Holder(Protocol):
    """What holds the runs of one program."""

    def begin(self, note: Callable[[int], None]) -> RunLog:
        """A new run, which notes 64 bits for each line."""


def holder_of(program: ProgramParts) -> Holder | None:
    """The model of `program`, if it has one. Looked up late, as logs are held by what stands above."""
    if program.conforms is None:
        return None
    holder: Holder = import_module("sim.conform.held").Held(program.conforms, program.observe)
    return holder


def no_recorder() -> Any:
    """Records nothing."""
    return import_module("sim.conform.recorder").Recorder()
