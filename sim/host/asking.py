"""Asks adapters what became of the messages that a host has for the processes that they stand for, each one once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sim.host.adapter import Adapter, Reply
from sim.host.carrier import AGAIN_S
from sim.host.desk import Desk
from sim.host.hosted_session import HostedSession
from sim.host.journal_records import Mail
from sim.host.person import Answered
from sim.host.played import Cannot

if TYPE_CHECKING:
    from sim.host.host import Host


class Asking:
    """What is being asked. `step` is what a host does with an input; `idle` is called where nothing came of a question, `stop` where
    the host's limit lets no call begin any more and none is under way."""

    def __init__(
        self,
        host: Host,
        desk: Desk,
        step: Callable[[HostedSession, Callable[[], bool]], bool],
        idle: Callable[[HostedSession], None],
        stop: Callable[[HostedSession, str], None],
    ) -> None:
        self._host, self._desk, self._step, self._idle, self._stop = host, desk, step, idle, stop
        self.asked: set[int] = set()
        """The messages about which somebody is being asked."""

    def under_way(self, session: HostedSession, *, people: bool = True) -> bool:
        """Whether anybody is being asked in this session; without `people`, anybody but them."""
        adapters = self._host.adapters
        return any(
            mail.id in self.asked and (people or not isinstance(adapters[target], Answered))
            for target in session.cast.played
            for mail in session.waiting.get(target, ())
        )

    def begun(self, mail: Mail) -> bool:
        """Notes that somebody is to be asked about this message; False if somebody is already."""
        if mail.id in self.asked:
            return False
        self.asked.add(mail.id)
        return True

    async def ask(self, session: HostedSession, mail: Mail) -> None:
        """Ask an adapter about a message until there is an answer."""
        try:
            await self._until_answered(session, mail, self._host.adapters[mail.target])
        finally:
            self.asked.discard(mail.id)
            self._desk.done(mail)

    async def _until_answered(self, session: HostedSession, mail: Mail, adapter: Adapter) -> None:
        host, wait_s = self._host, AGAIN_S[0]
        while not session.over:
            question = session.question(mail)
            if question is None:  # it is deferred: the next step of the process looks again
                return self._idle(session)
            if getattr(adapter, "costs", True) and (why := host.limit(session.name)):
                return self._stop(session, why)
            began = self._desk.called(adapter, mail, question)
            answer: Awaitable[Reply] = adapter.ask(question)
            if host.observer is not None and began is not None:
                answer = host.observer.asking(host.journal, mail, adapter, answer)
            reply = await answer
            wish = self._desk.wish_for(mail)
            try:
                if not self._step(session, lambda: session.answer(mail, reply, began, wish)):  # noqa: B023 - called at once
                    self._desk.in_vain(adapter, mail, began, reply)
                    self._idle(session)
            except Cannot as error:
                self._desk.in_vain(adapter, mail, began, reply)
                hint_ms = reply.failure.reset_in_ms if reply.failure is not None else None
                this_s = max(wait_s, (hint_ms or 0) / 1000)
                host.tell(f"{mail.target}: {error.mistakes[0]}; it is asked again in {this_s:g} s")
                await asyncio.sleep(this_s)
                wait_s = min(AGAIN_S[1], 2 * wait_s)
                continue
            return None
        return None
