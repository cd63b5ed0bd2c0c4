"""A limit to what one question may cost, where its model has no word for what comes of it and the host asks again."""

from __future__ import annotations

from sim.consensus import ErrorKind, Failure
from sim.host.adapter import AdapterError, Question

TRIES_MAX = 5
"""How often one question may come to nothing that was perhaps paid for."""
KEPT_MAX = 10_000
"""Questions that are counted at once; of more, the oldest is forgotten."""
PERHAPS_PAID = (ErrorKind.TIMEOUT, ErrorKind.STREAM, ErrorKind.EMPTY, ErrorKind.INVALID, ErrorKind.UNKNOWN)
"""Failures of an attempt that somebody worked on."""


class Tries:
    """Counts, for each question, the attempts that came to nothing and may have cost something."""

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}

    def count(self, question: Question, failure: Failure, who: str) -> None:
        """This attempt has failed. Raises `AdapterError` if it was one too many: a model that takes the failure never asks
        the same question so often, since its retry is another question."""
        if failure.kind not in PERHAPS_PAID:
            return
        number = self._failed[question.key] = self._failed.pop(question.key, 0) + 1
        if len(self._failed) > KEPT_MAX:
            del self._failed[next(iter(self._failed))]
        if number >= TRIES_MAX:
            del self._failed[question.key]  # who resumes means to try again
            raise AdapterError(
                f"{question.process}: {who} came to nothing {number} times with one question, which may cost something each "
                f"time: {failure.kind.value}; the model has no fault that says so: declare one, or fix the agent, then resume"
            )

    def done(self, question: Question) -> None:
        """There was an answer."""
        self._failed.pop(question.key, None)
