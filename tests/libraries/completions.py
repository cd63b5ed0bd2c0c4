"""What the services of language models answer: as a whole, or event by event."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

Json = dict[str, Any]


def number_in(messages: list[Json]) -> int:
    """The number in the last message."""
    content = messages[-1]["content"]
    text = content if isinstance(content, str) else json.dumps(content)
    return int(re.findall(r"\d+", text)[-1])


def openai(path: str, posted: Json) -> Json | AsyncIterator[str]:
    """As `/v1/chat/completions`. Where there is a tool that squares it is called, and what it gives is the answer."""
    number = number_in(posted["messages"])
    told = posted["messages"][-1]["role"] == "tool"
    text = str(number if told else number**2)
    head = {"id": "c", "created": 1, "model": posted["model"]}
    if posted.get("stream"):
        return _openai_events(head, text)
    message: Json = {"role": "assistant", "content": text}
    if posted.get("tools") and not told:
        called = {"name": posted["tools"][0]["function"]["name"], "arguments": json.dumps({"number": number})}
        message = {"role": "assistant", "tool_calls": [{"id": "t", "type": "function", "function": called}]}
    choice = {"index": 0, "finish_reason": "tool_calls" if "tool_calls" in message else "stop", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage}


async def _openai_events(head: Json, text: str) -> AsyncIterator[str]:
    for letter in text:
        choice = {"index": 0, "delta": {"content": letter}, "finish_reason": None}
        yield _data({**head, "object": "chat.completion.chunk", "choices": [choice]})
    yield "data: [DONE]\n\n"


def anthropic(path: str, posted: Json) -> Json | AsyncIterator[str]:
    """As `/v1/messages`."""
    text = str(number_in(posted["messages"]) ** 2)
    message = {"id": "m", "type": "message", "role": "assistant", "model": posted["model"], "stop_sequence": None}
    message["usage"] = {"input_tokens": 1, "output_tokens": 1}
    if posted.get("stream"):
        return _anthropic_events({**message, "content": [], "stop_reason": None}, text)
    return {**message, "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}


async def _anthropic_events(message: Json, text: str) -> AsyncIterator[str]:
    events: list[Json] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in text),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    for event in events:
        yield f"event: {event['type']}\n{_data(event)}"


def _data(event: Json) -> str:
    return f"data: {json.dumps(event)}\n\n"
