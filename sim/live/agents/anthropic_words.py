"""Anthropic's words: messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sim.live.agents.asked import Asked, Json
from sim.live.agents.completion import Completion
from sim.live.agents.provider import OVERLOADED, RATE_LIMITED, ErrorAnswer, Ids, Unanswerable, event, pieces, required

MESSAGES = "/messages"
LIMITS = {"requests": 50, "input-tokens": 30_000, "output-tokens": 8_000, "tokens": 38_000}
"""Of each kind, how many there may be in a minute."""

_ERRORS = {
    RATE_LIMITED: (429, "rate_limit_error", "This request would exceed your organization's rate limit."),
    OVERLOADED: (529, "overloaded_error", "Overloaded"),
}
_SERVER_ERROR = 500, "api_error", "Internal server error"
_OF_STATUS = {404: "not_found_error"}


class Anthropic:
    """The provider."""

    def check(self, asked: Asked) -> None:
        if not asked.path.endswith(MESSAGES):
            raise Unanswerable(404, f"Not found: {asked.path}; there is {MESSAGES}")
        required(asked, "model", "max_tokens", "messages")

    def whole(self, asked: Asked, reply: Completion, ids: Ids) -> Json:
        ends = "tool_use" if reply.calls else "end_turn"
        return {**_begun(asked, reply, ids), "content": _blocks(reply, ids), "stop_reason": ends}

    def events(self, asked: Asked, reply: Completion, ids: Ids) -> Sequence[str]:
        begun, whole = _begun(asked, reply, ids), self.whole(asked, reply, ids)
        usage = whole["usage"]
        found: list[Json] = [
            {
                "type": "message_start",
                "message": {**begun, "usage": {**usage, "output_tokens": min(1, usage["output_tokens"])}},
            }
        ]
        for at, block in enumerate(whole["content"]):
            is_text = block["type"] == "text"
            empty = {**block, "text": ""} if is_text else {**block, "input": {}}
            said = block["text"] if is_text else reply.calls[_call(block)].json
            kind, key = ("text_delta", "text") if is_text else ("input_json_delta", "partial_json")
            found.append({"type": "content_block_start", "index": at, "content_block": empty})
            for piece in pieces(said):
                delta = {"type": kind, key: piece}
                found.append({"type": "content_block_delta", "index": at, "delta": delta})
            found.append({"type": "content_block_stop", "index": at})
        ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        spent = {"output_tokens": usage["output_tokens"]}
        found += [{"type": "message_delta", "delta": ending, "usage": spent}, {"type": "message_stop"}]
        return [event(one, one["type"]) for one in found]

    def headers(self, ids: Ids) -> Sequence[tuple[str, str]]:
        reset = datetime.fromtimestamp(ids.at_s + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = [("request-id", ids.of("req_")), ("anthropic-organization-id", "simulated")]
        for kind, limit in LIMITS.items():
            name = f"anthropic-ratelimit-{kind}"
            found += [(f"{name}-limit", str(limit)), (f"{name}-remaining", str(limit - 1)), (f"{name}-reset", reset)]
        return found

    def refusal(self, kind: str, hint_s: int | None, ids: Ids) -> ErrorAnswer:
        status, type_, message = _ERRORS.get(kind, _SERVER_ERROR)
        headers = [("request-id", ids.of("req_"))]
        if kind == RATE_LIMITED:
            headers.append(("anthropic-ratelimit-requests-remaining", "0"))
        if hint_s is not None:
            headers.append(("retry-after", str(hint_s)))
        return ErrorAnswer(status, headers, _error(type_, message, ids))

    def rejection(self, unanswerable: Unanswerable, ids: Ids) -> ErrorAnswer:
        type_ = _OF_STATUS.get(unanswerable.status, "invalid_request_error")
        return ErrorAnswer(unanswerable.status, [("request-id", ids.of("req_"))], _error(type_, str(unanswerable), ids))

    def breaks_off(self, _asked: Asked, kind: str, ids: Ids) -> str:
        return event(self.refusal(kind, None, ids).body, "error")


def _error(type_: str, message: str, ids: Ids) -> Json:
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": ids.of("req_")}


def _begun(asked: Asked, reply: Completion, ids: Ids) -> Json:
    """A message in which nothing is said yet."""
    used = reply.used(asked.everything)
    usage = {
        "input_tokens": used.input_tokens - used.cached_input_tokens - used.cache_write_input_tokens,
        "cache_creation_input_tokens": used.cache_write_input_tokens,
        "cache_read_input_tokens": used.cached_input_tokens,
        "output_tokens": used.output_tokens,
        "service_tier": "standard",
    }
    return {
        "id": ids.of("msg_"),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _blocks(reply: Completion, ids: Ids) -> list[Json]:
    """What it consists of: the text, if there is any, and each call."""
    found: list[Json] = [{"type": "text", "text": reply.text}] if reply.text else []
    for at, call in enumerate(reply.calls):
        named: dict[str, Any] = {"type": "tool_use", "id": f"{ids.of('toolu_')}-{at}", "name": call.name}
        found.append({**named, "input": dict(call.arguments)})
    return found


def _call(block: Json) -> int:
    return int(block["id"].rpartition("-")[2])
