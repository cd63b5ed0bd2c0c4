"""Paxos against the published counts: behind a register (stateright `examples/paxos.rs`), and plain."""

from __future__ import annotations

import pytest

from bench.plain_paxos import Acceptor, Prepare, Promise, plain_paxos
from models.paxos import SERVERS, Accept, Server, system
from sim import check


@pytest.mark.parametrize(("clients", "states"), [(1, 265), (2, 16_668)])
def test_behind_a_register_the_states_are_the_published_ones(clients: int, states: int) -> None:
    result = check(system(clients=clients))
    assert result.states == states
    assert result.verdict == "ok"


def test_with_two_clients_handlers_run_less_than_once_in_twenty_steps() -> None:
    result = check(system(clients=2))
    assert result.handler_calls * 20 < result.generated


class Forgetful(Server):
    """Accepts whatever it is asked, also what is older than its promise."""

    def is_older(self, message: Accept) -> bool:
        return False


def test_a_server_that_breaks_its_promise_is_caught() -> None:
    sane = system(clients=2)
    forgetful = {name: Forgetful(number=i) for i, name in enumerate(SERVERS)}
    result = check(sane.with_(processes={**sane.processes, **forgetful}))
    assert result.finding is not None
    assert result.finding.property == "agreement"


# --- plain Paxos, as the bench has it: written with the public names only --------------------------------


def test_plain_paxos_has_the_published_counts() -> None:
    result = check(plain_paxos())
    assert (result.states, result.generated) == (173_812, 801_487)
    assert result.verdict == "ok"
    assert result.handler_calls < 600


class Amnesiac(Acceptor):
    """Promises without saying what it has accepted."""

    def promise(self, message: Prepare) -> None:
        self.promised = message.ballot
        self.send(self.sender, Promise(message.ballot, 0, 0))


def test_plain_paxos_with_forgetful_acceptors_chooses_two_values() -> None:
    result = check(plain_paxos(acceptor=Amnesiac))
    assert result.finding is not None
    assert result.finding.property == "agreement"
