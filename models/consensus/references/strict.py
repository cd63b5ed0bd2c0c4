"""Ours with the strict rule: an agent that is asked again has no voice any more for what it was asked before."""

from __future__ import annotations

from ..coordinator import Coordinator
from ..messages import Response
from .deviating import Deviating


class Strict(Deviating, Coordinator):
    """With its switch on, an answer to an earlier attempt is thrown away, whether the retry ever answers or not."""

    def is_expected(self, response: Response) -> bool:
        if self.switches.attempts_strict and response.attempt != self.attempt_at(response):
            return False
        return super().is_expected(response)

    def attempt_at(self, response: Response) -> int:
        return self.attempt_of(response.agent) if response.agent in self.roster() else 0
