"""Keys from the environment, each known as its variable. They are read when they are needed and kept nowhere; what others
say is shown without them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from sim.host.adapter import AdapterError

HIDDEN_FROM = 8
"""Characters from which on a value is taken for a secret wherever it stands; a shorter one is part of too many words."""


class Secret:
    """The value of a variable. It is not part of this object, so nothing that prints or stores it has it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def value(self) -> str:
        """What is in the variable now. Raises `AdapterError` if nothing is, or nothing that a key could be."""
        found = os.environ.get(self.name, "").strip()
        if not found:
            raise AdapterError(f"the variable {self.name} is not set; put the key into it")
        if not found.isascii() or not found.isprintable() or " " in found:
            raise AdapterError(f"the variable {self.name} holds characters that no key has; put the key alone into it")
        return found


def environment(names: Iterable[str]) -> dict[str, str]:
    """Those of these variables that are set."""
    return {name: os.environ[name] for name in names if name in os.environ}


def hidden(text: str, secrets: Iterable[Secret]) -> str:
    """The text without the values of these, with the variable in place of each."""
    for secret in secrets:
        value = os.environ.get(secret.name, "").strip()
        if len(value) >= HIDDEN_FROM:
            text = text.replace(value, f"[{secret.name}]")
    return text
