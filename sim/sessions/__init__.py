"""Sessions of any program, kept on disk and found again by git branch, the latest activity first.

What belongs here: where they are kept, what git says about that place, which are listed and in which order, and how one of
them is picked. Campaigns are one user of it. What does not: what a session holds, which is its program's business. It
imports nothing of the simulation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.sessions.git import GitPlace, look
    from sim.sessions.picker import resume_picker
    from sim.sessions.program_store import KeptSession, SessionStore
    from sim.sessions.session_filter import NO_BRANCH, SessionFilter, SortOrder

_HOMES = {
    "NO_BRANCH": "session_filter",
    "GitPlace": "git",
    "KeptSession": "program_store",
    "SessionFilter": "session_filter",
    "SessionStore": "program_store",
    "SortOrder": "session_filter",
    "look": "git",
    "resume_picker": "picker",
}

__all__ = [
    "NO_BRANCH",
    "GitPlace",
    "KeptSession",
    "SessionFilter",
    "SessionStore",
    "SortOrder",
    "look",
    "resume_picker",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.sessions' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.sessions.{_HOMES[name]}"), name)
    return value
