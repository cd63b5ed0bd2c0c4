"""What a model answers: a text, calls of tools, or one of several answers that the schedule chooses from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.metrics import TokenUsage

LETTERS_A_TOKEN = 4
"""So many letters are about one token of English, which is how tokens are counted where nobody says them."""


@dataclass(frozen=True)
class ToolCall:
    """A tool is to be called: by its name, with these arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> str:
        return json.dumps(dict(self.arguments))


@dataclass(frozen=True)
class Completion:
    """One answer.

    - `text`: what it says
    - `calls`: the tools that it calls
    - `usage`: the tokens that are paid for it; without it they are counted by their letters
    - `contrary`: what it says in a schedule in which `contradiction` strikes it; without it that cannot
    """

    text: str = ""
    calls: Sequence[ToolCall] = ()
    usage: TokenUsage | None = None
    contrary: str | None = None

    def used(self, prompt: str) -> TokenUsage:
        """The tokens of this answer to `prompt`."""
        if self.usage is not None:
            return self.usage
        said = self.text + "".join(call.name + call.json for call in self.calls)
        return TokenUsage(tokens(prompt), tokens(said))


@dataclass(frozen=True)
class OneOf:
    """One of these answers, whichever the schedule chooses; as usual it is the first."""

    replies: tuple[Completion, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What schedules call each of them."""
        if len(self.replies) < 2:
            return ()
        found: dict[str, None] = {}
        for reply in self.replies:
            word = slug = _word(reply)
            number = 1
            while word in found:
                number += 1
                word = f"{slug}-{number}"
            found[word] = None
        return tuple(found)


def one_of(*answers: str | Completion) -> OneOf:
    """One of these answers, whichever the schedule chooses; as usual it is the first."""
    return OneOf(tuple(reply for answer in answers for reply in replies_of(answer).replies))


def replies_of(answer: object) -> OneOf:
    """What an answer may be. Raises `ModelError` for what is not one."""
    if isinstance(answer, OneOf) and answer.replies:
        return answer
    if isinstance(answer, Completion):
        return OneOf((answer,))
    if isinstance(answer, str):
        return OneOf((Completion(answer),))
    raise ModelError(f"{describe(answer)} is not an answer; write a text, Completion(...) or one_of('yes', 'no')")


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // LETTERS_A_TOKEN)


def _word(reply: Completion) -> str:
    said = reply.text or "-".join(call.name for call in reply.calls)
    return re.sub(r"[^\w.-]+", "-", said)[:30].strip("-") or "nothing"
