"""Agents over HTTP: a chat completion as OpenAI and many others answer it, and a message of Anthropic.

    ChatAgent("https://api.openai.com/v1/chat/completions", model="gpt-5", key_env="OPENAI_API_KEY",
              prompt=lambda ask: [{"role": "user", "content": f"Review {ask.stage}."}],
              parse=lambda text: "ok" if "LGTM" in text else "conflict")

| what happens | what comes of it |
|---|---|
| no answer in time, no connection, a broken stream, 429, 408, 5xx | the failure, for the model's fault; `Retry-After` as its hint |
| an answer without a text | `EMPTY`, with what it used |
| a body that is not JSON, no completion or too large | the answer `invalid` if the model has it, else the failure `INVALID` |
| a text that `parse` makes nothing of | the answer `invalid` if the model has it, else `AdapterError` |
| 401, 403, 404, any other 4xx, a used up quota, a redirect, an untrusted certificate | `AdapterError` |
| the same question comes to nothing 5 times, each of which may cost something | `AdapterError` |
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from sim.base.errors import ConfigError
from sim.base.values import Value
from sim.consensus import ErrorKind, Failure
from sim.host.adapter import AdapterError, Question, Reply
from sim.host.endpoint import BYTES_MAX, HttpEndpoint, Missed, texts_in
from sim.host.secret import Secret
from sim.host.tries import Tries
from sim.host.wording import INVALID, Parse, Prompt, answer_in, asked, unreadable
from sim.metrics import MetricsError, TokenUsage

FACT_MAX = 200
"""Characters of a fact that the other side has said."""


class Said(NamedTuple):
    """What is in an answer."""

    text: str
    reasons: tuple[str, ...]
    """Why it ends there."""


class HttpAgent:
    """What agents over HTTP share; `url`, `key_env`, `timeout_ms`, `bytes_max`, `headers`, `proxy` and `certificates` are
    those of an `HttpEndpoint`.

    - `prompt`: makes of a message, or of (message, question), the messages: dicts with `role` and `content`, or one text
    - `parse`: makes of the text an answer that the model's process could give
    - `key_env`: the name of the variable with the key; it is read with each request and kept nowhere
    - `options`: further keys of the request, such as `temperature`
    - `invalid`: what the model calls an answer that cannot be read
    """

    system: ClassVar[str]
    """Who is asked, as attributes of traces name it."""
    own: ClassVar[tuple[str, ...]] = ("model", "messages", "stream", "n")
    """Keys of a request that are not for `options`."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        prompt: Prompt,
        parse: Parse,
        key_env: str | None = None,
        timeout_ms: int = 120_000,
        bytes_max: int = BYTES_MAX,
        headers: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        invalid: Value = INVALID,
        proxy: str | None = None,
        certificates: str | Path | None = None,
    ) -> None:
        self.model, self.prompt, self.parse, self.invalid = model, prompt, parse, invalid
        self.key = None if key_env is None else Secret(key_env)
        self.options = dict(options or {})
        for name in self.options:
            if name in self.own:
                raise ConfigError(f"options: {name} is not one of them; it is said otherwise")
        self.endpoint = HttpEndpoint(
            url,
            key=self.key,
            timeout_ms=timeout_ms,
            bytes_max=bytes_max,
            headers=headers,
            proxy=proxy,
            certificates=certificates,
        )
        self._tries = Tries()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint.shown!r}, model={self.model!r})"

    async def close(self) -> None:
        await self.endpoint.close()

    async def ask(self, question: Question) -> Reply:
        facts: dict[str, Any] = {
            "gen_ai.system": self.system,
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": self.model,
        }
        body = self.body(_messages(asked(self.prompt, question, self.parse), question))
        try:
            headers = {"Idempotency-Key": question.key, **self.headers()}
            data = await self.endpoint.post(body, headers, facts)
        except Missed as missed:
            return self._missed(question, missed.failure, missed.facts)
        except AdapterError as error:
            raise AdapterError(f"{question.process}: {error.mistakes[0]}") from None
        return self._reply(question, data, facts)

    def _reply(self, question: Question, data: dict[str, Any], facts: dict[str, Any]) -> Reply:
        said = self.said(data)
        model = self._fact(data.get("model")) or self.model
        facts |= {"gen_ai.response.id": self._fact(data.get("id")), "gen_ai.response.model": model}
        if said is None:
            return self._missed(question, Failure(ErrorKind.INVALID), {**facts, "error.type": "no completion"})
        facts["gen_ai.response.finish_reasons"] = [*map(self._fact, said.reasons)]
        usage, text = self._usage(data), self.endpoint.clean(said.text)
        if not text.strip():
            return self._missed(question, Failure(ErrorKind.EMPTY), facts, usage, model)
        answer = answer_in(text, self.parse, question, self.invalid)
        self._tries.done(question)
        return Reply(answer, None, text, usage, model, facts)

    def _missed(
        self,
        question: Question,
        failure: Failure,
        facts: dict[str, Any],
        usage: TokenUsage | None = None,
        model: str | None = None,
    ) -> Reply:
        """The attempt came to nothing."""
        answer, left = unreadable(question, self.invalid) if failure.kind is ErrorKind.INVALID else (None, failure)
        if left is not None:
            self._tries.count(question, left, self.endpoint.shown)
        facts.setdefault("error.type", failure.kind.name.lower())
        return Reply(answer, left, None, usage, model or self.model, facts)

    def _usage(self, data: dict[str, Any]) -> TokenUsage | None:
        """What was used; None if the other side does not say, or says what cannot be."""
        try:
            return self.usage(data)
        except MetricsError:
            return None

    def _fact(self, said: object) -> str:
        return self.endpoint.clean(said)[:FACT_MAX] if isinstance(said, str) else ""

    # --- what differs -----------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """The headers that carry the key."""
        raise NotImplementedError

    def body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """What is posted."""
        raise NotImplementedError

    def said(self, data: dict[str, Any]) -> Said | None:
        """What was answered; None if this is not an answer."""
        raise NotImplementedError

    def usage(self, data: dict[str, Any]) -> TokenUsage:
        """The tokens that it says were used. Raises `MetricsError`."""
        raise NotImplementedError


