"""What a model is asked, whichever provider's words it came in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request.

    - `path`: where it was sent, such as `/v1/chat/completions`
    - `posted`: all that was sent, as data
    - `headers`: by their names in small letters
    - `number`: the how many-th request of its endpoint in this run, from 1
    """

    path: str
    posted: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    number: int = 1

    @property
    def model(self) -> str:
        """The model that is to answer."""
        return str(self.posted["model"])

    @property
    def streams(self) -> bool:
        """Whether the answer is to come event by event."""
        return bool(self.posted.get("stream"))

    @property
    def messages(self) -> list[Json]:
        """The conversation, the last message at the end; of an embedding what is to be embedded."""
        found = self.posted.get("messages") or self.posted.get("input") or []
        each = [found] if isinstance(found, str) else found
        return [one if isinstance(one, dict) else {"role": "user", "content": str(one)} for one in each]

    @property
    def prompt(self) -> str:
        """The last message, as text."""
        return _text(self.messages[-1]) if self.messages else ""

    @property
    def everything(self) -> str:
        """All that the model has to read, as text."""
        before = [self.posted.get(part) for part in ("system", "instructions")]
        tools = self.posted.get("tools")
        texts = [*map(_text, filter(None, before)), *map(_text, self.messages), json.dumps(tools) if tools else ""]
        return "\n".join(filter(None, texts))


def _text(part: Any) -> str:
    """The words in a message or a part of one."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "\n".join(filter(None, map(_text, part)))
    if isinstance(part, dict):
        inner = next((part[key] for key in ("content", "text", "output") if part.get(key) is not None), "")
        return _text(inner)
    return ""
