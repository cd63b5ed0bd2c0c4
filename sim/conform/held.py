"""Runs of a program under simulation, held against a model: what a program records of itself is a path of the model's graph, or
it is said where not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sim.base.errors import ModelError
from sim.base.mixer import key64
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.logged import LoggedRun, LogReader, check_run
from sim.conform.recorder import Recorder, line_text
from sim.system.declaration import Declaration
from sim.world.finding import Finding

CONFORMS = "conforms"
PLACE = "recorded"
"""Stands for the file, in the places of lines."""
NODES_MAX = 100_000
KNOWN_MAX = 100_000
"""Logs whose answers are kept: most schedules record what another has recorded."""
HEADER = b'{"roundsim_log": 1}'


class RunRecorder(Recorder):
    """Keeps what is recorded in one run."""

    def __init__(self, note: Callable[[int], None]) -> None:
        super().__init__()
        self._note = note
        self._texts: list[str] = []

    @property
    def on(self) -> bool:
        return True

    def write(self, line: Mapping[str, Any]) -> None:
        self._texts.append(text := line_text(line))
        self._note(key64(text.replace(_OURS, "/").encode()))

    def texts(self) -> Iterator[str]:
        """The lines, also those that are begun."""
        yield from self._texts
        for process in self._processes.values():
            begun = process.begun
            if begun is not None:
                yield line_text(begun)


_OURS = f"/{os.getpid()}/"
"""Stands in the ids of lines, and is another in every process."""


class Held:
    """The model, and what it has said of the logs so far."""

    def __init__(self, system: Declaration, observe: Sequence[str]) -> None:
        self._judging = Judging(system, max_nodes=NODES_MAX, hints=False)
        self._observed = dict.fromkeys(observe, "observe")
        self._known: dict[str, Finding | None] = {}

    def begin(self, note: Callable[[int], None]) -> RunOfProgram:
        return RunOfProgram(self, RunRecorder(note))

    def judge(self, texts: Sequence[str]) -> Finding | None:
        """What is wrong with these lines. Raises `ConfigError` for lines that no model could write, `ModelError` if the answer
        is not found."""
        key = "\n".join(texts)
        if key not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = _finding(self._judging.judge(self._run(texts)))
        return self._known[key]

    def _run(self, texts: Sequence[str]) -> LoggedRun:
        reader, run = LogReader(), LoggedRun("", observed=self._observed)
        for number, text in enumerate((HEADER, *(text.encode() for text in texts)), 1):
            taken = reader.take(PLACE, number, text)
            if taken is not None:
                run.lines.append(taken[1])
        check_run(run)
        return run


class RunOfProgram:
    """One run, and its log."""

    def __init__(self, held: Held, recorder: RunRecorder) -> None:
        self._held, self.recorder = held, recorder

    def judge(self, *, struck: bool) -> Finding | None:
        texts = list(self.recorder.texts())
        if texts or struck:
            return self._held.judge(texts) if texts else None
        raise ModelError(
            "Program: conforms: nothing was recorded; let main hand world.recorder to the code that does what a process does"
        )


def _finding(answer: JudgedLog) -> Finding | None:
    if answer.verdict == "ok":
        return None
    words = "; ".join(" ".join(word.split()) for word in answer.words).replace(":; ", ": ")
    if answer.verdict == "incomplete":
        raise ModelError(f"Program: conforms: {words}: observe more processes, or say more of what they became")
    return Finding(CONFORMS, f"{answer.explained} of {answer.lines} lines are a path of the model; {words}")
