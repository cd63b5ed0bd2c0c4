"""What a host takes of other hosts: what is for it, in the order of sending, and each message once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.host.hosted_session import HostedSession
from sim.host.in_flight import refused as refused_by
from sim.host.journal_records import SENT_BITS, Came
from sim.host.link import Parcel, Receipt, Sender

if TYPE_CHECKING:
    from sim.host.host import Host

KNOWN = 1_000
"""How many hosts are remembered as greeted."""


class Arrivals:
    """What comes to this host over links; `step`, `after` and `fail` are what a host does with an input, after it, and when
    it cannot go on."""

    def __init__(
        self,
        host: Host,
        step: Callable[[HostedSession, Callable[[], bool]], bool],
        after: Callable[[HostedSession], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.host = host
        self._step, self._after, self._fail = step, after, fail
        self._openings: dict[str, str] = {}
        """Of each journal, the start of its host that was heard of last."""

    def greet(self, sender: Sender) -> str:
        """Why nothing is taken of this host; empty if all is well."""
        if self._openings.get(sender.journal) == sender.opening:
            return ""
        host = self.host
        if sender.model and host.model and sender.model != host.model:
            return f"here is {host.model}, not {sender.model}"
        if host.journal.came_besides(sender.journal, sender.opening) >> SENT_BITS >= sender.since:
            return "its journal was put back from an older copy: messages came of it here that it knows nothing of"
        if len(self._openings) >= KNOWN:
            self._openings.clear()  # who comes again is looked at again
        self._openings[sender.journal] = sender.opening
        return ""

    def receive(self, parcel: Parcel) -> Receipt:
        """What becomes of a message. What goes wrong here ends this host, not the one that has sent it."""
        try:
            refused = self._refused(parcel)
        except Exception as error:
            self._fail(error)
            refused = ""
        return Receipt(parcel.mail.id, refused is None, refused or "")

    def _refused(self, parcel: Parcel) -> str | None:
        """Why this message is not kept; empty if that is to be tried again, None if it is kept."""
        host, mail, sender = self.host, parcel.mail, parcel.sender
        if refused := self.greet(sender):
            return refused
        last = host.journal.came_last(sender.journal, mail.way)
        if mail.id <= last:
            return None
        session = host.running.get(mail.session)
        if session is None and host.journal.state_of(mail.session) == "over":
            return None  # nobody takes it any longer, so nobody has to send it
        if session is None or host.failure is not None:
            return ""
        if refused := refused_by(session.cast, mail):
            return refused
        if parcel.after != last:
            return "what came before it is not what was sent: one of the journals is another, or an older copy"
        self._take(session, parcel)
        return None

    def _take(self, session: HostedSession, parcel: Parcel) -> None:
        mail, sender = parcel.mail, parcel.sender
        came = Came(sender.journal, sender.opening, mail.source, mail.target, mail.id)
        ahead = session.cast.network(mail.source, mail.target) == "fifo" and any(
            one.source == mail.source for one in session.waiting.get(mail.target, ())
        )
        now = mail.target in session.cast.here and not ahead and not mail.texts
        if now and self._step(session, lambda: session.deliver(mail, came)):
            return
        session.put_aside(mail, came, parcel.texts)
        self._after(session)
