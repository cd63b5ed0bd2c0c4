"""Hosts under simulation: wherever they die, are told to stop, or lose a connection, what they have done is a path of the model, and
what was promised holds. Bugs that a host could have are found."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sim import check, fuzz
from sim.host import host
from sim.host.host import Host
from sim.host.hosted_session import HostedSession
from sim.host.journal import _INBOX, Journal
from sim.host.journal_records import Entry
from sim.host.link import Parcel, Receipt
from sim.machine.handler import Local, Outcome
from tests.host.live_council import AGENTS, SPLIT, WHOLE, Slow, program
from tests.live.small import installed_once  # noqa: F401

OF_AGENTS = "agent_timeout:1,rate_limited:1,empty_response:1,disconnect:1,reset:1,cut:1,split:1"
STEPS_MAX = 800
MEMORY = "/dev/shm"
WITHIN_S = 300.0
SLOW = dict.fromkeys(AGENTS, Slow())
WINDOW_S = 0.02
"""How long what should be one instant takes, in a bug."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are shorter: nobody has a wish that a host looks for all the time, and nobody waits for a disk."""
    monkeypatch.setattr(host, "WISHES_S", 3600.0)
    if os.access(MEMORY, os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", MEMORY)


def test_a_host_conforms_wherever_it_dies_or_is_told_to_stop() -> None:
    result = check(program("crash:2@host,cancel:1@host", WHOLE, SLOW, WITHIN_S), deviations=1)
    assert (result.finding, result.schedules > 40) == (None, True)


def test_it_conforms_whatever_its_agents_do() -> None:
    assert not fuzz(program(f"crash:1@host,{OF_AGENTS}"), schedules=25).found


def test_two_hosts_with_a_link_conform() -> None:
    faults = "crash:1@front,crash:1@back,reset:1,cut:1,split:1"
    assert not fuzz(program(faults, SPLIT, SLOW), schedules=6, max_steps=STEPS_MAX).found


@pytest.mark.soak
@pytest.mark.parametrize(
    ("parts", "faults", "adapters", "deviations"),
    [
        (WHOLE, "crash:2@host,cancel:1@host", SLOW, 2),
        (WHOLE, f"crash:2@host,cancel:1@host,{OF_AGENTS}", None, 1),
        (SPLIT, "crash:2@front,crash:2@back,cancel:1@front,reset:2,cut:1", SLOW, 1),
    ],
)
def test_every_schedule_with_so_few_deviations_conforms(
    parts: Any, faults: str, adapters: Any, deviations: int
) -> None:
    result = check(program(faults, parts, adapters, WITHIN_S), deviations=deviations)
    assert (result.finding, result.covered) == (None, deviations)


# --- bugs that a host could have ------------------------------------------------------------------------


def acknowledge_before_commit() -> None:
    """A message is acknowledged, and kept a moment later."""
    real = Host.receive

    def receive(self: Host, parcel: Parcel) -> Receipt:
        if parcel.mail.session not in self.running:
            return real(self, parcel)
        asyncio.get_running_loop().call_later(WINDOW_S, real, self, parcel)
        return Receipt(parcel.mail.id, True)

    Host.receive = receive  # type: ignore[method-assign]


def remember_it_apart() -> None:
    """That a message has come is kept a moment later than the message."""
    real = Journal._keep

    def keep(self: Journal, change: Any, entry: Entry) -> None:
        came, entry.came = entry.came, None
        real(self, change, entry)
        if came is not None:
            row = (came.journal, entry.session, came.source, came.target, came.opening, came.id)
            asyncio.get_running_loop().call_later(WINDOW_S, remember, self, row)

    def remember(self: Journal, row: Any) -> None:
        with self.database.writing() as change:
            change.do(_INBOX, *row)

    Journal._keep = keep  # type: ignore[method-assign]


def take_it_apart() -> None:
    """What was taken leaves what is in flight a moment later."""
    real = Journal._keep

    def keep(self: Journal, change: Any, entry: Entry) -> None:
        taken, entry.taken = entry.taken, None
        real(self, change, entry)
        entry.taken = taken
        if taken is not None:
            asyncio.get_running_loop().call_later(WINDOW_S, remove, self, taken.id)

    def remove(self: Journal, number: int) -> None:
        with self.database.writing() as change:
            change.do("DELETE FROM mail WHERE id = ?", number)

    Journal._keep = keep  # type: ignore[method-assign]


def of_hosts(**instead: Callable[..., Any]) -> None:
    """Handlers of hosts do this instead; those of the model that judges them stay as they are."""
    real = HostedSession.__init__

    def init(self: HostedSession, name: str, cast: Any, *rest: Any) -> None:
        real(self, name, cast, *rest)
        for handler in cast.handlers.values():
            vars(handler).update({called: partial(function, handler) for called, function in instead.items()})

    HostedSession.__init__ = init  # type: ignore[method-assign]


def forget_on_restart() -> None:
    """A restart does not call `on_restart`."""
    of_hosts(restart=lambda of, down, _: [Outcome(Local(of.initial_state, down.fields), (), (), (), None)])


PLANTED: dict[Callable[[], None], tuple[Any, str, str]] = {
    take_it_apart: (WHOLE, "crash:1@host", "came more often than it was sent"),
    forget_on_restart: (WHOLE, "crash:1@host", "lines are a path of the model"),
    acknowledge_before_commit: (SPLIT, "crash:1@back", "was sent and never came"),
    remember_it_apart: (SPLIT, "crash:1@back", "came more often than it was sent"),
}
"""With the hosts and the fault that show it, and what is said of it."""
TOUCHED = (
    (Host, "receive"),
    (Journal, "_keep"),
    (HostedSession, "__init__"),
)
LONG = [pytest.param(plant, marks=pytest.mark.soak) if PLANTED[plant][0] is SPLIT else plant for plant in PLANTED]


@pytest.mark.parametrize("plant", LONG, ids=lambda plant: plant.__name__)
def test_a_bug_in_a_host_is_found(plant: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in TOUCHED:
        monkeypatch.setattr(owner, name, vars(owner)[name])  # and back in the end
    plant()
    parts, faults, said = PLANTED[plant]
    result = check(program(faults, parts, SLOW, WITHIN_S), deviations=1)
    assert result.finding is not None
    assert said in result.finding.message
