"""OpenAI's words: chat completions, responses and embeddings."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Sequence
from typing import Any

from sim.live.agents.asked import Asked, Json
from sim.live.agents.completion import Completion, tokens
from sim.live.agents.openai_responses import error_event, response, response_events
from sim.live.agents.provider import OVERLOADED, RATE_LIMITED, ErrorAnswer, Ids, Unanswerable, event, pieces, required

CHAT, RESPONSES, EMBEDDINGS = "/chat/completions", "/responses", "/embeddings"
_PATHS = (CHAT, RESPONSES, EMBEDDINGS)
REQUESTS_A_MINUTE, TOKENS_A_MINUTE = 500, 30_000
DIMENSIONS = 8
"""Of an embedding, unless the request says how many."""
DONE = "data: [DONE]\n\n"

_ERRORS = {
    RATE_LIMITED: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests per minute."),
    OVERLOADED: (
        503,
        "service_unavailable_error",
        "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
}
_SERVER_ERROR = 500, "server_error", None, "The server had an error while processing your request."


class OpenAI:
    """The provider."""

    def check(self, asked: Asked) -> None:
        if not asked.path.endswith(_PATHS):
            raise Unanswerable(404, f"Unknown request URL: {asked.path}; there are {', '.join(_PATHS)}")
        required(asked, "model", "messages" if asked.path.endswith(CHAT) else "input")

    def whole(self, asked: Asked, reply: Completion, ids: Ids) -> Json:
        if asked.path.endswith(EMBEDDINGS):
            return _embeddings(asked)
        if asked.path.endswith(RESPONSES):
            return response(asked, reply, ids)
        message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None, "annotations": []}
        if reply.calls:
            message["tool_calls"] = _calls(reply, ids)
        else:
            message["content"] = reply.text
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
        return {**_head(asked, ids, "chat.completion"), "choices": [choice], "usage": _usage(asked, reply)}

    def events(self, asked: Asked, reply: Completion, ids: Ids) -> Sequence[str]:
        if asked.path.endswith(RESPONSES):
            return response_events(asked, reply, ids)
        with_usage = bool((asked.posted.get("stream_options") or {}).get("include_usage"))
        head = {**_head(asked, ids, "chat.completion.chunk"), **({"usage": None} if with_usage else {})}
        deltas: list[Json] = [{"role": "assistant", "content": "" if not reply.calls else None, "refusal": None}]
        deltas += [{"content": piece} for piece in pieces(reply.text)]
        for at, call in enumerate(_calls(reply, ids)):
            function = call["function"]
            deltas.append({"tool_calls": [{"index": at, **call, "function": {**function, "arguments": ""}}]})
            for piece in pieces(function["arguments"]):
                deltas.append({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
        chunks = [_chunk(head, delta, None) for delta in deltas]
        chunks.append(_chunk(head, {}, _finish(reply)))
        if with_usage:
            chunks.append({**head, "choices": [], "usage": _usage(asked, reply)})
        return [*map(event, chunks), DONE]

    def headers(self, ids: Ids) -> Sequence[tuple[str, str]]:
        return (
            ("x-request-id", ids.of("req_", 32)),
            ("openai-version", "2020-10-01"),
            ("openai-organization", "simulated"),
            ("openai-processing-ms", "100"),
            ("x-ratelimit-limit-requests", str(REQUESTS_A_MINUTE)),
            ("x-ratelimit-remaining-requests", str(REQUESTS_A_MINUTE - 1)),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-limit-tokens", str(TOKENS_A_MINUTE)),
            ("x-ratelimit-remaining-tokens", str(TOKENS_A_MINUTE - 1)),
            ("x-ratelimit-reset-tokens", "2ms"),
        )

    def refusal(self, kind: str, hint_s: int | None, ids: Ids) -> ErrorAnswer:
        status, type_, code, message = _ERRORS.get(kind, _SERVER_ERROR)
        headers = [("x-request-id", ids.of("req_", 32))]
        if kind == RATE_LIMITED:
            headers.append(("x-ratelimit-remaining-requests", "0"))
        if hint_s is not None:
            headers += [("retry-after", str(hint_s)), ("retry-after-ms", str(1000 * hint_s))]
            headers.append(("x-ratelimit-reset-requests", f"{hint_s}s"))
        return ErrorAnswer(status, headers, _error(type_, code, message))

    def rejection(self, unanswerable: Unanswerable, ids: Ids) -> ErrorAnswer:
        body = _error("invalid_request_error", None, str(unanswerable))
        return ErrorAnswer(unanswerable.status, [("x-request-id", ids.of("req_", 32))], body)

    def breaks_off(self, asked: Asked, kind: str, ids: Ids) -> str:
        body = self.refusal(kind, None, ids).body
        return error_event(body["error"]) if asked.path.endswith(RESPONSES) else event(body)


def _error(type_: str, code: str | None, message: str) -> Json:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def _head(asked: Asked, ids: Ids, kind: str) -> Json:
    return {
        "id": ids.of("chatcmpl-"),
        "object": kind,
        "created": ids.at_s,
        "model": asked.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }


def _chunk(head: Json, delta: Json, finish: str | None) -> Json:
    return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def _calls(reply: Completion, ids: Ids) -> list[Json]:
    return [
        {
            "id": f"{ids.of('call_')}{at}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.json},
        }
        for at, call in enumerate(reply.calls)
    ]


def _finish(reply: Completion) -> str:
    return "tool_calls" if reply.calls else "stop"


def _usage(asked: Asked, reply: Completion) -> Json:
    used = reply.used(asked.everything)
    return {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "total_tokens": used.total_tokens,
        "prompt_tokens_details": {"cached_tokens": used.cached_input_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning_output_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _embeddings(asked: Asked) -> Json:
    given = asked.posted["input"]
    texts: list[Any] = given if isinstance(given, list) and not all(isinstance(one, int) for one in given) else [given]
    size = asked.posted.get("dimensions") or DIMENSIONS
    used = sum(tokens(one) if isinstance(one, str) else len(one) for one in texts)
    data = []
    for at, one in enumerate(texts):
        vector: object = _vector(str(one), size)
        if asked.posted.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{size}f", *_vector(str(one), size))).decode()
        data.append({"object": "embedding", "index": at, "embedding": vector})
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": asked.model, "usage": usage}


def _vector(text: str, size: int) -> list[float]:
    """Equal texts have equal vectors, of length 1; that others are near means nothing."""
    drawn = hashlib.shake_128(text.encode()).digest(size)
    parts = [byte - 127.5 for byte in drawn]
    length = sum(part * part for part in parts) ** 0.5
    return [part / length for part in parts]
