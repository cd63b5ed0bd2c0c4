"""One answer of an endpoint on its way: what it is, and what it may become instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sim.live.agents import http
from sim.live.agents.asked import Asked
from sim.live.agents.completion import Completion, OneOf
from sim.live.agents.provider import OVERLOADED, REFUSALS, SERVER_ERROR, ErrorAnswer, Ids, Provider
from sim.live.net.exchange import (
    AGENT_TIMEOUT,
    CHOOSING,
    DISCONNECT,
    EMPTY_RESPONSE,
    RATE_LIMITED,
    hint_s,
)

MALFORMED, CONTRADICTION, REPEATED_ID = "malformed", "contradiction", "repeated_id"
ALWAYS = (AGENT_TIMEOUT, RATE_LIMITED, SERVER_ERROR, OVERLOADED, EMPTY_RESPONSE, DISCONNECT, MALFORMED)
"""What may become of any answer."""
IN_THE_MIDST = (DISCONNECT, SERVER_ERROR, OVERLOADED)
"""What may break off a stream."""


def refused(provider: Provider, kind: str, hint: int | None, ids: Ids) -> bytes:
    """The answer that there is none."""
    return said(provider.refusal(kind, hint, ids))


def said(refusal: ErrorAnswer) -> bytes:
    return http.whole(refusal.status, refusal.headers, json.dumps(refusal.body).encode())


class RefusedExchange:
    """The answer that there is none: it may be late or break off, and nothing else comes of it."""

    choices: Sequence[str] = ()

    def faults(self, *, begun: bool) -> Sequence[str]:
        return (DISCONNECT,) if begun else (AGENT_TIMEOUT, DISCONNECT)

    def instead(self, how: str, *, begun: bool) -> Sequence[bytes]:
        raise NotImplementedError  # none of its faults has anything in its place

    def arrives(self, how: str) -> None:
        pass


@dataclass(eq=False)
class AgentExchange:
    """An answer to what was `asked`: an `sim.live.net.exchange.Exchange`."""

    provider: Provider
    asked: Asked
    answers: OneOf
    ids: Ids
    before: Ids | None
    """Those of the answer before, if there was one."""
    told: Callable[[Asked, Completion | None, str], None]
    """Is told once what has become of it, with the answer that is paid for."""
    arrived: bool = False

    @property
    def choices(self) -> Sequence[str]:
        return self.answers.words

    @property
    def reply(self) -> Completion:
        """What is answered as usual."""
        return self.answers.replies[0]

    def faults(self, *, begun: bool) -> Sequence[str]:
        if begun:
            return IN_THE_MIDST if self.asked.streams else (DISCONNECT,)
        contrary = (CONTRADICTION,) if self.reply.contrary is not None else ()
        return (*ALWAYS, *contrary, *((REPEATED_ID,) if self.before is not None else ()))

    def arrives(self, how: str) -> None:
        if not self.arrived:
            self.arrived = True
            self.told(self.asked, None if how.partition("(")[0] in REFUSALS else self._said(how), how)

    def sent(self) -> list[bytes]:
        """All of it, as usual."""
        return self._parts(self.reply, self.ids)

    def instead(self, how: str, *, begun: bool) -> Sequence[bytes]:
        kind = how.partition("(")[0]
        if begun:
            return [http.chunk(self.provider.breaks_off(self.asked, kind, self.ids)), http.LAST_CHUNK]
        if kind in REFUSALS:
            return [refused(self.provider, kind, hint_s(how), self.ids)]
        if kind == MALFORMED:
            return self._malformed()
        ids = self.before if kind == REPEATED_ID and self.before is not None else self.ids
        return self._parts(self._said(how), ids)

    def _said(self, how: str) -> Completion:
        """What is answered if this happens."""
        if how.startswith(CHOOSING):
            return self.answers.replies[self.answers.words.index(how.removeprefix(CHOOSING))]
        if how == EMPTY_RESPONSE:
            return Completion("")
        if how == CONTRADICTION:
            return replace(self.reply, text=self.reply.contrary or "")
        return self.reply

    def _parts(self, reply: Completion, ids: Ids) -> list[bytes]:
        headers = self.provider.headers(ids)
        if self.asked.streams:
            return http.streamed(200, headers, self.provider.events(self.asked, reply, ids))
        body = json.dumps(self.provider.whole(self.asked, reply, ids)).encode()
        return [http.whole(200, headers, body)]

    def _malformed(self) -> list[bytes]:
        """JSON that breaks off in the middle: all of it, or that of the event in the middle of a stream."""
        headers = self.provider.headers(self.ids)
        if not self.asked.streams:
            body = json.dumps(self.provider.whole(self.asked, self.reply, self.ids)).encode()
            return [http.whole(200, headers, body[: len(body) // 2])]
        events = self.provider.events(self.asked, self.reply, self.ids)
        half = len(events) // 2
        return http.streamed(200, headers, [*events[:half], events[half][: len(events[half]) // 2] + "\n\n"])
