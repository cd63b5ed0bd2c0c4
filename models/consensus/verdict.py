"""The verdict of a round, computed from its answers and nothing else."""

from __future__ import annotations

from collections.abc import Sequence


def verdict(answers: Sequence[tuple[str, str]], agents: Sequence[str]) -> str:
    """`conflict` if any answer is one, `degraded` if an agent is missing or answered with nothing usable,
    else `ok`."""
    given = [answer for _, answer in answers]
    if "conflict" in given:
        return "conflict"
    complete = {agent for agent, answer in answers if answer == "ok"} >= set(agents)
    return "ok" if complete else "degraded"
