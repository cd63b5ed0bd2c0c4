"""OpenAI's responses: the newer of its two ways to answer."""

from __future__ import annotations

from collections.abc import Sequence

from sim.live.agents.asked import Asked, Json
from sim.live.agents.completion import Completion
from sim.live.agents.provider import Ids, event, pieces

BEYOND = 10_000
"""Number of the event of an error: how many have come before is not known where a stream is broken off."""


def response(asked: Asked, reply: Completion, ids: Ids) -> Json:
    """An answer in one piece."""
    used = reply.used(asked.everything)
    usage = {
        "input_tokens": used.input_tokens,
        "input_tokens_details": {
            "cached_tokens": used.cached_input_tokens,
            "cache_write_tokens": used.cache_write_input_tokens,
        },
        "output_tokens": used.output_tokens,
        "output_tokens_details": {"reasoning_tokens": used.reasoning_output_tokens},
        "total_tokens": used.total_tokens,
    }
    return {**_begun(asked, ids), "status": "completed", "output": _items(reply, ids), "usage": usage}


def response_events(asked: Asked, reply: Completion, ids: Ids) -> Sequence[str]:
    """The same event by event; each has a number."""
    begun = _begun(asked, ids)
    found: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for at, item in enumerate(_items(reply, ids)):
        found += _message_events(at, item) if item["type"] == "message" else _call_events(at, item)
    found.append({"type": "response.completed", "response": response(asked, reply, ids)})
    return [event({**one, "sequence_number": number}, one["type"]) for number, one in enumerate(found)]


def error_event(error: Json) -> str:
    """The event that ends a stream in its midst. What it says stands in the event itself; its number is beyond all others."""
    said = {"code": error["code"], "message": error["message"], "param": error["param"]}
    return event({"type": "error", **said, "sequence_number": BEYOND}, "error")


def _begun(asked: Asked, ids: Ids) -> Json:
    """A response to which nothing is said yet."""
    posted = asked.posted
    return {
        "id": ids.of("resp_"),
        "object": "response",
        "created_at": ids.at_s,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": posted.get("instructions"),
        "max_output_tokens": posted.get("max_output_tokens"),
        "metadata": posted.get("metadata") or {},
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": posted.get("parallel_tool_calls", True),
        "previous_response_id": posted.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": posted.get("store", True),
        "temperature": posted.get("temperature", 1.0),
        "text": posted.get("text") or {"format": {"type": "text"}},
        "tool_choice": posted.get("tool_choice", "auto"),
        "tools": posted.get("tools") or [],
        "top_p": posted.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None,
    }


def _items(reply: Completion, ids: Ids) -> list[Json]:
    """What it consists of: the text, unless there are calls alone, and each call."""
    found: list[Json] = []
    if reply.text or not reply.calls:
        part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        message = {"id": ids.of("msg_"), "type": "message", "status": "completed", "role": "assistant"}
        found.append({**message, "content": [part]})
    for at, call in enumerate(reply.calls):
        names = {"id": f"{ids.of('fc_')}{at}", "call_id": f"{ids.of('call_')}{at}", "name": call.name}
        found.append({"type": "function_call", "status": "completed", **names, "arguments": call.json})
    return found


def _message_events(at: int, item: Json) -> list[Json]:
    (part,) = item["content"]
    where = {"item_id": item["id"], "output_index": at, "content_index": 0}
    empty = {**part, "text": ""}
    return [
        _added(at, {**item, "status": "in_progress", "content": []}),
        {"type": "response.content_part.added", **where, "part": empty},
        *(
            {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
            for piece in pieces(part["text"])
        ),
        {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        _done(at, item),
    ]


def _call_events(at: int, item: Json) -> list[Json]:
    where = {"item_id": item["id"], "output_index": at}
    said, kind = item["arguments"], "response.function_call_arguments"
    return [
        _added(at, {**item, "status": "in_progress", "arguments": ""}),
        *({"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces(said)),
        {"type": f"{kind}.done", **where, "name": item["name"], "arguments": said},
        _done(at, item),
    ]


def _added(at: int, item: Json) -> Json:
    return {"type": "response.output_item.added", "output_index": at, "item": item}


def _done(at: int, item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": at, "item": item}
