"""Where a host keeps who is being asked, and where the answers of people come in: wishes of the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sim.base.errors import ConfigError
from sim.host.adapter import Adapter, Question, Reply
from sim.host.journal import Journal
from sim.host.journal_records import Mail
from sim.host.person import WAITS, Answered, question_id
from sim.host.played import paid_for

if TYPE_CHECKING:
    from sim.host.hosted_session import HostedSession


class Desk:
    """The calls of a host that are under way. `tell` is told which wishes nothing comes of."""

    def __init__(
        self,
        journal: Journal,
        adapters: Mapping[str, Adapter],
        clock: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._journal, self._adapters, self._clock, self._tell = journal, adapters, clock, tell
        self._wishes: dict[int, int] = {}
        """By message: the wish by which a question about it was answered."""

    def called(self, adapter: Adapter, mail: Mail, question: Question) -> int | None:
        """Begins a call, and says when it began; None for one that costs nothing. One that waits for somebody goes on after a
        restart: nobody is asked twice."""
        if not getattr(adapter, "costs", True):
            return None
        known: Mapping[str, Any] | None = None
        if isinstance(adapter, Answered):
            before = self._journal.open_call(mail.id)
            if before is not None:
                return before
            known = adapter.waiting(question)
        began = max(self._clock(), 1 + self._journal.called_last(mail.id))
        self._journal.call(mail, began, **({WAITS: dict(known)} if known is not None else {}))
        return began

    def take(self, session: HostedSession, wish: int, said: Mapping[str, Any]) -> None:
        """Somebody answers. The wish is dropped in the transaction of the answer, or here if nothing comes of it; while the
        question is not asked yet, it stays."""
        if wish in self._wishes.values():
            return
        number, text = said.get("mail"), said.get("text")
        mail = next((one for queue in session.waiting.values() for one in queue if one.id == number), None)
        adapter = None if mail is None else self._adapters.get(mail.target)
        try:
            if mail is None or not isinstance(adapter, Answered):
                raise ConfigError("nobody is asked that")
            if adapter.told(session.key_of(mail.id), str(text)):
                self._wishes[mail.id] = wish
        except ConfigError as error:
            name = question_id(number) if isinstance(number, int) else number
            self._tell(f"session {session.name}: question {name}: {error.mistakes[0]}; nothing comes of this answer")
            self._journal.drop_wish(wish)

    def wish_for(self, mail: Mail) -> int | None:
        """The wish by which this was answered, if it was."""
        return self._wishes.get(mail.id)

    def in_vain(self, adapter: Adapter, mail: Mail, began_ms: int | None, reply: Reply) -> None:
        """A call has ended of which nothing came, but what it cost. A person is being asked still."""
        if began_ms is not None and not isinstance(adapter, Answered):
            self._journal.end_call(mail.id, began_ms, paid_for(reply, self._clock()))

    def done(self, mail: Mail) -> None:
        """Nobody is being asked about this message now."""
        self._wishes.pop(mail.id, None)
