"""Bugs that a host could have, planted: each breaks a promise that kills at random moments must find out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

from sim.host import taken_over
from sim.host.carrier import Carrier
from sim.host.host import Host
from sim.host.hosted_session import HostedSession, Step
from sim.host.journal import Journal
from sim.host.journal_records import Entry
from sim.host.link import Parcel, Receipt
from sim.host.stream import Stream
from sim.machine.handler import Handler, Local, Outcome
from sim.machine.table import DOWN

WINDOW_S = 0.02
"""How long what should be one instant takes."""


def acknowledge_before_commit() -> None:
    """A message is acknowledged, and kept a moment later: what comes behind it has to wait meanwhile."""
    real = Host.receive
    late: set[tuple[str, int]] = set()

    def receive(self: Host, parcel: Parcel) -> Receipt:
        mark = (parcel.sender.journal, parcel.mail.id)
        if (late and mark not in late) or parcel.mail.session not in self.running:
            return Receipt(parcel.mail.id, False)
        if mark not in late:
            late.add(mark)
            asyncio.get_running_loop().call_later(4 * WINDOW_S, commit, self, parcel, mark)
        return Receipt(parcel.mail.id, True)

    def commit(self: Host, parcel: Parcel, mark: tuple[str, int]) -> None:
        late.discard(mark)
        real(self, parcel)

    Host.receive = receive  # type: ignore[method-assign]


def keep_what_is_not_durable() -> None:
    """A restart begins with all fields as they were."""
    taken_over.durable = lambda machine: list(type(machine).table.fields)  # type: ignore[attr-defined]

    def down(self: Handler, fields: tuple[Any, ...], state: str = DOWN) -> Local:
        return Local(state, fields)

    Handler.down = down  # type: ignore[method-assign]


def forget_on_restart() -> None:
    """A restart does not call `on_restart`."""

    def restart(self: Handler, down: Local, decide: Any = None) -> list[Outcome]:
        return [Outcome(Local(self.initial_state, down.fields), (), (), (), None)]

    Handler.restart = restart  # type: ignore[method-assign]


def forget_timers_of_restart() -> None:
    """What is armed when a session goes on never fires."""
    real_recover, real_after = HostedSession.recover, Host._after
    inputs: dict[int, int] = {}

    def recover(self: HostedSession) -> None:
        inputs[id(self)] = 8
        real_recover(self)

    def after(self: Host, session: HostedSession) -> None:
        if inputs.get(id(session), 0):
            inputs[id(session)] -= 1
            session.armed.clear()
        real_after(self, session)

    HostedSession.recover = recover  # type: ignore[method-assign]
    Host._after = after  # type: ignore[method-assign]


def send_before_commit() -> None:
    """A message to another host is brought there first, and kept in the outbox behind it."""
    carriers: list[Carrier] = []
    real_init, real_keep = Carrier.__init__, HostedSession._keep

    def init(self: Carrier, *given: Any) -> None:
        carriers.append(self)
        real_init(self, *given)

    def keep(self: HostedSession, entry: Step) -> None:
        for mail in entry.sent:
            for carrier in carriers:
                if mail.target in carrier.targets:
                    before = [one.id for one in self.journal.mail(self.name, [mail.target]) if one.way == mail.way]
                    after = max([*before, self.journal.arrived_last(mail.way)])
                    texts = self.journal.texts(mail.texts)
                    parcel = Parcel(carrier.sender, mail, after, texts)
                    thread = threading.Thread(target=_bring, args=(carrier.link, parcel))
                    thread.start()
                    thread.join()
                    time.sleep(WINDOW_S)
        real_keep(self, entry)

    Carrier.__init__ = init  # type: ignore[method-assign]
    HostedSession._keep = keep  # type: ignore[method-assign]


def _bring(link: Stream, parcel: Parcel) -> None:
    async def bring() -> None:
        again = Stream(link.endpoint.address)
        try:
            await asyncio.wait_for(again.carry([parcel]), 1)
        except (OSError, TimeoutError):
            pass
        finally:
            await again.close()

    asyncio.run(bring())


def keep_texts_apart() -> None:
    """Payloads are kept a moment after the input that brought them."""
    real = Journal._keep

    def keep(self: Journal, change: Any, entry: Entry) -> None:
        texts, entry.texts = entry.texts, {}
        real(self, change, entry)
        if texts:
            later = Entry(entry.session, texts=texts)
            asyncio.get_running_loop().call_later(2 * WINDOW_S, Journal.keep, self, later)

    Journal._keep = keep  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "acknowledge before commit": acknowledge_before_commit,
    "a field that is not durable survives a restart": keep_what_is_not_durable,
    "on_restart is not called": forget_on_restart,
    "timers of a restart are not kept": forget_timers_of_restart,
    "sent before commit": send_before_commit,
    "texts outside of the transaction": keep_texts_apart,
}
EVIDENCE = {
    "acknowledge before commit": "was sent and never came",
    "a field that is not durable survives a restart": "field .*: log .*, model",
    "on_restart is not called": "outputs: log nothing, model AckDecision",
    "timers of a restart are not kept": "it hangs",
    "sent before commit": "does not conform|came more often",
    "texts outside of the transaction": "it hangs|texts of",
}
"""What is to be said of each: that something else is wrong, or that a slow machine was not waited for, finds no bug."""
