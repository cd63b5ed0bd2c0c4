"""Half a quorum: a proposer of Paxos takes half of the acceptors for a majority, and the brain is split."""

from __future__ import annotations

from bench.plain_paxos import Proposer, plain_paxos
from sim import System


class HalfQuorumProposer(Proposer):
    """Divides by two, and forgets to add one."""

    def majority(self) -> int:
        return len(self.acceptors) // 2


def system(planted: bool = True) -> System:
    """With two acceptors a majority is both of them."""
    return plain_paxos(acceptors=2, proposer=HalfQuorumProposer if planted else Proposer)
