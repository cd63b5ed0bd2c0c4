"""Names as 64 bits each, known once they were asked for."""

from __future__ import annotations

from types import CodeType
from typing import Any

from sim.base.mixer import key64
from sim.live.naming import bare, called

_tokens: dict[str, int] = {}
_codes: dict[int, tuple[CodeType, int]] = {}
"""By where it is: code hashes slowly, and while it is kept here nothing else is there."""


def callback_token(callback: Any) -> int:
    """64 bits for the name of a callback."""
    code = getattr(callback, "__code__", None)
    return token(called(callback)) if code is None else code_token(code)


def code_token(code: CodeType | None) -> int:
    """64 bits for the name of a piece of code."""
    if code is None:
        return 0
    known = _codes.get(id(code))
    if known is None:
        known = _codes[id(code)] = code, token(bare(code.co_qualname))
    return known[1]


def token(name: str) -> int:
    """64 bits for a name."""
    found = _tokens.get(name)
    if found is None:
        found = _tokens[name] = key64(name.encode())
    return found
