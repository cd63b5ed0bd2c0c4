"""Broken promise: an acceptor of Paxos votes in a ballot below the one that it has promised."""

from __future__ import annotations

from bench.plain_paxos import Accept, Acceptor, plain_paxos
from sim import System


class ForgetfulAcceptor(Acceptor):
    """Takes every proposal."""

    def is_bound(self, message: Accept) -> bool:
        return True


def system(planted: bool = True) -> System:
    """With two acceptors a majority is both of them."""
    return plain_paxos(acceptors=2, acceptor=ForgetfulAcceptor if planted else Acceptor)
