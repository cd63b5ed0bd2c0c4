"""The verdict of a stage, computed from its answers and nothing else."""

from __future__ import annotations

from collections.abc import Sequence


def verdict(answers: Sequence[tuple[str, str]], roster: Sequence[str], quorum: tuple[int, int]) -> str:
    """What (agent, answer) pairs say together; `quorum` is the share of the roster that has to agree.

    - `conflict`: somebody disagrees
    - `no_consensus`: fewer than the quorum agree, the others being silent or unreadable
    - `degraded`: the quorum agrees, but not everybody
    - `ok`: everybody agrees
    """
    if any(answer == "conflict" for _, answer in answers):
        return "conflict"
    agreeing = {agent for agent, answer in answers if answer == "ok"}
    if len(agreeing) < needed(len(roster), quorum):
        return "no_consensus"
    return "ok" if agreeing >= set(roster) else "degraded"


def needed(agents: int, quorum: tuple[int, int]) -> int:
    """How many of `agents` are the quorum: that share, rounded up, at least one and at most all. Integers
    only: two thirds of three are two, where a share of 0.67 would ask for all three."""
    share, of = quorum
    return min(max(-(-agents * share // of), 1), agents)
