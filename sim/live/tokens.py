"""64 bits for what runs, by its name; made once for each."""

from __future__ import annotations

from typing import Any

from sim.base.mixer import key64
from sim.live.naming import called

_tokens: dict[str, int] = {}
_callbacks: dict[Any, int] = {}
"""By the code of a callback."""


def token_of(callback: Any) -> int:
    """64 bits for the name of a callback."""
    code = getattr(callback, "__code__", None)
    if code is None:
        return token(called(callback))
    found = _callbacks.get(code)
    if found is None:
        found = _callbacks[code] = token(called(callback))
    return found


def token(name: str) -> int:
    """64 bits for a name."""
    found = _tokens.get(name)
    if found is None:
        found = _tokens[name] = key64(name.encode())
    return found
