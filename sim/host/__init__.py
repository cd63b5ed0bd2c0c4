"""Runs the machines that were checked: for real, with a journal, on asyncio.

What belongs here: hosts, journals, links between hosts, what stands for a process that is not a machine here.
What does not: the graph, and whatever walks it; a host knows machines and systems only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.host.adapter import Adapter, AdapterError, Question, Reply, Silent, Text
    from sim.host.artifact_file import ArtifactFile
    from sim.host.artifact_folder import ArtifactFolder
    from sim.host.chat_agent import AnthropicAgent, ChatAgent
    from sim.host.command_agent import CommandAgent
    from sim.host.host import Host
    from sim.host.hosted_session import BeyondTable
    from sim.host.link import Beside
    from sim.host.link_address import Tls
    from sim.host.person import Person
    from sim.host.port import Port
    from sim.host.stream import Stream
    from sim.host.wording import Patterns, Templates

_HOMES = {
    "Adapter": "adapter",
    "AdapterError": "adapter",
    "AnthropicAgent": "chat_agent",
    "ArtifactFile": "artifact_file",
    "ArtifactFolder": "artifact_folder",
    "Beside": "link",
    "BeyondTable": "hosted_session",
    "ChatAgent": "chat_agent",
    "CommandAgent": "command_agent",
    "Host": "host",
    "Patterns": "wording",
    "Person": "person",
    "Port": "port",
    "Question": "adapter",
    "Reply": "adapter",
    "Silent": "adapter",
    "Stream": "stream",
    "Templates": "wording",
    "Text": "adapter",
    "Tls": "link_address",
}

__all__ = [
    "Adapter",
    "AdapterError",
    "AnthropicAgent",
    "ArtifactFile",
    "ArtifactFolder",
    "Beside",
    "BeyondTable",
    "ChatAgent",
    "CommandAgent",
    "Host",
    "Patterns",
    "Person",
    "Port",
    "Question",
    "Reply",
    "Silent",
    "Stream",
    "Templates",
    "Text",
    "Tls",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.host' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.host.{_HOMES[name]}"), name)
    return value
