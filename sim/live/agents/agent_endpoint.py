"""An endpoint: the server that answers as a provider does, one request after the other on each connection."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.base.errors import ModelError
from sim.live import emitting
from sim.live.agents import http
from sim.live.agents.agent_exchange import AgentExchange, RefusedExchange, refused, said
from sim.live.agents.answers import Answers, answering
from sim.live.agents.asked import Asked
from sim.live.agents.completion import Completion
from sim.live.agents.provider import RATE_LIMITED, Ids, Provider, Unanswerable
from sim.live.clocks import EPOCH_S
from sim.live.net.exchange import Exchange, hint_s
from sim.live.net.stream_socket import StreamSocket
from sim.live.surroundings import surroundings
from sim.machine.used import Used

if TYPE_CHECKING:
    from sim.live.execution import Execution


UNTOLD_S = 1
"""How long a limit lasts without a hint."""


@dataclass(frozen=True)
class Limit:
    """Who has asked too much is refused for a while: as long as the hint says, or for a second that nobody tells him."""

    since_s: float
    hint_s: int | None

    def holds(self, now_s: float) -> bool:
        return now_s < self.since_s + (UNTOLD_S if self.hint_s is None else self.hint_s)

    def left_s(self, now_s: float) -> int | None:
        """The hint of now."""
        return None if self.hint_s is None else math.ceil(self.since_s + self.hint_s - now_s)


class AgentEndpoint:
    """One of a run. Raises `ModelError` for answers that it cannot give."""

    def __init__(self, run: Execution, provider: Provider, answers: Answers) -> None:
        self._run, self._provider = run, provider
        self._answer = answering(answers)
        self._asked = 0
        self._before: Ids | None = None
        self._limits: dict[str, Limit] = {}
        """By model."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The handler of each connection."""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
                while request := await http.read_request(reader):
                    self._respond(request, writer)
                    await writer.drain()
        finally:
            writer.close()

    def _respond(self, request: http.Request, writer: asyncio.StreamWriter) -> None:
        self._asked += 1
        ids, provider = Ids(self._asked, EPOCH_S + int(self._run.now_s())), self._provider
        try:
            asked = Asked(request.path, _posted(request), request.headers, self._asked)
            provider.check(asked)
        except Unanswerable as error:
            self._send(writer, RefusedExchange(), [said(provider.rejection(error, ids))])
            return
        if (limit := self._limits.get(asked.model)) is not None and limit.holds(self._run.now_s()):
            left_s = limit.left_s(self._run.now_s())
            self._send(writer, RefusedExchange(), [refused(provider, RATE_LIMITED, left_s, ids)])
            return
        try:
            answers = self._answer(asked)
        except ModelError as error:
            raise surroundings.refuse(f"the endpoint {self._run.owner}: {error}", is_here=False) from None
        exchange = AgentExchange(provider, asked, answers, ids, self._before, self._arrives)
        self._before = ids
        self._send(writer, exchange, exchange.sent())

    def _send(self, writer: asyncio.StreamWriter, exchange: Exchange, parts: Iterable[bytes]) -> None:
        end = self._run.kernel.files.get(writer.get_extra_info("socket").fileno())
        if not isinstance(end, StreamSocket):
            raise ConnectionResetError  # it is gone
        end.out.answers(exchange)
        for part in parts:
            writer.write(part)

    def _arrives(self, asked: Asked, reply: Completion | None, how: str) -> None:
        """An answer begins to arrive, or this fault happens to it; None: none is paid for."""
        if how.startswith(RATE_LIMITED):
            self._limits[asked.model] = Limit(self._run.now_s(), hint_s(how))
        if reply is None:
            return
        usage = reply.used(asked.everything)
        emitting.emit(
            Used(
                "",
                "",
                asked.model,
                1,
                usage.input_tokens,
                usage.output_tokens,
                usage.cached_input_tokens,
                usage.cache_write_input_tokens,
                usage.reasoning_output_tokens,
            )
        )


def _posted(request: http.Request) -> dict[str, object]:
    try:
        posted = json.loads(request.body or b"{}")
    except ValueError:
        raise Unanswerable(400, "the body is not JSON") from None
    if not isinstance(posted, dict):
        raise Unanswerable(400, "the body is not an object of JSON")
    return posted