class ChatAgent(HttpAgent):
    """An agent that an OpenAI-compatible endpoint answers for; `url` is that of its chat completions."""

    system = "openai"

    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key.value()}"}

    def body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        return {"model": self.model, "messages": messages, **self.options}

    def said(self, data: dict[str, Any]) -> Said | None:
        choices = data.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, Mapping) else None
        if not isinstance(first, Mapping) or not isinstance(message, Mapping):
            return None
        content = message.get("content")
        text = content if isinstance(content, str) else texts_in(content) if isinstance(content, list) else ""
        return Said(text, _reasons(first.get("finish_reason")))

    def usage(self, data: dict[str, Any]) -> TokenUsage:
        return TokenUsage.from_openai(data)


class AnthropicAgent(HttpAgent):
    """An agent that the messages API of Anthropic answers for."""

    system = "anthropic"
    own = ("model", "messages", "stream", "system", "max_tokens")

    def __init__(
        self,
        url: str = "https://api.anthropic.com/v1/messages",
        *,
        max_tokens: int = 4096,
        version: str = "2023-06-01",
        **rest: Any,
    ) -> None:
        super().__init__(url, **rest)
        self.max_tokens, self.version = max_tokens, version

    def headers(self) -> dict[str, str]:
        key = {} if self.key is None else {"x-api-key": self.key.value()}
        return {"anthropic-version": self.version, **key}

    def body(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        first = [one["content"] for one in messages if one["role"] in ("system", "developer")]
        rest = [one for one in messages if one["role"] not in ("system", "developer")]
        system = {"system": "\n\n".join(map(str, first))} if first else {}
        return {"model": self.model, "max_tokens": self.max_tokens, **system, "messages": rest, **self.options}

    def said(self, data: dict[str, Any]) -> Said | None:
        content = data.get("content")
        if not isinstance(content, list):
            return None
        return Said(texts_in(content), _reasons(data.get("stop_reason")))

    def usage(self, data: dict[str, Any]) -> TokenUsage:
        return TokenUsage.from_anthropic(data)


def _reasons(reason: object) -> tuple[str, ...]:
    return (reason,) if isinstance(reason, str) else ()


def _messages(prompt: Any, question: Question) -> list[dict[str, Any]]:
    """The messages that a prompt has made. Raises `AdapterError` for what is nothing that could be sent."""
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    made = [*prompt] if isinstance(prompt, list | tuple) else []
    if not made or not all(isinstance(one, Mapping) and {"role", "content"} <= {*one} for one in made):
        raise AdapterError(
            f"{question.process}: its prompt made {type(prompt).__name__}; expected a text, or a list of dicts with role and content"
        )
    return [dict(one) for one in made]
