"""Runs the machines that were checked: for real, with a journal, on asyncio."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.host.adapter import Adapter, AdapterError, Question, Reply, Text
    from sim.host.address import Tls
    from sim.host.host import Host
    from sim.host.hosted_session import BeyondTable
    from sim.host.links import Beside
    from sim.host.port import Port
    from sim.host.stream import Stream

_HOMES = {
    "Adapter": "adapter",
    "AdapterError": "adapter",
    "Beside": "links",
    "BeyondTable": "hosted_session",
    "Host": "host",
    "Port": "port",
    "Question": "adapter",
    "Reply": "adapter",
    "Stream": "stream",
    "Text": "adapter",
    "Tls": "endpoint",
}

__all__ = [
    "Adapter",
    "AdapterError",
    "Beside",
    "BeyondTable",
    "Host",
    "Port",
    "Question",
    "Reply",
    "Stream",
    "Text",
    "Tls",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.host' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.host.{_HOMES[name]}"), name)
    return value
